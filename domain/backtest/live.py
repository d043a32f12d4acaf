"""A live account: the kernel fed bar by bar. What the whole run books, it books, to the last bit."""

from __future__ import annotations

import math
from collections.abc import Sequence

from domain.backtest.floor_table import gate_of
from domain.backtest.live_bars import LiveBars, mid_of
from domain.backtest.live_bytes import OtherLayout as OtherLayout
from domain.backtest.live_bytes import Unpacked, layout, packed
from domain.backtest.live_carrying import Carrier
from domain.backtest.live_instants import LiveInstants
from domain.backtest.live_orders import Signals
from domain.backtest.live_rates import PresentRates, sources_of
from domain.backtest.live_records import Booked as Booked
from domain.backtest.live_records import LiveSeries as LiveSeries
from domain.backtest.live_records import Present as Present
from domain.backtest.live_state import restored, rules_in, stored_arrays, stored_text
from domain.backtest.live_tape import Tape as Tape
from domain.backtest.rate_table import costs_of_rate
from domain.backtest.series import Bars
from domain.errors import BadRequest
from domain.trading.rules import Rules

NAN, LONG_AGO = math.nan, -(1 << 62)


class LiveSimulation(LiveInstants):
    """The kernel fed bar by bar. State between two instants is bytes.

    Series have numbers in their order, those of ``rates`` follow. A bar is opened, later ended; ``advance`` then works every instant that is
    whole: it never passes the end of a bar that has been opened and not ended. Bars of ``rates`` are known from their end on; feed those that
    end by an instant before it is worked. The last bar of a series must be marked as the last when it ends, and only that: its decisions are
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
        """``tape`` gives earlier bars where a rule or a signal needs them: after ``restore``, or for an ATR of a new length. Without one
        the bars are kept in memory, all of them."""
        if not series:
            raise BadRequest("there is nothing to trade: give at least one series")
        rules.costs.check([each.instrument for each in series])
        self.clock = floors.clock if (floors := gate_of(rules)) else None
        self.series, self.rates, self.rules = tuple(series), tuple(rates), rules
        self.given = rules                  # before any command changed them
        self.now = LONG_AGO                 # the last instant that was worked
        self.bars = LiveBars(self.series, rules, tape)
        self.account, self.signals = self.bars.account, Signals(len(series))
        self._rate_spreads = [float(costs_of_rate(rate, self.series, rules.costs).of(rate.instrument).spread) for rate in self.rates]
        self._sources, self._finer_sources, every = sources_of(self.series, self.rates)
        self.conversion = PresentRates(self.account.currencies, rules.account.currency, every) if self.account.converts else None
        self.carrier = Carrier(self.series, self.account, self.signals)
        self.verbs_booked: list[Booked] = []
        self._layout, self._ones = layout(self.series, self.rates), [1.0] * len(self.account.currencies)
        self.deciding = None

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
        """The open bar of series ``k`` ends. ``end``: where that differs from what ``open`` was given. ``last``: no bar follows."""
        until = self.bars.open_until(k) if end is None else end
        if until <= self.now:
            raise BadRequest(f"a bar of {self.series[k].name} ends at {until}, but {self.now} has been worked already")
        moment, mid = self.bars.end(k, high, low, close, end, last)
        if self.conversion is not None:
            self._sources[k].coming.append((moment, mid))

    def rate(self, k: int, end: int, close: float, spread: float = NAN) -> None:
        """A bar of a series of ``rates`` has ended. ``k`` counts on after the traded series."""
        self._quote(k, end, close, spread)

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
        orders = self.account.orders
        if self.signals.count > orders or self.signals.protections > orders:
            self.clear()
        self.bars.forget()
        return packed(self._layout, stored_text(self), stored_arrays(self))

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

    def _quote(self, k: int, end: int, close: float, spread: float) -> None:
        if self.conversion is not None:
            rate = self.rates[k - len(self.series)]
            spread = self._rate_spreads[k - len(self.series)] if spread != spread else spread
            self._sources[k].coming.append((end, mid_of(rate.side, close, spread)))
