"""Code hash and library versions by kind of job: of the file that registers the kind, and all modules it imports."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path
from typing import Any

from domain import manifest
from domain.errors import unknown
from domain.syntax import tree_of

JOBS = Path(__file__).parent / "jobs"


def code_of(kind: str) -> str:
    """The hash of the engine's code that jobs of a kind use."""
    return manifest.code_hash(entries()[kind]) if kind in entries() else manifest.code_hash()


def manifest_of(spec: dict[str, Any], kind: str) -> dict[str, Any]:
    """What decided the result of a job of that kind."""
    if kind not in entries():
        raise unknown("kind of job", kind, entries())
    return manifest.manifest(spec, entries()[kind])


@cache
def entries() -> dict[str, Path]:
    """Kind of job -> the file that registers it."""
    files: dict[str, Path] = {}
    for path in sorted(JOBS.glob("*.py")):
        for node in tree_of(path.read_bytes()).body:
            for mark in node.decorator_list if isinstance(node, ast.FunctionDef) else ():
                if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "job" and mark.args and isinstance(mark.args[0], ast.Constant):
                    files[str(mark.args[0].value)] = path
    return files
