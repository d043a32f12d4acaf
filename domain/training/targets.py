"""The targets by name, and their parameters."""

from __future__ import annotations

from dataclasses import dataclass

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
    Target("fake", "signals", "binary", "whether it is left by its first stop before it was 1 R ahead"),
    Target("barrier", "signals", "classes", "what it is left by", ("target", "stop", "other")),
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
