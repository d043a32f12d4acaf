"""734,000 M5 bars of a random walk, and a mean-reverting rule with some 302,000 signals: stop, half out, break-even, target."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd

BARS, SEED, YEARLY = 734_000, 20190101, 0.08
SPREAD, SLIP = 0.00006, 0.00002                             # price units
STOP, TARGET, PART, SHARE = 0.00079, 0.001185, 0.00079, 0.5     # shares of the price; of the lots
BEYOND, WINDOW = 1.29, 20                                   # signal beyond so many deviations of so many closes


@cache
def bars(count: int = BARS) -> pd.DataFrame:
    """``ts open high low close``, one bar every five minutes from 2019 without weekends."""
    rng, inside = np.random.default_rng(SEED), 8
    walk = np.log(1.12) + np.cumsum(rng.normal(0.0, YEARLY / np.sqrt(288 * 365.25 * inside), count * inside)).reshape(count, inside)
    open_ = np.concatenate([[np.log(1.12)], walk[:-1, -1]])
    prices = {"open": open_, "high": np.maximum(walk.max(1), open_), "low": np.minimum(walk.min(1), open_), "close": walk[:, -1]}
    ts = pd.date_range("2019-01-01", periods=count, freq="5min", tz="UTC", unit="ns")
    return pd.DataFrame({"ts": ts, **{name: np.round(np.exp(price), 5) for name, price in prices.items()}})


@cache
def sides(count: int = BARS) -> np.ndarray:
    """-1, 0 or 1 a bar."""
    close = bars(count)["close"]
    score = ((close - close.rolling(WINDOW).mean()) / close.rolling(WINDOW).std(ddof=0)).fillna(0.0).to_numpy()
    return np.where(score < -BEYOND, 1, np.where(score > BEYOND, -1, 0)).astype(np.int8)


@cache
def signals(count: int = BARS, near: float = 1.0) -> pd.DataFrame:
    """The same decisions as rows of signals; ``near``: the share of the distances of stop and targets, so that there are more trades."""
    at = np.flatnonzero(sides(count))
    return table(bars(count)["ts"].array[at], sides(count)[at], bars(count)["close"].to_numpy()[at], near)


def table(ts: Any, side: np.ndarray, price: np.ndarray, near: float = 1.0) -> pd.DataFrame:
    """One row a signal: the stop, half out at the first target, the rest at the second, break-even at 1 R."""
    side = near * side
    return pd.DataFrame(
        dict(
            ts=ts, side=np.sign(side).astype(np.int8), stop_loss=price * (1 - side * STOP), target_1=price * (1 + side * PART), target_2=price * (1 + side * TARGET),
            fraction_1=SHARE, fraction_2=1 - SHARE, break_even_r=1.0,
        )
    )  # fmt: skip
