"""The manifest of a result: the data, code, parameters, seeds and libraries that decide it, by hash and version.

Code and libraries are those that the result's kind of run uses: what its entry imports, directly or indirectly. So another wording
of a report, or a comment anywhere, leaves a backtest's hash as it is.
"""

from __future__ import annotations

import hashlib
import platform
import sys
from collections.abc import Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from domain.source_facts import keep
from domain.source_facts import source as source

DOMAIN = Path(__file__).resolve().parent
ROOT = DOMAIN.parent
NAMED = {"sklearn": "scikit-learn", "faiss": "faiss-cpu"}       # a distribution that is not called as what is imported from it
BRINGS = {"numba": "llvmlite"}                                  # what compiles for it


@cache
def code_hash(*entries: Path) -> str:
    """SHA-256 over the engine's sources and tables that the entries use, by path, without comments and docstrings; of all of them where there is no entry."""
    hasher = hashlib.sha256()
    for path in sorted(used_by(*entries)):
        hasher.update(path.relative_to(DOMAIN).as_posix().encode() + b"\0")
        hasher.update(source(path).digest)
    keep()
    return hasher.hexdigest()


@cache
def libraries(*entries: Path) -> dict[str, str]:
    """The versions of Python and of the libraries that the same sources import."""
    imported = {name.partition(".")[0] for path in used_by(*entries) for name in source(path).imports} - sys.stdlib_module_names
    names = {NAMED.get(name, name) for name in imported if name not in ("domain", "worker")} | {dependency for name, dependency in BRINGS.items() if name in imported}
    return {"python": platform.python_version(), **{name: _version(name) for name in sorted(names)}}


def manifest(spec: dict[str, Any], *entries: Path) -> dict[str, Any]:
    return dict(spec=spec, code=code_hash(*entries), libraries=libraries(*entries))


@cache
def used_by(*entries: Path) -> frozenset[Path]:
    """Sources and tables of the engine that files use; all of them where no file is named. Files beside an entry are followed, but not counted."""
    if not entries:
        return frozenset([*DOMAIN.rglob("*.py"), *DOMAIN.rglob("*.toml")])
    waiting, seen = list(entries), set[Path]()
    while waiting:
        path = waiting.pop()
        if path not in seen:
            seen.add(path)
            waiting += _leads_to(path, entries[0].parent)
    return frozenset(path for path in seen if DOMAIN in path.parents)


@cache
def _leads_to(path: Path, beside: Path) -> tuple[Path, ...]:
    """Files of the engine, and those beside the entries, that a file imports or reads."""
    return tuple(dict.fromkeys(_followed(path, beside)))


def _followed(path: Path, beside: Path) -> Iterator[Path]:
    read = source(path)
    for name in read.imports:
        yield from _files_beside(name, beside)
    yield from (path.with_name(table) for table in read.tables if path.with_name(table).is_file())
    if read.finds and path.name == "__init__.py" and DOMAIN in path.parents:
        yield from (*path.parent.glob("*.py"), *path.parent.glob("*/__init__.py"))


@cache
def _files_beside(name: str, beside: Path) -> tuple[Path, ...]:
    """Those of a module, and of its parent packages, that belong to the engine or lie beside the entries."""
    return tuple(file for file in _files_of(name) if DOMAIN in file.parents or file.parent == beside)


@cache
def _files_of(name: str) -> tuple[Path, ...]:
    """The file of a module, and those of its parent packages, which are imported with it."""
    package, _, _ = name.rpartition(".")
    if name.partition(".")[0] not in ("domain", "worker"):
        return ()
    place = ROOT.joinpath(*name.split("."))
    own = tuple(file for file in (place / "__init__.py", place.with_suffix(".py")) if file.is_file())
    return (*_files_of(package), *own) if package and package.startswith("domain") else own


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "absent"
