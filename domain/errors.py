"""Errors by whose fault they are: the person's request, the market data, the outside world. Anything else is a bug."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

LONGEST_WORD, CLIPPED, LONGEST = 200, 80, 2_000      # letters of a word, of one that is longer, and of a sentence


class TidemarkError(Exception):
    """Base of every error raised on purpose. Its text says what was requested, what was found and what to do.

    Such texts quote what a person or a file gave; whatever that was, they stay short and printable.
    """

    def __str__(self) -> str:
        return readable(super().__str__())


class BadRequest(TidemarkError):
    """The request is invalid or impossible."""


class UnknownName(BadRequest):
    """There is no thing of that kind and name."""


class Forbidden(TidemarkError):
    """The person, or the program, may not do that."""


class SignedOut(Forbidden):
    """The session has ended: it was revoked, it is too old, or its user was disabled."""


class SecondPerson(TidemarkError):
    """The change is not done yet: it is kept as a request, for another person to decide on. ``request``: its id."""

    def __init__(self, sentence: str, request: str) -> None:
        super().__init__(sentence)
        self.request = request


class BadBars(TidemarkError):
    """Market data broke the bar contract."""


class SourceUnavailable(TidemarkError):
    """An external service failed; trying again later may help."""


def readable(text: str) -> str:
    """A text in which words without end are clipped, and letters that cannot be printed are replaced.

    >>> readable("a\\0b " + "x" * 5_000)[:12], len(readable("x" * 5_000)), readable("no run é")
    ('a?b xxxxxxxx', 81, 'no run é')
    """
    if len(text) < LONGEST_WORD and text.isprintable():
        return text
    words = (word if len(word) <= LONGEST_WORD else word[:CLIPPED] + "…" for word in text[:100 * LONGEST].split(" "))
    short = " ".join(words)
    short = short if len(short) <= LONGEST else short[:LONGEST] + "…"
    return "".join(letter if letter.isprintable() or letter == "\n" else "?" for letter in short)


def unknown(kind: str, name: object, existing: Iterable[object]) -> UnknownName:
    """
    >>> print(unknown("strategy", "brakeout", ["breakout", "simple_ma"]))
    no strategy named 'brakeout'; did you mean 'breakout'?
    >>> print(unknown("colour", "x", ["red", "blue"]))
    no colour named 'x'; there are blue, red
    >>> print(unknown("colour", "x", ["", "red", "blue"]))
    no colour named 'x'; there are blue, red
    """
    names = sorted(str(each) for each in existing if str(each))
    near = _nearest(str(name), names) or _beginning_with(str(name), names)
    hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(names)}" if names else "there are none yet"
    return UnknownName(f"no {kind} named {str(name)!r}; {hint}")


def _nearest(word: str, names: list[str]) -> list[str]:
    """The close match with the same letters, else the closest."""
    near = get_close_matches(word, names, n=3)
    return sorted(near, key=lambda name: sorted(name) != sorted(word))[:1]


def _beginning_with(word: str, names: list[str]) -> list[str]:
    """The shortest name that begins with ``word``, where that is more than a letter or two."""
    return sorted((name for name in names if len(word) > 2 and name.lower().startswith(word.lower())), key=len)[:1]


def listed(words: Iterable[object], most: int = 5) -> str:
    """
    >>> listed(["a", "b", "c"]), listed(range(9), most=3)
    ('a, b, c', '0, 1, 2 and 6 more')
    """
    texts = [str(word) for word in words]
    rest = f" and {len(texts) - most} more" if len(texts) > most else ""
    return ", ".join(texts[:most]) + rest
