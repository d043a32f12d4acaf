"""The accounts of sessions; the engine is loaded when the first one is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from domain.errors import BadRequest
from domain.live.command import Command
from domain.live.plan import Plan
from domain.live.seen import Tape
from domain.live.tape import TapeBar, time_text
from domain.live.worked import Worked
from worker.sessions.opening import Booked
from worker.sessions.work import Account
from worker.store.session_tape import packed

if TYPE_CHECKING:
    from domain.live.broker_session import BrokerSession
    from domain.live.shared import Lines


class LiveAccounts:
    """``domain.live.session.Session``; those of this process that ask the same decide once."""

    def __init__(self) -> None:
        self._lines: Lines | None = None

    @property
    def lines(self) -> Lines:
        from domain.live.shared import Lines

        self._lines = self._lines or Lines()
        return self._lines

    def start(self, plan: Plan, history: Iterable[TapeBar], tape: Tape) -> Account:
        from domain.live.session import Session

        return Session.start(plan, history, plan.inputs.contexts, tape, self.lines)

    def at_broker(
        self, name: str, plan: Plan, stored: bytes | None, kept: Mapping[str, Any], history: Iterable[TapeBar], tape: Tape, commands: Sequence[Command], booked: Booked,
    ) -> BrokerSession:  # fmt: skip
        """One whose fills are a broker's, begun or as it was stored. Bytes of an earlier program are worked again, with what the broker said on record."""
        from domain.live.broker_record import Booking
        from domain.live.broker_session import BrokerSession
        from domain.live.session import OtherLayout

        if stored is None:
            return BrokerSession.start(plan, history, plan.inputs.contexts, tape).connect(name)
        try:
            return BrokerSession.restore(plan, stored, tape, plan.inputs.contexts).connect(name, kept)
        except OtherLayout:
            session, worked = BrokerSession.again(name, plan, stored, kept, tape, commands, map(Booking.of, booked("broker")), plan.inputs.contexts)
            check(worked, booked)
            return session

    def restore(self, plan: Plan, stored: bytes, tape: Tape, commands: Sequence[Command], booked: Booked) -> Account:
        """As it was stored. Bytes of an earlier program are worked again from the tape, which must give what was booked."""
        from domain.live.session import OtherLayout, Session

        try:
            return Session.restore(plan, stored, tape, plan.inputs.contexts, self.lines)
        except OtherLayout:
            session, worked = Session.rebuild(plan, stored, tape, commands, plan.inputs.contexts)
            check(worked, booked)
            return session


def check(worked: Iterable[Worked], booked: Booked) -> None:
    """Raises BadRequest where working the tape again parts from what was booked.

    >>> check([Worked(5, fills=({"fill_id": 1, "ts": 5},))], lambda kind: [{"fill_id": 1, "ts": 5}] if kind == "fills" else [])
    >>> check([Worked(5)], lambda kind: [{"fill_id": 1, "ts": 5}] if kind == "fills" else [])
    Traceback (most recent call last):
    ...
    domain.errors.BadRequest: the tape gives other fills with this program than were booked, from 1970-01-01T00:00:00.000000005Z on: nothing is traded; go on with the earlier program, or start a new session
    """
    every = list(worked)
    again = dict(fills=[row for each in every for row in each.fills], trades=[row for each in every for row in each.trades], equity=_last([each.row for each in every if each.row is not None]))
    for kind, rows in again.items():
        before = booked(kind)
        if (ts := _parts([packed(row) for row in rows], [packed(row) for row in before])) is not None:
            raise BadRequest(f"the tape gives other {kind} with this program than were booked, from {time_text(ts)} on: nothing is traded; go on with the earlier program, or start a new session")


def _last(rows: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Of each instant its last row."""
    return list({row["ts"]: row for row in rows}.values())


def _parts(again: Sequence[Mapping[str, Any]], before: Sequence[Mapping[str, Any]]) -> int | None:
    """The time of the first row in which they differ."""
    for first, other in zip(again, before, strict=False):
        if first != other:
            return int(other.get("ts", other.get("exit_ts", 0)))
    longer = again if len(again) > len(before) else before
    shorter = min(len(again), len(before))
    return int(longer[shorter].get("ts", longer[shorter].get("exit_ts", 0))) if len(longer) > shorter else None
