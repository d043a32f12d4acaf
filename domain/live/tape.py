"""The tape of a session: the append-only record of bars as they were traded, and tape.csv, which any tool can read."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd

from domain.errors import BadRequest, unknown
from domain.market.bars import ts_of

COLUMNS = ("series", "ts", "end", "open", "high", "low", "close", "volume", "spread", "recovered")
NUMBERS = ("open", "high", "low", "close", "volume", "spread")
INF = math.inf
SECOND = 1_000_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True, unsafe_hash=True)
class TapeBar:
    """A bar that has ended; nobody changes it (a frozen one takes three times as long to make). Times are nanoseconds UTC; ``volume`` and ``spread`` are NaN where they are unknown; ``recovered``: it was not seen
    as it formed, but came from the vendor's candles after a break."""

    series: str
    ts: int
    end: int
    open: float
    high: float
    low: float
    close: float
    volume: float = math.nan
    spread: float = math.nan
    recovered: bool = False

    @property
    def fault(self) -> str:
        """What makes it no bar; empty where it is one.

        >>> TapeBar("EURUSD M5", 0, 1, 1.0, 0.9, 1.1, 1.0).fault
        'its high 0.9 is below its low 1.1'
        """
        if -INF < self.low <= self.open <= self.high < INF and self.low <= self.close <= self.high and not (self.volume < 0 or self.volume == INF or self.spread < 0 or self.spread == INF):
            return "" if self.end > self.ts else "it ends before it opens"
        return self._fault()

    def _fault(self) -> str:
        for name in ("open", "high", "low", "close"):
            if not math.isfinite(getattr(self, name)):
                return f"its {name} is {getattr(self, name)}"
        if self.high < self.low:
            return f"its high {self.high} is below its low {self.low}"
        for name in ("open", "close"):
            if not self.low <= getattr(self, name) <= self.high:
                return f"its {name} {getattr(self, name)} is outside its range {self.low} to {self.high}"
        for name in ("volume", "spread"):
            value = getattr(self, name)
            if value < 0 or math.isinf(value):
                return f"its {name} is {value}"
        return ""


def frame_of(bars: Iterable[TapeBar]) -> pd.DataFrame:
    """Bars of one series as the table that a backtest reads, with ``end``.

    >>> frame_of([TapeBar("EURUSD M5", 0, 300 * SECOND, 1.0, 1.0, 1.0, 1.0)]).columns.tolist()
    ['ts', 'end', 'open', 'high', 'low', 'close', 'volume', 'spread']
    """
    rows = list(bars)
    times = {name: pd.DatetimeIndex(np.array([getattr(bar, name) for bar in rows], np.int64).view("datetime64[ns]"), tz="UTC") for name in ("ts", "end")}
    return pd.DataFrame({**times, **{name: np.array([getattr(bar, name) for bar in rows], np.float64) for name in NUMBERS}})


def columns_of(bar: TapeBar) -> dict[str, float]:
    """A bar as features take it."""
    return dict(ts=bar.ts, end=bar.end, open=bar.open, high=bar.high, low=bar.low, close=bar.close, volume=bar.volume, spread=bar.spread)


def bars_in(series: str, bars: pd.DataFrame, ends: np.ndarray, recovered: bool = False) -> list[TapeBar]:
    """A table of bars as those of a tape. ``ends``: when each is known, nanoseconds UTC."""
    count = len(bars)
    opens, highs, lows, closes, volumes, spreads = (bars[name].to_numpy(np.float64).tolist() if name in bars else [math.nan] * count for name in NUMBERS)
    opened, ended = ts_of(bars).tolist(), np.asarray(ends, np.int64).tolist()
    return [TapeBar(series, opened[k], ended[k], opens[k], highs[k], lows[k], closes[k], volumes[k], spreads[k], recovered) for k in range(count)]


def in_order(bars: Iterable[TapeBar], series: tuple[str, ...]) -> list[TapeBar]:
    """By their ends, those of one instant in the order of ``series``: the order of the tape.

    >>> hour, minutes = TapeBar("EURUSD H1", 0, 12, 1, 1, 1, 1), TapeBar("EURUSD M5", 11, 12, 1, 1, 1, 1)
    >>> [bar.series for bar in in_order([hour, minutes], ("EURUSD M5", "EURUSD H1"))]
    ['EURUSD M5', 'EURUSD H1']
    """
    place = {name: number for number, name in enumerate(series)}
    return sorted(bars, key=lambda bar: (bar.end, place[bar.series], bar.ts))


