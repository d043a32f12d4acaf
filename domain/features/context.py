"""The context of bars: their instrument, closes of other instruments, external series and calendars, and when each value was known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType

import numpy as np
import pandas as pd

from domain.errors import BadRequest
from domain.market.calendar import ends_of
from domain.market.instrument import Instrument
from domain.market.timeframe import Timeframe
from domain.outside.timed_values import NOTHING, TimedValues

NONE: Mapping[str, TimedValues] = MappingProxyType({})


@dataclass(frozen=True)
class Context:
    """``others``: closes of other instruments by name. ``macro``: outside series by name, by publication time. ``headlines``: a score each, −1 to 1.
    ``releases``: instants of scheduled releases, nanoseconds UTC, known long before. ``forecasts``: of a model, by name, each at the end of the bar that it
    was made at. ``longer``: bars of this instrument in longer timeframes,
    where they are not to be made from the bars themselves."""

    instrument: Instrument | None = None
    timeframe: Timeframe | None = None
    others: Mapping[str, TimedValues] = field(default_factory=lambda: NONE)
    macro: Mapping[str, TimedValues] = field(default_factory=lambda: NONE)
    headlines: TimedValues = NOTHING
    releases: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    forecasts: Mapping[str, TimedValues] = field(default_factory=lambda: NONE)
    longer: Mapping[str, pd.DataFrame] = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        """Raises BadRequest for unsorted instants, as look-ups by time need them sorted."""
        series = {**self.others, **self.macro, **self.forecasts, "headlines": self.headlines, "releases": TimedValues(self.releases, self.releases)}
        for name, values in series.items():
            if np.any(values.times[1:] < values.times[:-1]):
                raise BadRequest(f"the times of {name} are not in order; sort them by when each was known")

    @property
    def tick(self) -> float:
        """Smallest step of its prices; 0 where no instrument is known."""
        return self.instrument.tick if self.instrument else 0.0

    @cached_property
    def calendar(self) -> str | None:
        return self.instrument.calendar if self.instrument else None

    def ends(self, bars: pd.DataFrame) -> np.ndarray:
        """When each bar is known."""
        if self.timeframe is None:
            raise BadRequest("when these bars end is not known: say their timeframe")
        return ends_of(bars, self.timeframe, self.calendar)

    def others_at(self, instant: int) -> dict[str, float]:
        """The closes of other instruments as known at an instant."""
        return _latest(self.others, instant)

    def macro_at(self, instant: int) -> dict[str, float]:
        """The external series as known at an instant."""
        return _latest(self.macro, instant)

    def on(self, timeframe: Timeframe) -> Context:
        return replace(self, timeframe=timeframe, longer={})

    def until(self, instant: int) -> Context:
        """The context as known at an instant; look-ahead checks remove later data with it."""
        others, macro, forecasts = ({name: values.until(instant) for name, values in family.items()} for family in (self.others, self.macro, self.forecasts))
        longer = {}
        for name, bars in self.longer.items():
            ends = self.on(Timeframe.named(name)).ends(bars)
            longer[name] = bars.iloc[: int(np.searchsorted(ends, instant, side="right"))]
        return replace(self, others=others, macro=macro, forecasts=forecasts, headlines=self.headlines.until(instant), longer=longer)


def _latest(family: Mapping[str, TimedValues], instant: int) -> dict[str, float]:
    return {name: float(values.at(np.array([instant]))[0]) for name, values in family.items()}


def closes(bars: pd.DataFrame, instrument: Instrument, timeframe: Timeframe) -> TimedValues:
    """The closes of an instrument, each known from the end of its bar."""
    return TimedValues(Context(instrument, timeframe).ends(bars), bars["close"].to_numpy(np.float64))
