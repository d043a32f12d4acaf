"""What samples of one instrument are made from: its bars, columns and rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from domain.backtest.study import Series
    from domain.features import Context, Use
    from domain.features.engine import Cache
    from domain.outside.timed_values import TimedValues
    from domain.trading.rules import Rules
    from domain.trading.task import Rate


@dataclass(frozen=True)
class Inputs:
    """``series``: bars of one instrument. ``context``: what its features read beside them, with instrument and timeframe. ``uses``: the columns.
    ``rules``: costs and execution of the signals. ``signals``: rows of the person's own instead of a strategy. ``cache``: of columns, as
    ``features.compute`` takes it. ``extra``: further columns, such as filtered regimes, each value with the instant from which it was known.
    ``regimes``: how those were made (``regime_columns``), empty without any. Several instruments are a tuple of these."""

    series: Series
    context: Context
    uses: tuple[Use, ...]
    rules: Rules
    rates: tuple[Rate, ...] = ()
    signals: pd.DataFrame | None = None
    trades: pd.DataFrame | None = None
    cache: Cache | None = None
    extra: Mapping[str, TimedValues] = field(default_factory=dict)
    regimes: Mapping[str, Any] = field(default_factory=dict)
