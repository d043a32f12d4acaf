"""What people and files wrote is shown as written: by the function that does it, and at the places that show it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from app.kit.text import JOIN, literal

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted([*(ROOT / "app").rglob("*.py"), *(ROOT / "pages").glob("*.py")])
SHOWS = {"markdown", "caption", "title", "header", "subheader", "error", "warning", "info", "success", "toast", "badge", "button", "write", "expander", "popover", "metric", "progress", "status"}
WRITTEN = re.compile(
    r"\b(?:run|other|job|batch|member|saved|last|imported|dataset)\.(?:name|title|note)\b|\.actor\b|query_params|\b(?:dataset|imported)\.(?:source|clock|notes)\b|\.job\.title\b"
    r"|\['sentence'\]|\.get\('sentence'|\brefusal\b|\bfault\b|\bjob\.note\b"
)


@pytest.mark.parametrize(("text", "shown"), [
    ("![x](http://e.example/p.png)", r"\!\[x\]\(http\:" + JOIN + r"\/\/e\.example\/p\.png\)"),
    ("a_b *c* `d` ~~e~~", r"a\_b \*c\* \`d\` \~\~e\~\~"), ("$x$", r"\$x\$"), (":red[x]", r"\:red\[x\]"), ("<b>&lt;", r"\<b\>\&lt\;"),
    (":smile:", r"\:" + JOIN + r"smile\:"), (":material/x:", r"\:material\/x\:"), (":material_x:", r"\:" + JOIN + r"material\_x\:"),
    ("www.e.example", r"www" + JOIN + r"\.e\.example"), ("me@e.example", r"me\@" + JOIN + r"e\.example"), ("a -> b", r"a \-" + JOIN + r"\> b"),
    ("# h", r"\# h"), ("1. x", r"1\. x"), ("    code", "code"), ("a\n\n| b |\n|--", r"a \| b \| \|\-" + JOIN + r"\-"), ("a\u202eb", "a\ufffdb"), (None, ""), (7, "7"),
])  # fmt: skip
def test_written_text_is_shown_as_it_is(text, shown):
    assert literal(text) == shown


def written_bare(call: ast.Call) -> list[str]:
    """Parts of a call's arguments that a person or a file wrote and that do not go through ``literal``."""
    bare: list[str] = []

    def look(node: ast.AST) -> None:
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "literal":
            return
        if isinstance(node, ast.FormattedValue) and not any(isinstance(child, ast.Call) and ast.unparse(child.func) == "literal" for child in ast.walk(node)):
            if WRITTEN.search(ast.unparse(node.value)) and not re.fullmatch(r"(?:number|plural|clock|ago)\(.*\)", ast.unparse(node.value)):
                bare.append(ast.unparse(node.value))
            return
        for child in ast.iter_child_nodes(node):
            look(child)

    for argument in [*call.args, *(word.value for word in call.keywords if word.arg in (None, "title", "help", "text", "label"))]:
        if isinstance(argument, (ast.Attribute, ast.Subscript)) and WRITTEN.search(ast.unparse(argument)):
            bare.append(ast.unparse(argument))
        look(argument)
    return bare


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_place_that_shows_what_people_wrote_shows_it_literally(path):
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in SHOWS]
    bare = {node.lineno: parts for node in calls if (parts := written_bare(node))}
    assert not bare, f"{path.name}: wrap these in app.kit.text.literal: {bare}"
