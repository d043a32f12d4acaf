"""How long a bar lasts."""

from __future__ import annotations

from dataclasses import dataclass

from domain.errors import unknown

MINUTES = {"M1": 1, "M5": 5, "M15": 15, "M30": 30, "H1": 60, "H4": 240, "D1": 1440}


@dataclass(frozen=True, order=True)
class Timeframe:
    """
    >>> Timeframe.named("H1").minutes, str(Timeframe.named("H1"))
    (60, 'H1')
    >>> Timeframe.named("M5") < Timeframe.named("D1")
    True
    """

    minutes: int
    name: str

    @classmethod
    def named(cls, name: str) -> Timeframe:
        if name not in MINUTES:
            raise unknown("timeframe", name, MINUTES)
        return cls(MINUTES[name], name)

    @property
    def nanoseconds(self) -> int:
        return self.minutes * 60_000_000_000

    @property
    def ends_with_session(self) -> bool:
        """D1 ends when the session of its calendar closes, not a fixed time after its open."""
        return self.minutes >= 1440

    def __str__(self) -> str:
        return self.name


TIMEFRAMES = tuple(Timeframe(minutes, name) for name, minutes in MINUTES.items())
