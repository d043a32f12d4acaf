"""Trades by what they have in common: instrument, side, hour, regime …  Hours and days are UTC, of the entry."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from domain.analytics.daily import nanoseconds
from domain.analytics.guards import over, size_of
from domain.analytics.metrics import DAY
from domain.features.sessions import SESSIONS, session_at
from domain.registry import Registry
from domain.rounding import ROUNDING

HOUR = 3_600_000_000_000
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December")


@dataclass(frozen=True)
class Grouping:
    """``label`` gives each trade its group as a category; groups follow the order of the categories."""

    key: str
    title: str
    definition: str
    label: Callable[[pd.DataFrame], pd.Categorical]


GROUPS: Registry[Grouping] = Registry("grouping")


def grouping(title: str, definition: str) -> Callable:
    def register(function: Callable[[pd.DataFrame], pd.Categorical]) -> Callable[[pd.DataFrame], pd.Categorical]:
        GROUPS.add(function.__name__, Grouping(function.__name__, title, definition, function))
        return function

    return register


def group_table(trades: pd.DataFrame, by: str) -> pd.DataFrame:
    """``group, trades, win_rate, net, average, r_mean, profit_factor, share``: one row a group that has trades, in its natural order.

    ``net`` and ``average`` are money after all costs, ``r_mean`` the mean of the trades that have an R, ``share`` net ÷ |net of all trades|:
    its sign is the group's own. NaN where there is no value (no loss, no R, no net).

    >>> trades = pd.DataFrame(dict(side=["long", "short", "long"], pnl=[30.0, -10.0, -10.0], r=[3.0, -1.0, -1.0]))
    >>> group_table(trades, "side")[["group", "trades", "net", "share"]].to_numpy().tolist()
    [['long', 2, 20.0, 2.0], ['short', 1, -10.0, -1.0]]
    """
    label = GROUPS[by].label(trades)
    codes, names = np.asarray(label.codes, np.int64), [str(name) for name in label.categories]
    pnl, r = trades["pnl"].to_numpy(float), trades["r"].to_numpy(float)
    measured = np.isfinite(r)

    def total(values: np.ndarray) -> np.ndarray:
        return np.bincount(codes, values, minlength=len(names))

    count, net = np.bincount(codes, minlength=len(names)), total(pnl)
    with np.errstate(divide="ignore", invalid="ignore"):
        columns = dict(
            group=names, trades=count, win_rate=total((pnl > 0) * 1.0) / count, net=net, average=net / count,
            r_mean=total(np.where(measured, r, 0.0)) / total(measured * 1.0), profit_factor=_factor(total(np.maximum(pnl, 0.0)), total(np.maximum(-pnl, 0.0)), size_of(pnl)),
            share=net * over(1.0, abs(pnl.sum()), size_of(pnl)),
        )  # fmt: skip
    return pd.DataFrame(columns)[count > 0].reset_index(drop=True)


def _factor(gained: np.ndarray, lost: np.ndarray, size: float) -> np.ndarray:
    return np.where(lost > ROUNDING * size, gained / lost, np.nan)


def _words(values: pd.Series, empty: str = "none") -> pd.Categorical:
    return pd.Categorical(values.astype(str).replace({"": empty, "nan": empty}))


def _numbered(places: np.ndarray, names: Sequence[str]) -> pd.Categorical:
    return pd.Categorical.from_codes(places.astype(np.int64), categories=list(names))


def entry_hour(trades: pd.DataFrame) -> np.ndarray:
    """UTC hour of each entry."""
    return nanoseconds(trades["entry_ts"]) // HOUR % 24


@grouping("Instrument", "What was traded.")
def instrument(trades: pd.DataFrame) -> pd.Categorical:
    return _words(trades["instrument"])


@grouping("Tag", "The label a strategy gave the signal.")
def tag(trades: pd.DataFrame) -> pd.Categorical:
    return _words(trades["tag"])


@grouping("Side", "Long or short.")
def side(trades: pd.DataFrame) -> pd.Categorical:
    return pd.Categorical(trades["side"].astype(str), categories=["long", "short"])


@grouping("Session", "The centre that deals at the entry, by its own clock (Tokyo 09:00 to 18:00, London and New York 08:00 to 17:00), as the session regime has it.")
def session(trades: pd.DataFrame) -> pd.Categorical:
    return _numbered(session_at(nanoseconds(trades["entry_ts"])), SESSIONS)


@grouping("Hour", "UTC hour of the entry.")
def hour(trades: pd.DataFrame) -> pd.Categorical:
    return _numbered(entry_hour(trades), [f"{hour:02d}:00" for hour in range(24)])


@grouping("Weekday", "UTC day of the week of the entry.")
def weekday(trades: pd.DataFrame) -> pd.Categorical:
    return _numbered((nanoseconds(trades["entry_ts"]) // DAY + 3) % 7, WEEKDAYS)


@grouping("Month", "UTC month of the entry, over all years.")
def month(trades: pd.DataFrame) -> pd.Categorical:
    return _numbered(_months(trades) % 12, MONTHS)


@grouping("Year", "UTC year of the entry.")
def year(trades: pd.DataFrame) -> pd.Categorical:
    years = _months(trades) // 12 + 1970
    first = int(years.min()) if len(years) else 1970
    return _numbered(years - first, [str(number) for number in range(first, int(years.max(initial=first)) + 1)])


@grouping("Regime", "The regime at the bar of the decision.")
def regime(trades: pd.DataFrame) -> pd.Categorical:
    return _words(trades["regime"])


@grouping("Exit", "Why the last part of the trade left.")
def exit_reason(trades: pd.DataFrame) -> pd.Categorical:
    return _words(trades["exit_reason"])


def _months(trades: pd.DataFrame) -> np.ndarray:
    """Months since January 1970."""
    return nanoseconds(trades["entry_ts"]).view("datetime64[ns]").astype("datetime64[M]").astype(np.int64)
