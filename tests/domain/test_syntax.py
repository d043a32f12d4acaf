"""Files are parsed by one thread at a time."""

from __future__ import annotations

import ast
import sys
import threading
from pathlib import Path

import domain
from domain import syntax


def test_threads_take_turns(monkeypatch):
    """Begun at the same moment, no two parse at once, and each gets its tree."""
    inside, most, trees, parse = [0], [0], [], ast.parse
    source = Path(domain.__file__).with_name("manifest.py").read_bytes()

    def watched(text: bytes) -> ast.Module:
        inside[0] += 1
        most[0] = max(most[0], inside[0])
        tree = parse(text)
        inside[0] -= 1
        return tree

    monkeypatch.setattr(syntax.ast, "parse", watched)
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        threads = [threading.Thread(target=lambda: trees.append(syntax.tree_of(source))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(before)
    assert most[0] == 1 and {ast.dump(tree) for tree in trees} == {ast.dump(parse(source))} and len(trees) == 8
