"""Feeds of headlines, RSS and Atom, read without following anything that a document may declare."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from domain.errors import BadRequest
from domain.outside.plain_xml import PlainXml
from domain.outside.rows import EPOCH, MICROSECOND, YEARS, instant

ITEMS = ("item", "entry")                   # of RSS, of Atom
TIMES = ("pubdate", "published", "date", "updated")         # in the order in which they count
TAGS = re.compile(r"<[^<>]{1,200}>")
NO_ZONE = ", which has no zone; say that the times are in UTC, or take a feed that gives them with one"


class Feed(PlainXml):
    """Title and times of each item, by the name of their element without its namespace; the first of a name counts, with what follows under it."""

    what, row = "a feed", "items"

    def named(self, name: str) -> str:
        return name.rpartition(":")[2].lower()

    def is_row(self) -> bool:
        return self.path[-1] in ITEMS and not self._inside(len(self.path) - 1)

    def is_text(self) -> bool:
        return self._inside(len(self.path) - 1)

    def begun(self, name: str) -> None:
        self.rows[-1].setdefault(name, "")

    def _inside(self, depth: int) -> bool:
        """Whether the element at that depth lies right in an item."""
        return depth > 0 and self.path[depth - 1] in ITEMS


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
