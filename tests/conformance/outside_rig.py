"""What the suite of external data needs of a vendor: its double, what is asked of it, and the rows that come."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

from domain.outside.source import OUTSIDE_SOURCES, OutsideRequest, OutsideSource
from domain.venues import VENDORS
from domain.venues.http import Clock, Connection
from tests.conformance.source_rig import Skipped
from tests.doubles.documents import ATOM, RSS, WEEK, WEEK_JSON, DocumentsDouble
from tests.doubles.fred import KEY, FredDouble
from worker.vendors import connection_to

RELEASE = ("2024-07-11T12:30Z", "CPI m/m", "USD", "high")
GOLD, DOLLAR = ("2024-07-11T12:31Z", "Gold at a record"), ("2024-07-11T12:45Z", "Dollar slides after CPI & rates")
CPI = [
    ("2024-04-01", "2024-05-15", "313.2"), ("2024-05-01", "2024-06-12", "313.9"), ("2024-06-01", "2024-07-11", "313.05"),
    ("2024-04-01", "2024-07-11", "313.4"),      # revised later
]  # fmt: skip


class OutsideRig:
    """``path``: of the document that is asked for; ``rows``: texts of what comes, times as they are known."""

    vendor = ""
    environment: ClassVar[dict[str, str]] = {}
    secrets: ClassVar[tuple[str, ...]] = ()
    rows: tuple[tuple[Any, ...], ...] = ()

    def double(self) -> Any:
        raise NotImplementedError

    def request(self, address: str) -> OutsideRequest:
        raise NotImplementedError

    def unknown(self, address: str) -> OutsideRequest:
        """What the vendor does not have."""
        raise NotImplementedError

    def source(self) -> OutsideSource:
        return OUTSIDE_SOURCES[self.vendor]

    def connection(self, address: str, clock: Clock, check: Callable[[], None] = lambda: None, timeout: float = 10.0) -> Connection:
        vendor = VENDORS[self.vendor]
        connection = connection_to(vendor, self.environment | ({vendor.url_variable: address} if vendor.url_variable else {}), check, clock=clock)
        connection.timeout, connection.random, connection.pace = timeout, lambda: 0.0, None
        return connection


class Documents(OutsideRig):
    path, text = "", ""

    def double(self) -> DocumentsDouble:
        return DocumentsDouble({self.path: self.text, "/page.html": "<!DOCTYPE html><title>Sign in</title>"})

    def request(self, address: str) -> OutsideRequest:
        return OutsideRequest(url=address + self.path)

    def unknown(self, address: str) -> OutsideRequest:
        return OutsideRequest(url=f"{address}/nothing.json")


class CalendarXml(Documents):
    vendor, path, text, rows = "calendar", "/ff_calendar_thisweek.xml", WEEK, (RELEASE,)


class CalendarJson(Documents):
    vendor, path, text, rows = "calendar", "/ff_calendar_thisweek.json", WEEK_JSON, (RELEASE,)


class FeedRss(Documents):
    vendor, path, text, rows = "headlines", "/fx.xml", RSS, (GOLD, DOLLAR)


class FeedAtom(Documents):
    vendor, path, text, rows = "headlines", "/atom.xml", ATOM, (GOLD,)


class Fred(OutsideRig):
    """CPI: April is revised in July, and its first value counts from May, the day of its publication; the archive begins then."""

    vendor, environment, secrets = "fred", {"TIDEMARK_FRED_KEY": KEY}, (KEY,)
    rows = (("2024-04-01", "2024-05-15T22:00Z", 313.2), ("2024-05-01", "2024-06-12T22:00Z", 313.9), ("2024-06-01", "2024-07-11T22:00Z", 313.05))

    def double(self) -> FredDouble:
        return FredDouble({"CPIAUCSL": CPI})

    def request(self, address: str) -> OutsideRequest:
        return OutsideRequest("US_INFLATION")

    def unknown(self, address: str) -> OutsideRequest:
        return OutsideRequest("US_RATE")


RIGS = (Fred, CalendarXml, CalendarJson, FeedRss, FeedAtom)


@contextmanager
def reached(rig: OutsideRig, **options: Any) -> Iterator[tuple[Any, OutsideRequest, Connection, Skipped]]:
    """The double of a rig, what is asked of it, a connection to it, and the clock that counts what was slept."""
    skipped, double = Skipped(), rig.double()
    with double.serve() as address:
        yield double, rig.request(address), rig.connection(address, skipped.clock, **options), skipped
