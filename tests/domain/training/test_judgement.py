"""The report of a training as a whole: what it holds, and that its sentence is honest."""

from __future__ import annotations

import json

import numpy as np
import pytest

from domain.training.judgement import report_of
from domain.training.protocols import Tried

from .predicted import fold, question, result, sample_set

GREEN = dict(state="green", sentence="Nothing was learnt of permuted labels: AUC 0.501, expected 0.5 ± 0.0100.", auc=0.501)
RED = dict(state="red", sentence="Something was learnt of permuted labels.", auc=0.7)
SIZE, FOLDS = 400, 3


def trained(knows: float, edge: float, take: float = 0.5, seed: int = 0, paths: int = 1, **request):
    """Signals with mean R ``edge`` and a filter that knows ``knows`` of each; the first fifth is trained on."""
    draw = np.random.default_rng(seed)
    n = SIZE * (FOLDS + 1)
    r = draw.normal(edge, 1.0, n)
    samples = sample_set((r > 0) * 1.0, r)
    score = knows * r + draw.normal(0, 1, n)
    p = 1 / (1 + np.exp(-knows * score))
    folds, results = [], []
    for number in range(FOLDS):
        rows = np.arange(SIZE * (number + 1), SIZE * (number + 2))
        folds.append(fold(number, np.arange(SIZE * number, rows[0] - 4), rows))
        taken = score[rows] > np.quantile(score, 1 - take) if take else np.zeros(SIZE, bool)
        parts = [result(number, samples, rows, dict(p=p[rows], raw_p=p[rows], taken=taken), path, baselines=dict(prior=(np.full((SIZE, 1), 0.5), ("p",)))) for path in range(paths)]
        results += parts
    return question(**request), samples, folds, results


def test_a_report_has_everything_in_plain_json():
    request, samples, folds, results = trained(1.0, 0.1)
    report = report_of(request, samples, folds, results, GREEN, Tried(3, None, True), regimes=np.array(["calm", "wild", ""] * 534, object)[: len(samples.r)])
    assert list(report) == ["verdict", "trials", "control", "scores", "baselines", "crossed"]
    json.dumps(report, allow_nan=False)
    scores = report["scores"]
    assert scores["task"] == "binary" and scores["main"] == "auc" and scores["all"]["rows"] == SIZE * FOLDS
    assert [row["fold"] for row in scores["fold"]] == [0, 1, 2] and sum(row["rows"] for row in scores["fold"]) == SIZE * FOLDS
    assert [row["year"] for row in scores["year"]] == [2020, 2021] or [row["year"] for row in scores["year"]] == [2020]
    assert [row["regime"] for row in scores["regime"]] == ["calm", "wild"]
    assert [row["months"] for row in scores["months"]] == [0, 1, 2, 3] and sum(row["rows"] for row in scores["months"]) == SIZE * FOLDS
    assert sum(row["count"] for row in scores["calibration"]) == SIZE * FOLDS and scores["raw"]["brier"] == scores["all"]["brier"]
    assert report["trials"]["family"] == "breakout" and report["trials"]["count"] == 3 and report["crossed"]["share"] is None


def test_scores_of_folds_are_those_of_their_rows_alone():
    request, samples, folds, results = trained(1.0, 0.1)
    report = report_of(request, samples, folds, results, GREEN)
    alone = report_of(request, samples, folds[1:2], results[1:2], GREEN)
    assert {**report["scores"]["fold"][1]} == {**alone["scores"]["fold"][0]}


def test_a_filter_that_helps_a_strategy_that_earns_is_green():
    report = report_of(*trained(1.5, 0.2), GREEN, Tried(3, None, True))
    assert report["verdict"]["state"] == "green" and report["verdict"]["reasons"] == []
    assert "The filter helps, and the strategy would have earned" in report["verdict"]["sentence"] and "with 3 trials" in report["verdict"]["sentence"]
    assert report["trials"]["dsr"] > 0.95 and report["baselines"][0]["state"] == "better"


def test_a_filter_that_helps_while_the_strategy_still_loses_is_stated_so():
    report = report_of(*trained(0.3, -0.8), GREEN)
    assert report["verdict"]["state"] == "amber" and report["verdict"]["sentence"].startswith("The filter helps, but the strategy still would have lost ")
    assert "The strategy loses with the filter, too." in report["verdict"]["reasons"]
    assert "earned" not in report["verdict"]["sentence"]


def test_a_filter_that_knows_nothing_is_not_shown_to_help():
    report = report_of(*trained(0.0, -0.2), GREEN)
    assert report["verdict"]["state"] == "amber" and "not shown to help" in report["verdict"]["sentence"]


