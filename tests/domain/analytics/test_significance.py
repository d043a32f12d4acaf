"""Luck: published numbers, a slow and simple reference implementation of the cross-validation, pure noise and one true edge."""

from __future__ import annotations

import dataclasses
import json
import math
from itertools import combinations

import numpy as np
import pytest

from domain.analytics import (
    cscv,
    deflated_sharpe,
    expected_max,
    minimum_track_record,
    overfitting,
    pbo,
    probabilistic_sharpe,
    significance_of,
)
from domain.analytics.significance import luck_beats, trial_variance
from domain.errors import BadRequest
from tests.domain.analytics.makers import ORACLES, oracle

FILE = "psr_dsr_mintrl.json"


@pytest.mark.data
@oracle(FILE)
def test_numbers_are_those_of_the_papers():
    functions = set()
    for case in json.loads((ORACLES / FILE).read_text())["cases"]:
        wanted = case.get("recomputed", case.get("expected"))
        if case["fn"] == "psr":
            value = probabilistic_sharpe(1.585 / math.sqrt(12), case["T"], case["skew"], case["kurtosis"], case["benchmark"])
        elif case["fn"] == "expected_max":
            value = expected_max(case["N"])
        elif case["fn"] == "dsr":
            value = deflated_sharpe(case["sr_annual"] / math.sqrt(250), case["T"], case["N"], 0.5 / 250, case["skew"], case["kurtosis"])
        elif case["fn"] == "minTRL_years":
            year = case["periods"]
            value = minimum_track_record(case["sr_annual"] / math.sqrt(year), case["skew"], case["kurtosis"], case["target_annual"] / math.sqrt(year), case["prob"]) / year
        else:
            continue
        assert value == pytest.approx(wanted, rel=1e-9), case
        functions.add(case["fn"])
    assert functions == {"psr", "expected_max", "dsr", "minTRL_years"}


def test_expected_max_is_near_what_draws_give():
    draws = np.random.default_rng(1).normal(size=(20_000, 50)).max(axis=1)
    assert expected_max(50) == pytest.approx(draws.mean(), abs=0.04) and expected_max(1) == 0.0
    assert luck_beats(0.1, 101, 50) == pytest.approx((draws >= 1.0).mean(), abs=0.01)
    with pytest.raises(BadRequest, match="at least 1"):
        expected_max(0)


def test_the_shortest_track_record_reaches_its_confidence():
    periods = minimum_track_record(0.08, -0.5, 5.0)
    assert probabilistic_sharpe(0.08, math.ceil(periods), -0.5, 5.0) >= 0.95 > probabilistic_sharpe(0.08, math.floor(periods) - 1, -0.5, 5.0)
    assert minimum_track_record(-0.01) == math.inf


def test_more_trials_make_the_same_sharpe_less_believable():
    values = [deflated_sharpe(0.1, 500, trials) for trials in (1, 10, 100, 10_000)]
    assert values == sorted(values, reverse=True) and values[0] == pytest.approx(probabilistic_sharpe(0.1, 500))


def test_of_series_without_an_edge_one_in_twenty_looks_significant():
    rng = np.random.default_rng(2)
    results = [significance_of(row) for row in rng.normal(0.0, 0.01, (800, 250))]
    assert np.mean([result.psr > 0.95 for result in results]) == pytest.approx(0.05, abs=0.025)
    assert np.mean([result.psr for result in results]) == pytest.approx(0.5, abs=0.04)


def test_of_the_best_of_many_trials_few_pass_once_trials_are_counted():
    rng = np.random.default_rng(3)
    best = [max((significance_of(row, trials=20) for row in rng.normal(0.0, 0.01, (20, 250))), key=lambda result: result.sharpe) for _ in range(60)]
    assert np.mean([result.psr > 0.95 for result in best]) > 0.5
    assert np.mean([result.dsr > 0.95 for result in best]) < 0.1


def test_a_series_without_information_has_no_figures_and_is_valid_json():
    for returns in ([], [0.01], [0.0] * 50, [np.nan] * 5):
        result = significance_of(np.array(returns))
        assert result.psr is None and result.dsr is None
        json.dumps(dataclasses.asdict(result), allow_nan=False)
    losing = significance_of(np.random.default_rng(1).normal(-0.01, 0.01, 100))
    assert losing.minimum_periods is None and losing.psr < 0.01


