"""What the broker suite needs of a vendor: its double, and switches for what goes wrong.

A vendor joins the suite with one file ``rig_<vendor>.py`` beside this one that defines ``RIG``, a subclass of ``Rig``.
Prices of EURUSD begin at 1.10000 / 1.10010, of USDJPY at 150.000 / 150.010; the account has 100,000 USD and leverage 30 at least.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from domain.trading.broker import Broker, MemoryIntents

NOON = datetime(2024, 7, 10, 12, tzinfo=UTC)        # a Wednesday


@dataclass
class Time:
    """Time that passes only where somebody sleeps; ours may be wrong by ``skew``."""

    now: datetime = NOON
    skew: timedelta = timedelta(0)
    slept: float = 0.0
    watchers: list = field(default_factory=list)        # called with each advance, seconds

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self.slept += seconds
        for watcher in self.watchers:
            watcher(seconds)

    def utc(self) -> datetime:
        """Our clock."""
        return self.now + self.skew

    def utc_ns(self) -> int:
        return int((self.utc() - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(microseconds=1)) * 1_000

    def monotonic(self) -> float:
        return self.slept


class Rig(ABC):
    """One vendor's double for one test: as new, nothing open. ``time`` is the vendor's and, but for its skew, ours."""

    secret = ""             # must appear nowhere
    variable = ""           # the environment variable that a refused sign-in names

    def __init__(self) -> None:
        self.time, self.intents = Time(), MemoryIntents()

    @abstractmethod
    def broker(self) -> Broker:
        """A new broker object, as a new process would make it, on the same record of intents."""

    @abstractmethod
    def move(self, instrument: str, bid: str, ask: str) -> None:
        """A new price at the vendor, now; what it reaches fills."""

    @abstractmethod
    def accepted(self) -> int:
        """How many orders for new positions or their reduction the vendor accepted, by any sender."""

    @abstractmethod
    def lose_answer(self, then_away: bool = False) -> None:
        """The vendor does what the next order or change asks, and its answer is lost; ``then_away``: and it cannot be reached from then on."""

    @abstractmethod
    def lose_request(self) -> None:
        """The next order is sent and never arrives; nobody is told."""

    @abstractmethod
    def away(self, gone: bool) -> None:
        """The vendor cannot be reached for anything, or can again."""

    @abstractmethod
    def fill_first(self) -> None:
        """The answer to the next order is lost, and for the next minute, longer than anybody asks, the vendor shows its fill but not yet the order itself."""

    @abstractmethod
    def repeat_fills(self) -> None:
        """From now on the vendor tells each execution twice."""

    @abstractmethod
    def fill_only(self, lots: str) -> None:
        """The next market order finds no more than this."""

    @abstractmethod
    def freeze(self) -> None:
        """Prices stand still from now on; the connection stays healthy and its heartbeats go on."""

    @abstractmethod
    def unprotected(self) -> list[str]:
        """The moments, in words, at which an open position that had a stop had none."""

    @abstractmethod
    def refuse_key(self) -> None:
        """The vendor no longer accepts our key or password."""

    def close(self) -> None:        # noqa: B027 (a vendor without anything to close has nothing to say)
        """Called after the test."""


