"""Feeds of headlines at an address: RSS or Atom, or a file of our own form."""

from __future__ import annotations

from domain.errors import BadRequest
from domain.outside.headlines import headlines_of
from domain.outside.rows import ReadTable
from domain.outside.source import OUTSIDE_SOURCES, OutsideRequest
from domain.venues.document import MOST, address_of, read_at
from domain.venues.http import Connection
from domain.venues.vendor import VENDORS, Vendor

HEADLINES = VENDORS.add("headlines", Vendor("headlines", "Headlines", "the items of a feed (RSS, Atom) at an address that you give; a feed has its latest items only.", pace=(2, 60.0), kind="headlines"))


class Headlines:
    name, title, kind = "headlines", "Headlines", "headlines"

    def check(self, request: OutsideRequest) -> None:
        if not request.url:
            raise BadRequest("headlines come from a feed, and none is given; give its address, such as https://example.com/feed.xml")
        address_of(request.url, "feed")

    def fetch(self, request: OutsideRequest, connection: Connection) -> ReadTable:
        return read_at(request.url, connection, lambda path: headlines_of(path, request.utc, MOST, request.max_rows))


OUTSIDE_SOURCES.add(Headlines.name, Headlines())
