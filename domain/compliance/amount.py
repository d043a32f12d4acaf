"""An amount as firms write it: a share of the initial balance, a share of the day's basis, or money."""

from __future__ import annotations

import math
import re
from typing import Any

from domain.errors import BadRequest

SHARE = re.compile(r"([\d.]+)\s*%(?:\s*(?:of)?\s*(?:the\s+)?(initial(?: balance)?|basis))?")
MONEY = re.compile(r"([\d.]+)(?:\s*[A-Z]{3})?")
INITIAL, BASIS, CASH = "initial", "basis", "money"


class Amount:
    """``5 %`` or ``5 % of initial``, ``5 % of basis``, or money such as ``1000``.

    >>> Amount("5 % of basis").money(initial=100_000.0, basis=105_000.0), Amount("5 %").money(100_000.0), Amount(1_000).money(100_000.0)
    (5250.0, 5000.0, 1000.0)
    >>> Amount("five")
    Traceback (most recent call last):
    ...
    ValueError: five
    """

    word = "share such as '5 % of initial' or '5 % of basis', or money such as 1000"

    def __init__(self, value: Any) -> None:
        self.value, self.of = _read(value)
        if not math.isfinite(self.value) or self.value < 0:
            raise ValueError(value)

    def money(self, initial: Any, basis: Any = 0.0) -> Any:
        """The amount in money, a number or an array."""
        return self.value if self.of == CASH else self.value * (initial if self.of == INITIAL else basis) / 100.0

    @property
    def relative(self) -> bool:
        """Does it grow with the account?"""
        return self.of != CASH

    def __str__(self) -> str:
        return f"{self.value:,.10g}" if self.of == CASH else f"{self.value:.10g} % of {self.of}"

    def __repr__(self) -> str:
        return f"Amount({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Amount) and (self.value, self.of) == (other.value, other.of)

    def __hash__(self) -> int:
        return hash((self.value, self.of))


class Lock:
    """Where a trailing floor stops rising: ``none``, ``start``, or ``start + 100`` (money above the initial balance).

    >>> Lock("start + 100").level(50_000.0), Lock("none").level(50_000.0)
    (50100.0, inf)
    """

    word = "word: 'none', 'start', or 'start + 100'"

    def __init__(self, value: Any) -> None:
        text = " ".join(str(value).lower().split())
        match = re.fullmatch(r"none|start(?: ?\+ ?([\d.,]+))?", text)
        if not match:
            raise ValueError(value)
        self.above = math.inf if text == "none" else float((match[1] or "0").replace(",", ""))

    def level(self, initial: float) -> float:
        return initial + self.above

    def __str__(self) -> str:
        return "none" if math.isinf(self.above) else f"start + {self.above:.10g}" if self.above else "start"

    def __repr__(self) -> str:
        return f"Lock({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Lock) and self.above == other.above

    def __hash__(self) -> int:
        return hash(self.above)


def _read(value: Any) -> tuple[float, str]:
    if isinstance(value, Amount):
        return value.value, value.of
    if isinstance(value, bool):
        raise ValueError(value)
    if isinstance(value, int | float):
        return float(value), CASH
    text = str(value).strip().replace(",", "")
    if share := SHARE.fullmatch(text):
        return float(share[1]), BASIS if share[2] == "basis" else INITIAL
    if money := MONEY.fullmatch(text):
        return float(money[1]), CASH
    raise ValueError(value)


def of_initial(amount: Amount, name: str) -> Amount:
    """The amount itself, where it needs no basis of a day."""
    if amount.of == BASIS:
        raise BadRequest(
            f"{name} is {amount}, and there is no basis of a day in it; write it as '% of initial' or as money"
        )
    return amount


class Percent:
    """A share, written ``50``, ``50 %`` or ``0.5 %``.

    >>> Percent("50 %").share, str(Percent(2.5))
    (0.5, '2.5 %')
    """

    word = "percentage such as '50 %'"

    def __init__(self, value: Any) -> None:
        if isinstance(value, bool):
            raise ValueError(value)
        self.value: float = value.value if isinstance(value, Percent) else float(str(value).replace("%", "").strip())
        if not math.isfinite(self.value):
            raise ValueError(value)

    @property
    def share(self) -> float:
        return self.value / 100.0

    def __str__(self) -> str:
        return f"{self.value:.10g} %"

    def __repr__(self) -> str:
        return f"Percent({self.value:.10g})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Percent) and self.value == other.value

    def __hash__(self) -> int:
        return hash(self.value)
