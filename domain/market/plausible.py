"""Prices and spreads that cannot be an instrument's: of another order of magnitude, or in another unit."""

from __future__ import annotations

import numpy as np

from domain.market.instrument import Instrument

USUAL_PRICE = {
    "EURUSD": 1.1, "GBPUSD": 1.4, "USDJPY": 120.0, "USDCHF": 1.0, "AUDUSD": 0.75, "EURGBP": 0.8, "EURJPY": 130.0, "GBPJPY": 170.0, "XAUUSD": 1_300.0, "XAGUSD": 18.0,
    "NAS100": 5_000.0, "US500": 2_000.0, "CL=F": 60.0, "BZ=F": 60.0, "ES=F": 2_000.0, "MNQ=F": 8_000.0, "GC=F": 1_300.0, "SI=F": 18.0, "ZC=F": 400.0,
}  # fmt: skip
FAR = 200.0             # times more or less than usual: no history of these instruments goes so far, and lost decimals go further
FAR_FX = 20.0           # of a currency pair, which moves less: prices of EURUSD are no prices of GBPJPY
LEAP = 100.0            # times more or less than the bars around
LARGEST = 1e12          # of any price
CONTEXT = 240            # bars, whose median price is the one around a bar
WIDE = 50.0             # times the instrument's usual spread
OF_PRICE = 0.1          # of the price: a spread as large is a price, or points that were not converted
OF_POINT = 0.1          # of a point: a spread below it is no spread
SAMPLE = 2_000          # closes whose decimals are examined


def implausible_prices(ohlc: tuple[np.ndarray, ...], instrument: Instrument) -> np.ndarray:
    """Bars with a price that is 100 times more or less than those around them, or 200 times (of a currency pair 20) what is usual for the instrument.

    Of an instrument that may trade below zero only what is too large is implausible, and bars that are all too small.

    >>> from domain.market.instrument import instrument
    >>> prices = np.array([1.1, 1.1, 1e308, 1.1, 0.0011])
    >>> implausible_prices((prices, prices, prices, prices), instrument("EURUSD")).tolist()
    [False, False, True, False, True]
    """
    ohlc = tuple(_bounded(values) for values in ohlc)
    high, low = np.maximum.reduce(ohlc), np.minimum.reduce(ohlc)
    if not len(high):
        return np.zeros(0, bool)
    local, usual = _surrounding(ohlc[3]), USUAL_PRICE.get(instrument.name, 0.0)
    wrong = (high > LARGEST) | (high / LEAP > np.maximum(local, instrument.tick))
    if usual:
        wrong |= high > far_of(instrument) * usual
    if instrument.negative_prices:
        return wrong | bool(usual and np.median(high) < usual / far_of(instrument))
    return wrong | (low < local / LEAP) | (low < usual / far_of(instrument))


def far_of(instrument: Instrument) -> float:
    """How many times more or less than usual a price may be."""
    return FAR_FX if instrument.margin_class.startswith("fx") else FAR


def price_sentence(close: np.ndarray, instrument: Instrument) -> str:
    """What is odd about the prices as a whole: their median against the usual one; empty where that is not it."""
    usual = USUAL_PRICE.get(instrument.name, 0.0)
    finite = _bounded(close[np.isfinite(close)])
    middle = float(np.median(finite)) if len(finite) else usual
    if not usual or usual / far_of(instrument) <= middle <= usual * far_of(instrument):
        return ""
    return f"half of the prices are {'above' if middle > usual else 'below'} {middle:g}, and {instrument.name} usually trades at about {usual:g}: another instrument, or decimals that were lost"


def implausible_spreads(spread: np.ndarray, close: np.ndarray, instrument: Instrument) -> np.ndarray:
    """Spreads as large as a tenth of the price; all that are more than 50 times the usual one, or below a tenth of a point, where half of them are.

    >>> from domain.market.instrument import instrument
    >>> implausible_spreads(np.array([13.0, 13.0, np.nan, 0.0]), np.full(4, 1.1), instrument("EURUSD")).tolist()
    [True, True, False, False]
    >>> implausible_spreads(np.array([1.3e-9, 1.3e-9]), np.array([1.1, 1.10012]), instrument("EURUSD")).tolist()
    [True, True]
    """
    positive = spread[spread > 0]
    if not len(positive):
        return np.zeros(len(spread), bool)
    middle, least = float(np.median(positive)), OF_POINT * min(point_of(close), instrument.tick)
    wrong = spread >= OF_PRICE * max(float(np.median(_bounded(close))), instrument.tick)
    if instrument.spread and middle > WIDE * instrument.spread:
        wrong |= spread > WIDE * instrument.spread
    if middle < least:
        wrong |= (spread > 0) & (spread < least)
    return wrong


def wide_spreads(spread: np.ndarray, instrument: Instrument) -> np.ndarray:
    """Spreads of more than 50 times the usual one."""
    return spread > WIDE * instrument.spread if instrument.spread else np.zeros(len(spread), bool)


def spread_sentence(spread: np.ndarray, instrument: Instrument) -> str:
    """The median of the spreads, compared with the usual one."""
    middle = float(np.median(spread[spread > 0]))
    return f"the median spread is {middle:g}, and the usual one of {instrument.name} is {instrument.spread:g}: the column must be in price units, or in whole points in a MetaTrader export"


def point_of(close: np.ndarray) -> float:
    """The last decimal that the prices have, at least 1e-10.

    >>> point_of(np.array([1.1, 1.10012])), point_of(np.array([16800.25])), point_of(np.array([5.0]))
    (1e-05, 0.01, 1.0)
    """
    shown = close[:: max(1, len(close) // SAMPLE)]
    for decimals in range(10):
        if np.allclose(shown, np.round(shown, decimals), rtol=1e-12, atol=1e-12):
            return float(f"1e-{decimals}")
    return 1e-10


def _bounded(values: np.ndarray) -> np.ndarray:
    """Sizes, so far bounded that two of them can be added."""
    return np.minimum(np.abs(values), 1e300)


def _surrounding(values: np.ndarray) -> np.ndarray:
    """The median of each block of bars and its neighbours, one per value."""
    blocks = max(1, len(values) // CONTEXT)
    medians = np.array([np.median(part) for part in np.array_split(values, blocks)])
    padded = np.r_[medians[0], medians, medians[-1]]
    smooth = np.median(np.stack([padded[:-2], padded[1:-1], padded[2:]]), axis=0)
    return np.repeat(smooth, [len(part) for part in np.array_split(values, blocks)])
