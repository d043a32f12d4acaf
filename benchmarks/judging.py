"""The rules of every preset replayed over ten years of M5 bars."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from benchmarks import workload as load
from benchmarks.timing import Row, median
from domain.compliance import Path, judge, preset, presets
from domain.market.zones import HOUR

GOAL = 1.0  # seconds for all presets
START = np.datetime64("2014-01-06T00:05", "ns").astype(np.int64)


def rows() -> Iterator[Row]:
    path, releases = path_of(load.BARS)
    every = [preset(name) for name in presets()]
    seconds = median(lambda: [judge(path, rules, releases=releases) for rules in every], 5, 1)
    yield Row(
        f"{load.BARS:,} instants and {len(path.rows):,} trades judged by the rules of all {len(every)} presets",
        seconds,
        goal=f"≤ {GOAL:.0f} s",
        holds=seconds <= GOAL,
    )


def path_of(count: int, trades: int = 2_000) -> tuple[Path, pd.DataFrame]:
    """A drawn equity with lows and highs, trades, and a release every week."""
    at = np.random.default_rng(1)
    ts = START + np.arange(count) * (HOUR // 12)
    equity = 100_000.0 + np.cumsum(at.normal(0.0, 6.0, count))
    balance = 100_000.0 + np.floor((equity - 100_000.0) / 200.0) * 200.0
    enter = np.sort(at.choice(count - 100, trades, replace=False))
    leave = enter + at.integers(1, 90, trades)
    table = pd.DataFrame(dict(
        trade_id=np.arange(1, trades + 1), instrument="EURUSD", side=at.choice(["long", "short"], trades), lots=0.1, entry_ts=_times(ts[enter]), entry_price=1.1,
        exit_ts=_times(ts[leave]), exit_price=1.101, stop_loss=1.09, pnl_gross=10.0, pnl=10.0, exit_reason="stop_loss",
    ))  # fmt: skip
    releases = pd.DataFrame(dict(ts=_times(ts[::2_000]), title="CPI", currency="USD", impact="high"))
    return Path(ts, balance, equity, equity - 50.0, equity + 50.0, table, initial=100_000.0), releases


def _times(ts: np.ndarray) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(ts.view("datetime64[ns]")).tz_localize("UTC")
