"""Named sets of a strategy's parameters, each for the bars that it was set for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from domain.errors import BadRequest, unknown
from domain.market.timeframe import Timeframe
from domain.strategies.base import STRATEGIES


@dataclass(frozen=True)
class Preset:
    """``params`` differ from the defaults."""

    name: str
    timeframe: str
    params: Mapping[str, Any]
    about: str

    @property
    def title(self) -> str:
        return f"{self.name.capitalize()} {self.timeframe}" if self.name != self.timeframe else self.name


def presets_of(strategy: str) -> dict[str, Preset]:
    """Name -> preset of the strategy of this name; empty where it has none.

    >>> [preset.title for preset in presets_of("gold_buy_dip").values()]
    ['Conservative M15', 'Aggressive M1', 'H1']
    """
    return {preset.name: preset for preset in getattr(STRATEGIES[strategy], "presets", ())} if strategy in STRATEGIES else {}


def preset_params(strategy: str, preset: str, timeframe: Timeframe) -> dict[str, Any]:
    """The parameters of a preset. Raises BadRequest for bars of another timeframe than it was set for.

    >>> preset_params("gold_buy_dip", "aggressive", Timeframe.named("H1"))
    Traceback (most recent call last):
    ...
    domain.errors.BadRequest: the preset aggressive of gold_buy_dip is for M1 bars, and these are H1; use M1 bars, or give the parameters yourself
    """
    known = presets_of(strategy)
    chosen = next((each for name, each in known.items() if name.lower() == preset.strip().lower()), None)
    if chosen is None:
        raise unknown(f"preset of {strategy}", preset, known) if known else BadRequest(f"{strategy} has no presets; give its parameters")
    if Timeframe.named(chosen.timeframe) != timeframe:
        raise BadRequest(f"the preset {chosen.name} of {strategy} is for {chosen.timeframe} bars, and these are {timeframe}; use {chosen.timeframe} bars, or give the parameters yourself")
    return dict(chosen.params)
