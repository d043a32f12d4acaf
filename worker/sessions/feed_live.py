"""A live feed of one session: what the hub hears becomes bars in the thread that asks for them."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence

from domain.live.bar_maker import BarMaker
from domain.live.quotes import Cut, Event, FeedMessage, FeedState, OpenBar, Wanted
from worker.sessions.feed_ages import Ages
from worker.sessions.feed_candles import Answer, Candles

MOST = 100_000              # that wait to be taken; a session that takes nothing for longer has a break
AT_ONCE = 5_000             # taken in one step
AGAIN = 5.0                 # seconds after which a vendor that did not answer is queried for candles again


class LiveFeed:
    """As ``domain.live.quotes.Feed``. ``away``: why the hub is away, as it stands; ``leave`` is called when it is closed."""

    def __init__(self, title: str, maker: BarMaker, ages: Ages, candles: Candles, monotonic: Callable[[], float], away: Callable[[], str], leave: Callable[[LiveFeed], None]) -> None:
        self._title, self._maker, self._ages, self._candles, self._monotonic = title, maker, ages, candles, monotonic
        self._why, self._leave = away, leave
        self.inbox = self._messages = deque[FeedMessage | Answer]()     # while it is empty, nothing has come
        self._news = threading.Event()
        self._requests: dict[Wanted, float] = {}           # questions under way, and when those that failed may be requested again
        self._trouble, self._overrun = "", False

    # from other threads

    def put(self, message: FeedMessage | Answer) -> None:
        if len(self._messages) > MOST and not isinstance(message, Answer):
            self._overrun = True
        if not self._overrun or isinstance(message, Answer):
            self._messages.append(message)
        self._news.set()

    # from the session's thread

    def next(self, timeout: float) -> Sequence[Event]:
        if not self._messages and (timeout <= 0 or not self._news.wait(timeout)):
            return ()
        self._news.clear()
        events = [event for message in self._taken() for event in self._receive(message)]
        self._ask()
        return events

    def shown(self) -> Sequence[OpenBar]:
        return self._maker.shown()

    def state(self) -> FeedState:
        ages = {name: self._ages.of(name) for name in self._maker.instruments}
        return FeedState(self._waits(), self._ages.clock, ages, self._maker.dropped, self._maker.remarks)

    def silent(self, instruments: Iterable[str]) -> tuple[str, ...]:
        return self._ages.silent(instruments)

    def close(self) -> None:
        self._leave(self)

    # inside

    def _taken(self) -> list[FeedMessage | Answer]:
        taken = [self._messages.popleft() for _ in range(min(len(self._messages), AT_ONCE))]
        if self._overrun and not self._messages:           # all that was kept is taken; what came since is lost
            self._overrun = False
            taken.append(Cut())
        return taken

    def _receive(self, message: FeedMessage | Answer) -> list[Event]:
        if not isinstance(message, Answer):
            return self._maker.receive(message)
        self._trouble = message.trouble
        if message.trouble:
            self._requests[message.wanted] = self._monotonic() + AGAIN
            return []
        self._requests.pop(message.wanted, None)
        return self._maker.answer(message.wanted, message.candles, message.requested_at)

    def _ask(self) -> None:
        now = self._monotonic()
        for wanted in self._maker.wanted():
            if now >= self._requests.get(wanted, 0.0):
                self._requests[wanted] = float("inf")
                self._candles.ask(wanted, self._maker.clock.now, self.put)

    def _waits(self) -> str:
        if why := self._why():
            return why
        if self._maker.away:
            return f"waits for the first heartbeat of {self._title}"
        if recovering := self._maker.recovering:
            return f"waits for {self._title}'s candles of {', '.join(recovering)} after a break" + (f": {self._trouble}" if self._trouble else "")
        return ""
