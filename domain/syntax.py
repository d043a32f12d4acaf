"""Syntax trees of source files, one at a time."""

from __future__ import annotations

import ast
from threading import Lock

PARSING = Lock()


def tree_of(source: bytes) -> ast.Module:
    """The syntax tree of a file's text.

    Python 3.11 counts the depth of a tree while it builds it in one place for all threads, and then refuses sources that are
    parsed at the same moment ("AST constructor recursion depth mismatch", python/cpython issue 106905): so they take turns.

    >>> ast.unparse(tree_of(b"x  =  1"))
    'x = 1'
    """
    with PARSING:
        return ast.parse(source)
