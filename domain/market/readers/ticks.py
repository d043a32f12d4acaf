"""Ticks with bid and ask, made into M1 bars: HistData's ``20250302 170000123,1.04032,1.04042,0``, Dukascopy's, TrueFX's
and MetaTrader 5's.

A minute's open, high, low and close are those of the bid, its volume is the number of ticks, its spread the mean of ask
minus bid over them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from domain.errors import BadRequest
from domain.market.bars import PRICES
from domain.market.instrument import Instrument
from domain.market.readers import stamps
from domain.market.readers.base import READERS, Progress, RawBars, Reader, ReadLimits, Recognised
from domain.market.readers.day_order import with_day_order
from domain.market.readers.dukascopy import clock_named
from domain.market.readers.files import head_of
from domain.market.readers.layout import Layout, Parts
from domain.market.readers.sample import describe, kind_in, lines_of, words_of
from domain.market.readers.text import raw_bars, read_parts, split

SEPARATORS = (",", ";", "\t")
HISTDATA = re.compile(r"\d{8} \d{9},[\d.]+,[\d.]+,\d+,*\s*")
TIMES = ("ts", "timestamp", "datetime", "time", "date", "epoch time (utc)")
BAR_WORDS = {"open", "high", "low", "close"}
MINUTE = 60_000_000_000


class Ticks(Reader):
    """What its rows say is the quote from then on: a row with only one side leaves the other as it was."""

    key = "ticks"
    title = "ticks (bid, ask), made into M1 bars"
    family = title

    def recognise(self, head: bytes, name: str) -> Recognised | None:
        lines = lines_of(head)
        layout = _layout(lines, name)
        if layout is None:
            return None
        recognised = describe(self.key, self.title, name, lines, layout, _clock(lines, layout), None)
        evidence = (
            f"columns {', '.join(column for column in layout.columns if column)}; a row is a tick: "
            "made into M1 bars of the bid, with the mean spread"
        )
        return replace(recognised, timeframe="M1", side="bid", evidence=evidence)

    def read(self, path: Path, instrument: Instrument, limits: ReadLimits, progress: Progress) -> RawBars:
        lines = lines_of(head_of(path, limits.max_bytes))
        layout = _layout(lines, path.name)
        if layout is None:
            raise BadRequest(f"{path.name} has no columns bid and ask; choose another format")
        clock = _clock(lines, layout)
        layout, notes = with_day_order(path, layout, limits.max_bytes)
        minutes = Minutes()
        read_parts(path, layout, limits, progress, minutes)
        raw = minutes.bars()
        note = (
            f"{minutes.ticks:,} ticks made into {len(raw):,} M1 bars of the bid; volume is the number of ticks, "
            "spread the mean of ask minus bid"
        )
        return replace(raw, clock=raw.clock or clock, notes=(*notes, note))


@dataclass
class Minutes(Parts):
    """Ticks by the minute, block by block: only minutes are stored, never all ticks."""

    ticks: int = 0
    bid: float = float("nan")
    ask: float = float("nan")

    def add(self, columns: dict[str, np.ndarray]) -> None:
        self.ticks += len(columns["ts"])
        frame = pd.DataFrame({name: columns[name] for name in ("ts", "line", "bid", "ask")})
        for side in ("bid", "ask"):
            values = frame[side].ffill().fillna(getattr(self, side))
            frame[side] = values
            setattr(self, side, float(values.iloc[-1]) if len(values) else getattr(self, side))
        frame = frame.dropna(subset=["bid", "ask"])
        if len(frame):
            super().add(_by_minute(frame))

    def bars(self) -> RawBars:
        """One bar a minute, in order of time, whatever the order of the ticks."""
        joined = pd.DataFrame({name: self.joined(name) for name in list(self.columns)})
        backwards = len(joined) > 1 and joined["ts"].iloc[0] > joined["ts"].iloc[-1]
        if backwards:  # newest first: what came last in a minute was written first
            joined = joined.iloc[::-1].rename(columns={"open": "close", "close": "open"})
        grouped = joined.groupby("ts", sort=True)
        rules = dict(open="first", high="max", low="min", close="last", volume="sum", over="sum", line="min")
        minutes = grouped.agg(**{name: (name, how) for name, how in rules.items()})
        self.columns.clear()
        super().add(
            {
                "ts": minutes.index.to_numpy(np.int64),
                **{name: minutes[name].to_numpy() for name in (*PRICES, "volume", "line")},
            }
        )
        self.columns["spread"].append(np.round((minutes["over"] / minutes["volume"]).to_numpy(), 10))
        return raw_bars(self, (*PRICES, "volume", "spread"))


def _by_minute(frame: pd.DataFrame) -> dict[str, np.ndarray]:
    """Runs of ticks of one minute, as they follow each other."""
    minute = frame["ts"].to_numpy() // MINUTE * MINUTE
    starts = np.flatnonzero(np.r_[True, np.diff(minute) != 0])
    bid, ask = frame["bid"].to_numpy(), frame["ask"].to_numpy()
    lasts = np.r_[starts[1:], len(frame)] - 1
    return {
        "ts": minute[starts], "line": frame["line"].to_numpy()[starts],
        "open": bid[starts], "close": bid[lasts],
        "high": np.maximum.reduceat(bid, starts), "low": np.minimum.reduceat(bid, starts),
        "volume": (lasts - starts + 1).astype(np.float64), "over": np.add.reduceat(ask - bid, starts),
    }  # fmt: skip


def _layout(lines: Sequence[str], name: str) -> Layout | None:
    if any(HISTDATA.fullmatch(line) for line in lines[:3]):
        return Layout(",", ("ts", "bid", "ask", ""), stamps.COMPACT)
    for separator in SEPARATORS:
        words = words_of(lines[0], separator) if lines else []
        if {"bid", "ask"} <= set(words) and not BAR_WORDS & set(words) and (time := _time(words)):
            both = {"date", "time"} <= set(words)
            named = {"bid": "bid", "ask": "ask"} | ({"date": "date", "time": "time"} if both else {time: "ts"})
            columns = tuple(named.get(word, "") for word in words)
            places = [at for at, column in enumerate(columns) if column in ("ts", "date", "time")]
            rows = [split(line, separator) for line in lines[1:]]
            texts = [" ".join(row[at].strip() for at in places) for row in rows if len(row) > max(places)]
            kind = kind_in(texts)
            if kind is None and texts:
                raise BadRequest(f"{name} writes times as {texts[0][:40]!r}; write YYYY-MM-DD HH:MM:SS.mmm")
            return Layout(separator, columns, kind or stamps.ISO, skip=1)
    return None


def _time(words: Sequence[str]) -> str | None:
    """The column of times: one of the usual words, or one of Dukascopy's."""
    return next((word for word in TIMES if word in words), None) or next(
        (word for word in words if clock_named(word) is not None), None
    )


def _clock(lines: Sequence[str], layout: Layout) -> str | None:
    """HistData's own clock, or the one that the header names."""
    if not layout.skip:
        return "histdata"
    words = words_of(lines[0], layout.separator)
    return (
        "UTC" if "epoch time (utc)" in words else next((clock for word in words if (clock := clock_named(word))), None)
    )


READERS.add(Ticks.key, Ticks())
