"""What a session trades on beside its bars: signals, bars of pairs for conversion, external data. All of it is there when the session starts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from domain.market.bars import ts_of
from domain.market.calendar import bar_ends
from domain.market.timeframe import Timeframe
from domain.trading.costs import Costs
from domain.trading.task import Rate

if TYPE_CHECKING:
    from domain.backtest.live import LiveSeries, LiveSimulation
    from domain.features import Context
    from domain.live.selecting import Selection


class Quotes(NamedTuple):
    """The bars of a pair as conversion reads them: NaN where a bar has no spread of its own."""

    end: np.ndarray
    close: np.ndarray
    spread: np.ndarray


@dataclass(frozen=True)
class Finer:
    """Bars of a shorter timeframe, for what happens inside a bar; ``calendar``: of their instrument."""

    timeframe: Timeframe
    bars: pd.DataFrame
    calendar: str

    @cached_property
    def rows(self) -> tuple[np.ndarray, list[tuple[float, ...]]]:
        """When each opens, and what the account receives of it: ts, open, high, low, close, spread, end."""
        ts, prices = ts_of(self.bars), [self.bars[name].to_numpy(np.float64) for name in ("open", "high", "low", "close")]
        spread = self.bars["spread"].to_numpy(np.float64) if "spread" in self.bars else np.full(len(ts), np.nan)
        ends = bar_ends(ts, self.timeframe, self.calendar)
        return ts, list(zip(*(column.tolist() for column in (ts, *prices, spread, ends)), strict=True))


@dataclass(frozen=True)
class Inputs:
    """``signals``: as ``read_signals`` gives them, of all instruments; None: strategies decide. ``contexts``: by series, what features and limits read.
    ``finer``: by series, bars inside its bars. ``selection``: decides which signals are traded; None: all are."""

    signals: pd.DataFrame | None = None
    rates: Sequence[Rate] = ()
    contexts: Mapping[str, Context] = field(default_factory=lambda: MappingProxyType({}))
    finer: Mapping[str, Finer] = field(default_factory=lambda: MappingProxyType({}))
    selection: Selection | None = None

    def signals_of(self, instrument: str) -> pd.DataFrame:
        """The signals of one instrument, in their order."""
        assert self.signals is not None
        return self.signals[self.signals["instrument"] == instrument].reset_index(drop=True)

    @property
    def pairs(self) -> list[LiveSeries]:
        """The pairs as the account numbers them, after its own series."""
        from domain.backtest.live_records import LiveSeries

        return [LiveSeries(rate.instrument, rate.timeframe, rate.side) for rate in self.rates]

    @cached_property
    def quotes(self) -> list[Quotes]:
        return [_quotes(rate) for rate in self.rates]

    def magnify(self, account: LiveSimulation, tasks: Mapping[str, Sequence[int]], after: int, until: int) -> None:
        """Tell the account the finer bars that opened from ``after`` on and before ``until``, of each series to all of its tasks."""
        for series, finer in self.finer.items():
            opens, rows = finer.rows
            first, last = np.searchsorted(opens, (after, until)).tolist()
            for row in rows[first:last]:
                for k in tasks[series]:
                    account.finer(k, *row)      # type: ignore[arg-type]

    def quote(self, account: LiveSimulation, tasks: int, after: int, until: int) -> None:
        """Tell the account the latest bar of each pair that ended up to ``until``, where it did not receive it ``after`` the last instant."""
        for k, quotes in enumerate(self.quotes):
            row = int(np.searchsorted(quotes.end, until, side="right")) - 1
            if row >= 0 and quotes.end[row] > after:
                account.rate(tasks + k, int(quotes.end[row]), float(quotes.close[row]), float(quotes.spread[row]))


def _quotes(rate: Rate) -> Quotes:
    from domain.backtest.series import bars_of  # the kernel, which nobody loads who only reads a plan

    bars = bars_of(rate, Costs())
    own = rate.bars["spread"].to_numpy(np.float64) if "spread" in rate.bars else np.full(len(bars.end), np.nan)
    return Quotes(bars.end, bars.close, own)
