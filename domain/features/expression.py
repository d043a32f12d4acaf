"""Expressions as columns: what a name of the language means, and the value of a call on longer bars, as in mean(close, 20)@H4.

The column ``expression(mean(close, 20))@H4`` is no feature of the catalogue: it is a part of a condition that a user writes, and is computed as
features on longer bars are, from the last one that has closed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np

from domain.expressions import Node, evaluate, written
from domain.expressions.check import Catalogue, bound, condition, word_of
from domain.expressions.evaluate import numbers_of
from domain.expressions.functions import FUNCTIONS
from domain.expressions.syntax import Argument, Chain, Comparison, Name, Negative, Not, Number, parse
from domain.features.base import BAR_COLUMNS, FEATURES, PARTS, Column, Feature, Use, use
from domain.features.sessions import sessions
from domain.market.timeframe import Timeframe
from domain.market.zones import is_zone
from domain.outside.series import series

NAME = "expression"


def catalogue() -> Catalogue:
    """The names of the language: columns of bars, every registered feature, and the words that their parameters know.

    >>> catalogue().features["atr"]
    {'window': 14}
    """
    return Catalogue(BAR_COLUMNS, {name: spec.params for name, spec in FEATURES.items()}, {"session": tuple(sessions()), "series": tuple(series())}, is_zone)


@lru_cache(maxsize=256)
def condition_of_text(text: str, timeframe: str = "") -> Node:
    """The tree of a condition by the catalogue; raises BadExpression.

    >>> written(condition_of_text("( close>sma( 50 ) )"))
    'close > sma(50)'
    """
    return condition(text, catalogue(), Timeframe.named(timeframe) if timeframe else None)


@lru_cache(maxsize=256)
def tree_of(text: str) -> Node:
    return parse(text)


def use_of(name: Name) -> Use | None:
    """The column that a name or call needs beside those of the bars; None for one of these, and for a function on the bars themselves.

    >>> use_of(parse("atr@H1")).column, use_of(parse("mean(close, 20)@H4")).column, use_of(parse("close"))
    ('atr(14)@H1', 'expression(mean(close, 20))@H4', None)
    """
    if name.name in BAR_COLUMNS or name.name in FUNCTIONS:
        return part(written(replace(name, timeframe="")), name.timeframe) if name.timeframe else None
    given = bound(name, FEATURES[name.name].params)
    return use(name.name, name.timeframe, **{key: _value(argument) for key, argument in given.items()})


def part(text: str, timeframe: str) -> Use:
    return Use(NAME, (("text", text),), timeframe)


def uses_in(node: Node) -> tuple[Use, ...]:
    """The columns that an expression needs beside those of the bars, each once.

    >>> [use.column for use in uses_in(parse("close > sma(50) and held(rsi(14) < 30, 3) and sma(50) > close@D1"))]
    ['sma(50)', 'rsi(14)', 'expression(close)@D1']
    """
    return tuple({use.column: use for use in _uses(node)}.values())


def leaves_of(node: Node) -> Iterator[Name]:
    """The names and calls of a tree whose value is a column: of the bars, a feature, or a call on longer bars.

    >>> [leaf.name for leaf in leaves_of(parse("close > mean(atr(14), 20) and close@D1 > 1"))]
    ['close', 'atr', 'close']
    """
    if isinstance(node, Name) and (node.timeframe or node.name not in FUNCTIONS):
        yield node
        return
    for inner in _parts(node):
        yield from leaves_of(inner)


def rows_of(node: Node) -> int:
    """How many of the latest rows decide the last one.

    >>> rows_of(parse("close > 1")), rows_of(parse("cross_above(mean(close, 20), lag(close, 3))")), rows_of(parse("mean(close, 20)@H4 > 0"))
    (1, 21, 1)
    """
    if not isinstance(node, Name):
        return max((rows_of(inner) for inner in _parts(node)), default=1)
    if node.name not in FUNCTIONS or node.timeframe:
        return 1
    function = FUNCTIONS[node.name]
    given = {name: argument.value for name, argument in bound(node, function.takes).items()}
    count = given.get("n")
    n = int(count.value) if isinstance(count, Number) else 0
    return function.before(n) + max(rows_of(value) for name, value in given.items() if name != "n")


def column_of(node: Node, columns: Callable[[str | Use], Column], count: int) -> Column:
    """The value of a tree at each bar. ``columns``: a column of the bars by its name, or that of a use."""

    def leaf(name: Name) -> Column:
        needed = use_of(name)
        return columns(needed if needed is not None else name.name)

    return evaluate(node, leaf, count)


def _expression(columns: Callable[[str | Use], Column], *, text: str) -> Column:
    values = column_of(tree_of(text), columns, len(columns("close")))
    return numbers_of(values) if values.dtype == np.int8 else values


def _uses(node: Node) -> Iterator[Use]:
    if isinstance(node, Name):
        needed = use_of(node)
        if needed is not None:
            yield needed
            return
    for inner in _parts(node):
        yield from _uses(inner)


def _parts(node: Node) -> tuple[Any, ...]:
    if isinstance(node, Name):
        return tuple(argument.value for argument in node.arguments or ())
    if isinstance(node, Chain):
        return node.parts
    if isinstance(node, Comparison):
        return node.left, node.right
    return (node.inner,) if isinstance(node, (Negative, Not)) else ()


def _value(argument: Argument) -> Any:
    value = argument.value
    if isinstance(value, Negative):
        assert isinstance(value.inner, Number)
        return -value.inner.value
    return value.value if isinstance(value, Number) else word_of(value)


def _inner(text: str) -> tuple[Use, ...]:
    return uses_in(tree_of(text))


PARTS[NAME] = Feature(
    NAME, _expression, ("columns",), {"text": "close"}, "as written", "docs/expressions.md", "expression",
    warm_up=lambda text: rows_of(tree_of(text)) - 1, memory=lambda text: rows_of(tree_of(text)), uses=_inner,
)  # fmt: skip
