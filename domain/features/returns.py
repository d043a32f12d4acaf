"""How prices change from bar to bar, as a share."""

from __future__ import annotations

import numpy as np

from domain.features.base import Column, feature


@feature(unit="share", source="arithmetic return", warm_up=lambda window: window)
def simple_return(close: Column, *, window: int = 1) -> Column:
    """Simple return over ``window`` bars:  C_t / C_{t-window} − 1. NaN before ``window`` + 1 bars, and where the close before is not above 0.

    >>> simple_return([2.0, 3.0, 1.5]).tolist()
    [nan, 0.5, -0.5]
    """
    from domain.features.kernels.ranges import growth

    return growth(close, window)


@feature(unit="share", source="continuously compounded return", warm_up=lambda window: window)
def log_return(close: Column, *, window: int = 1) -> Column:
    """Logarithmic return over ``window`` bars:  ln(C_t / C_{t-window}). NaN before ``window`` + 1 bars, and where either close is not above 0.

    >>> log_return([2.0, 2.0, 4.0]).round(6).tolist()
    [nan, 0.0, 0.693147]
    """
    from domain.features.kernels.ranges import later_shares

    output = later_shares(close, close, window)
    return np.log(output, out=output)


@feature(unit="share per bar", source="Andersen & Bollerslev (1998), Answering the Skeptics", low=0.0, warm_up=lambda window: window - 1)
def realised_volatility(log_return: Column, *, window: int = 20) -> Column:
    """Realised volatility of a bar:  sqrt(Σ r² / window), r the logarithmic returns of the last ``window`` bars, their mean taken as 0.
    Not annualised: times the root of the bars in a year it is; times sqrt(window) it is that of the whole window. NaN before ``window`` returns; 0 where no price moved.

    >>> realised_volatility([0.03, -0.04], window=2).round(6).tolist()
    [nan, 0.035355]
    """
    from domain.features.kernels.windows import means

    return np.sqrt(means(log_return * log_return, window))


@feature(unit="share per bar", source="sample standard deviation", low=0.0, warm_up=lambda window: window - 1)
def return_deviation(log_return: Column, *, window: int = 20) -> Column:
    """Standard deviation of the last ``window`` logarithmic returns, over ``window`` − 1: what is left of volatility without the trend. Not annualised.
    NaN before ``window`` returns and for a window of one; 0 where no price moved.

    >>> return_deviation([0.01, 0.03], window=2).round(6).tolist()
    [nan, 0.014142]
    """
    from domain.features.kernels.windows import deviations

    return deviations(log_return, window, 1)
