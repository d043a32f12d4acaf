"""An explanation of a trained question: the tables that a page shows, of its folds' models on their own test parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from domain.errors import BadRequest
from domain.models.base import Samples
from domain.models.waiting import waited
from domain.training.altered import LEAST, Watch, spread
from domain.training.explain import boundary, partial_dependence, permutation_importance
from domain.training.fitted_pipeline import FittedPipeline

ROWS, CURVES, PAIRS, SINGLE = 6_000, 6, 3, 200       # samples over all folds, columns with a curve, columns that are paired, samples explained one by one


@dataclass(frozen=True)
class Explanation:
    """``tables``: importance (of all folds), dependence, boundary and contributions (of the last one). ``summary``: loss, fold, folds, samples, output, score,
    middle, contributions, no_contributions."""

    tables: Mapping[str, pd.DataFrame]
    summary: Mapping[str, Any]


def explain(pipelines: Sequence[FittedPipeline], tests: Sequence[Samples], instruments: Sequence[str], seed: int, watch: Watch) -> Explanation:
    """``pipelines``: of the folds, in order, each with its test part. Raises BadRequest where no fold has a test sample."""
    held = [(number, pipeline, test) for number, (pipeline, test) in enumerate(zip(pipelines, tests, strict=True)) if len(test)]
    if not held:
        raise BadRequest("no fold of this run has a test sample; there is nothing to explain its model on")
    number, last, test = held[-1]
    most = max(200, ROWS // len(held))
    importance = permutation_importance([pipeline for _, pipeline, _ in held], [part for *_, part in held], seed, most=most, watch=lambda share: watch(0.6 * share))
    output = output_of(last)
    columns = [name for name in importance["column"] if varies(test, name)]
    curves, pairs = columns[:CURVES], list(combinations(columns[:PAIRS], 2))
    dependence = [partial_dependence(last, test, name, watch=part_of(watch, 0.6, 0.2, k, len(curves))).assign(column=name) for k, name in enumerate(curves)]
    bounds = [boundary(last, test, pair, watch=part_of(watch, 0.8, 0.15, k, len(pairs))).assign(first=pair[0], second=pair[1]) for k, pair in enumerate(pairs)]
    contributed = waited(lambda: contributions(last, spread(test, SINGLE), instruments), lambda share, loss=None: watch(share), 0.95)
    tables = dict(importance=importance, dependence=of_output(dependence, output, ("column", "value", "prediction", "low", "high")))
    tables["boundary"] = of_output(bounds, output, ("first", "second", "x", "y", "x0", "x1", "y0", "y1", "prediction"))
    summary = dict(
        loss=str(importance["loss"].iloc[0]).replace(" ", "_"), fold=number, folds=len(held), samples=int(sum(min(most, len(part)) for *_, part in held)), output=output, score=score_name(last), middle=middle_of(last),
        contributions=contributed is not None, no_contributions="" if contributed is not None else f"the learner {last.learner} has no exact contributions",
    )  # fmt: skip
    return Explanation(tables if contributed is None else tables | dict(contributions=contributed), summary)


def output_of(pipeline: FittedPipeline) -> str:
    """The output whose curves are drawn: the probability, the value, the middle quantile, or the last class."""
    outputs = pipeline.outputs
    if outputs[0].startswith("q_"):
        return min(outputs, key=lambda name: abs(float(name.removeprefix("q_")) - 0.5))
    return "p_target" if "p_target" in outputs else outputs[-1]


def middle_of(pipeline: FittedPipeline) -> float | None:
    """Where two decisions part: an even chance, or a result of 0; None where there is no such point."""
    return 0.5 if pipeline.task == "binary" else 0.0 if pipeline.target in ("r", "return") else None


def score_name(pipeline: FittedPipeline) -> str:
    """What contributions add up to."""
    explained = pipeline.outputs[int(getattr(pipeline.fitted, "explained", 0))]
    before = dict(sigmoid="log-odds of ", softmax="linear score of ")       # a forest's leaves hold probabilities, which are added up as they are
    return before.get(getattr(pipeline.fitted, "link", ""), "") + explained


def contributions(pipeline: FittedPipeline, samples: Samples, instruments: Sequence[str]) -> pd.DataFrame | None:
    """A row a sample: ``start, instrument, y, score, base, prediction``, a contribution of each column and its ``value …``; they and the base add up to the score.
    None where the learner has none."""
    if pipeline.bars > 1:
        return None
    rows = samples.rows()
    shares = pipeline.fitted.contributions(rows)
    if shares is None:
        return None
    explained = pipeline.fitted.predict(rows)[:, int(getattr(pipeline.fitted, "explained", 0))]
    known = dict(sample=np.arange(len(samples)), start=pd.DatetimeIndex(samples.start.view("datetime64[ns]")).tz_localize("UTC"), instrument=np.array(instruments, object)[samples.instrument])
    named = dict(zip(samples.columns, shares[:, :-1].T, strict=True)) | {f"value {name}": rows[:, k].astype(np.float64) for k, name in enumerate(samples.columns)}
    return pd.DataFrame(known | dict(y=samples.y, score=shares.sum(axis=1), base=shares[:, -1], prediction=explained) | named)


def varies(samples: Samples, column: str) -> bool:
    """A column that has different values, so that a curve can be drawn."""
    values = samples.matrix[samples.at, samples.columns.index(column)]
    return len(np.unique(values[np.isfinite(values)])) >= LEAST


def of_output(tables: Sequence[pd.DataFrame], output: str, columns: tuple[str, ...]) -> pd.DataFrame:
    """One table of an output's rows."""
    rows = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=[*columns, "output"])
    return rows.loc[rows["output"] == output, list(columns)].reset_index(drop=True)


def part_of(watch: Watch, begin: float, share: float, number: int, count: int) -> Watch:
    """Progress of one of ``count`` parts that together are ``share`` of the work."""
    return lambda done: watch(begin + share * (number + done) / count)
