"""How far each message is on each channel: written once, sent once, tried again for a day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy import Connection, func, select

from worker.store.engine import insert
from worker.store.messages import WrittenMessage
from worker.store.schema import message_channels, message_sends, messages

WAITING, SENT, GIVEN_UP = "waiting", "sent", "given_up"
OVERLAP = 1_000         # numbers below the last one seen that are looked at again: a transaction may commit after a later one
MOST = 5_000            # taken in at once
KEPT = 100              # times of calls


@dataclass(frozen=True)
class Due:
    """A message to be sent now. ``attempts``: so far; ``begun_at``: when the channel took it in."""

    message: WrittenMessage
    attempts: int
    begun_at: datetime


class MessageSends:
    def __init__(self, connection: Connection) -> None:
        self._c = connection

    def take_in(self, channel: str, severities: Sequence[str], now: datetime, keep: timedelta) -> int:
        """Messages for the channel that it has not yet, none older than ``keep``; how many."""
        self._c.execute(insert(self._c, message_channels).values(name=channel, after=0, calls=0, recent=[], at=now).on_conflict_do_nothing())
        after = self._c.scalar(select(message_channels.c.after).where(message_channels.c.name == channel)) or 0
        there = select(message_sends.c.number).where(message_sends.c.channel == channel, message_sends.c.number == messages.c.number).exists()
        which = (messages.c.number > after - OVERLAP, messages.c.at > now - keep, messages.c.severity.in_(severities), sa.not_(there))
        numbers = list(self._c.scalars(select(messages.c.number).where(*which).order_by(messages.c.number).limit(MOST)))
        if numbers:
            self._c.execute(sa.insert(message_sends), [dict(channel=channel, number=number, state=WAITING, attempts=0, call=0, begun_at=now, next_at=now) for number in numbers])
        newest = numbers[-1] if len(numbers) == MOST else self._c.scalar(select(func.max(messages.c.number))) or 0
        if newest > after:
            self._c.execute(sa.update(message_channels).where(message_channels.c.name == channel).values(after=newest, at=now))
        return len(numbers)

    def news(self, channel: str) -> bool:
        """Whether a message was written since the channel last took some in: a look that writes nothing."""
        after = self._c.scalar(select(message_channels.c.after).where(message_channels.c.name == channel))
        return (self._c.scalar(select(func.max(messages.c.number))) or 0) > (after or 0)

    def due(self, channel: str, now: datetime) -> list[Due]:
        """The most severe first, then the oldest."""
        rank = sa.case({"critical": 0, "warning": 1}, value=messages.c.severity, else_=2)
        query = (
            select(*messages.c, message_sends.c.attempts, message_sends.c.begun_at)
            .join(messages, messages.c.number == message_sends.c.number)
            .where(message_sends.c.channel == channel, message_sends.c.state == WAITING, message_sends.c.next_at <= now)
            .order_by(rank, messages.c.number)
        )
        names = [column.name for column in messages.c]
        return [Due(WrittenMessage(**{name: row[name] for name in names}), row["attempts"], row["begun_at"]) for row in self._c.execute(query).mappings()]

    def calls_since(self, channel: str, since: datetime) -> int:
        """How often the channel was called after then, of the last 100 times; a summary is one call."""
        recent = self._c.scalar(select(message_channels.c.recent).where(message_channels.c.name == channel)) or []
        return sum(at > since.timestamp() for at in recent)

    def begin(self, channel: str, due: Sequence[Due], now: datetime, again: Sequence[datetime]) -> int:
        """Record the call before it is made; if it is never answered, each message is due again at its ``again``. Returns the number of the call."""
        calls, recent = self._c.execute(select(message_channels.c.calls, message_channels.c.recent).where(message_channels.c.name == channel)).one()
        values = dict(calls=calls + 1, recent=[*recent, now.timestamp()][-KEPT:])
        self._c.execute(sa.update(message_channels).where(message_channels.c.name == channel).values(**values))
        for each, at in zip(due, again, strict=True):
            self._set(channel, [each.message.number], call=calls + 1, attempts=each.attempts + 1, next_at=at)
        return calls + 1

    def end(self, channel: str, call: int, state: str, now: datetime) -> None:
        """All messages of a call are sent, or given up."""
        which = (message_sends.c.channel == channel, message_sends.c.call == call, message_sends.c.state == WAITING)
        self._c.execute(sa.update(message_sends).where(*which).values(state=state, ended_at=now))

    def give_up(self, channel: str, before: datetime, now: datetime) -> list[int]:
        """Messages that have been tried since before then, and wait no longer."""
        which = (message_sends.c.channel == channel, message_sends.c.state == WAITING, message_sends.c.begun_at <= before)
        numbers = list(self._c.scalars(select(message_sends.c.number).where(*which).order_by(message_sends.c.number)))
        if numbers:
            self._set(channel, numbers, state=GIVEN_UP, ended_at=now)
        return numbers

    def waiting(self, channel: str) -> int:
        """How many messages a channel has still to get."""
        return self._c.scalar(select(func.count()).where(message_sends.c.channel == channel, message_sends.c.state == WAITING)) or 0

    def forget(self, before: datetime) -> None:
        """Rows of what was sent or given up before then."""
        self._c.execute(sa.delete(message_sends).where(message_sends.c.ended_at < before))

    def _set(self, channel: str, numbers: Sequence[int], **values: object) -> None:
        for first in range(0, len(numbers), 500):
            some = list(numbers[first : first + 500])
            self._c.execute(sa.update(message_sends).where(message_sends.c.channel == channel, message_sends.c.number.in_(some)).values(**values))
