"""Prediction targets: the return over the next bars, or the outcomes of a strategy's trades."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from domain.analytics.metrics import nanoseconds
from domain.errors import BadRequest, unknown
from domain.market.bars import ts_of

STARTS = ("open", "close")
HORIZONS = (1, 2, 4, 8, 16, 32, 64)


@dataclass(frozen=True)
class Target:
    """``values``: one for each row of the frame, NaN for none. ``overlap``: so many successive values may share a stretch of time, itself counted:
    what intervals and tests must allow for. ``others``: the same over other horizons in bars, for the decay."""

    name: str
    unit: str
    values: np.ndarray
    overlap: int
    note: str
    others: Mapping[int, np.ndarray] = field(default_factory=dict)


def forward_return(frame: pd.DataFrame, horizon: int, start: str = "open", horizons: Sequence[int] = HORIZONS) -> Target:
    """Log return over ``horizon`` bars after each bar of ``frame``: to the close of the ``horizon``-th next bar, from the open of the next one
    (``open``: what a market order decided at the bar could have had, before costs) or from the bar's own close (``close``).

    Shares of e-fold (0.01 is about 1 %). NaN where the bars end first, and where a price is not above 0. Neighbouring values share ``horizon`` − 1 bars.
    A frame of several instruments has them one below the other, named in ``instrument``; none looks into the next.

    >>> bars = pd.DataFrame(dict(open=[1.0, 2.0, 4.0], close=[1.0, 4.0, 2.0]))
    >>> (forward_return(bars, 1).values / np.log(2)).tolist(), (forward_return(bars, 2, "close").values / np.log(2)).tolist()
    ([1.0, -1.0, nan], [1.0, nan, nan])
    """
    if horizon < 1:
        raise BadRequest(f"the horizon is {horizon} bars; it must be at least 1")
    if start not in STARTS:
        raise unknown("start of a forward return", start, STARTS)
    began = "the open of the next bar" if start == "open" else "the close of the bar"
    overlap = "" if horizon == 1 else f"; neighbouring values share {horizon - 1} bar{'s' if horizon > 2 else ''}, so {horizon} of them hold little more information than one"
    by_horizon = {h: np.concatenate([np.zeros(0), *(_forward(frame.iloc[rows], h, start) for rows in instrument_rows(frame))]) for h in sorted({*horizons, horizon})}
    return Target(f"return over {horizon} bars", "log return", by_horizon[horizon], horizon, f"from {began} to the close {horizon} bars on{overlap}", by_horizon)


def _forward(bars: pd.DataFrame, horizon: int, start: str) -> np.ndarray:
    values = np.full(len(bars), np.nan)
    price, close = bars[start].to_numpy(float), bars["close"].to_numpy(float)
    first = price[1 : max(len(price) - horizon + 1, 1)] if start == "open" else price[: max(len(price) - horizon, 0)]
    last = close[horizon:]
    good = (first > 0) & (last > 0)
    values[: len(last)][good] = np.log(last[good] / first[good])
    return values


def trade_outcomes(frame: pd.DataFrame, trades: pd.DataFrame) -> Target:
    """R of the trades of a strategy, at the bar whose close was the last one known when they were entered; their mean where there are several.

    For an order at market that is the bar that decided it; an order that waited was decided earlier, but what stands here was known when it filled.
    NaN at all other bars, and for trades without a stop, which have no R. ``trades``: ``entry_ts, exit_ts, r`` (and ``instrument``, where the frame has it).

    >>> hours = pd.date_range("2024-01-01", periods=4, freq="h", tz="UTC")
    >>> trade_outcomes(pd.DataFrame(dict(ts=hours)), pd.DataFrame(dict(entry_ts=hours[[2, 2]], exit_ts=hours[[3, 3]], r=[2.0, -1.0]))).values.tolist()
    [nan, 0.5, nan, nan]
    """
    values, overlap, joined = np.full(len(frame), np.nan), 1, 0
    for rows in instrument_rows(frame):
        bars = frame.iloc[rows]
        own = trades[trades["instrument"] == bars["instrument"].iloc[0]] if "instrument" in frame and len(bars) else trades
        own = own[np.isfinite(own["r"].to_numpy(float))]
        values[rows], together, trade_count = _outcomes(ts_of(bars), nanoseconds(own["entry_ts"]), nanoseconds(own["exit_ts"]), own["r"].to_numpy(float))
        overlap, joined = max(overlap, together), joined + trade_count
    if not joined:
        raise BadRequest(f"none of the {len(trades)} trades has an R and was entered after a bar of this frame; take trades with stops, of the same instrument and time")
    note = f"{joined} of {len(trades)} trades, at the last bar closed before the entry" + ("; up to " + str(overlap) + " share a stretch of time" if overlap > 1 else "")
    return Target("outcome of trades", "R", values, overlap, note)


def _outcomes(ts: np.ndarray, entry: np.ndarray, leave: np.ndarray, r: np.ndarray) -> tuple[np.ndarray, int, int]:
    decided = np.searchsorted(ts, entry, side="right") - 2      # the bar before the one that holds the entry
    good = decided >= 0
    decided, entry, leave, r = decided[good], np.sort(entry[good]), leave[good][np.argsort(entry[good], kind="stable")], r[good]
    count = np.bincount(decided, minlength=len(ts))
    total = np.bincount(decided, r, minlength=len(ts))
    together = np.searchsorted(entry, leave, side="left") - np.arange(len(entry))
    return np.where(count > 0, total / np.maximum(count, 1), np.nan), int(together.max(initial=1)), len(r)


def instrument_rows(frame: pd.DataFrame) -> Iterator[slice]:
    """The rows of each instrument, which stand together in the order of time."""
    if "instrument" not in frame:
        yield slice(0, len(frame))
        return
    names = frame["instrument"].to_numpy()
    starts = np.flatnonzero(np.r_[True, names[1:] != names[:-1]][: len(names)])
    if len(starts) != len(set(names[starts])):
        raise BadRequest("the rows of an instrument do not stand together; sort the frame by instrument and time")
    yield from (slice(int(a), int(b)) for a, b in zip(starts, np.append(starts[1:], len(names)), strict=True))
