"""Bars similar to a chosen bar, and their forward returns."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from domain.errors import BadRequest, unknown
from domain.laboratory import Likeness, Moments, similar
from domain.market.bars import ts_of
from domain.params import build, values_of
from worker.jobs import feature_sets
from worker.jobs.base import Commit, Work, job
from worker.jobs.examine import stacked
from worker.jobs.feature_sets import FeatureSet, finite, save_run

SURE = 1.96     # deviations, of a 95 % interval


@job("similar", limit=3_600, after="compile_features")
def run(spec: Mapping[str, Any], work: Work) -> Commit:
    """``spec``: datasets, timeframe, start, end, columns; instrument and at (ISO 8601, empty: the last bar); likeness (``domain.laboratory.Likeness``)."""
    work.stage("Load bars")
    feature_set = feature_sets.read(spec, work)
    if not feature_set.uses:
        raise BadRequest("no feature is chosen to measure similarity by; choose a feature set such as vector50")
    work.stage("Compute")
    frame = stacked(feature_set, work.within(0.05, 0.6))
    row = _row(feature_set, frame, spec)
    work.stage("Compare")
    work.progress(0.6)
    how = build(Likeness, spec["likeness"])
    moments = similar(frame, feature_set.columns, chosen=row, **values_of(how))
    work.progress(0.95)
    frames = dict(matches=moments.matches.drop(columns="row"), paths=moments.paths, followed=moments.followed, distribution=moments.distribution)
    named = {name: work.store.frames.put(table) for name, table in frames.items()}
    return save_run("similar", feature_set, work, _summary(feature_set, frame, row, moments, how), named, columns=len(feature_set.uses), matches=len(moments.matches))


def _row(feature_set: FeatureSet, frame: pd.DataFrame, spec: Mapping[str, Any]) -> int:
    """The last row of the chosen instrument that began by the chosen time."""
    names = [member.name for member in feature_set.members]
    name = spec.get("instrument") or names[0]
    if name not in names:
        raise unknown("instrument among the chosen bars", name, names)
    first = sum(len(member.bars) for member in feature_set.members[: names.index(name)])
    ts = ts_of(feature_set.members[names.index(name)].bars)
    if not spec.get("at"):
        return first + len(ts) - 1
    at = pd.Timestamp(spec["at"])
    row = int(np.searchsorted(ts, at.as_unit("ns").value, side="right")) - 1
    if row < 0:
        raise BadRequest(f"{name} has no bar by {at:%Y-%m-%d %H:%M} UTC; its first is at {frame['ts'].iloc[first]:%Y-%m-%d %H:%M}. Choose a later one")
    return first + row


def _summary(feature_set: FeatureSet, frame: pd.DataFrame, row: int, moments: Moments, how: Likeness) -> dict[str, Any]:
    figures = {side: {figure: finite(value) for figure, value in zip(moments.followed["figure"], moments.followed[side], strict=True)} for side in ("matches", "all")}
    after = frame["close"].to_numpy()[row]
    return dict(
        instrument=str(frame["instrument"].iloc[row]) if "instrument" in frame else feature_set.members[0].name, ts=frame["ts"].iloc[row].isoformat(), close=finite(after),
        matches=len(moments.matches), horizon=how.horizon, start=how.start, figures=figures, columns=list(moments.columns),
        left_out=[name for name in feature_set.columns if name not in moments.columns], notes=list(moments.notes), **_chance(figures),
        nearest=finite(moments.matches["distance"].min()), farthest=finite(moments.matches["distance"].max()),
        members=[dict(instrument=member.name, timeframe=feature_set.spec["timeframe"], bars=len(member.bars)) for member in feature_set.members],
    )  # fmt: skip


def _chance(figures: Mapping[str, Mapping[str, float | None]]) -> dict[str, Any]:
    """``share_low, share_high``: 95 % interval of the share up after Wilson (1927); ``z``: mean of the matches less that of all moments, in standard errors
    of as many moments drawn by chance. The matches share no time, so they count as many."""
    matched, everything = figures["matches"], figures["all"]
    n, share = matched["count"], matched["share_up"]
    if not n or share is None:
        return dict(share_low=None, share_high=None, z=None)
    middle, reach = share + SURE**2 / (2 * n), SURE * math.sqrt(share * (1 - share) / n + SURE**2 / (4 * n * n))
    low, high = ((middle + side * reach) / (1 + SURE**2 / n) for side in (-1, 1))
    spread = everything["deviation"]
    z = (matched["mean"] - everything["mean"]) / (spread / math.sqrt(n)) if spread and matched["mean"] is not None and everything["mean"] is not None else None
    return dict(share_low=low, share_high=high, z=z)
