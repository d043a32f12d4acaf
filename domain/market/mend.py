"""Repairs the rows of a file into valid bars; dropped, merged and changed rows are recorded in the list of repairs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from domain.market.bars import PRICES
from domain.market.instrument import Instrument
from domain.market.plausible import implausible_prices, implausible_spreads, wide_spreads
from domain.market.report import EXAMPLES, LEDGER, Example, Finding, finding, moment
from domain.market.timeframe import Timeframe
from domain.market.zones import HOUR

NUMBERS = LEDGER[4:]


@dataclass
class SourceRows:
    """Rows being repaired into bars: arrays of one length by name (``ts``, ``line``, prices, and volume and spread where there are any)."""

    columns: dict[str, np.ndarray]
    findings: list[Finding] = field(default_factory=list)
    ledger: list[pd.DataFrame] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.columns["ts"])

    def __getitem__(self, name: str) -> np.ndarray:
        return self.columns[name]

    def take(self, chosen: np.ndarray) -> None:
        """Keep the chosen rows, by mask or by position, in that order."""
        self.columns = {name: values[chosen] for name, values in self.columns.items()}

    def write(self, chosen: np.ndarray, action: str, reason: str, timeless: bool = False) -> None:
        """Records the chosen rows with their present values."""
        if not chosen.any():
            return
        at = np.flatnonzero(chosen)
        ts = pd.DatetimeIndex(np.full(len(at), "NaT", "datetime64[ns]") if timeless else self["ts"][at].view("datetime64[ns]"), tz="UTC")
        values = {name: self[name][at] if name in self.columns else np.full(len(at), np.nan) for name in NUMBERS}
        self.ledger.append(pd.DataFrame({"line": self["line"][at], "ts": ts, "action": action, "reason": reason, **values}, columns=list(LEDGER)))

    def examples(self, chosen: np.ndarray, describe: Callable[[int], str], timeless: bool = False) -> tuple[Example, ...]:
        return tuple(Example("" if timeless else moment(self["ts"][at]), describe(int(at))) for at in np.flatnonzero(chosen)[:EXAMPLES])

    def drop(self, key: str, wrong: np.ndarray, reason: str, describe: Callable[[int], str], timeless: bool = False) -> None:
        """Drops the wrong rows and adds a finding."""
        self.findings.append(finding(key, wrong.sum(), self.examples(wrong, describe, timeless)))
        self.write(wrong, "dropped", reason, timeless)
        if wrong.any():
            self.take(~wrong)


def mend(rows: SourceRows, timeframe: Timeframe, instrument: Instrument, progress: Callable[[str], None]) -> None:
    """Repairs everything but clocks: drops impossible rows, sorts and merges the others."""
    progress("checking prices")
    drop_impossible(rows, instrument)
    progress("checking times")
    drop_off_grid(rows, timeframe)
    put_in_order(rows)
    progress("looking for duplicates")
    merge_duplicates(rows)
    progress("checking ranges and spreads")
    widen(rows)
    empty_impossible(rows)
    empty_implausible(rows, instrument)


def drop_unreadable(rows: SourceRows, bad: np.ndarray) -> None:
    rows.drop("clock", bad, "no such time on this clock, or two of them, or a year outside 1950 to 2100", lambda at: f"line {rows['line'][at]}", timeless=True)


def drop_impossible(rows: SourceRows, instrument: Instrument) -> None:
    """Prices that are not finite or, unless the instrument may trade below zero, not above it; then bars whose high is below their low, and
    those with a price of another order of magnitude."""
    wrong = np.zeros(len(rows), bool)
    for name in PRICES:
        wrong |= ~np.isfinite(rows[name])
        if not instrument.negative_prices:
            wrong |= rows[name] <= 0
    rows.drop("prices", wrong, "a price is no number, or not above zero", lambda at: _ohlc(rows, at))
    rows.drop("inverted", rows["high"] < rows["low"], "high below low", lambda at: _ohlc(rows, at))
    far = implausible_prices(tuple(rows[name] for name in PRICES), instrument)
    rows.drop("magnitude", far, "a price of another order of magnitude", lambda at: _ohlc(rows, at))


def drop_off_grid(rows: SourceRows, timeframe: Timeframe) -> None:
    """Times that are no whole multiple of the timeframe, or of an hour for longer ones. A grid that is a whole quarter of an hour off UTC,
    as half-hour zones make it, is taken for the grid if most bars keep it."""
    step = min(timeframe.nanoseconds, HOUR)
    phase = rows["ts"] % step
    quarters = np.bincount(phase // (HOUR // 4), minlength=1)
    usual = int(np.argmax(quarters)) * (HOUR // 4) if len(rows) else 0
    rows.drop("grid", phase != usual, f"not on the {timeframe} grid", lambda at: f"line {rows['line'][at]}")


def put_in_order(rows: SourceRows) -> None:
    ts = rows["ts"]
    late = np.r_[False, ts[1:] < np.maximum.accumulate(ts)[:-1]] if len(ts) else np.zeros(0, bool)
    rows.findings.append(finding("order", late.sum(), rows.examples(late, lambda at: f"line {rows['line'][at]} belongs before the line above it")))
    if late.any():
        rows.take(np.argsort(ts, kind="stable"))


def merge_duplicates(rows: SourceRows) -> None:
    """Rows of one time become one bar: equal rows any of them, different ones open first, high max, low min, close last, volume and spread max."""
    first = np.r_[True, rows["ts"][1:] != rows["ts"][:-1]][: len(rows)]
    starts = np.flatnonzero(first)
    again = ~first
    differs = np.zeros(len(starts), bool)
    if again.any():
        group = np.cumsum(first) - 1
        differs[group[again][_differ(rows, np.flatnonzero(again), starts[group[again]])]] = True
        conflicting = np.repeat(differs, np.diff(np.r_[starts, len(rows)]))
    else:
        conflicting = again
    rows.findings.append(finding("duplicates", (again & ~conflicting).sum(), rows.examples(again & ~conflicting, lambda at: f"line {rows['line'][at]} again")))
    rows.findings.append(finding("conflicts", (again & conflicting).sum(), rows.examples(conflicting & first, lambda at: f"lines {rows['line'][at]} and {rows['line'][at + 1]} differ")))
    if not again.any():
        return
    rows.write(again & ~conflicting, "merged", "the same bar again")
    rows.write(conflicting, "merged", "another bar of the same time with other values")
    rows.columns = _merged(rows, starts)


def widen(rows: SourceRows) -> None:
    """High and low pushed out to an open or close beyond them."""
    high, low = np.maximum(rows["open"], rows["close"]), np.minimum(rows["open"], rows["close"])
    wrong = (high > rows["high"]) | (low < rows["low"])
    rows.findings.append(finding("range", wrong.sum(), rows.examples(wrong, lambda at: _ohlc(rows, at))))
    rows.write(wrong, "widened", "open or close outside high and low")
    if wrong.any():
        rows.columns |= {"high": np.maximum(rows["high"], high), "low": np.minimum(rows["low"], low)}


def empty_impossible(rows: SourceRows) -> None:
    """Spreads and volumes that are negative or infinite become unknown."""
    for name in ("spread", "volume"):
        values = rows.columns.get(name, np.zeros(len(rows)))
        wrong = (values < 0) | np.isinf(values)
        examples = tuple(Example(moment(rows["ts"][at]), f"{values[at]:g}") for at in np.flatnonzero(wrong)[:EXAMPLES])
        rows.findings.append(finding(name, wrong.sum(), examples))
        rows.write(wrong, "emptied", f"{name} negative or infinite")
        if wrong.any():
            rows.columns[name] = np.where(wrong, np.nan, values)


def empty_implausible(rows: SourceRows, instrument: Instrument) -> None:
    """Spreads of another unit or order of magnitude become unknown; single ones that are only wide stay, and are listed."""
    spread = rows.columns.get("spread", np.full(len(rows), np.nan))
    wrong = implausible_spreads(spread, rows["close"], instrument)
    listed = wrong if wrong.any() else wide_spreads(spread, instrument)
    examples = tuple(Example(moment(rows["ts"][at]), f"{spread[at]:g}") for at in np.flatnonzero(listed)[:EXAMPLES])
    sizes = finding("spread_size", listed.sum(), examples)
    rows.findings.append(sizes if wrong.any() or not sizes.count else replace(sizes, severity="note", did="listed"))
    rows.write(wrong, "emptied", "spread of another order of magnitude")
    if wrong.any():
        rows.columns["spread"] = np.where(wrong, np.nan, spread)


def drop_unfinished(rows: SourceRows, ends: np.ndarray, known_until: int) -> None:
    rows.drop("unfinished", ends > known_until, f"it ends after {moment(known_until)}", lambda at: f"ends {moment(ends[at])}, known to {moment(known_until)}")


def _differ(rows: SourceRows, these: np.ndarray, those: np.ndarray) -> np.ndarray:
    different = np.zeros(len(these), bool)
    for name, values in rows.columns.items():
        if name not in ("ts", "line"):
            a, b = values[these], values[those]
            different |= (a != b) & ~(np.isnan(a) & np.isnan(b))
    return different


def _merged(rows: SourceRows, starts: np.ndarray) -> dict[str, np.ndarray]:
    last = np.r_[starts[1:], len(rows)] - 1
    merged = {"ts": rows["ts"][starts], "line": rows["line"][starts], "open": rows["open"][starts], "close": rows["close"][last]}
    merged |= {"high": np.maximum.reduceat(rows["high"], starts), "low": np.minimum.reduceat(rows["low"], starts)}
    return merged | {name: np.fmax.reduceat(rows[name], starts) for name in ("volume", "spread") if name in rows.columns}


def _ohlc(rows: SourceRows, at: int) -> str:
    return f"line {rows['line'][at]}: O {rows['open'][at]:g} H {rows['high'][at]:g} L {rows['low'][at]:g} C {rows['close'][at]:g}"
