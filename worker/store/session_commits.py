"""What sessions worked, written at once: whole instants, under the fencing token of who works on them.

Many sessions share one transaction. Commits of a session are numbered: a commit whose answer was lost is recognised when it
is tried again, and one of a runner that lost its lease writes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy import Connection, bindparam, select

from domain.live.tape import COLUMNS as BAR
from domain.live.tape import TapeBar
from worker.store.engine import Encoded, insert
from worker.store.many import Many
from worker.store.schema import leases, session_commands, session_rows, session_states, session_tape
from worker.store.session_tape import Output
from worker.store.sessions import lease_of
from worker.store.trail import raw

Verdict = Literal["written", "there", "fenced"]
Standing = list[Any]       # of a session its commits so far, and epoch and owner of its lease
STANDING = "SELECT s.session, s.commits, l.epoch, l.owner FROM session_states s JOIN leases l ON l.name = 'session:' || s.session WHERE s.session IN (SELECT value FROM json_each(?))"


@dataclass(frozen=True)
class WorkedCommand:
    """``ts``: under which it stands on the tape. ``answer``: empty, or why it was refused."""

    number: int
    ts: int
    answer: str = ""


@dataclass(slots=True)
class Commit:
    """One session's whole instants, its ``number``-th commit. ``ts``: the last instant; ``bars_before``: rows of the tape before these;
    ``rows``: the last number of each kind of output after these."""

    session: str
    epoch: int
    number: int
    ts: int
    bars_before: int
    state: bytes
    opened: Mapping[str, Sequence[Any]] | Encoded = field(default_factory=dict)
    rows: Mapping[str, int] | Encoded = field(default_factory=dict)
    view: Mapping[str, Any] | Encoded = field(default_factory=dict)
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
        standing = self._standing_by_driver(held) if self._c.dialect.name == "sqlite" else self._standing(held)
        return {name: _verdict(commit, standing.get(name)) for name, commit in held.items()}

    def _standing_by_driver(self, names: Iterable[str]) -> dict[str, Standing]:
        """On SQLite, where nobody else writes meanwhile: one statement, however many sessions."""
        result = self._c.exec_driver_sql(STANDING, (json.dumps(list(names)),))
        return {name: row for name, *row in raw(result)}

    def _standing(self, names: Iterable[str]) -> dict[str, Standing]:
        query = (
            select(session_states.c.session, session_states.c.commits, leases.c.epoch, leases.c.owner)
            .join(leases, leases.c.name == sa.literal("session:") + session_states.c.session)
            .where(session_states.c.session.in_(sorted(names)))
            .order_by(session_states.c.session)
        )
        return {name: row for name, *row in self._c.execute(query.with_for_update())}

    def write(self, commits: Sequence[Commit], at: datetime) -> None:
        """Those that ``judge`` found may be written."""
        if not commits:
            return
        self._states(commits, at)
        self._tape(commits)
        self._outputs(commits)
        self._worked(commits)

    def _states(self, commits: Sequence[Commit], at: datetime) -> None:
        STATES.execute(self._c, [(c.session, c.number, c.ts, c.bars_before + len(c.tape), c.state, c.opened, c.rows, c.view, c.broker, at) for c in commits])

    def _tape(self, commits: Sequence[Commit]) -> None:
        BARS.execute(self._c, [(c.session, number, *_values(bar)) for c in commits for number, bar in enumerate(c.tape, c.bars_before + 1)])

    def _outputs(self, commits: Sequence[Commit]) -> None:
        OUTPUTS.execute(self._c, [(c.session, o.kind, o.number, o.ts, o.row) for c in commits for o in c.outputs])

    def _worked(self, commits: Sequence[Commit]) -> None:
        WORKED.execute(self._c, [(c.session, worked.number, worked.ts, worked.answer) for c in commits for worked in c.commands])

    def hold(self, session: str, epoch: int) -> bool:
        """Whether this runner holds the session still; until this unit commits nobody takes it."""
        which = sa.and_(leases.c.name == lease_of(session), leases.c.epoch == epoch, leases.c.owner.is_not(None))
        return self._c.scalar(select(leases.c.epoch).where(which).with_for_update()) is not None


def _verdict(commit: Commit, stored: Standing | None) -> Verdict:
    if stored is None or stored[2] is None or stored[1] != commit.epoch:
        return "fenced"
    return {commit.number - 1: "written", commit.number: "there"}.get(stored[0], "fenced")  # type: ignore[return-value]


def _values(bar: TapeBar) -> tuple[Any, ...]:
    """In the order of the columns, what is not a number as nothing."""
    volume, spread = bar.volume, bar.spread
    return (*_given(bar), None if volume != volume else volume, None if spread != spread else spread, bar.recovered)


_given = attrgetter(*BAR[:-3])


def _states_updated(_: Connection) -> Any:
    changed = {name: bindparam(f"new_{name}", type_=session_states.c[name].type) for name in STATE}
    return sa.update(session_states).where(session_states.c.session == bindparam("of")).values(changed)


def _outputs_put(connection: Connection) -> Any:
    """An equity row or a proposal may be written again, under its number."""
    statement = insert(connection, session_rows)
    again = dict(ts=statement.excluded.ts, row=statement.excluded.row)
    return statement.on_conflict_do_update(index_elements=["session", "kind", "number"], set_=again)


def _commands_worked(_: Connection) -> Any:
    which = sa.and_(session_commands.c.session == bindparam("of"), session_commands.c.number == bindparam("numbered"))
    return sa.update(session_commands).where(which).values(worked=bindparam("under"), answer=bindparam("replied"))


STATE = ("commits", "ts", "bars", "state", "opened", "rows", "view", "broker", "at")
STATES = Many(_states_updated, ("of", *(f"new_{name}" for name in STATE)))
BARS = Many(lambda _: sa.insert(session_tape), ("session", "number", *BAR))
OUTPUTS = Many(_outputs_put, ("session", "kind", "number", "ts", "row"))
WORKED = Many(_commands_worked, ("of", "numbered", "under", "replied"))
