"""How compiled functions come together: once, where Python calls one of them. Importing this loads numba: kernel files only.

numba optimises each function with all that it calls, and emits its machine code: what lies ten calls deep is optimised ten times over, and the code of
all but the outermost is thrown away. Here an inner function is kept as it was lowered (``Part``), and an entry (``Whole``) links each of the parts that it
reaches once, then optimises and emits all of them together.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler
from numba.core.environment import lookup_environment

ENVIRONMENT = "_ZN08NumbaEnv"       # how numba names the place of a function's constants
EXTERNAL = "external"               # the linkage of a function that other modules may call


class Part(JITCodeLibrary):
    """A function inside compiled code: neither optimised nor emitted for itself."""

    @property
    def codegen(self) -> Part:
        return self

    def set_env(self, name: str, environment: Any) -> None:
        """Its constants are set where it is emitted."""

    def get_pointer_to_function(self, name: str) -> int:
        return 0

    def parts(self) -> list[Any]:
        return self._linking_libraries

    def _ensure_finalized(self) -> None:
        """It never is. A function that numba compiles in its own way would link this part without those that it calls, and jump to nowhere."""
        if not isinstance(sys._getframe(1).f_locals.get("self"), Part | Whole):
            raise TypeError(f"{self.name} is called by this program's compiled functions only; decorate what calls it with domain.compiled.entry, not numba.njit")

    def _get_module_for_linking(self) -> Any:
        if self._shared_module is None:
            module = self._final_module.clone()
            for function in module.functions:
                if not function.is_declaration and function.linkage.name == EXTERNAL:
                    function.linkage = "linkonce_odr"
            self._shared_module = module
        return self._shared_module


class Whole(JITCodeLibrary):
    """A function that Python calls, with every part that it reaches."""

    def finalize(self) -> None:
        self._linking_libraries = list(reached(self._linking_libraries))
        super().finalize()
        for variable in self._final_module.global_variables:
            environment = lookup_environment(variable.name) if variable.name.startswith(ENVIRONMENT) else None
            if environment is not None:
                self.codegen.set_env(variable.name, environment)


def reached(libraries: list[Any]) -> Iterator[Any]:
    """These libraries and those of the parts among them, each once."""
    seen, left = set[Any](), list(reversed(libraries))
    while left:
        library = left.pop()
        if library not in seen:
            seen.add(library)
            yield library
            left.extend(reversed(library.parts()) if isinstance(library, Part) else ())


class CompilesPart(Compiler):
    """Compiles a function into a part."""

    kind: type[JITCodeLibrary] = Part

    def compile_extra(self, func: Any) -> Any:
        self.state.library = self.kind(self.state.targetctx.codegen(), func.__qualname__)
        self.state.library.enable_object_caching()
        return super().compile_extra(func)


class CompilesWhole(CompilesPart):
    """Compiles a function that Python calls."""

    kind = Whole
