"""From a job's spec to the columns it computes: bars, what stands around them, and the features asked for."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from domain.audit import canonical, plain
from domain.errors import BadRequest
from domain.features import Around, Use, closes, parse
from domain.features.engine import Table
from domain.manifest import manifest
from domain.market import instrument, resample
from domain.market.timeframe import Timeframe
from worker.jobs.backtests import _bars, _known
from worker.jobs.base import Keep, Kept, Work
from worker.jobs.outside import around_of
from worker.store import Dataset, Unit
from worker.store.columns import Columns

Watch = Callable[[float], None]
SPAN = ("datasets", "timeframe", "start", "end", "columns")     # of a spec: what is told of it once, as data and span


@dataclass(frozen=True)
class Member:
    """One dataset of a set: its bars in the timeframe that is asked for, and what stands around them."""

    dataset: Dataset
    bars: pd.DataFrame
    around: Around

    @property
    def name(self) -> str:
        return self.dataset.instrument


@dataclass(frozen=True)
class FeatureSet:
    """``members``: a dataset each, in the order in which they were chosen. ``uses``: the columns of each; none where the spec names none.
    ``cache``: columns made before, for ``domain.features.compute``."""

    spec: Mapping[str, Any]
    members: tuple[Member, ...]
    uses: tuple[Use, ...]
    cache: Columns

    @property
    def data(self) -> list[str]:
        return [one.dataset.version for one in self.members]

    @cached_property
    def columns(self) -> list[str]:
        return [one.column for one in self.uses]

    def compute(self, member: Member, watch: Watch = lambda share: None) -> pd.DataFrame:
        """The member's bars and beside them its columns; ``watch`` hears of each."""
        return computed(member.bars, self.uses, member.around, self.cache, watch)


def computed(bars: pd.DataFrame, uses: Sequence[Use], around: Around, cache: Any = None, watch: Watch = lambda share: None) -> pd.DataFrame:
    """What ``domain.features.compute`` gives, with a word after each column: where a job that was cancelled stops."""
    table, made = Table(bars, around, cache), {}
    for k, one in enumerate(uses):
        watch(k / len(uses))
        made[one.column] = table.column(one)
    return pd.DataFrame({**{name: bars[name] for name in bars}, **{name: pd.Series(column, bars.index, copy=False) for name, column in made.items()}}, copy=False)


def read(spec: Mapping[str, Any], work: Work) -> FeatureSet:
    """``spec``: datasets (versions), timeframe, start, end, columns as ``domain.features.parse`` reads them, and where they need some the versions of outside data."""
    with work.store.look() as unit:
        known = {dataset.version: dataset for dataset in unit.datasets.all()}
    uses = tuple({one.column: one for one in map(parse, spec.get("columns", []))}.values())
    timeframe = Timeframe.named(spec["timeframe"])
    asked = [(dataset := _known(known, version), _in(timeframe, work, dataset, spec)) for version in spec["datasets"]]
    table = {dataset.instrument: instrument(dataset.instrument, work.settings.instruments_file) for dataset, _ in asked}
    said = {dataset.instrument: closes(bars, table[dataset.instrument], timeframe) for dataset, bars in asked}
    outside = around_of(spec, work)
    members = []
    for dataset, bars in asked:
        one, others = table[dataset.instrument], {name: known for name, known in said.items() if name != dataset.instrument}
        members.append(Member(dataset, bars, Around(one, timeframe, others, **outside(one))))
    return FeatureSet(spec, tuple(members), uses, columns_of(work))


def columns_of(work: Work) -> Columns:
    """The columns that this machine keeps."""
    return Columns(work.settings.home / "columns", work.settings.storage.columns_mb * 1_000_000)


def _in(timeframe: Timeframe, work: Work, dataset: Dataset, spec: Mapping[str, Any]) -> pd.DataFrame:
    bars, own = _bars(work, dataset, spec), Timeframe.named(dataset.timeframe)
    if own != timeframe:
        bars = resample(bars, own, timeframe, instrument(dataset.instrument, work.settings.instruments_file).calendar)
    if bars.empty:
        raise BadRequest(f"{dataset.instrument} {timeframe} has no whole bar in this span; choose a longer one")
    return bars.reset_index(drop=True)


def manifest_of(asked: FeatureSet) -> dict[str, Any]:
    """What decided the result: data, code, what was asked, libraries."""
    decided = plain(
        dict(
            data=[dict(instrument=one.name, timeframe=asked.spec["timeframe"], side=one.dataset.side, version=one.dataset.version, bars=len(one.bars)) for one in asked.members],
            span=[asked.members[0].bars["ts"].iloc[edge] for edge in (0, -1)],
            columns=asked.columns,
            instruments={one.name: one.around.instrument for one in asked.members},
            **{name: value for name, value in asked.spec.items() if name not in SPAN},
        )
    )
    return {**manifest(decided), "data": asked.data, "spec_hash": hashlib.sha256(canonical(decided)).hexdigest()}


def kept_run(kind: str, asked: FeatureSet, work: Work, summary: Mapping[str, Any], frames: Mapping[str, str], event: str = "run_finished", **told: Any) -> Keep:
    """What writes the run of this kind and its audit event; ``told``: more for the event."""
    decided = manifest_of(asked)

    def keep(unit: Unit) -> Kept:
        run_id = unit.runs.add(
            kind=kind, job_id=work.job.id, title=work.job.title, spec=dict(asked.spec), manifest=decided, summary=dict(summary), frames=dict(frames), actor=work.job.actor,
            created_at=unit.now(), example=work.job.example, synthetic=any(one.dataset.synthetic for one in asked.members),
        )  # fmt: skip
        unit.chunks.remove(work.job.id)
        detail = dict(title=work.job.title, run=kind, spec=decided["spec_hash"], code=decided["code"], frames=dict(frames), **told)
        return Kept(dict(run=run_id), event, (f"run:{run_id}", *(f"dataset:{one.dataset.id}" for one in asked.members)), detail)

    return keep


def finite(value: Any) -> float | None:
    """A number for a summary: None where it is none."""
    return float(value) if value is not None and np.isfinite(value) else None
