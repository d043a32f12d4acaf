"""A live account: the kernel fed bar by bar. What the whole run books, it books, to the last bit."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from domain.backtest.live_bars import LiveBars, mid_of
from domain.backtest.live_bytes import OtherLayout as OtherLayout
from domain.backtest.live_bytes import Unpacked, layout, packed
from domain.backtest.live_carrying import Carrier
from domain.backtest.live_clocks import day_number
from domain.backtest.live_commanded import LiveCommanded
from domain.backtest.live_orders import Signals
from domain.backtest.live_rates import PresentRates, Source
from domain.backtest.live_records import Booked as Booked
from domain.backtest.live_records import LiveSeries as LiveSeries
from domain.backtest.live_records import Present as Present
from domain.backtest.live_state import restored, rules_in, stored_arrays, stored_values
from domain.backtest.live_tape import Tape as Tape
from domain.backtest.rate_table import costs_of_rate, not_known
from domain.backtest.series import Bars
from domain.errors import BadRequest
from domain.trading.rules import Rules
from domain.trading.signal_row import Row

Decide = Callable[[int, int], Sequence[Row]]        # number of a series, end of its bar -> the signals decided at that close
NAN, LONG_AGO = math.nan, -(1 << 62)


class LiveSimulation(LiveCommanded):
    """The kernel fed bar by bar. State between two instants is bytes.

    Series have numbers in their order, those of ``rates`` follow. A bar is opened, later ended; ``advance`` then works every instant that is
    whole: it never passes the end of a bar that has been opened and not ended. Bars of ``rates`` are known from their end on; feed those that
    end by an instant before it is worked. The last bar of a series must be said to be the last when it ends, and only that: its decisions are
    ``end_of_data``.

    >>> from domain.market.instrument import instrument
    >>> from domain.market.timeframe import Timeframe
    >>> from domain.trading.signal_row import read_row
    >>> account, minute = LiveSimulation([LiveSeries(instrument("EURUSD"), Timeframe.named("M5"))]), 60_000_000_000
    >>> account.open(0, 0, 1.1, spread=0.0)
    >>> account.end(0, 1.1002, 1.0998, 1.1001)
    >>> account.open(0, 5 * minute, 1.1001, spread=0.0)
    >>> booked = account.advance(5 * minute, lambda k, end: [read_row(dict(side="long"))])
    >>> [(each.ts // minute, len(each.fills)) for each in booked]
    [(0, 0), (5, 1)]
    """

    def __init__(self, series: Sequence[LiveSeries], rules: Rules = Rules(), rates: Sequence[LiveSeries] = (), tape: Tape | None = None) -> None:
        """``tape`` is asked for earlier bars where a rule or a signal needs them: after ``restore``, or for an ATR of a new length. Without one
        the bars are kept in memory, all of them."""
        if not series:
            raise BadRequest("there is nothing to trade: give at least one series")
        rules.costs.check([each.instrument for each in series])
        self.series, self.rates, self.rules = tuple(series), tuple(rates), rules
        self.given = rules                  # before any command changed them
        self.now = LONG_AGO                 # the last instant that was worked
        self.bars = LiveBars(self.series, rules, tape)
        self.account, self.signals = self.bars.account, Signals(len(series))
        self._rate_spreads = [float(costs_of_rate(rate, self.series, rules.costs).of(rate.instrument).spread) for rate in self.rates]
        self._sources, self._finer_sources, every = self._all_sources()
        self.conversion = PresentRates(self.account.currencies, rules.account.currency, every) if self.account.converts else None
        self.carrier = Carrier(self.series, self.account, self.signals)
        self.verbs_booked: list[Booked] = []
        self._layout = layout(self.series, self.rates)
        self._deciding: tuple[int, int] | None = None       # series and place of the bar that ``decide`` is asked about

    def history(self, k: int, bars: Bars) -> None:
        """Bars before the first one that is worked: nothing is decided, no row is written. Conversion knows those of ``rates``; of a traded
        series the rules see the traded bars only, as in a backtest."""
        if k >= len(self.series):
            for end, close, spread in zip(bars.end.tolist(), bars.close.tolist(), bars.spread.tolist(), strict=True):
                self._quote(k, end, close, spread)

    def open(self, k: int, ts: int, open: float, spread: float = NAN, end: int | None = None) -> None:
        """A bar of series ``k`` opens. ``spread`` NaN: the costs' or the instrument's. ``end``: where the tape says it; else the calendar's."""
        if ts < self.now:
            raise BadRequest(f"a bar of {self.series[k].name} opens at {ts}, but {self.now} has been worked already")
        self.bars.open(k, ts, open, spread, end)

    def finer(self, k: int, ts: int, open: float, high: float, low: float, close: float, spread: float = NAN, end: int | None = None) -> None:
        """A finer bar of series ``k``, for ``magnify``; before the bar ends that it lies in."""
        spread, source = self.bars.spread(k, spread), self._finer_sources[k]
        if self.rules.execution.intrabar == "magnify":
            self.bars.finer.coming[k].append((ts, open, high, low, close, spread))
        if self.conversion is not None and source is not None:
            finer = self.series[k].finer_timeframe or self.series[k].timeframe
            source.add(ts, ts + finer.nanoseconds if end is None else end, mid_of(self.series[k].side, close, spread))

    def end(self, k: int, high: float, low: float, close: float, end: int | None = None, last: bool = False) -> None:
        """The open bar of series ``k`` ends. ``end``: where that differs from what ``open`` was told. ``last``: no bar follows."""
        until = self.bars.open_until(k) if end is None else end
        if until <= self.now:
            raise BadRequest(f"a bar of {self.series[k].name} ends at {until}, but {self.now} has been worked already")
        moment, mid = self.bars.end(k, high, low, close, end, last)
        if self.conversion is not None:
            self._sources[k].coming.append((moment, mid))

    def rate(self, k: int, end: int, close: float, spread: float = NAN) -> None:
        """A bar of a series of ``rates`` has ended. ``k`` counts on after the traded series."""
        self._quote(k, end, close, spread)

    def trail(self, price: float) -> None:
        """The trailing price that the strategy gives for the bar about which ``decide`` is asked: to be called from within it."""
        if self._deciding is None:
            raise BadRequest("a trailing price belongs to the bar that is decided; give it from within decide")
        self.bars.window.columns["trail_price"][self._deciding] = price

    def monitor(self, value: float) -> None:
        """The value of the feature that the limit ``drift`` names, at the close about which ``decide`` is asked: to be called from within it."""
        if self._deciding is None:
            raise BadRequest("a monitored value belongs to the bar that is decided; give it from within decide")
        self.bars.monitor(*self._deciding, value)

    def remember(self, k: int, values: np.ndarray) -> None:
        """Values of the monitored feature on earlier bars of series ``k``: of its history, and after ``restore`` all so far."""
        self.bars.columns[k].features.fill(np.asarray(values, np.float64))

    def advance(self, until: int, decide: Decide) -> list[Booked]:
        """Works all whole instants <= ``until``, one after another; ``decide`` is asked for the signals of each bar that ends, before it is booked."""
        booked = self.taken()
        while (now := self._next(until)) is not None:
            booked.append(self._work(now, decide))
        return booked

    def finish(self) -> Booked:
        """The end of the data: open positions leave at their series' last close, and the last row is after that."""
        for k, each in enumerate(self.series):
            if self.bars.ended[k] < self.bars.window.count[k]:
                raise BadRequest(f"{each.name} has a bar that has not ended; end it before the end of the data")
        self.account.make_space(0)
        self.account.finish()
        return self.carrier.finished()

    def kill(self) -> Booked:
        """The kill switch, between two instants: no entries from here on; with ``flatten`` positions leave at the next open."""
        self.account.make_space(0)
        self.account.kill()
        return self.carrier.booked(self.now)

    def present(self) -> Present:
        """The account, its positions and orders, after the last instant."""
        return self.carrier.present()

    @property
    def entry_signals(self) -> int:
        """Signals so far but exits."""
        return self.signals.entries

    def store(self) -> bytes:
        """Everything that the future depends on but the bars of the tape, between two instants."""
        if self.verbs_booked:
            raise BadRequest("what commands booked has not been taken; take it before the state is stored")
        return packed(self._layout, stored_values(self), stored_arrays(self))

    @classmethod
    def restore(cls, series: Sequence[LiveSeries], rules: Rules, stored: bytes, rates: Sequence[LiveSeries] = (), tape: Tape | None = None) -> LiveSimulation:
        """The account as it was stored. Raises OtherLayout where the bytes are of other code or other series: rebuild it from the tape.
        Without a tape, rules that look back have nothing to look at."""
        parts = Unpacked(stored, layout(tuple(series), tuple(rates)))
        simulation = cls(series, rules_in(parts, rules), rates, tape)
        simulation.given = rules
        restored(simulation, parts)
        simulation.carrier = Carrier(simulation.series, simulation.account, simulation.signals)
        return simulation

    def _next(self, until: int) -> int | None:
        """The nearest instant, if nothing holds it back."""
        window, nearest = self.bars.window, None
        for k, (bar, inside, *_) in enumerate(self.account.cursors.tolist()):
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
        self.account.rate[:, 0] = rates = self.conversion.at(now) if self.conversion is not None else [1.0] * len(self.account.currencies)
        self._decide(ending, now, rates, decide)
        if self.rules.limits.daily_loss:
            self.account.day[0] = day_number(self.rules.limits.day_reset, now)
        if self.rules.limits.max_correlation:
            for k, b in opening:
                self.bars.correlate(k, b)
        self.account.step()
        for k, _ in ending:
            self.account.final_rate[k] = rates[self.account.currency[k]]
        self.now = now
        self.bars.forget_worked()
        return self.carrier.booked(now)

    def _bars_at(self, now: int) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        """Series and place of the bars that end now, and of those that open."""
        window, ending, opening = self.bars.window, [], []
        for k, (bar, inside, *_) in enumerate(self.account.cursors.tolist()):
            b = bar - window.first(k)
            if inside and window.columns["end"][k, b] == now:
                ending.append((k, b))
                b, inside = b + 1, 0
            if not inside and b < window.count[k] and window.columns["ts"][k, b] == now:
                opening.append((k, b))
        return ending, opening

    def _decide(self, ending: Sequence[tuple[int, int]], now: int, rates: Sequence[float], decide: Decide) -> None:
        """The signals of the bars that end, into the tables."""
        rows = []
        for place in ending:
            self._deciding = place
            rows.append(decide(place[0], now))
        self._deciding = None
        coming = sum(map(len, rows))
        self.account.make_space(coming)
        if not coming:
            return
        if self.signals.is_full(coming):
            self.clear(coming)
        for place, own in zip(ending, rows, strict=True):
            self._add(place, own, now, rates)
        self.account.tell(signals=self.signals.table, protections=self.signals.protection_table)

    def _add(self, place: tuple[int, int], rows: Sequence[Row], now: int, rates: Sequence[float]) -> None:
        k = place[0]
        if rows and not self.signals.given[k] and math.isnan(rates[self.account.currency[k]]):
            raise not_known(self.series[k].instrument, self.rules.account.currency, now)
        columns = self.bars.window.columns
        first = self.signals.count
        for row in rows:
            self.signals.add(k, row, self.windows_of)
        columns = self.bars.window.columns      # a new window moves them
        columns["signal_first"][place], columns["signal_last"][place] = first, self.signals.count

    def _quote(self, k: int, end: int, close: float, spread: float) -> None:
        if self.conversion is not None:
            rate = self.rates[k - len(self.series)]
            spread = self._rate_spreads[k - len(self.series)] if spread != spread else spread
            self._sources[k].coming.append((end, mid_of(rate.side, close, spread)))

    def _all_sources(self) -> tuple[list[Source], list[Source | None], list[Source]]:
        """Of each series and rate, of each series' finer bars, and all in the order in which one of two at once counts."""
        own = [Source(each.instrument.base, each.instrument.quote, each.timeframe.minutes) for each in (*self.series, *self.rates)]
        finer = [Source(each.instrument.base, each.instrument.quote, each.finer_timeframe.minutes) if each.finer_timeframe else None for each in self.series]
        traded = [source for k in range(len(self.series)) for source in (own[k], finer[k]) if source is not None]
        return own, finer, [*traded, *own[len(self.series) :]]
