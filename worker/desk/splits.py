"""Finished backtests split by the regime known at the time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from domain.analytics.regimes import UNKNOWN
from domain.errors import BadRequest
from domain.features.regimes import spells
from worker.code import code_of
from worker.desk.context import DeskContext, Submitted, key_of, required
from worker.desk.export import csv_of
from worker.desk.features import FeatureRequest, Features
from worker.desk.regimes import BANDS, JOINED, MOST, PAIR, RegimeView, is_rule, kind_of, written_rules
from worker.desk.thin import thinned
from worker.store import Dataset, Run


@dataclass(frozen=True)
class Choice:
    """An option to split a run by. ``by``: the id of a finished run of regimes, or rules joined by ``+`` that a job must apply first."""

    by: str
    title: str
    instrument: str
    fitted: bool


@dataclass(frozen=True)
class Divided:
    """A run by regime. ``table``: ``regime, share, trades, net, equity`` and of the trades ``win_rate, r_mean, profit_factor``, of the equity ``max_drawdown, sharpe``.
    ``curves``: ``ts, regime, value``, for each regime the equity change within that regime alone. ``late``: ``regime, late,
    trades, net …``, had it been known so many bars later. ``pooled``: how many rare regimes stand together under one name."""

    table: pd.DataFrame
    curves: pd.DataFrame
    late: pd.DataFrame
    metrics: Mapping[str, Mapping[str, float | None]]
    pooled: int


class Splits:
    def __init__(self, context: DeskContext) -> None:
        self._context, self._features, self._view = context, Features(context), RegimeView(context)

    def choices(self, run_id: str) -> list[Choice]:
        """Options to split a run by: every rule on each of its series, and models that were fitted on the same bars."""
        series = self._series(self._run(run_id))
        offered = {name: title for name, (title, _) in self._view.rules().items()} | {PAIR: "Volatility and trend"}
        rules = [Choice(by, title, dataset.instrument, False) for dataset in series for by, title in offered.items()]
        runs = [run for run in self._view.latest(MOST, [dataset.version for dataset in series]) if JOINED.join(run.spec.get("rules", [])) not in offered]
        return rules + [Choice(run.id, f"{kind_of(run)} on {run.summary['timeframe']}", run.summary["instrument"], run.summary["kind"] != "rule") for run in runs]

    def labelled_by(self, run_id: str, by: str, instrument: str = "") -> Run | None:
        """The finished run of regimes that ``by`` names: an id, or rules on the run's own bars where they have been applied."""
        if not is_rule(by):
            return self._view.get(by)
        spec = self._features.spec(self._question(run_id, instrument), columns=False) | dict(rules=written_rules(by))
        return next((candidate for candidate in self._view.latest(MOST, spec["datasets"]) if dict(candidate.spec) == spec and candidate.manifest["code"] == code_of("regimes")), None)

    def submit_for(self, run_id: str, by: str, instrument: str = "") -> Submitted:
        """Label all bars of a run's dataset by rules, in its timeframe."""
        return self._view.submit_rules(self._question(run_id, instrument), written_rules(by))

    def submit_split(self, run_id: str, by: str, instrument: str = "") -> Submitted:
        """Split a finished backtest by the regime known at the time, in a job."""
        run, spec = self._run(run_id), self._spec(run_id, by, instrument)
        return self._context.submit("split", f"{self._view.title(by)} · {run.title}", spec, key=key_of("split", spec), example=run.example)

    def finished(self, run_id: str, by: str, instrument: str = "") -> Divided | None:
        """The split where it has been computed by the present code; None where ``submit_split`` must compute it."""
        spec = self._spec(run_id, by, instrument)
        with self._context.store.read() as unit:
            job = unit.jobs.of_key(self._context.keyed(key_of("split", spec)))
            done = unit.runs.get(job.result["run"]) if job and job.state == "done" and job.result else None
        if done is None or any(self._context.store.frames.fault(name) for name in done.frames.values()):
            return None
        table, late, equity = (self._frame(done, name) for name in ("table", "late", "equity"))
        return Divided(table, _curves(equity, self._run(run_id).summary["balance"]), late, done.summary["metrics"], done.summary["pooled"])

    def split(self, run_id: str, by: str, instrument: str = "") -> Divided:
        """A finished backtest by regime: see ``Divided``. Trades by the regime known when they were entered, equity by the one known when it changed.

        Raises ``BadRequest`` where it has not been computed yet."""
        divided = self.finished(run_id, by, instrument)
        if divided is None:
            raise BadRequest(f"run {run_id} has not been split by {by.replace(JOINED, ' and ')} yet; split it first")
        return divided

    def download_split(self, run_id: str, by: str, instrument: str = "") -> bytes:
        """``split``'s table as CSV."""
        table = self.split(run_id, by, instrument).table
        with self._context.store.unit() as unit:
            unit.audit(self._context.user, "downloaded", f"run:{run_id}", what=f"split by {by}", form="csv", rows=len(table))
        return csv_of(table)

    def bands_of(self, run_id: str, by: str, instrument: str = "", most: int = BANDS) -> tuple[pd.DataFrame, int]:
        """Stretches of one regime over a run's time as ``start, end`` (times) and ``regime``, and how many bars were merged where there were too many."""
        run, labelled = self._run(run_id), self._labelled(run_id, by, instrument)
        ts = self._frame(run, "equity", ["ts"])["ts"]
        labels = self._view.labels(labelled)
        ends = self._frame(labelled, "regimes", ["end"])["end"]
        inside = np.flatnonzero((ends >= ts.iloc[0]) & (ends <= ts.iloc[-1])) if len(ts) else np.zeros(0, np.int64)
        if not len(inside):
            return pd.DataFrame(columns=["start", "end", "regime"]), 1
        own = ends.iloc[inside[0] : inside[-1] + 1].reset_index(drop=True)
        table, size = spells(labels[inside[0] : inside[-1] + 1], most)
        following = np.minimum(table["last"].to_numpy() + 1, len(own) - 1)
        return pd.DataFrame(dict(start=own.iloc[table["first"]].to_numpy(), end=own.iloc[following].to_numpy(), regime=table["regime"])), size

    def names_of(self, run_id: str, by: str, instrument: str = "") -> list[str]:
        """The names of the regimes of ``by``."""
        return list(self._labelled(run_id, by, instrument).summary["names"])

    # -- parts

    def _spec(self, run_id: str, by: str, instrument: str) -> dict[str, Any]:
        return dict(run=run_id, labels=self._labelled(run_id, by, instrument).id, datasets=list(self._run(run_id).spec["datasets"]))

    def _labelled(self, run_id: str, by: str, instrument: str) -> Run:
        run_ = self.labelled_by(run_id, by, instrument)
        if run_ is None:
            raise BadRequest(f"the bars of run {run_id} have not been labelled by {by.replace(JOINED, ' and ')} yet; label them first")
        return run_

    def _run(self, run_id: str) -> Run:
        with self._context.store.read() as unit:
            run = required(unit.runs.get(run_id), "run", run_id)
        if not {"trades", "fills", "equity"} <= set(run.frames):
            raise BadRequest(f"run {run_id} is of the kind {run.kind.replace('_', ' ')}, which has no trades to split; choose a backtest")
        return run

    def _series(self, run: Run) -> list[Dataset]:
        """The run's datasets that are still stored."""
        with self._context.store.read() as unit:
            return [dataset for version in run.spec["datasets"] if (dataset := unit.datasets.get(version))]

    def _question(self, run_id: str, instrument: str) -> FeatureRequest:
        """All bars of one of its datasets, in its timeframe: rules then have their warm-up behind them where the run begins."""
        run = self._run(run_id)
        series = self._series(run)
        chosen = next((candidate for candidate in series if candidate.instrument == instrument), None) if instrument else next(iter(series), None)
        if chosen is None:
            names = ", ".join(candidate.instrument for candidate in series)
            raise BadRequest(f"the bars of {instrument or 'run ' + run_id} are not here, so they cannot be labelled; {'of this run there are ' + names if names else 'import them again'}")
        return FeatureRequest([chosen.id], run.spec["timeframe"], *whole_days(chosen.first_ts, chosen.last_ts))

    def _frame(self, run: Run, name: str, columns: Sequence[str] = ()) -> pd.DataFrame:
        return self._context.store.frames.get(run.frames[name], list(columns) or None)


def whole_days(first: datetime, last: datetime) -> tuple[datetime, datetime]:
    """The days of bars from the first to the last, as labels of all bars are requested everywhere: the same request is the same job."""
    return _midnight(first), _midnight(last) + timedelta(days=1)


def _midnight(ts: datetime) -> datetime:
    return ts.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _curves(equity: pd.DataFrame, start: float, budget: int = 240) -> pd.DataFrame:
    """``ts, regime, value``: cumulative net profit of each regime, thinned."""
    parts = []
    for name in equity.columns.drop("ts"):
        shown = thinned(pd.DataFrame(dict(ts=equity["ts"], value=equity[name] - start)), ("value",), budget)
        parts.append(shown.assign(regime=name))
    return pd.concat(parts, ignore_index=True)[["ts", "regime", "value"]] if parts else pd.DataFrame(columns=["ts", "regime", "value"])


__all__ = ["UNKNOWN", "Choice", "Divided", "Splits", "whole_days"]
