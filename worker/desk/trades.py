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
        run, trades = self._run(run_id), self._all(run_id, SHOWN)
        chosen = trades[trades["trade_id"] == trade_id]
        if chosen.empty:
            raise BadRequest(f"run {run_id} has no trade {trade_id}; its trades are 1 to {len(trades):,}")
        trade = chosen.iloc[0]
        dataset = self._dataset(run, str(trade["instrument"]))
        instrument_ = instrument(dataset.instrument, self._context.settings.instruments_file)
        fills = self._fills(run, trade_id)
        plan = self._plan(run, trade, int(fills["order_id"].iloc[0]))
        bars, first = self._bars_of_trade(run, dataset, instrument_, fills)
        fills = fills.assign(i=[_place(bars, ts) for ts in fills["bar_ts"]])
        path = self._path(run, bars, trade, int(fills["i"].iloc[0]), int(fills["i"].iloc[-1]))
        levels = _levels(trade, plan, int(fills["i"].iloc[0]), max(int(fills["i"].iloc[-1]), int(fills["i"].iloc[0]) + 1))
        shown = candles(bars.iloc[first:].reset_index(drop=True), CANDLES)
        merged = int(shown["bars"].iloc[0])
        moved = {name: (levels[name] - first) // merged for name in ("first", "last")}
        return Walk(trade, shown, instrument_, dataset.side, levels.assign(**moved), path.assign(i=(path["i"] - first) // merged), fills.assign(i=(fills["i"] - first) // merged))

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

    def _path(self, run: Run, bars: pd.DataFrame, trade: pd.Series, first: int, last: int) -> pd.DataFrame:
        """The stop in each bar of the trade, as the run reported its moves; of an older run, which did not, its first stop."""
        moves = pd.DataFrame(dict(bar_ts=[], stop_loss=[]))
        if "moves" in run.frames:
            stops = self._context.store.frames.get(run.frames["moves"], ["trade_id", "bar_ts", "stop_loss"])
            moves = stops[stops["trade_id"] == trade["trade_id"]]
        moved = [_place(bars, ts) - first for ts in moves["bar_ts"]]
        levels = stop_path(float(trade["stop_loss"]), moved, moves["stop_loss"].tolist(), last - first + 1)
        return pd.DataFrame(dict(i=np.arange(first, last + 1), price=levels)).dropna().reset_index(drop=True)

    def _dataset(self, run: Run, name: str) -> Dataset:
        with self._context.store.read() as unit:
            datasets = [unit.datasets.get(version) for version in run.spec["datasets"]]
        return required(next((dataset for dataset in datasets if dataset and dataset.instrument == name), None), "dataset", name)

    def _run(self, run_id: str) -> Run:
        with self._context.store.read() as unit:
            return required(unit.runs.get(run_id), "run", run_id)


def _place(bars: pd.DataFrame, ts: Any) -> int:
    return max(int(bars["ts"].searchsorted(pd.Timestamp(ts), side="right")) - 1, 0)


def _levels(trade: pd.Series, plan: Mapping[str, Any], first: int, last: int) -> pd.DataFrame:
    entry, sign = float(trade["entry_price"]), 1 if trade["side"] == "long" else -1
    named = [("entry", entry), ("initial stop", float(trade["stop_loss"])), *((name, price) for name, price, _ in targets_of(plan, sign, entry))]
    return pd.DataFrame([dict(name=name, price=price, first=first, last=last) for name, price in named if np.isfinite(price)])
