"""Splits against a slow reference written from the rule's own sentence, and their sizes, paths and refusals."""

import os
from itertools import combinations
from math import comb

import numpy as np
import pytest

from domain.errors import BadRequest
from domain.training.splits import DAY, PARTS, Cpcv, WalkForward, folds, next_fold

HOUR = DAY // 24
CASES = int(os.environ.get("TIDEMARK_CASES", "4"))


def drawn(seed, count=120, days=40, longest=60):
    """Spans in no order, on a grid of hours so that many meet in one instant."""
    rng = np.random.default_rng(seed)
    start = rng.integers(0, days * 24, count) * HOUR + 10_000 * DAY
    return start, start + rng.integers(1, longest, count) * HOUR


def part_of(fold, count):
    names = [None] * count
    for name in PARTS:
        for row in fold.parts[name]:
            assert names[row] is None, "a sample is in two parts"
            names[row] = name
    return names


def slow(parts, spans, blocks, embargo, before):
    """``parts`` before purging -> after: no span of another part may touch a test block's hull, nor start within ``embargo`` after it, nor (``before``) end within it before."""
    given = list(parts)
    for row, (start, end) in enumerate(spans):
        if parts[row] not in ("train", "validation", "calibration"):
            continue
        for block in blocks:
            low, high = min(spans[other][0] for other in block), max(spans[other][1] for other in block)
            if any(low <= instant <= high for instant in (start, end)) or start < low <= high < end:
                given[row] = "purged"
                break
            if high <= start <= high + embargo or (before and low - embargo <= end <= low):
                given[row] = "embargoed"
    return given


def yielded(parts, spans):
    given = list(parts)
    for stronger, weaker in (("calibration", ("train", "validation")), ("validation", ("train",))):
        block = [row for row, name in enumerate(given) if name == stronger]
        for row, (start, end) in enumerate(spans):
            if block and given[row] in weaker and not (end < min(spans[other][0] for other in block) or start > max(spans[other][1] for other in block)):
                given[row] = "purged"
    return given


@pytest.mark.parametrize("seed", range(CASES))
@pytest.mark.parametrize("anchored", [False, True])
def test_walk_forward_is_purged_as_the_rule_says(seed, anchored):
    start, end = drawn(seed)
    spans = list(zip(start.tolist(), end.tolist(), strict=True))
    scheme = WalkForward(train=12, validation=3, calibration=5, test=6, anchored=anchored, embargo=[24, 0, 7, 30][seed % 4])
    first = int(start.min()) // DAY * DAY
    created = folds(start, end, scheme)
    assert len(created) == 3
    for number, fold in enumerate(created):
        edges = [first + (number * 6 + day) * DAY for day in (0, 12, 15, 20, 26)]
        if anchored:
            edges[0] = first
        parts = [next((name for name, a, b in zip(PARTS, edges, edges[1:], strict=False) if a <= at < b), None) for at, _ in spans]
        block = [row for row, name in enumerate(parts) if name == "test"]
        expected = yielded(slow(parts, spans, [block], int(scheme.embargo * HOUR), True), spans)
        assert part_of(fold, len(spans)) == expected
        assert fold.path.tolist() == [0] * len(block)


