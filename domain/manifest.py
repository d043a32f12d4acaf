"""What decided a result: data, code, parameters, seeds and libraries, by hash and version."""

from __future__ import annotations

import hashlib
import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

LIBRARIES = ("numpy", "pandas", "numba", "llvmlite", "pyarrow")
DOMAIN = Path(__file__).resolve().parent


@cache
def code_hash() -> str:
    """SHA-256 over every source and table of the engine, by path."""
    hasher = hashlib.sha256()
    for path in sorted([*DOMAIN.rglob("*.py"), *DOMAIN.rglob("*.toml")]):
        hasher.update(path.relative_to(DOMAIN).as_posix().encode() + b"\0")
        hasher.update(hashlib.sha256(path.read_bytes()).digest())
    return hasher.hexdigest()


@cache
def libraries() -> dict[str, str]:
    return {"python": platform.python_version(), **{name: _version(name) for name in LIBRARIES}}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "absent"


def manifest(spec: dict[str, Any]) -> dict[str, Any]:
    return dict(spec=spec, code=code_hash(), libraries=libraries())
