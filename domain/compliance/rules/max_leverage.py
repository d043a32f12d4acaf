"""How large open positions may be against the equity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from domain.compliance.exposure import open_at_entries, specification, value_at, worth
from domain.compliance.needs import trades_needed
from domain.compliance.rule import BLOCK, FAIL, Breach, Known, Reading, Rule, Terms, rule
from domain.compliance.stretch import Stretch
from domain.compliance.trades import OPEN
from domain.params import param


class Classes:
    """Leverage by margin class of the instrument table, or one number for all of them together.

    >>> str(Classes({"fx_major": 30, "gold": 20})), str(Classes(100))
    ('fx_major 30, gold 20', 'all 100')
    """

    word = "number, or a table of margin classes such as { fx_major = 30, gold = 20 }"

    def __init__(self, value: Any) -> None:
        given = (
            dict(value.pairs)
            if isinstance(value, Classes)
            else dict(value)
            if isinstance(value, Mapping)
            else {"all": value}
        )
        self.pairs: tuple[tuple[str, float], ...] = tuple(
            sorted((str(name), float(most)) for name, most in given.items())
        )
        if not self.pairs or any(not (most > 0) for _, most in self.pairs):
            raise ValueError(value)

    def __str__(self) -> str:
        return ", ".join(f"{name} {most:g}" for name, most in self.pairs)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Classes) and self.pairs == other.pairs

    def __hash__(self) -> int:
        return hash(self.pairs)


@rule("max_leverage")
@dataclass(frozen=True)
class MaxLeverage(Rule):
    """Maximum leverage: the open notional of a class of instruments over the equity."""

    unit = "× equity"
    main = "classes"
    main_is_table = True
    required = ("classes",)

    classes: Classes = param(Classes(100), title="Leverage", help="one number, or one for each margin class")
    effect: str = param(FAIL, choices=(FAIL, BLOCK), help="what more does: the account fails, or the order is refused")

    def needs(self, known: Known) -> tuple[str, ...]:
        return trades_needed(known)

    def clause(self) -> str:
        return f"leverage at most {self.classes}"

    def start(self, terms: Terms) -> Terms:
        return terms

    def read(self, memory: Terms, stretch: Stretch) -> Reading:
        trades = stretch.trades
        value = worth(trades, memory.instruments, memory.currency)
        breaches, highest, limit = list[Breach](), 0.0, min(most for _, most in self.classes.pairs)
        for name, most in self.classes.pairs:
            rows = np.flatnonzero(self._of_class(trades.instrument, name, memory))
            own = trades.rows(rows)
            over = open_at_entries(own, np.nan_to_num(value.notional[rows])) / np.maximum(
                value_at(stretch, stretch.equity, stretch.equity_before, own.entry_ts), 1e-9
            )
            opened = stretch.opened[rows]
            held = float(np.nan_to_num(value.notional[rows])[own.exit_ts == OPEN].sum()) / max(
                float(stretch.equity[-1]), 1e-9
            )
            highest = max(highest, held)
            for row in np.flatnonzero(opened & (over > most * (1 + 1e-9))):
                breaches.append(
                    Breach(
                        int(own.entry_ts[row]),
                        self.clause(),
                        float(over[row]),
                        most,
                        self.effect,
                        (own.id[row],),
                        f"Leverage of {name}.",
                    )
                )
        return Reading(
            value=highest, limit=limit, breaches=sorted(breaches, key=lambda breach: breach.ts), lacks=value.lacks
        )

    @staticmethod
    def _of_class(names: np.ndarray, name: str, memory: Terms) -> np.ndarray:
        if name == "all":
            return np.ones(len(names), bool)
        about = {each: specification(each, memory.instruments) for each in set(names.tolist())}
        members = {each for each, entry in about.items() if entry is not None and entry.margin_class == name}
        return np.array([each in members for each in names.tolist()], bool)
