"""The session calendars by name, and the moment at which a bar is known."""

from __future__ import annotations

import numpy as np
import pandas as pd

from domain.errors import BadRequest
from domain.market.bars import nanoseconds
from domain.market.holidays import (
    US_HOLIDAYS,
    YEAR_END,
    christmas,
    christmas_observed,
    good_friday,
    new_year,
    new_year_observed,
)
from domain.market.sessions import Calendar, Window
from domain.market.timeframe import Timeframe
from domain.registry import Registry

CALENDARS: Registry[Calendar] = Registry("session calendar")


def bar_ends(ts_ns: np.ndarray, timeframe: Timeframe, calendar_name: str | None = None) -> np.ndarray:
    """When each bar is known, for sorted opens: ``ts + timeframe``, or for D1 the close of the trading day that contains ``ts``
    (of the next one where ``ts`` lies outside every session); never later than the next bar's ``ts``.

    >>> trade_dates = np.array(["2024-07-10", "2024-07-11"], "datetime64[ns]").view(np.int64)
    >>> bar_ends(trade_dates, Timeframe.named("D1"), "cme").view("datetime64[ns]").astype("datetime64[m]").astype(str).tolist()
    ['2024-07-10T21:00', '2024-07-11T21:00']
    """
    ts_ns = np.asarray(ts_ns, np.int64)
    if timeframe.ends_with_session:
        if not calendar_name:
            raise BadRequest(f"{timeframe} bars end when their session closes, and no calendar is named; name one of {', '.join(CALENDARS)}")
        market = calendar(calendar_name)
        ends = market.day_table.closes[market.day_of(ts_ns)]
    else:
        ends = ts_ns + timeframe.nanoseconds
    if len(ts_ns) > 1:
        np.minimum(ends[:-1], ts_ns[1:], out=ends[:-1])
    return ends


def ends_of(bars: pd.DataFrame, timeframe: Timeframe, calendar_name: str | None = None) -> np.ndarray:
    """When each bar of a table is known: at its ``end`` where the table says it, else as ``bar_ends`` has it."""
    if "end" in bars:
        return np.ascontiguousarray(nanoseconds(bars["end"]))
    return bar_ends(np.ascontiguousarray(nanoseconds(bars["ts"])), timeframe, calendar_name)


def calendar(name: str) -> Calendar:
    """The calendar of that name.

    >>> calendar("fxx")
    Traceback (most recent call last):
    ...
    domain.errors.UnknownName: no session calendar named 'fxx'; did you mean 'fx'?
    """
    return CALENDARS[name]


def _at(opens: str, closes: str, evening_before: bool = False) -> Window:
    minutes = [int(text[:2]) * 60 + int(text[3:]) for text in (opens, closes)]
    return Window(minutes[0] - 1440 * evening_before, minutes[1])


NEW_YORK, CHICAGO = "America/New_York", "America/Chicago"
US_SHUT = (new_year_observed, good_friday, christmas_observed)
THIN_AT_CME = (*US_HOLIDAYS, *YEAR_END)
THIN_METAL = (*US_HOLIDAYS, *YEAR_END, good_friday, new_year_observed, christmas_observed)

# Sources: fx, the 17:00 New York day of spot FX; metal, index, cme and grain, the Globex hours of CME Group (the CFDs follow the futures).
# Who is shut on which holiday was compared with real bars; a broker may differ by hours on thin days.
for _calendar in (
    Calendar("fx", "spot FX", NEW_YORK, (_at("17:00", "17:00", evening_before=True),), (new_year, christmas), YEAR_END),
    Calendar("metal", "spot gold and silver", NEW_YORK, (_at("18:00", "17:00", evening_before=True),), (new_year, christmas), THIN_METAL),
    Calendar("index", "index CFDs", NEW_YORK, (_at("18:00", "17:00", evening_before=True),), US_SHUT, THIN_AT_CME),
    Calendar("cme", "CME futures", CHICAGO, (_at("17:00", "16:00", evening_before=True),), US_SHUT, THIN_AT_CME),
    Calendar("grain", "CBOT grain futures", CHICAGO, (_at("19:00", "07:45", evening_before=True), _at("08:30", "13:20")), US_SHUT, THIN_AT_CME),
):
    CALENDARS.add(_calendar.name, _calendar)
