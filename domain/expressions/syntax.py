"""From the text of an expression to its tree, by the grammar of docs/expressions.md.

The tree knows its own size and depth from its leaves up, so that nothing has to walk down a deep one: what is too large is refused while it is read.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from domain.expressions.tokens import END, MARK, NAME, NUMBER, WORD, BadExpression, Token, tokens

MOST_NODES, DEEPEST = 80, 12
COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")
BRACKETS = 2 * DEEPEST + 1      # open at the same time in an expression of that depth: those of a call and those around it, a level


@dataclass(frozen=True)
class Number:
    value: float
    text: str
    column: int
    depth: int = 1


@dataclass(frozen=True)
class Word:
    """What a parameter that takes a word is given: a session, an instrument, a zone."""

    text: str
    column: int
    depth: int = 1


@dataclass(frozen=True)
class Argument:
    name: str
    value: Node
    column: int


@dataclass(frozen=True)
class Name:
    """A column, a feature or a function; ``arguments`` is None without brackets, ``timeframe`` empty without @."""

    name: str
    arguments: tuple[Argument, ...] | None
    timeframe: str
    column: int
    timeframe_column: int = 0
    depth: int = 1


@dataclass(frozen=True)
class Negative:
    inner: Node
    column: int
    depth: int = 2


@dataclass(frozen=True)
class Not:
    inner: Node
    column: int
    depth: int = 2


@dataclass(frozen=True)
class Comparison:
    operator: str
    left: Node
    right: Node
    column: int
    depth: int = 2


@dataclass(frozen=True)
class Chain:
    """Parts with an operator between each two: all ``and``, all ``or``, ``+`` and ``-``, or ``*`` and ``/``, worked off from the left."""

    operators: tuple[str, ...]
    parts: tuple[Node, ...]
    columns: tuple[int, ...]
    depth: int = 2

    @property
    def column(self) -> int:
        return self.columns[0]


Node = Number | Word | Name | Negative | Not | Comparison | Chain


def parse(text: str) -> Node:
    """The tree of an expression; raises BadExpression with the column of what is wrong.

    >>> parse("1 + 2 * -3").operators, parse("not close > 1 and open < 2").operators
    (('+',), ('and',))
    >>> parse("close > > 1")
    Traceback (most recent call last):
    ...
    domain.expressions.tokens.BadExpression: column 9: '>' stands where a name, a number or a bracket is expected
    """
    parser = _Parser(tokens(text))
    if parser.token.kind == END:
        raise BadExpression(1, "the expression is empty; write a condition, as in close > sma(50)")
    tree = parser.expression()
    if parser.token.kind != END:
        raise parser.unexpected_after()
    return tree


@dataclass
class _Parser:
    tokens: list[Token]
    at: int = 0
    nodes: int = 0
    open: list[int] = field(default_factory=list)       # columns of the brackets that are open
    grouped: Node | None = None                         # what the last pair of brackets held, where nothing came after it yet

    @property
    def token(self) -> Token:
        return self.tokens[self.at]

    def takes(self, *marks: str) -> bool:
        return self.token.kind == MARK and self.token.text in marks

    def next(self) -> Token:
        self.at += 1
        return self.tokens[self.at - 1]

    def node(self) -> Token:
        """The next token, which is a node of the tree."""
        token = self.next()
        self.nodes += 1
        if self.nodes > MOST_NODES:
            raise BadExpression(token.column, f"the expression has more than {MOST_NODES} numbers, names, calls and operators; shorten it from here on")
        return token

    def expression(self) -> Node:
        return self._chain(("or",), lambda: self._chain(("and",), self._not))

    def _sum(self) -> Node:
        return self._chain(("+", "-"), lambda: self._chain(("*", "/"), self._factor))

    def _chain(self, operators, part) -> Node:
        parts, marks = [part()], []
        while self.takes(*operators):
            marks.append(self.node())
            parts.append(part())
        if not marks:
            return parts[0]
        return _deep(Chain(tuple(mark.text for mark in marks), tuple(parts), tuple(mark.column for mark in marks)), parts)

    def _not(self) -> Node:
        return self._prefixed("not", Not, self._comparison)

    def _comparison(self) -> Node:
        left = self._sum()
        if not self.takes(*COMPARISONS):
            return left
        mark = self.node()
        right = self._sum()
        if self.takes(*COMPARISONS):
            raise BadExpression(self.token.column, f"{self.token.shown} follows a comparison; compare two numbers at a time and join the comparisons with and")
        return _deep(Comparison(mark.text, left, right, mark.column), (left, right))

    def _factor(self) -> Node:
        return self._prefixed("-", Negative, self._operand)

    def _prefixed(self, mark: str, kind, operand) -> Node:
        """Any number of prefixes; the last is the innermost."""
        columns = []
        while self.takes(mark):
            columns.append(self.node().column)
        inner = operand()
        for column in reversed(columns):
            inner = _deep(kind(inner, column), (inner,))
        return inner

    def _operand(self) -> Node:
        token = self.token
        if token.kind == NUMBER:
            return self._number()
        if token.kind in (NAME, WORD):      # one with capital letters is no name: the check of names says which is nearest
            return self._name()
        if self.takes("("):
            return self._group()
        if self.takes("not"):
            raise BadExpression(token.column, "'not' stands inside a comparison or a sum; put what it negates in brackets")
        if token.kind == END and self.open:
            raise self._not_closed()
        raise BadExpression(token.column, f"{token.shown} stands where a name, a number or a bracket is expected")

    def _number(self) -> Number:
        token = self.node()
        value = float(token.text)
        if value == float("inf"):
            raise BadExpression(token.column, "the number is too large to compute with; write one below 1e308")
        return Number(value, token.text, token.column)

    def _group(self) -> Node:
        """Brackets are no node; those that only hold other brackets are a level of depth each, so that no text is deep for nothing."""
        self._opened()
        inner = self.expression()
        self._closed()
        if inner is self.grouped:
            inner = _deep(replace(inner, depth=inner.depth), (inner,))
        self.grouped = inner
        return inner

    def _name(self) -> Name:
        token = self.node()
        arguments = self._arguments() if self.takes("(") else None
        timeframe, column = "", 0
        if self.takes("@"):
            self.next()
            if self.token.kind not in (NAME, WORD):
                raise BadExpression(self.token.column, f"{self.token.shown} stands where a timeframe is expected after @, as in {token.text}@H4")
            timeframe, column = self.token.text, self.next().column
        return _deep(Name(token.text, arguments, timeframe, token.column, column), [argument.value for argument in arguments or ()])

    def _arguments(self) -> tuple[Argument, ...]:
        self._opened()
        arguments: list[Argument] = []
        while not (self.takes(")") and not arguments):
            arguments.append(self._argument())
            if not self.takes(","):
                break
            self.next()
        self._closed()
        return tuple(arguments)

    def _argument(self) -> Argument:
        name, column = "", self.token.column
        if self.token.kind in (NAME, WORD) and self.tokens[self.at + 1][:2] == (MARK, "="):
            name = self.next().text
            self.next()
        word = self.token.kind == WORD and self.tokens[self.at + 1][:2] in ((MARK, ","), (MARK, ")"), (MARK, "/"))
        return Argument(name, self._word() if word else self.expression(), column)

    def _word(self) -> Word:
        """A word, or several with / between, as zones are named."""
        token = self.node()
        text = token.text
        while self.takes("/") and self.tokens[self.at + 1].kind in (WORD, NAME):
            self.next()
            text += "/" + self.next().text
        return Word(text, token.column)

    def _opened(self) -> None:
        self.open.append(self.next().column)
        if len(self.open) > BRACKETS:
            raise BadExpression(self.open[-1], f"the expression is more than {DEEPEST} levels deep; take it apart, or leave brackets out")

    def _closed(self) -> None:
        if self.token.kind == END:
            raise self._not_closed()
        if not self.takes(")"):
            raise self.unexpected_after()
        self.next()
        self.open.pop()

    def _not_closed(self) -> BadExpression:
        return BadExpression(self.open[-1], "this bracket is not closed; write ) where it ends")

    def unexpected_after(self) -> BadExpression:
        token = self.token
        if self.takes(")"):
            return BadExpression(token.column, "this bracket closes none; leave it out, or write ( where it begins")
        if self.takes("@"):
            return BadExpression(token.column, "'@' follows the name of a column, a feature or a function only; write it after that name")
        if self.takes("="):
            return BadExpression(token.column, "'=' compares nothing; write == for equal")
        if self.takes(","):
            return BadExpression(token.column, "',' stands outside the brackets of a call; numbers have a point, as in 1.5")
        if self.takes("not"):
            return BadExpression(token.column, "'not' stands before a condition; write and not, or or not")
        return BadExpression(token.column, f"{token.shown} follows without an operator; write one before it: + - * / < > and or")


def _deep(node, parts):
    """The node, one level deeper than the deepest of its parts."""
    depth = 1 + max((part.depth for part in parts), default=0)
    if depth > DEEPEST:
        raise BadExpression(node.column, f"the expression is more than {DEEPEST} levels deep; take it apart, or leave brackets out")
    return node if node.depth == depth else replace(node, depth=depth)
