"""Plain CSV: a header with ts, open, high, low, close and, if there are any, volume and spread (price units)."""

from __future__ import annotations

from pathlib import Path

from domain.errors import BadRequest
from domain.market.bars import OPTIONAL, PRICES
from domain.market.instrument import Instrument
from domain.market.readers import stamps
from domain.market.readers.base import READERS, Found, Limits, Progress, RawBars, Reader
from domain.market.readers.files import head_of
from domain.market.readers.layout import Layout
from domain.market.readers.sample import describe, lines_of
from domain.market.readers.text import read_text, split

SEPARATORS = (",", ";", "\t")
OTHER_SEPARATORS = ("|", " ", ":", "~")
TIME_WORDS = ("ts", "timestamp", "datetime", "time", "date")
METATRADER_WORDS = ("tickvol", "tick_volume")


class OwnCsv(Reader):
    """Times are ISO 8601 (with a zone they are instants, without one the clock must be told) or seconds or milliseconds since 1970 UTC.
    A first column without a name is taken for the time; further columns are not read, which ``recognise`` says."""

    key = "csv"
    title = "CSV with a header (ts, open, high, low, close)"

    def recognise(self, head: bytes, name: str) -> Found | None:
        lines = lines_of(head)
        layout = _layout(lines, name)
        return describe(self.key, self.title, name, lines, layout, None, None) if layout else None

    def read(self, path: Path, instrument: Instrument, limits: Limits, progress: Progress) -> RawBars:
        layout = _layout(lines_of(head_of(path, limits.max_bytes)), path.name)
        if layout is None:
            raise BadRequest(f"{path.name} has no header with ts, open, high, low and close; choose another format")
        return read_text(path, layout, limits, progress)


def _layout(lines: list[str], name: str) -> Layout | None:
    for separator in SEPARATORS:
        columns = _columns(lines, separator)
        if columns:
            return Layout(separator, columns, _kind(lines, separator, columns, name), skip=1)
    for separator in OTHER_SEPARATORS:
        if _columns(lines, separator):
            raise BadRequest(f"{name} separates its columns with {separator!r}; write them with a comma, a semicolon or a tab")
    return None


def _columns(lines: list[str], separator: str) -> tuple[str, ...] | None:
    words = [word.strip().strip("<>").lower() for word in split(lines[0], separator)] if lines else []
    if words and not words[0]:
        words[0] = "ts"
    if not set(PRICES) <= set(words) or set(words) & set(METATRADER_WORDS):
        return None
    both = {"date", "time"} <= set(words)
    ts = next((word for word in TIME_WORDS if word in words), None)
    if ts is None:
        return None
    names = {word: word for word in (*PRICES, *OPTIONAL)} | ({"date": "date", "time": "time"} if both else {ts: "ts"})
    columns = tuple(names.get(word, "") for word in words)
    return columns if all(columns.count(column) == 1 for column in columns if column) else None


def _kind(lines: list[str], separator: str, columns: tuple[str, ...], name: str) -> str:
    """How times are written, from the first row that has one."""
    places = [at for at, column in enumerate(columns) if column in ("ts", "date", "time")]
    rows = [split(line, separator) for line in lines[1:]]
    texts = [" ".join(row[at].strip() for at in places) for row in rows if len(row) > max(places)]
    kinds = [kind for text in texts if (kind := stamps.kind_of(text))]
    if texts and not kinds:
        raise BadRequest(f"{name} writes times as {texts[0][:40]!r}; write ISO 8601 (2025-03-02T17:00:00Z) or seconds or milliseconds since 1970")
    return kinds[0] if kinds else stamps.ISO


READERS.add(OwnCsv.key, OwnCsv())
