"""The clock of a file, inferred from the times at which its weeks begin and end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from domain.errors import listed
from domain.market.calendar import calendar
from domain.market.clock import CLOCKS, Clock, changes, clock, to_utc
from domain.market.coverage import ONE_STEP
from domain.market.sessions import Calendar
from domain.market.timeframe import Timeframe
from domain.market.zones import DAY, HOUR, to_local
from domain.market.zones import to_utc as zone_to_utc

LATE = 45 * HOUR // 60          # a first bar may come this late, a last one this early: quiet minutes, yet never a whole hour
CUT = 75 * HOUR // 60           # so much may a broker's own hours, on its server's clock, take from the market's
CHANGE_GAIN = 3                 # a clock that changed must explain this many opens and closes more than the best that did not
ALL = slice(None)


class Count(NamedTuple):
    """``agree`` weeks of ``weeks``."""

    agree: int
    weeks: int


@dataclass(frozen=True)
class ClockEvidence:
    """How well one clock explains a file: its weekly opens, the Friday closes before them, and both together by season.

    ``late`` are the opens explained only by the feed's own hours; ``apart`` the weeks in which only one of the US and the EU has daylight saving.
    ``certain``: the first in rank, with four weeks or more, nine opens and seven closes in ten explained, and no other that explains just the same.
    """

    clock: str
    title: str
    share: float                # of weeks whose open is explained
    opens: Count
    fridays: Count
    late: int
    winter: Count
    summer: Count
    apart: Count
    tied: tuple[str, ...]
    certain: bool
    sentence: str


class Weeks(NamedTuple):
    """Wall times of the first bar of each week and of the end of the last bar before it, and the features they are ranked by."""

    opens: np.ndarray
    ends: np.ndarray
    usual_open: np.ndarray      # whether that is the hour at which most weeks of the year begin on this wall clock
    usual_end: np.ndarray
    season: np.ndarray
    year: np.ndarray


class Match(NamedTuple):
    """Which weeks one clock explains, by their opens and by the Friday closes before them, and which of both it meets exactly."""

    clock: Clock
    opens: np.ndarray
    fridays: np.ndarray
    met: np.ndarray
    left: np.ndarray

    def score(self, rows: np.ndarray | slice = ALL) -> tuple[int, int]:
        return int(self.opens[rows].sum() + self.fridays[rows].sum()), int(self.met[rows].sum() + self.left[rows].sum())


def infer(naive_ns: np.ndarray, timeframe: Timeframe, calendar_name: str, candidates: Iterable[str] | None = None) -> tuple[ClockEvidence, ...]:
    """Every candidate clock with its evidence, the best first; empty where no week begins in the file, or its bars are daily.

    A clock explains a week's open when, read by it, the first bar falls on the calendar's weekly open: it contains it, or starts less than 45
    minutes after; likewise a Friday's close. A broker whose hours follow its own server's clock shuts out a part of the market's: so an open up
    to 75 minutes late, or a close that early, also counts if it is the feed's usual hour of that year. Bars outside market hours never do.
    Clocks are ranked by opens and closes explained, then by those met exactly, then in the order of the candidates; ``tied`` names the others
    that explain just the same, but for clocks whose rule changed: in such a file that change does not show. A clock that changed its rule at a new year is offered, as ``A until YEAR then B``, if it explains three more than any
    that did not, and nine opens in ten.

    >>> sundays = np.datetime64("2024-01-07T17:00", "ns").astype(np.int64) + np.arange(30)[:, None] * 7 * DAY
    >>> best = infer((sundays + np.arange(120) * HOUR).ravel(), Timeframe.named("H1"), "fx")[0]
    >>> best.clock, best.tied
    ('America/New_York', ())
    >>> print(best.sentence)
    weekly open at 17:00 New York (Sunday 22:00 UTC in winter, 21:00 in summer) in 29 of 29 weeks, Friday close in 29; of the 3 weeks when US and EU daylight saving differ, 3 match both
    """
    market = calendar(calendar_name)
    weeks = weeks_of(naive_ns, timeframe, market)
    if timeframe.ends_with_session or not len(weeks.opens):
        return ()
    matches = [_match(clock(key), weeks, timeframe, market) for key in (candidates or default_candidates())]
    changed = _changed(matches, weeks)
    if changed and changed.score() > max(match.score() for match in matches):
        matches.insert(0, changed)
    ranked = sorted(matches, key=lambda match: match.score(), reverse=True)
    return tuple(_evidence(match, ranked, weeks, market) for match in ranked)


def likely(stated: str | None, evidence: Sequence[ClockEvidence]) -> str:
    """The clock of a file. ``stated``: that of its zones or its format, which holds unless the weeks are certainly those of another; without one the best evidence."""
    if not evidence or (stated and not evidence[0].certain):
        return stated or (evidence[0].clock if evidence else "UTC")
    best = evidence[0]
    return stated if stated and stated in (best.clock, *best.tied) else best.clock


def default_candidates() -> list[str]:
    """The clocks data is sold in, every whole-hour offset, and last the registered rules that changed."""
    whole_hours = [f"UTC{hours:+d}" for hours in (*range(1, 15), *range(-1, -13, -1))]
    first = ["UTC", "mt5_us", "mt5_eu", "America/New_York", "America/Chicago", "Europe/London", *whole_hours]
    return [*first, *(key for key in CLOCKS if key not in first)]


def _sorted(naive_ns: np.ndarray, market: Calendar) -> np.ndarray:
    """In order, and a month within the years the calendar knows."""
    naive_ns = np.asarray(naive_ns, np.int64)
    naive_ns = naive_ns[market.knows(naive_ns - 30 * DAY) & market.knows(naive_ns + 30 * DAY)]
    return naive_ns if (naive_ns[1:] >= naive_ns[:-1]).all() else np.sort(naive_ns)


def weeks_of(naive_ns: np.ndarray, timeframe: Timeframe, market: Calendar) -> Weeks:
    """Weeks begin with a bar of Sunday morning to Monday noon after a day and more without bars."""
    naive_ns = _sorted(naive_ns, market)
    rows = np.flatnonzero(np.diff(naive_ns) > DAY) + 1
    since_sunday = (naive_ns[rows] + 4 * DAY) % (7 * DAY)
    rows = rows[(since_sunday >= 6 * HOUR) & (since_sunday < 37 * HOUR)]
    rows = rows[_dense(naive_ns, rows, timeframe)]
    opens, ends = naive_ns[rows], naive_ns[rows - 1] + timeframe.nanoseconds
    us, eu = (to_local(opens, zone) - opens for zone in ("America/New_York", "Europe/London"))
    season = np.where((us == -4 * HOUR) & (eu == HOUR), 1, np.where((us == -5 * HOUR) & (eu == 0), 0, 2))
    year = opens.view("datetime64[ns]").astype("datetime64[Y]").astype(int) + 1970
    return Weeks(opens, ends, _usual(opens, year), _usual(ends, year), season, year)


def _dense(naive_ns: np.ndarray, rows: np.ndarray, timeframe: Timeframe) -> np.ndarray:
    """Weeks that begin with bars of the timeframe: those of a part of the file that is daily, say, tell no clock. All of them where none does."""
    near = np.r_[0, np.cumsum(np.diff(naive_ns) <= 1.1 * timeframe.nanoseconds)]
    last = np.searchsorted(naive_ns, naive_ns[rows] + 2 * DAY) - 1
    dense = near[last] - near[rows] >= ONE_STEP * (last - rows)
    return dense if dense.any() else np.ones(len(rows), bool)


def _usual(wall_ns: np.ndarray, year: np.ndarray) -> np.ndarray:
    """Whether each lies within 45 minutes of the commonest half hour of the week among those of its year."""
    usual = np.zeros(len(wall_ns), bool)
    in_week = wall_ns % (7 * DAY)
    for calendar_year in np.unique(year):
        slots, counts = np.unique(in_week[year == calendar_year] // (HOUR // 2), return_counts=True)
        usual |= (year == calendar_year) & (np.abs(in_week - slots[np.argmax(counts)] * (HOUR // 2)) <= LATE)
    return usual


def _match(this: Clock, weeks: Weeks, timeframe: Timeframe, market: Calendar) -> Match:
    opens, ends = to_utc(weeks.opens, this)[0], to_utc(weeks.ends, this)[0]
    begin, shut = market.stretches(int(ends.min()) - 14 * DAY, int(opens.max()) + 14 * DAY)
    begin, shut = begin[1:][begin[1:] - shut[:-1] > DAY], shut[:-1][begin[1:] - shut[:-1] > DAY]
    late = opens - begin[np.searchsorted(begin, opens + timeframe.nanoseconds, side="left") - 1]
    early = shut[np.searchsorted(shut, ends - timeframe.nanoseconds, side="right")] - ends
    met, left_exactly = late <= LATE, early <= LATE
    return Match(this, met | ((late <= CUT) & weeks.usual_open), left_exactly | ((early <= CUT) & weeks.usual_end), met, left_exactly)


def _changed(matches: list[Match], weeks: Weeks) -> Match | None:
    """The best ``A until YEAR then B`` of two steady clocks, if it is much better than any one."""
    steady = [match for match in matches if not match.clock.then]
    best, most = None, max((match.score()[0] for match in steady), default=0) + CHANGE_GAIN - 1
    for until in np.unique(weeks.year)[:-1] if steady else ():
        early = weeks.year <= until
        first, then = (max(steady, key=lambda match: match.score(part)) for part in (early, ~early))
        mixed = Match(changes(first.clock, int(until), then.clock), *(np.where(early, a, b) for a, b in zip(first[1:], then[1:], strict=True)))
        if first is not then and mixed.score()[0] > most and mixed.opens.mean() >= 0.9:
            best, most = mixed, mixed.score()[0]
    return best


def _evidence(match: Match, ranked: list[Match], weeks: Weeks, market: Calendar) -> ClockEvidence:
    total = len(weeks.opens)
    agreed = match.opens & match.fridays
    winter, summer, apart = (Count(int(agreed[weeks.season == k].sum()), int((weeks.season == k).sum())) for k in range(3))
    same = [other.clock for other in ranked if other is not match and (other.opens == match.opens).all() and (other.fridays == match.fridays).all()]
    tied = tuple(other.key for other in same if not other.then)
    opens, fridays = int(match.opens.sum()), int(match.fridays.sum())
    evidence = ClockEvidence(
        match.clock.key, match.clock.title, opens / total, Count(opens, total), Count(fridays, total), int((match.opens & ~match.met).sum()),
        winter, summer, apart, tied, False, "",
    )  # fmt: skip
    certain = match is ranked[0] and not tied and total >= 4 and opens >= 0.9 * total and fridays >= 0.7 * total
    return replace(evidence, certain=certain, sentence=_sentence(evidence, match.clock, market))


def _sentence(evidence: ClockEvidence, this: Clock, market: Calendar) -> str:
    late = f" ({evidence.late} of them one hour late: the feed's trading hours)" if evidence.late else ""
    text = f"weekly open at {_weekly_open(market)} in {evidence.opens.agree} of {evidence.opens.weeks} weeks{late}, Friday close in {evidence.fridays.agree}; "
    if evidence.apart.weeks:
        text += f"of the {evidence.apart.weeks} weeks when US and EU daylight saving differ, {evidence.apart.agree} match both"
    else:
        text += "no week in which US and EU daylight saving differ"
    if this.then:
        text += f"; one rule until {this.until}, another from {this.until + 1}: {this.then.title}"
    return text + (f"; in this file indistinguishable from {listed(evidence.tied)}" if evidence.tied and evidence.opens.agree else "")


def _weekly_open(market: Calendar) -> str:
    minutes = market.windows[0].opens % 1440
    wall = np.array(["2024-01-07", "2024-07-07"], "datetime64[ns]").view(np.int64) + minutes * HOUR // 60
    winter, summer = (str(t)[11:16] for t in zone_to_utc(wall, market.zone)[0].view("datetime64[ns]"))
    return f"{minutes // 60:02d}:{minutes % 60:02d} {market.zone.split('/')[1].replace('_', ' ')} (Sunday {winter} UTC in winter, {summer} in summer)"
