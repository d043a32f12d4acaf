"""Choices of a feature ranking and of a search for similar periods."""

from __future__ import annotations

from dataclasses import dataclass

from domain.laboratory.targets import STARTS
from domain.params import param

TARGETS = ("forward", "trades")


@dataclass(frozen=True)
class Ahead:
    """The target of a feature ranking: ``forward``, the return over the next bars, or ``trades``, the outcome of a strategy's trades in R."""

    target: str = param("forward", choices=TARGETS, help="forward: return over the next bars. trades: outcome of a strategy's trades in R")
    horizon: int = param(16, low=1, high=100_000, unit="bars", help="bars over which the return is measured")
    start: str = param("open", choices=STARTS, title="Entry price", help="open: of the next bar, which a market order could have had. close: of the bar itself")


@dataclass(frozen=True)
class Likeness:
    """How similar periods are searched."""

    horizon: int = param(16, low=1, high=5_000, unit="bars", help="bars over which the forward return is measured")
    count: int = param(50, low=5, high=500, unit="matches", title="Number of matches", help="nearest matches that do not overlap in time")
    before: int = param(32, low=1, high=500, unit="bars", title="Bars before the match", help="bars of the price path drawn before each match")
    start: str = param("open", choices=STARTS, title="Entry price", help="open: of the bar after the match. close: of the match itself")
    method: str = param("auto", choices=("auto", "sklearn", "faiss"), help="both search exactly; auto uses faiss where it is installed")
