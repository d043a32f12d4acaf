"""What a person chooses when the laboratory is asked: what is to be foretold, and how like moments are sought."""

from __future__ import annotations

from dataclasses import dataclass

from domain.laboratory.targets import STARTS
from domain.params import param

TARGETS = ("forward", "trades")


@dataclass(frozen=True)
class Ahead:
    """What features are held against: ``forward``, the return over the next bars, or ``trades``, what came of a strategy's trades in R."""

    target: str = param("forward", choices=TARGETS, help="the return over the next bars, or what came of a strategy's trades")
    horizon: int = param(16, low=1, high=100_000, unit="bars", help="over which the return is measured")
    start: str = param("open", choices=STARTS, title="From the", help="open: of the next bar, what an order at market could have had. close: of the bar itself")


@dataclass(frozen=True)
class Likeness:
    """How moments that looked alike are sought."""

    horizon: int = param(16, low=1, high=5_000, unit="bars", help="what followed is measured over")
    count: int = param(50, low=5, high=500, unit="matches", title="Count", help="the nearest that share no time")
    before: int = param(32, low=1, high=500, unit="bars", help="of the price path, drawn ahead of each match")
    start: str = param("open", choices=STARTS, title="From the", help="open: of the bar after the match. close: of the match itself")
    method: str = param("auto", choices=("auto", "sklearn", "faiss"), help="both search exactly; auto takes faiss where it is installed")
