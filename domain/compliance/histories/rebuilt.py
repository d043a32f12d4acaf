"""The equity of a history between its bookings, rebuilt from bars of what it traded: marks of all that is open, bar
by bar.

What bars allow, at the adverse side: longs are marked at the bid, shorts at the ask, lows of several instruments are
taken together, and the whole range of the bars in which a trade opens or closes counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from domain.compliance.histories.checks import NOTE, WARNING, Finding
from domain.compliance.histories.marks import MarketBars, Marks, marks_of
from domain.errors import listed

OUTSIDE = 0.02  # of entries and exits; more outside their bar are a warning


@dataclass(frozen=True)
class Rebuilt:
    """``points``: ts, balance, equity, equity_low, equity_high, open."""

    points: pd.DataFrame
    finding: Finding


def rebuilt(
    points: pd.DataFrame,
    legs: pd.DataFrame,
    flows: pd.DataFrame,
    initial: float,
    currency: str,
    market: Mapping[str, MarketBars],
) -> Rebuilt:
    """The equity of a history. ``legs``: instrument, side, lots, entry_ts, entry_price, exit_ts (NaT: still open),
    exit_price, profit, swap, costs (paid is negative). ``market``: bars of every instrument in it.

    Raises BadRequest where bars are too coarse or do not cover the trades, or a trade's money per price unit is
    unknown.
    """
    marks = {
        name: marks_of(legs[legs["instrument"] == name], market, name, currency) for name in legs["instrument"].unique()
    }
    ends = np.unique(np.concatenate([mark.end for mark in marks.values()]))
    booked = points["ts"].dt.as_unit("ns").astype("int64").to_numpy()
    balance = np.concatenate([[initial], points["balance"].to_numpy(float)])
    paid_at = flows["ts"].dt.as_unit("ns").astype("int64").to_numpy() if len(flows) else np.empty(0, np.int64)
    paid = np.concatenate([[0.0], np.cumsum(flows["amount"].to_numpy(float)[np.argsort(paid_at, kind="stable")])])
    paid_at = np.sort(paid_at)
    rows = _rows(marks, ends)
    before = (
        balance[np.searchsorted(booked, rows["start"], side="right")]
        + paid[np.searchsorted(paid_at, ends, side="right")]
        - paid[np.searchsorted(paid_at, rows["start"], side="right")]
    )
    at_end = balance[np.searchsorted(booked, ends, side="right")]
    equity = at_end + rows["close"]
    table = pd.DataFrame(
        dict(
            ts=ends,
            balance=at_end,
            equity=equity,
            equity_low=np.minimum(equity, before + rows["low"]),
            equity_high=np.maximum(equity, before + rows["high"]),
            open=rows["open"],
        )
    )
    table = _joined(table, points, booked)
    return Rebuilt(table.assign(ts=pd.to_datetime(table["ts"], utc=True)), _finding(marks, market))


def _rows(marks: Mapping[str, Marks], ends: np.ndarray) -> dict[str, np.ndarray]:
    """The sum over instruments at each end of a bar; one without a bar there stands at its last mark."""
    total = {key: np.zeros(len(ends)) for key in ("close", "low", "high", "open")}
    start = ends.copy()
    for mark in marks.values():
        last = np.searchsorted(mark.end, ends, side="right") - 1
        ended = (last >= 0) & (mark.end[np.maximum(last, 0)] == ends)
        last = np.maximum(last, 0)
        close = np.where(ends >= mark.end[0], mark.close[last], 0.0)
        total["close"] += close
        total["low"] += np.where(ended, mark.low[last], close)
        total["high"] += np.where(ended, mark.high[last], close)
        total["open"] += np.where(ends >= mark.end[0], mark.open[last], 0.0)
        start = np.where(ended, np.minimum(start, mark.start[last]), start)
    return {**total, "start": start}


def _joined(table: pd.DataFrame, points: pd.DataFrame, booked: np.ndarray) -> pd.DataFrame:
    """With the instants at which nothing was open, where the equity is the balance, and the first and last booking."""
    keep = (points["open"] == 0).to_numpy(copy=True)
    keep[0] = True
    keep[-1] |= booked[-1] > table["ts"].iloc[-1]
    flat = points[keep]
    floating = np.where(
        flat["open"] > 0,
        np.where(booked[keep] > table["ts"].iloc[-1], (table["equity"] - table["balance"]).iloc[-1], 0.0),
        0.0,
    )
    equity = flat["balance"].to_numpy(float) + floating
    rows = pd.DataFrame(
        dict(
            ts=booked[keep],
            balance=flat["balance"].to_numpy(float),
            equity=equity,
            equity_low=equity,
            equity_high=equity,
            open=flat["open"].to_numpy(float),
        )
    )
    both = (
        pd.concat([rows, table], ignore_index=True)
        .sort_values("ts", kind="stable")
        .drop_duplicates("ts", keep="last", ignore_index=True)
    )
    return both.assign(open=both["open"].round().astype(np.int64))


def _finding(marks: Mapping[str, Marks], market: Mapping[str, MarketBars]) -> Finding:
    fills, outside = sum(mark.fills for mark in marks.values()), sum(mark.outside for mark in marks.values())
    frames = listed(f"{name} ({market[name].minutes} min)" for name in marks)
    sentence = f"The equity is rebuilt from bars of {frames}, marked at the adverse side; it is what bars allow, not what the broker saw."
    if outside > OUTSIDE * fills:
        return Finding(
            "rebuilt",
            WARNING,
            f"{sentence} {outside:,} of {fills:,} entries and exits lie outside their bar: another clock, or other "
            "prices than these bars'.",
        )
    return Finding(
        "rebuilt", NOTE, f"{sentence} {fills - outside:,} of {fills:,} entries and exits lie inside their bar."
    )
