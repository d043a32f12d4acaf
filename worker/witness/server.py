"""The witness as a small HTTP server of the standard library."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

from domain.errors import BadRequest
from worker.witness.decision import TEXT, Answer, Witness
from worker.witness.protocol import ADD, KEY, KEYS, LARGEST, LATEST


class Server(ThreadingHTTPServer):
    """Listens once it is made; ``serve_forever`` answers."""

    daemon_threads = True

    def __init__(self, host: str, port: int, witness: Witness) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.witness = witness
        try:
            super().__init__((host, port), Handler)
        except (OSError, OverflowError) as error:
            raise BadRequest(f"cannot listen on {host}:{port}: {getattr(error, 'strerror', None) or error}. Choose another with --listen") from None

    @property
    def url(self) -> str:
        host, port = self.server_address[:2]
        return f"http://[{host!s}]:{port}" if self.address_family == socket.AF_INET6 else f"http://{host!s}:{port}"

    def stop_at_signals(self) -> None:
        """SIGINT and SIGTERM end ``serve_forever``."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: threading.Thread(target=self.shutdown, daemon=True).start())


class Handler(BaseHTTPRequestHandler):
    server: Server
    server_version, sys_version = "tidemark-witness", ""
    timeout = 10.0          # seconds for each read and write

    def do_POST(self) -> None:
        """``ADD`` and ``KEYS``."""
        take: Callable[[str], Answer] | None = {ADD: self.server.witness.add_checkpoint, KEYS: self.server.witness.add_keys}.get(self.path)
        length = self.headers.get("Content-Length", "")
        if take is None:
            return self._send(Answer(404, "there is nothing at this path\n"))
        if not length.isascii() or not length.isdigit() or int(length) > LARGEST:
            return self._send(Answer(413, f"a body has a Content-Length of at most {LARGEST} bytes\n"))
        try:
            body = self.rfile.read(int(length)).decode()
        except UnicodeDecodeError:
            return self._send(Answer(400, "the body is not UTF-8 text\n"))
        self._send(take(body))

    def do_GET(self) -> None:
        """``KEY`` and ``LATEST``."""
        if self.path == KEY:
            self._send(Answer(200, f"{self.server.witness.key.verifier.text}\n"))
        elif self.path.startswith(LATEST):
            self._send(self.server.witness.latest(unquote(self.path.removeprefix(LATEST))))
        else:
            self._send(Answer(404, "there is nothing at this path\n"))

    def _send(self, answer: Answer) -> None:
        content = answer.body.encode()
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.type if answer.status != 200 else TEXT)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)
        self.close_connection = True
