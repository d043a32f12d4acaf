"""What options hold that take a name and a value, or JSON: checked before any work starts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from domain.errors import BadRequest
from domain.parsing import object_of


def params_of(text: str) -> dict[str, Any]:
    """``--params``: parameter -> value."""
    return object_of(text, "--params", '{"lookback": 20}')


def space_of(text: str) -> dict[str, Any]:
    """``--space``: parameter -> range."""
    return object_of(text, "--space", '{"lookback": [5, 200]}')


def pairs(option: str, texts: Iterable[str], what: str) -> list[tuple[str, Path]]:
    """``NAME=FILE`` of an option that may repeat, each name once.

    >>> pairs("--other", ["GBPUSD=a.csv"], "NAME")[0][0]
    'GBPUSD'
    >>> pairs("--other", ["GBPUSD=a.csv", "GBPUSD=b.csv"], "NAME")
    Traceback (most recent call last):
    ...
    domain.errors.BadRequest: --other gives GBPUSD twice; give it once
    """
    split = []
    for text in texts:
        name, equals, path = text.partition("=")
        if not equals or not name or not path:
            raise BadRequest(f"{option} is {text!r}; write {option} {what}=FILE")
        split.append((name, Path(path)))
    return list(once(option, split))


def once(option: str, named: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    """The same pairs; a name that comes twice is refused, for the first would be lost without a word."""
    seen = set()
    for name, value in named:
        if name in seen:
            raise BadRequest(f"{option} gives {name} twice; give it once")
        seen.add(name)
        yield name, value
