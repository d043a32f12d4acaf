"""Splits equal the slow ones, sample by sample, on spans of several instruments that overlap, lie apart and touch to the nanosecond."""

from __future__ import annotations

import os

import numpy as np
import pytest

from domain.training.splits import Cpcv, WalkForward, folds
from tests.domain.training.splits_by_hand import DAY, HOUR, combined, walk_forward

CASES = int(os.environ.get("TIDEMARK_CASES", "4"))


def spans(draws: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Some 120 spans over 60 days on whole hours, so that many touch; a few are long."""
    start = 1_300_000_000_000_000_000 // DAY * DAY + draws.integers(0, 60 * 24, 120) * HOUR
    return (start := np.sort(start)), start + np.where(draws.random(120) < 0.1, draws.integers(24, 96, 120), draws.integers(1, 12, 120)) * HOUR


@pytest.mark.parametrize("case", range(CASES))
def test_walk_forward(case):
    draws = np.random.default_rng(case)
    start, end = spans(draws)
    scheme = WalkForward(train=int(draws.integers(10, 25)), validation=int(draws.integers(0, 5)), calibration=int(draws.integers(0, 6)), test=6, step=int(draws.choice([0, 7])),
                         anchored=bool(draws.integers(2)), embargo=float(draws.choice([0, 5, 24])))  # fmt: skip
    slow = list(walk_forward(start.tolist(), end.tolist(), **vars(scheme)))
    fast = folds(start, end, scheme)
    assert len(slow) - 1 <= len(fast) <= len(slow)       # a last test of less than half its days is left out
    assert fast and all({part: rows.tolist() for part, rows in fold.parts.items()} == {part: sorted(rows) for part, rows in parts.items()} for fold, parts in zip(fast, slow, strict=False))


@pytest.mark.parametrize("case", range(CASES))
def test_cpcv(case):
    draws = np.random.default_rng(100 + case)
    start, end = spans(draws)
    groups, tested, embargo = int(draws.integers(3, 6)), int(draws.integers(1, 3)), float(draws.choice([0, 5, 24]))
    slow = list(combined(start.tolist(), end.tolist(), groups, tested, embargo))
    fast = folds(start, end, Cpcv(groups, tested, embargo))
    assert len(fast) == len(slow)
    for fold, (parts, path) in zip(fast, slow, strict=True):
        assert {part: rows.tolist() for part, rows in fold.parts.items()} == parts
        assert fold.path.tolist() == [path[i] for i in fold.parts["test"]]