@pytest.mark.parametrize("seed", range(CASES - 1))
@pytest.mark.parametrize("groups,tested", [(6, 2), (5, 1), (4, 3)])
def test_cpcv_is_purged_as_the_rule_says(seed, groups, tested):
    start, end = drawn(seed + 10)
    spans = list(zip(start.tolist(), end.tolist(), strict=True))
    scheme = Cpcv(groups, tested, embargo=[24, 0, 50][seed % 3])
    by_time = sorted(range(len(spans)), key=lambda row: (spans[row][0], row))
    blocks = [by_time[k * len(spans) // groups : (k + 1) * len(spans) // groups] for k in range(groups)]
    created = folds(start, end, scheme)
    assert len(created) == comb(groups, tested)
    for fold, chosen in zip(created, combinations(range(groups), tested), strict=True):
        parts = ["test" if any(row in blocks[k] for k in chosen) else "train" for row in range(len(spans))]
        parts = slow(parts, spans, [blocks[k] for k in chosen], int(scheme.embargo * HOUR), False)
        left = [row for row in by_time if parts[row] == "train"]
        for place, row in enumerate(left):
            if place >= len(left) - len(left) // 5:
                parts[row] = "calibration"
            elif place >= len(left) - len(left) // 5 - len(left) // 10:
                parts[row] = "validation"
        assert part_of(fold, len(spans)) == yielded(parts, spans)


def test_each_path_of_cpcv_takes_every_sample_once_and_each_group_from_the_folds_in_their_order():
    start = np.arange(60) * HOUR
    created = folds(start, start, Cpcv(6, 2))
    seen = {}
    for fold in created:
        for row, path in zip(fold.parts["test"], fold.path, strict=True):
            seen.setdefault(int(path), []).append((int(row), fold.number))
    assert sorted(seen) == [0, 1, 2, 3, 4] and Cpcv(6, 2).paths == 5
    for taken in seen.values():
        assert sorted(row for row, _ in taken) == list(range(60))
    lexicographic = list(combinations(range(6), 2))
    for path, taken in seen.items():
        for row, number in taken:
            assert number == [k for k, chosen in enumerate(lexicographic) if row // 10 in chosen][path]


def test_touching_in_one_instant_is_purged_and_an_hour_beyond_the_embargo_is_not():
    start = np.array([0, 30, 48, 72, 97, 98]) * HOUR          # three groups of two; the middle one is tested: [48, 73]
    end = np.array([48, 47, 60, 73, 99, 99]) * HOUR
    parts = part_of(folds(start, end, Cpcv(3, 1, embargo=24))[1], 6)
    assert parts[0] == "purged" and parts[1] == "train"      # ends at 48, which is the hull's first instant; ends at 47, with no embargo before a block
    assert parts[4] == "embargoed"      # starts at 97 = 73 + 24
    assert parts[5] == "train"


def test_the_next_fold_follows_the_data_and_tests_nothing():
    start, end = drawn(5)
    scheme = WalkForward(train=12, validation=3, calibration=5, test=6)
    fold = next_fold(start, end, scheme)
    last = (int(start.max()) // DAY + 1) * DAY
    assert fold.number == 3 and not len(fold.parts["test"]) and not len(fold.path)
    held = fold.parts["calibration"]
    assert (start[held] >= last - 5 * DAY).all() and (end[held] < last - DAY).all()
    assert start[fold.parts["train"]].min() >= last - 20 * DAY and len(fold.parts["train"])
    whole = next_fold(start, end, Cpcv(6, 2))
    assert whole.number == 15 and len(whole.parts["calibration"]) == 24 and not len(whole.parts["test"])


def test_the_last_test_may_be_cut_short_by_half():
    scheme = WalkForward(train=10, validation=0, calibration=0, test=4, embargo=0)
    for days, tests in ((17, [4, 3]), (16, [4, 2]), (15, [4]), (12, [2])):
        start = np.arange(days) * DAY
        assert [len(fold.parts["test"]) for fold in folds(start, start, scheme)] == tests


@pytest.mark.parametrize("days", [0, 11])
def test_windows_longer_than_the_data_are_refused_with_both_lengths(days):
    start = np.arange(days) * DAY
    with pytest.raises(BadRequest, match=r"span 11 days, from 1970-01-01 to 1970-01-11, and one fold needs 14" if days else "no sample with a label"):
        folds(start, start, WalkForward(train=8, validation=1, calibration=1, test=4))


def test_impossible_schemes_are_refused():
    with pytest.raises(BadRequest, match="tests would overlap"):
        WalkForward(test=30, step=20)
    with pytest.raises(BadRequest, match="none trained on"):
        Cpcv(4, 4)
    with pytest.raises(BadRequest, match="fewer groups"):
        Cpcv(30, 15)
    with pytest.raises(BadRequest, match="5 samples cannot make 6 groups"):
        folds(np.arange(5), np.arange(5), Cpcv(6, 2))
