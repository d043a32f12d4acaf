"""Regimes of stored bars: by a model that is fitted walking forward, or by rules."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from domain.errors import BadRequest
from domain.features.regimes import FitConfig, combined, regime_statistics, transition_shares
from domain.params import build
from worker.jobs import feature_sets
from worker.jobs.base import Commit, Work, job
from worker.jobs.feature_sets import FeatureSet, Member, finite, save_run

DAY = 86_400e9      # nanoseconds


@job("regimes", limit=86_400, after="compile_features")
def run(spec: Mapping[str, Any], work: Work) -> Commit:
    """``spec``: datasets (the first is labelled, the others are context), timeframe, start, end, and either ``rules`` or ``plan`` and ``observed``."""
    work.stage("Load bars")
    feature_set = feature_sets.read(dict(spec) | dict(columns=[]), work)
    member = feature_set.members[0]
    ends = member.context.ends(member.bars)
    work.progress(0.05)
    labels, beside, facts, frames = _by_rules(feature_set, member, work) if spec.get("rules") else _fitted(spec, member, ends, work)
    work.stage("Report")
    frames = dict(frames) | dict(
        regimes=pd.DataFrame(dict(ts=member.bars["ts"], end=pd.to_datetime(ends, utc=True)) | beside | dict(label=np.asarray(labels.astype(object)))),
        price=member.bars[["ts", "close"]],
    )
    stored = {name: work.store.frames.put(frame) for name, frame in frames.items()}
    work.progress(0.98)
    return save_run("regimes", feature_set, work, _summary(member, spec, labels, ends, facts), stored, regimes=list(labels.categories))


def p_column(name: str) -> str:
    """The column of a state's probability.

    >>> p_column("state 1")
    'p_state_1'
    """
    return f"p_{name.replace(' ', '_')}"


def _by_rules(feature_set: FeatureSet, member: Member, work: Work) -> tuple[pd.Categorical, dict[str, Any], dict[str, Any], dict[str, pd.DataFrame]]:
    from domain.features import parse
    from domain.features.regimes import REGIME_RULES, coded

    work.stage("Label")
    uses = [parse(text) for text in feature_set.spec["rules"]]
    columns = member.computed(uses, feature_set.cache, work.within(0.05, 0.9))
    labels = combined(*(coded(columns[use.column].to_numpy(np.float64), REGIME_RULES[use.name]) for use in uses))
    return labels, {}, dict(kind="rule", transition=_plain(transition_shares(labels))), {}


def _fitted(spec: Mapping[str, Any], member: Member, ends: np.ndarray, work: Work) -> tuple[pd.Categorical, dict[str, Any], dict[str, Any], dict[str, pd.DataFrame]]:
    work.stage("Input features")
    from domain.features.regimes import facts, observations, walk_forward

    plan = build(FitConfig, spec["plan"])
    seen = observations(member.bars, member.context, spec["observed"] or None)
    train, step = plan.rows(len(seen), float(ends[-1] - ends[0]) / DAY)
    work.progress(0.08)
    work.stage("Fit")
    count = -(-(len(seen) - train) // step)
    progress = work.within(0.08, 0.9)
    walked = walk_forward(
        seen, train, step, plan.kind, plan.number, plan.seed, plan.restarts, anchored=plan.anchored,
        watch=lambda share: progress(share, f"model {min(int(share * count) + 1, count):,} of {count:,}"),
    )  # fmt: skip
    last = walked.refits[-1].model
    fitted = dict(
        kind=plan.kind, observed=list(seen), train=train, step=step, refits=len(walked.refits), stability=finite(walked.stability), kept=sum(bool(refit.remark) for refit in walked.refits),
        in_order=all(refit.in_order for refit in walked.refits), candidates=[candidate._asdict() for candidate in walked.refits[0].model.candidates], transition=_plain(np.array(last.transition)),
        facts=_records(facts(last)), model=json.loads(last.to_json()),
    )  # fmt: skip
    beside = {p_column(name): walked.probabilities[:, k] for k, name in enumerate(walked.names)}
    return walked.labels, beside, fitted, dict(refits=_refits(walked, member.bars["ts"]))


def _refits(walked: Any, ts: pd.Series) -> pd.DataFrame:
    """One row a model, with the times of its rows."""
    table = walked.table
    at = {f"{name}_ts": ts.iloc[table[name] - (name == "used_to")].to_numpy() for name in ("first", "used_from", "used_to")}
    return table.assign(**{name: pd.to_datetime(values, utc=True) for name, values in at.items()})


def _summary(member: Member, spec: Mapping[str, Any], labels: pd.Categorical, ends: np.ndarray, facts: Mapping[str, Any]) -> dict[str, Any]:
    labelled = int((labels.codes >= 0).sum())
    if not labelled:
        raise BadRequest(f"none of the {len(labels):,} bars got a label: the inputs of the labels have no value on them; give more bars")
    edges = [member.bars["ts"].iloc[edge].isoformat() for edge in (0, -1)]
    about = dict(instrument=member.name, timeframe=spec["timeframe"], bars=len(labels), labelled=labelled, edges=edges, names=[str(name) for name in labels.categories])
    return about | dict(lived=_records(regime_statistics(labels, member.bars["close"].to_numpy(), ends))) | dict(facts)


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value if isinstance(value, str) else finite(value) for name, value in row.items()} for row in frame.to_dict("records")]


def _plain(matrix: np.ndarray) -> list[list[float | None]]:
    return [[finite(value) for value in row] for row in matrix]
