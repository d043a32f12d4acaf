"""Which samples are trained on, validated on, calibrated with and tested on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb
from typing import Literal

import numpy as np
import pandas as pd

from domain.errors import BadRequest
from domain.optimise.windows import anchored_param, refuse_overlap, step_param
from domain.params import param
from domain.training.purge import HOUR, Hull, follows, hull_of, precedes, touches

Part = Literal["train", "validation", "calibration", "test", "purged", "embargoed"]
PARTS: tuple[Part, ...] = ("train", "validation", "calibration", "test", "purged", "embargoed")
TRAIN, VALIDATION, CALIBRATION, TEST, PURGED, EMBARGOED = range(len(PARTS))
OUTSIDE = -1
DAY = 24 * HOUR
MOST_FOLDS = 1_000


@dataclass(frozen=True)
class WalkForward:
    """Windows in calendar days, one after the other; those of the next fold lie ``step`` later."""

    train: int = param(1460, low=1, high=20_000, unit="days", title="Train (days)", help="length of the window that is trained on")
    validation: int = param(90, low=0, high=20_000, unit="days", title="Validation (days)", help="length of the window after it, which stops training early")
    calibration: int = param(180, low=0, high=20_000, unit="days", title="Calibration (days)", help="length of the window after that, which calibrates")
    test: int = param(365, low=1, high=20_000, unit="days", title="Test (days)", help="length of the window after that, which is tested on")
    step: int = step_param("the length of a test")
    anchored: bool = anchored_param("train")
    embargo: float = param(24.0, low=0.0, high=100_000.0, unit="hours", help="time before a test, and after it, that nothing is learnt from")

    def __post_init__(self) -> None:
        refuse_overlap(self.step, self.test, "test")

    @property
    def before_test(self) -> int:
        return self.train + self.validation + self.calibration


@dataclass(frozen=True)
class Cpcv:
    """Combinatorial purged cross-validation. Source: López de Prado (2018), chapter 12."""

    groups: int = param(6, low=2, high=1_000, unit="groups", help="blocks of equal count, in the order of time")
    tested: int = param(2, low=1, high=999, unit="groups", help="blocks that a fold tests; there is a fold for each choice of them")
    embargo: float = param(24.0, low=0.0, high=100_000.0, unit="hours", help="time after a test block that nothing is learnt from")

    def __post_init__(self) -> None:
        if self.tested >= self.groups:
            raise BadRequest(f"{self.tested} of {self.groups} groups would be tested and none trained on; test at most {self.groups - 1}")
        if comb(self.groups, self.tested) > MOST_FOLDS:
            raise BadRequest(f"{self.tested} of {self.groups} groups give {comb(self.groups, self.tested):,} folds; take fewer groups, for at most {MOST_FOLDS:,} folds")

    @property
    def paths(self) -> int:
        """How many times each group is tested.

        >>> Cpcv(6, 2).paths
        5
        """
        return comb(self.groups - 1, self.tested - 1)


Scheme = WalkForward | Cpcv
SCHEMES: dict[str, type[WalkForward] | type[Cpcv]] = {"walk_forward": WalkForward, "cpcv": Cpcv}


@dataclass(frozen=True)
class Fold:
    """``parts``: rows of the samples (int64, ascending) of each of PARTS; a sample that is in none lies outside the fold's windows.
    ``path``: for each row of ``parts["test"]`` the number of the path that takes it from this fold; 0 in a walk-forward."""

    number: int
    parts: Mapping[Part, np.ndarray]
    path: np.ndarray


def folds(start: np.ndarray, end: np.ndarray, scheme: Scheme) -> tuple[Fold, ...]:
    """The folds over samples of all instruments together; ``start``, ``end``: int64 ns UTC, in any order.

    Raises BadRequest where the windows are longer than the data, and for fewer samples than groups.

    >>> days = np.arange(10) * DAY
    >>> [fold.parts["test"].tolist() for fold in folds(days, days, WalkForward(train=4, validation=1, calibration=1, test=2, embargo=0))]
    [[6, 7], [8, 9]]
    >>> [(fold.parts["test"].tolist(), fold.path.tolist()) for fold in folds(days[:3], days[:3], Cpcv(3, 2))]
    [([0, 1], [0, 0]), ([0, 2], [1, 0]), ([1, 2], [1, 1])]
    """
    if isinstance(scheme, Cpcv):
        return tuple(_combined(start, end, scheme))
    return tuple(_fold(number, _windowed(start, end, scheme, at)) for number, at in enumerate(_tests(start, scheme)))


def next_fold(start: np.ndarray, end: np.ndarray, scheme: Scheme) -> Fold:
    """The fold that would come next, for the model that is kept: its test begins where the data ends, and is empty.

    In a walk-forward the windows are counted back from there; of ``cpcv`` all samples are trained on, the last of them validated and calibrated with.
    """
    number = len(_tests(start, scheme)) if isinstance(scheme, WalkForward) else comb(scheme.groups, scheme.tested)
    if isinstance(scheme, Cpcv):
        return _fold(number, _by_time(start, end, np.zeros(len(start), np.int8)))
    return _fold(number, _windowed(start, end, scheme, _data(start)[1]))


def _data(start: np.ndarray) -> tuple[int, int]:
    """The days of the samples: midnight before the first and after the last."""
    if not len(start):
        raise BadRequest("there is no sample with a label, so there is nothing to split; take more data, or another target")
    return int(start.min()) // DAY * DAY, (int(start.max()) // DAY + 1) * DAY


def _tests(start: np.ndarray, scheme: WalkForward) -> Sequence[int]:
    """Where each test begins. The last one may be cut short by the end of the data, by half at the most; a window without samples is left out."""
    first, last = _data(start)
    begins = np.arange(first + scheme.before_test * DAY, last - scheme.test * DAY // 2 + 1, (scheme.step or scheme.test) * DAY)
    in_order = np.sort(start)
    held = np.searchsorted(in_order, begins + scheme.test * DAY) > np.searchsorted(in_order, begins)
    if not held.any():
        raise BadRequest(
            f"the samples span {(last - first) // DAY:,} days, from {_day(first)} to {_day(last - DAY)}, and one fold needs {scheme.before_test + scheme.test:,}: train {scheme.train:,}, "
            f"validation {scheme.validation:,}, calibration {scheme.calibration:,} and test {scheme.test:,}; take shorter windows or more data"
        )
    return [int(begin) for begin in begins[held]]


def _day(ns: int) -> str:
    return f"{pd.Timestamp(ns, tz='UTC'):%Y-%m-%d}"


def _windowed(start: np.ndarray, end: np.ndarray, scheme: WalkForward, test: int) -> np.ndarray:
    """The part of each sample in the fold whose test begins at ``test``."""
    lengths = np.array([scheme.train, scheme.validation, scheme.calibration, scheme.test]) * DAY
    edges = test - scheme.before_test * DAY + np.concatenate([[0], np.cumsum(lengths)])
    part = np.searchsorted(edges, start, side="right").astype(np.int8) - 1
    part[part > TEST] = OUTSIDE
    if scheme.anchored:
        part[start < edges[0]] = TRAIN
    tested = part == TEST
    hull = hull_of(start[tested], end[tested]) if tested.any() else Hull(test, test)
    embargo = int(scheme.embargo * HOUR)
    _give_way(part, start, end, hull, follows(start, hull, embargo) | precedes(end, hull, embargo))
    return _inner(part, start, end)


def _combined(start: np.ndarray, end: np.ndarray, scheme: Cpcv) -> Iterator[Fold]:
    if len(start) < scheme.groups:
        raise BadRequest(f"{len(start):,} samples cannot make {scheme.groups} groups; take at least {scheme.groups} samples, or fewer groups")
    groups = np.array_split(np.argsort(start, kind="stable"), scheme.groups)
    group = np.empty(len(start), np.int64)
    for number, rows in enumerate(groups):
        group[rows] = number
    times_tested = np.zeros(scheme.groups, np.int64)
    for number, tested in enumerate(combinations(range(scheme.groups), scheme.tested)):
        part = np.zeros(len(start), np.int8)
        part[np.isin(group, tested)] = TEST
        for block in tested:
            hull = hull_of(start[groups[block]], end[groups[block]])
            _give_way(part, start, end, hull, follows(start, hull, int(scheme.embargo * HOUR)))
        yield _fold(number, _by_time(start, end, part), times_tested[group])
        times_tested[list(tested)] += 1


def _by_time(start: np.ndarray, end: np.ndarray, part: np.ndarray) -> np.ndarray:
    """Of what is left to train on, the last 20 % calibrate and the 10 % before them validate."""
    rows = np.flatnonzero(part == TRAIN)
    rows = rows[np.argsort(start[rows], kind="stable")]
    calibration, validation = len(rows) // 5, len(rows) // 10
    part[rows[len(rows) - calibration :]] = CALIBRATION
    part[rows[len(rows) - calibration - validation : len(rows) - calibration]] = VALIDATION
    return _inner(part, start, end)


def _give_way(part: np.ndarray, start: np.ndarray, end: np.ndarray, hull: Hull, near: np.ndarray) -> None:
    """What is learnt from gives way to a block that is tested: purged where it touches the block's hull, embargoed where it comes too ``near``."""
    learnt = (part >= TRAIN) & (part != TEST)
    purged = learnt & touches(start, end, hull)
    part[learnt & near & ~purged & (part != PURGED)] = EMBARGOED
    part[purged] = PURGED


def _inner(part: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Train gives way to validation, and both to calibration, where their spans touch its hull."""
    for stronger, weaker in ((CALIBRATION, (TRAIN, VALIDATION)), (VALIDATION, (TRAIN,))):
        rows = part == stronger
        if rows.any():
            part[np.isin(part, weaker) & touches(start, end, hull_of(start[rows], end[rows]))] = PURGED
    return part


def _fold(number: int, part: np.ndarray, path: np.ndarray | None = None) -> Fold:
    rows: dict[Part, np.ndarray] = {name: np.flatnonzero(part == code) for code, name in enumerate(PARTS)}
    return Fold(number, rows, np.zeros(len(rows["test"]), np.int64) if path is None else path[rows["test"]])
