"""Base of the doubles that speak HTTP: a server on a free port whose next answers can be made to fail."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass
class Reply:
    """An answer: a body of bytes, or whatever JSON takes."""

    status: int = 200
    body: Any = b""
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def content(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


@dataclass(frozen=True)
class HttpRequest:
    """A request as it came."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


class Double:
    """Subclasses give ``reply``. ``fail`` makes the next requests whose path holds ``watched`` fail, one fault each:

    a status (401, 429 with ``retry_after``, 500, 503); ``"cut"`` a body that ends in its middle, though its length
    says more; ``"broken"`` half of the JSON as if it were whole; ``"half-open"`` a connection on which nothing comes;
    ``"slow"`` a byte a moment; ``"closed"`` a connection that is shut before a word.
    """

    watched = "/"

    def __init__(self) -> None:
        self.requests: list[HttpRequest] = []
        self.faults: list[tuple[int | str, str]] = []
        self.over = threading.Event()

    def reply(self, requested: HttpRequest) -> Reply:
        raise NotImplementedError

    def fail(self, fault: int | str, times: int = 1, retry_after: str = "") -> None:
        self.faults += [(fault, retry_after)] * times

    @property
    def watched_requests(self) -> list[HttpRequest]:
        return [requested for requested in self.requests if self.watched in requested.path]

    @contextmanager
    def serve(self) -> Iterator[str]:
        """Its address, while it runs."""
        server = Quiet(("127.0.0.1", 0), _handler(self))
        thread = threading.Thread(target=server.serve_forever, kwargs=dict(poll_interval=0.01), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            self.over.set()
            server.shutdown()
            server.server_close()


class Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever asked has gone: that is what these tests are about."""


def _handler(double: Double) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            pass

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            requested = HttpRequest(self.command, parts.path, dict(parse_qsl(parts.query, keep_blank_values=True)), dict(self.headers.items()), body)
            double.requests.append(requested)
            fault, after = double.faults.pop(0) if double.faults and double.watched in parts.path else ("", "")
            if isinstance(fault, int):
                return self.send(Reply(fault, {"error": f"made to answer {fault}"}, {"Retry-After": after} if after else {}))
            if fault == "half-open":
                double.over.wait(20)
                return None
            if fault == "closed":
                self.close_connection = True
                return None
            reply = double.reply(requested)
            if fault == "broken":
                reply = Reply(reply.status, reply.content[: len(reply.content) // 2], reply.headers)
            self.send(reply, cut=fault == "cut", slow=fault == "slow")
            return None

        do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

        def send(self, reply: Reply, cut: bool = False, slow: bool = False) -> None:
            try:
                self.send_response(reply.status)
                headers = {"Content-Type": "application/json", "Content-Length": str(len(reply.content)), **reply.headers}
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                if slow:
                    for at in range(len(reply.content)):
                        self.wfile.write(reply.content[at : at + 1])
                        if double.over.wait(0.05):
                            return
                self.wfile.write(reply.content[: len(reply.content) // 2] if cut else reply.content)
                self.close_connection = self.close_connection or cut
            except OSError:         # whoever asked has gone
                self.close_connection = True

    return Handler


def run(double: Double, words: str) -> None:
    """Serve a double by itself until it is interrupted, to try a download without its vendor. ``words`` say how it is used, {} is its address."""
    with double.serve() as address:
        print(words.format(address), flush=True)
        with suppress(KeyboardInterrupt):
            double.over.wait()
