"""A Python file of the user's with features, strategies and learners: it is executed, and errors in it are reported with its file and line."""

from __future__ import annotations

import importlib.util
import re
import sys
import traceback
from collections.abc import Collection
from pathlib import Path
from types import TracebackType

from domain.errors import BadRequest, TidemarkError
from domain.parsing import is_file

NAMES = "module_{}"
COLUMNS = "columns are numpy arrays; use numpy, or pd.Series(column)"


class UserCode:
    """A block that runs code of ``path``. What that code raises becomes a sentence with file, line and message; errors of ours
    pass through, those about one of its ``features`` with the file's name."""

    def __init__(self, path: Path | None, features: Collection[str] = ()) -> None:
        self._path, self._features = path.resolve() if path else None, features

    def __enter__(self) -> UserCode:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._path is None or error is None or isinstance(error, KeyboardInterrupt):
            return
        if isinstance(error, TidemarkError):
            if re.split(r"[ (@]", str(error))[0] in self._features:
                raise BadRequest(f"{self._path.name}: {error}") from None
            return
        if isinstance(error, SyntaxError) and error.filename and Path(error.filename).resolve() == self._path:
            raise BadRequest(f"{self._path.name}, line {error.lineno}: {type(error).__name__}: {error.msg}") from None
        lines = [frame.lineno for frame in traceback.extract_tb(trace) if Path(frame.filename).resolve() == self._path]
        if lines:
            raise BadRequest(f"{self._path.name}, line {lines[-1]}: {type(error).__name__}: {_message(error)}") from None


def load(path: Path) -> tuple[list[str], list[str]]:
    """The features and strategies that the file registers, beside its learners. It is code and is run, as ``python FILE.py`` would; the page never does."""
    from domain.features import FEATURES
    from domain.models import LEARNERS
    from domain.strategies import STRATEGIES

    features, strategies, learners = set(FEATURES), set(STRATEGIES), set(LEARNERS)
    spec = importlib.util.spec_from_file_location(NAMES.format(path.stem), path)
    if not is_file(path) or spec is None or spec.loader is None:
        raise BadRequest(f"there is no Python file {path}; give the path of a file that ends in .py")
    sys.modules[spec.name] = module = importlib.util.module_from_spec(spec)
    with UserCode(path):
        try:
            spec.loader.exec_module(module)
        except (UnicodeDecodeError, ValueError, SyntaxError) as error:
            if not isinstance(error, UnicodeDecodeError) and "null bytes" not in str(error):
                raise
            raise BadRequest(f"{path.name} is not Python in UTF-8") from None
    defined = sorted(set(FEATURES) - features), sorted(set(STRATEGIES) - strategies)
    if not any(defined) and set(LEARNERS) == learners:
        raise BadRequest(f"{path} defines no feature and no strategy, nor a learner; mark them with @feature(unit=…, source=…), @strategy(name) or @learner(name, targets=…)")
    return defined


def _message(error: BaseException) -> str:
    """Its own text on one line, with a hint where a method of pandas was called on a column."""
    try:
        text = " ".join(str(error).split()) or "no message"
    except Exception:       # the user's own class of errors, whose text fails too
        text = "no message that can be shown"
    attribute = re.search(r"'numpy\.ndarray' object has no attribute '(\w+)'", text)
    return f"{text} ({COLUMNS}.{attribute[1]})" if attribute else text
