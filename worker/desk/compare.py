"""Comparison of runs, reports of runs, and reproduction of runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import pandas as pd
import pyarrow as pa

from domain.analytics import Difference, Evidence, Remark, compare_metrics, compare_specs, first_difference, lint
from domain.analytics.compare import compare_settings, metrics_beside
from domain.analytics.daily import calendar_of
from domain.errors import BadRequest, listed, unknown
from domain.report import FORMS, Material, belief_of, render
from worker.desk.context import DeskContext, Submitted, required
from worker.desk.export import csv_of
from worker.desk.robustness import RobustnessView
from worker.desk.thin import thinned
from worker.store import Filter, Run
from worker.store.former_names import current
from worker.store.selection import selection_of

RULES = ("account", "costs", "execution", "sizing", "limits")
MOST = 6            # runs side by side
SHOWN = 4           # changes that a warning names


@dataclass(frozen=True)
class Comparison:
    """``metrics``: key, title, unit, family, a, b, difference (b − a). ``changed``: path, a, b of changed settings, of code
    and libraries. ``warnings``: what makes figures incomparable, to be read before any of them. ``fills``: the first that is not the same."""

    a: Run
    b: Run
    same: bool
    sentence: str
    warnings: tuple[str, ...]
    changed: pd.DataFrame
    metrics: pd.DataFrame
    fills: Difference | None


@dataclass(frozen=True)
class Beside:
    """Several runs. ``changed``: path, and for each run its value of a setting in which they are not all alike. ``metrics``: key, title, unit, family, and the value of each run; NaN where it has none.
    Columns of runs have their id. ``warnings``: what makes figures incomparable."""

    runs: Sequence[Run]
    changed: pd.DataFrame
    metrics: pd.DataFrame
    warnings: tuple[str, ...]


class Compare:
    def __init__(self, context: DeskContext) -> None:
        self._context, self._robustness = context, RobustnessView(context)

    def forms(self) -> Mapping[str, str]:
        """Form of a report -> what it is."""
        return FORMS

    def runs(self, a: str, b: str) -> Comparison:
        """Two backtests side by side."""
        first, other = self._backtest(a), self._backtest(b)
        changed = compare_specs(_decided(first), _decided(other))
        same = all(first.frames[name] == other.frames[name] for name in ("fills", "trades", "equity"))
        fills = None if first.frames["fills"] == other.frames["fills"] else first_difference(self._frame(first, "fills"), self._frame(other, "fills"))
        metrics = compare_metrics(first.summary["metrics"], other.summary["metrics"])
        return Comparison(first, other, same, _sentence(same, fills), tuple(_warnings(first, other, changed)), changed, metrics, fills)

    def several(self, run_ids: Sequence[str]) -> Beside:
        """Two to six backtests side by side; the first is the one that others are compared with."""
        ids = list(dict.fromkeys(run_ids))
        if not 2 <= len(ids) <= MOST:
            raise BadRequest(f"{len(ids)} runs are named; compare 2 to {MOST} different ones")
        runs = [self._backtest(run_id) for run_id in ids]
        specs = {run.id: _decided(run) for run in runs}
        warnings = dict.fromkeys(sentence for run in runs[1:] for sentence in _warnings(runs[0], run, compare_specs(specs[ids[0]], specs[run.id])))
        return Beside(runs, compare_settings(specs), metrics_beside({run.id: run.summary["metrics"] for run in runs}), tuple(warnings))

    def download_several(self, run_ids: Sequence[str]) -> bytes:
        """Every figure of the runs, with its difference to the first, as CSV."""
        beside = self.several(run_ids)
        first, *others = (run.id for run in beside.runs)
        table = beside.metrics.assign(**{f"{run_id} less {first}": beside.metrics[run_id] - beside.metrics[first] for run_id in others})
        with self._context.store.unit() as unit:
            unit.audit(self._context.user, "downloaded", *(f"run:{run.id}" for run in beside.runs), what="comparison", form="csv", rows=len(table))
        return csv_of(table)

    def curves(self, run_ids: Sequence[str], budget: int = 600) -> pd.DataFrame:
        """``run, ts, share``: equity of each run over its start, less 1, on one clock; thinned so that each keeps its extremes."""
        parts = []
        for run in self.several(run_ids).runs:
            equity = self._frame(run, "equity", ["ts", "equity"])
            curve = pd.DataFrame(dict(ts=equity["ts"], share=equity["equity"] / run.summary["balance"] - 1.0))
            parts.append(thinned(curve, ("share",), budget).assign(run=run.id))
        return pd.concat(parts, ignore_index=True)[["run", "ts", "share"]]

    def report(self, run_id: str, form: str) -> bytes:
        """The run's report in one of ``forms``, built from the stored tables; robustness counts all trials up to now."""
        if form not in FORMS:
            raise unknown("form of a report", form, FORMS)
        run = self._backtest(run_id)
        content = render(self._material(run), form)
        with self._context.store.unit() as unit:
            unit.audit(self._context.user, "downloaded", f"run:{run_id}", what="report", form=form)
        return content

    def reproduce(self, run_id: str) -> Submitted:
        """Run it again and compare bytes, in the background; a double click is one job, a later click another. Also of a run that was altered: that is found so."""
        run = self._backtest(run_id, altered=True)
        with self._context.store.read() as unit:
            before = unit.trail.count(Filter(entity=f"run:{run_id}", kinds=("run_reproduced",)))
        return self._context.submit("reproduce", f"Reproduce {run.title}", dict(run=run_id), key=f"reproduce {run_id} after {before}")

    def reproductions(self, run_id: str) -> list[dict[str, Any]]:
        """Reproductions of the run, newest first: at, actor, verdict, sentence, reasons, frames, difference, code."""
        import json

        with self._context.store.read() as unit:
            records = unit.trail.page(Filter(entity=f"run:{run_id}", kinds=("run_reproduced",)), 50)
        return [dict(at=record.ts, actor=record.actor, **json.loads(record.body)["detail"]) for record in records]

    def _backtest(self, run_id: str, altered: bool = False) -> Run:
        with self._context.store.read() as unit:
            run: Run = required(unit.runs.as_stored(run_id) if altered else unit.runs.get(run_id), "run", run_id)
        if run.kind != "backtest":
            raise BadRequest(f"run {run_id} is of the kind {run.kind.replace('_', ' ')}; reports, comparison and reproduction are for backtests. Choose a backtest")
        return run

    def _frame(self, run: Run, name: str, columns: Sequence[str] | None = None) -> pd.DataFrame:
        try:
            return current(self._context.store.frames.get(run.frames[name], columns))
        except (OSError, pa.ArrowException):
            raise BadRequest(f"the {name} of run {run.id} are no longer stored, or no longer readable ({run.frames[name][:8]}…). Reproduce the run to see whether they come out again") from None

    def _material(self, run: Run) -> Material:
        trades, fills, equity = (self._frame(run, name) for name in ("trades", "fills", "equity"))
        summary = run.summary
        with self._context.store.read() as unit:
            chosen = selection_of(unit, run.spec["datasets"], run.spec["strategy"])
        robustness = self._robustness.of(run.id)
        remarks = robustness.remarks if robustness.evaluated else _remarks(run, trades, fills, equity)
        belief = robustness.belief if robustness.evaluated else belief_of(equity, summary["metrics"], remarks, start=summary["balance"], ambiguous=summary["ambiguous"], trials=chosen.trials, variance=chosen.variance, market=calendar_of(run.manifest.get("spec", {})))
        trials = f"{chosen.trials:,} trial{'s are' if chosen.trials != 1 else ' is'} counted with {run.spec['strategy']} on these bars, this one included."
        return Material(
            trades, fills, equity, summary["metrics"], summary["counts"], summary["bars"], summary["ambiguous"], run.manifest, belief, remarks, trials,
            run.frames, self._frame(run, "reviews") if "reviews" in run.frames else pd.DataFrame(), run=run.id, name=run.name, note=run.note, synthetic=run.synthetic, created=f"{run.created_at:%Y-%m-%d %H:%M} UTC by {run.actor}",
            hold=(summary.get("benchmark") or {}).get("metrics"),
        )  # fmt: skip


