"""One combination that trades alone on an account of its own, bar by bar: what its closed trades so far say of its next signal."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from math import fsum
from typing import NamedTuple

import numpy as np
import pandas as pd

from domain.backtest.live import LiveSeries, LiveSimulation
from domain.backtest.own_limits import limited
from domain.backtest.volatility_stops import VolatilityStops
from domain.features import warm_up_of
from domain.live.plan import Plan
from domain.live.selecting import Market
from domain.live.signal_rows import SignalRows
from domain.live.tape import TapeBar, columns_of, frame_of
from domain.scanner.signal import EntrySignal, Sizer
from domain.scanner.trades import ENTRIES
from domain.strategies import decide
from domain.strategies.base import uses_of
from domain.trading.signal_row import Row
from domain.trading.signals import read_columns

NAN, BEFORE = float("nan"), -(1 << 62)


class Closed(NamedTuple):
    """A closed trade with an R, net of costs. ``spread``: of the bar of its entry."""

    r: float
    spread: float


class Alone:
    """Pair ``k`` of the plan. ``equity``: what its signals are sized by; ``most``: closed trades that count, the last ones."""

    def __init__(self, market: Market, k: int, equity: float, most: int) -> None:
        plan, (self.series, number) = market.plan, market.plan.decided[k]
        self._strategy, self._equity, self._plan = plan.strategies[number].built, equity, plan
        self._instrument, context = plan.instrument(self.series), market.context(self.series)
        self._needed = max((warm_up_of(use, context) for use in uses_of(self._strategy)), default=0)
        self._default = float(plan.rules.costs.of(self._instrument).spread)
        self._others = _converting(plan, self.series)
        releases = context.releases if plan.rules.limits.news else None
        own = LiveSeries(self._instrument, plan.name_of(self.series).timeframe, plan.side, None, releases)
        others = [LiveSeries(plan.instrument(text), plan.name_of(text).timeframe, plan.side) for text in self._others]
        self._account = LiveSimulation([own], limited(plan.rules, self._strategy), [*plan.inputs.pairs, *others])
        self._stops = VolatilityStops(frame_of(())) if plan.rules.execution.stops == "volatility" else None
        self._closed: deque[Closed] = deque(maxlen=most)
        self._entered: dict[int, float] = {}        # open trade -> the spread of the bar of its entry
        self._bars, self._quoted, self.spread = 0, BEFORE, NAN
        self._past: SignalRows | None = self._decided_before(market)

    # -- bars

    def quote(self, bars: Iterable[TapeBar]) -> None:
        """Bars of all series have ended at one instant: those of pairs convert money."""
        for bar in bars:
            if bar.series in self._others:
                self._account.rate(1 + len(self._plan.inputs.rates) + self._others.index(bar.series), bar.end, bar.close, bar.spread)

    def ended(self, bar: TapeBar, rows: list[Row]) -> None:
        """Its bar has ended, after ``quote``; ``rows``: the signals that the strategy decides at it."""
        self._plan.inputs.quote(self._account, 1, self._quoted, bar.end)
        self._quoted, self._bars = bar.end, self._bars + 1
        self.spread = self._default if np.isnan(bar.spread) else bar.spread
        if self._stops:
            self._stops.ended(columns_of(bar))
        given = [self._stops.of(row, bar.close) for row in rows] if self._stops else rows
        self._account.open(0, bar.ts, bar.open, bar.spread, bar.end)
        self._account.end(0, bar.high, bar.low, bar.close, bar.end)
        for booked in self._account.advance(bar.end, lambda k, end: given):
            self._entered |= {fill.trade_id: self.spread for fill in booked.fills if fill.reason in ENTRIES and fill.trade_id not in self._entered}
            for trade in sorted(booked.trades, key=lambda trade: (trade.exit_ts, trade.trade_id)):
                spread = self._entered.pop(trade.trade_id)
                if not np.isnan(trade.r):
                    self._closed.append(Closed(trade.r, spread))

    def past(self, bar: TapeBar) -> list[Row]:
        """The signals of a bar that ended before this was made."""
        return self._past.ended(columns_of(bar)) if self._past else []

    def forget_past(self) -> None:
        self._past = None

    # -- what it says

    @property
    def ready(self) -> bool:
        """Whether there are more bars than its features need."""
        return self._bars > self._needed

    @property
    def r(self) -> np.ndarray:
        return np.array([each.r for each in self._closed], np.float64)

    @property
    def spread_at_entries(self) -> float:
        return fsum(each.spread for each in self._closed) / len(self._closed) if self._closed else NAN

    def signal(self, row: Row, bar: TapeBar) -> EntrySignal:
        """An entry of the bar that has just ended, with its size and risk."""
        rate = abs(float(self._account.account.final_rate[0]))
        sizer = Sizer(self._plan.rules.sizing, self._instrument, self._plan.side, self._equity, rate, NAN, self.r.tolist())
        return sizer.signal(row, bar.close, self.spread)

    def _decided_before(self, market: Market) -> SignalRows | None:
        bars = frame_of(market.seen(self.series))
        if not len(bars):
            return None
        table = decide(self._strategy, bars, market.context(self.series), part=True).table
        columns = read_columns(table.assign(instrument=self._instrument.name) if "instrument" in table else table, (self._instrument.name,))
        return SignalRows(self.series, pd.DataFrame(columns, copy=False), BEFORE)


def _converting(plan: Plan, own: str) -> list[str]:
    """The other series of the plan that convert money between its quote currency and the account's."""
    account, quote = plan.rules.account.currency, plan.instrument(own).quote
    if quote == account:
        return []
    pairs = [{quote, account}, {quote, "USD"}, {"USD", account}]
    return [text for text in plan.series if text != own and {plan.instrument(text).base, plan.instrument(text).quote} in pairs]
