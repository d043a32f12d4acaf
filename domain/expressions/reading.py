"""A condition in plain words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain.expressions.check import bound
from domain.expressions.functions import FUNCTIONS
from domain.expressions.syntax import Chain, Comparison, Name, Negative, Node, Not, Number, Word
from domain.expressions.writing import tightness, written

COMPARED = {"<": "is below", "<=": "is at or below", ">": "is above", ">=": "is at or above", "==": "equals", "!=": "differs from"}
COUNTED = {"+": "plus", "-": "minus", "*": "times", "/": "divided by"}


def reading(node: Node, features: Mapping[str, Mapping[str, Any]]) -> str:
    """
    >>> from domain.expressions.syntax import parse
    >>> reading(parse("close > sma(50) and not rsi < 30"), {"sma": {"window": 20}, "rsi": {"window": 14}})
    'close is above sma (window 50), and it is not true that rsi (window 14) is below 30'
    >>> reading(parse("within(cross_above(close, open), 3) or mean(close, 5)@H4 != 0"), {})
    'within the last 3 bars it was true that close crosses above open, or the mean of close over the last 5 bars on closed H4 bars differs from 0'
    """
    return _Reading(features).of(node)


class _Reading:
    def __init__(self, features: Mapping[str, Mapping[str, Any]]) -> None:
        self._features = features

    def of(self, node: Node) -> str:
        if isinstance(node, (Number, Word)):
            return node.text
        if isinstance(node, Name):
            return self._name(node) + (f" on closed {node.timeframe} bars" if node.timeframe else "")
        if isinstance(node, Negative):
            return f"minus {self._part(node.inner, node)}"
        if isinstance(node, Not):
            return f"it is not true that {self._part(node.inner, node)}"
        if isinstance(node, Comparison):
            return f"{self.of(node.left)} {COMPARED[node.operator]} {self.of(node.right)}"
        words = [self._part(node.parts[0], node)]
        for operator, part in zip(node.operators, node.parts[1:], strict=True):
            words.append(f", {operator} " if operator in ("and", "or") else f" {COUNTED[operator]} ")
            words.append(self._part(part, node))
        return "".join(words)

    def _part(self, node: Node, outer: Node) -> str:
        """In brackets where the words alone would not say what belongs together."""
        loose = isinstance(node, Chain) and (isinstance(outer, (Chain, Negative, Not)) and (tightness(node) <= tightness(outer) or node.operators[0] in ("and", "or")))
        return f"({self.of(node)})" if loose else self.of(node)

    def _name(self, node: Name) -> str:
        if node.name in FUNCTIONS:
            function = FUNCTIONS[node.name]
            given = {name: argument.value for name, argument in bound(node, function.takes).items()}
            return function.reading.format(**{name: _bars(value) if name == "n" else self._inside(value) for name, value in given.items()})
        if node.name in self._features:
            declared = self._features[node.name]
            chosen = {name: written(argument.value) for name, argument in bound(node, declared).items()}
            values = ", ".join(f"{name.replace('_', ' ')} {chosen.get(name, default)}" for name, default in declared.items())
            return node.name.replace("_", " ") + (f" ({values})" if values else "")
        return node.name

    def _inside(self, node: Node) -> str:
        """In brackets where its words would run into those around it."""
        call = isinstance(node, Name) and node.name in FUNCTIONS and FUNCTIONS[node.name].gives == "number"
        return f"({self.of(node)})" if call or isinstance(node, Chain) else self.of(node)


def _bars(value: Node) -> str:
    n = int(value.value) if isinstance(value, Number) else 0
    return "1 bar" if n == 1 else f"{n:,} bars"
