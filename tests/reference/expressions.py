"""The language of docs/expressions.md a second time, slowly and from the page alone: one bar after another, with None for unknown.

``SKIP`` is a comparison of two numbers that differ by rounding only, where the order of a sum decides.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

FUNCTIONS = {
    **{name: ("x", "n") for name in ("lag", "mean", "sum", "deviation", "highest", "lowest", "change")},
    "abs": ("x",), **{name: ("x", "y") for name in ("min", "max", "cross_above", "cross_below")}, "within": ("condition", "n"), "held": ("condition", "n"),
}  # fmt: skip
BARS = ("open", "high", "low", "close", "volume", "spread")
SKIP = "skip"


class Wrong(Exception):
    """The text is not in the language."""


def tree(text: str, features: Mapping[str, Sequence[str]]) -> Any:
    """Nested tuples; raises Wrong. ``features``: name -> its whole-number parameters."""
    if len(text) > 500 or not text.isascii():
        raise Wrong
    words = re.findall(r"\s*([0-9]+(?:\.[0-9]+)?|[A-Za-z_]\w*|<=|>=|==|!=|[-+*/()<>=,@]|\S)", text + " ")
    if re.search(r"[^\s\w\-+*/()<>=,@.!]|[\x0b\x0c\x1c-\x1f]", text):
        raise Wrong
    reader = Reader(words)
    result = reader.expression()
    if reader.rest:
        raise Wrong
    nodes, depth = measured(result)
    if nodes > 80 or depth > 12 or typed(result, features) != "condition":
        raise Wrong
    return result


class Reader:
    def __init__(self, words: list[str]) -> None:
        self.rest = words[::-1]

    @property
    def next(self) -> str:
        return self.rest[-1] if self.rest else ""

    def take(self) -> str:
        if not self.rest:
            raise Wrong
        return self.rest.pop()

    def chain(self, marks, part):
        result = [part()]
        while self.next in marks:
            result += [self.take(), part()]
        return result[0] if len(result) == 1 else ("chain", *result)

    def expression(self):
        return self.chain(("or",), lambda: self.chain(("and",), self.negated))

    def negated(self):
        if self.next == "not":
            self.take()
            return ("not", self.negated())
        return self.comparison()

    def comparison(self):
        left = self.sum()
        if self.next not in ("<", "<=", ">", ">=", "==", "!="):
            return left
        mark = self.take()
        return ("compare", mark, left, self.sum())

    def sum(self):
        return self.chain(("+", "-"), lambda: self.chain(("*", "/"), self.factor))

    def factor(self):
        word = self.take()
        if word == "-":
            return ("minus", self.factor())
        if word == "(":
            inner = self.expression()
            if self.take() != ")":
                raise Wrong
            return ("group", inner)
        if re.fullmatch(r"[0-9]+(\.[0-9]+)?", word):
            return ("number", word)
        if not re.fullmatch(r"[a-z_][a-z0-9_]*", word) or word in ("and", "or", "not"):
            raise Wrong
        arguments: list[Any] | None = None
        if self.next == "(":
            self.take()
            arguments = []
            while self.next != ")" or arguments:
                arguments.append(self.argument())
                if self.next != ",":
                    break
                self.take()
            if self.take() != ")":
                raise Wrong
        frame = ""
        if self.next == "@":
            self.take()
            frame = self.take()
        return ("name", word, arguments, frame)

    def argument(self):
        name = ""
        if len(self.rest) > 1 and self.rest[-2] == "=":
            name, _ = self.take(), self.take()
        return name, self.expression()


def measured(node) -> tuple[int, int]:
    """Nodes and depth; brackets inside brackets are a level each."""
    kind = node[0]
    if kind == "number":
        return 1, 1
    if kind == "group":
        nodes, depth = measured(node[1])
        return nodes, depth + (node[1][0] == "group")
    if kind == "name":
        parts = [measured(value) for _, value in node[2] or []]
        return 1 + sum(part[0] for part in parts), 1 + max((part[1] for part in parts), default=0)
    parts = [measured(part) for part in node[1:] if isinstance(part, tuple)]
    operators = len(node) // 2 - 1 if kind == "chain" else 1
    return operators + sum(part[0] for part in parts), 1 + max(part[1] for part in parts)


def bare(node):
    while node[0] == "group":
        node = node[1]
    return node


def typed(node, features) -> str:
    kind, node = node[0], bare(node)
    kind = node[0]
    if kind == "number":
        if math.isinf(float(node[1])):
            raise Wrong
        return "number"
    if kind == "name":
        return named(node, features)
    if kind in ("minus", "not"):
        wanted = "number" if kind == "minus" else "condition"
        require(node[1], wanted, features)
        return wanted
    if kind == "compare":
        require(node[2], "number", features)
        require(node[3], "number", features)
        return "condition"
    wanted = "condition" if node[2] in ("and", "or") else "number"
    for part in node[1::2]:
        require(part, wanted, features)
    return wanted


def require(node, wanted, features) -> None:
    if typed(node, features) != wanted:
        raise Wrong


def given(node, params) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for place, (name, value) in enumerate(node[2] or []):
        if not name and (place >= len(params) or any(earlier for earlier, _ in node[2][:place])):
            raise Wrong
        key = name or params[place]
        if key not in params or key in values:
            raise Wrong
        values[key] = value
    return values


def named(node, features) -> str:
    _, name, arguments, frame = node
    if frame and frame not in ("M1", "M5", "M15", "M30", "H1", "H4", "D1"):
        raise Wrong
    if name in BARS:
        if arguments is not None:
            raise Wrong
        return "number"
    params = FUNCTIONS.get(name) or features.get(name)
    if params is None:
        raise Wrong
    values = given(node, params)
    for key, value in values.items():
        if key == "n" or name in features:
            number = bare(value)
            if number[0] != "number" or float(number[1]) % 1 or not 1 <= float(number[1]) <= (1_000 if name in FUNCTIONS else 10_000):
                raise Wrong
        else:
            require(value, "condition" if key == "condition" else "number", features)
    if name in FUNCTIONS and len(values) < len(params):
        raise Wrong
    return "condition" if name in ("cross_above", "cross_below", "within", "held") else "number"


class Values:
    """What a tree is at a bar. ``column(name, params, frame)``: the values of a column of bars or of a feature, NaN for unknown."""

    def __init__(self, column, known: Mapping[str, Any], longer=None) -> None:
        self.column, self.features, self.longer = column, known, longer

    def at(self, node, t: int) -> Any:
        if t < 0:
            return None
        node = bare(node)
        kind = node[0]
        if kind == "number":
            return float(node[1])
        if kind == "minus":
            value = self.at(node[1], t)
            return value if value is SKIP or value is None else -value
        if kind == "not":
            value = self.at(node[1], t)
            return value if value is SKIP or value is None else not value
        if kind == "compare":
            return compare(node[1], self.at(node[2], t), self.at(node[3], t))
        if kind == "chain":
            return self.chained(node, t)
        return self.name(node, t)

    def chained(self, node, t):
        parts = [self.at(part, t) for part in node[1::2]]
        if SKIP in parts:
            return SKIP
        if node[2] == "and":
            return all_of(parts)
        if node[2] == "or":
            return any_of(parts)
        total = parts[0]
        for mark, part in zip(node[2::2], parts[1:], strict=True):
            total = arithmetic(mark, total, part)
        return total

    def name(self, node, t):
        _, name, _, frame = node
        if frame and (name in FUNCTIONS or name in BARS):
            values, row = self.longer(frame)
            return values.at((*node[:3], ""), row[t]) if row[t] >= 0 else None
        if name not in FUNCTIONS:
            value = float(self.column(name, {key: int(float(bare(inner)[1])) for key, inner in given(node, self.features.get(name, ())).items()}, frame)[t])
            return value if math.isfinite(value) else None
        values = given(node, FUNCTIONS[name])
        n = int(float(bare(values["n"])[1])) if "n" in values else 0
        if name in ("cross_above", "cross_below"):
            now, before = (">", "<=") if name == "cross_above" else ("<", ">=")
            x, y = values["x"], values["y"]
            parts = [compare(now, self.at(x, t), self.at(y, t)), compare(before, self.at(x, t - 1), self.at(y, t - 1))]
            return SKIP if SKIP in parts else all_of(parts)
        if name in ("within", "held"):
            window = [self.at(values["condition"], t - k) for k in range(n)]
            if t < n - 1:
                return None
            return SKIP if SKIP in window else any_of(window) if name == "within" else all_of(window)
        if name in ("abs", "min", "max"):
            parts = [self.at(values[key], t) for key in FUNCTIONS[name]]
            return SKIP if SKIP in parts else None if None in parts else (abs(parts[0]) if name == "abs" else min(parts) if name == "min" else max(parts))
        if name in ("lag", "change"):
            before, now = self.at(values["x"], t - n), self.at(values["x"], t)
            if name == "lag":
                return before
            return SKIP if SKIP in (before, now) else arithmetic("-", now, before)
        window = [self.at(values["x"], t - k) for k in range(n)]
        if SKIP in window:
            return SKIP
        if None in window:
            return None
        return finite(statistic(name, window))


def statistic(name: str, window: list[float]) -> float:
    try:
        if name in ("highest", "lowest"):
            return max(window) if name == "highest" else min(window)
        total = math.fsum(window)
        if name == "sum":
            return total
        mean = total / len(window)
        return mean if name == "mean" else math.sqrt(math.fsum((value - mean) ** 2 for value in window) / len(window))
    except OverflowError:
        return math.inf


def arithmetic(mark, left, right):
    if left is None or right is None:
        return None
    if mark == "/":
        return finite(left / right) if right else None
    return finite(left + right if mark == "+" else left - right if mark == "-" else left * right)


def finite(value: float):
    return value if math.isfinite(value) else None


def compare(mark, left, right):
    if SKIP in (left, right):
        return SKIP
    if left is None or right is None:
        return None
    if left != right and abs(left - right) <= 1e-9 * max(abs(left), abs(right), 1e-3):
        return SKIP
    return {"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right, "==": left == right, "!=": left != right}[mark]


def all_of(parts):
    """Kleene: false beats unknown beats true."""
    return False if any(part is False for part in parts) else None if any(part is None for part in parts) else True


def any_of(parts):
    return True if any(part is True for part in parts) else None if any(part is None for part in parts) else False
