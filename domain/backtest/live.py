"""A live account: the kernel fed bar by bar. What the whole run books, it books, to the last bit."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from domain.backtest.live_records import Booked as Booked
from domain.backtest.live_records import LiveSeries as LiveSeries
from domain.backtest.live_records import Present as Present
from domain.backtest.series import Bars
from domain.trading.rules import Rules
from domain.trading.signal_row import Row

Decide = Callable[[int, int], Sequence[Row]]        # number of a series, end of its bar -> the signals decided at that close
Tape = Callable[[int, int | None], Bars]            # number of a series, how many (None: all) -> its last bars that have ended, in order


class LiveSimulation:
    """The kernel fed bar by bar. State between two instants is bytes.

    Series have numbers in their order, those of ``rates`` follow. A bar is opened, later ended; ``advance`` then works every instant that is
    whole: it never passes the end of a bar that has been opened and not ended. Bars of ``rates`` are known from their end on.
    The last bar of a series must be said to be the last when it ends, and only that: its decisions are ``end_of_data``.
    """

    def __init__(self, series: Sequence[LiveSeries], rules: Rules = Rules(), rates: Sequence[LiveSeries] = (), tape: Tape | None = None) -> None:
        """``tape`` is asked for earlier bars where a rule or a signal needs them: after ``restore``, or for an ATR of a new length. Without one
        the bars are kept in memory, all of them."""
        raise NotImplementedError

    def history(self, k: int, bars: Bars) -> None:
        """Bars before the first one that is worked: nothing is decided, no row is written. Conversion knows those of ``rates``; of a traded
        series the rules see the traded bars only, as in a backtest."""
        raise NotImplementedError

    def open(self, k: int, ts: int, open: float, spread: float = float("nan"), end: int | None = None) -> None:
        """A bar of series ``k`` opens. ``spread`` NaN: the costs' or the instrument's. ``end``: where the tape says it; else the calendar's."""
        raise NotImplementedError

    def finer(self, k: int, ts: int, open: float, high: float, low: float, close: float, spread: float = float("nan"), end: int | None = None) -> None:
        """A finer bar inside the open bar of series ``k``, for ``magnify``; before that bar ends."""
        raise NotImplementedError

    def end(self, k: int, high: float, low: float, close: float, end: int | None = None, last: bool = False) -> None:
        """The open bar of series ``k`` ends. ``end``: where that differs from what ``open`` was told. ``last``: no bar follows."""
        raise NotImplementedError

    def trail(self, k: int, price: float) -> None:
        """The trailing price that the strategy gives for the bar that ends at this instant: to be called from within ``decide``."""
        raise NotImplementedError

    def advance(self, until: int, decide: Decide) -> list[Booked]:
        """Works all whole instants <= ``until``, one after another; ``decide`` is asked for the signals of each bar that ends, before it is booked."""
        raise NotImplementedError

    def finish(self) -> Booked:
        """The end of the data: open positions leave at their series' last close. Every series must have ended its last bar."""
        raise NotImplementedError

    def kill(self) -> Booked:
        """The kill switch, between two instants: no entries from here on; with ``flatten`` positions leave at the next open."""
        raise NotImplementedError

    def present(self) -> Present:
        """The account, its positions and orders, after the last instant."""
        raise NotImplementedError

    def store(self) -> bytes:
        """Everything that the future depends on but the bars of the tape, between two instants."""
        raise NotImplementedError

    @classmethod
    def restore(cls, series: Sequence[LiveSeries], rules: Rules, stored: bytes, rates: Sequence[LiveSeries] = (), tape: Tape | None = None) -> LiveSimulation:
        """The account as it was stored. Raises OtherLayout where the bytes are of other code or other series: rebuild it from the tape."""
        raise NotImplementedError