def _remarks(run: Run, trades: pd.DataFrame, fills: pd.DataFrame, equity: pd.DataFrame) -> tuple[Remark, ...]:
    """Remarks of a run of a version before remarks had levels."""
    summary, rules = run.summary, {name: run.spec[name] for name in RULES if name in run.spec}
    return lint(Evidence(trades, fills, equity, summary["balance"], summary["counts"], summary["signals"], summary["ambiguous"], rules, metrics=summary["metrics"]))


def _decided(run: Run) -> dict[str, Any]:
    """All that decided a run, to compare leaf by leaf: parameters first, then rules, data, code, libraries."""
    spec, manifest = run.manifest["spec"], run.manifest
    data = {f"{source['instrument']}": {key: value for key, value in source.items() if key != "instrument"} for source in spec["data"]}
    first = dict(strategy=spec["strategy"]["name"], params=spec["strategy"]["params"])
    rules = {name: spec[name] for name in RULES if name in spec}
    rules["costs"] = {"unit": "price", **{name: value for name, value in rules.get("costs", {}).items() if value != {}}}      # what runs had before costs had a unit
    return dict(**first, **rules, data=data, span=spec["span"], instruments=spec["instruments"], code=manifest["code"], libraries=manifest["libraries"])


def _warnings(a: Run, b: Run, changed: pd.DataFrame) -> list[str]:
    paths = [str(path) for path in changed["path"]]
    those = partial(_those, paths)
    warnings = [
        ("The bars differ ({}): the figures compare two histories as much as two questions.", those("data.", "span", "instruments.")),
        ("Costs differ ({}).", those("costs.")),
        ("Orders are filled by other rules ({}).", those("execution.")),
        ("The account differs ({}): money does not compare, shares do.", those("account.")),
        ("The code of the engine differs.{}", [""] if "code" in paths else []),
        ("Libraries have other versions ({}).", those("libraries.")),
    ]
    kinds = ["One run is on synthetic bars, the other on real ones."] if a.synthetic != b.synthetic else []
    return kinds + [sentence.format(listed(these, SHOWN)) for sentence, these in warnings if these]


def _those(paths: list[str], *heads: str) -> list[str]:
    return [path.split(".", 1)[-1].replace("_", " ") for path in paths if path.startswith(heads)]


def _sentence(same: bool, fills: Difference | None) -> str:
    if same:
        return "Fills, trades and equity are the same, byte for byte."
    return fills.sentence if fills else "The fills are the same; trades or equity differ."
