"""How much was traded, at what prices and from which side."""

from __future__ import annotations

import numpy as np

from domain.features.base import Column, feature
from domain.features.sessions import days_of
from domain.market.instrument import Instrument


@feature(unit="ratio", source="own definition", low=0.0, warm_up=lambda window: window)
def relative_volume(volume: Column, *, window: int = 20) -> Column:
    """Volume over the mean of the ``window`` bars before it:  V_t / mean(V_{t-window} … V_{t-1}).
    NaN before ``window`` + 1 bars, where a volume is unknown, and where that mean is 0.

    >>> relative_volume([1.0, 3.0, 4.0], window=2).tolist()
    [nan, nan, 2.0]
    """
    from domain.features.kernels.ratios import over
    from domain.features.kernels.windows import means

    before = np.full(len(volume), np.nan)
    before[1:] = means(volume, window)[:-1]
    return over(volume, before)


@feature(unit="price", source="Berkowitz, Logue & Noser (1988), The Total Cost of Transactions on the NYSE, Journal of Finance 43(1)", state=3)
def vwap(high: Column, low: Column, close: Column, volume: Column, ts: np.ndarray, instrument: Instrument | None, *, state: np.ndarray) -> Column:
    """Volume-weighted average price of the trading day so far:  Σ V·(H + L + C)/3 / Σ V, with this bar.
    The day is the instrument's (17:00 New York in FX), of UTC where none is known; the first day counts from its first bar.
    A bar of unknown volume adds nothing; NaN while the day has no volume.

    >>> vwap([2.0, 5.0], [2.0, 5.0], [2.0, 5.0], [1.0, 2.0], [0, 1], None).tolist()
    [2.0, 4.0]
    """
    from domain.features.kernels.sessions import passed, weighted

    return weighted(passed(ts, days_of(instrument).closes), (high + low + close) / 3, volume, state)


@feature(unit="ATR", source="own definition")
def vwap_distance(close: Column, vwap: Column, atr: Column, tick: float = 0.0) -> Column:
    """How far the close lies above the trading day's volume-weighted average price:  (C − VWAP) / ATR(14), below it negative.
    In ATR, so that instruments and years compare. NaN where either is, and where the ATR is none.

    >>> vwap_distance([3.0], [2.0], [0.5]).tolist()
    [2.0]
    """
    from domain.features.kernels.ratios import over_range

    return over_range(close - vwap, atr, close, tick)


@feature(unit="volume", source="Chaikin's money flow multiplier, as a proxy from bars of the order flow in ticks", warm_up=lambda window: window - 1)
def cumulative_volume_delta(high: Column, low: Column, close: Column, volume: Column, *, window: int = 20) -> Column:
    """Buying less selling over the last ``window`` bars, by where each closed in its range:  Σ V·(2C − H − L)/(H − L).
    No bar says who was the aggressor; a close at the high counts as all bought, at the low as all sold, a bar without a range as neither.
    NaN before ``window`` bars and where a volume is unknown.

    >>> cumulative_volume_delta([2.0, 2.0], [0.0, 0.0], [2.0, 0.5], [10.0, 4.0], window=2).tolist()
    [nan, 8.0]
    """
    from domain.features.kernels.volume import delta
    from domain.features.kernels.windows import means

    return means(delta(high, low, close, volume), window) * window


@feature(unit="share", source="Chaikin; the money flow of the last bars over their volume", low=-1.0, high=1.0, warm_up=lambda window: window - 1)
def chaikin_money_flow(high: Column, low: Column, close: Column, volume: Column, *, window: int = 20) -> Column:
    """Cumulative volume delta as a share of the volume of its bars:  Σ V·(2C − H − L)/(H − L) / Σ V, from −1 to 1.
    NaN before ``window`` bars, where a volume is unknown, and where all are 0.

    >>> chaikin_money_flow([2.0, 2.0], [0.0, 0.0], [2.0, 0.5], [12.0, 4.0], window=2).tolist()
    [nan, 0.625]
    """
    from domain.features.kernels.ratios import over
    from domain.features.kernels.volume import delta
    from domain.features.kernels.windows import means

    return np.clip(over(means(delta(high, low, close, volume), window), means(volume, window)), -1.0, 1.0)


