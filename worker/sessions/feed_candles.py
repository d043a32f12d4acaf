"""Candles that breaks make necessary, requested beside the feed: a vendor that is slow holds up nobody, and sessions that want the same share one answer."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass

from domain.errors import BadRequest, SourceUnavailable
from domain.live.quotes import Wanted
from domain.live.slots import named
from domain.market.quotes import Candle
from domain.venues.live import LiveVendor

SHARED = 0.5                # seconds for which an answer is good for another session too


@dataclass(frozen=True)
class Answer:
    """What the vendor has of ``wanted``; ``trouble`` where it did not answer."""

    wanted: Wanted
    candles: tuple[Candle, ...]
    requested_at: int
    trouble: str = ""


UNDER_WAY = Answer(Wanted("", 0, 0), (), 0)


@dataclass(frozen=True)
class Question:
    wanted: Wanted
    requested_at: int                                  # the vendor's clock
    tell: Callable[[Answer], None]


class Candles:
    """One thread that asks, question after question."""

    def __init__(self, vendor: LiveVendor, monotonic: Callable[[], float]) -> None:
        self._vendor, self._monotonic = vendor, monotonic
        self._questions: queue.Queue[Question | None] = queue.Queue()
        self._shared: dict[Wanted, tuple[float, Answer]] = {}
        self._kept: dict[Wanted, Answer] = {}
        self._thread: threading.Thread | None = None

    def ask(self, wanted: Wanted, requested_at: int, tell: Callable[[Answer], None]) -> None:
        """``tell`` is called with the answer, in the thread that asks."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=f"candles of {self._vendor.title}", daemon=True)
            self._thread.start()
        self._questions.put(Question(wanted, requested_at, tell))

    def answered(self, wanted: Wanted) -> tuple[Candle, ...]:
        """Candles that nobody else waits for. SourceUnavailable while they are requested, and with the vendor's trouble, after which they are requested again."""
        answer = self._kept.get(wanted)
        if answer is None:
            self._kept[wanted] = UNDER_WAY
            self.ask(wanted, 0, lambda candles: self._kept.update({wanted: candles}))
        elif answer != UNDER_WAY:
            del self._kept[wanted]
            if not answer.trouble:
                return answer.candles
            raise SourceUnavailable(answer.trouble)
        raise SourceUnavailable(f"{self._vendor.title} is queried for earlier bars of {wanted.series}; the session begins with its answer")

    def close(self) -> None:
        self._questions.put(None)

    def _run(self) -> None:
        while (question := self._questions.get()) is not None:
            question.tell(self._answer(question))

    def _answer(self, question: Question) -> Answer:
        now = self._monotonic()
        self._shared = {wanted: kept for wanted, kept in self._shared.items() if now - kept[0] < SHARED}
        if question.wanted in self._shared and (kept := self._shared[question.wanted][1]).requested_at >= question.requested_at:
            return kept
        answer = self._fetched(question)
        if not answer.trouble:
            self._shared[question.wanted] = now, answer
        return answer

    def _fetched(self, question: Question) -> Answer:
        wanted = question.wanted
        instrument, timeframe = named(wanted.series)
        try:
            rows = self._vendor.candles(instrument, timeframe, wanted.start, wanted.end)
        except (SourceUnavailable, BadRequest) as error:
            return Answer(wanted, (), question.requested_at, str(error))
        return Answer(wanted, tuple(rows), question.requested_at)
