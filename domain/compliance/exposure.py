"""What was open at each entry, and what a position is worth in the account's currency."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from domain.compliance.stretch import Stretch
from domain.compliance.trades import OPEN, Trades
from domain.market.instrument import Instrument, instruments
from domain.outside.releases import currencies

RATE = "a conversion rate into the account's currency"
INSTRUMENTS = "the specification of every instrument"


class Worth(NamedTuple):
    """``per_price``: money for a move of one unit of price; ``notional``: money at the entry price; ``lacks``: what was missing."""

    per_price: np.ndarray
    notional: np.ndarray
    lacks: tuple[str, ...]


def open_at_entries(trades: Trades, weight: np.ndarray) -> np.ndarray:
    """Sum of ``weight`` over the trades that are open right after each entry; at one instant closes come before opens.

    ``trades`` in order of entry.
    """
    order = np.argsort(trades.exit_ts, kind="stable")
    gone = np.concatenate([[0.0], np.cumsum(weight[order])])
    left = gone[np.searchsorted(trades.exit_ts[order], trades.entry_ts, side="right")]
    return np.cumsum(weight) - left + np.where(trades.exit_ts == trades.entry_ts, weight, 0.0)


def open_at(trades: Trades, weight: np.ndarray, ts: np.ndarray) -> np.ndarray:
    """Sum of ``weight`` over the trades that are open at each instant: entered at or before it, not yet closed."""
    return so_far(ts, trades.entry_ts, weight) - so_far(ts, trades.exit_ts, weight)


def so_far(ts: np.ndarray, events: np.ndarray, weight: np.ndarray | None = None) -> np.ndarray:
    """Sum of the weights of the events (without weights: their number) at or before each of the instants ``ts``, which are in order.

    >>> so_far(np.array([1, 2, 4]), np.array([2, 2, 5])).tolist()
    [0.0, 2.0, 2.0]
    """
    rows = np.searchsorted(ts, events, side="left")
    return np.cumsum(np.bincount(rows, weight, len(ts) + 1)[: len(ts)].astype(np.float64))


def value_at(stretch: Stretch, values: np.ndarray, before: float, ts: np.ndarray) -> np.ndarray:
    """A curve at other instants: its last row at or before each."""
    rows = np.searchsorted(stretch.ts, ts, side="right") - 1
    return np.where(rows >= 0, values[np.maximum(rows, 0)], before)


def specification(name: str, known: Mapping[str, Instrument]) -> Instrument | None:
    """The instrument as the terms know it, else as the shipped table does."""
    return known.get(name) or instruments().get(name)


def known_currencies(name: str, known: Mapping[str, Instrument]) -> Instrument | None:
    """As ``specification``; a pair of currencies by its name where there is none, for rules that only ask which currencies and hours it has.

    >>> known_currencies("NZDCHF", {}).quote, known_currencies("WIDGET", {})
    ('CHF', None)
    """
    base, quote = name[:3], name[3:]
    pair = len(name) == 6 and {base, quote} <= set(currencies().values())
    return specification(name, known) or (
        replace(instruments()["EURUSD"], name=name, base=base, quote=quote) if pair else None
    )


def worth(trades: Trades, known: Mapping[str, Instrument], currency: str) -> Worth:
    """The value of each trade. A rate between currencies is that of the trade itself (from its profit and its prices), else of its instrument.

    Spot pairs whose base is the account's currency need none: their notional is their units.
    """
    per_price, notional, lacks = np.full(len(trades), np.nan), np.full(len(trades), np.nan), list[str]()
    for name in dict.fromkeys(trades.instrument.tolist()):
        rows = np.flatnonzero(trades.instrument == name)
        about = specification(name, known)
        if about is None:
            lacks.append(INSTRUMENTS)
            continue
        units = trades.lots[rows] * about.contract
        rate = _rates(trades.rows(rows), about, currency, units)
        per_price[rows], notional[rows] = units * rate, np.abs(units * rate * trades.entry_price[rows])
        if about.kind == "fx" and about.base == currency:
            notional[rows] = units
        if np.isnan(notional[rows]).any():
            lacks.append(RATE)
    return Worth(per_price, notional, tuple(dict.fromkeys(lacks)))


def _rates(trades: Trades, about: Instrument, currency: str, units: np.ndarray) -> np.ndarray:
    """Account currency for one unit of the quote currency."""
    if about.quote == currency:
        return np.ones(len(trades))
    if about.kind == "fx" and about.base == currency:
        return 1.0 / trades.entry_price
    moved = np.where(trades.exit_ts < OPEN, (trades.exit_price - trades.entry_price) * trades.side, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = np.where(np.abs(moved) > about.tick / 2, trades.gross / (moved * units), np.nan)
    rate[~(rate > 0)] = np.nan
    return np.where(np.isnan(rate), np.nanmedian(rate) if np.isfinite(rate).any() else np.nan, rate)
