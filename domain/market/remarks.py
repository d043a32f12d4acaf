"""Warnings on valid bars: spikes, flat prices, placeholder volumes."""

from __future__ import annotations

import numpy as np
import pandas as pd

from domain.market.bars import PRICES, ts_of
from domain.market.report import EXAMPLES, Example, Finding, finding, moment
from domain.market.timeframe import Timeframe

SPIKE = 12.0                    # typical ranges; chosen on ten years of FX and metals, where it finds the known flash crashes and little else
BLOCK = 240                     # bars whose median range counts as typical, smoothed over three such blocks
STALE = {"M1": 15, "M5": 6, "M15": 5, "M30": 4, "H1": 4, "H4": 3, "D1": 3}     # bars in a row that are long for standing still
SAME = 0.5                      # share of bars with one and the same volume from which it is uninformative


def remarks(bars: pd.DataFrame, timeframe: Timeframe, tick: float) -> list[Finding]:
    """The findings on spikes, stale runs and placeholder volume."""
    ts = ts_of(bars)
    high, low, close = (bars[name].to_numpy() for name in PRICES[1:])
    return [_spikes(ts, high, low, close, tick), _stale(ts, high, low, close, STALE[str(timeframe)]), _placeholder(bars)]


def excursions(high: np.ndarray, low: np.ndarray, close: np.ndarray, tick: float) -> np.ndarray:
    """How far each bar went beyond the closes on both sides of it, in typical ranges: the median true range of its
    surroundings, at least one tick. First and last bar: 0, for want of a neighbour.

    >>> high = np.full(9, 2.0); high[4] = 50.0
    >>> excursions(high, np.full(9, 1.0), np.full(9, 1.5), 0.1)[3:6].tolist()
    [0.5, 48.5, 0.5]
    """
    if len(close) < 3:
        return np.zeros(len(close))
    before, after = close[:-2], close[2:]
    beyond = np.maximum(high[1:-1] - np.maximum(before, after), np.minimum(before, after) - low[1:-1])
    true_range = np.maximum(high[1:], close[:-1]) - np.minimum(low[1:], close[:-1])
    return np.r_[0.0, beyond / np.maximum(_typical(np.r_[true_range[0], true_range])[1:-1], tick), 0.0]


def _typical(values: np.ndarray) -> np.ndarray:
    """Medians of blocks, each replaced by the median of itself and its neighbours, one per value."""
    finite = len(values) // BLOCK
    if finite < 2:
        return np.full(len(values), np.median(values))
    medians = np.median(values[: finite * BLOCK].reshape(finite, BLOCK), axis=1)
    padded = np.r_[medians[0], medians, medians[-1]]
    smooth = np.median(np.stack([padded[:-2], padded[1:-1], padded[2:]]), axis=0)
    return np.r_[np.repeat(smooth, BLOCK), np.full(len(values) - finite * BLOCK, smooth[-1])]


def _spikes(ts: np.ndarray, high: np.ndarray, low: np.ndarray, close: np.ndarray, tick: float) -> Finding:
    size = excursions(high, low, close, tick)
    largest = np.argsort(-size, kind="stable")[:EXAMPLES]
    return finding("spikes", (size > SPIKE).sum(), tuple(Example(moment(ts[at]), f"{size[at]:.0f} × median true range") for at in largest if size[at] > SPIKE))


def _stale(ts: np.ndarray, high: np.ndarray, low: np.ndarray, close: np.ndarray, least: int) -> Finding:
    """Runs of ``least`` or more bars without range whose close is the one before."""
    still = np.r_[False, (high[1:] == low[1:]) & (close[1:] == close[:-1]), False].astype(np.int8)
    starts, stops = np.flatnonzero(np.diff(still) == 1), np.flatnonzero(np.diff(still) == -1)
    long = np.flatnonzero(stops - starts >= least)
    return finding("stale", len(long), tuple(Example(moment(ts[starts[at]]), f"{stops[at] - starts[at]:,} bars in a row") for at in long[:EXAMPLES]))


def _placeholder(bars: pd.DataFrame) -> Finding:
    volume = bars["volume"].to_numpy() if "volume" in bars else np.empty(0)
    volume = volume[~np.isnan(volume)]
    if not len(volume):
        return finding("placeholder", 0)
    common = np.sort(volume)[len(volume) // 2]
    share = float((volume == common).mean())
    return finding("placeholder", int(share > SAME), (Example("", f"{common:g} in {share:.0%} of the bars"),))
