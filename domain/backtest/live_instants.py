"""The instants of a live account, worked one after another."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from domain.backtest.floor_table import day_codes
from domain.backtest.live_clocks import day_number
from domain.backtest.live_commanded import LiveCommanded
from domain.backtest.live_rates import PresentRates
from domain.backtest.live_records import Booked, LiveSeries
from domain.backtest.rate_table import not_known
from domain.compliance.day import DayClock
from domain.errors import BadRequest
from domain.trading.signal_row import Row

Decide = Callable[[int, int], Sequence[Row]]        # number of a series, end of its bar -> the signals decided at that close
Place = tuple[int, int]                             # number of a series, place of its bar in the window


class LiveInstants(LiveCommanded):
    """What is whole is worked: no instant after the end of a bar that has been opened and not ended."""

    series: tuple[LiveSeries, ...]
    conversion: PresentRates | None
    clock: DayClock | None              # of the rule set whose floors the account keeps clear of
    deciding: Place | None              # the bar that ``decide`` is called for
    _ones: Sequence[float]              # rates without conversion

    def trail(self, price: float) -> None:
        """The trailing price that the strategy gives for the bar for which ``decide`` is called: to be called from within it."""
        if self.deciding is None:
            raise BadRequest("a trailing price belongs to the bar that is decided; give it from within decide")
        self.bars.window.columns["trail_price"][self.deciding] = price

    def monitor(self, value: float) -> None:
        """The value of the feature that the limit ``drift`` names, at the close for which ``decide`` is called: to be called from within it."""
        if self.deciding is None:
            raise BadRequest("a monitored value belongs to the bar that is decided; give it from within decide")
        self.bars.monitor(*self.deciding, value)

    def remember(self, k: int, values: np.ndarray) -> None:
        """Values of the monitored feature on earlier bars of series ``k``: of its history, and after ``restore`` all so far."""
        self.bars.columns[k].features.fill(np.asarray(values, np.float64))

    def advance(self, until: int, decide: Decide) -> list[Booked]:
        """Works all whole instants <= ``until``, one after another; ``decide`` gives the signals of each bar that ends, before it is booked."""
        booked, now = self.taken(), None
        while now != until and (now := self._next(until)) is not None:
            booked.append(self._work(now, decide))
        return booked

    def _next(self, until: int) -> int | None:
        """The nearest instant, if nothing holds it back."""
        window, nearest = self.bars.window, None
        for k, (bar, inside) in enumerate(zip(self.account.bar_of.tolist(), self.account.inside_of.tolist(), strict=True)):
            b = bar - window.first(k)
            if b >= window.count[k]:
                continue
            moment = int(window.columns["end" if inside else "ts"][k, b])
            if inside and b >= self.bars.ended[k]:
                until = min(until, moment - 1)
            elif nearest is None or moment < nearest:
                nearest = moment
        return nearest if nearest is not None and nearest <= until else None

    def _work(self, now: int, decide: Decide) -> Booked:
        ending, opening = self._bars_at(now)
        rates = self._rates(now)
        self._decide(ending, now, rates, decide)
        if self.rules.limits.daily_loss:
            self.account.day[0] = day_number(self.rules.limits.day_reset, now)
        if self.clock is not None:
            self.account.floor_day[:] = day_codes(self.clock, np.array([now]))
        if self.rules.limits.max_correlation:
            for k, b in opening:
                self.bars.correlate(k, b)
        self.account.step()
        for k, _ in ending if self.conversion is not None else ():
            self.account.final_rate[k] = rates[self.account.currency[k]]
        self.now = now
        self.bars.forget_worked()
        return self.carrier.booked(now)

    def _rates(self, now: int) -> Sequence[float]:
        """Of the present instant; without conversion they are 1, as they were from the beginning."""
        if self.conversion is None:
            return self._ones
        self.account.rate[:, 0] = rates = self.conversion.at(now)
        return rates

    def _bars_at(self, now: int) -> tuple[list[Place], list[Place]]:
        """Series and place of the bars that end now, and of those that open."""
        window, ending, opening = self.bars.window, [], []
        for k, (bar, inside) in enumerate(zip(self.account.bar_of.tolist(), self.account.inside_of.tolist(), strict=True)):
            b = bar - window.first(k)
            if inside and window.columns["end"][k, b] == now:
                ending.append((k, b))
                b, inside = b + 1, 0
            if not inside and b < window.count[k] and window.columns["ts"][k, b] == now:
                opening.append((k, b))
        return ending, opening

    def _decide(self, ending: Sequence[Place], now: int, rates: Sequence[float], decide: Decide) -> None:
        """The signals of the bars that end, into the tables."""
        rows = []
        for place in ending:
            self.deciding = place
            rows.append(decide(place[0], now))
        self.deciding = None
        coming = sum(map(len, rows))
        self.account.make_space(coming)
        if not coming:
            return
        if self.signals.is_full(coming):
            self.clear(coming)
        for place, own in zip(ending, rows, strict=True):
            self._add(place, own, now, rates)
        self.account.tell(signals=self.signals.table, protections=self.signals.protection_table)

    def _add(self, place: Place, rows: Sequence[Row], now: int, rates: Sequence[float]) -> None:
        k = place[0]
        if rows and not self.signals.given[k] and math.isnan(rates[self.account.currency[k]]):
            raise not_known(self.series[k].instrument, self.rules.account.currency, now)
        columns = self.bars.window.columns
        first = self.signals.count
        for row in rows:
            self.signals.add(k, row, self.windows_of)
        columns = self.bars.window.columns      # a new window moves them
        columns["signal_first"][place], columns["signal_last"][place] = first, self.signals.count
