"""Bars of a live account as they open and end: into the window that the kernel reads, with all that the rules read of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache

import numpy as np

from domain.backtest.live_account import LiveAccount
from domain.backtest.live_clocks import nights_between
from domain.backtest.live_columns import Columns, correlation, governed, governing, grid, rule_of, true_range
from domain.backtest.live_finer import FinerBars
from domain.backtest.live_limits import read_again, warn_again
from domain.backtest.live_records import LiveSeries
from domain.backtest.live_tables import Averages, Flats
from domain.backtest.live_tape import OwnTape, Tape, together
from domain.backtest.live_window import Window
from domain.backtest.series import Bars
from domain.compact import compact
from domain.errors import BadBars, BadRequest
from domain.market.calendar import bar_ends
from domain.market.zones import DAY
from domain.trading.rules import Rules

NAN = math.nan
LEAVING = 4         # bars that nothing reads any more, from which on they leave before the state is stored


class LiveBars:
    """The bars of the traded series. ``ended``: how many of a series in the window have ended."""

    def __init__(self, series: Sequence[LiveSeries], rules: Rules, tape: Tape | None) -> None:
        self.series, self.rules = series, rules
        self.names = list(dict.fromkeys(each.instrument.name for each in series))
        self.window = Window(len(series), {"rho": len(self.names) ** 2 if rules.limits.max_correlation else 1})
        self.account = LiveAccount(series, rules, self.window)
        self.ended, self.last = [0] * len(series), [False] * len(series)
        self.spreads = [float(rules.costs.of(each.instrument).spread) for each in series]
        self.swaps = [bool(task) for task in self.account.tasks["swaps"]]
        self.columns = [Columns(rule_of(rules.limits, rules.sizing)) for _ in series]
        self._governing = governing(rules.limits)
        self.averages, self.flats = Averages(self.window, lambda k: self._so_far(k, None)), Flats(self.window, series)
        self.finer, self._rho = FinerBars(self.account), dict[tuple[int, int, int], float]()
        self.own = OwnTape(len(series)) if tape is None else None
        self._tape: Tape = self.own or tape        # type: ignore[assignment]
        if rules.costs.slippage_kind == "atr":
            self.average_row(rules.costs.slippage_window)

    def open(self, k: int, ts: int, open: float, spread: float, end: int | None) -> None:
        """One more bar of the window, of which only the open is known."""
        self._check_open(k, ts)
        if self.window.is_full(k):
            self._make_place(k)
        b, columns = self.window.count[k], self.window.columns
        end = self._end_of(k, ts) if end is None else int(end)
        if end <= ts:
            raise BadRequest(f"the bar of {self.series[k].name} that opens at {ts} ends at {end}; it must end after it opens")
        own = dict(ts=ts, end=end, open=open, spread=self.spread(k, spread), warn=self.columns[k].opened(ts), trail_price=NAN, sigma=NAN)
        for name, value in own.items():
            columns[name][k, b] = value
        for name in ("signal_first", "signal_last", "finer_first", "finer_last"):
            columns[name][k, b] = 0
        if self.swaps[k]:
            columns["nights_before"][k, b] = nights_between(int(columns["end"][k, b - 1]), ts, self.series[k].instrument.triple_day) if b else 0
        self.flats.opened(k, b, ts)
        self.window.count[k] = b + 1
        self.account.counts[k] = b + 1

    def end(self, k: int, high: float, low: float, close: float, end: int | None, last: bool) -> tuple[int, float]:
        """The open bar with all its prices; its end, and its mid close."""
        b, columns = self.window.count[k] - 1, self.window.columns
        self._check_end(k, high, low, close)
        if end is not None:
            columns["end"][k, b] = end
        ts, end, spread = int(columns["ts"][k, b]), int(columns["end"][k, b]), float(columns["spread"][k, b])
        columns["high"][k, b], columns["low"][k, b], columns["close"][k, b] = high, low, close
        span = true_range(high, low, float(columns["close"][k, b - 1])) if b else NAN
        columns["warn"][k, b] |= self.columns[k].ended(end, spread, span, close) | self.governed(k, end)
        columns["sigma"][k, b] = self.columns[k].sigma()
        self.averages.ended(k, b, span)
        if self.swaps[k]:
            columns["nights_in"][k, b] = nights_between(ts, end, self.series[k].instrument.triple_day)
        self.finer.ended(k, b, (ts, end), high, low)
        self.ended[k] = b + 1
        if last:
            self.last[k], self.account.tasks["open_ended"][k] = True, 0
        if self.own is not None:
            self.own.add(k, ts, end, float(columns["open"][k, b]), high, low, close, spread)
        return end, self.mid(k, close, spread)

    def open_until(self, k: int) -> int:
        """The expected end of the bar that is open."""
        return int(self.window.columns["end"][k, max(self.window.count[k] - 1, 0)])

    def monitor(self, k: int, b: int, value: float) -> None:
        """The monitored feature at the close of a bar that has ended."""
        self.window.columns["warn"][k, b] |= self.columns[k].monitored(value)

    def governed(self, k: int, end: int) -> int:
        return governed(self._governing, self.series[k].instrument, end, self.series[k].releases)

    def spread(self, k: int, given: float) -> float:
        if given != given:
            return self.spreads[k]
        if given < 0 or math.isinf(given):
            raise BadBars(f"{self.series[k].name}: a spread is {given}; it must be a number from 0 on")
        return given

    def mid(self, k: int, close: float, spread: float) -> float:
        return mid_of(self.series[k].side, close, spread)

    def average_row(self, window: int) -> int:
        """The row of the ATR of this length; a new one is made from the bars so far."""
        if window not in self.averages.windows:
            self.averages.add(window, self.ended)
            self.account.tell_window()
        return self.averages.windows.index(window)

    def flat_row(self, k: int, text: str) -> int:
        """The row of this moment to be flat, for fills in bars of this series."""
        if (k, text) not in self.flats.rows:
            self.flats.add(k, text)
            self.account.tell_window()
        return self.flats.rows.index((k, text))

    def correlate(self, k: int, b: int) -> None:
        """Correlations of the instrument of a bar that opens now with the others, before this day."""
        a, day = self.names.index(self.series[k].instrument.name), int(self.window.columns["ts"][k, b]) // DAY
        for other in range(len(self.names)):
            if other != a:
                self.window.columns["rho"][a * len(self.names) + other, k, b] = self._correlation(max(a, other), min(a, other), day)

    def forget_worked(self) -> None:
        """Places of finer bars are free once no bar that has ended waits to be worked."""
        if self.finer.any and all(self.account.bar_of[k] - self.window.first(k) >= ended for k, ended in enumerate(self.ended)):
            self.finer.free()

    def change(self, rules: Rules) -> None:
        """Other limits: their warnings of the bars in the window, as if they had always been so."""
        before, rule, self.rules, self._governing = self.columns[0].rule, rule_of(rules.limits, rules.sizing), rules, governing(rules.limits)
        if rules.limits.max_correlation and self.window.rows["rho"] < len(self.names) ** 2:
            self.window.make_rows(self.window.places, self.window.count, rho=len(self.names) ** 2)
        self.account.change(rules)
        self.account.tell_window()
        for k in range(len(self.series)):
            if before._replace(blackout=rule.blackout) == rule:
                self.columns[k].rule = rule
                warn_again(self, k)
            else:
                read_again(self, k, self._so_far(k, None))

    def look_back(self) -> None:
        """After a restore: what the rules read of earlier bars."""
        needed = self.columns[0].rule.looks_back
        for k in range(len(self.series) if needed else 0):
            self.columns[k].look_back(self._so_far(k, None if needed < 0 else needed + self.ended[k]))

    @property
    def text(self) -> str:
        """What is stored beside the arrays, as JSON."""
        return f'{{{self._tables_text},"places":{self.window.places},"count":{self.window.count},"ended":{self.ended}}}'

    @property
    def _tables_text(self) -> str:
        """Of tables that most sessions do not have: without any it is written once."""
        spikes = [column.spikes for column in self.columns]
        if self.averages.windows or self.flats.rows or any(self.last) or any(self.finer.coming) or any([each.count for each in spikes]):
            averages = [[[each.count, each.value] for each in (*own, spikes[k])] for k, own in enumerate(self.averages.of)]
            return compact(dict(windows=self.averages.windows, flats=self.flats.rows, last=self.last, averages=averages, finer=self.finer.coming))[1:-1]
        return _without_tables(len(spikes))

    def arrays(self) -> list[np.ndarray]:
        """The bars in the window."""
        return [block[:, k, :count] for k, count in enumerate(self.window.count) for block in (self.window.words, self.window.marks)]

    def forget(self) -> None:
        """Bars that are not read any more leave, a few at a time."""
        for k, bar in enumerate(self.account.bar_of.tolist()):
            if (leaving := bar - 1 - self.window.first(k)) >= LEAVING:
                self._leave(k, leaving)

    def _leave(self, k: int, bars: int) -> None:
        self.window.drop(k, bars)
        self.account.renumber(k, -bars)
        self.account.counts[k] -= bars
        self.ended[k] -= bars

    def _check_open(self, k: int, ts: int) -> None:
        name, b = self.series[k].name, self.window.count[k]
        if self.last[k]:
            raise BadRequest(f"a bar of {name} opens at {ts}, but its last bar was marked as the last")
        if self.ended[k] < b:
            raise BadRequest(f"a bar of {name} opens at {ts}, but the one before it has not ended; end it first")
        if b and ts < (before := int(self.window.columns["end"][k, b - 1])):
            raise BadRequest(f"a bar of {name} opens at {ts}, before the end of the last one at {before}")

    def _check_end(self, k: int, high: float, low: float, close: float) -> None:
        name = self.series[k].name
        if self.ended[k] == self.window.count[k]:
            raise BadRequest(f"a bar of {name} ends, but none is open; open it first")
        if not low <= high or close != close:
            raise BadBars(f"{name}: the bar that opens at {int(self.window.columns['ts'][k, self.ended[k]])} has high {high}, low {low} and close {close}")

    def _end_of(self, k: int, ts: int) -> int:
        timeframe = self.series[k].timeframe
        if not timeframe.ends_with_session:
            return ts + timeframe.nanoseconds
        return int(bar_ends(np.array([ts]), timeframe, self.series[k].instrument.calendar)[0])

    def _make_place(self, k: int) -> None:
        """Bars before the one before the present leave; where there are none, the window grows."""
        leaving = int(self.account.bar_of[k]) - 1 - self.window.first(k)
        if leaving > 0:
            self._leave(k, leaving)
            return
        before = self.window.grow()
        for series in range(len(self.series)):
            self.account.renumber(series, series * (self.window.places - before))
        self.account.tell_window()

    def _so_far(self, k: int, last: int | None) -> Bars:
        """All bars that have ended, or the last ones."""
        present = Bars(*(self.window.columns[name][k, : self.ended[k]].copy() for name in Bars._fields))
        return together(self._tape(k, last), present)

    def _correlation(self, a: int, b: int, day: int) -> float:
        if (a, b, day) not in self._rho:
            self._rho = {key: value for key, value in self._rho.items() if key[2] >= day - 7}
            firsts = [next(k for k, each in enumerate(self.series) if each.instrument.name == self.names[number]) for number in (a, b)]
            self._rho[a, b, day] = correlation(self.columns[firsts[0]], self.columns[firsts[1]], self.rules.limits.correlation_days, day)
        return self._rho[a, b, day]


@cache
def _without_tables(series: int) -> str:
    """
    >>> _without_tables(1)
    '"windows":[],"flats":[],"last":[false],"averages":[[[0,0.0]]],"finer":[[]]'
    """
    return compact(dict(windows=[], flats=[], last=[False] * series, averages=[[[0, 0.0]]] * series, finer=[[]] * series))[1:-1]


def mid_of(side: str, close: float, spread: float) -> float:
    """The middle of bid and ask, on the grid."""
    return grid(close) if side == "mid" else (grid(close) + grid(close + spread)) / 2
