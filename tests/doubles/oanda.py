"""OANDA's practice server on this machine: HTTP to the real oandapyV20, over the account of ``oanda_account``. Its faults are switched on by tests.

What it sends has the fields of the SDK's own samples (``oandapyV20.endpoints.responses``); a test compares them.
"""

from __future__ import annotations

import json
import re
import socket
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.doubles.oanda_account import INSTRUMENTS, Account, Json, Rejected
from tests.doubles.oanda_candles import Bars, candles
from tests.doubles.oanda_play import Play

TOKEN = "canary-token-4f1d9c"
ORDER = re.compile(r"/orders/([^/]+)$")


class Oanda:
    """One practice account and its server. ``now`` is the vendor's clock; ``url`` is where it listens."""

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC), bars: Bars | None = None, port: int = 0, play: Play | None = None) -> None:
        self.now, self.token, self.bars, self.play = now, TOKEN, bars or {}, play
        self.account = Account(now)
        self.requests: list[tuple[str, str, dict[str, str]]] = []       # method, path, query
        self.lock = threading.Lock()
        self.answers: deque[str] = deque()      # what happens to the next orders or changes: lose_answer lose_request fill_first hang cut busy
        self.faults: deque[Callable[[Handler], bool]] = deque()         # called with the next requests, one each; True: it has answered
        self.after_loss: Callable[[], None] | None = None
        self.away = self.repeat = False
        self.hidden: tuple[str, datetime] | None = None                 # the order of that client id cannot be seen until then
        self.stream: list[Json] = []            # lines of the next streams
        self.silent = False                     # after them the stream stays open and nothing comes; else it ends
        self.over = threading.Event()
        server = _Server(("127.0.0.1", port), Handler)
        server.daemon_threads, server.double = True, self
        self._server = server
        self.url = f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def close(self) -> None:
        self.over.set()
        self._server.shutdown()
        self._server.server_close()

    def accepted(self) -> int:
        """Orders of clients that were accepted: not those attached to a trade, and none that was cancelled for want of margin."""
        refused = {row["orderID"] for row in self.account.transactions if row["type"] == "ORDER_CANCEL" and row["reason"] in ("INSUFFICIENT_MARGIN", "STOP_LOSS_ON_FILL_LOSS")}
        return sum(row["type"].endswith("_ORDER") and row["reason"] in ("CLIENT_ORDER", "TRADE_CLOSE") and "instrument" in row and row["id"] not in refused for row in self.account.transactions)

    def answer(self, method: str, path: str, query: dict[str, str], body: Json) -> tuple[int, Json]:
        """Status and body of one request."""
        if path.startswith("/v3/instruments/") and self.play is not None:
            return self.play.candles(path.split("/")[3], query)
        if path.startswith("/v3/instruments/"):
            return candles(self.bars, path.split("/")[3], query, int(self.now().timestamp()))
        if path == "/v3/accounts":
            return 200, {"accounts": [{"id": self.account.number, "tags": []}]}
        prefix = f"/v3/accounts/{self.account.number}"
        if not path.startswith(prefix):
            return 403, {"errorMessage": "The provided request was forbidden."}
        return self._of_account(method, path.removeprefix(prefix), query, body)

    def _of_account(self, method: str, path: str, query: dict[str, str], body: Json) -> tuple[int, Json]:
        account = self.account
        last = {"lastTransactionID": account.last}
        if method == "POST" and path == "/orders":
            return account.create(body)
        if method == "PUT":
            _, _, name, verb = path.split("/")
            return account.cancel(name) if verb == "cancel" else account.close(name, body) if verb == "close" else account.protect(name, body)
        if path == "/summary":
            return 200, {"account": account.summary(), **last}
        if path == "/instruments":
            names = query.get("instruments", ",".join(INSTRUMENTS)).split(",")
            wrong = [name for name in names if name not in INSTRUMENTS]
            return (400, {"errorMessage": f"Invalid value specified for 'instruments'. Invalid Instrument {wrong[0]}"}) if wrong else (200, {"instruments": [INSTRUMENTS[name] for name in names], **last})
        if path == "/pricing":
            return 200, {"prices": [account.price(name) for name in query["instruments"].split(",")], "time": account.time()}
        if path == "/openTrades":
            return 200, {"trades": account.open_trades(), **last}
        if path == "/pendingOrders":
            return 200, {"orders": account.pending(), **last}
        if path == "/transactions/idrange":
            return 200, {"transactions": self._record(int(query["from"]), int(query["to"]), query.get("type", "")), **last}
        if path == "/transactions/sinceid":
            return 200, {"transactions": self._record(int(query["id"]) + 1, int(account.last), query.get("type", "")), **last}
        if match := ORDER.search(path):
            order = account.order(match[1])
            return (200, {"order": order, **last}) if order and not self._hides(order) else (404, {"errorCode": "NO_SUCH_ORDER", "errorMessage": "The order ID specified does not exist", **last})
        return 404, {"errorMessage": "The Request is not supported"}

    def _record(self, first: int, last: int, kinds: str) -> list[Json]:
        wanted = {"ORDER_FILL" if kind == "ORDER_FILL" else kind for kind in kinds.split(",") if kind}
        rows = [row for row in self.account.transactions[max(0, first - 1) : last] if not wanted or row["type"] in wanted]
        rows = [row for row in rows if not (row["type"].endswith("_ORDER") and self._hides(row))]
        return [again for row in rows for again in ((row, row) if self.repeat and row["type"] == "ORDER_FILL" else (row,))]

    def _hides(self, order: Json) -> bool:
        return self.hidden is not None and order.get("clientExtensions", {}).get("id") == self.hidden[0] and self.now() < self.hidden[1]

    def hide(self, client_id: str, seconds: float) -> None:
        """For so long the order of that id is not shown, though its fill is."""
        self.hidden = client_id, self.now() + timedelta(seconds=seconds)


