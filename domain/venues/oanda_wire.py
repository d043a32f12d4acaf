"""The way to OANDA: oandapyV20, imported inside the class, over a connection of ours that has time-outs, a pace and tries.

The SDK sets no time-out of its own. Limits of the vendor: 100 requests and 2 new connections a second, kept by one lasting session.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from domain.errors import BadRequest, SourceUnavailable, listed
from domain.market.instrument import instruments
from domain.trading.once import AnswerLost
from domain.venues.http import Connection, Refused, Transient
from domain.venues.vendor import VENDORS, Need, Vendor

if TYPE_CHECKING:
    from requests import Response

TOKEN, ACCOUNT = "TIDEMARK_OANDA_TOKEN", "TIDEMARK_OANDA_ACCOUNT"
TRIES = 3                   # of a question of the broker: one that waits for minutes is no use
LEFT_BEHIND = 6             # time-outs after which an order's request is given up: to look up an address, to connect to each of its hosts, to answer
CFDS = {"NAS100": "NAS100_USD", "US500": "SPX500_USD"}

OANDA = VENDORS.add("oanda", Vendor(
    "oanda", "OANDA", "FX and metals, M1 to D1, bid and ask, and a practice account to trade on; the newest bar comes with the first quote of the next one, up to a minute late. Practice accounts only.",
    "https://api-fxpractice.oanda.com", "TIDEMARK_OANDA_URL",
    (Need(TOKEN, "an access token of a practice account", "at OANDA under Manage API Access"), Need(ACCOUNT, "the number of that account", "at OANDA under Accounts")), pace=(100, 1.0),
))  # fmt: skip


@cache
def symbols() -> Mapping[str, str]:
    """What OANDA calls an instrument, by our name.

    >>> symbols()["USDJPY"], symbols()["US500"], "ES=F" in symbols()
    ('USD_JPY', 'SPX500_USD', False)
    """
    pairs = {row.name: f"{row.base}_{row.quote}" for row in instruments().values() if row.kind in ("fx", "metal")}
    return {**pairs, **{name: symbol for name, symbol in CFDS.items() if name in instruments()}}


def wire_of(connection: Connection) -> Wire:
    """The same one for the same connection, so that pages come over one lasting session."""
    if OANDA.name not in connection.kept:
        connection.kept[OANDA.name] = Wire(connection)
    return connection.kept[OANDA.name]


def symbol_of(name: str) -> str:
    if name not in symbols():
        raise BadRequest(f"OANDA has no {name}; it has {listed(symbols(), 12)}")
    return symbols()[name]


class Answered(Exception):
    """An answer that is a refusal: its status and what it says."""

    def __init__(self, status: int, body: Mapping[str, Any]) -> None:
        super().__init__(f"OANDA answered {status}: {body.get('errorMessage', 'no reason given')}")
        self.status, self.body = status, body


class Wire:
    """The SDK over a connection of ours, and what the answers tell of the vendor's clock."""

    def __init__(self, connection: Connection) -> None:
        from oandapyV20 import API

        OANDA.require(connection.keys)
        logging.getLogger("oandapyV20").setLevel(logging.CRITICAL)          # it logs addresses, and the account is in them
        self.connection, self.account = connection, connection.keys[ACCOUNT]
        self._token, self._api, self._streams = connection.keys[TOKEN], API, False
        self._dated: tuple[datetime, float] | None = None
        self._client = self._client_of(stream=False)

    def ask(self, endpoint: Any, tries: int = TRIES) -> dict[str, Any]:
        """The answer to a request that may be made again. BadRequest if the vendor refuses it, SourceUnavailable if it does not answer."""
        try:
            return self.connection.call(lambda: self._request(endpoint), tries=tries, deadline=self.connection.timeout)
        except Answered as error:
            raise Refused(str(error)) from None

    def look(self, endpoint: Any) -> dict[str, Any] | None:
        """As ``ask``; None where the vendor has no such thing (404)."""
        try:
            return self.connection.call(lambda: self._request(endpoint), tries=TRIES, deadline=self.connection.timeout)
        except Answered as error:
            if error.status != 404:
                raise Refused(str(error)) from None
            return None

    def tell(self, endpoint: Any) -> dict[str, Any]:
        """The answer to a request that must not be made again. AnswerLost if it may have arrived, SourceUnavailable if it did not, Answered if it is refused.

        Its time-outs are those of every request, but it is waited for until they have ended it: one left behind in a slow connection could still leave later.
        """
        try:
            return self.connection.call(lambda: self._request(endpoint), tries=1, deadline=LEFT_BEHIND * self.connection.timeout)
        except SourceUnavailable as error:
            last = self.connection.last
            if isinstance(last, Transient) and not last.sent:
                raise
            raise AnswerLost(str(error)) from None

    def lines(self, endpoint: Any) -> Iterator[dict[str, Any]]:
        """What a stream sends, until it ends: then SourceUnavailable, as when nothing comes for 15 s, not even a heartbeat."""
        import requests
        from oandapyV20.exceptions import V20Error

        client = self._client_of(stream=True)
        try:
            yield from client.request(endpoint)
            why = "it was closed"
        except V20Error as error:
            raise Refused(f"OANDA refused the stream ({error.code})") from None
        except (Transient, requests.RequestException, ValueError) as error:
            why = error.reason if isinstance(error, Transient) else "nothing came for 15 s" if "timed out" in str(error) else "it was cut"
        finally:
            client.close()
        raise SourceUnavailable(f"OANDA's stream ended: {why}; connect again, and read what was missed")

    @property
    def now(self) -> datetime | None:
        """The vendor's time, by the last answer and what has passed since; None before the first."""
        if self._dated is None:
            return None
        date, then = self._dated
        return date + timedelta(seconds=self.connection.clock.monotonic() - then)

    def _client_of(self, stream: bool) -> Any:
        client = self._api(access_token=self._token, environment="practice")
        session = self.connection.session(stream=stream)
        session.headers.update(client.client.headers)
        session.hooks["response"].append(self._hear)
        client.client = session
        return client

    def _request(self, endpoint: Any) -> dict[str, Any]:
        from oandapyV20.exceptions import V20Error

        try:
            return self._client.request(endpoint)
        except V20Error as error:
            try:
                body = json.loads(error.msg)
            except ValueError:
                body = {}
            raise Answered(error.code, body if isinstance(body, dict) else {}) from None
        except ValueError:
            raise Transient("its answer is incomplete JSON") from None

    def _hear(self, response: Response, **_: Any) -> None:
        with suppress(TypeError, ValueError):
            self._dated = parsedate_to_datetime(response.headers["Date"]).astimezone(UTC), self.connection.clock.monotonic()
