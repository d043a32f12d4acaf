"""Days of a run from its closed trades, where there is no equity path: results on the day of the exit, lows and highs
from MAE and MFE."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from domain.compliance.run_days import RunDays
from domain.errors import BadRequest

NEEDED = ("entry_ts", "exit_ts", "pnl")
NOTHING = 1e-9  # R: a result below it is no base for what was risked
GRAIN = 12  # decimals of R or shares: below them a sum is only rounding


def days_from_trades(trades: pd.DataFrame, dates: Callable[[np.ndarray], np.ndarray], initial: float = 0.0) -> RunDays:
    """The days from the first entry to the last exit, Monday to Friday and any other day with a trade.

    ``trades``: ``entry_ts``, ``exit_ts``, ``pnl`` and, if known, ``r``, ``mae_r``, ``mfe_r``, ``pnl_gross``, as
    ``tidemark backtest`` writes them. ``dates`` gives the date (days since 1970) of instants in ns. ``initial`` above
    0: days as shares of the equity at their start, from this balance; 0: days in R, which every trade must then have.

    A trade's result, low and high count on the day it was closed. Within a day trades that overlap are at their worst,
    and at their best, at the same moment: the day's low is the deepest that the trades allow, its high the highest.

    >>> ts = pd.to_datetime(["2024-01-02T10:00Z", "2024-01-02T11:00Z"])
    >>> frame = pd.DataFrame(dict(entry_ts=ts, exit_ts=ts + pd.Timedelta("2h"), pnl=[50.0, -100.0], r=[0.5, -1.0],
    ...                           mae_r=[0.4, 1.0], mfe_r=[0.6, 0.2]))
    >>> days = days_from_trades(frame, lambda ns: ns // 86_400_000_000_000)
    >>> days.change.tolist(), days.low.tolist(), days.high.tolist(), days.opened.tolist()
    ([-0.5], [-1.4], [0.8], [2.0])
    """
    _check(trades)
    entry, leave = (trades[name].dt.as_unit("ns").astype("int64").to_numpy() for name in ("entry_ts", "exit_ts"))
    opened_on, closed_on = dates(entry), dates(leave)
    calendar = weekdays(int(opened_on.min()), int(closed_on.max()), np.concatenate((opened_on, closed_on)))
    place = np.searchsorted(calendar, closed_on)
    equity = _start_equity(trades, place, len(calendar), initial) if initial else None
    result, worst, best, intraday = _moments(trades, equity)
    held = opened_on < closed_on
    began = np.where(held, np.iinfo(np.int64).min, entry)
    low, _ = _extremes(place, began, leave, result, worst, len(calendar))
    _, high = _extremes(place, began, leave, result, best, len(calendar))
    change = np.bincount(place, result, len(calendar)).round(GRAIN)
    largest = np.zeros(len(calendar))
    np.maximum.at(largest, place, result)
    return RunDays(
        unit="share" if initial else "R",
        date=calendar,
        change=change,
        low=np.minimum(low, np.minimum(change, 0.0)),
        high=np.maximum(high, np.maximum(change, 0.0)),
        best=largest,
        opened=_count(calendar, opened_on),
        closed=_count(calendar, closed_on),
        intraday=intraday,
        notes=_notes(calendar, place, held, intraday),
    )


def _check(trades: pd.DataFrame) -> None:
    if missing := [name for name in NEEDED if name not in trades]:
        raise BadRequest(
            f"the trades have no column {', '.join(missing)}; give the columns that `tidemark backtest` writes"
        )
    if not len(trades):
        raise BadRequest("there are no trades; give at least one")
    if not np.isfinite(trades["pnl"].to_numpy(float)).all():
        raise BadRequest("a trade has no pnl; give the result of each in account currency")
    late = (trades["entry_ts"] > trades["exit_ts"]).to_numpy()
    if late.any():
        raise BadRequest(
            f"trade {int(late.argmax()) + 1} ends before it begins; its exit_ts must not be before its entry_ts"
        )


def weekdays(first: int, last: int, traded: np.ndarray) -> np.ndarray:
    """Dates from Monday to Friday, and others on which something happened (a Sunday evening by a clock that ends days
    at midnight)."""
    every = np.arange(first, last + 1)
    return np.union1d(every[(every + 3) % 7 < 5], traded)


def _count(calendar: np.ndarray, on: np.ndarray) -> np.ndarray:
    return np.bincount(np.searchsorted(calendar, on), minlength=len(calendar)).astype(float)


def _start_equity(trades: pd.DataFrame, place: np.ndarray, days: int, initial: float) -> np.ndarray:
    """Equity at the start of the day on which each trade was closed, account currency."""
    results = np.bincount(place, trades["pnl"].to_numpy(float), days)
    equity = (initial + np.cumsum(results) - results)[place]
    if (equity <= 0).any():
        raise BadRequest(f"the trades lose all of an account of {initial:,.2f}; give the balance that they began with (--initial)")
    return equity


def _moments(trades: pd.DataFrame, equity: np.ndarray | None) -> tuple[np.ndarray, np.ndarray, np.ndarray, bool]:
    """Result, worst and best moment of each trade, costs taken off, in R or as shares of ``equity``; and whether the
    moments of all are known. Where they are not, only the results count."""
    pnl = trades["pnl"].to_numpy(float)
    r, mae, mfe = (
        trades[name].to_numpy(float) if name in trades else np.full(len(pnl), np.nan)
        for name in ("r", "mae_r", "mfe_r")
    )
    if equity is None and (lacking := int((~np.isfinite(r)).sum())):
        raise BadRequest(
            f"{lacking} of {len(r)} trades have no R, for they {'had no stop' if 'r' in trades else 'come without a column r'}; "
            "leave out the risk, and days count as shares of equity"
        )
    risked = risked_money(pnl, r)
    per_r = np.ones(len(pnl)) if equity is None else risked / equity
    result = r if equity is None else pnl / equity
    paid = (
        np.maximum(trades["pnl_gross"].to_numpy(float) - pnl, 0.0) / risked
        if "pnl_gross" in trades
        else np.zeros(len(pnl))
    )
    worst, best = -(mae + paid) * per_r, mfe * per_r
    known = bool((np.isfinite(worst) & np.isfinite(best)).all())
    return result, np.minimum(result, worst if known else 0.0), np.maximum(result, best if known else 0.0), known


def risked_money(pnl: np.ndarray, r: np.ndarray) -> np.ndarray:
    """Account currency between entry and initial stop, ``pnl / r``; the median of the others where a result of about 0 R
    says nothing.

    >>> risked_money(np.array([50.0, 0.0, -100.0]), np.array([0.5, 0.0, -1.0])).tolist()
    [100.0, 100.0, 100.0]
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        money = pnl / np.where(np.abs(r) > NOTHING, r, 0.0)
    known = np.isfinite(money) & (money > 0)
    return np.where(
        known | ~np.isfinite(r), np.where(known, money, np.nan), np.median(money[known]) if known.any() else np.nan
    )


def _extremes(
    place: np.ndarray, entry: np.ndarray, leave: np.ndarray, result: np.ndarray, moment: np.ndarray, days: int
) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest level of each day: what was closed before, and ``moment`` of each trade that is open.

    A trade that is closed at the instant another opens is closed before.
    """
    trades = len(place)
    kind = np.concatenate((np.ones(trades), np.where(entry == leave, 2.0, 0.0)))
    order = np.lexsort((kind, np.concatenate((entry, leave)), np.tile(place, 2)))
    steps = np.concatenate((moment, result - moment))[order]
    day = np.tile(place, 2)[order]
    first = np.flatnonzero(np.diff(day, prepend=-1))
    level = np.cumsum(steps)
    level = (level - np.repeat(level[first] - steps[first], np.diff(first, append=len(day)))).round(GRAIN)
    low, high = np.zeros(days), np.zeros(days)
    low[day[first]], high[day[first]] = np.minimum.reduceat(level, first), np.maximum.reduceat(level, first)
    return low, high


def _notes(calendar: np.ndarray, closed: np.ndarray, held: np.ndarray, intraday: bool) -> tuple[str, ...]:
    notes = []
    if idle := len(calendar) - len(np.unique(closed)):
        notes.append(f"{idle} of {len(calendar)} days closed no trade and count as days without a result.")
    if held.any():
        notes.append(
            f"{int(held.sum())} of {len(held)} trades were held overnight: "
            "result, MAE and MFE count on the day of the exit; an equity path shows them day by day."
        )
    if not intraday:
        notes.append("Lows within the day are not known: MAE or MFE is missing of some trades.")
    else:
        notes.append("Trades that overlap are taken to be at their worst, and at their best, at the same moment.")
    return tuple(notes)