def by_series(bars: Iterable[TapeBar], series: Sequence[str]) -> list[TapeBar]:
    """One series after the other. A file of them names the series in this order, and a backtest works them in the order in which its file first names them.

    >>> hour, minutes = TapeBar("EURUSD H1", 0, 12, 1, 1, 1, 1), TapeBar("EURUSD M5", 6, 11, 1, 1, 1, 1)
    >>> [bar.series for bar in by_series([minutes, hour], ("EURUSD H1", "EURUSD M5"))]
    ['EURUSD H1', 'EURUSD M5']
    """
    place = {name: number for number, name in enumerate(series)}
    return sorted(bars, key=lambda bar: place[bar.series])


def time_text(ns: int) -> str:
    """
    >>> time_text(0), time_text(1_500_000_000)
    ('1970-01-01T00:00:00Z', '1970-01-01T00:00:01.500000000Z')
    """
    seconds, rest = divmod(ns, SECOND)
    text = (EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{rest:09d}Z" if rest else f"{text}Z"


def time_of(text: str) -> int:
    """Nanoseconds UTC of such a text; raises ValueError.

    >>> time_of("1970-01-01T00:00:01.5Z")
    1500000000
    """
    whole, point, rest = text.removesuffix("Z").partition(".")
    if text == whole or (point and not rest.isdigit()) or len(rest) > 9:
        raise ValueError(text)
    at = datetime.strptime(whole, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC)
    return ((at - EPOCH) // timedelta(seconds=1)) * SECOND + int(rest.ljust(9, "0") or 0)


def write(bars: Iterable[TapeBar]) -> str:
    """tape.csv: a line a bar, in the order given; numbers as the shortest text that reads back the same.

    >>> print(write([TapeBar("EURUSD M5", 0, 300 * SECOND, 1.1, 1.2, 1.0, 1.1)]), end="")
    series,ts,end,open,high,low,close,volume,spread,recovered
    EURUSD M5,1970-01-01T00:00:00Z,1970-01-01T00:05:00Z,1.1,1.2,1.0,1.1,,,0
    """
    sink = io.StringIO()
    lines = csv.writer(sink, lineterminator="\n")
    lines.writerow(COLUMNS)
    for bar in bars:
        numbers = ("" if value != value else repr(float(value)) for value in (getattr(bar, name) for name in NUMBERS))
        lines.writerow([bar.series, time_text(bar.ts), time_text(bar.end), *numbers, int(bar.recovered)])
    return sink.getvalue()


def read(text: str, what: str = "the tape") -> list[TapeBar]:
    """The bars of tape.csv; a cell that cannot be read is named with its row.

    >>> read(write([TapeBar("EURUSD M5", 0, 300 * SECOND, 1.1, 1.2, 1.0, 1.1)]))[0].close
    1.1
    >>> read("series,ts,open\\n")
    Traceback (most recent call last):
    ...
    domain.errors.BadRequest: the tape has the columns series, ts, open; it must have series, ts, end, open, high, low, close, volume, spread, recovered
    """
    return list(_bars(text, what))


def _bars(text: str, what: str) -> Iterator[TapeBar]:
    rows = csv.DictReader(io.StringIO(text))
    names = list(rows.fieldnames or ())
    for name in names:
        if name not in COLUMNS:
            raise unknown(f"column of {what}", name, COLUMNS)
    if set(COLUMNS) - set(names) - {"volume", "spread", "recovered"}:
        raise BadRequest(f"{what} has the columns {', '.join(names) or 'none'}; it must have {', '.join(COLUMNS)}")
    for number, row in enumerate(rows, 1):
        yield _bar(row, f"row {number} of {what}")


def _bar(row: Mapping[str, str | None], what: str) -> TapeBar:
    values: dict[str, float] = {}
    for name in NUMBERS:
        values[name] = _number(row.get(name) or "", name, what)
    return TapeBar(str(row.get("series") or "").strip(), _time(row, "ts", what), _time(row, "end", what), **values, recovered=(row.get("recovered") or "0").strip().lower() in ("1", "true"))


def _time(row: Mapping[str, str | None], name: str, what: str) -> int:
    try:
        return time_of((row.get(name) or "").strip())
    except ValueError:
        raise BadRequest(f"{what}: {name} is {row.get(name)!r}; write it as in 2024-01-02T10:00:00Z") from None


def _number(text: str, name: str, what: str) -> float:
    try:
        return float(text) if text.strip() else math.nan
    except ValueError:
        raise BadRequest(f"{what}: {name} is {text!r}; it must be a number") from None
