"""What may not be done around scheduled releases."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from domain.compliance.exposure import INSTRUMENTS, known_currencies
from domain.compliance.needs import REACH, RELEASES, trades_needed
from domain.compliance.order import Order
from domain.compliance.path import stamp
from domain.compliance.rule import BLOCK, FAIL, PROFIT_FACTOR, Breach, Known, Reading, Rule, Terms, rule
from domain.compliance.stretch import Stretch
from domain.compliance.trades import Trades
from domain.market.instrument import Instrument
from domain.market.zones import DAY, SECOND
from domain.outside.releases import IMPACTS, concerning
from domain.params import param

OPENING, CLOSING, STOP, TARGET = "open", "close", "stop", "target"
STOPS = ("stop_loss", "trail", "break_even", "stop_out")
MINUTE = 60 * SECOND
BEYOND = 7 * DAY        # calendars come by weeks: what is further from all releases of one is not in it


def reaches(releases: pd.DataFrame, ts: np.ndarray) -> bool:
    """Whether a calendar covers all these instants: none is more than a week before its first release, or after its last.

    >>> week = pd.DataFrame(dict(ts=pd.to_datetime(["2024-07-11T12:30Z"]).as_unit("ns")))
    >>> [reaches(week, pd.to_datetime([day]).as_unit("ns").asi8) for day in ("2024-07-16", "2024-07-22")]
    [True, False]
    """
    times = releases["ts"].dt.as_unit("ns").astype("int64").to_numpy()
    return not len(ts) or bool(len(times) and times.min() - BEYOND <= ts.min() and ts.max() <= times.max() + BEYOND)


class Actions:
    """Which actions count inside a window: ``open close stop target``, or ``all``.

    >>> str(Actions("open, close")), str(Actions("all"))
    ('open close', 'open close stop target')
    """

    word = "list of actions out of open, close, stop and target"

    def __init__(self, value: Any) -> None:
        words = (
            str(value).split()
            if isinstance(value, Actions)
            else value
            if isinstance(value, list | tuple)
            else str(value).replace(",", " ").split()
        )
        every = (OPENING, CLOSING, STOP, TARGET)
        self.names = every if list(words) == ["all"] else tuple(name for name in every if name in words)
        if not self.names or (list(words) != ["all"] and set(words) - set(every)):
            raise ValueError(value)

    def __str__(self) -> str:
        return " ".join(self.names)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Actions) and self.names == other.names

    def __hash__(self) -> int:
        return hash(self.names)


@rule("news")
@dataclass(frozen=True)
class News(Rule):
    """News: no actions from some minutes before a release until some minutes after it, in the instruments of its currency."""

    unit = ""
    required = ("before", "after", "actions", "effect")

    before: float = param(
        2.0,
        low=0.0,
        high=1_440.0,
        unit="minutes",
        title="Before",
        help="minutes before a release, the instant itself included",
    )
    after: float = param(
        2.0,
        low=0.0,
        high=1_440.0,
        unit="minutes",
        title="After",
        help="minutes after a release, the instant itself included",
    )
    actions: Actions = param(
        Actions("all"),
        title="Actions",
        help="which count: open, close, stop, target; a stop or target that fires is an action",
    )
    effect: str = param(
        FAIL,
        choices=(FAIL, BLOCK, PROFIT_FACTOR),
        help="the account fails; the order is refused; or the trade's profit counts by the factor",
    )
    factor: float = param(
        0.0,
        low=0.0,
        high=1.0,
        unit="",
        title="Profit factor",
        help="share of the profit that counts, with PROFIT_FACTOR",
    )
    impact: str = param("high", choices=IMPACTS, title="Least impact", help="releases of this impact or more")

    def needs(self, known: Known) -> tuple[str, ...]:
        return (*trades_needed(known), *(() if known.releases else (RELEASES,)))

    def clause(self) -> str:
        return f"news: {self.actions} from {self.before:g} min before to {self.after:g} min after a release"

    def start(self, terms: Terms) -> Terms:
        return terms

    def inside(self, ts: np.ndarray, releases: np.ndarray) -> np.ndarray:
        """Place of the first release in whose window each instant lies, -1 where there is none; both ends belong to it.

        >>> noon = 1_773_750_600_000_000_000
        >>> News().inside(np.array([noon - 2 * MINUTE, noon - 2 * MINUTE - 1]), np.array([noon])).tolist()
        [0, -1]
        """
        if not len(releases):
            return np.full(len(ts), -1)
        place = np.searchsorted(releases, ts - int(self.after * MINUTE), side="left")
        nearest = releases[np.minimum(place, len(releases) - 1)]
        return np.where((place < len(releases)) & (nearest <= ts + int(self.before * MINUTE)), place, -1)

    def read(self, memory: Terms, stretch: Stretch) -> Reading:
        if memory.releases is None or not len(stretch.trades):
            return Reading()
        breaches: list[Breach] = []
        lacks: tuple[str, ...] = ()
        coarse = self._known_to(stretch)
        for name in dict.fromkeys(stretch.trades.instrument.tolist()):
            about = known_currencies(name, memory.instruments)
            if about is None:
                lacks = (INSTRUMENTS,)
                continue
            chosen = stretch.trades.instrument == name
            done = stretch.trades.rows(chosen), stretch.opened[chosen], stretch.closed[chosen]
            breaches += self._of(about, *done, memory.releases, coarse)
        acted = np.concatenate([stretch.trades.entry_ts[stretch.opened], stretch.trades.exit_ts[stretch.closed]])
        lacks += () if reaches(memory.releases, acted) else (REACH,)
        return Reading(breaches=sorted(breaches, key=lambda breach: breach.ts), lacks=lacks, detail=coarse)

    def _known_to(self, stretch: Stretch) -> str:
        """What bars longer than a window leave open: the minute at which a stop or target fired inside one."""
        if len(stretch.ts) < 2 or not stretch.closed.any():
            return ""
        apart = int(np.median(np.diff(stretch.ts)))
        if apart <= (self.before + self.after) * MINUTE or (stretch.trades.exit_ts[stretch.closed] % apart).any():
            return ""
        return f"Stops and targets are judged at the time of their bar of {apart / MINUTE:g} min: the minute inside it is not known."

    def refuses(self, memory: Terms, reading: Reading, order: Order) -> str:
        """Inside a window of a release of the instrument's currencies; where the calendar does not reach, or the currencies are not known, nobody can say."""
        about = known_currencies(order.instrument, memory.instruments)
        if memory.releases is None or about is None:
            return f"it needs {RELEASES if memory.releases is None else INSTRUMENTS}."
        if not reaches(memory.releases, np.array([order.ts])):
            return "it needs a news calendar that reaches this moment."
        near = self.inside(np.array([order.ts]), concerning(memory.releases, about, self.impact))[0] >= 0
        return "a release is near." if near and OPENING in self.actions.names else ""

    def _of(
        self, about: Instrument, trades: Trades, opened: np.ndarray, closed: np.ndarray, releases: pd.DataFrame, coarse: str
    ) -> Iterator[Breach]:
        instants = concerning(releases, about, self.impact)
        for action, ts, chosen in ((OPENING, trades.entry_ts, opened), (CLOSING, trades.exit_ts, closed)):
            rows = np.flatnonzero(chosen)
            places = self.inside(ts[rows], instants)
            for row, place in zip(rows.tolist(), places.tolist(), strict=True):
                done = action if action == OPENING else _exit(str(trades.reason[row]))
                if place >= 0 and done in self.actions.names:
                    yield self._breach(trades, row, int(ts[row]), done, int(instants[place]), coarse if done in (STOP, TARGET) else "")

    def _breach(self, trades: Trades, row: int, ts: int, done: str, release: int, coarse: str) -> Breach:
        apart = (ts - release) / MINUTE
        when = f"{abs(apart):.2f} min {'before' if apart < 0 else 'after'}" if apart else "at"
        detail = f"{done} of {trades.instrument[row]} {when} the release of {stamp(release)}. {coarse}".rstrip()
        counted = self.effect == PROFIT_FACTOR
        value = float(trades.pnl[row]) if counted else np.nan
        return Breach(
            ts,
            self.clause(),
            value,
            value * self.factor if counted else np.nan,
            self.effect,
            (trades.id[row],),
            detail[0].upper() + detail[1:],
        )


def _exit(reason: str) -> str:
    return STOP if reason in STOPS else TARGET if reason.startswith("target") or reason == "take_profit" else CLOSING
