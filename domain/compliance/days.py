"""The trading days of a path: what each began and ended with, and what was broken on it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from domain.compliance.day import DayClock
from domain.compliance.judge import Standing
from domain.compliance.path import Path
from domain.compliance.stretch import Carry, Stretch, stretch_of
from domain.compliance.trades import OPEN
from domain.market.zones import HOUR


def days_table(path: Path, clock: DayClock, standings: Sequence[Standing]) -> pd.DataFrame:
    """A row for each trading day with an instant.

    ``day``; ``start`` and ``end``, its resets; ``hours``; ``balance_start equity_start`` at the reset; ``balance_end equity_end``: the last row
    at or before the next reset; ``equity_low``; ``profit``: change of the balance, and ``profit_share`` of the initial balance;
    ``opened closed``: trades, empty where they are not known; ``broken``: the rules that were broken.
    """
    stretch = stretch_of(
        Carry(path.initial), clock, path.ts, path.balance, path.equity, path.equity_low, path.equity_high, path.rows
    )
    days, resets = stretch.days, clock.resets
    end = resets.at[days.number + 1]
    last = np.searchsorted(path.ts, end, side="right") - 1
    low = np.minimum.reduceat(path.equity if path.equity_low is None else path.equity_low, days.first)
    profit = path.balance[last] - days.balance
    table = dict(
        day=resets.day[days.number].astype("datetime64[D]").astype(str), start=_times(resets.at[days.number]), end=_times(end),
        hours=(end - resets.at[days.number]) / HOUR, balance_start=days.balance, equity_start=days.equity,
        balance_end=path.balance[last], equity_end=path.equity[last], equity_low=low, profit=profit, profit_share=profit / path.initial,
    )  # fmt: skip
    return pd.DataFrame(table).assign(**_traded(path, stretch, clock), broken=_broken(stretch, clock, standings))


def _traded(path: Path, stretch: Stretch, clock: DayClock) -> dict[str, object]:
    if path.trades is None:
        return dict(opened=pd.NA, closed=pd.NA)
    number, trades = stretch.days.number, path.rows
    entered, left = clock.day_of(trades.entry_ts), clock.day_of(trades.exit_ts[trades.exit_ts < OPEN])
    return {
        name: np.searchsorted(np.sort(days), number, "right") - np.searchsorted(np.sort(days), number, "left")
        for name, days in (("opened", entered), ("closed", left))
    }


def _broken(stretch: Stretch, clock: DayClock, standings: Sequence[Standing]) -> list[str]:
    names: dict[int, list[str]] = {}
    for standing in standings:
        for day in np.unique(clock.day_of(np.array([breach.ts for breach in standing.breaches], np.int64))).tolist():
            names.setdefault(day, []).append(standing.column)
    return [" ".join(names.get(int(day), ())) for day in stretch.days.number]


def _times(ts: np.ndarray) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(ts.view("datetime64[ns]")).tz_localize("UTC")
