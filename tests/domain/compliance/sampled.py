"""Sampled paths written out as paths of an account, for the replay to judge."""

from __future__ import annotations

import numpy as np
import pandas as pd

from domain.compliance import Path, RuleSet, load
from domain.compliance.path_days import path_days
from domain.compliance.run_days import RunDays
from domain.market.zones import HOUR

DAY = """
account = {account}
[day]
reset = "00:00"
tz = "UTC"
"""
DAILY = """
[daily]
basis = "{basis}"
amount = "{amount}"
watch = "{watch}"
effect = "{effect}"
comparator = "{comparator}"
"""
DRAWDOWN = """
[drawdown]
kind = "{trail}"
amount = "{amount}"
lock = "{lock}"
watch = "{watch}"
comparator = "{comparator}"
"""
TARGET = '[target]\namount = "{amount}"\n'


def daily(basis="balance", amount="5 % of initial", watch="equity", effect="FAIL", comparator="<") -> str:
    return DAILY.format(**locals())


def drawdown(trail="static", amount="10 % of initial", lock="none", watch="equity", comparator="<") -> str:
    return DRAWDOWN.format(**locals())


def target(amount="10 % of initial") -> str:
    return TARGET.format(amount=amount)


def rules(*tables: str, account: float = 100_000.0) -> RuleSet:
    return load(DAY.format(account=account) + "".join(tables))


def days_of(change, low=None, high=None, unit: str = "share", **columns) -> RunDays:
    """Days with these changes; without lows and highs they go straight from start to end."""
    change = np.asarray(change, float)
    low = np.minimum(change, 0.0) if low is None else np.asarray(low, float)
    high = np.maximum(change, 0.0) if high is None else np.asarray(high, float)
    columns = dict(opened=np.ones(len(change)), closed=np.ones(len(change))) | columns
    return RunDays(unit, np.arange(len(change)) + 19_723, change, low, high, **columns)


def written_out(days: RunDays, chosen: np.ndarray, initial: float, traded: bool = True) -> Path:
    """One path, ``(horizon,)``: a row at noon of each day and, if ``traded``, a trade closed then for each position
    opened that day."""
    rows = list(path_days(days, chosen[:, None], initial))
    ts = (np.datetime64("2024-01-01T12:00", "ns").astype(np.int64) + np.arange(len(rows)) * 24 * HOUR).astype(np.int64)
    curves = {name: np.array([float(getattr(row, curve)[0]) for row in rows]) for name, curve in CURVES.items()}
    trades = [(at, float(row.best[0])) for at, row in zip(ts, rows, strict=True) for _ in range(int(row.opened[0]))]
    return Path(ts, **curves, trades=table(trades) if traded else None, initial=initial)


CURVES = dict(balance="balance", equity="equity", equity_low="low", equity_high="high")


def table(trades: list[tuple[int, float]]) -> pd.DataFrame:
    at = pd.to_datetime(np.array([at for at, _ in trades], np.int64), utc=True)
    return pd.DataFrame(
        dict(
            trade_id=np.arange(1, len(trades) + 1),
            instrument="EURUSD",
            side="long",
            lots=1.0,
            entry_ts=at,
            entry_price=1.1,
            exit_ts=at,
            exit_price=1.1,
            pnl=[pnl for _, pnl in trades],
        )
    )
