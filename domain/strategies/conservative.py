"""By quantiles, conservatively."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from domain.params import param
from domain.strategies.base import strategy
from domain.strategies.by_quantiles import ByQuantiles, level


@strategy("conservative")
@dataclass(frozen=True)
class Conservative(ByQuantiles):
    """Enters only where three quarters of the forecast distribution exceed the costs; the stop is where one return in twenty ends. Needs forecasts.

    Long where q25 > 1 · spread / close, stop at C · e^q05, half out at C · e^q75 and half at C · e^q90, all after the horizon; shorts mirrored.
    """

    tag: ClassVar[str] = "conservative"

    entry: str = level("q25", "Entry quantile", "that must exceed the costs")
    costs: float = param(1.0, low=0.0, high=1_000.0, unit="× spread", title="Costs to exceed", help="multiple of the spread, as a share of the close, that the entry quantile must exceed")
    stop: str = level("q05", "Stop quantile", "at which its stop lies")
