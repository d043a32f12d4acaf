"""Feeds of headlines, RSS and Atom, read without following anything that a document may declare."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import NoReturn
from xml.parsers import expat

from domain.errors import BadRequest
from domain.outside.rows import EPOCH, MICROSECOND, YEARS, instant

ITEMS = ("item", "entry")                   # of RSS, of Atom
TIMES = ("pubdate", "published", "date", "updated")         # in the order in which they count
TAGS = re.compile(r"<[^<>]{1,200}>")
NO_ZONE = ", which has no zone; say that the times are in UTC, or take a feed that gives them with one"


class Feed:
    """Title and times of each item, by the name of their element without its namespace. Declarations of types and entities are refused: they are how
    a small file becomes a large one, or reads another."""

    def __init__(self, file: str, most: int) -> None:
        self.items: list[dict[str, str]] = []
        self._file, self._most, self._path = file, most, list[str]()

    def read(self, data: bytes) -> list[dict[str, str]]:
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = self._start, self._end, self._text
        parser.StartDoctypeDeclHandler, parser.EntityDeclHandler, parser.ExternalEntityRefHandler = self._refuse, self._refuse, self._refuse
        try:
            parser.Parse(data, True)
        except LookupError:
            raise BadRequest(f"{self._file} names an encoding that there is none of; download it again, or save it as UTF-8") from None
        except expat.ExpatError as error:
            raise BadRequest(f"{self._file} is incomplete XML: it cannot be read from line {error.lineno}, column {error.offset + 1} on. Download it again") from None
        return self.items

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._path.append(name.rpartition(":")[2].lower())
        if self._path[-1] in ITEMS and not self._inside(len(self._path) - 1):
            self.items.append({})
            if len(self.items) > self._most:
                raise BadRequest(f"{self._file} has more than {self._most:,} items, which is the limit; split it, or raise the limit in the settings")
        elif self._inside(len(self._path) - 1):
            self.items[-1].setdefault(self._path[-1], "")

    def _inside(self, depth: int) -> bool:
        """Whether the element at that depth lies right in an item."""
        return depth > 0 and self._path[depth - 1] in ITEMS

    def _end(self, name: str) -> None:
        self._path.pop()

    def _text(self, text: str) -> None:
        if self._inside(len(self._path) - 1):
            self.items[-1][self._path[-1]] += text

    def _refuse(self, *declared: object) -> NoReturn:
        raise BadRequest(f"{self._file} declares types or entities of its own, which a feed needs none of; it was not read. Download it from where it is published")


def headlines_in(file: str, data: bytes, utc: bool, most: int) -> tuple[Sequence[tuple[int, str]], int]:
    """(instant, headline) of each item, and how many items have no time. A time without a zone is refused unless ``utc`` is set.

    >>> rss = b"<rss><channel><title>News</title><item><title>CPI &amp;amp; rates</title><pubDate>Thu, 11 Jul 2024 12:30:00 GMT</pubDate></item></channel></rss>"
    >>> headlines_in("feed.xml", rss, False, 10)
    ([(1720701000000000000, 'CPI & rates')], 0)
    """
    rows, timeless = [], 0
    for place, item in enumerate(Feed(file, most).read(data), 1):
        text = next((item[name].strip() for name in TIMES if item.get(name, "").strip()), "")
        if not text:
            timeless += 1
            continue
        try:
            rows.append((_instant(text, utc), _plain(item.get("title", ""))))
        except ValueError as error:
            raise BadRequest(f"item {place} of {file} has the time {text[:60]!r}{error}") from None
    return rows, timeless


def _plain(title: str) -> str:
    """
    >>> _plain(" Gold &#8211; <b>up</b>\\n 1 % ")
    'Gold – up 1 %'
    """
    return " ".join(TAGS.sub("", html.unescape(title)).split())


def _instant(text: str, utc: bool) -> int:
    """Nanoseconds of a time of RFC 822 (RSS) or RFC 3339 (Atom)."""
    if text[:4].isdigit():
        at = instant(text, utc)
        if at is None:
            raise ValueError(", a day without a time of day, and a headline is known from the minute at which it appeared")
        return at
    try:
        written = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        raise ValueError("; it must be like Thu, 11 Jul 2024 12:30:00 GMT, or 2024-07-11T12:30:00Z") from None
    if written.tzinfo is None and not utc and not text.endswith("-0000"):
        raise ValueError(NO_ZONE)
    aware: datetime = written.replace(tzinfo=UTC) if written.tzinfo is None else written
    if aware.year not in YEARS:
        raise ValueError(f"; its year must lie from {YEARS[0]} to {YEARS[-1]}")
    return (aware - EPOCH) // MICROSECOND * 1_000
