"""Money into the account's currency, along the pairs that are loaded: direct, inverse, or through USD."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from domain.errors import BadRequest

STALE = 4 * 86_400_000_000_000      # nanoseconds


class Quoted(NamedTuple):
    """The mid closes of one loaded series of a currency pair, each known at ``end``."""

    base: str
    quote: str
    minutes: int
    end: np.ndarray
    mid: np.ndarray


class RateHistory(NamedTuple):
    """Known at ``end``, from then on: units of the account's currency for one unit."""

    end: np.ndarray
    rate: np.ndarray

    def at(self, instants: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The rate known at each instant (NaN: none yet), and whether it is older than four days."""
        last = np.searchsorted(self.end, instants, side="right") - 1
        rate = np.where(last >= 0, self.rate[np.maximum(last, 0)], np.nan)
        return rate, instants - self.end[np.maximum(last, 0)] > STALE


def rates_at(currency: str, account: str, series: Sequence[Quoted], instants: np.ndarray) -> np.ndarray:
    """The value of one unit of ``currency`` at each instant; negative where that is stale, NaN where nothing is known yet.

    >>> usdjpy = Quoted("USD", "JPY", 60, np.array([10]), np.array([125.0]))
    >>> rates_at("JPY", "USD", [usdjpy], np.array([9, 10, 11 + STALE])).tolist()
    [nan, 0.008, -0.008]
    """
    if currency == account:
        return np.ones(len(instants))
    ways = [_way(series, (currency, account))]
    if "USD" not in (currency, account):
        ways.append(_way(series, (currency, "USD"), ("USD", account)))
    ways_with_rates = [legs_of_way for way in ways for legs_of_way in way]
    if not ways_with_rates:
        raise BadRequest(missing(currency, account))
    rate = np.full(len(instants), np.nan)
    for legs in reversed(ways_with_rates):        # the first way that has a value wins
        here = _at(legs, instants)
        rate = np.where(np.isnan(here), rate, here)
    return rate


def _way(series: Sequence[Quoted], *pairs: tuple[str, str]) -> list[list[RateHistory]]:
    """Every way along these pairs: for each the direct path before the inverse."""
    ways: list[list[RateHistory]] = [[]]
    for base, quote in pairs:
        ways = [[*way, leg] for way in ways for leg in _legs(base, quote, series)]
    return ways


def _at(legs: Sequence[RateHistory], instants: np.ndarray) -> np.ndarray:
    rates = [leg.at(instants) for leg in legs]
    rate = np.prod([rate for rate, _ in rates], axis=0)
    return np.where(np.any([old for _, old in rates], axis=0), -rate, rate)


def missing(currency: str, account: str) -> str:
    pair = f"{currency}{account} or {account}{currency}"
    through = "" if "USD" in (currency, account) else f", or {currency} and {account} against USD"
    return f"no conversion rate {currency}→{account}; load bars of {pair}{through} too (--rates in the terminal)"


def _legs(base: str, quote: str, series: Sequence[Quoted]) -> list[RateHistory]:
    direct = [quoted for quoted in series if (quoted.base, quoted.quote) == (base, quote)]
    inverse = [quoted for quoted in series if (quoted.base, quoted.quote) == (quote, base)]
    legs = [_latest(direct)] if direct else []
    if inverse:
        path = _latest(inverse)
        legs.append(RateHistory(path.end, 1.0 / path.rate))
    return legs


def _latest(series: Sequence[Quoted]) -> RateHistory:
    """All series of a pair on one clock; where two end together, the finest."""
    end = np.concatenate([quoted.end for quoted in series])
    mid = np.concatenate([quoted.mid for quoted in series])
    coarse = np.concatenate([np.full(len(quoted.end), quoted.minutes) for quoted in series])
    order = np.lexsort((coarse, end))
    end, mid = end[order], mid[order]
    first = np.concatenate(([True], end[1:] != end[:-1]))
    return RateHistory(end[first], mid[first])
