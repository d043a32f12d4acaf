"""Programs that ask together are looked up together, each as it is after it came; when they were used is kept after their answers."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Collection
from typing import Any

from app.api.callers import Callers
from worker.desk import Actor, Desk
from worker.store import Store


class Slow(Desk):
    """A desk whose first look at tokens waits until it may go on."""

    def __init__(self, desk: Desk) -> None:
        self.tokens, self.looked, self.go = self, list[set[str]](), threading.Event()      # type: ignore[assignment]
        self._desk = desk

    def actors_of(self, secrets: Collection[str]) -> tuple[dict[str, Actor], set[str]]:
        answer = self._desk.tokens.actors_of(secrets)
        self.looked.append(set(secrets))
        if len(self.looked) == 1:
            self.go.wait(10)
        return answer

    def acting(self, actor: Actor, still: Any = None) -> Desk:
        return self._desk.acting(actor)


async def _begun(slow: Slow) -> None:
    while not slow.looked:
        await asyncio.sleep(0.001)


def test_programs_that_come_together_are_one_question_and_one_that_is_revoked_meanwhile_is_refused(desk: Desk, store: Store):
    secrets = [desk.tokens.create(f"client {number}", "viewer")[1] for number in range(20)]
    slow = Slow(desk)

    async def course() -> list[Desk | None]:
        callers = Callers(lambda: slow)
        first = asyncio.create_task(callers.desk_of(secrets[0]))
        await _begun(slow)
        desk.tokens.revoke("client 7")
        others = [asyncio.create_task(callers.desk_of(secret)) for secret in (*secrets, "nobody's")]
        await asyncio.sleep(0)
        slow.go.set()
        return [await first, *await asyncio.gather(*others)]

    desks = asyncio.run(course())
    assert slow.looked == [{secrets[0]}, {*secrets, "nobody's"}]
    assert [number for number, each in enumerate(desks[1:]) if each is None] == [7, 20]
    assert desks[0] is desks[1] and desks[2].actor.name.startswith("client 1 (")      # type: ignore[union-attr]


def test_the_last_use_of_each_is_kept_once_a_minute(desk: Desk):
    secrets = [desk.tokens.create(f"client {number}", "viewer")[1] for number in range(3)]

    async def course() -> None:
        callers = Callers(lambda: desk)
        await asyncio.gather(*(callers.desk_of(secret) for secret in secrets[:2]))
        await callers.note()

    asyncio.run(course())
    assert [each.used_at is not None for each in sorted(desk.tokens.all(), key=lambda each: each.name)] == [True, True, False]
    assert desk.tokens.actors_of(secrets[:2])[1] == set()
