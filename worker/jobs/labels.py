"""Labels by which the stability of features is analysed, each as known at the end of its bar: by rule, by a regime run, by a fitted model."""

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
LABELS = {"volatility": "volatility_regime", "trend": "trend_regime"}       # label -> rule that gives it


@dataclass(frozen=True)
class Labels:
    """``words``: label -> a word for each row, empty for none. ``notes``: sentences on where they come from. ``frames``: stored tables they were read from."""

    words: dict[str, np.ndarray]
    notes: tuple[str, ...] = ()
    frames: Mapping[str, str] = field(default_factory=dict)


def labels(feature_set: FeatureSet, work: Work, watch: Watch) -> Labels:
    """By rules; and by ``regimes`` (instrument, run, frame: the stored labels of a regime run) or ``regime_model`` of the spec, where it has one."""
    words = by_rule(feature_set, watch)
    if runs := feature_set.spec.get("regimes"):
        stored = {run["instrument"]: _stored_regimes(run, work) for run in runs}
        words_of = [as_known(stored[member.name], member.context.ends(member.bars)) if member.name in stored else np.full(len(member.bars), "", object) for member in feature_set.members]
        return Labels(words | {REGIME: np.concatenate(words_of)}, _of_runs(feature_set, runs, words_of), {f"regimes_{run['instrument']}": run["frame"] for run in runs})
    if model_spec := feature_set.spec.get("regime_model"):
        model = RegimeModel.from_json(json.dumps(model_spec))
        return Labels(words | {REGIME: np.concatenate([by_model(model, member) for member in feature_set.members])}, (_of_model(model),))
    return Labels(words)


def by_rule(feature_set: FeatureSet, watch: Watch) -> dict[str, np.ndarray]:
    """Label -> a word for each row; labels that are nowhere known are left out."""
    labels = {}
    for label, rule in LABELS.items():
        rule_use = use(rule)
        columns = [member.computed([rule_use], feature_set.cache, watch)[rule_use.column].to_numpy() for member in feature_set.members]
        values = np.concatenate(columns)
        if np.isfinite(values).any():
            labels[label] = pd.Series(values).map(REGIME_RULES[rule]).fillna("").to_numpy()
    return labels


def as_known(regime_frame: pd.DataFrame, ends: np.ndarray) -> np.ndarray:
    """The label that was known at each instant, nanoseconds UTC: of the last bar of ``regime_frame`` (end, label) that had ended by then. Empty before the first
    label and after the last bar.

    >>> regime_frame = pd.DataFrame(dict(end=pd.to_datetime([10, 20, 30], utc=True), label=[None, "calm", "volatile"]))
    >>> as_known(regime_frame, np.array([9, 10, 25, 30, 31])).tolist()
    ['', '', 'calm', 'volatile', '']
    """
    regimes = Regimes(nanoseconds(regime_frame["end"]), pd.Categorical(regime_frame["label"]))
    words = pd.Series(regimes.at(ends)).astype(object)
    return words.where(words.notna() & (ends <= regimes.ends[-1]), "").to_numpy(object)


def by_model(model: RegimeModel, member: Member) -> np.ndarray:
    """The most probable state at each bar, filtered: from that bar and earlier ones. Empty before the first bar of which the model knows all columns."""
    seen = observations(member.seen, member.context, model.columns)
    complete = seen.notna().all(axis=1).to_numpy()
    if not complete.any():
        raise BadRequest(f"the regime model uses {listed(model.columns)}, which never have a value together on these bars of {member.name}; give more bars, or a model with other input columns")
    words = np.asarray(model.labels(model.filtered(seen)).astype(object))
    words[: complete.argmax()] = ""
    return words[member.bars_of_history :]


def _stored_regimes(run: Mapping[str, Any], work: Work) -> pd.DataFrame:
    try:
        return work.store.frames.get(run["frame"], ["end", "label"])
    except (OSError, pa.ArrowException):
        raise BadRequest(f"the regimes of run {run['run']} are no longer stored, or no longer readable; choose another run of regimes, or none") from None


def _of_runs(feature_set: FeatureSet, runs: Sequence[Mapping[str, Any]], labels: Sequence[np.ndarray]) -> tuple[str, ...]:
    """Notes on how many bars each run has labelled."""
    counts = {member.name: (int((words != "").sum()), len(words)) for member, words in zip(feature_set.members, labels, strict=True)}
    notes = tuple(f"The regimes of {run['instrument']} are those of run {run['run']}, as they were known at each bar's end: {counts[run['instrument']][0]:,} of {counts[run['instrument']][1]:,} bars have one." for run in runs)
    return notes + tuple(f"No run of regimes was chosen for {name}, so its bars have none." for name in counts if name not in {run["instrument"] for run in runs})


def _of_model(model: RegimeModel) -> str:
    return f"Regimes are inferred bar by bar by a model fitted on {model.trained[0]} to {model.trained[1]}. On bars of that span it has been fitted to what came after each of them; use a walk-forward fit for regimes that were known at the time."
