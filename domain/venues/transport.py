"""The session that carries requests to a vendor, or to its double on this machine: timed, and honest about trouble."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from domain.venues.http import Transient, retry_after

if TYPE_CHECKING:
    import requests

    from domain.venues.http import Connection

STREAM_TIMEOUT = 15.0       # seconds without a line, after which a stream is dead


def session(connection: Connection, stream: bool, watched: str) -> requests.Session:
    """As ``Connection.session``."""
    import requests

    session = requests.Session()
    adapter: Any = Carrier(connection, stream, watched)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    if connection.double:
        session.trust_env = False          # no proxy stands between this machine and itself
    return session


class Carrier:
    """An adapter of requests: sends to the double where there is one, with a time-out; reads the whole body; raises and remembers trouble."""

    def __init__(self, connection: Connection, stream: bool, watched: str) -> None:
        from requests.adapters import HTTPAdapter

        self._connection, self._stream, self._watched, self._inner = connection, stream, watched, HTTPAdapter()

    def close(self) -> None:
        self._inner.close()

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        """The answer. Raises Transient or Refused."""
        import requests

        if self._connection.double:
            request.url = moved(str(request.url), self._connection.url)
        own, turn = self._connection.timeout, self._connection.turn
        timed = dict(stream=self._stream, timeout=(own, STREAM_TIMEOUT if self._stream else own))
        if self._watched not in urlsplit(str(request.url)).path:
            return self._inner.send(request, **(options | timed))
        try:
            response = self._inner.send(request, **(options | timed))
            self._look(response, turn)
            return response
        except (requests.RequestException, Transient) as error:
            trouble = error if isinstance(error, Transient) else trouble_of(error, own)
            self._connection.remember(trouble, turn)
            raise trouble from None

    def _look(self, response: requests.Response, turn: int) -> None:
        """Raise Transient where another try may help; remember a refusal, and forget it where the next request is let in."""
        status = response.status_code
        if status == 429 or status >= 500:
            reason = "it asks for fewer requests (429)" if status == 429 else f"it has trouble of its own ({status})"
            raise Transient(reason, retry_after(response.headers, self._connection.clock.utc_ns()))
        self._connection.remember(self._connection.not_allowed(status) if status in (401, 403) else None, turn)
        if not self._stream and status < 400:       # read here, so that a cut body is trouble too
            is_json(response.content) if "json" in response.headers.get("Content-Type", "") else response.content


def is_json(body: bytes) -> None:
    """Transient where the body is no whole JSON."""
    try:
        json.loads(body)
    except ValueError:
        raise Transient("its answer is incomplete JSON") from None


def moved(url: str, base: str) -> str:
    """``url`` on the server of ``base``.

    >>> moved("https://query2.finance.yahoo.com/v8/finance/chart/EURUSD=X?range=1d", "http://127.0.0.1:9")
    'http://127.0.0.1:9/v8/finance/chart/EURUSD=X?range=1d'
    >>> moved("http://127.0.0.1:9/x/y", "http://127.0.0.1:9/x")
    'http://127.0.0.1:9/x/y'
    """
    if url == base or url.startswith((base + "/", base + "?")):
        return url
    here, there = urlsplit(base), urlsplit(url)
    return urlunsplit((here.scheme, here.netloc, here.path.rstrip("/") + there.path, there.query, ""))


def trouble_of(error: requests.RequestException, timeout: float) -> Transient:
    """What a failed request means, without its address, which may hold a key."""
    import requests

    if isinstance(error, requests.ConnectTimeout):
        return Transient(f"no connection within {timeout:g} s", sent=False)
    if isinstance(error, requests.Timeout):
        return Transient(f"no answer within {timeout:g} s")
    if isinstance(error, requests.exceptions.ChunkedEncodingError | requests.exceptions.ContentDecodingError):
        return Transient("its answer was cut")
    if isinstance(error, requests.ConnectionError):
        return Transient("the connection failed", sent="Failed to establish" not in str(error) and "Max retries" not in str(error))
    return Transient(f"the request failed ({type(error).__name__})")
