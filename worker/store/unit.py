"""Units of work: changes and their audit events commit together or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, select

from worker.following import REQUEST
from worker.hidden import shown_detail
from worker.owner import gone
from worker.store.account_histories import AccountHistories
from worker.store.api_tokens import ApiRequests, ApiTokens
from worker.store.approvals import Approvals
from worker.store.blobs import Blobs
from worker.store.checkpoints import Checkpoints
from worker.store.chunks import Chunks
from worker.store.clock import DatabaseClock
from worker.store.column_mappings import ColumnMappings
from worker.store.copies import Copies
from worker.store.cost_profiles import CostProfiles
from worker.store.datasets import Datasets
from worker.store.engine import insert, make_engine, reader_of
from worker.store.executions import Executions, StrategyDrafts
from worker.store.form_presets import FormPresets
from worker.store.frames import Frames
from worker.store.instrument_versions import InstrumentVersions
from worker.store.jobs import Jobs
from worker.store.leases import Leases
from worker.store.message_sends import MessageSends
from worker.store.messages import Messages
from worker.store.models import Models
from worker.store.order_intents import OrderIntents
from worker.store.outside import Outsides
from worker.store.recipes import Recipes
from worker.store.rule_sets import RuleSets
from worker.store.run_marks import RunMarks
from worker.store.runs import Runs
from worker.store.schema import facts, processes
from worker.store.seals import Seals
from worker.store.session_commands import SessionCommands
from worker.store.session_commits import SessionCommits
from worker.store.session_halts import SessionHalts
from worker.store.session_tape import SessionTape
from worker.store.sessions import Sessions
from worker.store.strategies import WrittenStrategies
from worker.store.trade_notes import TradeNotes
from worker.store.trail import Trail
from worker.store.trail_index import TrailIndex
from worker.store.trials import Trials
from worker.store.user_sessions import SignInFailures, UserSessions
from worker.store.users import Users

SIGN_EVERY = 4.0            # seconds between two heartbeats of a process
ALIVE = timedelta(seconds=12)       # after its last sign a process on another machine counts as alive; on this one its end is seen


@dataclass(frozen=True)
class Process:
    """A worker, scheduler or app with its last heartbeat."""

    id: str
    kind: str
    host: str
    pid: int
    started_at: datetime
    seen_at: datetime
    doing: str


class Unit:
    def __init__(self, connection: Connection, clock: DatabaseClock | None = None) -> None:
        self._c, self._clock = connection, clock or DatabaseClock()
        self.seals = Seals(connection)
        self.trail, self.trail_index = Trail(connection, self.seals), TrailIndex(connection)
        self.jobs, self.runs, self.datasets = Jobs(connection, self.seals), Runs(connection, self.seals), Datasets(connection, self.seals)
        self.trials, self.recipes, self.outside = Trials(connection, self.seals), Recipes(connection, self.seals), Outsides(connection, self.seals)
        self.cost_profiles, self.chunks, self.leases = CostProfiles(connection, self.seals), Chunks(connection), Leases(connection)
        self.form_presets, self.column_mappings = FormPresets(connection, self.seals), ColumnMappings(connection, self.seals)
        self.rule_sets, self.checkpoints = RuleSets(connection, self.seals), Checkpoints(connection)
        self.strategies, self.instrument_versions = WrittenStrategies(connection), InstrumentVersions(connection)
        self.histories, self.models = AccountHistories(connection, self.seals), Models(connection, self.seals)
        self.order_intents, self.messages = OrderIntents(connection), Messages(connection)
        self.sessions, self.session_tape, self.session_commits = Sessions(connection), SessionTape(connection), SessionCommits(connection)
        self.message_sends = MessageSends(connection)
        self.executions, self.strategy_drafts = Executions(connection), StrategyDrafts(connection)
        self.trade_notes, self.run_marks = TradeNotes(connection), RunMarks(connection)
        self.api_tokens, self.api_requests = ApiTokens(connection), ApiRequests(connection)
        self.users, self.user_sessions, self.sign_in_failures, self.approvals = Users(connection), UserSessions(connection), SignInFailures(connection), Approvals(connection)
        self.session_commands, self.session_halts = SessionCommands(connection), SessionHalts(connection)

    @property
    def connection(self) -> Connection:
        return self._c

    def now(self) -> datetime:
        """The database's clock where workers may run on several machines; this machine's for SQLite."""
        return self._clock.now(self._c)

    def audit(self, actor: str, kind: str, *entities: str, event_id: str = "", **detail: Any) -> None:
        if kind == "downloaded" and "checkpoint" not in detail and (latest := self.checkpoints.latest()):
            detail["checkpoint"] = dict(size=latest.size, root=latest.root, note=latest.note)       # what leaves takes the last one along
        if request := REQUEST.get():
            detail.setdefault("request", request)
        self.trail.add(actor, kind, *entities, at=self.now(), event_id=event_id, **shown_detail(detail))

    def fact(self, name: str) -> Any:
        return self._c.scalar(select(facts.c.value).where(facts.c.name == name))

    def remember(self, name: str, value: Any) -> None:
        self._c.execute(insert(self._c, facts).values(name=name, value=value).on_conflict_do_update(index_elements=[facts.c.name], set_=dict(value=value)))

    def alone_with(self, name: str) -> None:
        """Lock the fact until this unit commits, so that concurrent additions are not lost. On SQLite there is one writer at a time anyway."""
        if self._c.dialect.name == "postgresql":
            self._c.execute(sa.text("SELECT pg_advisory_xact_lock(4712, hashtext(:name))"), dict(name=name))

    def alive(self, process: Process) -> None:
        values = process.__dict__
        self._c.execute(insert(self._c, processes).values(**values).on_conflict_do_update(index_elements=[processes.c.id], set_=values))

    def gone(self, process_id: str) -> None:
        self._c.execute(sa.delete(processes).where(processes.c.id == process_id))

    def lost(self, kind: str) -> list[Process]:
        """Registered processes of a kind of which this machine knows that they have ended."""
        rows = self._c.execute(select(processes).where(processes.c.kind == kind).order_by(processes.c.id)).mappings()
        return [Process(**row) for row in rows if gone(row["id"])]

    def forget_dead(self, after: timedelta) -> None:
        now = self.now()
        self._c.execute(sa.delete(processes).where(sa.or_(processes.c.seen_at < now - after, processes.c.seen_at > now + after)))

    def processes(self, within: timedelta) -> list[Process]:
        """Live processes, as far as this machine can tell. A heartbeat in the future is from before the clock was set back."""
        now = self.now()
        seen = processes.c.seen_at.between(now - within, now + within)
        query = select(processes).where(seen).order_by(processes.c.kind, processes.c.id)
        return [Process(**row) for row in self._c.execute(query).mappings() if not gone(row["id"])]


class Store:
    """The database, and the frames and files beside it. ``copies``: where those of a bucket are kept on this machine."""

    def __init__(self, database_url: str, frames_url: str, copies: Copies | None = None) -> None:
        self.engine = make_engine(database_url)
        self._reader, self._clock = reader_of(self.engine), DatabaseClock()
        self.frames, self.blobs = Frames(frames_url, copies), Blobs(frames_url, copies)

    @contextmanager
    def unit(self) -> Iterator[Unit]:
        """Write: everything inside commits at the end, audit events last."""
        with self.engine.begin() as connection:
            unit = Unit(connection, self._clock)
            yield unit
            unit.trail.flush(unit.now)

    @contextmanager
    def read(self) -> Iterator[Unit]:
        """Read one consistent state without blocking writers."""
        with self._reader.connect() as connection, connection.begin():
            yield Unit(connection, self._clock)

    def close(self) -> None:
        self.engine.dispose()
