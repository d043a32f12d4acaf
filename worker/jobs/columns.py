"""Columns of a feature set on stored bars, to view and export."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import pandas as pd

from domain.errors import BadRequest
from domain.features.sensitivity import Short, sensitivity
from domain.features.summary import Summary, summary
from worker.jobs import feature_sets
from worker.jobs.base import Commit, Work, job
from worker.jobs.feature_sets import FeatureSet, Member, Watch, finite, save_run


@job("columns", limit=3_600, after="compile_features")
def run(spec: Mapping[str, Any], work: Work) -> Commit:
    """``spec``: datasets, timeframe, start, end, columns. Of each dataset a frame of its columns under its instrument's name, and one of its closes."""
    work.stage("Load bars")
    feature_set = feature_sets.read(spec, work)
    if not feature_set.uses:
        raise BadRequest("no feature is chosen; choose a feature set, or write features such as atr(14)")
    frames: dict[str, str] = {}
    tables = []
    work.stage("Compute")
    for k, member in enumerate(feature_set.members):
        share = (k / len(feature_set.members), (k + 1) / len(feature_set.members))
        frame, about = _of(feature_set, member, work.within(*(0.05 + 0.9 * edge for edge in share)), work)
        frames |= {member.name: frame, f"{member.name} price": work.store.frames.put(member.bars[["ts", "close"]])}
        tables.append(about)
    return save_run("columns", feature_set, work, dict(members=tables), frames, columns=len(feature_set.uses))


def _of(feature_set: FeatureSet, member: Member, progress: Watch, work: Work) -> tuple[str, dict[str, Any]]:
    """The stored frame of one dataset's columns, and the summaries of them."""
    frame = feature_set.compute(member, lambda share: progress(0.5 * share))
    figures = []
    for k, use in enumerate(feature_set.uses):
        progress(0.5 + 0.2 * k / len(feature_set.uses))
        figures.append(_plain(summary(use, frame[use.column].to_numpy(), member.context)))
    shorter = sensitivity(member.bars, feature_set.uses, member.context, cache=feature_set.cache, watch=lambda share: progress(0.7 + 0.1 * share))
    progress(0.8)
    stored = work.store.frames.put(frame[["ts", *feature_set.columns]])
    about = dict(instrument=member.name, timeframe=feature_set.spec["timeframe"], bars=len(frame), history=member.bars_of_history, columns=figures, sensitivity=[_short(short) for short in shorter], edges=_edges(member.bars))
    return stored, about


def _edges(bars: pd.DataFrame) -> list[str]:
    return [bars["ts"].iloc[edge].isoformat() for edge in (0, -1)]


def _plain(summary: Summary) -> dict[str, Any]:
    return {key: finite(value) if isinstance(value, float) else value for key, value in asdict(summary).items()}


def _short(short: Short) -> dict[str, Any]:
    return dict(column=short.column, history=short.history, value=finite(short.value), full=finite(short.full), off=finite(short.off))
