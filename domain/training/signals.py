"""Samples on signals: what a strategy decides, and what became of each decision."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from domain.errors import BadRequest, listed
from domain.features import use
from domain.features.engine import FeatureTable
from domain.strategies import Strategy
from domain.trading.signals import read_signals
from domain.training.alone import RESULTS, Decided, simulated_alone
from domain.training.assembly import NOT_OPENED, Draft, traded_bars
from domain.training.inputs import Inputs
from domain.training.sample_set import NEVER
from domain.training.targets import Target, TargetParams, outcome_label

if TYPE_CHECKING:
    from domain.backtest import study
    from domain.backtest.series import Bars

OWN = ("side", "stop_atr")          # +1 or -1; distance of the stop from the expected entry, in ATRs of the deciding bar
NO_STOP, STILL_OPEN, NO_EXCURSION = "no_stop", "still_open", "no_excursion"
ATR = use("atr", window=14)


def decided_of(inputs: Sequence[Inputs], strategy: Strategy | None) -> list[Decided]:
    """The signals of each series, by ``strategy`` or as ``Inputs.signals`` gives them. Raises BadRequest where there is neither, or an instrument twice."""
    names = [each.series.instrument.name for each in inputs]
    if len(set(names)) < len(names):
        raise BadRequest(f"the instruments {listed(names)} name the same one twice; give one series of each")
    all_series = [each.series for each in inputs]
    return [_decided(each, strategy, all_series, names) for each in inputs]


def _decided(inputs: Inputs, strategy: Strategy | None, all_series: Sequence[study.Series], names: Sequence[str]) -> Decided:
    from domain.backtest import study

    series, bars, trail = inputs.series, traded_bars(inputs), None
    if strategy is not None:
        table, trail = study.decided(series, strategy, all_series)
    elif inputs.signals is not None:
        every = read_signals(inputs.signals, tuple(names))
        own = every[every["instrument"] == series.instrument.name].reset_index(drop=True)
        table = {name: own[name].to_numpy() if own[name].dtype.kind in "iuf" else own[name].array for name in own}
    else:
        raise BadRequest("a target on signals needs signals: name a strategy, or give signals or closed trades")
    ts = table["ts"].as_unit("ns").asi8
    bar = np.searchsorted(bars.ts, ts, side="right") - 1
    wrong = np.flatnonzero((bar < 0) | (bars.ts[np.maximum(bar, 0)] != ts))
    if len(wrong):
        raise BadRequest(f"row {wrong[0] + 1} of the signals: {pd.Timestamp(ts[wrong[0]], tz='UTC'):%Y-%m-%d %H:%M:%S} UTC is not the open of a bar of {series.instrument.name} {series.timeframe}")
    return Decided(inputs, table, bar, np.asarray(table["order"], object) != "exit", trail, bars)


def further_rows(at: Sequence[np.ndarray]) -> int:
    """How many samples share a bar with an earlier one of their instrument."""
    return sum(len(bars) - len(np.unique(bars)) for bars in at)


def simulated(decided: Sequence[Decided], warm_up: np.ndarray, target: Target, params: TargetParams, watch: Callable[[float], None]) -> tuple[list[Draft], Mapping[str, int]]:
    """A draft of each series, a row an entry signal, and the signals that never opened by reason. Those inside the ``warm_up`` and those without a stop are not
    simulated: they have no label whatever comes."""
    entries = [np.flatnonzero(each.entry) for each in decided]
    live = [rows[_can_be_labelled(each, rows, bars)] for each, rows, bars in zip(decided, entries, warm_up, strict=True)]
    trades, never_opened = simulated_alone(decided, live, watch) if any(map(len, live)) else ([_no_trades() for _ in decided], {})
    return [_draft(each, rows, frame, target, params) for each, rows, frame in zip(decided, entries, trades, strict=True)], never_opened


def _can_be_labelled(decided: Decided, rows: np.ndarray, warm_up: int) -> np.ndarray:
    return (decided.bar[rows] + decided.inputs.series.bars_of_history >= warm_up) & ~np.isnan(np.asarray(decided.table["stop_loss"])[rows])


def _no_trades() -> pd.DataFrame:
    return pd.DataFrame({name: [] for name in (*RESULTS, "number", "known")})


def _draft(decided: Decided, rows: np.ndarray, trades: pd.DataFrame, target: Target, params: TargetParams) -> Draft:
    series, table = decided.inputs.series, decided.table
    became = trades.set_index("number").reindex(rows)
    frame = pd.DataFrame(dict(number=rows, ts=table["ts"][rows], instrument=series.instrument.name, side=np.asarray(table["side"])[rows], tag=np.asarray(table["tag"], object)[rows]))
    frame = pd.concat([frame, became[list(RESULTS)].reset_index(drop=True)], axis=1)
    own = dict(zip(OWN, (np.asarray(table["side"])[rows].astype(float), _stop_atr(decided, rows)), strict=True))
    frame["stop_loss"] = np.asarray(table["stop_loss"])[rows]
    return labelled(decided.bar[rows] + series.bars_of_history, frame, became["known"].fillna(-1).to_numpy(np.int64), own, target, params)


def labelled(at: np.ndarray, frame: pd.DataFrame, known: np.ndarray, own: Mapping[str, np.ndarray], target: Target, params: TargetParams) -> Draft:
    """``known``: the end of the bar of the last fill, below 0 where nothing opened."""
    r, mfe_r = (frame[name].to_numpy(np.float64) if name in frame else np.full(len(frame), np.nan) for name in ("r", "mfe_r"))
    reason = frame["exit_reason"].astype(object).to_numpy() if "exit_reason" in frame else np.full(len(frame), "", object)
    stop = frame["stop_loss"].to_numpy(np.float64) if "stop_loss" in frame else r
    why = np.full(len(frame), "", object)
    why[reason == "end"] = STILL_OPEN
    why[known < 0] = NOT_OPENED
    why[np.isnan(r) & (reason != "end") & (np.isnan(stop) | (known >= 0))] = NO_STOP
    y = np.where(why == "", outcome_label(target.name, params.threshold, r, mfe_r, reason), np.nan)
    why[(why == "") & np.isnan(y)] = NO_EXCURSION
    return Draft(at.astype(np.int64), y, np.where(why == "", known, NEVER), why, np.where(why == "", r, np.nan), own, table=frame)


def _stop_atr(decided: Decided, rows: np.ndarray) -> np.ndarray:
    """From the trigger, or for an order at market the close of the side that is traded, to the stop."""
    table, bar = decided.table, decided.bar[rows]
    waits = np.asarray(table["order"], object)[rows] != "market"
    market = side_traded(decided.inputs, decided.bars, bar, np.asarray(table["side"], np.float64)[rows])
    distance = np.abs(np.where(waits, np.asarray(table["price"])[rows], market) - np.asarray(table["stop_loss"])[rows])
    return in_atr(decided.inputs, distance, bar + decided.inputs.series.bars_of_history)


def side_traded(inputs: Inputs, bars: Bars, bar: np.ndarray, side: np.ndarray) -> np.ndarray:
    """The close at which each side would trade: a long the ask, a short the bid."""
    middle = bars.close[bar] + (bars.spread[bar] / 2 if inputs.series.side == "bid" else 0.0)
    return middle + side * bars.spread[bar] / 2


def in_atr(inputs: Inputs, distance: np.ndarray, at: np.ndarray) -> np.ndarray:
    """A distance in prices as a multiple of the ATR of each bar, NaN where there is none."""
    atr = FeatureTable(inputs.series.seen, inputs.context, inputs.cache).column(ATR)[at]
    return np.divide(distance, atr, out=np.full(len(at), np.nan), where=atr > 0)
