"""By quantiles, moderately."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from domain.params import param
from domain.strategies.base import strategy
from domain.strategies.by_quantiles import ByQuantiles, level


@strategy("moderate")
@dataclass(frozen=True)
class Moderate(ByQuantiles):
    """Enters where the median forecast exceeds twice the costs; the stop is where one return in ten ends. Needs forecasts.

    Long where q50 > 2 · spread / close, stop at C · e^q10, half out at C · e^q75 and half at C · e^q90, all after the horizon; shorts mirrored.
    """

    tag: ClassVar[str] = "moderate"

    entry: str = level("q50", "Entry quantile", "that must exceed the costs")
    costs: float = param(2.0, low=0.0, high=1_000.0, unit="× spread", title="Costs to exceed", help="multiple of the spread, as a share of the close, that the entry quantile must exceed")
    stop: str = level("q10", "Stop quantile", "at which its stop lies")
