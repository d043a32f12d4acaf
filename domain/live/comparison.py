"""Two sessions on one feed side by side: the mean daily difference of their returns, and how far so few days leave it open."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from domain.analytics.daily import FEWEST_DAYS, USUAL, daily_returns
from domain.block_length import automatic_block
from domain.compliance.resampling import resampled_histories
from domain.errors import BadRequest
from domain.market.sessions import Calendar

HISTORIES = 10_000      # of the bootstrap
LEVEL = 0.95
SEED = 20_260_801


@dataclass(frozen=True)
class Comparison:
    """Returns of the first session less those of the second, as shares a day. Without an interval ``sentence`` says why."""

    first: str
    second: str
    days: int                   # trading days that both have
    mean: float | None          # of the daily differences; None without a day
    low: float | None           # 95 % interval of the mean; None under 20 days
    high: float | None
    block: float | None         # mean block length of the bootstrap, days
    seed: int
    sentence: str

    def plain(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Account:
    """What is compared of a session: its name, start balance and equity curve (``ts, equity``)."""

    name: str
    balance: float
    equity: pd.DataFrame


def compared(first: Account, second: Account, market: Calendar = USUAL, seed: int = SEED) -> Comparison:
    """The comparison over the time in which both ran: from the later start to the earlier end."""
    a, b = shared_returns(first, second, market)
    return of_returns(a, b, (first.name, second.name), seed)


def of_returns(a: pd.Series, b: pd.Series, names: tuple[str, str] = ("A", "B"), seed: int = SEED) -> Comparison:
    """The comparison of two series of daily returns by date; dates that only one has are left out.

    The interval is the percentile interval of the mean over stationary-bootstrap histories of the differences, drawn with the blocks that the
    differences' own autocorrelation asks for. Sources: Politis & Romano (1994); Politis & White (2004).

    >>> days = pd.date_range("2024-01-01", periods=3)
    >>> of_returns(pd.Series([0.01, 0.02, 0.03], days), pd.Series([0.01, 0.01, 0.01], days)).sentence
    'A and B share 3 days; an interval needs 20. So far A returned 1.0000 % more a day.'
    """
    if a.index.has_duplicates or b.index.has_duplicates:
        raise BadRequest(f"{names[0] if a.index.has_duplicates else names[1]} has two returns of one day; give one for each")
    apart = (a - b).dropna().to_numpy(float)
    mean = float(apart.mean()) if len(apart) else None
    if len(apart) < FEWEST_DAYS:
        return Comparison(*names, len(apart), mean, None, None, None, seed, _too_few(names, len(apart), mean))
    block = automatic_block(apart)
    low, high = _interval(apart, block, seed)
    return Comparison(*names, len(apart), mean, low, high, block, seed, _sentence(names, len(apart), mean or 0.0, low, high))


def shared_returns(first: Account, second: Account, market: Calendar = USUAL) -> tuple[pd.Series, pd.Series]:
    """Daily returns of both over the same time. Each starts from the equity it had when the later one began."""
    begin = max(account.equity["ts"].iloc[0] for account in (first, second) if len(account.equity)) if len(first.equity) and len(second.equity) else None
    if begin is None:
        empty = pd.Series([], pd.DatetimeIndex([], name="day"), dtype=float, name="share")
        return empty, empty
    end = min(first.equity["ts"].iloc[-1], second.equity["ts"].iloc[-1])
    return _within(first, begin, end, market), _within(second, begin, end, market)


def _within(account: Account, begin: pd.Timestamp, end: pd.Timestamp, market: Calendar) -> pd.Series:
    ts = account.equity["ts"]
    earlier = account.equity["equity"][ts < begin]
    start = float(earlier.iloc[-1]) if len(earlier) else account.balance
    return daily_returns(account.equity[(ts >= begin) & (ts <= end)], start, market)


def _interval(apart: np.ndarray, block: float, seed: int) -> tuple[float, float]:
    drawn = resampled_histories(len(apart), HISTORIES, block, np.random.default_rng(seed))
    low, high = np.quantile(apart[drawn].mean(axis=1), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def _too_few(names: tuple[str, str], days: int, mean: float | None) -> str:
    sentence = f"{names[0]} and {names[1]} share {days} day{'' if days == 1 else 's'}; an interval needs {FEWEST_DAYS}."
    return f"{sentence} So far {_more(names, mean)}." if mean is not None else sentence


def _sentence(names: tuple[str, str], days: int, mean: float, low: float, high: float) -> str:
    verdict = "the difference may be chance" if low <= 0.0 <= high else "chance alone hardly explains it"
    return f"Over {days} days {_more(names, mean)} (95 % interval {100 * low:.4f} to {100 * high:.4f} %): {verdict}."


def _more(names: tuple[str, str], mean: float) -> str:
    """
    >>> _more(("A", "B"), -0.0001)
    'A returned 0.0100 % less a day'
    """
    if mean == 0.0:
        return f"{names[0]} returned as much as {names[1]}"
    return f"{names[0]} returned {100 * abs(mean):.4f} % {'more' if mean > 0 else 'less'} a day"
