"""One channel: what it is due goes out, at most 20 calls a minute, the rest as one summary; what fails is tried again for a day.

A call is recorded before it is made and its success after it. So a process that is killed between the two sends that message once more; nothing is lost.
Nothing is locked while the channel answers.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from worker.notifications.apprise_channel import Send
from worker.notifications.channels import Channel
from worker.notifications.wording import head_of, letter_of
from worker.store import Store, Unit
from worker.store.message_sends import SENT, Due

log = logging.getLogger("notifications")
A_MINUTE, MINUTE = 20, timedelta(minutes=1)
FIRST, LONGEST = timedelta(seconds=5), timedelta(minutes=10)
A_DAY, KEPT = timedelta(days=1), timedelta(days=3)
ACTOR = "tidemark"


class Sender:
    """``step`` is called every second. ``now``: the database's clock; ``holds``: whether this process may use the channel."""

    def __init__(self, store: Store, channel: Channel, send: Send, fingerprint: Callable[[], str] = lambda: "", now: Callable[[Unit], datetime] = Unit.now) -> None:
        self._store, self.channel, self._send, self._fingerprint, self._now = store, channel, send, fingerprint, now
        self._forgot: datetime | None = None

    def step(self) -> int:
        """Send what is due as far as the minute allows; the number of calls."""
        self._take_in()
        calls = 0
        while batch := self._next():
            calls += 1
            if not self._deliver(batch):
                break
        return calls

    def _take_in(self) -> None:
        name = self.channel.name
        with self._store.read() as unit:
            now = self._now(unit)
            if not unit.message_sends.news(name) and not self._any_old(now):
                return
        with self._store.unit() as unit:
            unit.message_sends.take_in(name, self.channel.severities, now, A_DAY)
            self._leave(unit, now)

    def _any_old(self, now: datetime) -> bool:
        """Whether it is time to look for what is given up, or forgotten."""
        return self._forgot is None or now - self._forgot >= MINUTE

    def _leave(self, unit: Unit, now: datetime) -> None:
        name, self._forgot = self.channel.name, now
        if left := unit.message_sends.give_up(name, now - A_DAY, now):
            sentence = f"{len(left)} message{'' if len(left) == 1 else 's'} could not be sent over {name} for a day."
            unit.audit(ACTOR, "notification_given_up", f"channel:{name}", messages=left[:100], count=len(left), sentence=sentence)
            log.warning("%s", sentence)
        unit.message_sends.forget(now - KEPT)

    def _next(self) -> list[Due]:
        """The messages of the next call: one, or with the last call of the minute all that are left."""
        with self._store.read() as unit:
            now = self._now(unit)
            left = A_MINUTE - unit.message_sends.calls_since(self.channel.name, now - MINUTE)
            due = unit.message_sends.due(self.channel.name, now) if left > 0 else []
        return due[:1] if left > 1 else due

    def _deliver(self, batch: Sequence[Due]) -> bool:
        name = self.channel.name
        with self._store.unit() as unit:
            now = self._now(unit)
            call = unit.message_sends.begin(name, batch, now, [now + wait_after(each.attempts) for each in batch])
            head = head_of(unit, self._fingerprint())
        sent = self._send(letter_of([each.message for each in batch], head))
        if sent:
            with self._store.unit() as unit:
                unit.message_sends.end(name, call, SENT, self._now(unit))
        else:
            log.warning("%s did not take %s message%s; trying again", name, len(batch), "" if len(batch) == 1 else "s")
        return sent


def wait_after(attempts: int) -> timedelta:
    """Time until the next attempt after so many earlier ones: 5 s, doubling up to 10 min.

    >>> [wait_after(attempts).seconds for attempts in (0, 1, 2, 6, 7, 300)]
    [5, 10, 20, 320, 600, 600]
    """
    return min(FIRST * 2 ** min(attempts, 10), LONGEST)


