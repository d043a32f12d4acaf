"""Who asks, by a token. Tokens that come while others are looked up are looked up together in the next question to the database, so a hundred programs cost little more than one.

Each is judged by a question that begins after it came: one that was revoked before is refused.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Collection

from starlette.concurrency import run_in_threadpool

from worker.desk import Actor, Desk, kinds, trouble

log = logging.getLogger("api")
MOST = 500          # desks of programs that are kept, with what they remember of sessions


class Callers:
    """``desk``: gives the desk of this process."""

    def __init__(self, desk: Callable[[], Desk]) -> None:
        self._desk, self._of = desk, desk()
        self._desks = OrderedDict[Actor, Desk]()
        self._turn, self._secrets = asyncio.Lock(), set[str]()
        self._next: asyncio.Task[dict[str, Actor]] | None = None       # a question that has not begun
        self._noting, self._used = False, set[str]()

    async def desk_of(self, secret: str) -> Desk | None:
        """The desk for whoever has this secret; None where nobody has it any more."""
        self._secrets.add(secret)
        if self._next is None or self._next.done():
            self._next = asyncio.create_task(self._look())
        actor = (await asyncio.shield(self._next)).get(secret)
        return self._acting(actor) if actor else None

    async def note(self) -> None:
        """Keep when tokens were used, after their answers: nobody waits for it, and what comes together is one write."""
        if self._noting:
            return
        self._noting = True
        try:
            while self._used:
                used, self._used = self._used, set()
                await run_in_threadpool(self._keep, used)
        finally:
            self._noting = False

    def _keep(self, used: set[str]) -> None:
        try:
            self._desk().tokens.used(used)
        except kinds() as error:        # it was answered all the same
            log.warning("the last use of %s tokens was not kept: %s", len(used), trouble(error) or type(error).__name__)

    async def _look(self) -> dict[str, Actor]:
        async with self._turn:
            secrets, self._secrets, self._next = self._secrets, set(), None
            return await run_in_threadpool(self._actors, secrets)

    def _actors(self, secrets: Collection[str]) -> dict[str, Actor]:
        actors, unseen = self._desk().tokens.actors_of(secrets)
        self._used |= unseen
        return actors

    def _acting(self, actor: Actor) -> Desk:
        desk = self._desk()
        if desk is not self._of:
            self._desks.clear()
            self._of = desk
        acting = self._desks.pop(actor, None) or desk.acting(actor)
        self._desks[actor] = acting
        if len(self._desks) > MOST:
            self._desks.popitem(last=False)
        return acting
