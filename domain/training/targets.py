"""The targets by name, and their parameters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from domain.errors import BadRequest, unknown
from domain.models.base import Task
from domain.params import param

UNITS = ("bars", "minutes")


@dataclass(frozen=True)
class Target:
    """``on``: signals or bars. ``classes``: in the order of their numbers, where ``task`` is ``classes``."""

    name: str
    on: str
    task: Task
    about: str
    classes: tuple[str, ...] = ()


TARGETS: dict[str, Target] = {target.name: target for target in (
    Target("r", "signals", "number", "what the signal alone would have earned, in R"),
    Target("win", "signals", "binary", "whether R is above 0"),
    Target("above", "signals", "binary", "whether R is above the threshold"),
    Target("fake", "signals", "binary", "whether it exits at its initial stop before it was 1 R ahead"),
    Target("barrier", "signals", "classes", "its exit: target, stop or other", ("target", "stop", "other")),
    Target("return", "bars", "number", "log return from the next open to a close later on"),
    Target("volatility", "bars", "number", "root of the summed squared log returns of the bars ahead"),
    Target("direction", "bars", "classes", "which way the price goes, flat within one spread", ("down", "flat", "up")),
)}  # fmt: skip


@dataclass(frozen=True)
class TargetParams:
    """Horizon, unit and every are those of targets on bars, the threshold is that of ``above``."""

    horizon: int = param(12, low=1, high=1_000_000, unit="bars or minutes", help="how far ahead a target on bars looks")
    unit: str = param("bars", choices=UNITS, unit="", help="unit of the horizon; minutes end at the last close within them")
    every: int = param(1, low=1, high=1_000_000, unit="bars", help="every so many bars are a sample")
    threshold: float = param(0.0, low=-1e6, high=1e6, unit="R", help="the target above is yes where R is above this")


def target_of(name: str, on: str = "") -> Target:
    """
    >>> target_of("fake", "bars")
    Traceback (most recent call last):
    ...
    domain.errors.BadRequest: fake is a target of signals, not of bars; of bars there are return, volatility, direction
    """
    if name not in TARGETS:
        raise unknown("target", name, TARGETS)
    if on and TARGETS[name].on != on:
        raise BadRequest(f"{name} is a target of {TARGETS[name].on}, not of {on}; of {on} there are {', '.join(target.name for target in TARGETS.values() if target.on == on)}")
    return TARGETS[name]


def outcome_label(target: str, threshold: float, r: np.ndarray, mfe_r: np.ndarray, reason: np.ndarray) -> np.ndarray:
    """float64 label of each trade by what became of it: ``r`` and ``mfe_r`` in R, ``reason`` (of its last fill, an object array); NaN where it has no R, and
    for ``fake`` where it was stopped and how far it had been ahead is not known.

    >>> r, mfe, why = np.array([-1.0, -1.0, 2.0, np.nan]), np.array([0.4, 1.2, 2.0, 0.0]), np.array(["stop_loss", "stop_loss", "target_1", "time"], object)
    >>> [outcome_label(name, 0.0, r, mfe, why).tolist() for name in ("fake", "win", "barrier")]
    [[1.0, 0.0, 0.0, nan], [0.0, 0.0, 1.0, nan], [1.0, 1.0, 0.0, nan]]
    """
    target_reached = np.array([str(word).startswith("target_") for word in reason], bool)
    stopped = reason == "stop_loss"
    labels = {
        "r": r, "win": r > 0, "above": r > threshold, "fake": np.where(stopped & np.isnan(mfe_r), np.nan, stopped & (mfe_r < 1)),
        "barrier": np.where(target_reached, 0, np.where(stopped, 1, 2)),
    }  # fmt: skip
    return np.where(np.isnan(r), np.nan, labels[target].astype(np.float64))
