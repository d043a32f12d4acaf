"""Example files to try imports on: bars of a random walk, signals on them, and trades. The same bytes each time; nothing in them can be more than luck."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

import numpy as np
import pandas as pd

from domain.errors import unknown
from domain.market.calendar import calendar
from domain.market.timeframe import Timeframe
from domain.market.zones import instant

SEED = 20_240_108
HOURLY = 0.0008         # volatility of an hour, share of the price


class ExampleFile(NamedTuple):
    """A file: its name, what it holds, where it is used, and how it is made."""

    name: str
    title: str
    use: str
    make: Callable[[], pd.DataFrame]


def bars_m5() -> pd.DataFrame:
    """Four weeks of M5 bid bars like EURUSD, with volume and spread.

    >>> bars_m5().shape, list(bars_m5())
    ((5760, 7), ['ts', 'open', 'high', 'low', 'close', 'volume', 'spread'])
    """
    bars = _walk("M5", "2024-01-07T22:00Z", "2024-02-02T22:00Z", 1.0950)
    return bars.assign(ts=_texts(bars["ts"]), spread=bars["spread"].map("{:.5f}".format))


def bars_h1() -> pd.DataFrame:
    """Six months of H1 bars with bid and ask, like GBPUSD."""
    bars = _walk("H1", "2024-01-07T22:00Z", "2024-07-05T21:00Z", 1.2700)
    shown = {"DateTime": _texts(bars["ts"])}
    for side, more in (("Bid", 0.0), ("Ask", bars["spread"])):
        shown |= {f"{side}{price.capitalize()}": (bars[price] + more).round(5) for price in ("open", "high", "low", "close")}
    return pd.DataFrame({**shown, "Volume": bars["volume"]})


def signals() -> pd.DataFrame:
    """Signals on the M5 bars: long above the mean of the last day, short below, with stop and target."""
    bars = _walk("M5", "2024-01-07T22:00Z", "2024-02-02T22:00Z", 1.0950).iloc[288::96]
    closes = _walk("M5", "2024-01-07T22:00Z", "2024-02-02T22:00Z", 1.0950)["close"]
    side = np.where(bars["close"] > closes.rolling(288).mean().loc[bars.index], 1, -1)
    return pd.DataFrame(dict(
        ts=_texts(bars["ts"]), side=np.where(side > 0, "long", "short"), stop_loss=(bars["close"] - side * 0.0030).round(5), target_1=(bars["close"] + side * 0.0045).round(5), tag="day mean",
    ))  # fmt: skip


def trades() -> pd.DataFrame:
    """Trades of an account in US dollars, closed after eight hours each."""
    bars = _walk("H1", "2024-01-07T22:00Z", "2024-07-05T21:00Z", 1.2700)
    entries = bars.iloc[24:-24:30]
    exits = bars.loc[entries.index + 8]
    sign = np.where(np.arange(len(entries)) % 3, 1, -1)
    pnl = (sign * (exits["close"].to_numpy() - entries["close"].to_numpy()) * 0.2 * 100_000).round(2)
    return pd.DataFrame(dict(
        trade_id=np.arange(1, len(entries) + 1), instrument="GBPUSD", side=np.where(sign > 0, "long", "short"), lots=0.2, entry_ts=_texts(entries["ts"]), entry_price=entries["close"].to_numpy(),
        exit_ts=_texts(exits["ts"]), exit_price=exits["close"].to_numpy(), pnl=pnl, currency="USD", initial_balance=10_000,
    ))  # fmt: skip


EXAMPLES = {
    "bars_m5": ExampleFile("example_EURUSD_M5_bid.csv", "M5 bars, bid", "Data, Import", bars_m5),
    "bars_h1": ExampleFile("example_GBPUSD_H1_bid_ask.csv", "H1 bars, bid and ask", "Data, Import", bars_h1),
    "signals": ExampleFile("example_signals.csv", "Signals, for the M5 bars", "Backtest, your own signals", signals),
    "trades": ExampleFile("example_trades.csv", "Trades of an account", "Compliance, import an account", trades),
}


def example(key: str) -> tuple[str, bytes]:
    """Name and content of an example file.

    >>> example("signals")[1].splitlines()[0]
    b'ts,side,stop_loss,target_1,tag'
    """
    if key not in EXAMPLES:
        raise unknown("example file", key, EXAMPLES)
    return EXAMPLES[key].name, EXAMPLES[key].make().to_csv(index=False).encode()


def _walk(timeframe: str, start: str, end: str, first: float) -> pd.DataFrame:
    frame = Timeframe.named(timeframe)
    opens = calendar("fx").expected_opens(instant(datetime.fromisoformat(start)), instant(datetime.fromisoformat(end)), frame)
    random, size = np.random.default_rng(SEED), len(opens)
    moves = random.standard_normal((size, 6)) * HOURLY * np.sqrt(frame.minutes / 60 / 6)
    path = np.exp(np.log(first) + np.cumsum(moves.ravel()).reshape(size, 6))
    closes = path[:, -1]
    opened = np.r_[first, closes[:-1]]
    prices = dict(open=opened, high=np.maximum(path.max(axis=1), opened), low=np.minimum(path.min(axis=1), opened), close=closes)
    return pd.DataFrame(dict(
        ts=pd.to_datetime(opens, utc=True), **{name: values.round(5) for name, values in prices.items()},
        volume=random.poisson(150 * frame.minutes / 5, size), spread=random.choice([0.00008, 0.00009, 0.0001, 0.00012], size),
    ))  # fmt: skip


def _texts(times: pd.Series) -> list[str]:
    return list(times.dt.strftime("%Y-%m-%dT%H:%M:%SZ"))
