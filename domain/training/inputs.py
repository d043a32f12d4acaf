"""What samples are made from: bars, columns, and the rules under which a signal is simulated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from domain.backtest.study import Series
from domain.features import Use
from domain.features.engine import Cache
from domain.outside.timed_values import TimedValues
from domain.trading.rules import Rules
from domain.trading.task import Rate


@dataclass(frozen=True)
class Inputs:
    """``series``: one of each instrument; several are pooled. ``uses``: the features that become columns.

    ``extra``: further columns, such as filtered regimes, by instrument and name, each value with the instant from which it was known.
    ``rules``: of these only costs and execution count, for every signal is simulated alone. ``rates``: to convert money of other currencies.
    ``trades``: closed trades that stand for signals (``on_trades``). ``cache``: of columns, as ``features.compute`` takes it.
    """

    series: tuple[Series, ...]
    uses: tuple[Use, ...]
    rules: Rules = Rules()
    rates: tuple[Rate, ...] = ()
    extra: Mapping[str, Mapping[str, TimedValues]] = field(default_factory=dict)
    trades: pd.DataFrame | None = None
    cache: Cache | None = None

    @property
    def instruments(self) -> tuple[str, ...]:
        return tuple(series.instrument.name for series in self.series)