def slow(matrix: np.ndarray, blocks: int) -> list[tuple[int, float, float, float]]:
    """chosen, in sample, out of sample, rank of each split, by the words of the paper."""
    parts = np.split(matrix, blocks)
    splits = []
    for inside in combinations(range(blocks), blocks // 2):
        seen = np.concatenate([parts[block] for block in inside])
        unseen = np.concatenate([parts[block] for block in range(blocks) if block not in inside])
        first, second = (np.array([sharpe(column) for column in part.T]) for part in (seen, unseen))
        chosen = int(np.argmax(first))
        rank = (np.sum(second < second[chosen]) + (np.sum(second == second[chosen]) + 1) / 2) / (matrix.shape[1] + 1)
        splits.append((chosen, first[chosen], second[chosen], rank))
    return splits


def sharpe(column: np.ndarray) -> float:
    return column.mean() / column.std(ddof=1) if column.std() > 1e-15 else 0.0


@pytest.mark.parametrize(("blocks", "rows", "columns", "seed"), [(2, 10, 3, 0), (4, 40, 7, 1), (6, 66, 12, 2), (8, 80, 5, 3)])
def test_cross_validation_is_its_slow_reference(blocks, rows, columns, seed):
    rng = np.random.default_rng(seed)
    matrix = rng.normal(0.0005, 0.01, (rows, columns))
    matrix[:, 0] = 0.0                                  # one that never traded
    if columns > 4:
        matrix[:, 3] = matrix[:, 2]                     # and two that are the same
    splits, reference = cscv(matrix, blocks), slow(matrix, blocks)
    assert splits["chosen"].tolist() == [split[0] for split in reference]
    for place, name in enumerate(("in_sample", "out_of_sample", "rank"), start=1):
        np.testing.assert_allclose(splits[name], [split[place] for split in reference], atol=1e-12)
    result = overfitting(splits, rows, columns, blocks)
    seen, unseen = np.array(reference)[:, 1], np.array(reference)[:, 2]
    assert result.pbo == np.mean([split[3] <= 0.5 for split in reference]) and result.probability_of_loss == (unseen < 0).mean()
    if blocks > 2:
        assert (result.slope, result.intercept) == pytest.approx(np.polyfit(seen, unseen, 1), rel=1e-6)
        assert result.r_squared == pytest.approx(np.corrcoef(seen, unseen)[0, 1] ** 2)


def test_noise_is_overfitted_half_the_time():
    rng = np.random.default_rng(4)
    probabilities = [pbo(rng.normal(0, 0.01, (240, 40)).astype(np.float32), blocks=8).pbo for _ in range(40)]
    assert np.mean(probabilities) == pytest.approx(0.5, abs=0.06)


def test_one_true_edge_among_noise_is_not():
    matrix = np.random.default_rng(5).normal(0, 0.01, (960, 100)).astype(np.float32)
    matrix[:, 17] += 0.004
    result = pbo(matrix)
    assert result.pbo < 0.01 and result.probability_of_loss < 0.01 and result.splits == math.comb(16, 8)
    assert (cscv(matrix)["chosen"] == 17).all()


def test_float32_and_parts_of_any_size_give_the_same_choice(monkeypatch):
    import sys

    matrix = np.random.default_rng(6).normal(0.0002, 0.01, (100, 30)).astype(np.float32)
    splits = cscv(matrix, 8)
    monkeypatch.setattr(sys.modules["domain.analytics.significance"], "CELLS", 7 * 30)
    np.testing.assert_allclose(cscv(matrix, 8), splits, rtol=1e-9)
    assert trial_variance(matrix) == pytest.approx(np.var([sharpe(column) for column in matrix.astype(float).T], ddof=1))


def test_the_oldest_rows_that_fill_no_block_are_left_out():
    matrix = np.random.default_rng(7).normal(0, 0.01, (43, 6))
    np.testing.assert_array_equal(cscv(matrix, 4), cscv(matrix[3:], 4))
    assert pbo(matrix, 4).rows == 40


@pytest.mark.parametrize(("shape", "blocks", "words"), [((100, 1), 4, "at least 2 configurations"), ((100, 5), 3, "even number"), ((7, 5), 4, "at least 8"), ((100, 5), 4, "not finite")])
def test_invalid_input_is_refused_with_a_sentence(shape, blocks, words):
    matrix = np.zeros(shape)
    matrix[-1, -1] = np.nan if words == "not finite" else 0.0
    with pytest.raises(BadRequest, match=words):
        pbo(matrix, blocks)


def test_overfitting_reports_progress_and_can_be_stopped():
    received, matrix = [], np.random.default_rng(3).normal(0.0, 0.01, (64, 300))
    assert pbo(matrix, watch=received.append) == pbo(matrix)
    assert received == sorted(received) and received[0] == 0.0 and len(received) > 20 and received[-1] < 1.0

    def stop(share: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pbo(matrix, watch=stop)
