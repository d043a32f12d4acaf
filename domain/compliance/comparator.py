"""Whether reaching a line breaks a rule, or only going past it."""

from __future__ import annotations

import numpy as np

LOSS = ("<", "<=")
SHARE = (">", ">=")
SHARE_WORDS = {
    "more than": ">",
    "or more": ">=",
    "<=": ">",
    "<": ">=",
}  # "best day <= 50 %" is broken by more than 50 %
EXACT = 1e-9  # of the line: what is nearer to it is on it, for a share of money is rarely a binary number


def below(values: np.ndarray, line: np.ndarray, comparator: str) -> np.ndarray:
    """Which values break a floor.

    >>> below(np.array([95_000.0, 94_999.99]), np.array([95_000.0, 95_000.0]), "<").tolist()
    [False, True]
    >>> below(np.array([95_000.0, 95_000.01]), np.array([95_000.0, 95_000.0]), "<=").tolist()
    [True, False]
    """
    near = EXACT * np.abs(line)
    return values < line - near if comparator == "<" else values <= line + near


def above(value: float, cap: float, comparator: str) -> bool:
    """Does a share break its cap?

    >>> above(0.5, 0.5, ">"), above(0.5, 0.5, ">="), above(0.51, 0.5, ">")
    (False, True, True)
    """
    return bool(value > cap * (1 + EXACT)) if comparator == ">" else bool(value >= cap * (1 - EXACT))


def words(comparator: str) -> str:
    return "below" if comparator == "<" else "at or below"
