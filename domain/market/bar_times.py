"""Whether the times of a file are those at which its bars open, or those at which they close: as chosen, as its format says, or as its weeks show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from domain.errors import BadRequest
from domain.market.calendar import calendar
from domain.market.clock import to_utc
from domain.market.clock_evidence import ClockEvidence, default_candidates, infer, weeks_of
from domain.market.sessions import Calendar
from domain.market.timeframe import Timeframe
from domain.market.zones import DAY, HOUR

OPEN, CLOSE, EITHER = "open", "close", "either"
FEWEST = 4              # weeks that decide
OPENS, FRIDAYS = 0.9, 0.7
MOST = 0.5              # of the weeks must be explained by one reading only, and begin and end at the very open and close
SOME = 0.25             # of the weeks explained by one reading only, where the other does not explain the weeks; or a remark
HALF_HOURS = ("Asia/Kolkata", "Asia/Tehran", "Australia/Adelaide", "UTC+9:30")    # as starts of M30 on these, ends of M30 on a whole hour look alike
CHOOSE = "if they are, choose bar close as their time stamp (on the terminal --bar-time close), else bar open"


class BarTime(NamedTuple):
    """``at``: open or close; ``note``: why, empty where nothing speaks for closes."""

    at: str
    note: str = ""


class Reading(NamedTuple):
    """The clock that explains the weeks best if the times are those of ``at``; ``on_close``: weeks in which a time is that of the close itself."""

    at: str
    best: ClockEvidence
    on_open: int
    on_close: int

    @property
    def weeks(self) -> int:
        return self.best.opens.weeks

    @property
    def explained(self) -> int:
        return self.best.opens.agree + self.best.fridays.agree

    @property
    def explains(self) -> bool:
        """Whether it explains the weeks at all."""
        return self.best.opens.agree >= OPENS * self.weeks and self.best.fridays.agree >= FRIDAYS * self.weeks

    def surely(self, other: Reading) -> bool:
        """Whether it explains the weeks, and most of them alone; some of them alone where the other does not explain the weeks."""
        alone = self.explained - other.explained
        return self.weeks >= FEWEST and self.explains and alone >= (MOST if other.explains else SOME) * self.weeks


def check_bar_time(chosen: str) -> str:
    """
    >>> check_bar_time("end")
    Traceback (most recent call last):
    ...
    domain.errors.BadRequest: the time stamp of bars is 'end'; give open or close
    """
    if chosen not in ("", OPEN, CLOSE):
        raise BadRequest(f"the time stamp of bars is {chosen[:40]!r}; give open or close")
    return chosen


def bar_time(naive_ns: np.ndarray, timeframe: Timeframe, calendar_name: str, stated: str = "", chosen: str = "", by_format: str = "") -> BarTime:
    """What the times of bars are. ``stated``: the clock that the file or the person states; ``by_format``: what the vendor of the format says, or the
    series that the file is appended to; "" where nothing does.

    At the close of a week no bar begins. So they are closes where, each read as one timeframe earlier, they explain weekly opens and Friday closes,
    and as opens do so for fewer: in most weeks there is a bar at the very close. From H1 on a clock an hour off explains the same, so only on a stated one.

    >>> sundays = np.datetime64("2024-01-07T22:00", "ns").astype(np.int64) + np.arange(6)[:, None] * 7 * DAY
    >>> closes = (sundays + np.arange(1, 241) * HOUR // 2).ravel()
    >>> bar_time(closes, Timeframe.named("M30"), "fx", "UTC").note
    'in 5 of 5 weeks the last bar bears the time of the Friday close: the times are those at which bars close; each begins M30 earlier'
    >>> bar_time(closes - HOUR // 2, Timeframe.named("M30"), "fx", "UTC")
    BarTime(at='open', note='')
    """
    if chosen:
        return BarTime(chosen, f"its times are read as those at which bars {chosen}, as chosen")
    if timeframe.ends_with_session:
        return _of_days(naive_ns, by_format)
    readings = _readings(naive_ns, timeframe, calendar_name, stated)
    if readings is None:
        return _by_format(by_format, timeframe)
    opens, closes, telling = readings
    if telling and closes.surely(opens) and min(closes.on_open, closes.on_close) >= MOST * closes.weeks:
        return BarTime(CLOSE, f"{_evidence(closes)}: the times are those at which bars close; each begins {timeframe} earlier")
    if telling and opens.surely(closes):
        return BarTime(OPEN, "files of its format or series are stamped at bar close, but its weeks show that the times are those of opens" if by_format == CLOSE else "")
    if by_format:
        return _by_format(by_format, timeframe)
    suspect = closes.explained - opens.explained >= SOME * closes.weeks and min(closes.on_close, closes.best.opens.agree) >= MOST * closes.weeks
    return BarTime(OPEN, f"{_evidence(closes)}, so its times may be those at which bars close; they are read as those of opens; {CHOOSE}" if suspect else "")


def _readings(naive_ns: np.ndarray, timeframe: Timeframe, calendar_name: str, stated: str) -> tuple[Reading, Reading, bool] | None:
    """The best of opens and of closes, and whether they can tell at all: on the stated clock where that explains the weeks, else on any."""
    market = calendar(calendar_name)
    if stated:
        pair = _pair(naive_ns, timeframe, calendar_name, market, (stated,), (stated,))
        if pair is None or any(reading.best.opens.agree >= OPENS * reading.weeks for reading in pair) or timeframe.nanoseconds >= HOUR:
            return pair and (*pair, True)
    names = default_candidates()
    pair = _pair(naive_ns, timeframe, calendar_name, market, (*names, *HALF_HOURS) if timeframe.minutes == 30 else names, names)
    return pair and (*pair, timeframe.nanoseconds < HOUR)


def _pair(naive_ns: np.ndarray, timeframe: Timeframe, calendar_name: str, market: Calendar, as_opens: Sequence[str], as_closes: Sequence[str]) -> tuple[Reading, Reading] | None:
    earlier = naive_ns - timeframe.nanoseconds
    opens, closes = infer(naive_ns, timeframe, calendar_name, as_opens), infer(earlier, timeframe, calendar_name, as_closes)
    if not opens or not closes:
        return None
    return Reading(OPEN, opens[0], 0, 0), Reading(CLOSE, closes[0], *_on_the_edge(earlier, timeframe, market, closes[0].clock))


def _on_the_edge(naive_ns: np.ndarray, timeframe: Timeframe, market: Calendar, clock: str) -> tuple[int, int]:
    """In how many weeks the first bar has the market's open in it, and the last ends at the very close."""
    weeks = weeks_of(naive_ns, timeframe, market)
    first, end = to_utc(weeks.opens, clock)[0], to_utc(weeks.ends, clock)[0]
    begin, shut = market.stretches(int(end.min()) - 14 * DAY, int(first.max()) + 14 * DAY)
    after = begin[np.minimum(np.searchsorted(begin, first), len(begin) - 1)]
    return int((after - first < timeframe.nanoseconds).sum()), int(np.isin(end, shut).sum())


def _evidence(closes: Reading) -> str:
    return f"in {closes.on_close} of {closes.weeks} weeks the last bar bears the time of the Friday close"


def _by_format(by_format: str, timeframe: Timeframe) -> BarTime:
    """What the format says, where the weeks do not tell."""
    if by_format == CLOSE:
        return BarTime(CLOSE, f"files of its format or series are stamped at bar close; each begins {timeframe} earlier")
    return BarTime(OPEN, f"files of this format may be stamped at bar close, which its weeks do not show; its times are read as those of opens; {CHOOSE}" if by_format else "")


def _of_days(naive_ns: np.ndarray, by_format: str) -> BarTime:
    """A date without a time of day names the day, not its end."""
    return _by_format(by_format, Timeframe.named("D1")) if (naive_ns % DAY).any() else BarTime(OPEN)
