"""Requests of programs that name a key: the same one is answered once, however often it is sent."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from domain.errors import BadRequest
from worker.desk.context import DeskContext

KEPT, WAITS = timedelta(days=1), timedelta(minutes=2)
LONGEST = 128


@dataclass(frozen=True)
class Answered:
    """The answer that a request had before; ``open``: it has none yet; ``other``: another request had its key."""

    status: int
    headers: Mapping[str, str]
    body: str
    open: bool
    other: bool


class Requests:
    def __init__(self, context: DeskContext) -> None:
        self._context = context

    def begin(self, key: str, method: str, address: str, body: bytes) -> Answered | None:
        """None where this request is to be worked on; then ``end`` follows."""
        if not 0 < len(key) <= LONGEST or not key.isprintable():
            raise BadRequest(f"an Idempotency-Key has 1 to {LONGEST} printable letters, and one of {len(key)} was given")
        digest = hashlib.sha256(b"\0".join((method.encode(), address.encode(), body))).hexdigest()
        with self._context.store.unit() as unit:
            earlier = unit.api_requests.take(self._context.user, key, digest, unit.now(), KEPT, WAITS)
        if earlier is None:
            return None
        return Answered(earlier.status, earlier.headers, earlier.body, earlier.status == 0, earlier.digest != digest)

    def end(self, key: str, status: int, headers: Mapping[str, str], body: str) -> None:
        """Keep the answer. One that failed for reasons that pass is forgotten, so that the request may be sent again."""
        with self._context.store.unit() as unit:
            if status >= 500 or status == 429:
                unit.api_requests.free(self._context.user, key)
            else:
                unit.api_requests.answer(self._context.user, key, status, dict(headers), body)

    def forget_old(self) -> int:
        with self._context.store.unit() as unit:
            return unit.api_requests.forget(unit.now() - KEPT)
