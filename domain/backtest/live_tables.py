"""Tables that signals name: averages of the true range of several lengths, and moments to be flat, both of the bars in the window."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from domain.backtest.live_clocks import flat_at
from domain.backtest.live_columns import NAN, Wilder, true_range
from domain.backtest.live_records import LiveSeries
from domain.backtest.live_window import Window
from domain.backtest.series import Bars


class Averages:
    """Wilder's ATR: ``windows`` are the lengths, by their row; ``of`` those of each series. ``so_far``: all bars of a series that have ended."""

    def __init__(self, window: Window, so_far: Callable[[int], Bars]) -> None:
        self._window, self._so_far = window, so_far
        self.windows: list[int] = []
        self.of: list[list[Wilder]] = [[] for _ in range(window.series)]

    def ended(self, k: int, b: int, span: float) -> None:
        """A bar of this true range has ended at place ``b``."""
        for row, average in enumerate(self.of[k]):
            self._window.columns["atr"][row, k, b] = average.add(span)

    def add(self, length: int, ended: Sequence[int]) -> None:
        """One more length, made from the bars so far; ``ended``: how many of each series in the window have."""
        row = self._window.add_row("atr") if self.windows else 0
        self.windows.append(length)
        for k, count in enumerate(ended):
            average, values = _from_the_first(self._so_far(k), length)
            self.of[k].append(average)
            if count:
                self._window.columns["atr"][row, k, :count] = values[-count:]


class Flats:
    """When a position must be flat that is filled in a bar: ``rows`` are series and text."""

    def __init__(self, window: Window, series: Sequence[LiveSeries]) -> None:
        self._window, self._series = window, series
        self.rows: list[tuple[int, str]] = []

    def opened(self, k: int, b: int, ts: int) -> None:
        for row, (series, text) in enumerate(self.rows):
            if series == k:
                self._write(row, k, b, ts, text)

    def add(self, k: int, text: str) -> None:
        row = self._window.add_row("flat_at", "shut_at") if self.rows else 0
        self.rows.append((k, text))
        for b, ts in enumerate(self._window.columns["ts"][k, : self._window.count[k]].tolist()):
            self._write(row, k, b, ts, text)

    def _write(self, row: int, k: int, b: int, ts: int, text: str) -> None:
        columns, series = self._window.columns, self._series[k]
        columns["flat_at"][row, k, b], columns["shut_at"][row, k, b] = flat_at(text, ts, series.timeframe, series.instrument.calendar)


def _from_the_first(bars: Bars, length: int) -> tuple[Wilder, list[float]]:
    average, values, before = Wilder(length), list[float](), NAN
    for high, low, close in zip(bars.high.tolist(), bars.low.tolist(), bars.close.tolist(), strict=True):
        values.append(average.add(true_range(high, low, before) if before == before else NAN))
        before = close
    return average, values
