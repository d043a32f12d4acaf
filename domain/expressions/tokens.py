"""The marks, numbers and names of an expression, each with its column."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from domain.errors import BadRequest

LONGEST = 500       # characters of an expression
TOKEN = re.compile(r"[ \t\r\n]+|([0-9]+(?:\.[0-9]+)?)|([A-Za-z_][A-Za-z0-9_]*)|(<=|>=|==|!=|[-+*/()<>=,@])")
SMALL = re.compile(r"[a-z_][a-z0-9_]*")
KEYWORDS = ("and", "not", "or")
NUMBER, NAME, WORD, MARK, END = "number", "name", "word", "mark", "end"


class BadExpression(BadRequest):
    """An expression that is not in the language; ``column`` counts its characters from 1."""

    def __init__(self, column: int, sentence: str) -> None:
        super().__init__(f"column {column}: {sentence}")
        self.column = column


class Token(NamedTuple):
    """``kind`` is ``number``, ``name`` (small letters), ``word`` (others), ``mark`` (keywords too) or ``end``."""

    kind: str
    text: str
    column: int

    @property
    def shown(self) -> str:
        return "the end" if self.kind == END else repr(self.text if len(self.text) <= 40 else self.text[:40] + "…")


def tokens(text: str) -> list[Token]:
    """
    >>> [token.text for token in tokens("atr(14)@H4 >= 1.5")]
    ['atr', '(', '14', ')', '@', 'H4', '>=', '1.5', '']
    >>> tokens("close > 1,5 €")
    Traceback (most recent call last):
    ...
    domain.expressions.tokens.BadExpression: column 13: '€' is not an ASCII character; an expression has letters, digits, . , ( ) + - * / < > = ! @ _ and spaces only
    """
    if len(text) > LONGEST:
        raise BadExpression(LONGEST + 1, f"the expression has {len(text):,} characters; at most {LONGEST} are read, so shorten it")
    return list(_tokens(text))


def _tokens(text: str) -> Iterator[Token]:
    at = 0
    while at < len(text):
        match = TOKEN.match(text, at)
        if match is None:
            raise BadExpression(at + 1, _unreadable(text[at]))
        if match[1]:
            yield Token(NUMBER, match[1], at + 1)
        elif match[2]:
            kind = MARK if match[2] in KEYWORDS else NAME if SMALL.fullmatch(match[2]) else WORD
            yield Token(kind, match[2], at + 1)
        elif match[3]:
            yield Token(MARK, match[3], at + 1)
        at = match.end()
    yield Token(END, "", len(text) + 1)


def _unreadable(letter: str) -> str:
    if not letter.isascii():
        return f"{letter!r} is not an ASCII character; an expression has letters, digits, . , ( ) + - * / < > = ! @ _ and spaces only"
    hints = {".": "a number has digits before and after its point, as in 0.5", "!": "write != for unequal, and not before a condition", "&": "write and", "|": "write or", "%": "write a share as a number, as in 0.02", "^": "multiply instead"}
    return f"{letter!r} is not part of the language; {hints.get(letter, 'an expression has names, numbers, ( ) + - * / < <= > >= == != @ and or not')}"
