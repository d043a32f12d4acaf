"""How much prices move."""

from __future__ import annotations

import numpy as np

from domain.features.base import Column, continued, feature
from domain.features.sessions import minutes_of
from domain.rounding import ROUNDING

WILDER = "Wilder (1978), New Concepts in Technical Trading Systems"


@feature(unit="price", source=WILDER, low=0.0, warm_up=1)
def true_range(high: Column, low: Column, close: Column) -> Column:
    """Range of the bar, from the close before it:  max(high_t, close_{t-1}) − min(low_t, close_{t-1}). NaN at the first bar.

    >>> true_range([2.0, 4.0], [1.0, 3.0], [1.5, 3.5]).tolist()
    [nan, 2.5]
    """
    from domain.features.kernels.ranges import true_ranges

    return true_ranges(high, low, close)


@feature(unit="price", source=WILDER, low=0.0, warm_up=lambda window: window, state=6)
def atr(high: Column, low: Column, close: Column, *, window: int = 14, state: np.ndarray) -> Column:
    """Average true range, Wilder's smoothing:  ATR_t = ATR_{t-1} + (TR_t − ATR_{t-1}) / window.
    The first value is the plain mean of the first ``window`` true ranges; before it, NaN. The first bar has no true range.

    >>> atr([9.0, 2.0, 4.0, 4.0], [0.0, 1.0, 3.0, 1.0], [1.0, 2.0, 3.0, 2.0], window=2).tolist()
    [nan, nan, 1.5, 2.25]
    """
    from domain.features.kernels.wilder import smoothed_ranges

    return smoothed_ranges(high, low, close, window, state)


@feature(unit="share", source=WILDER, low=0.0, warm_up=lambda window: window - 1, state=4)
def atr_share(close: Column, true_range: Column, *, window: int = 14, state: np.ndarray) -> Column:
    """Average true range as a share of the close:  ATR_t / C_t. TA-Lib's NATR is a hundred times that. NaN before the ATR has a value, and where the close is not above 0.

    >>> atr_share([8.0, 10.0], [1.0, 2.0], window=2).tolist()
    [nan, 0.15]
    """
    from domain.features.kernels.ratios import over
    from domain.features.kernels.wilder import wilder_from

    return over(wilder_from(true_range, window, state), close)


@feature(unit="ratio", source="own definition", low=0.0, warm_up=lambda window, against: window + against - 2, state=lambda against: 4 + against)
def atr_ratio(true_range: Column, close: Column, tick: float = 0.0, *, window: int = 14, against: int = 100, state: np.ndarray) -> Column:
    """ATR over its own mean of the last ``against`` bars: above 1 the market moves more than it did.
    NaN before the ATR has ``against`` values, and where that mean is none.

    >>> atr_ratio([1.0, 1.0, 4.0], [9.0, 9.0, 9.0], window=1, against=2).tolist()
    [nan, 1.0, 1.6]
    """
    from domain.features.kernels.ratios import over_range
    from domain.features.kernels.wilder import wilder_from
    from domain.features.kernels.windows import means

    smoothed = wilder_from(true_range, window, state[:4])
    history = continued(smoothed, state[4:])
    return over_range(smoothed, means(history, against)[len(history) - len(smoothed) :], close, tick)


@feature(unit="ratio", source="Bollinger (2001), Bollinger on Bollinger Bands", warm_up=lambda window: window - 1)
def bollinger_width(close: Column, *, window: int = 20, deviations: float = 2.0) -> Column:
    """Width of the Bollinger bands:  (upper − lower) / mean of the last ``window`` closes, with deviations over ``window`` (not less 1).
    NaN before ``window`` bars, and where the mean is not above 0; 0 where these closes are all equal.

    >>> bollinger_width([1.0, 3.0], window=2).tolist()
    [nan, 2.0]
    """
    from domain.features.kernels.ratios import over
    from domain.features.kernels.windows import moments

    mean, squares = moments(close, window)
    return over(2.0 * deviations * np.sqrt(squares / window), mean)


@feature(unit="share per bar", source="Parkinson (1980), The Extreme Value Method, Journal of Business 53(1)", low=0.0, warm_up=lambda window: window - 1)
def parkinson(high: Column, low: Column, *, window: int = 20) -> Column:
    """Volatility from highs and lows:  sqrt(mean(ln(H / L)² / (4 ln 2))) over the last ``window`` bars. Not annualised; blind to gaps between bars.
    NaN before ``window`` bars; 0 where no bar has a range.

    >>> parkinson([2.0, 2.0], [2.0, 1.0], window=2).round(6).tolist()
    [nan, 0.294353]
    """
    from domain.features.kernels.windows import means

    variance = means(_logs(high, low) ** 2, window)
    variance /= 4.0 * np.log(2.0)
    return np.sqrt(variance, out=variance)