@feature(
    unit="share", source="Easley, López de Prado & O'Hara (2012), Flow Toxicity and Liquidity in a High-frequency World, Review of Financial Studies 25(5)",
    low=0.0, high=1.0, warm_up=lambda window: 2 * window - 1,
)  # fmt: skip
def vpin(close: Column, volume: Column, *, window: int = 50) -> Column:
    """Order imbalance by bulk volume classification:  Σ |V_buy − V_sell| / Σ V over the last ``window`` bars, with V_buy = V·Φ(ΔC / σ).
    Φ is the normal distribution, ΔC the change of the close, σ the standard deviation (over window − 1) of the last ``window`` changes.
    The paper's buckets hold equal volume; here a bar is a bucket and counts by its volume. Where σ is 0 a bar that moved has one side
    only, one that did not has both alike. NaN before 2 · ``window`` bars, where a volume is unknown, and where all are 0; always with a
    window of 1, which has no σ.

    >>> vpin([1.0, 2.0, 3.0, 5.0], [1.0, 1.0, 1.0, 1.0], window=2).round(3).tolist()
    [nan, nan, nan, 0.998]
    """
    from domain.features.kernels.ratios import over
    from domain.features.kernels.volume import imbalance
    from domain.features.kernels.windows import deviations, means

    change = np.full(len(close), np.nan)
    change[1:] = close[1:] - close[:-1]
    return np.clip(over(means(imbalance(change, deviations(change, window, 1), volume, close), window), means(volume, window)), 0.0, 1.0)


@feature(unit="volume", source="Granville (1963), New Key to Stock Market Profits; begins as TA-Lib's", state=4)
def obv(close: Column, volume: Column, *, state: np.ndarray) -> Column:
    """On-balance volume:  OBV_t = OBV_{t-1} + V_t · sign(C_t − C_{t-1}), beginning with the first volume.
    Its level depends on where the bars begin, its changes do not. A bar of unknown volume is NaN and adds nothing.

    >>> obv([1.0, 2.0, 2.0, 1.0], [5.0, 3.0, 9.0, 1.0]).tolist()
    [5.0, 8.0, 8.0, 7.0]
    """
    from domain.features.kernels.volume import on_balance

    return on_balance(close, volume, state)


@feature(unit="mean volumes", source="own definition, after Granville's on-balance volume", warm_up=lambda window: window)
def obv_change(close: Column, volume: Column, *, window: int = 20) -> Column:
    """Change of on-balance volume over ``window`` bars in units of their mean volume:  (OBV_t − OBV_{t-window}) / mean(V), from −window to window.
    NaN before ``window`` + 1 bars, where a volume is unknown, and where all are 0.

    >>> obv_change([1.0, 2.0, 1.0], [9.0, 3.0, 1.0], window=2).tolist()
    [nan, nan, 1.0]
    """
    from domain.features.kernels.ratios import over
    from domain.features.kernels.volume import signed
    from domain.features.kernels.windows import means

    return over(means(signed(close, volume), window) * window, means(volume, window))


@feature(unit="0 to 100", source="Quong & Soudack (1989), Volume-weighted RSI: Money Flow, Stocks & Commodities 7(3)", low=0.0, high=100.0, warm_up=lambda window: window)
def mfi(high: Column, low: Column, close: Column, volume: Column, *, window: int = 14) -> Column:
    """Money flow index:  100 · P / (P + N), the money V·(H + L + C)/3 of the last ``window`` bars whose typical price (H + L + C)/3 rose (P) and fell (N).
    50 where it neither rose nor fell or nothing was traded (0 in TA-Lib). NaN before ``window`` + 1 bars and where a volume is unknown.

    >>> mfi([1.0, 2.0, 1.0], [1.0, 2.0, 1.0], [1.0, 2.0, 1.0], [7.0, 3.0, 2.0], window=2).tolist()
    [nan, nan, 75.0]
    """
    from domain.features.kernels.volume import index, money
    from domain.features.kernels.windows import means

    flow = money(high, low, close, volume)
    return index(means(flow, window), means(np.abs(flow), window))
