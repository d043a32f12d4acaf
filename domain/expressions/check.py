"""Is a tree a condition? Names are looked up, numbers and conditions are kept apart, and windows are numbers that are written out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Any

from domain.errors import BadRequest
from domain.expressions.functions import CONDITION, COUNT, FUNCTIONS, LONGEST_WINDOW, NUMBER
from domain.expressions.syntax import Argument, Chain, Comparison, Name, Negative, Node, Not, Number, Word, parse
from domain.expressions.tokens import BadExpression
from domain.expressions.writing import written
from domain.market.timeframe import Timeframe

LONGEST_OF_A_FEATURE = 10_000       # of a whole parameter of a feature: bars
LONGEST_COMPARED = 40               # letters of a name that was mistyped
PROMISING, NEAR, FAR = 10, 0.6, 0.3     # names that are compared letter by letter; shares of the letters that are alike
AN = {NUMBER: "a number", CONDITION: "a condition"}


@dataclass(frozen=True)
class Catalogue:
    """What names mean: columns of the bars, features with their parameters and defaults, and the words that a parameter knows, where these are few.
    ``zone``: is there a time zone of that name?"""

    columns: tuple[str, ...]
    features: Mapping[str, Mapping[str, Any]]
    words: Mapping[str, Collection[str]] = field(default_factory=dict)
    zone: Callable[[str], bool] = bool

    @property
    def names(self) -> list[str]:
        return [*self.columns, *FUNCTIONS, *self.features]


def condition(text: str, catalogue: Catalogue, timeframe: Timeframe | None = None) -> Node:
    """The tree of a condition; raises BadExpression for what is none. ``timeframe``: of the bars, where it is known.

    >>> bars = Catalogue(("open", "close"), {"sma": {"window": 20}})
    >>> condition("cross_above(close, sma(50))", bars).name
    'cross_above'
    >>> condition("close > smaa(50)", bars)
    Traceback (most recent call last):
    ...
    domain.expressions.tokens.BadExpression: column 9: no column, feature or function named 'smaa'; did you mean 'sma'?
    >>> condition("close - open", bars)
    Traceback (most recent call last):
    ...
    domain.expressions.tokens.BadExpression: column 1: close - open is a number, not a condition; compare it with another, as in close - open > 0
    """
    tree = parse(text)
    kind = _Check(catalogue, timeframe).kind(tree)
    if kind == NUMBER:
        shown = _shown(tree)
        raise BadExpression(first_column(tree), f"{shown} is a number, not a condition; compare it with another, as in {shown} > 0")
    return tree


def first_column(node: Node) -> int:
    """Where the text of a node begins, but for brackets around it."""
    while isinstance(node, (Chain, Comparison)):
        node = node.parts[0] if isinstance(node, Chain) else node.left
    return node.column


def bound(name: Name, params: Iterable[str], what: str = "") -> dict[str, Argument]:
    """The arguments of a call by the names of its parameters."""
    declared, given = list(params), dict[str, Argument]()
    for place, argument in enumerate(name.arguments or ()):
        if not argument.name and len(given) > place - 1 and any(earlier.name for earlier in (name.arguments or ())[:place]):
            raise BadExpression(argument.column, f"an argument without a name follows one with a name; name it too: {', '.join(declared)}")
        if not argument.name and place >= len(declared):
            raise BadExpression(argument.column, f"{name.name} takes {_counted(declared)}, and this is one more; leave it out")
        key = argument.name or declared[place]
        if key not in declared:
            raise BadExpression(argument.column, f"{name.name} has no parameter named {_clip(key)!r}; {_nearest(key, declared)}")
        if key in given:
            raise BadExpression(argument.column, f"{key} of {name.name} is given twice; give it once")
        given[key] = argument
    return given


@dataclass
class _Check:
    catalogue: Catalogue
    timeframe: Timeframe | None

    def kind(self, node: Node) -> str:
        if isinstance(node, Name):
            return self._name(node)
        if isinstance(node, Negative):
            self._must(node.inner, NUMBER, node.column, "'-' negates a number")
            return NUMBER
        if isinstance(node, Not):
            self._must(node.inner, CONDITION, node.column, "'not' negates a condition")
            return CONDITION
        if isinstance(node, Comparison):
            for part in (node.left, node.right):
                self._must(part, NUMBER, node.column, f"{node.operator!r} compares two numbers")
            return CONDITION
        if isinstance(node, Chain):
            return self._chain(node)
        if isinstance(node, Word):
            raise BadExpression(node.column, f"no column, feature or function named {_clip(node.text)!r}; {_nearest(node.text, self.catalogue.names)}")
        return NUMBER

    def _chain(self, node: Chain) -> str:
        wanted = CONDITION if node.operators[0] in ("and", "or") else NUMBER
        for place, part in enumerate(node.parts):
            at = max(place - 1, 0)
            operator = node.operators[at]
            self._must(part, wanted, node.columns[at], f"{operator!r} joins two {wanted}s")
        return wanted

    def _must(self, node: Node, wanted: str, column: int, why: str) -> None:
        kind = self.kind(node)
        if kind != wanted:
            shown = _shown(node)
            hint = f"compare it first, as in {shown} > 0" if wanted == CONDITION else "numbers and conditions do not mix; join conditions with and or or"
            raise BadExpression(column, f"{why}, and {shown} is {AN[kind]}; {hint}")

    def _name(self, node: Name) -> str:
        self._timeframe(node)
        if node.name in FUNCTIONS:
            return self._call(node)
        if node.name in self.catalogue.columns:
            if node.arguments is not None:
                raise BadExpression(node.column, f"{node.name} is a column of the bars and takes no arguments; write {node.name}, or lag({node.name}, 1) for the bar before")
            return NUMBER
        if node.name in self.catalogue.features:
            self._feature(node)
            return NUMBER
        raise BadExpression(node.column, f"no column, feature or function named {_clip(node.name)!r}; {_nearest(node.name, self.catalogue.names)}")

    def _timeframe(self, node: Name) -> None:
        if not node.timeframe:
            return
        try:
            frame = Timeframe.named(node.timeframe)
        except BadRequest:
            capital = node.timeframe.upper()
            try:
                hint = f"did you mean {str(Timeframe.named(capital))!r}?"
            except BadRequest as error:
                hint = str(error).partition("; ")[2]
            raise BadExpression(node.timeframe_column, f"no timeframe named {_clip(node.timeframe)!r}; {hint}") from None
        if self.timeframe is not None and frame < self.timeframe:
            raise BadExpression(node.timeframe_column, f"{self.timeframe} bars cannot become {frame}; give {self.timeframe} or a longer one after @")

    def _call(self, node: Name) -> str:
        function = FUNCTIONS[node.name]
        given = bound(node, function.takes)
        missing = [name for name in function.takes if name not in given]
        if missing:
            raise BadExpression(node.column, f"{node.name} takes {_counted(list(function.takes))}, and {missing[0]} is missing; write {node.name}({', '.join(function.takes)})")
        outer, self.timeframe = self.timeframe, Timeframe.named(node.timeframe) if node.timeframe else self.timeframe
        for name, wanted in function.takes.items():
            value = given[name].value
            if wanted == COUNT:
                self._count(node, name, value, LONGEST_WINDOW)
            else:
                self._must(value, wanted, first_column(value), f"{name} of {node.name} is {AN[wanted]}")
        self.timeframe = outer
        return function.gives

    def _feature(self, node: Name) -> None:
        defaults = self.catalogue.features[node.name]
        for name, argument in bound(node, defaults).items():
            default, value = defaults[name], argument.value
            if isinstance(default, str):
                self._word(node, name, value)
            elif isinstance(default, int):
                self._count(node, name, value, LONGEST_OF_A_FEATURE)
            elif not isinstance(value.inner if isinstance(value, Negative) else value, Number):
                raise BadExpression(first_column(value), f"{name} of {node.name} is a number that is written out, and {_shown(value)} is none; write {name}={default}")

    def _count(self, node: Name, name: str, value: Node, most: int) -> None:
        if not isinstance(value, Number):
            raise BadExpression(first_column(value), f"{name} of {node.name} is a whole number that is written out, and {_shown(value)} is none; write one from 1 to {most:,}")
        if value.value != int(value.value) or not 1 <= value.value <= most:
            raise BadExpression(value.column, f"{name} of {node.name} is {_clip(value.text)}; it must be a whole number from 1 to {most:,}")

    def _word(self, node: Name, name: str, value: Node) -> None:
        text = word_of(value)
        if text is None:
            raise BadExpression(first_column(value), f"{name} of {node.name} is a word, and {_shown(value)} is none; write {name}={self.catalogue.features[node.name][name]}")
        known = self.catalogue.words.get(name)
        if known is not None and text not in known:
            raise BadExpression(first_column(value), f"no {name} named {_clip(text)!r}; {_nearest(text, known)}")
        if name == "zone" and not self.catalogue.zone(text):
            raise BadExpression(first_column(value), f"no time zone named {_clip(text)!r}; write one as in Europe/London, or UTC")


def word_of(value: Node) -> str | None:
    """The word that an argument is; a name in small letters is one too, where a word is wanted."""
    if isinstance(value, Word):
        return value.text
    if isinstance(value, Name) and value.arguments is None and not value.timeframe:
        return value.name
    return None


def _shown(node: Node) -> str:
    text = written(node)
    return text if len(text) <= 60 else text[:60] + "…"


def _clip(text: str) -> str:
    return text if len(text) <= 60 else text[:60] + "…"


def _counted(names: list[str]) -> str:
    return "no arguments" if not names else f"{len(names)} argument{'s' if len(names) > 1 else ''} ({', '.join(names)})"


def _nearest(word: str, names: Iterable[str]) -> str:
    """The hint of an unknown name: the nearest one. Only the most promising are compared letter by letter, so that no text takes long."""
    every, small = sorted(names), word.lower()
    near = [name for name in every if name.lower() == small] or _alike(small, every)
    if near:
        return f"did you mean {near[0]!r}?"
    return f"there are {', '.join(every)}" if 0 < len(every) <= 12 else "see the list of names in docs/expressions.md" if every else "it has none"


def _alike(word: str, names: list[str]) -> list[str]:
    """The nearest name, one with the same letters before others; none that is not near."""
    if len(word) > LONGEST_COMPARED:
        return []
    matcher = SequenceMatcher(None, b=word)

    def share(name: str, exact: bool) -> float:
        matcher.set_seq1(name)
        return matcher.ratio() if exact else matcher.quick_ratio()

    promising = sorted(names, key=lambda name: -share(name, False))[:PROMISING]
    best = sorted(((sorted(name) == sorted(word), share(name, True), len(word) > 2 and name.startswith(word), name) for name in promising), key=lambda row: (-row[0], -(row[1] >= NEAR), -row[2], -row[1]))
    return [row[3] for row in best[:1] if row[0] or row[2] or row[1] >= FAR]
