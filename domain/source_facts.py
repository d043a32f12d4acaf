"""Facts about source files. To read all of them anew takes most of a second, so those of each are kept beside the program's compiled modules, under the
hash of the file's bytes: a file that changes is read again. Where that folder cannot be written, nothing is kept."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import re
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple

from domain.syntax import tree_of

FINDS = ("discover", "import_module")                           # a package that calls one of these imports every module beside it
TABLE = re.compile(r"[\w-]+\.toml")
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
MOST = 2_000        # files that facts are kept of


class Source(NamedTuple):
    """Facts about a file: the hash of its code, what it imports, tables it names, and whether it imports every module beside it."""

    digest: bytes
    imports: frozenset[str]
    tables: frozenset[str]
    finds: bool


@cache
def source(path: Path) -> Source:
    content = path.read_bytes()
    name = hashlib.sha256(content).hexdigest()
    if path.suffix == ".toml":
        return Source(bytes.fromhex(name), frozenset(), frozenset(), False)
    kept = facts()
    if name not in kept:
        kept[name] = facts_of(content)
    digest, imports, tables, finds = kept[name]
    return Source(bytes.fromhex(digest), frozenset(imports), frozenset(tables), finds)


def facts_of(content: bytes) -> list:
    """A ``Source`` as JSON has it."""
    tree = tree_of(content)
    imports, tables, finds = set[str](), set[str](), False
    for node in ast.walk(tree):
        if isinstance(node, DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:]
        elif isinstance(node, ast.Import):
            imports.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            imports.update((node.module, *(f"{node.module}.{alias.name}" for alias in node.names)))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and TABLE.fullmatch(node.value):
            tables.add(node.value)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in FINDS:
            finds = True
    return [hashlib.sha256(ast.dump(tree).encode()).hexdigest(), sorted(imports), sorted(tables), finds]


@cache
def place() -> Path:
    """The file of the facts: another one for another Python, which writes trees otherwise, and for another version of this module."""
    made_of = hashlib.sha256(sys.version.encode() + Path(__file__).read_bytes()).hexdigest()[:12]
    return Path(__file__).parent / "__pycache__" / f"sources-{made_of}.json"


class Facts(dict[str, list]):
    """By the hash of a file's bytes."""

    def __init__(self) -> None:
        kept: dict[str, list] = {}
        with suppress(OSError, ValueError):
            kept = json.loads(place().read_text(encoding="utf-8"))
        super().__init__(kept if isinstance(kept, dict) and len(kept) < MOST else {})
        self.kept = len(self)


@cache
def facts() -> Facts:
    return Facts()


def keep() -> None:
    """Write the facts that the file lacks."""
    every = facts()
    if len(every) == every.kept or not os.access(place().parent, os.W_OK):
        return
    beside = place().with_suffix(f".{os.getpid()}")
    with suppress(OSError):
        beside.write_text(json.dumps(dict(every)), encoding="utf-8")
        beside.replace(place())
        every.kept = len(every)
