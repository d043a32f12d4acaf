"""Trading costs relative to usual costs and to the range of prices."""

from __future__ import annotations

import numpy as np

from domain.features.base import Column, feature
from domain.features.sessions import minutes_of, zone_of
from domain.market.instrument import Instrument


@feature(unit="ratio", source="own definition", low=0.0)
def spread_to_atr(spread: Column, atr: Column, close: Column, tick: float = 0.0) -> Column:
    """Spread over the ATR:  what crossing it costs as a share of what a bar moves, by ATR(14).
    NaN where the spread is unknown, before the ATR, and where that is none.

    >>> spread_to_atr([0.5], [2.0], [9.0]).tolist()
    [0.25]
    """
    from domain.features.kernels.ratios import over_range

    return over_range(spread, atr, close, tick)


@feature(unit="ratio", source="own definition", low=0.0, warm_up=1, state=lambda weeks: 168 * 3 * (weeks + 1))
def spread_to_usual(spread: Column, ts: np.ndarray, instrument: Instrument | None, *, weeks: int = 8, state: np.ndarray) -> Column:
    """Spread over the mean of the spreads before it in the same hour of the week, of this week and the ``weeks`` before it; 1 is as usual.
    Hours are those of the clock on which the instrument's trading day ends (New York in FX), of UTC where none is known; so 17:00 New York
    stays one hour when clocks change. NaN where the spread is unknown, where that hour has had none before, and where its mean is 0.

    >>> spread_to_usual([1.0, 3.0, 4.0], [0, 1, 2], None).tolist()
    [nan, 3.0, 2.0]
    """
    from domain.features.kernels.profile import usual
    from domain.features.kernels.ratios import over

    return over(spread, usual(minutes_of(ts, zone_of(instrument)), spread, weeks, state))


@feature(unit="share", source="own definition", low=0.0)
def spread_share(spread: Column, close: Column, instrument: Instrument | None) -> Column:
    """Spread over the close:  what a round trip costs as a share of the price, or in log returns. A bar without a spread of its own has the
    instrument's default. NaN where neither is known, and for a price that is not above 0.

    >>> from domain.market.instrument import instrument
    >>> spread_share([0.5, float("nan")], [2.0, 1.3], instrument("EURUSD")).round(9).tolist()
    [0.25, 0.0001]
    """
    known = np.where(np.isnan(spread), instrument.spread if instrument else np.nan, spread)
    return np.divide(known, close, out=np.full(len(close), np.nan), where=np.asarray(close) > 0)


@feature(unit="price", source="the instrument's", low=0.0)
def tick_size(close: Column, tick: float = 0.0) -> Column:
    """Smallest step of the instrument's prices, the same at every bar. NaN where no instrument is known.

    >>> tick_size([1.1, 1.2], 0.00001).tolist(), tick_size([1.1]).tolist()
    ([1e-05, 1e-05], [nan])
    """
    return np.full(len(close), tick if tick > 0 else np.nan)
