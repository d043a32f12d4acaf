"""Days of a run from its equity path: what each changed, how low and high it went, and what floated at its end."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from domain.compliance.day import DayClock
from domain.compliance.days_from_trades import risked_money, weekdays
from domain.compliance.path import Path
from domain.compliance.run_days import COLUMNS, RunDays
from domain.compliance.trades import OPEN
from domain.errors import BadRequest

SPREAD = 0.1  # of the median: quartiles of what was risked further apart than that are reported


def days_of(path: Path, clock: DayClock) -> RunDays:
    """The days of a path as shares of each day's starting equity, cash flows taken out: a deposit is part of that
    equity on the day it is made, a withdrawal until the next.

    A day starts with the last row at or before its reset (the first with the initial balance), and ends with the start
    of the next. Days from Monday to Friday without a row, between the first and the last, did not change.

    >>> ts = np.array(["2024-01-02T09:00", "2024-01-02T15:00", "2024-01-04T15:00"], "datetime64[ns]").view(np.int64)
    >>> money = np.array([99.0, 101.0, 90.9])
    >>> days = days_of(Path(ts, money, money, equity_low=money - 1.0, initial=100.0), DayClock("00:00", "UTC"))
    >>> days.change.round(12).tolist(), days.low.round(4).tolist()
    ([0.01, 0.0, -0.1], [-0.02, 0.0, -0.1099])
    """
    flows = _flows(path)
    equity = path.equity - flows
    low = equity if path.equity_low is None else path.equity_low - flows
    high = equity if path.equity_high is None else np.maximum(path.equity_high - flows, equity)
    number = clock.day_of(path.ts)
    first = np.flatnonzero(np.diff(number, prepend=-1))
    rows = number[first]
    at = np.where(path.ts[first] == clock.resets.at[rows], first, first - 1)
    start = np.where(at < 0, path.initial, equity[np.maximum(at, 0)])
    end, last = np.append(start[1:], equity[-1]), np.append(first[1:], len(number)) - 1
    size = start + np.maximum(np.where(at < 0, 0.0, flows[np.maximum(at, 0)]), flows[last])
    if (size <= 0).any():
        raise BadRequest(
            "the equity falls to 0 or below; days after it are no shares of anything, so cut the path before it"
        )
    lowest = np.minimum.reduceat(low, first) - start
    highest = np.maximum.reduceat(high, first) - start
    change = (end - start) / size
    values = dict(
        change=change,
        low=np.minimum(lowest / size, np.minimum(change, 0.0)),
        high=np.maximum(highest / size, np.maximum(change, 0.0)),
        floating=(path.equity - path.balance)[last] / size,
    )
    intraday = path.floating and (path.equity_low is not None or len(path) > len(rows))
    days = _with_trades(
        _every_day(clock.resets.day[rows], values, intraday), path, clock, dict(zip(rows, size, strict=True))
    )
    return _without_idle_weekends(days)


def _without_idle_weekends(days: RunDays) -> RunDays:
    """Saturdays and Sundays on which nothing happened, such as the hour of a Sunday evening before a midnight, are no
    trading days."""
    happened = np.any([getattr(days, name) != 0 for name in ("change", "low", "high", "opened", "closed")], axis=0)
    kept = ((days.date + 3) % 7 < 5) | happened
    columns: dict[str, Any] = {name: getattr(days, name)[kept] for name in COLUMNS}
    return replace(days, **columns)


def _flows(path: Path) -> np.ndarray:
    """Deposits less withdrawals up to each row."""
    if path.flows is None or not len(path.flows):
        return np.zeros(len(path))
    ts = pd.to_datetime(path.flows["ts"], utc=True).dt.as_unit("ns").astype("int64").to_numpy()
    order = np.argsort(ts, kind="stable")
    total = np.concatenate(([0.0], np.cumsum(path.flows["amount"].to_numpy(float)[order])))
    return total[np.searchsorted(ts[order], path.ts, side="right")]


def _every_day(date: np.ndarray, values: dict[str, np.ndarray], intraday: bool) -> RunDays:
    """Weekdays without a row get a day without a change; what floated goes on floating."""
    calendar = weekdays(int(date[0]), int(date[-1]), date)
    place = np.searchsorted(date, calendar, side="right") - 1
    here = date[place] == calendar
    columns = {name: np.where(here, column[place], 0.0) for name, column in values.items()}
    columns["floating"] = values["floating"][place]
    notes = []
    if idle := int((~here).sum()):
        notes.append(f"{idle} of {len(calendar)} days have no row of equity and count as days without a change.")
    if not intraday:
        notes.append("Lows within the day are not known: the path has one row a day, or no floating profit.")
    return RunDays("share", calendar, **columns, intraday=intraday, notes=tuple(notes))


def _with_trades(days: RunDays, path: Path, clock: DayClock, size: dict[int, float]) -> RunDays:
    """With the positions opened and closed each day, and the best trade closed."""
    trades = path.rows
    if path.trades is None or not len(trades):
        return days
    closed = trades.exit_ts < OPEN
    counts: dict[str, Any] = {}
    for name, ts in (("opened", trades.entry_ts), ("closed", trades.exit_ts[closed])):
        date = clock.resets.day[clock.day_of(ts)]
        date = date[(date >= days.date[0]) & (date <= days.date[-1])]
        counts[name] = np.bincount(np.searchsorted(days.date, date), minlength=len(days)).astype(float)
    best = np.zeros(len(days))
    at = np.searchsorted(days.date, clock.resets.day[clock.day_of(trades.exit_ts[closed])])
    money = np.array([size.get(int(number), np.nan) for number in clock.day_of(trades.exit_ts[closed])])
    inside = (at < len(days)) & np.isfinite(money)
    np.maximum.at(best, at[inside], trades.pnl[closed][inside] / money[inside])
    return replace(days, best=best, **counts)


def at_risk(days: RunDays, path: Path, risk: float) -> RunDays:
    """The days of a path as they would have been with ``risk`` (a share of equity) at risk in each trade: all sizes in
    proportion to the median that the path's trades risked. They need R, which only trades with a stop have."""
    shares = risked_shares(path)
    if not len(shares):
        raise BadRequest(
            "no trade of the path has an R, so what it risked is not known; "
            "leave out the risk, or give trades with the columns r and pnl"
        )
    low, usual, high = np.quantile(shares, [0.25, 0.5, 0.75])
    notes = [
        f"The trades risked {100 * usual:.2f} % of equity each (median of {len(shares)}); "
        f"sizes are taken times {risk / usual:.3g}."
    ]
    if high - low > SPREAD * usual:
        notes.append(
            f"What they risked varied, from {100 * low:.2f} to {100 * high:.2f} % (quartiles); "
            "it goes on varying in proportion."
        )
    return replace(days.scaled(risk / usual), notes=(*days.notes, *notes))


def risked_shares(path: Path) -> np.ndarray:
    """What each trade with an R risked to its initial stop, as a share of the equity before it."""
    if path.trades is None or "r" not in path.trades or not len(path.trades):
        return np.zeros(0)
    r = pd.to_numeric(path.trades["r"], errors="coerce").to_numpy(float)
    pnl = pd.to_numeric(path.trades["pnl"], errors="coerce").to_numpy(float)
    entry = pd.to_datetime(path.trades["entry_ts"], utc=True).dt.as_unit("ns").astype("int64").to_numpy()
    before = np.searchsorted(path.ts, entry, side="left") - 1
    equity = np.where(before < 0, path.initial, path.equity[np.maximum(before, 0)])
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = risked_money(pnl, r) / equity
    return shares[np.isfinite(shares) & (shares > 0)]
