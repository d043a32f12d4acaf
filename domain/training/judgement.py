"""The report of a training: what its predictions are worth, what the control says, how much was tried, and one honest sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from domain.models.base import Task
from domain.training import equity
from domain.training.calibration_table import calibration_table, level_table, pair_table
from domain.training.compared import against_baselines
from domain.training.control import control as control_of
from domain.training.grouped import row_of, tables
from domain.training.plain_values import plain_values
from domain.training.protocols import FoldLike, ResultLike, SetLike, Tried
from domain.training.scores import Outputs, outputs_of, scores_of
from domain.training.verdict import WALK, Evidence, verdict

if TYPE_CHECKING:
    from domain.training.question import Question

MAIN = dict(binary="auc", classes="auc", number="rank_ic")
TITLES = dict(auc="ROC AUC", rank_ic="rank IC", crps="CRPS")


def report_of(
    question: Question, sample_set: SetLike, folds: Sequence[FoldLike], results: Sequence[ResultLike], control: Mapping[str, Any] | None, trials: Tried | None = None,
    *, regimes: Sequence[Any] | None = None, leak: str = "",
) -> dict[str, Any]:  # fmt: skip
    """``verdict trials control scores baselines crossed``, plain JSON: no NaN, and a reason beside each value that does not exist.

    ``folds``: all of the question; ``results``: those that were fitted. ``control``: what ``control.control`` gave, None where it was not made. ``regimes``: name of
    the regime known at each sample (filtered, by row of the samples), None without. ``leak``: what the gate found, empty where it is green.

    ``verdict``: ``state`` (red: nothing of it can be believed; green; amber; open: nothing could be judged), ``sentence``, ``reasons``, ``complete``.
    ``trials``: ``family count counted variance``, ``dsr`` and its ``reason``, ``significance``.
    ``scores``: ``task main all raw``, lists of rows by ``fold year regime months path``, ``calibration levels coverage``, ``filter`` and ``equity`` (None where samples
    are no trades), ``reasons``. ``baselines``: rows of ``compared.against_baselines``. ``crossed``: share of rows whose quantiles were not in order before they were sorted.
    """
    samples = sample_set.samples
    frame = predictions_of(results)
    outputs = outputs_of(list(frame), samples.task, samples.classes)
    scores, by_day = _scores(frame, outputs, folds, results, sample_set, regimes)
    baselines = against_baselines(results, outputs, question.seed) if len(frame) else []
    counted = _trials(question, trials or Tried(), by_day, walks=question.scheme == WALK)
    control_ = _control(question, control, results, samples.task, samples.classes)
    whole = {int(fold.number) for fold in folds} == {int(result.fold) for result in results}
    judged = verdict(_evidence(question, scores, baselines, counted, control_, leak, whole=whole))
    return plain_values(dict(
        verdict=judged | dict(complete=whole), trials=counted, control=control_, scores=scores, baselines=baselines, crossed=_crossed(results, outputs),
    ))  # fmt: skip


def predictions_of(results: Sequence[ResultLike]) -> pd.DataFrame:
    """All predictions, by fold."""
    frames = [result.predictions for result in results if len(result.predictions)]
    if not frames:
        return pd.DataFrame({name: np.zeros(0) for name in ("fold", "path", "sample", "start", "end", "y")})
    return pd.concat(frames, ignore_index=True)


def _scores(
    frame: pd.DataFrame, outputs: Outputs, folds: Sequence[FoldLike], results: Sequence[ResultLike], sample_set: SetLike, regimes: Sequence[Any] | None,
) -> tuple[dict[str, Any], pd.DataFrame | None]:  # fmt: skip
    scores: dict[str, Any] = dict(task=outputs.task, main=main_of(outputs))
    if not len(frame):
        return scores | dict(all=None, raw=None, filter=None, equity=None, reasons=dict(all="Nothing was tested.")), None
    given = tables(frame, outputs, folds, sample_set, regimes, {result.fold: getattr(result, "sizes", {}) for result in results})
    scores |= dict(all=row_of(frame, outputs), raw=_raw(frame, outputs)) | given | _calibration(frame, outputs)
    if not equity.has_trades(frame):
        scores["reasons"] = scores["reasons"] | dict(equity=equity.NO_TRADES)
        return scores | dict(filter=None, equity=None), None
    paths = equity.paths_of(frame)
    spreads = {name: equity.spread([path[name] for path in paths]) for name in ("sum_r", "sum_r_taken", "mean_r", "mean_r_taken")}
    by_day = equity.daily_r(frame.drop_duplicates("sample", keep="last"))      # where tests overlap, of the model that was fitted last
    scores |= dict(filter=equity.filter_gain(frame) | dict(paths=paths, spread=spreads))
    if len(paths) > 1:
        scores["reasons"] = scores["reasons"] | dict(equity="Paths show spread; only a walk-forward has the equity that would have been there.")
        return scores | dict(equity=None), None
    return scores | dict(equity=equity.equity_of(by_day) | dict(curve=equity.curve(by_day))), by_day


def main_of(outputs: Outputs) -> str:
    """The score that is spoken of first: AUC of probabilities, CRPS of quantiles, rank IC of numbers."""
    return "crps" if outputs.quantiles else MAIN[outputs.task]


def _raw(frame: pd.DataFrame, outputs: Outputs) -> dict[str, Any] | None:
    """Scores before calibration, None where there was none."""
    raw = outputs_of(list(frame), outputs.task, outputs.classes, "raw_")
    there = {*raw.p, *raw.quantiles, *([] if raw.quantiles or raw.p else ["raw_value"])} <= set(frame)
    return scores_of(frame, raw, "raw_") if there else None


def _calibration(frame: pd.DataFrame, outputs: Outputs) -> dict[str, Any]:
    y = frame["y"].to_numpy(float)
    calibration: list[dict[str, Any]] = []
    for number, name in enumerate(outputs.p):
        of_class = y if outputs.task == "binary" else (y == number) * 1.0
        named = {} if outputs.task == "binary" else {"class": outputs.classes[number]}
        calibration += [named | row for row in calibration_table(of_class, frame[name].to_numpy(float))]
    if not outputs.quantiles:
        return dict(calibration=calibration, levels=[], coverage=[])
    quantiles = frame[list(outputs.quantiles)].to_numpy(float)
    return dict(calibration=calibration, levels=level_table(y, quantiles, outputs.levels), coverage=pair_table(y, quantiles, outputs.levels, outputs.pairs))


def _trials(question: Question, trials: Tried, by_day: pd.DataFrame | None, *, walks: bool) -> dict[str, Any]:
    facts: dict[str, Any] = dict(family=question.family, count=trials.count, counted=trials.counted, variance=trials.variance, dsr=None, significance=None, reason="")
    if by_day is None or not walks:
        return facts | dict(reason=equity.NO_TRADES if walks else "Paths have no deflated Sharpe ratio: only a walk-forward's equity would have been there.")
    significance = equity.deflated(by_day, trials)
    why = "" if significance.dsr is not None else "The daily R does not vary, or there are too few days."
    return facts | dict(dsr=significance.dsr, significance=asdict(significance), reason=why)


def _control(question: Question, control: Mapping[str, Any] | None, results: Sequence[ResultLike], task: Task, classes: Sequence[str]) -> dict[str, Any]:
    """Of a question whose own labels are permuted: its own folds, if the control did not fail already."""
    control_ = dict(control or dict(state="open", sentence="The control was not made.", folds=0, rows=0, auc=None, auc_error=None, rank_ic=None, ic_error=None))
    if question.shuffle_labels and control_["state"] != "red" and question.scheme == WALK and results:
        return control_of(results, task, classes)
    return control_


def _evidence(
    question: Question, scores: Mapping[str, Any], baselines: Sequence[Mapping[str, Any]], trials: Mapping[str, Any], control: Mapping[str, Any], leak: str, *, whole: bool,
) -> Evidence:  # fmt: skip
    every = scores["all"] or {}
    filtered = scores["filter"]
    return Evidence(
        scheme=question.scheme, learner=question.learner, rows=every.get("rows", 0), control=control, leak=leak, shuffled=question.shuffle_labels,
        main=(TITLES[scores["main"]], every.get(scores["main"])), baselines=baselines, traded=every if filtered is not None else None, gain=filtered,
        paths=filtered and filtered["spread"], dsr=trials["dsr"], trials=trials["count"], whole=whole,
    )  # fmt: skip


def _crossed(results: Sequence[ResultLike], outputs: Outputs) -> dict[str, Any]:
    """``share`` over all rows, None without quantiles, and by ``fold``."""
    if not outputs.quantiles:
        return dict(share=None, fold=[], reason="There are no quantiles.")
    rows = [(int(result.fold), float(result.crossed or 0.0), len(result.predictions)) for result in results]
    return dict(share=sum(share * count for _, share, count in rows) / sum(count for *_, count in rows), fold=[dict(fold=fold, share=share) for fold, share, _ in rows], reason="")
