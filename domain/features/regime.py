"""What kind of market it is, by rules: how volatile, how directed, which centre deals, and three memberships that add up to one."""

from __future__ import annotations

import numpy as np

from domain.features.base import Column, feature
from domain.features.sessions import session_at
from domain.rounding import ROUNDING

WIDE = 2.0      # deviations of a random walk over the window: a fall as deep counts as a whole drawdown
SLACK = 1e-9    # touching a threshold is reaching it, however the value was rounded


@feature(unit="rank, 0 to 1", source="own definition", low=0.0, high=1.0, warm_up=lambda window, against: window + against - 2)
def volatility_rank(log_return: Column, *, window: int = 20, against: int = 250) -> Column:
    """Where realised volatility (root mean square of ``window`` log returns) stands among its own last ``against`` values: 0 the calmest of them,
    1 the most volatile, ties for a half. NaN before ``window`` + ``against`` − 1 returns.

    >>> volatility_rank([0.1, -0.3, 0.2], window=1, against=3).tolist()
    [nan, nan, 0.5]
    """
    from domain.features.kernels.ranks import ranks
    from domain.features.kernels.windows import means

    return ranks(means(log_return * log_return, window), against)


@feature(unit="regime", source="own definition", low=0.0, high=2.0)
def volatility_regime(volatility_rank: Column) -> Column:
    """Tercile of volatility among its own last values: 0 calm (rank below 1/3), 1 normal, 2 volatile (rank of 2/3 or more). NaN where there is no rank.

    >>> volatility_regime([float("nan"), 0.0, 0.5, 0.9]).tolist()
    [nan, 0.0, 1.0, 2.0]
    """
    return np.where(np.isnan(volatility_rank), np.nan, (3 * volatility_rank >= 1).astype(np.float64) + (3 * volatility_rank >= 2))


@feature(unit="regime", source="own definition, after Wilder (1978) and Kaufman (1995)", low=-1.0, high=1.0, memory=lambda window: window + 1)
def trend_regime(close: Column, adx: Column, efficiency: Column, *, window: int = 10, strength: float = 25.0, straightness: float = 0.3) -> Column:
    """1 in a trend up, −1 in one down, 0 in none: a trend has an ADX of ``strength`` or more and an efficiency ratio of ``straightness`` or more;
    its direction is that of the close over ``window`` bars. NaN where one of them is not known.

    >>> trend_regime([1.0, 2.0, 1.5, 1.0], [float("nan"), 30.0, 20.0, 30.0], [float("nan"), 0.5, 0.5, 0.5], window=1).tolist()
    [nan, 1.0, 0.0, -1.0]
    """
    way = np.full(len(close), np.nan)
    way[window:] = np.sign(close[window:] - close[:-window])
    with np.errstate(invalid="ignore"):
        trending = (adx >= strength - SLACK) & (efficiency >= straightness - SLACK)
    return np.where(np.isnan(adx) | np.isnan(efficiency) | np.isnan(way), np.nan, np.where(trending, way, 0.0))


@feature(unit="regime", source="hours of the sessions in domain/features/sessions.toml", low=0.0, high=4.0)
def session_regime(ts: np.ndarray) -> Column:
    """Which centre deals when the bar opens: 0 none, 1 Asia, 2 London, 3 New York, 4 London and New York. Where Asia and London overlap it is London.

    >>> times = ["2024-07-10T02:00", "2024-07-10T07:30", "2024-07-10T13:00", "2024-07-10T18:00", "2024-07-10T21:30"]
    >>> session_regime(np.array(times, "datetime64[ns]").view(np.int64)).tolist()
    [1.0, 2.0, 4.0, 3.0, 0.0]
    """
    return session_at(ts).astype(np.float64)


@feature(unit="share, 0 to 1", source="own definition", low=0.0, high=1.0, warm_up=lambda window: window - 1, memory=lambda window: window + 1)
def drawdown_depth(close: Column, log_return: Column, *, window: int = 100) -> Column:
    """Fall from the highest close of the last ``window`` + 1 bars, against what chance does:  min(1, ln(highest / close) / (2 · σ · √window)),
    where σ² is the mean square of the ``window`` log returns. 0 at the top and where nothing moved; 1 for a fall of two deviations of a random walk or more.
    NaN before ``window`` returns.

    >>> drawdown_depth([1.0, 2.0, 1.0], [float("nan"), 0.6931, -0.6931], window=2).round(4).tolist()
    [nan, nan, 0.3536]
    """
    from domain.features.kernels.extremes import highest
    from domain.features.kernels.windows import means

    wide = WIDE * np.sqrt(means(log_return * log_return, window) * window)
    with np.errstate(divide="ignore", invalid="ignore"):
        fall = np.log(highest(close, window + 1) / close)
    return np.minimum(np.divide(fall, wide, out=wide - wide, where=wide > ROUNDING), 1.0)


@feature(unit="share, 0 to 1", source="own definition", low=0.0, high=1.0)
def panic(volatility_rank: Column, efficiency: Column, drawdown_depth: Column) -> Column:
    """Membership of a volatile market that falls or goes nowhere:  v² · (1 − e · (1 − d)),  v the volatility rank, e the efficiency ratio, d the depth of the
    drawdown. v is squared so that an ordinary market has little of it; a volatile straight rise has none. With calm and trend it adds up to 1.
    NaN where one of the three is not known.

    >>> panic([1.0, 1.0, 0.5], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]).tolist()
    [1.0, 0.0, 0.25]
    """
    return volatility_rank**2 * (1 - efficiency * (1 - drawdown_depth))


@feature(unit="share, 0 to 1", source="own definition", low=0.0, high=1.0)
def trend(panic: Column, efficiency: Column) -> Column:
    """Membership of a directed market, up or down:  (1 − panic) · e,  e the efficiency ratio. With calm and panic it adds up to 1.

    >>> trend([0.5], [0.5]).tolist()
    [0.25]
    """
    return (1 - panic) * efficiency


@feature(unit="share, 0 to 1", source="own definition", low=0.0, high=1.0)
def calm(panic: Column, efficiency: Column) -> Column:
    """Membership of a market that goes nowhere without fear:  (1 − panic) · (1 − e),  e the efficiency ratio. With trend and panic it adds up to 1.

    >>> calm([0.5], [0.25]).tolist()
    [0.375]
    """
    return (1 - panic) * (1 - efficiency)
