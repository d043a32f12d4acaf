"""Spreads in points: a point is the last decimal of the prices in the same file, whatever our table says of the
instrument.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from domain.market.bars import PRICES
from domain.market.instrument import Instrument
from domain.market.readers.base import RawBars

MOST = 8  # decimals; more are rounding of a program
SAMPLE = 100_000  # prices that are examined
FRACTION = 4  # decimals that are kept of a fraction of a point
TOO_LARGE = 0.1  # of the price, for a spread
YEN_PIP = 0.01  # pairs with such pips, or larger ones, have three decimals at Dukascopy, as metals and indices have


def digits_of(texts: Iterable[str]) -> int:
    """The most decimals with which prices are written; those past the eighth are noise of a program that wrote them.

    >>> digits_of(["1.10000", "1.1"]), digits_of(["16800.25"]), digits_of(["4515.664000000001"]), digits_of(["150"])
    (5, 2, 3, 0)
    """
    most = 0
    for text in texts:
        decimals = len(text.partition(".")[2]) if text.replace(".", "", 1).lstrip("+-").isdigit() else 0
        if decimals > MOST:
            decimals = len(f"{float(text):.12g}".partition(".")[2])
        most = max(most, min(decimals, MOST))
    return most


def decimals_in(raw: RawBars) -> int:
    """The most decimals that the prices need as numbers.

    >>> raw = RawBars(np.zeros(2, np.int64), *np.array([[1.1, 1.25]] * 4), None, None, np.arange(2))
    >>> decimals_in(raw)
    2
    """
    price = max(1, len(raw) * len(PRICES) // SAMPLE)
    prices = np.concatenate([getattr(raw, name)[::price] for name in PRICES])
    prices = np.abs(prices[np.isfinite(prices)])
    for digits in range(MOST):
        scaled = prices * 10.0**digits
        if (np.abs(scaled - np.rint(scaled)) <= 1e-6 * np.maximum(1.0, 1e-6 * scaled)).all():
            return digits
    return MOST


def spread_in_prices(raw: RawBars, digits: int, usual_digits: int = 0, mapped: bool = False) -> RawBars:
    """The bars with a spread in points turned into price units; ``digits`` is how many decimals the file's prices are
    written with.

    A column of zeros is no record of spreads. Points are whole: a column with fractions is in price units already,
    unless a column mapping says that it is in points (``mapped``), as averages are.
    Prices that were written without their last zeros (1.1 for 1.10000) make the spread as large as the price: then a
    point is that of ``usual_digits``, the instrument's.
    """
    if raw.spread is None:
        return raw
    finite = raw.spread[np.isfinite(raw.spread)]
    if not np.any(finite):
        return replace(raw, spread=None, notes=(*raw.notes, "spread is 0 in every row: taken as not recorded"))
    whole = np.array_equal(finite, np.rint(finite))
    if not whole and not mapped:
        return replace(raw, notes=(*raw.notes, "spread is not in whole points: taken as price units"))
    digits = max(digits, decimals_in(raw))
    if usual_digits > digits and np.median(finite[finite > 0]) * 10.0**-digits > TOO_LARGE * np.median(np.abs(raw.close)):
        note = (
            f"prices are written with {digits} decimal{'' if digits == 1 else 's'}, too few for their spread: "
            f"taken as points of {10.0**-usual_digits:.{usual_digits}f}, the instrument's"
        )
        return replace(raw, spread=np.round(raw.spread * 10.0**-usual_digits, usual_digits + (0 if whole else FRACTION)), notes=(*raw.notes, note))
    point = 10.0**-digits
    note = (
        f"spread is in points of {point:.{digits}f} (prices have {digits} decimal{'' if digits == 1 else 's'}), "
        "converted to price units"
    )
    return replace(raw, spread=np.round(raw.spread * point, digits + (0 if whole else FRACTION)), notes=(*raw.notes, note))


def points_in_one(instrument: Instrument) -> float:
    """How many of Dukascopy's points are one unit of price.

    >>> from domain.market.instrument import instrument
    >>> [points_in_one(instrument(name)) for name in ("EURUSD", "USDJPY", "XAUUSD", "US500")]
    [100000.0, 1000.0, 1000.0, 1000.0]
    """
    return 100_000.0 if instrument.kind == "fx" and instrument.pip < YEN_PIP else 1_000.0


def in_points(raw: RawBars, instrument: Instrument) -> RawBars:
    """Bars whose prices are whole points, Dukascopy's, as bars with prices; others as they are."""
    columns = {name: values for name in (*PRICES, "spread") if (values := getattr(raw, name)) is not None}
    if any((columns[name] != np.rint(columns[name])).any() for name in PRICES):
        return raw
    points = points_in_one(instrument)
    prices = {name: np.round(values / points, 10) if name == "spread" else values / points for name, values in columns.items()}
    return replace(raw, notes=(*raw.notes, f"prices are in points of {1 / points:g}, converted to price units"), **prices)
