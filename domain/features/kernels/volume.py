"""Volume with a side."""

from __future__ import annotations

import math

import numpy as np

from domain.compiled import entry
from domain.rounding import ROUNDING


@entry
def on_balance(close, volume, state):
    """Volume added on rises and taken off on falls, beginning with the first volume; NaN at a bar of unknown volume, which adds nothing.
    ``state``: whether it has begun, the sum, whether it has a volume, the last close."""
    output = np.full(close.shape[0], np.nan)
    begun, total, started, last = state[0], state[1], state[2], state[3]
    for i in range(close.shape[0]):
        if not np.isnan(volume[i]):
            if started == 0:
                total = volume[i]
            elif begun and close[i] > last:
                total += volume[i]
            elif begun and close[i] < last:
                total -= volume[i]
            started = 1.0
            output[i] = total
        begun, last = 1.0, close[i]
    state[0], state[1], state[2], state[3] = begun, total, started, last
    return output


@entry
def signed(price, volume):
    """Volume with the sign of the price's change; NaN at the first and where it is unknown."""
    output = np.full(price.shape[0], np.nan)
    for i in range(1, price.shape[0]):
        output[i] = volume[i] if price[i] > price[i - 1] else -volume[i] if price[i] < price[i - 1] else 0.0 * volume[i]
    return output


@entry
def money(high, low, close, volume):
    """Typical price times volume, with the sign of the typical price's change; NaN at the first and where it is unknown."""
    output, before = np.full(close.shape[0], np.nan), np.nan
    for i in range(close.shape[0]):
        typical = (high[i] + low[i] + close[i]) / 3
        if i:
            flow = typical * volume[i]
            output[i] = flow if typical > before else -flow if typical < before else 0.0 * flow
        before = typical
    return output


@entry
def index(net, gross):
    """From 0, all of it fell, to 100, all of it rose; 50 where there is none."""
    output = np.full(net.shape[0], np.nan)
    for i in range(net.shape[0]):
        if gross[i] > 0:
            output[i] = 50.0 + 50.0 * min(max(net[i] / gross[i], -1.0), 1.0)
        elif gross[i] <= 0:
            output[i] = 50.0
    return output


@entry
def delta(high, low, close, volume):
    """Volume by where the bar closed in its range: all of it at the high, all of it taken off at the low, none in the middle or without a range."""
    output = np.empty(close.shape[0])
    for i in range(close.shape[0]):
        span = high[i] - low[i]
        output[i] = volume[i] * (2 * close[i] - high[i] - low[i]) / span if span > ROUNDING * abs(close[i]) else 0.0 * volume[i]
    return output


@entry
def imbalance(change, deviation, volume, close):
    """|buys − sells| by bulk volume classification:  volume · |2Φ(change / deviation) − 1|, which is volume · erf(|change| / (deviation · √2))."""
    output = np.full(change.shape[0], np.nan)
    for i in range(change.shape[0]):
        if deviation[i] > ROUNDING * abs(close[i]):
            output[i] = volume[i] * math.erf(abs(change[i]) / (deviation[i] * math.sqrt(2.0)))
        elif deviation[i] >= 0:
            output[i] = volume[i] if abs(change[i]) > ROUNDING * abs(close[i]) else 0.0 * volume[i]
    return output