class _Server(ThreadingHTTPServer):
    double: Oanda

    def handle_error(self, request: Any, address: Any) -> None:
        """A caller that hung up is no error of ours."""


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version, server = "HTTP/1.1", _Server
    disable_nagle_algorithm = True

    def log_message(self, *_: Any) -> None: ...

    def date_time_string(self, timestamp: float | None = None) -> str:
        """The header Date, by the vendor's clock."""
        return format_datetime(self.server.double.now(), usegmt=True)

    def do_GET(self) -> None:
        self._serve({})

    def do_POST(self) -> None:
        self._serve(json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}"))

    do_PUT = do_POST

    def _serve(self, body: Json) -> None:
        double: Oanda = self.server.double
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        double.requests.append((self.command, parts.path, query))
        if double.away or (double.play is not None and double.play.away):
            return self.hang_up()
        if self.headers.get("Authorization") != f"Bearer {double.token}":
            return self.send(401, {"errorMessage": "Insufficient authorization to perform request."})
        if double.faults and double.faults.popleft()(self):
            return None
        if parts.path.endswith("/stream"):
            return self._stream(double, query)
        changes = self.command != "GET"
        fault = double.answers.popleft() if changes and double.answers else ""
        if fault == "lose_request":
            return self.hang_up()
        if fault == "busy":
            return self.send(503, {"errorMessage": "busy"}, {"Retry-After": "1"})
        if fault == "fill_first":
            double.hide(body["order"]["clientExtensions"]["id"], 60)
        with double.lock:
            try:
                status, answer = double.answer(self.command, parts.path, query, body)
            except Rejected as rejected:
                status, answer = rejected.status, rejected.answer
        if fault == "hang":
            double.over.wait(20)
        if fault == "cut":
            self.close_connection = True
            body = json.dumps(answer).encode()
            return self.send_bytes(status, body[: len(body) // 2], {}, len(body))
        if fault:
            if double.after_loss:
                double.after_loss()
            return self.hang_up()
        self.send(status, answer)

    def send(self, status: int, answer: Json, headers: dict[str, str] | None = None) -> None:
        self.send_bytes(status, json.dumps(answer).encode(), headers or {})

    def send_bytes(self, status: int, body: bytes, headers: dict[str, str], length: int | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(body) if length is None else length), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def hang_up(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def _stream(self, double: Oanda, query: dict[str, str]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for line in _lines(double.stream if double.play is None else double.play.lines(query.get("instruments", "").split(","), double.over)):
            self.wfile.write(f"{len(line):x}\r\n".encode() + line + b"\r\n")
            self.wfile.flush()
        if double.silent:
            double.over.wait(20)
        else:
            self.wfile.write(b"0\r\n\r\n")
        self.close_connection = True


def _lines(rows: Iterable[Json]) -> Iterator[bytes]:
    return (json.dumps(row).encode() + b"\n" for row in rows)


def main(port: int, days: int = 60) -> None:
    """Serve an account and the bars of the last ``days`` days, made up, until it is interrupted."""
    from domain.market import Timeframe, instrument
    from domain.market.bars import frame, ts_of
    from domain.venues.synthetic import RegimeSwitching, generate
    from tests.doubles.oanda_candles import rows_of

    now, bars = datetime.now(UTC), {}
    for name, symbol, price in (("EURUSD", "EUR_USD", 1.1), ("USDJPY", "USD_JPY", 150.0), ("XAUUSD", "XAU_USD", 2_350.0)):
        for timeframe in ("M5", "M15", "M30", "H1", "H4", "D1"):
            generated = generate(RegimeSwitching(start_price=price), instrument(name), Timeframe.named(timeframe), now - timedelta(days=days), now, seed=1)
            columns = {column: generated[column].to_numpy() for column in generated.columns.drop("ts")}
            bars[symbol, timeframe.replace("D1", "D")] = rows_of(frame(ts_of(generated), **columns), symbol)
    double = Oanda(bars=bars, port=port)
    print(f"TIDEMARK_OANDA_URL={double.url} TIDEMARK_OANDA_TOKEN={double.token} TIDEMARK_OANDA_ACCOUNT={double.account.number}", flush=True)
    with suppress(KeyboardInterrupt):
        while not double.over.wait(1.0):
            double.account.tick()       # prices are quoted every second
    double.close()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
