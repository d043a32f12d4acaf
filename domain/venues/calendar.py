"""Calendars of releases at an address: ForexFactory's week (its export, JSON or XML), or a file of our own form."""

from __future__ import annotations

from domain.outside.releases import read_releases
from domain.outside.rows import ReadTable
from domain.outside.source import OUTSIDE_SOURCES, OutsideRequest
from domain.venues.document import MOST, address_of, read_at
from domain.venues.http import Connection
from domain.venues.vendor import VENDORS, Vendor

CALENDAR = VENDORS.add("calendar", Vendor(
    "calendar", "Calendar", "releases of the running week from ForexFactory's export, or any calendar of that form or of ours at an address that you give.",
    "https://nfs.faireconomy.media/ff_calendar_thisweek.json", pace=(2, 60.0), kind="releases",
))  # fmt: skip


class Calendar:
    name, title, kind = "calendar", "Calendar", "releases"

    def check(self, request: OutsideRequest) -> None:
        if request.url:
            address_of(request.url, "calendar")

    def fetch(self, request: OutsideRequest, connection: Connection) -> ReadTable:
        return read_at(request.url or connection.url, connection, lambda path: read_releases(path, request.utc, MOST, request.max_rows))


OUTSIDE_SOURCES.add(Calendar.name, Calendar())
