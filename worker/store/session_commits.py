"""What sessions worked, written at once: whole instants, under the fencing token of who works on them.

Many sessions share one transaction. Commits of a session are numbered: a commit whose answer was lost is recognised when it
is tried again, and one of a runner that lost its lease writes nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy import Connection, bindparam, select

from domain.live.tape import COLUMNS as BAR
from domain.live.tape import TapeBar
from worker.store.engine import insert
from worker.store.schema import leases, session_commands, session_rows, session_states, session_tape
from worker.store.session_tape import Output
from worker.store.sessions import lease_of

Verdict = Literal["written", "there", "fenced"]


@dataclass(frozen=True)
class WorkedCommand:
    """``ts``: under which it stands on the tape. ``answer``: empty, or why it was refused."""

    number: int
    ts: int
    answer: str = ""


@dataclass(frozen=True)
class Commit:
    """One session's whole instants, its ``number``-th commit. ``ts``: the last instant; ``bars_before``: rows of the tape before these;
    ``rows``: the last number of each kind of output after these."""

    session: str
    epoch: int
    number: int
    ts: int
    bars_before: int
    state: bytes
    opened: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    rows: Mapping[str, int] = field(default_factory=dict)
    view: Mapping[str, Any] = field(default_factory=dict)
    tape: Sequence[TapeBar] = ()
    outputs: Sequence[Output] = ()
    commands: Sequence[WorkedCommand] = ()
    broker: Mapping[str, Any] = field(default_factory=dict)


class SessionCommits:
    def __init__(self, connection: Connection) -> None:
        self._c = connection

    def judge(self, commits: Sequence[Commit]) -> dict[str, Verdict]:
        """Of each session whether its commit may be written, is there already, or its lease was lost. Until this unit commits, no lease among them changes."""
        held = {commit.session: commit for commit in commits}
        query = (
            select(session_states.c.session, session_states.c.commits, leases.c.epoch, leases.c.owner)
            .join(leases, leases.c.name == sa.literal("session:") + session_states.c.session)
            .where(session_states.c.session.in_(sorted(held)))
            .order_by(session_states.c.session)
        )
        found = {name: (commits_, epoch, owner) for name, commits_, epoch, owner in self._c.execute(query.with_for_update())}
        return {name: _verdict(commit, found.get(name)) for name, commit in held.items()}

    def write(self, commits: Sequence[Commit], at: datetime) -> None:
        """Those that ``judge`` found may be written."""
        if not commits:
            return
        self._states(commits, at)
        self._tape(commits)
        self._outputs(commits)
        self._worked(commits)

    def _states(self, commits: Sequence[Commit], at: datetime) -> None:
        statement = sa.update(session_states).where(session_states.c.session == bindparam("named")).values(
            commits=bindparam("commits"), ts=bindparam("ts"), bars=bindparam("bars"), state=bindparam("state"), opened=bindparam("opened"), rows=bindparam("rows"),
            view=bindparam("view"), broker=bindparam("broker"), at=bindparam("at"),
        )  # fmt: skip
        values = [
            dict(named=c.session, commits=c.number, ts=c.ts, bars=c.bars_before + len(c.tape), state=c.state, opened=dict(c.opened), rows=dict(c.rows), view=dict(c.view), broker=dict(c.broker), at=at)
            for c in commits
        ]
        self._c.execute(statement, values)

    def _tape(self, commits: Sequence[Commit]) -> None:
        values = [
            _bar_values(bar, session=c.session, number=number)
            for c in commits
            for number, bar in enumerate(c.tape, c.bars_before + 1)
        ]
        if values:
            self._c.execute(sa.insert(session_tape), values)

    def _outputs(self, commits: Sequence[Commit]) -> None:
        """An equity row or a proposal may be written again, under its number."""
        values = [dict(session=c.session, kind=o.kind, number=o.number, ts=o.ts, row=o.row) for c in commits for o in c.outputs]
        if values:
            statement = insert(self._c, session_rows)
            again = dict(ts=statement.excluded.ts, row=statement.excluded.row)
            self._c.execute(statement.on_conflict_do_update(index_elements=["session", "kind", "number"], set_=again), values)

    def _worked(self, commits: Sequence[Commit]) -> None:
        values = [dict(named=c.session, numbered=worked.number, ts_worked=worked.ts, said=worked.answer) for c in commits for worked in c.commands]
        if values:
            which = sa.and_(session_commands.c.session == bindparam("named"), session_commands.c.number == bindparam("numbered"))
            self._c.execute(sa.update(session_commands).where(which).values(worked=bindparam("ts_worked"), answer=bindparam("said")), values)

    def hold(self, session: str, epoch: int) -> bool:
        """Whether this runner holds the session still; until this unit commits nobody takes it."""
        which = sa.and_(leases.c.name == lease_of(session), leases.c.epoch == epoch, leases.c.owner.is_not(None))
        return self._c.scalar(select(leases.c.epoch).where(which).with_for_update()) is not None


def _verdict(commit: Commit, found: tuple[int, int, str | None] | None) -> Verdict:
    if found is None or found[2] is None or found[1] != commit.epoch:
        return "fenced"
    return {commit.number - 1: "written", commit.number: "there"}.get(found[0], "fenced")  # type: ignore[return-value]


def _bar_values(bar: TapeBar, **place: Any) -> dict[str, Any]:
    values = {name: getattr(bar, name) for name in BAR}
    return place | values | dict(volume=_number(bar.volume), spread=_number(bar.spread))


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value
