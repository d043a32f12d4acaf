"""The clients of ``benchmarks.clients``, in a process of their own: each asks once a second over one connection, and sends the tag of what it has.

One loop with sockets, for they share the machine with what they measure: a fifth of a millisecond of a core for each answer.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

PATHS = ("/jobs?limit=20", "/paper/sessions", "/paper/sessions/polled", "/signals/latest", "/audit/events?limit=20", "/analytics/overview", "/data")
EVERY, LONGEST = 1.0, 60.0      # seconds; between two requests of a client, and until an answer that does not come is none


def main() -> None:
    json.dump(asyncio.run(_polled(json.load(sys.stdin))), sys.stdout)


async def _polled(requested: dict[str, Any]) -> dict[str, Any]:
    seconds, statuses, slowest = list[float](), Counter[str](), dict[str, float]()
    tokens, until = requested["tokens"], time.monotonic() + requested["seconds"]

    async def client(number: int) -> None:
        await asyncio.sleep(number / len(tokens) * EVERY)
        async for path, status, took in _answers(requested["port"], tokens[number], number, until):
            seconds.append(took)
            statuses[status] += 1
            slowest[path] = max(took, slowest.get(path, 0.0))

    await asyncio.gather(*(client(number) for number in range(len(tokens))))
    return dict(seconds=seconds, statuses=statuses, slowest=slowest, own=time.process_time())


async def _answers(port: int, token: str, number: int, until: float) -> AsyncIterator[tuple[str, str, float]]:
    """Path, status and seconds of each answer."""
    connection, tags, turn = None, dict[str, str](), number
    while (began := time.monotonic()) < until:
        path = PATHS[turn % len(PATHS)]
        turn += 1
        try:
            async with asyncio.timeout(LONGEST):
                connection = connection or await asyncio.open_connection("127.0.0.1", port)
                status, tags[path] = await _asked(*connection, port, token, path, tags.get(path, ""))
        except (OSError, EOFError, ValueError) as error:
            connection, status = None, type(error).__name__
        yield path, status, time.monotonic() - began
        await asyncio.sleep(max(0.0, began + EVERY - time.monotonic()))


async def _asked(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int, token: str, path: str, tag: str) -> tuple[str, str]:
    """Status and tag of an answer, which is read to its end."""
    own = f"If-None-Match: {tag}\r\n" if tag else ""
    writer.write(f"GET /api/v1{path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\n{own}\r\n".encode())
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    status = first.split()[1]
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    await reader.readexactly(0 if status == "304" else int(headers["content-length"]))
    return status, headers.get("etag", "")


if __name__ == "__main__":
    main()
