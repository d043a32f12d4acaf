"""Tables of a finished run, computed from the stored frames, bounded in size, and as downloads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pandas as pd

from domain.analytics import (
    CURVES,
    GROUPS,
    METRICS,
    WINDOWS,
    break_even,
    compare_metrics,
    compare_specs,
    drawdown_table,
    excursion_points,
    group_table,
    monthly,
    r_histogram,
    stop_target_surface,
    underwater,
    waterfall,
)
from domain.errors import unknown
from domain.market import instrument
from worker.desk.context import DeskContext
from worker.desk.export import csv_of
from worker.desk.run_figures import RunFigures
from worker.desk.thin import thinned

FELL = ["pnl", "r", "mae_r", "mfe_r", "trade_id", "pnl_gross"]
MOST_REVIEWS = 2_000
MOST_TRADES = 1_000_000      # of a table that is downloaded whole


class RunTables(RunFigures):
    def __init__(self, context: DeskContext) -> None:
        super().__init__(context)
        self._tables: dict[str, Callable[[str], pd.DataFrame]] = {
            "drawdowns": self.drawdowns, "months": self.months, "results": self.results, "excursions": self.excursions, "surface": self.surface,
            "costs": self.costs, "break_even": self.break_even, "refused": self.refused, "metrics": self.metrics,
            "statistics": self.statistics, "benchmark": partial(self.benchmark, budget=MOST_TRADES), "exposure": partial(self.exposure, most=MOST_TRADES), "days": self.days, "durations": partial(self.durations, most=MOST_TRADES), "hours": self.hours,
            **{f"rolling_{window}": partial(self.rolling, window=window, budget=MOST_TRADES) for window in WINDOWS},
            **{f"by_{key}": partial(self.group, by=key) for key in GROUPS},
        }  # fmt: skip

    # -- equity

    def curves(self) -> dict[str, str]:
        """Curve -> what it is: closed trades alone, closes of bars, adverse extremes."""
        return dict(CURVES)

    def curve(self, run_id: str, curve: str = "equity", budget: int = 700) -> pd.DataFrame:
        """``ts, value, share`` (below the highest so far), thinned so that each keeps its extremes."""
        run = self._run(run_id)
        equity = self._frame(run, "equity", ["ts", *dict.fromkeys(("equity", curve))])
        drawn = pd.DataFrame(dict(ts=equity["ts"], value=equity[curve], share=underwater(equity, run.summary["balance"], curve)["share"]))
        return thinned(drawn, ("value", "share"), budget)

    def drawdowns(self, run_id: str, curve: str = "equity") -> pd.DataFrame:
        """The ten largest drawdowns, largest first, as ``drawdown_table`` returns them."""
        run = self._run(run_id)
        return drawdown_table(self._frame(run, "equity", ["ts", *dict.fromkeys(("equity", curve))]), run.summary["balance"], curve)

    def months(self, run_id: str) -> pd.DataFrame:
        """``year, month, share``; month 0 is the whole year."""
        run = self._run(run_id)
        return monthly(self._frame(run, "equity", ["ts", "equity"]), run.summary["balance"])

    # -- trades

    def results(self, run_id: str) -> pd.DataFrame:
        """``low, high, trades, share``: R of the trades in quarter bins."""
        return r_histogram(self._frame(self._run(run_id), "trades", ["r"]))

    def excursions(self, run_id: str, most: int = 800) -> pd.DataFrame:
        """``trade_id, mae_r, mfe_r, r, won`` of at most ``most`` trades, with the extremes."""
        return excursion_points(self._frame(self._run(run_id), "trades", FELL), most)

    def surface(self, run_id: str) -> pd.DataFrame:
        """Mean result of other stops and targets, as ``stop_target_surface`` returns it."""
        return stop_target_surface(self._frame(self._run(run_id), "trades", FELL))

    def groups(self) -> dict[str, tuple[str, str]]:
        """What trades can be grouped by -> title, definition."""
        return {key: (group.title, group.definition) for key, group in GROUPS.items()}

    def group(self, run_id: str, by: str) -> pd.DataFrame:
        """``group, trades, win_rate, net, average, r_mean, profit_factor, share``, a row a group."""
        column = {"session": "entry_ts", "hour": "entry_ts", "weekday": "entry_ts", "month": "entry_ts", "year": "entry_ts"}.get(by, by)
        return group_table(self._frame(self._run(run_id), "trades", [column, "pnl", "r"] if by in GROUPS else None), by)

    # -- costs

    def costs(self, run_id: str) -> pd.DataFrame:
        """``key, title, money, after, share``: from gross at mid to net."""
        run = self._run(run_id)
        return waterfall(self._frame(run, "trades", ["pnl_gross", "costs", "swap"]), self._frame(run, "fills", ["spread_cost", "slippage_cost"]))

    def break_even(self, run_id: str) -> pd.DataFrame:
        """``instrument, trades, net, spread_paid, factor, paid, at, room``; spreads in pips."""
        run = self._run(run_id)
        trades = self._frame(run, "trades", ["instrument", "side", "lots", "entry_price", "exit_price", "pnl_gross", "pnl"])
        names = trades["instrument"].unique()
        of_run: Mapping[str, Any] = run.manifest["spec"].get("instruments", {})     # as the run had them; of an old run that does not name them, as they are now
        pips = {name: float(of_run[name]["pip"]) if name in of_run else instrument(name, self._context.instruments_file).pip for name in names}
        return break_even(trades, self._frame(run, "fills", ["instrument", "spread_cost"]), pips)

    # -- what did not happen

    def refused(self, run_id: str) -> pd.DataFrame:
        """Orders that sizing, margin or limits refused, shrank or capped, all of them; empty for a run that did not store them."""
        run = self._run(run_id)
        return self._frame(run, "reviews") if "reviews" in run.frames else pd.DataFrame(columns=["order_id", "ts", "instrument", "verdict", "reason", "lots_requested", "lots_given"])

    def refusals(self, run_id: str, most: int = MOST_REVIEWS) -> tuple[pd.DataFrame, pd.DataFrame]:
        """``verdict, reason, orders`` by count; and the first ``most`` of them."""
        every = self.refused(run_id)
        counted = every.groupby(["verdict", "reason"], sort=False).size().rename("orders").reset_index()
        return counted.sort_values("orders", ascending=False, ignore_index=True), every.head(most)

    # -- the figures

    def metrics(self, run_id: str) -> pd.DataFrame:
        """``key, title, family, value, unit, definition, source`` of every figure."""
        values = self._run(run_id).summary["metrics"]
        return pd.DataFrame([dict(key=key, title=metric.title, family=metric.family, value=values.get(key), unit=metric.unit, definition=metric.definition, source=metric.source) for key, metric in METRICS.items()])

    def compare(self, a: str, b: str) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Metrics of two runs with their difference, and the changed settings."""
        first, other = self._run(a), self._run(b)
        return compare_metrics(first.summary["metrics"], other.summary["metrics"]), compare_specs(first.spec, other.spec)

    def of(self, run_id: str, what: str) -> pd.DataFrame:
        """One of these tables, in full."""
        if what not in self._tables:
            raise unknown("table of a run", what, self._tables)
        return self._tables[what](run_id)

    def download(self, run_id: str, what: str) -> bytes:
        """The same as CSV."""
        frame = self.of(run_id, what)
        with self._context.store.unit() as unit:
            unit.audit(self._context.user, "downloaded", f"run:{run_id}", what=what, form="csv", rows=len(frame))
        return csv_of(frame)
