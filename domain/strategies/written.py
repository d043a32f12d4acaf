"""A strategy that a user writes: conditions in the language of docs/expressions.md, and how far stop and target lie."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from domain.errors import BadRequest
from domain.expressions import TRUE, Node, evaluate
from domain.features import Use, use
from domain.features.expression import condition_of_text, leaves_of, rows_of, use_of, uses_in
from domain.params import param
from domain.strategies.base import strategy
from domain.strategies.columns import Columns, OnColumns, Rows, begins

ATR = use("atr", window=14)
CONDITIONS = ("long", "short", "exit_long", "exit_short")


@strategy("written")
@dataclass(frozen=True)
class Written(OnColumns):
    """A strategy written by conditions: enters at the next open where a condition becomes true, with a stop in ATR(14) from the
    close and a target in R; leaves while an exit condition holds."""

    name: str = param("", unit="", title="Name", help="name of the strategy; it is the beginning of the tags of its trades")
    long: str = param("cross_above(close, sma(50))", unit="", title="Long when", help="condition of a long entry; empty: none")
    short: str = param("cross_below(close, sma(50))", unit="", title="Short when", help="condition of a short entry; empty: none")
    exit_long: str = param("", unit="", title="Exit long when", help="condition on which a long is closed; empty: none")
    exit_short: str = param("", unit="", title="Exit short when", help="condition on which a short is closed; empty: none")
    stop_atr: float = param(2.0, low=0.1, high=100.0, unit="ATR", title="Stop loss (× ATR)", help="distance of the stop from the close, in ATR(14)")
    reward_to_risk: float = param(2.0, low=0.1, high=100.0, unit="R", title="Reward to risk", help="distance of the target from the entry, in multiples of the initial risk")
    drawdown_tolerance: float = param(5.0, low=0.0, high=100.0, unit="%", title="Drawdown tolerance", help="drawdown of the account at which everything is closed for good, if the account's own limit is not stricter; 0: none")

    def __post_init__(self) -> None:
        if not self.long.strip() and not self.short.strip():
            raise BadRequest("long and short are both empty; write at least one condition of entry, as in long: close > sma(50)")
        for name in CONDITIONS:
            self.tree(name)

    def tree(self, name: str) -> Node | None:
        """The tree of a condition; None where it is empty. Raises BadRequest that names the condition, the column and what was found."""
        text = getattr(self, name)
        if not text.strip():
            return None
        try:
            return condition_of_text(text)
        except BadRequest as error:
            raise BadRequest(f"{name}, {error}") from None

    @cached_property
    def trees(self) -> dict[str, Node]:
        """The conditions that are not empty."""
        return {name: tree for name in CONDITIONS if (tree := self.tree(name)) is not None}

    @cached_property
    def memory(self) -> int:        # type: ignore[override]
        return max(rows_of(tree) + (name in CONDITIONS[:2]) for name, tree in self.trees.items())

    @property
    def optional(self) -> tuple[str, ...]:
        """Features that it may do without: a condition has a third value where one is unknown, and may be true all the same."""
        return tuple(needed.name for needed in self.features())

    @property
    def max_drawdown(self) -> float:
        """As a share of the account's peak."""
        return self.drawdown_tolerance / 100

    def features(self) -> tuple[Use, ...]:
        uses = {needed.column: needed for tree in self.trees.values() for needed in uses_in(tree)}
        return tuple((uses | {ATR.column: ATR}).values())

    @cached_property
    def places(self) -> dict[int, str]:
        """The column of each name and call of the conditions that is one, by the identity of its node: looked up once, not at each bar."""
        leaves = (leaf for tree in self.trees.values() for leaf in leaves_of(tree))
        return {id(leaf): needed.column if (needed := use_of(leaf)) else leaf.name for leaf in leaves}

    def decisions(self, columns: Columns) -> tuple[Rows, ...]:
        close, atr, places = columns["close"], columns[ATR.column], self.places
        true = {name: evaluate(tree, lambda leaf: columns[places[id(leaf)]], len(close)) == TRUE for name, tree in self.trees.items()}
        parts = []
        for side, entry in ((1, "long"), (-1, "short")):
            tag = f"{self.name} {entry}" if self.name else entry
            if f"exit_{entry}" in true:
                bar = np.flatnonzero(true[f"exit_{entry}"])
                parts.append(dict(bar=bar, side=side, order="exit", tag=tag))
            if entry in true:
                bar = np.flatnonzero(begins(true[entry]) & ~np.isnan(atr))
                parts.append(dict(bar=bar, side=side, order="market", stop_loss=close[bar] - side * (self.stop_atr * atr[bar]), target_r_1=self.reward_to_risk, tag=tag))
        return tuple(parts)
