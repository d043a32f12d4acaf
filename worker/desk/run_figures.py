"""Figures of a finished run by side and over time, computed from its stored frames and bounded in size."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from domain.analytics import COLUMNS, daily_returns, days_a_year, underwater
from domain.analytics.columns import statistics
from domain.analytics.daily import calendar_of
from domain.analytics.rolling import EXPOSURE, ROLLING, WINDOWS, daily_results, exposure_curve, exposure_spans, in_calendar, rolling_risk
from domain.analytics.trade_table import hour_boxes, result_points
from domain.errors import BadRequest
from domain.market.sessions import Calendar
from worker.desk.context import DeskContext, required
from worker.desk.thin import thinned
from worker.store import Run
from worker.store.former_names import current

OF_SIDES = ["trade_id", "instrument", "side", "lots", "entry_ts", "entry_price", "exit_ts", "exit_price", "pnl_gross", "costs", "swap", "pnl", "r", "bars_held"]
OF_FILLS = ["trade_id", "ts", "side", "lots", "spread_cost", "slippage_cost"]
EQUITY = ["ts", "equity", "equity_low", "balance"]
BUDGET = 1_400      # points of a curve


class RunFigures:
    def __init__(self, context: DeskContext) -> None:
        self._context = context

    def columns(self) -> dict[str, tuple[str, str]]:
        """Column of ``statistics`` -> title, definition."""
        return dict(COLUMNS)

    def statistics(self, run_id: str) -> pd.DataFrame:
        """``key, title, family, unit, definition, source, all, long, short, hold``: every metric, NaN where it does not exist."""
        run = self._run(run_id)
        hold = (run.summary.get("benchmark") or {}).get("metrics")
        return statistics(run.summary["metrics"], self._frame(run, "trades", OF_SIDES), self._frame(run, "fills", OF_FILLS), self._frame(run, "equity", EQUITY), run.summary["balance"], hold)

    def benchmark(self, run_id: str, budget: int = BUDGET) -> pd.DataFrame:
        """``ts, value, share`` of buy and hold: equity, and how far it is below its highest so far. No rows where nothing could be held, or for a run from before benchmarks."""
        run = self._run(run_id)
        if "benchmark" not in run.frames or not len(held := self._frame(run, "benchmark")):
            return pd.DataFrame(dict(ts=pd.DatetimeIndex([], tz="UTC"), value=np.zeros(0), share=np.zeros(0)))
        share = underwater(held, run.summary["balance"], "equity")["share"].to_numpy()
        return thinned(pd.DataFrame(dict(ts=held["ts"], value=held["equity"], share=share)), ("value", "share"), budget)

    def notes(self) -> dict[str, str]:
        """How ``rolling`` and ``exposure`` are defined."""
        return dict(rolling=ROLLING, exposure=EXPOSURE)

    def windows(self) -> dict[int, str]:
        """Trading days of a rolling window -> title."""
        return dict(WINDOWS)

    def rolling(self, run_id: str, window: int = 63, budget: int = BUDGET) -> pd.DataFrame:
        """``day, sharpe, volatility`` of the daily returns of each window, without the days before the first whole one."""
        if window not in WINDOWS:
            raise BadRequest(f"the window has {window} trading days; choose one of {', '.join(map(str, WINDOWS))}")
        run, market = self._run(run_id), _market(self._run(run_id))
        daily = daily_returns(self._frame(run, "equity", ["ts", "equity"]), run.summary["balance"], market)
        shown = rolling_risk(daily, window, days_a_year(market.name)).dropna(subset="volatility").reset_index(drop=True)
        return thinned(shown, ("sharpe", "volatility"), budget)

    def exposure(self, run_id: str, most: int = 300) -> pd.DataFrame:
        """``ts, bars, mean, highest, net_low, net_mean, net_high``: notional of the open lots over equity, in at most ``most`` spans that keep their extremes."""
        run = self._run(run_id)
        curve = exposure_curve(self._frame(run, "trades", OF_SIDES), self._frame(run, "fills", OF_FILLS), self._frame(run, "equity", ["ts", "equity"]))
        return exposure_spans(curve.dropna().reset_index(drop=True), most)

    def days(self, run_id: str) -> pd.DataFrame:
        """``day, net, share, year, week, weekday``: the result of each trading day."""
        run = self._run(run_id)
        return in_calendar(daily_results(self._frame(run, "equity", ["ts", "equity"]), run.summary["balance"], _market(run)))

    def durations(self, run_id: str, most: int = 800) -> pd.DataFrame:
        """``trade_id, hours, hour, pnl, r, won`` of at most ``most`` trades, with the extremes."""
        return result_points(self._frame(self._run(run_id), "trades", ["trade_id", "entry_ts", "exit_ts", "pnl", "r"]), most)

    def hours(self, run_id: str) -> pd.DataFrame:
        """Quantiles of the net of all trades by UTC hour of their entry, as ``hour_boxes`` returns them."""
        return hour_boxes(self._frame(self._run(run_id), "trades", ["entry_ts", "pnl"]))

    def _run(self, run_id: str) -> Run:
        with self._context.store.read() as unit:
            return required(unit.runs.get(run_id), "run", run_id)

    def _frame(self, run: Run, name: str, columns: Any = None) -> pd.DataFrame:
        return current(self._context.store.frames.get(run.frames[name], list(columns) if columns else None))


def _market(run: Run) -> Calendar:
    return calendar_of(run.manifest.get("spec", {}))
