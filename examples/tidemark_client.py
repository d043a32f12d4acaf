"""A thin client of Tidemark's API: standard library only, one file to copy.

    from tidemark_client import Client

    desk = Client("http://127.0.0.1:8501")                    # token="tidemark_…" where the server asks for one
    job = desk.post("/data/synthetic", dict(model="gbm", instrument="EURUSD", timeframe="H1", start="2024-01-01", end="2024-06-01"), wait=60)
    run = desk.post("/backtests", dict(strategy="breakout", datasets=[job["result"]["dataset"]], timeframe="H1"), wait=120)
    print(desk.get(f"/backtests/{run['result']['run']}")["summary"]["metrics"]["sharpe"])
"""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Iterator
from typing import Any


class Refused(Exception):
    """The server's sentence. ``status``: of the answer; ``problem``: all of it."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        super().__init__(problem.get("detail", f"status {status}"))
        self.status, self.problem = status, problem


class Failed(Exception):
    """A job that failed or was cancelled."""


class Client:
    """``address``: of the server, as http://127.0.0.1:8501. ``token``: made by ``tidemark tokens create``."""

    def __init__(self, address: str = "http://127.0.0.1:8501", token: str = "", timeout: float = 120.0) -> None:
        self._address, self._token, self._timeout = address.rstrip("/"), token, timeout

    def get(self, path: str, **query: Any) -> Any:
        return self._request("GET", path, query)

    def post(self, path: str, body: Any = None, wait: float = 0.0, key: str = "") -> Any:
        """``wait``: seconds until the job that was made must have ended; its result is the answer then. ``key``: the same one is done once; left out, each call has its own, so that it may be
        sent again safely where the answer was lost."""
        headers = {"Idempotency-Key": key or uuid.uuid4().hex, **({"Prefer": f"wait={min(int(wait), 60)}"} if wait else {})}
        answer = self._request("POST", path, {}, body if body is not None else {}, headers)
        return self.ended(answer, wait) if wait and "state" in answer and "href" in answer else answer

    def put(self, path: str, body: Any) -> Any:
        return self._request("PUT", path, {}, body)

    def delete(self, path: str, **query: Any) -> Any:
        return self._request("DELETE", path, query)

    def ended(self, job: dict[str, Any], seconds: float = 3600.0) -> dict[str, Any]:
        """The job once it is done. Raises ``Failed`` with its sentence where it was not to be."""
        until = time.monotonic() + seconds
        while job["state"] in ("queued", "running"):
            if time.monotonic() > until:
                raise Failed(f"job {job['id']} is {job['state']} after {seconds:g} s; it goes on")
            time.sleep(0.25)
            job = self._request("GET", job["href"], {})
        if job["state"] != "done":
            raise Failed(f"job {job['id']} {job['state']}: {(job.get('error') or {}).get('message', '')}")
        return job

    def items(self, path: str, **query: Any) -> Iterator[dict[str, Any]]:
        """Every item of a list, part by part."""
        while True:
            part = self.get(path, **query)
            yield from part["items"]
            if not part.get("next"):
                return
            query["cursor"] = part["next"]

    def events(self, cursor: int | None = None) -> Iterator[dict[str, Any]]:
        """What happens, as it happens, from the event after ``cursor`` on; a lost connection is taken up again where it broke."""
        while True:
            query = {} if cursor is None else {"cursor": cursor}
            try:
                with self._open("GET", "/stream", query) as answer:
                    for line in answer:
                        if line.startswith(b"data: "):
                            event = json.loads(line[6:])
                            cursor = event["cursor"]
                            yield event
            except (OSError, urllib.error.URLError):
                time.sleep(1.0)

    def _request(self, method: str, path: str, query: dict[str, Any], body: Any = None, headers: dict[str, str] | None = None) -> Any:
        try:
            with self._open(method, path, query, body, headers) as answer:
                content = answer.read()
                return json.loads(content) if content and answer.headers.get_content_type().endswith("json") else content
        except urllib.error.HTTPError as error:
            raise Refused(error.code, _problem(error)) from None

    def _open(self, method: str, path: str, query: dict[str, Any], body: Any = None, headers: dict[str, str] | None = None) -> Any:
        address = self._address + (path if path.startswith("/api/") else f"/api/v1{path}")
        address += f"?{urllib.parse.urlencode(query, doseq=True)}" if query else ""
        content = None if body is None else json.dumps(body).encode()
        given = {"Accept": "application/json", **({"Content-Type": "application/json"} if content is not None else {}), **({"Authorization": f"Bearer {self._token}"} if self._token else {}), **(headers or {})}
        return urllib.request.urlopen(urllib.request.Request(address, content, given, method=method), timeout=self._timeout)


def _problem(error: urllib.error.HTTPError) -> dict[str, Any]:
    try:
        answer = json.loads(error.read())
    except ValueError:
        answer = {}
    return answer if isinstance(answer, dict) else {}
