"""Features of other markets: their latest closes at each bar's end, so an unchanged one counts as a return of 0."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from domain.features.base import Column, feature
from domain.market.instrument import Instrument, instruments
from domain.rounding import ROUNDING

FIRST = "first"     # of the others, in alphabetical order


@feature(unit="log return", source="equal-weighted mean", warm_up=1)
def basket_return(close: Column, others: Mapping[str, Column]) -> Column:
    """Mean log return of the other instruments over one bar:  mean_k(ln(c_k,t / c_k,t-1)), of those that have one.
    NaN at the first bar, and where none of them is known.

    >>> basket_return([1.0, 1.0], {"GBPUSD": [1.0, 1.1], "USDJPY": [100.0, 110.0]}).round(6).tolist()
    [nan, 0.09531]
    """
    return _mean([(1.0, _growth(other, 1)) for other in others.values()], len(close))


@feature(unit="correlation", source="Pearson", low=-1.0, high=1.0, warm_up=lambda window: window)
def correlation(close: Column, others: Mapping[str, Column], *, window: int = 50, other: str = FIRST) -> Column:
    """Pearson's correlation of the log returns of this instrument and another over the last ``window`` bars.
    ``other`` is its name; "first" is the first in alphabetical order. NaN before ``window`` + 1 bars, where one of them did not move at all
    in the window, and where the other is not known.

    >>> correlation([1.0, 2.0, 1.0, 3.0], {"GBPUSD": [1.0, 4.0, 1.0, 9.0]}, window=3).round(6).tolist()
    [nan, nan, nan, 1.0]
    """
    return _correlation(_growth(close, 1), _growth(_other(close, others, other), 1), window)


@feature(unit="ratio", source="Sharpe (1964): the slope of a return on its market's", warm_up=lambda window: window - 1, memory=lambda window: window + 1)
def beta(close: Column, basket_return: Column, *, window: int = 100) -> Column:
    """How far this instrument moves with the others:  cov(r, b) / var(b) over the last ``window`` bars, b their mean log return.
    NaN before ``window`` + 1 bars, and where the others did not move.

    >>> beta([1.0, 4.0, 1.0], [float("nan"), 0.5, -0.5], window=2).round(4).tolist()
    [nan, nan, 2.7726]
    """
    from domain.features.kernels.pairs import moments

    together, _, of_basket = moments(_growth(close, 1), basket_return, window)
    return np.divide(together, of_basket, out=np.full(len(close), np.nan), where=_varies(of_basket, window))


@feature(unit="log return", source="own definition", warm_up=lambda window: window - 1, memory=lambda window: window + 1)
def relative_strength(close: Column, basket_return: Column, *, window: int = 50) -> Column:
    """Log return of this instrument over ``window`` bars less that of the basket of the others:  Σ (r − b). Above 0 it is the stronger one.
    NaN before ``window`` + 1 bars.

    >>> relative_strength([1.0, 1.0, 1.0], [float("nan"), 0.5, -0.25], window=2).tolist()
    [nan, nan, -0.25]
    """
    from domain.features.kernels.windows import means

    return means(_growth(close, 1) - basket_return, window) * window


@feature(unit="standard deviations", source="Gatev, Goetzmann and Rouwenhorst (2006), pairs trading", warm_up=lambda window: window - 1)
def spread_zscore(close: Column, others: Mapping[str, Column], *, window: int = 100, other: str = FIRST) -> Column:
    """How far the price ratio of this instrument and another lies off its mean:  s = ln(close / other);  (s_t − mean(s)) / deviation(s)
    over the last ``window`` bars, this one included, the deviation over ``window`` (not less 1). ``other`` as in correlation.
    NaN before ``window`` bars; 0 where the ratio did not change.

    >>> spread_zscore([1.0, 1.0, 1.0, 1.0, 2.0], {"GBPUSD": [1.0, 1.0, 1.0, 1.0, 1.0]}, window=5).round(6).tolist()
    [nan, nan, nan, nan, 2.0]
    """
    from domain.features.kernels.ranges import shares
    from domain.features.kernels.windows import moments

    ratio = np.log(shares(close, np.asarray(_other(close, others, other), np.float64)))
    mean, squares = moments(ratio, window)
    deviation = np.sqrt(squares / window)
    return np.divide(ratio - mean, deviation, out=deviation - deviation, where=deviation > ROUNDING)


@feature(unit="correlation", source="own definition, after Lo and MacKinlay (1990), lead-lag effects", low=-2.0, high=2.0, warm_up=lambda window: window + 1)
def lead_lag(close: Column, others: Mapping[str, Column], *, window: int = 50, other: str = FIRST) -> Column:
    """Whether another instrument moves first:  corr(r_t, o_t-1) − corr(r_t-1, o_t) over the last ``window`` bars, of log returns.
    Above 0 the other leads, below 0 this one does. ``other`` as in correlation. NaN before ``window`` + 2 bars, and where one of them did not move.

    >>> lead_lag([1.0, 1.0, 2.0, 1.0, 3.0], {"GBPUSD": [1.0, 2.0, 1.0, 3.0, 3.0]}, window=3).round(4).tolist()
    [nan, nan, nan, nan, 0.392]
    """
    own, theirs = _growth(close, 1), _growth(_other(close, others, other), 1)
    return _correlation(own, _before(theirs), window) - _correlation(_before(own), theirs, window)


@feature(unit="log return", source="own definition", warm_up=lambda window: window)
def currency_strength(close: Column, others: Mapping[str, Column], instrument: Instrument | None, *, window: int = 50) -> Column:
    """Strength of this instrument's base less that of its quote, log returns over ``window`` bars.
    The strength of a currency is the mean return of every currency pair and metal that holds it, this one included, its sign turned where it is the quote.
    An instrument that no table knows counts as a pair if its name is two currencies of three letters. NaN before ``window`` + 1 bars,
    and where no other that holds one of the two is known.

    >>> from domain.market.instrument import instrument
    >>> currency_strength([1.0, 1.0], {"USDJPY": [100.0, 110.0]}, instrument("EURUSD"), window=1).round(4).tolist()
    [nan, -0.0477]
    """
    if instrument is None:
        return np.full(len(close), np.nan)
    own, moves = _growth(close, window), {}
    for name in others:
        pair = _legs(name)
        if pair and {instrument.base, instrument.quote} & set(pair):
            moves[name] = pair, _growth(others[name], window)
    mean_of_others = _mean([(1.0, move) for _, move in moves.values()], len(close))
    base, quote = ([(1.0 if pair[0] == currency else -1.0, move) for pair, move in moves.values() if currency in pair] for currency in (instrument.base, instrument.quote))
    strength = _mean([(1.0, own), *base], len(close)) - _mean([(-1.0, own), *quote], len(close))
    return np.where(np.isnan(own) | np.isnan(mean_of_others), np.nan, strength)


def _legs(name: str) -> tuple[str, str] | None:
    """Base and quote of what holds a currency on each side."""
    listed = instruments().get(name)
    if listed is not None:
        return (listed.base, listed.quote) if listed.kind in ("fx", "metal") else None
    return (name[:3], name[3:]) if len(name) == 6 and name.isalpha() and name.isupper() else None


def _other(close: Column, others: Mapping[str, Column], name: str) -> Column:
    """The closes of one of the others; NaN where there is none."""
    closes = others.get(min(others) if name in (FIRST, "") and others else name)
    return np.full(len(close), np.nan) if closes is None else closes


def _growth(prices: Column, window: int) -> Column:
    """Log return over ``window`` bars, NaN for a price of 0 or less."""
    from domain.features.kernels.ranges import later_shares

    prices = np.asarray(prices, np.float64)
    shares = later_shares(prices, prices, window)
    return np.log(shares, out=shares)


def _before(column: Column) -> Column:
    """Each value one bar later."""
    output = np.full(len(column), np.nan)
    output[1:] = column[:-1]
    return output


def _mean(signed: list[tuple[float, Column]], length: int) -> Column:
    """Of columns with their signs, those that are known at each bar."""
    from domain.features.kernels.baskets import over_counts, take_in

    total, count = np.zeros(length), np.zeros(length)
    for sign, column in signed:
        take_in(column, sign, total, count)
    return over_counts(total, count)


def _correlation(x: Column, y: Column, window: int) -> Column:
    from domain.features.kernels.pairs import moments

    together, of_x, of_y = moments(x, y, window)
    moved = np.sqrt(of_x * of_y)
    output = np.divide(together, moved, out=np.full(len(x), np.nan), where=_varies(of_x, window) & _varies(of_y, window))
    return np.clip(output, -1.0, 1.0, out=output)


def _varies(squares: Column, window: int) -> np.ndarray:
    """Whether log returns vary by more than rounding, from the sum of squares about their mean: their deviation is a share of the price."""
    return squares > window * ROUNDING**2
