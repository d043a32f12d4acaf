"""Windows around scheduled releases, by the minutes of a rule set's rule of news."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import pandas as pd

from domain.market.instrument import Instrument
from domain.outside.releases import EVERY, IMPACTS, own_currencies

AHEAD = timedelta(days=7)


@dataclass(frozen=True)
class NewsWindows:
    """``table``: ``start, end, ts, title, currency, impact, now``, in their order. ``calendar``: whether there is one;
    ``until``: the last release in it; ``ends``: whether that is before the week is over. ``rule`` and ``currencies``: in words."""

    table: pd.DataFrame
    calendar: bool
    until: datetime | None
    rule: str
    currencies: str
    ends: bool = False


def windows_of(releases: pd.DataFrame, instruments: Sequence[Instrument], before: float, after: float, impact: str, now: datetime) -> pd.DataFrame:
    """The windows that are open now or begin within a week, of releases that concern the instruments (all, where there are
    none). Both ends of a window belong to it.

    >>> from domain.market.instrument import instrument
    >>> week = pd.DataFrame(dict(ts=pd.to_datetime(["2024-07-11T12:30Z", "2024-07-11T14:00Z"]), title=["CPI", "Boe"], currency=["USD", "GBP"], impact="high"))
    >>> table = windows_of(week, [instrument("EURUSD")], 2, 2, "high", datetime.fromisoformat("2024-07-11T12:28:00+00:00"))
    >>> table["title"].tolist(), table["now"].tolist()
    (['CPI'], [True])
    """
    wanted = releases[releases["impact"].isin(IMPACTS[IMPACTS.index(impact) :])]
    if instruments:
        wanted = wanted[wanted["currency"].isin([*currencies_of(instruments), EVERY])]
    start, end = wanted["ts"] - pd.Timedelta(minutes=before), wanted["ts"] + pd.Timedelta(minutes=after)
    near = (end >= now) & (start <= now + AHEAD)
    table = wanted[near].assign(start=start[near], end=end[near], now=start[near] <= now)
    return table.sort_values("start", kind="stable", ignore_index=True)[["start", "end", "ts", "title", "currency", "impact", "now"]]


def currencies_of(instruments: Sequence[Instrument]) -> list[str]:
    """The currencies whose releases concern the instruments."""
    return list(dict.fromkeys(currency for instrument in instruments for currency in own_currencies(instrument)))
