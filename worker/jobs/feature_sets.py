"""Input of feature jobs from their spec: bars, context and features."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from domain.audit import canonical, plain
from domain.backtest.history import split
from domain.errors import BadRequest
from domain.features import Context, Use, closes, parse
from domain.features.engine import FeatureTable
from domain.market import instrument, resample
from domain.market.timeframe import Timeframe
from worker.code import manifest_of
from worker.jobs.base import Commit, JobResult, Work
from worker.jobs.load import bars_of, dataset_of
from worker.outside_context import context_of
from worker.store import Dataset, Unit
from worker.store.columns import Columns

Watch = Callable[[float], None]
SPAN = ("datasets", "timeframe", "start", "end", "columns")     # keys of a spec that the manifest gives as data and span


@dataclass(frozen=True)
class Member:
    """One dataset of a feature set: its bars in the requested timeframe, and their context. ``history``: the bars before the period,
    which features know and of which no row is written."""

    dataset: Dataset
    bars: pd.DataFrame
    context: Context
    history: pd.DataFrame | None = None

    @property
    def bars_of_history(self) -> int:
        return 0 if self.history is None else len(self.history)

    @cached_property
    def seen(self) -> pd.DataFrame:
        return self.bars if self.history is None else pd.concat([self.history, self.bars], ignore_index=True)

    def computed(self, uses: Sequence[Use], cache: Any = None, watch: Watch = lambda fraction: None) -> pd.DataFrame:
        """The bars and beside them these columns, warm from the history; ``watch(fraction)`` after each."""
        frame = computed(self.seen, uses, self.context, cache, watch)
        return frame if self.history is None else frame.iloc[len(self.history) :].reset_index(drop=True)

    @property
    def name(self) -> str:
        return self.dataset.instrument


@dataclass(frozen=True)
class FeatureSet:
    """``members``: a dataset each, in the order in which they were chosen. ``uses``: the columns of each; none where the spec names none.
    ``cache``: columns computed before, for ``domain.features.compute``."""

    spec: Mapping[str, Any]
    members: tuple[Member, ...]
    uses: tuple[Use, ...]
    cache: Columns

    @property
    def data(self) -> list[str]:
        return [member.dataset.version for member in self.members]

    @cached_property
    def columns(self) -> list[str]:
        return [use.column for use in self.uses]

    def compute(self, member: Member, watch: Watch = lambda share: None) -> pd.DataFrame:
        """The member's bars and beside them its columns; ``watch`` hears of each."""
        return member.computed(self.uses, self.cache, watch)


def computed(bars: pd.DataFrame, uses: Sequence[Use], context: Context, cache: Any = None, watch: Watch = lambda share: None) -> pd.DataFrame:
    """What ``domain.features.compute`` gives, with a word after each column: where a job that was cancelled stops."""
    table, columns = FeatureTable(bars, context, cache), {}
    for k, use in enumerate(uses):
        watch(k / len(uses))
        columns[use.column] = table.column(use)
    return pd.DataFrame({**{name: bars[name] for name in bars}, **{name: pd.Series(column, bars.index, copy=False) for name, column in columns.items()}}, copy=False)


def read(spec: Mapping[str, Any], work: Work) -> FeatureSet:
    """``spec``: datasets (versions), timeframe, start, end, columns as ``domain.features.parse`` reads them, and where they need some the versions of external data."""
    with work.store.read() as unit:
        datasets = {dataset.version: dataset for dataset in unit.datasets.all()}
    uses = tuple({use.column: use for use in map(parse, spec.get("columns", []))}.values())
    timeframe = Timeframe.named(spec["timeframe"])
    loaded = [(dataset := dataset_of(datasets, version), _in(timeframe, work, dataset, spec)) for version in spec["datasets"]]
    table = {dataset.instrument: instrument(dataset.instrument, work.settings.instruments_file) for dataset, _ in loaded}
    closing = {dataset.instrument: closes(bars, table[dataset.instrument], timeframe) for dataset, bars in loaded}
    start = pd.Timestamp(spec["start"])
    outside = context_of(spec.get("outside", {}), work.store)
    members = []
    for dataset, bars in loaded:
        traded, others = table[dataset.instrument], {name: prices for name, prices in closing.items() if name != dataset.instrument}
        history, period = split(bars, start, None, f"{dataset.instrument} {timeframe}")
        members.append(Member(dataset, period, Context(traded, timeframe, others, **outside(traded)), history))
    return FeatureSet(spec, tuple(members), uses, columns_of(work))


def columns_of(work: Work) -> Columns:
    """The column cache of this machine."""
    return Columns(work.settings.home / "columns", work.settings.storage.columns_mb * 1_000_000)


def _in(timeframe: Timeframe, work: Work, dataset: Dataset, spec: Mapping[str, Any]) -> pd.DataFrame:
    """All bars up to the end of the period."""
    bars, own = bars_of(work, dataset, spec, complete=True), Timeframe.named(dataset.timeframe)
    if own != timeframe:
        bars = resample(bars, own, timeframe, instrument(dataset.instrument, work.settings.instruments_file).calendar)
    if bars.empty or bars["ts"].iloc[-1] < pd.Timestamp(spec["start"]):
        raise BadRequest(f"{dataset.instrument} has no complete {timeframe} bar in the selected period; choose a longer one")
    return bars.reset_index(drop=True)


def decided_by(feature_set: FeatureSet, kind: str) -> dict[str, Any]:
    """The manifest: data, code, request and libraries."""
    decided = plain(
        dict(
            data=[dict(instrument=member.name, timeframe=feature_set.spec["timeframe"], side=member.dataset.side, version=member.dataset.version, bars=len(member.bars), **(dict(history=member.bars_of_history) if member.bars_of_history else {})) for member in feature_set.members],
            span=[feature_set.members[0].bars["ts"].iloc[edge] for edge in (0, -1)],
            columns=feature_set.columns,
            instruments={member.name: member.context.instrument for member in feature_set.members},
            **{name: value for name, value in feature_set.spec.items() if name not in SPAN},
        )
    )
    return {**manifest_of(decided, kind), "data": feature_set.data, "spec_hash": hashlib.sha256(canonical(decided)).hexdigest()}


def save_run(kind: str, feature_set: FeatureSet, work: Work, summary: Mapping[str, Any], frames: Mapping[str, str], event: str = "run_finished", **facts: Any) -> Commit:
    """The commit that writes the run of this kind and its audit event; ``facts``: more detail of the event."""
    decided = decided_by(feature_set, work.job.kind)

    def commit(unit: Unit) -> JobResult:
        run_id = unit.runs.add(
            kind=kind, job_id=work.job.id, title=work.job.title, spec=dict(feature_set.spec), manifest=decided, summary=dict(summary), frames=dict(frames), actor=work.job.actor,
            created_at=unit.now(), example=work.job.example, synthetic=any(member.dataset.synthetic for member in feature_set.members),
        )  # fmt: skip
        unit.chunks.remove(work.job.id)
        detail = dict(title=work.job.title, run=kind, spec=decided["spec_hash"], code=decided["code"], frames=dict(frames), **facts)
        return JobResult(dict(run=run_id), event, (f"run:{run_id}", *(f"dataset:{member.dataset.id}" for member in feature_set.members)), detail)

    return commit


def finite(value: Any) -> float | None:
    """A number for a summary: None where it is none."""
    return float(value) if value is not None and np.isfinite(value) else None
