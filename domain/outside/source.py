"""Port of the sources of external data: series by publication, calendars of releases, feeds of headlines."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

from domain.outside.rows import ReadTable
from domain.registry import Registry


@dataclass(frozen=True)
class OutsideRequest:
    """What is requested. ``name``: of a series as in the table; ``url``: of a calendar or feed, "" for the vendor's own; ``start`` and ``end``: dates
    of observations, both included, None for all; ``utc``: times without a zone are in UTC; ``max_rows``: the most that may come."""

    name: str = ""
    url: str = ""
    start: date | None = None
    end: date | None = None
    utc: bool = False
    max_rows: int = 20_000_000


class OutsideSource(Protocol):
    """A vendor's external data, of one ``kind``: series, releases or headlines. An object without state."""

    name: str
    title: str
    kind: str

    def check(self, request: OutsideRequest) -> None:
        """BadRequest where that can never be had, before any request is sent."""
        ...

    def fetch(self, request: OutsideRequest, connection: Any) -> ReadTable:
        """The rows, as a file of that kind is read. ``connection``: domain.venues.http.Connection, which stands above.

        Raises BadRequest (Refused) where the vendor refuses for good, SourceUnavailable where it did not answer after every try.
        """
        ...


OUTSIDE_SOURCES: Registry[OutsideSource] = Registry("source of external data")
