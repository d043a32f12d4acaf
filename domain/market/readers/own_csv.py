"""Plain CSV: a header with ts, open, high, low, close and, if there are any, volume and spread (price units); or those
five, and a volume, without one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from domain.errors import BadRequest
from domain.market.bars import OPTIONAL, PRICES
from domain.market.instrument import Instrument
from domain.market.readers import stamps
from domain.market.readers.base import READERS, Progress, RawBars, Reader, ReadLimits, Recognised
from domain.market.readers.day_order import with_day_order
from domain.market.readers.files import head_of
from domain.market.readers.layout import Layout
from domain.market.readers.sample import describe, kind_in, lines_of, numeric, words_of
from domain.market.readers.text import read_text, split

SEPARATORS = (",", ";", "\t")
OTHER_SEPARATORS = ("|", " ", ":", "~")
TIME_WORDS = (
    "ts",
    "timestamp",
    "datetime",
    "date/time",
    "date time",
    "date_time",
    "open time",
    "open_time",
    "time",
    "date",
)
CLOSE_WORDS = ("price", "last", "latest")  # of Investing.com and Barchart, where no column is called close
SURE = 0.95  # of the rows without a header, in which the second number is the highest and the third the lowest


class OwnCsv(Reader):
    """Times with a zone, or counted since 1970, are instants; without one the clock must be given. A first column
    without a name is taken for the time where no other is; further columns are not read, which ``recognise`` says.
    """

    key = "csv"
    title = "CSV with a header (ts, open, high, low, close)"
    family = title
    fallback = True

    def recognise(self, head: bytes, name: str) -> Recognised | None:
        lines = lines_of(head)
        layout = _layout(lines, name)
        return describe(self.key, self.title, name, lines, layout, None, None) if layout else None

    def read(self, path: Path, instrument: Instrument, limits: ReadLimits, progress: Progress) -> RawBars:
        layout = _layout(lines_of(head_of(path, limits.max_bytes)), path.name)
        if layout is None:
            raise BadRequest(f"{path.name} has no header with ts, open, high, low and close; choose another format")
        layout, notes = with_day_order(path, layout, limits.max_bytes)
        raw = read_text(path, layout, limits, progress)
        return replace(raw, notes=(*raw.notes, *notes), bar_time=_bar_time(lines_of(head_of(path, limits.max_bytes)), layout))


def _bar_time(lines: Sequence[str], layout: Layout) -> str:
    """TradeStation, whose bars have up and down volumes, stamps them at their close; NinjaTrader, whose
    files other programs write too, does so in its own.
    """
    if layout.skip and {"date", "time", "up", "down"} <= set(words_of(lines[0], layout.separator)):
        return "close"
    return "either" if not layout.skip and layout.separator == ";" and layout.kind == stamps.COMPACT else ""


def _layout(lines: Sequence[str], name: str) -> Layout | None:
    for separator in SEPARATORS:
        columns = _columns(lines, separator)
        if columns:
            return Layout(separator, columns, _kind(lines, separator, columns, name), skip=1)
    for separator in OTHER_SEPARATORS:
        if _columns(lines, separator):
            raise BadRequest(
                f"{name} separates its columns with {separator!r}; write them with a comma, a semicolon or a tab"
            )
    return next((layout for separator in SEPARATORS if (layout := _plain(lines, separator))), None)


def _columns(lines: Sequence[str], separator: str) -> tuple[str, ...] | None:
    words = words_of(lines[0], separator) if lines else []
    if words and not words[0] and not set(TIME_WORDS) & set(words):
        words[0] = "ts"
    if "close" not in words and (other := next((word for word in CLOSE_WORDS if word in words), None)):
        words[words.index(other)] = "close"
    if not set(PRICES) <= set(words):
        return None
    both = {"date", "time"} <= set(words)
    ts = next((word for word in TIME_WORDS if word in words), None)
    if ts is None:
        return None
    names = {word: word for word in (*PRICES, *OPTIONAL)} | ({"date": "date", "time": "time"} if both else {ts: "ts"})
    columns = tuple(names.get(word, "") for word in words)
    return columns if all(columns.count(column) == 1 for column in columns if column) else None


def _kind(lines: Sequence[str], separator: str, columns: tuple[str, ...], name: str) -> str:
    """How times are written, from the first rows that have one."""
    places = [at for at, column in enumerate(columns) if column in ("ts", "date", "time")]
    rows = [split(line, separator) for line in lines[1:]]
    texts = [" ".join(row[at].strip() for at in places) for row in rows if len(row) > max(places)]
    kind = kind_in(texts)
    if texts and not kind:
        raise BadRequest(f"{name} writes times as {texts[0][:40]!r}; write {stamps.ACCEPTED}")
    return kind or stamps.ISO


def _plain(lines: Sequence[str], separator: str) -> Layout | None:
    """Without a header: a time, in one column or as date and time, then open, high, low and close, which their order of
    size shows.
    """
    rows = [[cell.strip() for cell in split(line, separator)] for line in lines[:200]]
    for times in (1, 2):
        bars = [
            row
            for row in rows
            if len(row) >= times + 4 and stamps.kind_of(" ".join(row[:times])) and numeric(row[times : times + 4])
        ]
        for row in bars:
            while len(row) > times + 4 and not row[-1]:
                row.pop()
        if len(bars) > 0.5 * len(rows) and sum(
            _in_order(*map(float, row[times : times + 4])) for row in bars
        ) >= SURE * len(bars):
            more = max(len(row) for row in bars) - times - 4
            rest = (
                ("volume",)
                if more == 1 and all(numeric(row[times + 4 :]) for row in bars if len(row) == times + 5)
                else ("",) * more
            )
            columns = (*(("ts",), ("date", "time"))[times - 1], *PRICES, *rest)
            return Layout(separator, columns, kind_in([" ".join(row[:times]) for row in bars]) or stamps.ISO)
    return None


def _in_order(opened: float, high: float, low: float, close: float) -> bool:
    return low <= min(opened, close) <= max(opened, close) <= high


READERS.add(OwnCsv.key, OwnCsv())
