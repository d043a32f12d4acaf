"""Which samples are trained on, validated on, calibrated with and tested on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from domain.params import param

Part = Literal["train", "validation", "calibration", "test", "purged", "embargoed"]
PARTS: tuple[Part, ...] = ("train", "validation", "calibration", "test", "purged", "embargoed")


@dataclass(frozen=True)
class WalkForward:
    """Windows in calendar days, one after the other; the fold's windows move on by ``step``."""

    train: int = param(1460, low=1, high=20_000, unit="days", title="Train (days)", help="length of the window that is trained on")
    validation: int = param(90, low=0, high=20_000, unit="days", title="Validation (days)", help="length of the window after it, which stops training early")
    calibration: int = param(180, low=0, high=20_000, unit="days", title="Calibration (days)", help="length of the window after that, which calibrates")
    test: int = param(365, low=1, high=20_000, unit="days", title="Test (days)", help="length of the window that is tested on")
    step: int = param(0, low=0, high=20_000, unit="days", help="from one fold to the next; 0: the length of a test")
    anchored: bool = param(False, unit="", help="every train window begins at the start of the data")
    embargo: float = param(24.0, low=0.0, high=100_000.0, unit="hours", help="time after a test, and before it, that nothing is learnt from")


@dataclass(frozen=True)
class Cpcv:
    """Combinatorial purged cross-validation. Source: López de Prado (2018), chapter 12."""

    groups: int = param(6, low=2, high=30, unit="groups", help="blocks of equal count, in the order of time")
    tested: int = param(2, low=1, high=29, unit="groups", help="blocks that a fold tests")
    embargo: float = param(24.0, low=0.0, high=100_000.0, unit="hours", help="time after a test block that nothing is learnt from")


Scheme = WalkForward | Cpcv
SCHEMES: dict[str, type[WalkForward] | type[Cpcv]] = {"walk_forward": WalkForward, "cpcv": Cpcv}


@dataclass(frozen=True)
class Fold:
    """``parts``: rows of the samples (int64, ascending) of each of PARTS; a sample in none lies outside the fold's windows.
    ``path``: of each row of ``parts["test"]``, the number of the path that takes it; 0 in a walk-forward."""

    number: int
    parts: Mapping[Part, np.ndarray]
    path: np.ndarray


def folds(start: np.ndarray, end: np.ndarray, scheme: Scheme) -> tuple[Fold, ...]:
    """The folds over samples of all instruments together. ``start``, ``end``: int64 ns UTC. Raises BadRequest where windows are longer than the data."""
    raise NotImplementedError


def next_fold(start: np.ndarray, end: np.ndarray, scheme: Scheme) -> Fold:
    """The fold that would come next, for the model that is kept: its test lies after the data and is empty."""
    raise NotImplementedError