@feature(unit="share per bar", source="Garman & Klass (1980), On the Estimation of Security Price Volatilities, Journal of Business 53(1)", low=0.0, warm_up=lambda window: window - 1)
def garman_klass(open: Column, high: Column, low: Column, close: Column, *, window: int = 20) -> Column:
    """Volatility from all four prices:  sqrt(mean(½ ln(H / L)² − (2 ln 2 − 1) ln(C / O)²)) over the last ``window`` bars, where no trend is.
    Not annualised; blind to gaps between bars. NaN before ``window`` bars; 0 where no price moved.

    >>> garman_klass([1.0, 1.0], [1.0, 2.0], [1.0, 1.0], [1.0, 1.0], window=2).round(6).tolist()
    [nan, 0.346574]
    """
    from domain.features.kernels.windows import means

    terms = 0.5 * _logs(high, low) ** 2 - (2.0 * np.log(2.0) - 1.0) * _logs(close, open) ** 2
    return np.sqrt(np.maximum(means(terms, window), 0.0))


@feature(unit="share per bar", source="Yang & Zhang (2000), Drift-Independent Volatility Estimation, Journal of Business 73(3)", low=0.0, warm_up=lambda window: window)
def yang_zhang(open: Column, high: Column, low: Column, close: Column, *, window: int = 20) -> Column:
    """Volatility from all four prices, gaps and trends allowed for:  sqrt(V_gap + k V_body + (1 − k) V_inside), k = 0.34 / (1.34 + (n + 1) / (n − 1)).
    V_gap and V_body are the variances over n − 1 of ln(O / C before) and ln(C / O), V_inside the mean of Rogers and Satchell's, over the last n = ``window`` bars.
    Not annualised. NaN before ``window`` + 1 bars and for a window of one; 0 where no price moved.

    >>> yang_zhang([1.0, 1.0, 2.0], [1.0, 1.0, 2.0], [1.0, 1.0, 2.0], [1.0, 1.0, 2.0], window=2).round(6).tolist()
    [nan, nan, 0.490129]
    """
    from domain.features.kernels.ranges import inside_terms, later_shares
    from domain.features.kernels.windows import means, moments

    if window == 1:
        return np.full(len(close), np.nan)
    gap, body = np.log(later_shares(open, close, 1)), _logs(close, open)
    k = 0.34 / (1.34 + (window + 1) / (window - 1))
    variance = moments(gap, window)[1]
    variance += k * moments(body, window)[1]
    variance /= window - 1
    variance += (1.0 - k) * means(inside_terms(_logs(high, open), _logs(low, open), body), window)
    return np.sqrt(np.maximum(variance, 0.0, out=variance), out=variance)


def _logs(price: Column, other: Column) -> Column:
    """Logarithm of one price over another, NaN where there is none."""
    from domain.features.kernels.ranges import shares

    output = shares(price, other)
    return np.log(output, out=output)


@feature(unit="ratio", source="own definition", low=0.0, warm_up=lambda window, against: window + against - 2)
def vol_of_vol(log_return: Column, *, window: int = 20, against: int = 100) -> Column:
    """How unsteady volatility is:  standard deviation of the last ``against`` values of the realised volatility of ``window`` bars, over their mean.
    NaN before that many values, and where no price moved.

    >>> vol_of_vol([0.01, 0.03], window=1, against=2).round(6).tolist()
    [nan, 0.5]
    """
    from domain.features.kernels.ratios import over
    from domain.features.kernels.windows import means, moments

    mean, squares = moments(np.sqrt(means(log_return * log_return, window)), against)
    return over(np.sqrt(squares / against), np.where(mean > ROUNDING, mean, 0.0 * mean))


@feature(unit="ratio", source="after Andersen & Bollerslev (1997), Intraday Periodicity and Volatility Persistence", low=0.0, state=lambda days: 1440 * (days + 2))
def seasonal_volatility(ts: np.ndarray, true_range: Column, close: Column, tick: float = 0.0, *, days: int = 20, zone: str = "UTC", state: np.ndarray) -> Column:
    """True range over what is usual at its time of day:  TR_t / mean of the true ranges of earlier bars that opened at the same minute, on the last ``days`` days that had one.
    1 is an ordinary bar for its hour, whatever the hour. NaN before three earlier days (``days`` if fewer), and where that mean is none; a time of day that was
    not seen for twice ``days`` days begins anew. ``zone`` is the clock by which days repeat: with UTC the hours of a market shift in spring and autumn.

    >>> days = np.array(["2024-07-08", "2024-07-09", "2024-07-10"], "datetime64[ns]").view(np.int64)
    >>> seasonal_volatility(days, [1.0, 3.0, 4.0], [9.0, 9.0, 9.0], days=2).tolist()
    [nan, nan, 2.0]
    """
    from domain.features.kernels.seasons import against_time_of_day

    return against_time_of_day(ts, minutes_of(ts, zone), true_range, close, tick, days, state)
