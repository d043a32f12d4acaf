"""The clients of ``benchmarks.clients``, in a process of their own: each asks once a second over one connection, and sends the tag of what it has."""

from __future__ import annotations

import http.client
import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator

PATHS = ("/jobs?limit=20", "/paper/sessions", "/paper/sessions/polled", "/signals/latest", "/audit/events?limit=20", "/analytics/overview", "/data")
EVERY = 1.0     # seconds


def main() -> None:
    requested = json.load(sys.stdin)
    until, lock = time.monotonic() + requested["seconds"], threading.Lock()
    seconds, statuses = list[float](), Counter[str]()

    def client(number: int, token: str) -> None:
        for status, took in _answers(requested["port"], token, number, until):
            with lock:
                seconds.append(took)
                statuses[status] += 1

    threads = [threading.Thread(target=client, args=each) for each in enumerate(requested["tokens"])]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    json.dump(dict(seconds=seconds, statuses=statuses), sys.stdout)


def _answers(port: int, token: str, number: int, until: float) -> Iterator[tuple[str, float]]:
    """Status and seconds of each answer."""
    connection, tags, turn = http.client.HTTPConnection("127.0.0.1", port, timeout=60), dict[str, str](), number
    time.sleep(number % 100 / 100 * EVERY)
    while (began := time.monotonic()) < until:
        path = PATHS[turn % len(PATHS)]
        turn += 1
        try:
            connection.request("GET", f"/api/v1{path}", headers={"authorization": f"Bearer {token}", **({"if-none-match": tags[path]} if path in tags else {})})
            answer = connection.getresponse()
            answer.read()
            tags[path] = answer.headers.get("etag", "")
            yield str(answer.status), time.monotonic() - began
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            yield type(error).__name__, time.monotonic() - began
        time.sleep(max(0.0, began + EVERY - time.monotonic()))


if __name__ == "__main__":
    main()
