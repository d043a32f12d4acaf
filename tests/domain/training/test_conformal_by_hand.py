"""Intervals equal the slow ones to the last digit: labels that overlap, that touch the next sample, that are not known; several pairs."""

from __future__ import annotations

import os

import numpy as np
import pytest

from domain.training.conformal import Conformal, conformal_from
from tests.domain.training.conformal_by_hand import intervals

CASES = int(os.environ.get("TIDEMARK_CASES", "4"))
LEVELS = [(0.1, 0.9), (0.1, 0.5, 0.9), (0.05, 0.25, 0.5, 0.75, 0.95), (0.1, 0.3, 0.9)]


def drawn(draws: np.random.Generator, count: int, begin: int, levels: int, touching: bool):
    start = np.sort(begin + draws.integers(0, count * 2, count) * 60)
    start = start // 600 * 600 if touching else start
    end = start + draws.integers(1, 20, count) * 60
    quantiles = np.sort(draws.standard_normal((count, levels)) + 0.5 * draws.standard_normal((count, 1)), axis=1)
    return start, end, quantiles, draws.standard_normal(count) * draws.choice([0.3, 2.0])


@pytest.mark.parametrize("kind", ["adaptive", "split", "none"])
@pytest.mark.parametrize("case", range(CASES))
def test_intervals(case, kind):
    draws = np.random.default_rng(case)
    levels, gamma = LEVELS[case % 4], float(draws.choice([0.005, 0.05, 0.5]))
    before = drawn(draws, 1_950 if case == 0 else int(draws.integers(3, 100)), 0, len(levels), bool(case % 2))       # the first case has more scores than are kept
    start, end, quantiles, y = drawn(draws, 150, 10**7, len(levels), bool(case % 2))
    y[draws.random(150) < 0.05] = np.nan
    slow = intervals(levels, kind, gamma, [(e, row, label) for _, e, row, label in zip(*(part.tolist() for part in before), strict=True)],
                     list(zip(start.tolist(), end.tolist(), quantiles.tolist(), y.tolist(), strict=True)))  # fmt: skip
    state = Conformal(levels, kind, gamma).start(before[2], before[3], before[1]).values()
    assert conformal_from(state).intervals(quantiles, y, start, end).tolist() == slow
