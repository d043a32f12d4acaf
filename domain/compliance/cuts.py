"""Times by which an account must be flat, and the trades that were open across one."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import numpy as np

from domain.compliance.day import FIRST, LAST, MINUTE, DayClock, minutes_of
from domain.compliance.stretch import Stretch
from domain.errors import BadRequest
from domain.market.calendar import calendar
from domain.market.instrument import Instrument
from domain.market.zones import DAY, HOUR

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
BY_TIME = re.compile(r"(?:flat )?(?:by )?(?:(mon|tue|wed|thu|fri|sat|sun)[a-z]* )?(\d{1,2}:\d{2})")
BY_SHUT = re.compile(r"flat if (?:the )?(?:market )?(?:is )?shuts?(?: for)? ?(?:>|more than) ?([\d.]+) ?h(?:ours)?")


class Flat:
    """``allowed``; ``flat by 15:10`` (each day) or ``flat by Fri 20:00``; or ``flat if the market shuts > 2 h``.

    >>> str(Flat("flat by Friday 20:00")), str(Flat("flat if market shuts > 2 h"))
    ('flat by Fri 20:00', 'flat if the market shuts > 2 h')
    """

    word = "word: 'allowed', 'flat by 15:10', 'flat by Fri 20:00', or 'flat if the market shuts > 2 h'"

    def __init__(self, value: Any) -> None:
        text = " ".join(str(value).lower().split())
        time, shut = BY_TIME.fullmatch(text), BY_SHUT.fullmatch(text)
        if text != "allowed" and not time and not shut:
            raise ValueError(value)
        self.hours = float(shut[1]) if shut else 0.0
        self.weekday = WEEKDAYS.index(time[1]) if time and time[1] else -1
        try:
            self.minutes = minutes_of(time[2]) if time else -1
        except BadRequest:
            raise ValueError(value) from None

    @property
    def allowed(self) -> bool:
        return self.minutes < 0 and not self.hours

    def __str__(self) -> str:
        if self.allowed:
            return "allowed"
        if self.hours:
            return f"flat if the market shuts > {self.hours:g} h"
        return f"flat by {WEEKDAYS[self.weekday].title() + ' ' if self.weekday >= 0 else ''}{self.minutes // 60:02}:{self.minutes % 60:02}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Flat) and str(self) == str(other)

    def __hash__(self) -> int:
        return hash(str(self))


@cache
def cuts_of(flat: Flat, clock: DayClock, market: str) -> tuple[np.ndarray, np.ndarray]:
    """Instants from 1950 to 2100 by which to be flat, and until when nothing may be opened after each."""
    if flat.hours:
        opens, closes = calendar(market).stretches(0, LAST * DAY)
        long = opens[1:] - closes[:-1] > flat.hours * HOUR
        return closes[:-1][long], opens[1:][long]
    days = np.arange(FIRST, LAST, dtype=np.int64)
    chosen = days[(days + 3) % 7 == flat.weekday] if flat.weekday >= 0 else days
    cuts = clock.instants_of(chosen * DAY + flat.minutes * MINUTE)
    resets = clock.resets.at
    return cuts, resets[np.minimum(np.searchsorted(resets, cuts, side="right"), len(resets) - 1)]


def held_across(
    flat: Flat, clock: DayClock, stretch: Stretch, markets: dict[str, Instrument | None]
) -> list[tuple[int, int, bool]]:
    """Row of the trade, instant, and whether it was opened after the cut (not held across it); once a trade.

    A position closed at the cut itself is flat by it.
    """
    breaches = []
    trades = stretch.trades
    for name in dict.fromkeys(trades.instrument.tolist()):
        about = markets.get(name)
        cuts, until = cuts_of(flat, clock, about.calendar if about and flat.hours else "fx")
        rows = np.flatnonzero(trades.instrument == name)
        entry, leave = trades.entry_ts[rows], trades.exit_ts[rows]
        place = np.searchsorted(cuts, entry, side="left")
        cut = cuts[np.minimum(place, len(cuts) - 1)]
        held = (leave > cut) & (cut <= stretch.last) & (cut > stretch.before) & (cut >= entry)
        earlier = np.maximum(place - 1, 0)
        late = (place > 0) & (entry > cuts[earlier]) & (entry < until[earlier]) & stretch.opened[rows]
        breaches += [(int(rows[k]), int(cut[k]), False) for k in np.flatnonzero(held & ~_late(entry, cuts, until))]
        breaches += [(int(rows[k]), int(entry[k]), True) for k in np.flatnonzero(late)]
    return sorted(breaches, key=lambda each: (each[1], each[0]))


def _late(entry: np.ndarray, cuts: np.ndarray, until: np.ndarray) -> np.ndarray:
    """Entries after a cut and before trading goes on: that is the breach, and it is counted once."""
    earlier = np.searchsorted(cuts, entry, side="left") - 1
    return (earlier >= 0) & (entry > cuts[np.maximum(earlier, 0)]) & (entry < until[np.maximum(earlier, 0)])
