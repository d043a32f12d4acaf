"""A document at an address that a person gives: fetched whole, or tried again, and read as a file of its name."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from urllib.parse import parse_qsl, urlsplit

from domain.errors import BadRequest
from domain.market.readers.files import human
from domain.outside.rows import ReadTable
from domain.venues.http import Connection, Refused, Transient

MOST = 50_000_000           # bytes
LONGEST = 2_000             # letters of an address
SECRET = re.compile(r"key|token|secret|password|passwd|auth|signature|credential", re.IGNORECASE)
PAGE = (b"<!doctype html", b"<html")
HALF = "incomplete XML|cannot be read from line|is empty"        # what a body that was cut looks like


def address_of(url: str, what: str) -> str:
    """``url``, if it is an address whose words may be stored and shown: HTTP, and no name, password or key in it.

    >>> address_of("https://example.com/feed.xml?lang=en", "feed")
    'https://example.com/feed.xml?lang=en'
    >>> address_of("https://example.com/feed?apikey=1", "feed")
    Traceback (most recent call last):
    ...
    domain.errors.BadRequest: the address of the feed holds a key (apikey), which would be stored with it; download the file yourself and import it
    """
    try:
        parts = urlsplit(url.strip())
        host = parts.hostname
    except ValueError:
        parts, host = urlsplit(""), None
    if parts.scheme not in ("http", "https") or not host or len(url) > LONGEST or not url.isprintable():
        raise BadRequest(f"{url[:80]!r} is no address of a {what}; write it like https://example.com/feed.xml")
    if parts.username or parts.password:
        raise BadRequest(f"the address of the {what} holds a name or password, which would be stored with it; download the file yourself and import it")
    secret = next((name for name, _ in parse_qsl(parts.query, keep_blank_values=True) if SECRET.search(name)), "")
    if secret:
        raise BadRequest(f"the address of the {what} holds a key ({secret[:40]}), which would be stored with it; download the file yourself and import it")
    return url.strip()


def place_of(url: str) -> str:
    """Host and path of an address, as what came from it is named.

    >>> place_of("https://example.com/feeds/fx.xml?lang=en")
    'example.com/feeds/fx.xml'
    """
    parts = urlsplit(url)
    return f"{parts.hostname}{parts.path}"


def read_at(url: str, connection: Connection, read: Callable[[Path], ReadTable]) -> ReadTable:
    """What ``read`` makes of the document at ``url``. One that is cut is requested again; a web page is refused."""
    session, name = connection.session(), PurePosixPath(urlsplit(url).path).name or "document"

    def ask() -> ReadTable:
        response = session.get(url, headers={"Accept-Encoding": "identity"})
        if response.status_code >= 400:
            raise Refused(f"{place_of(url)} answered {response.status_code}; check the address")
        body = response.content
        if len(body) > MOST:
            raise Refused(f"{place_of(url)} is {human(len(body))}; the limit is {human(MOST)}")
        if body.lstrip()[:20].lower().startswith(PAGE):
            raise Refused(f"{place_of(url)} is a web page (HTML), not the data; give the address of the file or feed itself")
        try:
            return _read(name, body, read)
        except BadRequest as error:
            if re.search(HALF, str(error)):
                raise Transient(f"its answer cannot be read: {error}") from None
            raise

    return connection.call(ask, deadline=connection.timeout)


def _read(name: str, body: bytes, read: Callable[[Path], ReadTable]) -> ReadTable:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / re.sub(r"[^\w.\-]", "_", name)[-80:]
        path.write_bytes(body)
        return read(path)
