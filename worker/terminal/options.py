"""Parsing of options that take a name and a value, or JSON, before any work starts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from domain.errors import BadRequest
from domain.parsing import object_of

FIRST_YEAR, LAST_YEAR = 1700, 2200      # of times that 64 bits of nanoseconds hold
FROM = "Start of the traded period, ISO 8601 in UTC; bars before it are history for features. Default: the first bar."
From = Annotated[str, typer.Option("--from", "--start", help=FROM)]
To = Annotated[str, typer.Option("--to", "--end", help="End of the traded period, ISO 8601 in UTC, not included. Default: after the last bar.")]


def instant(option: str, text: str, default: datetime) -> datetime:
    """The instant that an option names, UTC where it has no zone; ``default`` where it is empty.

    >>> instant("--from", "2024-01-31", datetime.min).isoformat()
    '2024-01-31T00:00:00+00:00'
    >>> instant("--from", "9999-12-31", datetime.min)
    Traceback (most recent call last):
    ...
    domain.errors.BadRequest: --from is '9999-12-31'; it must lie between 1700 and 2200
    """
    try:
        read = datetime.fromisoformat(text.strip()) if text.strip() else default
    except ValueError:
        raise BadRequest(f"{option} is {text!r}, which is not a time; write it like 2024-01-31 or 2024-01-31T08:00") from None
    if text.strip() and not FIRST_YEAR <= read.year <= LAST_YEAR:
        raise BadRequest(f"{option} is {text!r}; it must lie between {FIRST_YEAR} and {LAST_YEAR}")
    return read if read.tzinfo else read.replace(tzinfo=UTC)


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