def test_a_filter_that_takes_nothing():
    report = report_of(*trained(0.5, -0.5, take=0.0), GREEN)
    assert report["verdict"]["state"] == "amber" and report["verdict"]["sentence"].startswith("The filter takes none of 1,200 signals")
    assert report["trials"]["dsr"] is None and report["trials"]["reason"] and report["scores"]["filter"]["gain"] is None


def test_a_failed_control_and_a_leak_come_before_everything():
    given = trained(1.5, 0.2)
    assert report_of(*given, RED)["verdict"]["state"] == "red" and "The control failed" in report_of(*given, RED)["verdict"]["sentence"]
    leak = report_of(*given, GREEN, leak="column 'next' at bar 7 changes by 0.5 when later bars do.")["verdict"]
    assert leak["state"] == "red" and "bar 7" in leak["sentence"]


def test_only_a_walk_forward_says_what_would_have_been_earned():
    report = report_of(*trained(1.5, 0.2, paths=2, scheme="cpcv"), GREEN)
    text = json.dumps(report)
    assert "would have earned" not in text and "would have lost" not in text
    assert report["trials"]["dsr"] is None and report["scores"]["equity"] is None and [row["path"] for row in report["scores"]["path"]] == [0, 1]
    spread = report["scores"]["filter"]["spread"]["sum_r_taken"]
    assert spread["low"] == spread["high"] and "Paths show spread" in report["verdict"]["sentence"]


def test_one_class_in_a_fold_has_reasons_there_and_scores_elsewhere():
    request, samples, folds, results = trained(1.0, 0.1)
    results[0].predictions["y"] = 1.0
    report = report_of(request, samples, folds, results, GREEN)
    first, second = report["scores"]["fold"][:2]
    assert first["auc"] is None and first["reasons"]["auc"] == "All rows are of one class." and second["auc"] > 0.5 and not second["reasons"]
    json.dumps(report, allow_nan=False)


def test_nothing_tested_is_open():
    request, samples, folds, _ = trained(1.0, 0.1)
    report = report_of(request, samples, folds, [], None)
    assert report["verdict"]["state"] == "open" and report["verdict"]["complete"] is False and report["scores"]["all"] is None
    json.dumps(report, allow_nan=False)


def test_permuted_labels_are_judged_as_a_control():
    """A filter that knows what it was not told: labels permuted, and found all the same."""
    assert report_of(*trained(1.0, 0.1, shuffle_labels=True), GREEN)["verdict"]["state"] == "red"
    nothing = report_of(*trained(0.0, 0.1, shuffle_labels=True), GREEN)
    assert nothing["verdict"]["state"] == "open" and nothing["control"]["state"] == "green" and "nothing to learn" in nothing["verdict"]["sentence"]


def test_a_partial_run_says_so():
    request, samples, folds, results = trained(1.5, 0.2)
    verdict = report_of(request, samples, folds, results[:2], GREEN, Tried(1))["verdict"]
    assert verdict["complete"] is False and verdict["state"] == "amber" and verdict["reasons"][0] == "Partial: not every fold was fitted."


def forecasts(knows: float, seed: int = 0):
    draw = np.random.default_rng(seed)
    known, y = draw.normal(size=800), np.zeros(800)
    y = knows * known + draw.normal(size=800)
    samples = sample_set(y, task="number")
    width = np.array([-1.2816, 0.0, 1.2816])
    columns = {f"q_{level}": knows * known + at for level, at in zip((0.1, 0.5, 0.9), width, strict=True)}
    rows = np.arange(200, 800)
    linear = np.tile(width * np.sqrt(1 + knows**2), (600, 1))
    request = question(target="return", strategy="", learner="quantiles")
    own = result(0, samples, rows, {name: values[rows] for name, values in columns.items()}, baselines=dict(climatology=(linear, tuple(columns))), crossed=0.25)
    return request, samples, [fold(0, np.arange(190), rows)], [own]


def test_forecasts_have_no_equity_and_say_why():
    report = report_of(*forecasts(1.0), GREEN)
    assert report["verdict"]["state"] == "green" and report["verdict"]["sentence"].startswith("Better than every baseline: ") and "climatology" in report["verdict"]["sentence"]
    assert report["trials"]["family"] == "forecast" and report["trials"]["dsr"] is None and "no trades" in report["trials"]["reason"]
    assert report["scores"]["main"] == "crps" and report["scores"]["coverage"][0]["nominal"] == pytest.approx(0.8)
    assert 0.75 < report["scores"]["all"]["coverage"] < 0.85 and report["crossed"] == dict(share=0.25, fold=[dict(fold=0, share=0.25)], reason="")
    json.dumps(report, allow_nan=False)


def test_a_forecast_that_is_not_better_is_not_called_so():
    verdict = report_of(*forecasts(0.0), GREEN)["verdict"]
    assert verdict["state"] == "amber" and "Quantiles is not shown to be better than climatology" in verdict["sentence"]
