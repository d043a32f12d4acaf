"""What the risk monitor needs to know of the market: recent returns, average true range and spread by instrument."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from domain.errors import BadRequest
from domain.market.instrument import Instrument

WINDOW = 14  # bars of the average true range
MOST = 1_000  # bars that returns are taken of


@dataclass(frozen=True)
class MarketNow:
    """``returns``: one row a bar that all instruments have, one column an instrument, shares. ``atr`` and ``spread``:
    price units. ``bar``: the length of a bar, seconds; VaR and ES are for one such bar."""

    returns: pd.DataFrame
    atr: Mapping[str, float]
    spread: Mapping[str, float]
    bar: float


def market_now(
    bars: Mapping[str, pd.DataFrame], instruments: Mapping[str, Instrument], at: pd.Timestamp | None = None
) -> MarketNow:
    """From closed bars (``ts, open, high, low, close[, spread]``, of one timeframe, ``ts`` the start of the bar) by
    instrument.

    With ``at`` only bars that are closed by then count. An instrument whose bars carry no spread has the one of its
    specification.

    >>> from domain.market import instruments
    >>> ts = pd.date_range("2024-01-01", periods=3, freq="D", tz="UTC")
    >>> frame = pd.DataFrame(dict(ts=ts, open=1.0, high=[1.1, 1.3, 1.9], low=[1.0, 1.1, 1.4], close=[1.0, 1.25, 1.875]))
    >>> now = market_now(dict(EURUSD=frame), instruments())
    >>> now.returns["EURUSD"].tolist(), round(now.atr["EURUSD"], 6), now.bar
    ([0.25, 0.5], 0.475, 86400.0)
    """
    if not bars:
        raise BadRequest("there are no bars; give recent bars of each instrument held")
    cut = {name: _until(frame, at) for name, frame in bars.items()}
    for name, frame in cut.items():
        if len(frame) < 2:
            raise BadRequest(f"{name} has {len(frame)} bars before the instant requested; a return needs two")
    closes = pd.concat(
        {name: frame.set_index("ts")["close"] for name, frame in cut.items()}, axis=1, join="inner"
    ).sort_index()
    returns = closes.pct_change().iloc[1:].tail(MOST)
    gaps = [frame["ts"].diff().iloc[1:].dt.total_seconds().median() for frame in cut.values()]
    if max(gaps) > 1.5 * min(gaps):
        raise BadRequest(
            f"the bars are of different timeframes, {min(gaps):,.0f} s and {max(gaps):,.0f} s; "
            "give one timeframe for all"
        )
    spread = {name: _spread(frame, instruments[name]) for name, frame in cut.items()}
    return MarketNow(returns, {name: atr(frame) for name, frame in cut.items()}, spread, float(max(gaps)))


def atr(bars: pd.DataFrame, window: int = WINDOW) -> float:
    """Mean of the last ``window`` true ranges, price units."""
    high, low, close = (bars[name].to_numpy(float) for name in ("high", "low", "close"))
    before = close[:-1]
    true_range = np.maximum(high[1:], before) - np.minimum(low[1:], before)
    return float(true_range[-window:].mean())


def _until(bars: pd.DataFrame, at: pd.Timestamp | None) -> pd.DataFrame:
    closed = bars if at is None else bars[bars["ts"] + bars["ts"].diff().median() <= at]
    return closed.tail(MOST + 1)


def _spread(bars: pd.DataFrame, instrument: Instrument) -> float:
    last = bars["spread"].to_numpy(float) if "spread" in bars else np.zeros(0)
    last = last[np.isfinite(last)]
    return float(last[-1]) if len(last) else instrument.spread
