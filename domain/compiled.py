"""How functions are compiled, and how far that is. Importing this loads numba: kernel files only.

``entry``: a function that Python calls. Its compiled code contains all that it calls, and is cached.
``compiled``: a function that only compiled code calls. It has no entry from Python and is not cached alone, and one version serves every
constant that it is called with; numba would compile one for each. Together that is nearly half of the time that compiling takes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from numba import types
from numba.core.caching import CompileResultCacheImpl, FunctionCache, UserProvidedCacheLocator
from numba.core.event import Event, Listener, install_listener
from numba.core.registry import CPUDispatcher

from domain.compiled_folder import folder_of, package_of
from domain.compiled_linking import CompilesPart, CompilesWhole

HOW: dict[str, Any] = dict(nogil=True, error_model="numpy")
FUNCTIONS: dict[str, set[str]] = {"backtest": set(), "features": set()}     # what each package compiles
Watch = Callable[[int, int, str], None]                                     # how many are compiled, of how many, and the last


def entry(function: Callable) -> Any:
    """Compile on the first call from Python, and cache the result."""
    _named(function)
    dispatcher = Entry(function, targetoptions=dict(nopython=True, boundscheck=None, **HOW), pipeline_class=CompilesWhole)
    dispatcher.enable_caching()
    return dispatcher


def compiled(function: Callable) -> Any:
    """Compile where compiled code calls it."""
    _named(function)
    return Inner(function, targetoptions=dict(nopython=True, no_cpython_wrapper=True, no_cfunc_wrapper=True, **HOW), pipeline_class=CompilesPart)


class Entry(CPUDispatcher):
    """A function that Python calls. An array that Python may only read (a column of a table, say) is of the same type as any other: for numba they
    are two, and each loop would be compiled once for every mixture of them. No loop here writes to what it is given but its own state."""

    def enable_caching(self) -> None:
        self._cache = Kept(self.py_func)

    def typeof_pyval(self, value: Any) -> Any:
        kind = super().typeof_pyval(value)
        return kind if not isinstance(kind, types.Array) or kind.mutable else kind.copy(readonly=False)


class Located(UserProvidedCacheLocator):
    """Where the code of a function is kept: by what it is made of, so that it serves a copy of the program in another folder, or a later version of
    the program with the same sources. numba itself keeps it by the folder that the source lies in."""

    def __init__(self, function: Callable, file: str) -> None:
        self._py_file, self._lineno = file, function.__code__.co_firstlineno
        self._cache_path = str(folder_of(package_of(function.__module__)) / function.__module__)

    @classmethod
    def from_function(cls, py_func: Callable, py_file: str) -> Located:
        return cls(py_func, py_file)


class KeptResult(CompileResultCacheImpl):
    _locator_classes = [Located]     # noqa: RUF012


class Kept(FunctionCache):
    _impl_class = KeptResult


class Inner(CPUDispatcher):
    """A function inside compiled code."""

    def get_call_template(self, args: Any, kws: Any) -> Any:
        return super().get_call_template(tuple(types.unliteral(kind) for kind in args), {name: types.unliteral(kind) for name, kind in kws.items()})

    def __call__(self, *args: Any, **more: Any) -> Any:
        raise TypeError(f"{self.py_func.__name__} is called by compiled code only; decorate it as an entry to call it from Python")


@contextmanager
def watched(package: str, watch: Watch) -> Iterator[None]:
    """While inside, ``watch`` is called for each function of the package that has been compiled."""
    with install_listener("numba:compile", Progress(package, watch)):
        yield


class Progress(Listener):
    def __init__(self, package: str, watch: Watch) -> None:
        self._package, self._watch, self._done = package, watch, set[str]()

    def on_start(self, event: Event) -> None:
        """A function counts once it is compiled."""

    def on_end(self, event: Event) -> None:
        function = event.data["dispatcher"].py_func
        name = f"{function.__module__}.{function.__name__}"
        if name in FUNCTIONS[self._package] and name not in self._done:
            self._done.add(name)
            self._watch(len(self._done), len(FUNCTIONS[self._package]), function.__name__)


def _named(function: Callable) -> str:
    """The package of a function, which is counted as one of those that it compiles."""
    package = package_of(function.__module__)
    FUNCTIONS.setdefault(package, set()).add(f"{function.__module__}.{function.__name__}")
    return package
