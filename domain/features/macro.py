"""Rates, the dollar and fear: outside series as they were published by each bar's end, against their own last days."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from domain.features.base import Column, feature
from domain.market.instrument import Instrument

LEAST = 5       # days before there is a score
SEEN = 5        # places of the state before its ring of days


def scored(series: Callable[..., tuple[str, ...]]) -> Callable:
    """A score of days against the last ones; ``series``: as ``feature`` takes it."""
    return feature(unit="standard deviations", source="own definition", warm_up=lambda window: min(window, LEAST) - 1, state=lambda window: SEEN + window, series=series)


def policy_rates(instrument: Instrument | None) -> tuple[str, ...]:
    """Names of the policy rates whose differential is paid for holding an instrument: its base's, then its quote's; of a metal the quote's.

    >>> from domain.market.instrument import instrument
    >>> policy_rates(instrument("EURJPY")), policy_rates(instrument("XAUUSD")), policy_rates(instrument("US500"))
    (('EU_RATE', 'JP_RATE'), ('US_RATE',), ())
    """
    if instrument is None or instrument.kind not in ("fx", "metal"):
        return ()
    return tuple(f"{currency[:2]}_RATE" for currency in ((instrument.base, instrument.quote) if instrument.kind == "fx" else (instrument.quote,)))


@scored(lambda series: (series,))
def macro_zscore(macro: Mapping[str, Column], ts: np.ndarray, *, window: int = 60, series: str = "US_RATE", state: np.ndarray) -> Column:
    """How far an outside series lies off its own last days:  (x − mean(days)) / deviation(days),  over ``window`` days.
    A day is one of UTC on which a bar opens; its value is what was last published by the end of its latest bar, so a value that stays counts anew each day
    and a release counts from the bar by whose end it was known. The present day is one of them; the deviation is over their number (not less 1).
    NaN before the fifth day and where the series is not known; while there are fewer days than ``window``, over those there are;
    0 where they do not differ. ``series`` is its name in the table of series.

    >>> days = [day * 86_400_000_000_000 for day in (1, 2, 2, 3)]
    >>> macro_zscore({"US_RATE": [1.0, 9.0, 3.0, 5.0]}, days, window=3).round(4).tolist()
    [nan, nan, nan, 1.2247]
    """
    return _scores(_of(macro, series, ts), ts, window, state)


@scored(lambda: ("DXY",))
def dollar_zscore(macro: Mapping[str, Column], ts: np.ndarray, *, window: int = 60, state: np.ndarray) -> Column:
    """How far the dollar index (DXY) lies off its last ``window`` days, as macro_zscore.

    >>> dollar_zscore({"DXY": [1.0, 2.0, 3.0]}, [day * 86_400_000_000_000 for day in (1, 2, 3)], window=3).round(4).tolist()
    [nan, nan, 1.2247]
    """
    return _scores(_of(macro, "DXY", ts), ts, window, state)


@scored(lambda instrument: ("DXY",) if dollar_side(instrument) else ())
def dollar_headwind(macro: Mapping[str, Column], ts: np.ndarray, instrument: Instrument | None, *, window: int = 60, state: np.ndarray) -> Column:
    """How far the dollar stands against the instrument:  q · dollar_zscore(``window``), q 1 where its prices are in dollars and −1 where its base is the dollar.
    0 for an instrument of other currencies, and where it is not known; else NaN where dollar_zscore is.

    >>> from domain.market.instrument import instrument
    >>> days = [day * 86_400_000_000_000 for day in (1, 2, 3)]
    >>> [dollar_headwind({"DXY": [1.0, 2.0, 3.0]}, days, instrument(name), window=3).round(4).tolist()[-1] for name in ("EURUSD", "USDJPY", "EURGBP")]
    [1.2247, -1.2247, 0.0]
    """
    q = dollar_side(instrument)
    scores = _scores(_of(macro, "DXY", ts), ts, window, state)
    return q * scores if q else np.zeros(len(scores))


def dollar_side(instrument: Instrument | None) -> int:
    """1 where the prices of an instrument are in dollars, −1 where its base is the dollar, else 0.

    >>> from domain.market.instrument import instrument
    >>> [dollar_side(instrument(name)) for name in ("XAUUSD", "USDCHF", "EURJPY")]
    [1, -1, 0]
    """
    if instrument is None:
        return 0
    return 1 if instrument.quote == "USD" else -1 if instrument.base == "USD" else 0


@scored(lambda: ("VIX",))
def vix_zscore(macro: Mapping[str, Column], ts: np.ndarray, *, window: int = 60, state: np.ndarray) -> Column:
    """How far the VIX lies off its last ``window`` days, as macro_zscore.

    >>> vix_zscore({"VIX": [15.0, 15.0, 15.0]}, [day * 86_400_000_000_000 for day in (1, 2, 3)], window=3).tolist()
    [nan, nan, 0.0]
    """
    return _scores(_of(macro, "VIX", ts), ts, window, state)


@scored(lambda: ("US10Y",))
def yield_zscore(macro: Mapping[str, Column], ts: np.ndarray, *, window: int = 60, state: np.ndarray) -> Column:
    """How far the 10-year US Treasury yield (US10Y) lies off its last ``window`` days, as macro_zscore.

    >>> yield_zscore({"US10Y": [4.0, 3.0, 2.0]}, [day * 86_400_000_000_000 for day in (1, 2, 3)], window=3).round(4).tolist()
    [nan, nan, -1.2247]
    """
    return _scores(_of(macro, "US10Y", ts), ts, window, state)


@feature(unit="percentage points", source="uncovered interest parity: what holding the base instead of the quote pays", series=policy_rates)
def rate_differential(close: Column, macro: Mapping[str, Column], instrument: Instrument | None) -> Column:
    """Policy rate of the base less that of the quote, each the latest published: for EURUSD  EU_RATE − US_RATE.
    A metal pays 0. NaN where one of the two is not known, and for what is neither currency nor metal.

    >>> from domain.market.instrument import instrument
    >>> rate_differential([1.1], {"EU_RATE": [4.0], "US_RATE": [5.25]}, instrument("EURUSD")).tolist()
    [-1.25]
    """
    rates = [_of(macro, name, close) for name in policy_rates(instrument)]
    if not rates:
        return np.full(len(close), np.nan)
    return rates[0] - rates[1] if len(rates) == 2 else np.zeros(len(close)) - rates[0]


@scored(lambda: ())
def rate_differential_zscore(rate_differential: Column, ts: np.ndarray, *, window: int = 60, state: np.ndarray) -> Column:
    """How far the policy rate differential lies off its last ``window`` days, as macro_zscore: off 0 after a decision, and back within the window.

    >>> rate_differential_zscore([1.0, 1.0, 1.0, 2.5], [day * 86_400_000_000_000 for day in (1, 2, 3, 4)], window=4).round(4).tolist()
    [nan, nan, nan, 1.7321]
    """
    return _scores(rate_differential, ts, window, state)


def _of(macro: Mapping[str, Column], name: str, like: Column) -> Column:
    return np.asarray(macro[name], np.float64) if name in macro else np.full(len(like), np.nan)


def _scores(values: Column, ts: np.ndarray, window: int, state: np.ndarray) -> Column:
    from domain.features.kernels.days import scores

    return scores(values, np.asarray(ts, np.int64), min(window, LEAST), state[:SEEN], state[SEEN:])
