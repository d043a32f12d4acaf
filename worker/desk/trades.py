"""Trades of a run: pages, single trades, and a trade on its bars with stops, targets and fills."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd

from domain.errors import BadRequest
from domain.market import Instrument, instrument, resample
from domain.market.timeframe import Timeframe
from domain.trading.protection import stop_path, targets_of
from worker.desk.context import DeskContext, required
from worker.desk.thin import candles
from worker.store import Dataset, Run

BEFORE, AFTER = 40, 30      # bars drawn before and after a trade
CANDLES = 220               # drawn at most; more bars are merged
SHOWN = ("trade_id", "tag", "instrument", "side", "lots", "entry_ts", "entry_price", "exit_ts", "exit_price", "stop_loss", "pnl", "r", "exit_reason")


@dataclass(frozen=True)
class Protection:
    """Price levels of one trade. ``levels``: name -> price of entry, initial stop and targets; ``moves``: bar_ts, stop_loss where the stop moved;
    ``fills``: trade_id, order_id, ts, bar_ts, side, lots, price, reason."""

    trade: pd.Series
    levels: Mapping[str, float]
    moves: pd.DataFrame
    fills: pd.DataFrame


@dataclass(frozen=True)
class Walk:
    """One trade on its bars. ``levels``: name, price, first, last (bar numbers); ``path``: i, price of the stop where it moved;
    ``fills``: i, side, lots, price, reason, ts."""

    trade: pd.Series
    bars: pd.DataFrame
    instrument: Instrument
    side: str
    levels: pd.DataFrame
    path: pd.DataFrame
    fills: pd.DataFrame


class Trades:
    def __init__(self, context: DeskContext) -> None:
        self._context = context

    def page(self, run_id: str, number: int = 1, size: int = 2_000, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Trades in the order in which they began; ``number`` counts from 1."""
        return self._all(run_id, columns).iloc[(number - 1) * size : number * size].reset_index(drop=True)

    def median(self, run_id: str) -> int:
        """The number of the trade in the middle of all results: not the best one."""
        by_result = self._all(run_id, ["trade_id", "pnl"]).sort_values("pnl", kind="stable")
        return int(by_result["trade_id"].iloc[len(by_result) // 2])

    def walk(self, run_id: str, trade_id: int) -> Walk:
        """The trade with the bars before, during and after it, its price levels, stop path and fills."""
        run, own = self._run(run_id), self.protection(run_id, trade_id)
        trade, fills = own.trade, own.fills
        dataset = self._dataset(run, str(trade["instrument"]))
        instrument_ = instrument(dataset.instrument, self._context.settings.instruments_file)
        bars, first = self._bars_of_trade(run, dataset, instrument_, fills)
        fills = fills.assign(i=[_place(bars, ts) for ts in fills["bar_ts"]])
        path = _path(bars, own, int(fills["i"].iloc[0]), int(fills["i"].iloc[-1]))
        edges = dict(first=int(fills["i"].iloc[0]), last=max(int(fills["i"].iloc[-1]), int(fills["i"].iloc[0]) + 1))
        levels = pd.DataFrame([dict(name=name, price=price, **edges) for name, price in own.levels.items()])
        shown = candles(bars.iloc[first:].reset_index(drop=True), CANDLES)
        merged = int(shown["bars"].iloc[0])
        moved = {name: (levels[name] - first) // merged for name in ("first", "last")}
        return Walk(trade, shown, instrument_, dataset.side, levels.assign(**moved), path.assign(i=(path["i"] - first) // merged), fills.assign(i=(fills["i"] - first) // merged))

    def protection(self, run_id: str, trade_id: int) -> Protection:
        """The entry, stop and targets of a trade, and the moves of its stop as the run reported them; of an older run, which did not, none."""
        run, trades = self._run(run_id), self._all(run_id, SHOWN)
        chosen = trades[trades["trade_id"] == trade_id]
        if chosen.empty:
            raise BadRequest(f"run {run_id} has no trade {trade_id}; its trades are 1 to {len(trades):,}")
        trade, fills, moves = chosen.iloc[0], self._fills(run, trade_id), pd.DataFrame(dict(bar_ts=[], stop_loss=[]))
        if "moves" in run.frames:
            stops = self._context.store.frames.get(run.frames["moves"], ["trade_id", "bar_ts", "stop_loss"])
            moves = stops[stops["trade_id"] == trade_id]
        return Protection(trade, _levels(trade, self._plan(run, trade, int(fills["order_id"].iloc[0]))), moves, fills)

    # -- parts

    def _all(self, run_id: str, columns: Sequence[str] | None = None) -> pd.DataFrame:
        return self._context.store.frames.get(self._run(run_id).frames["trades"], columns)

    def _fills(self, run: Run, trade_id: int) -> pd.DataFrame:
        fills = self._context.store.frames.get(run.frames["fills"], ["trade_id", "order_id", "ts", "bar_ts", "side", "lots", "price", "reason"])
        return fills[fills["trade_id"] == trade_id].reset_index(drop=True)

    def _plan(self, run: Run, trade: pd.Series, order_id: int) -> Mapping[str, Any]:
        """The protection of the order; of a run that did not store it, the first stop alone."""
        if "protection" not in run.frames:
            return {"stop_loss": trade["stop_loss"]}
        protection = self._context.store.frames.get(run.frames["protection"])
        mine = protection[(protection["order_id"] == order_id) & (protection["instrument"] == trade["instrument"])]
        return {str(name): value for name, value in mine.iloc[0].items()} if len(mine) else {"stop_loss": trade["stop_loss"]}

    def _bars_of_trade(self, run: Run, dataset: Dataset, instrument: Instrument, fills: pd.DataFrame) -> tuple[pd.DataFrame, int]:
        """Bars around the trade, and the first of them that is drawn."""
        frame = Timeframe.named(run.spec["timeframe"])
        step, days = timedelta(minutes=frame.minutes), timedelta(days=4)        # a weekend may lie between
        start, end = (pd.Timestamp(fills["bar_ts"].iloc[edge]).to_pydatetime() for edge in (0, -1))
        bars = self._context.store.frames.get(dataset.frame, start=start - BEFORE * step - days, end=end + AFTER * step + days)
        bars = bars.assign(ts=bars["ts"].dt.as_unit("ns"))
        if dataset.timeframe != run.spec["timeframe"]:
            bars = resample(bars, Timeframe.named(dataset.timeframe), frame, instrument.calendar)
        first, last = (_place(bars, edge) for edge in (start, end))
        return bars.iloc[: last + AFTER].reset_index(drop=True), max(first - BEFORE, 0)

    def _dataset(self, run: Run, name: str) -> Dataset:
        with self._context.store.read() as unit:
            datasets = [unit.datasets.get(version) for version in run.spec["datasets"]]
        return required(next((dataset for dataset in datasets if dataset and dataset.instrument == name), None), "dataset", name)

    def _run(self, run_id: str) -> Run:
        with self._context.store.read() as unit:
            return required(unit.runs.get(run_id), "run", run_id)


def _place(bars: pd.DataFrame, ts: Any) -> int:
    return max(int(bars["ts"].searchsorted(pd.Timestamp(ts), side="right")) - 1, 0)


def _path(bars: pd.DataFrame, own: Protection, first: int, last: int) -> pd.DataFrame:
    """The stop in each bar of the trade."""
    moved = [_place(bars, ts) - first for ts in own.moves["bar_ts"]]
    levels = stop_path(float(own.trade["stop_loss"]), moved, own.moves["stop_loss"].tolist(), last - first + 1)
    return pd.DataFrame(dict(i=np.arange(first, last + 1), price=levels)).dropna().reset_index(drop=True)


def _levels(trade: pd.Series, plan: Mapping[str, Any]) -> dict[str, float]:
    entry, sign = float(trade["entry_price"]), 1 if trade["side"] == "long" else -1
    named = [("entry", entry), ("initial stop", float(trade["stop_loss"])), *((name, price) for name, price, _ in targets_of(plan, sign, entry))]
    return {name: price for name, price in named if np.isfinite(price)}
