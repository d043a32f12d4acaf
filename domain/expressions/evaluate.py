"""The value of a condition at each bar: true, false or unknown, after Kleene (1938).

Conditions are int8 columns of 0 (false), 1 (unknown) and 2 (true): then and is the smaller, or the larger, and not 2 less. Numbers are float64
columns, NaN where unknown: what is not finite (x / 0, or beyond 1.8e308) is unknown too.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any

import numpy as np

from domain.expressions.check import bound
from domain.expressions.functions import FUNCTIONS
from domain.expressions.syntax import Chain, Comparison, Name, Negative, Node, Not, Number
from domain.expressions.windows import lagged, moments, sliding

FALSE, UNKNOWN, TRUE = np.int8(0), np.int8(1), np.int8(2)
COMPARE: dict[str, Any] = {"<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal, "==": np.equal, "!=": np.not_equal}
ARITHMETIC: dict[str, Any] = {"+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide}
Leaf = Callable[[Name], np.ndarray]         # the column of a name, or of a call on longer bars


def evaluate(node: Node, leaf: Leaf, count: int) -> np.ndarray:
    """The column of a tree that was checked: int8 for a condition, float64 for a number. ``count``: bars.

    >>> from domain.expressions.syntax import parse
    >>> close = np.array([1.0, np.nan, 3.0])
    >>> evaluate(parse("close > 2 or 1 == 1"), lambda name: close, 3).tolist()
    [2, 2, 2]
    >>> evaluate(parse("not (close > 2)"), lambda name: close, 3).tolist()
    [2, 1, 0]
    """
    with np.errstate(all="ignore"):
        return _Evaluation(leaf, count).column(node)


def numbers_of(condition: np.ndarray) -> np.ndarray:
    """A condition as 1, 0 and NaN.

    >>> numbers_of(np.array([0, 1, 2], np.int8)).tolist()
    [0.0, nan, 1.0]
    """
    return np.where(condition == UNKNOWN, np.nan, condition / 2.0)


def condition_of(numbers: np.ndarray) -> np.ndarray:
    """The other way round."""
    return np.where(np.isnan(numbers), UNKNOWN, np.where(numbers > 0, TRUE, FALSE)).astype(np.int8)


class _Evaluation:
    def __init__(self, leaf: Leaf, count: int) -> None:
        self._leaf, self._count = leaf, count

    def column(self, node: Node) -> np.ndarray:
        if isinstance(node, Number):
            return np.full(self._count, node.value)
        if isinstance(node, Name):
            return self._name(node)
        if isinstance(node, Negative):
            return -self.column(node.inner)
        if isinstance(node, Not):
            return TRUE - self.column(node.inner)
        if isinstance(node, Comparison):
            return compared(node.operator, self.column(node.left), self.column(node.right))
        assert isinstance(node, Chain)
        return self._chain(node)

    def _chain(self, node: Chain) -> np.ndarray:
        parts = [self.column(part) for part in node.parts]
        if node.operators[0] in ("and", "or"):
            return reduce(np.minimum if node.operators[0] == "and" else np.maximum, parts)
        total = parts[0]
        for operator, part in zip(node.operators, parts[1:], strict=True):
            total = _finite(ARITHMETIC[operator](total, part))
        return total

    def _name(self, node: Name) -> np.ndarray:
        if node.name not in FUNCTIONS or node.timeframe:
            column = self._leaf(node)
            if node.name in FUNCTIONS and FUNCTIONS[node.name].gives == "condition":
                return condition_of(column)
            return _finite(column)
        given, count = _arguments(node)
        return FORMULAS[node.name](*map(self.column, given), *count)


def _arguments(node: Name) -> tuple[tuple[Node, ...], tuple[int, ...]]:
    """What a function of the language is given, and the n of its window where it has one: bound once and kept with the node."""
    kept: tuple[tuple[Node, ...], tuple[int, ...]] | None = vars(node).get("_bound")
    if kept is None:
        given = {name: argument.value for name, argument in bound(node, FUNCTIONS[node.name].takes).items()}
        count = given.pop("n", None)
        kept = vars(node)["_bound"] = tuple(given.values()), (int(count.value),) if isinstance(count, Number) else ()
    return kept


def compared(operator: str, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Unknown where either side is."""
    output = COMPARE[operator](left, right).astype(np.int8) * TRUE
    output[np.isnan(left) | np.isnan(right)] = UNKNOWN
    return output


def _finite(values: np.ndarray) -> np.ndarray:
    infinite = np.isinf(values)
    return np.where(infinite, np.nan, values) if np.count_nonzero(infinite) else values


def _crossed(above: str, below: str) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    return lambda x, y: np.minimum(compared(above, x, y), lagged(compared(below, x, y), 1, UNKNOWN))


FORMULAS: dict[str, Callable[..., np.ndarray]] = {
    "lag": lambda x, n: lagged(x, n, np.nan),
    "mean": lambda x, n: moments(x, n)[0],
    "sum": lambda x, n: _finite(sliding(x, n, np.add, np.nan)),
    "deviation": lambda x, n: np.sqrt(moments(x, n)[1] * (1.0 / n)),
    "highest": lambda x, n: sliding(x, n, np.maximum, np.nan),
    "lowest": lambda x, n: sliding(x, n, np.minimum, np.nan),
    "change": lambda x, n: _finite(x - lagged(x, n, np.nan)),
    "abs": np.abs,
    "min": np.minimum,
    "max": np.maximum,
    "cross_above": _crossed(">", "<="),
    "cross_below": _crossed("<", ">="),
    "within": lambda condition, n: sliding(condition, n, np.maximum, UNKNOWN),
    "held": lambda condition, n: sliding(condition, n, np.minimum, UNKNOWN),
}
