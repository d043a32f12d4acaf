"""Drift of one model: its columns on bars since training against those it learnt from, and its predictions against what came of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from domain.laboratory.information import benjamini_hochberg
from domain.params import build
from domain.training.columns import matrix_of
from domain.training.drift import DriftConfig, brier_drift, column_drift, coverage_drift, drift_verdict, expected_brier, marked
from domain.training.fitted_pipeline import FittedPipeline
from domain.training.inputs import Inputs
from domain.training.question import Question
from domain.training.samples import NEVER, sample_set
from domain.training.scores import Outputs, outputs_of
from domain.training.seen import as_seen
from domain.training.targets import TargetParams
from domain.training.train import strategy_of


def watched(question: Question, pipeline: FittedPipeline, learnt: Sequence[Inputs], now: Sequence[Inputs], since: int, config: DriftConfig | None = None, tested: pd.DataFrame | None = None) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The table of ``column_drift`` with ``instrument`` first, and ``state sentence alarms bars samples labelled coverage brier expected_brier``.

    ``learnt``: what the model was trained on, from ``since`` (int64 ns UTC) to ``pipeline.until``; ``now``: the same question's newest bars, of which those that end
    after ``pipeline.until`` are looked at, at most ``config.window`` of each instrument, and as many samples. ``tested``: y,
    the outputs, uniqueness and fold of what its question was tested on, by which Brier scores are judged. ``bars``: numbers of new bars by instrument. ``expected_brier``: of all
    probabilities since, known outcomes or not; None without probabilities.
    """
    config = config or DriftConfig()
    columns, bars = _columns(pipeline, learnt, now, since, config)
    frame, outputs = _predictions(question, pipeline, now, config)
    ended = frame[frame["end"] <= _last(now)] if len(frame) else frame
    unique = ended["uniqueness"].to_numpy(float)
    coverage, brier = _coverage(ended, outputs, unique, config), _brier(ended, outputs, unique, config, tested)
    expected = {name: expected_brier(frame[name].to_numpy(float)) for name in outputs.p}
    facts = dict(bars=bars, samples=len(frame), labelled=len(ended), coverage=coverage, brier=brier, expected_brier=sum(value for value in expected.values() if value) if len(frame) and expected else None)
    return columns, {**drift_verdict(columns, coverage, brier), **facts}


def _columns(pipeline: FittedPipeline, learnt: Sequence[Inputs], now: Sequence[Inputs], since: int, config: DriftConfig) -> tuple[pd.DataFrame, dict[str, int]]:
    """Each column of each instrument, corrected for all of them together."""
    tables, bars = [], {}
    for before, late in zip(learnt, now, strict=True):
        (seen, ended), (new, ends) = _matrix(before, pipeline.columns), _matrix(late, pipeline.columns)
        reference, recent = seen[(ended >= since) & (ended <= pipeline.until)], new[ends > pipeline.until]
        name = late.series.instrument.name
        bars[name] = len(recent)
        table = column_drift(reference, recent[-config.window :], [column for column in pipeline.columns if column in _names(late)], config)
        table.insert(0, "instrument", name)
        tables.append(table)
    table = pd.concat(tables, ignore_index=True)
    table["q"] = benjamini_hochberg(table["p"].to_numpy(float))
    return marked(table, config), bars


def _names(inputs: Inputs) -> list[str]:
    return [*(use.column for use in inputs.uses), *inputs.extra]


def _matrix(inputs: Inputs, columns: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Those of ``columns`` that bars have (a signal's own are not among them), and the end of each bar."""
    matrix = matrix_of([inputs], drop=False)
    places = [matrix.columns.index(name) for name in columns if name in matrix.columns]
    return matrix.values[:, places].astype(float), inputs.context.ends(inputs.series.seen)


def _last(now: Sequence[Inputs]) -> int:
    """When the last bar ended: what ends later is not known."""
    return max(int(each.context.ends(each.series.seen)[-1]) for each in now if len(each.series.seen))


def _predictions(question: Question, pipeline: FittedPipeline, now: Sequence[Inputs], config: DriftConfig) -> tuple[pd.DataFrame, Outputs]:
    """The newest samples that start after training, with what the model says of them."""
    sampled = sample_set(now, strategy_of(question), question.target, build(TargetParams, question.target_params), labelled=False)
    samples = as_seen(sampled, pipeline.columns)
    outputs = outputs_of(list(pipeline.outputs), samples.task, samples.classes)
    frame = pipeline.predict(samples).assign(y=samples.y, end=samples.end, uniqueness=sampled.uniqueness)
    new = np.flatnonzero(samples.start > pipeline.until)[-config.window :]
    frame = frame.iloc[new].reset_index(drop=True)
    return frame.assign(end=frame["end"].where(np.isfinite(frame["y"]), NEVER)), outputs


def _coverage(ended: pd.DataFrame, outputs: Outputs, unique: np.ndarray, config: DriftConfig) -> list[dict[str, Any]]:
    """A row a pair of quantiles."""
    pairs = [(outputs.levels[high] - outputs.levels[low], *(ended[outputs.quantiles[place]].to_numpy(float) for place in (low, high))) for low, high in outputs.pairs]
    return [coverage_drift(ended["y"].to_numpy(float), low, high, nominal, unique, config) for nominal, low, high in pairs]


def _brier(ended: pd.DataFrame, outputs: Outputs, unique: np.ndarray, config: DriftConfig, tested: pd.DataFrame | None) -> list[dict[str, Any]]:
    """A row a probability, a class against all others."""
    several = replace(config, brier=config.brier if len(outputs.p) < 2 else config.brier + 0.5)       # several are looked at
    rows = []
    for number, name in enumerate(outputs.p):
        event = _event(ended["y"].to_numpy(float), number, outputs)
        before = None if tested is None else pd.DataFrame(dict(y=_event(tested["y"].to_numpy(float), number, outputs), p=tested[name], uniqueness=tested["uniqueness"], fold=tested["fold"]))
        rows.append(dict(output=name) | brier_drift(event, ended[name].to_numpy(float), unique, several, before))
    return rows


def _event(y: np.ndarray, number: int, outputs: Outputs) -> np.ndarray:
    return y if outputs.task == "binary" else (y == number) * 1.0
