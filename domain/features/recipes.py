"""Lists of features by name: one for each family, a first few, all of them, and a vector of fifty for models."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from domain.errors import unknown
from domain.features.base import FEATURES, Use, parse, use


@dataclass(frozen=True)
class Recipe:
    """A named list of uses. The list is built on access, so it includes features of new files."""

    name: str
    about: str
    build: Callable[[], tuple[Use, ...]]

    @property
    def uses(self) -> tuple[Use, ...]:
        """
        >>> [one.column for one in recipe("sentiment").uses]
        ['sentiment(24.0)']
        """
        return self.build()


class Element(NamedTuple):
    """One column of the vector of fifty: its part of the vector, the use as it is written, and its meaning."""

    part: str
    written: str
    about: str


BASIC = ("log_return(1)", "sma(20)", "zscore(20)", "rsi(14)", "atr(14)", "channel_high(20)", "channel_low(20)")
VECTOR50 = (
    Element("price", "log_return(1)", "how far the close moved in this bar"),
    Element("price", "log_return(5)", "how far it moved in five bars"),
    Element("price", "log_return(20)", "how far it moved in twenty bars"),
    Element("price", "zscore(20)", "how many standard deviations the close lies off its mean"),
    Element("price", "distance(20, 14)", "how many ATRs it lies off its exponential mean"),
    Element("price", "donchian_position(20)", "where it lies between the lowest low and the highest high"),
    Element("price", "distance_to_round_number(100)", "how many ATRs it lies off the nearest round price"),
    Element("price", "body", "how much of the bar's range lies between open and close, and which way"),
    Element("price", "upper_wick", "how much of the range was given back from above"),
    Element("price", "lower_wick", "how much was given back from below"),
    Element("momentum and trend", "rsi(14)", "share of gains in what moved, Wilder's smoothing"),
    Element("momentum and trend", "stochastic_k(14, 3)", "where the close stands in the recent range, smoothed"),
    Element("momentum and trend", "roc(10)", "rate of change of the close"),
    Element("momentum and trend", "cci(20)", "typical price off its mean, in mean distances"),
    Element("momentum and trend", "slope_in_atr(14, 14)", "slope of the line through the closes, in ATRs a bar"),
    Element("momentum and trend", "adx(14)", "strength of a trend, whichever way"),
    Element("momentum and trend", "efficiency(10)", "how straight the way was: net move over path"),
    Element("momentum and trend", "trend_regime(10, 25.0, 0.3)", "trend up, down or none by ADX and efficiency"),
    Element("volatility", "atr_share(14)", "average true range as a share of the price"),
    Element("volatility", "atr_ratio(14, 100)", "average true range over its own mean"),
    Element("volatility", "realised_volatility(20)", "root mean square of the returns"),
    Element("volatility", "yang_zhang(20)", "volatility from opens, highs, lows and closes, gaps included"),
    Element("volatility", "bollinger_width(20, 2.0)", "width of the Bollinger bands over their middle"),
    Element("volatility", "vol_of_vol(20, 100)", "how much volatility itself moves"),
    Element("volume", "relative_volume(20)", "volume over what is usual"),
    Element("volume", "vwap_distance", "how many ATRs the close lies off the day's volume-weighted mean"),
    Element("volume", "chaikin_money_flow(20)", "volume at closes near the high less volume near the low"),
    Element("volume", "mfi(14)", "share of money that came in with rising prices"),
    Element("volume", "vpin(50)", "imbalance of buying and selling, estimated from bars"),
    Element("structure", "distance_to_swing_high", "how many ATRs the close lies off the last confirmed swing high"),
    Element("structure", "distance_to_swing_low", "how many ATRs it lies off the last confirmed swing low"),
    Element("structure", "break_of_structure(3)", "whether a swing was broken in this bar, and which way"),
    Element("structure", "distance_to_previous_day_high", "how many ATRs the close lies off yesterday's high"),
    Element("structure", "distance_to_previous_day_low", "how many ATRs it lies off yesterday's low"),
    Element("time", "minute_of_day_sine(UTC)", "time of day on a circle"),
    Element("time", "minute_of_day_cosine(UTC)", "time of day on a circle"),
    Element("time", "day_of_week_sine(UTC)", "day of the week on a circle"),
    Element("time", "day_of_week_cosine(UTC)", "day of the week on a circle"),
    Element("cross", "correlation(50, first)", "how alike it moves with the first of the other instruments"),
    Element("cross", "relative_strength(50)", "its return less the mean return of the others"),
    Element("cross", "currency_strength(50)", "strength of the base less that of the quote, over all that hold them"),
    Element("macro", "dollar_zscore(60)", "the dollar index against its last days"),
    Element("macro", "vix_zscore(60)", "the VIX against its last days"),
    Element("macro", "yield_zscore(60)", "the 10-year Treasury yield against its last days"),
    Element("macro", "rate_differential", "policy rate of the base less that of the quote"),
    Element("macro", "rate_differential_zscore(60)", "the same against its last days"),
    Element("sentiment", "sentiment(24.0)", "mean score of headlines, newer ones counting more"),
    Element("regime", "calm", "membership of a market that goes nowhere without fear"),
    Element("regime", "trend", "membership of a directed market"),
    Element("regime", "panic", "membership of a volatile market that falls or goes nowhere"),
)


def recipes() -> Mapping[str, Recipe]:
    """Every recipe by name: one for each family of features, by their defaults, and beside them basic, full and vector50.

    >>> len(recipes()["vector50"].uses), {"basic", "full", "cross", "macro"} <= set(recipes())
    (50, True)
    """
    families = {family: Recipe(family, _about(family), partial(_family, family)) for family in sorted({spec.family for spec in FEATURES.values()})}
    return {
        "basic": Recipe("basic", "Return, mean, momentum, range and channel: enough to begin with.", lambda: tuple(map(parse, BASIC))),
        **families,
        "full": Recipe("full", "Every feature by its defaults.", lambda: tuple(map(use, FEATURES))),
        "vector50": Recipe("vector50", "Fifty columns for models, none of them in units of price.", lambda: tuple(parse(element.written) for element in VECTOR50)),
    }


def recipe(name: str) -> Recipe:
    """The recipe of that name.

    >>> recipe("vector5")
    Traceback (most recent call last):
    ...
    domain.errors.UnknownName: no recipe named 'vector5'; did you mean 'vector50'?
    """
    available = recipes()
    if name not in available:
        raise unknown("recipe", name, available)
    return available[name]


def _family(family: str) -> tuple[Use, ...]:
    return tuple(use(name) for name, spec in FEATURES.items() if spec.family == family)


def _about(family: str) -> str:
    """The first line of the docstring of a family's module."""
    function = next(spec.function for spec in FEATURES.values() if spec.family == family)
    return (inspect.getdoc(inspect.getmodule(function)) or "").split("\n")[0]
