"""The groups of bars in which the laboratory looks whether a feature holds, each as it was known at the bar's own end: by rule, by a run of regimes, by a fitted model."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from domain.analytics.metrics import nanoseconds
from domain.errors import BadRequest, listed
from domain.features import use
from domain.features.regimes import RegimeModel, Regimes, observations
from domain.features.regimes.labels import REGIME_RULES
from worker.jobs.base import Work
from worker.jobs.feature_sets import FeatureSet, Member, Watch

REGIME = "regime"
LABELS = {"volatility": "volatility_regime", "trend": "trend_regime"}       # label -> rule that tells it


@dataclass(frozen=True)
class Labels:
    """``words``: label -> a word for each row, empty for none. ``notes``: sentences on where they come from. ``frames``: stored tables they were read from."""

    words: dict[str, np.ndarray]
    notes: tuple[str, ...] = ()
    frames: Mapping[str, str] = field(default_factory=dict)


def labels(asked: FeatureSet, work: Work, watch: Watch) -> Labels:
    """By rules; and by ``regimes`` (instrument, run, frame: what a run of regimes has kept) or ``regime_model`` of the spec, where it has one."""
    words = by_rule(asked, watch)
    if told := asked.spec.get("regimes"):
        found = {one["instrument"]: _as_kept(one, work) for one in told}
        made = [as_known(found[member.name], member.context.ends(member.bars)) if member.name in found else np.full(len(member.bars), "", object) for member in asked.members]
        return Labels(words | {REGIME: np.concatenate(made)}, _of_runs(asked, told, made), {f"regimes_{one['instrument']}": one["frame"] for one in told})
    if said := asked.spec.get("regime_model"):
        model = RegimeModel.from_json(json.dumps(said))
        return Labels(words | {REGIME: np.concatenate([by_model(model, member) for member in asked.members])}, (_of_model(model),))
    return Labels(words)


def by_rule(asked: FeatureSet, watch: Watch) -> dict[str, np.ndarray]:
    """Label -> a word for each row; labels that are nowhere known are left out."""
    found = {}
    for label, rule in LABELS.items():
        one = use(rule)
        columns = [member.computed([one], asked.cache, watch)[one.column].to_numpy() for member in asked.members]
        values = np.concatenate(columns)
        if np.isfinite(values).any():
            found[label] = pd.Series(values).map(REGIME_RULES[rule]).fillna("").to_numpy()
    return found


def as_known(kept: pd.DataFrame, ends: np.ndarray) -> np.ndarray:
    """The label that was known at each instant, nanoseconds UTC: of the last bar of ``kept`` (end, label) that had ended by then. Empty before the first
    label and after the last bar.

    >>> kept = pd.DataFrame(dict(end=pd.to_datetime([10, 20, 30], utc=True), label=[None, "calm", "volatile"]))
    >>> as_known(kept, np.array([9, 10, 25, 30, 31])).tolist()
    ['', '', 'calm', 'volatile', '']
    """
    regimes = Regimes(nanoseconds(kept["end"]), pd.Categorical(kept["label"]))
    words = pd.Series(regimes.at(ends)).astype(object)
    return words.where(words.notna() & (ends <= regimes.ends[-1]), "").to_numpy(object)


def by_model(model: RegimeModel, member: Member) -> np.ndarray:
    """The most probable state at each bar, filtered: from that bar and earlier ones. Empty before the first bar of which the model knows all columns."""
    seen = observations(member.seen, member.context, model.columns)
    known = seen.notna().all(axis=1).to_numpy()
    if not known.any():
        raise BadRequest(f"the regime model looks at {listed(model.columns)}, which never have a value together on these bars of {member.name}; give more bars, or a model that looks at other columns")
    words = np.asarray(model.labels(model.filtered(seen)).astype(object))
    words[: known.argmax()] = ""
    return words[member.bars_of_history :]


def _as_kept(told: Mapping[str, Any], work: Work) -> pd.DataFrame:
    try:
        return work.store.frames.get(told["frame"], ["end", "label"])
    except (OSError, pa.ArrowException):
        raise BadRequest(f"the regimes of run {told['run']} are no longer stored, or no longer readable; choose another run of regimes, or none") from None


def _of_runs(asked: FeatureSet, told: Sequence[Mapping[str, Any]], made: Sequence[np.ndarray]) -> tuple[str, ...]:
    """How many bars each has told something of."""
    known = {member.name: (int((words != "").sum()), len(words)) for member, words in zip(asked.members, made, strict=True)}
    said = tuple(f"The regimes of {one['instrument']} are those of run {one['run']}, as they were known at each bar's end: {known[one['instrument']][0]:,} of {known[one['instrument']][1]:,} bars have one." for one in told)
    return said + tuple(f"No run of regimes was chosen for {name}, so its bars have none." for name in known if name not in {one["instrument"] for one in told})


def _of_model(model: RegimeModel) -> str:
    return f"Regimes are told bar by bar by a model fitted on {model.trained[0]} to {model.trained[1]}. On bars of that span it has been fitted to what came after each of them; walk forward for groups that were really known."
