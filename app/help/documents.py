"""The documents of this version, as the Help page reads them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "docs"
LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.M)


@dataclass(frozen=True)
class Document:
    """``name``: of its file without ``.md``; ``title``: its first heading; ``text``: Markdown below it."""

    name: str
    title: str
    text: str

    @property
    def headings(self) -> list[str]:
        return HEADING.findall(self.text)


@dataclass(frozen=True)
class Hit:
    """A place where the words that were looked for stand together: the document, the heading above, and the line."""

    document: Document
    heading: str
    line: str


@cache
def documents() -> dict[str, Document]:
    """Name -> document, in the order of the titles."""
    read = [_read(path) for path in sorted(FOLDER.glob("*.md"))]
    return {each.name: each for each in sorted(read, key=lambda each: each.title.lower())}


def _read(path: Path) -> Document:
    title, _, text = path.read_text(encoding="utf-8").partition("\n")
    return Document(path.stem, title.removeprefix("# ").strip(), text.strip())


def shown(text: str) -> str:
    """Markdown with links as the page can follow them: to other documents by address, into the source as plain text, pictures left out.

    >>> shown("See [Paper trading](paper.md#commands), [code](../domain/x.py), [RFC](https://rfc.test/1) ![Page](shots/a.png)")
    'See [Paper trading](?doc=paper), code (`domain/x.py`), [RFC](https://rfc.test/1) '
    """
    return LINK.sub(_link, text)


def _link(match: re.Match[str]) -> str:
    picture, label, target = match.groups()
    if picture:
        return ""
    if target.startswith(("http://", "https://")):
        return match[0]
    name, _, _ = target.partition("#")
    if name.endswith(".md") and "/" not in name:
        return f"[{label}](?doc={name.removesuffix('.md')})"
    return label if not name else f"{label} (`{name.removeprefix('../')}`)"


def search(words: str, among: dict[str, Document]) -> Iterator[Hit]:
    """Lines that hold every word, whatever its case; a heading counts for the lines below it.

    >>> page = Document("a", "Costs", "## Swap\\nBooked at the *roll* of each night.")
    >>> [(hit.heading, hit.line) for hit in search("swap night", {"a": page})]
    [('Swap', 'Booked at the *roll* of each night.')]
    """
    wanted = words.lower().split()
    for document in among.values():
        heading = document.title
        for line in document.text.splitlines():
            if match := HEADING.match(line):
                heading = match[1]
            elif line.strip() and all(word in f"{heading} {line}".lower() for word in wanted):
                yield Hit(document, heading, line.strip())
