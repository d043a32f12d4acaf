"""Closed trades that stand for signals: a backtest's, or those of an account."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from domain.errors import BadRequest, unknown
from domain.market.bars import ts_of
from domain.trading.instants import instants
from domain.training.assembly import Draft, traded_bars
from domain.training.inputs import Inputs
from domain.training.signals import OWN, in_atr, labelled, side_traded
from domain.training.targets import Target, TargetParams

OUTSIDE, CLOSED_LATER = "outside_the_bars", "ends_after_the_bars"
NEEDED = {"fake": ("exit_reason", "mfe_r"), "barrier": ("exit_reason",)}
SIDES = {"long": 1.0, "buy": 1.0, "1": 1.0, "short": -1.0, "sell": -1.0, "-1": -1.0}
KEPT = ("number", "ts", "instrument", "side", "tag", "entry_ts", "exit_ts", "exit_reason", "stop_loss", "r", "mae_r", "mfe_r", "bars_held")


def drafts_of(inputs: Sequence[Inputs], target: Target, params: TargetParams) -> tuple[list[Draft], Mapping[str, int]]:
    """A draft of each series, and the trades that lie outside its bars, counted. Raises BadRequest for a column that is needed and missing."""
    drafts, outside = [], 0
    for each in inputs:
        trades = _own(each, target, len(inputs))
        draft, without = _draft(each, trades, target, params)
        drafts.append(draft)
        outside += without
    return drafts, {OUTSIDE: outside} if outside else {}


def _own(inputs: Inputs, target: Target, several: int) -> pd.DataFrame:
    """The trades of one series, read: a row keeps its number in the whole table."""
    trades = inputs.trades
    name = inputs.series.instrument.name
    if trades is None:
        raise BadRequest(f"there are closed trades of other instruments, but none of {name}; give its trades, or leave it out")
    for column in ("side", "entry_ts", "exit_ts", "r", *NEEDED.get(target.name, ()), *(("instrument",) if several > 1 else ())):
        if column not in trades:
            raise BadRequest(f"the trades have no column {column!r}, which the target {target.name} needs; give those that tidemark backtest writes")
    trades = trades.assign(number=np.arange(len(trades)))
    if "instrument" in trades:
        trades = trades[(trades["instrument"].astype(str) == name).to_numpy()]
    words = trades["side"].astype(str).str.lower()
    for word in words.unique():
        if word not in SIDES:
            raise unknown("side of a trade", word, SIDES)
    return trades.assign(side=words.map(SIDES).to_numpy(np.float64), instrument=name).reset_index(drop=True)


def _draft(inputs: Inputs, trades: pd.DataFrame, target: Target, params: TargetParams) -> tuple[Draft, int]:
    seen = inputs.series.seen
    ends = inputs.context.ends(seen)
    entry, closed = (_times(trades[name]) for name in ("entry_ts", "exit_ts"))
    at = np.searchsorted(ends, entry, side="right") - 1
    opened = np.searchsorted(ts_of(seen), closed, side="right") - 1
    last = np.where((opened >= 0) & (closed <= ends[opened]), opened, opened + 1)       # the bar that holds the exit, or the next one
    inside = (at >= inputs.series.bars_of_history) & (at + 1 < len(ends)) & (entry < ends[-1])
    trades, at, last, closed = trades[inside].reset_index(drop=True), at[inside], last[inside], closed[inside]
    within = (last < len(ends)) & (closed >= 0)
    frame = trades.assign(ts=seen["ts"].array[at], exit_reason=np.where(within, _reasons(trades), "end"))
    known = ends[np.minimum(last, len(ends) - 1)]
    stop = trades["stop_loss"].to_numpy(np.float64) if "stop_loss" in trades else np.full(len(trades), np.nan)
    side = trades["side"].to_numpy(np.float64)
    expected = side_traded(inputs, traded_bars(inputs), at - inputs.series.bars_of_history, side)      # the price of the entry is not known yet
    own = dict(zip(OWN, (side, in_atr(inputs, np.abs(expected - stop), at)), strict=True))
    return labelled(at, frame[[name for name in KEPT if name in frame]], known, own, target, params), int((~inside).sum())


def _reasons(trades: pd.DataFrame) -> np.ndarray:
    return trades["exit_reason"].astype(object).to_numpy() if "exit_reason" in trades else np.full(len(trades), "", object)


def _times(column: pd.Series) -> np.ndarray:
    """int64 ns UTC; the smallest there is where the cell is empty."""
    empty = (column.isna() | (column.astype(str).str.strip() == "")).to_numpy()
    read = np.full(len(column), np.iinfo(np.int64).min)
    read[~empty] = instants(column[~empty].reset_index(drop=True)).as_unit("ns").asi8
    return read
