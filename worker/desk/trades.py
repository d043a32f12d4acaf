"""Trades of a run: pages, single trades, and a trade on its bars with stops, targets and fills."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from domain.errors import BadRequest
from domain.trading.protection import targets_of
from worker.desk.context import DeskContext, required
from worker.store import Run

SHOWN = ("trade_id", "tag", "instrument", "side", "lots", "entry_ts", "entry_price", "exit_ts", "exit_price", "stop_loss", "pnl", "r", "exit_reason")


@dataclass(frozen=True)
class Protection:
    """Price levels of one trade. ``levels``: name -> price of entry, initial stop and targets; ``moves``: bar_ts, stop_loss where the stop moved;
    ``fills``: trade_id, order_id, ts, bar_ts, side, lots, price, reason."""

    trade: pd.Series
    levels: Mapping[str, float]
    moves: pd.DataFrame
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
        """The protection of the order; of a run that did not store it, the initial stop alone."""
        if "protection" not in run.frames:
            return {"stop_loss": trade["stop_loss"]}
        protection = self._context.store.frames.get(run.frames["protection"])
        mine = protection[(protection["order_id"] == order_id) & (protection["instrument"] == trade["instrument"])]
        return {str(name): value for name, value in mine.iloc[0].items()} if len(mine) else {"stop_loss": trade["stop_loss"]}

    def _run(self, run_id: str) -> Run:
        with self._context.store.read() as unit:
            return required(unit.runs.get(run_id), "run", run_id)


def _levels(trade: pd.Series, plan: Mapping[str, Any]) -> dict[str, float]:
    entry, sign = float(trade["entry_price"]), 1 if trade["side"] == "long" else -1
    named = [("entry", entry), ("initial stop", float(trade["stop_loss"])), *((name, price) for name, price, _ in targets_of(plan, sign, entry))]
    return {name: price for name, price in named if np.isfinite(price)}
