"""Days on which a market is shut, or opens for some hours only, as rules from a year to a date."""

from __future__ import annotations

from datetime import date

import pandas as pd
from pandas.tseries.holiday import MO, TH, Holiday, nearest_workday, sunday_to_monday
from pandas.tseries.offsets import DateOffset, Day, Easter


def dates_of(holiday: Holiday, first_year: int, last_year: int) -> list[date]:
    """The days on which it is observed, in these years.

    >>> dates_of(good_friday, 2024, 2025), dates_of(juneteenth, 2020, 2022)
    ([datetime.date(2024, 3, 29), datetime.date(2025, 4, 18)], [datetime.date(2022, 6, 20)])
    >>> dates_of(christmas_observed, 2021, 2022), dates_of(new_year_observed, 2022, 2023)
    ([datetime.date(2021, 12, 24), datetime.date(2022, 12, 26)], [datetime.date(2022, 1, 1), datetime.date(2023, 1, 2)])
    """
    return [day.date() for day in holiday.dates(pd.Timestamp(first_year, 1, 1), pd.Timestamp(last_year, 12, 31))]


def since(year: int) -> pd.Timestamp:
    return pd.Timestamp(year, 1, 1)


new_year = Holiday("New Year", month=1, day=1)
christmas = Holiday("Christmas", month=12, day=25)
good_friday = Holiday("Good Friday", month=1, day=1, offset=[Easter(), Day(-2)])
new_year_observed = Holiday("New Year", month=1, day=1, observance=sunday_to_monday)
christmas_observed = Holiday("Christmas", month=12, day=25, observance=nearest_workday)
juneteenth = Holiday("Juneteenth", month=6, day=19, start_date=since(2022), observance=nearest_workday)
thanksgiving = Holiday("Thanksgiving", month=11, day=1, offset=DateOffset(weekday=TH(4)))

YEAR_END = (
    Holiday("Christmas Eve", month=12, day=24), Holiday("Boxing Day", month=12, day=26), Holiday("New Year's Eve", month=12, day=31),
    Holiday("day after New Year", month=1, day=2),
)  # fmt: skip
US_HOLIDAYS = (
    Holiday("Martin Luther King Day", month=1, day=1, start_date=since(1998), offset=DateOffset(weekday=MO(3))),
    Holiday("Presidents' Day", month=2, day=1, offset=DateOffset(weekday=MO(3))),
    Holiday("Memorial Day", month=5, day=31, offset=DateOffset(weekday=MO(-1))),
    juneteenth,
    Holiday("Independence Day", month=7, day=4, observance=nearest_workday),
    Holiday("eve of Independence Day", month=7, day=3),
    Holiday("Labor Day", month=9, day=1, offset=DateOffset(weekday=MO(1))),
    thanksgiving,
    Holiday("day after Thanksgiving", month=11, day=1, offset=[DateOffset(weekday=TH(4)), Day(1)]),
)
