"""Readers of market-data files: which format a file has, and its rows as they stand. Nothing is judged or repaired here."""

from __future__ import annotations

from pathlib import Path

from domain.errors import BadRequest
from domain.market.instrument import Instrument
from domain.market.readers.base import MAX_BYTES as MAX_BYTES
from domain.market.readers.base import MAX_ROWS as MAX_ROWS
from domain.market.readers.base import READERS as READERS
from domain.market.readers.base import BadLine as BadLine
from domain.market.readers.base import Found as Found
from domain.market.readers.base import Limits as Limits
from domain.market.readers.base import Progress as Progress
from domain.market.readers.base import RawBars as RawBars
from domain.market.readers.base import Reader as Reader
from domain.market.readers.files import head_of
from domain.registry import discover

discover(__name__, __path__)

SEEN = (
    (b"<!doctype html", "a web page (HTML), not data; download the file itself"),
    (b"<html", "a web page (HTML), not data; download the file itself"),
    (b"<?xml", "XML"),
    (b"{", "JSON"),
    (b"[", "JSON"),
    (b"%pdf", "a PDF"),
    (b"arrow1", "an Arrow (Feather) file"),
    (b"sqlite format", "an SQLite database"),
)


def recognise(path: Path | str, max_bytes: int = MAX_BYTES) -> Found:
    """What a file seems to be; one of no known format is refused, saying what was seen."""
    path = Path(path)
    head = head_of(path, max_bytes)
    for reader in READERS.values():
        found = reader.recognise(head, path.name)
        if found:
            return reader.complete(found, path)
    known = "; ".join(reader.title for reader in READERS.values())
    raise BadRequest(f"{path.name} is {_seen(head)}. Known formats: {known}")


def read(path: Path | str, format: str, instrument: Instrument, progress: Progress | None = None, *, max_bytes: int = MAX_BYTES, max_rows: int = MAX_ROWS) -> RawBars:
    """The rows of a file. ``progress(share, note)`` is called at least every few hundred milliseconds."""
    return READERS[format].read(Path(path), instrument, Limits(max_bytes, max_rows), progress or _silent)


def _seen(head: bytes) -> str:
    """
    >>> _seen(b"<!DOCTYPE html><title>Sign in"), _seen(b"a,b,c"), _seen(bytes(range(256)))
    ('a web page (HTML), not data; download the file itself', "text of an unknown layout, beginning 'a,b,c'", 'binary data')
    """
    start = head.lstrip()[:64].lower()
    for magic, what in SEEN:
        if start.startswith(magic):
            return what
    text = head[:4096]
    if sum(byte < 9 or 13 < byte < 32 for byte in text) > 0.01 * len(text) or text.decode("utf-8", "replace").count("\ufffd") > 0.05 * len(text):
        return "binary data"
    first = head.decode("utf-8", "replace").strip().split("\n")[0]
    return f"text of an unknown layout, beginning {first[:60]!r}" if first else "blank: it holds nothing but empty lines"


def _silent(share: float, note: str) -> None:
    """Nobody is watching."""
