"""Paper trading sessions: the list, one session, start, and the commands to it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pandas as pd

from domain.errors import BadRequest, unknown
from domain.live.signal_rows import SIGNALS
from domain.params import Param, params_of
from domain.trading.command import command as checked
from domain.trading.verbs import VERBS
from worker.desk.context import DeskContext
from worker.desk.export import file_of
from worker.desk.paper_rows import TITLES, HaltRow, SessionRow, SessionView, StartRequest, Verb
from worker.desk.paper_start import feed_lacks, rule_set_of, started, with_rule_set
from worker.desk.paper_view import left_alone, row_of, silent_of, standing_of, table_of, view_of
from worker.store import Store, Unit
from worker.store import session_asking as asking
from worker.store.sessions import TradingSession

TRADERS = ("trader", "admin")


class Paper:
    """The desk's part for paper trading. Every command is on the session's tape and in the audit trail."""

    def __init__(self, context: DeskContext) -> None:
        self._context = context
        self._rows: dict[str, tuple[tuple[Any, ...], SessionRow]] = {}      # as of a commit, so that nothing is read where nothing is new

    @property
    def store(self) -> Store:
        """For a session that is worked on in this process."""
        return self._context.store

    # -- reading

    def all(self) -> list[SessionRow]:
        """Every session, those that are not over first, then by name."""
        with self._context.store.read() as unit:
            waiting = Counter(command.session for command in unit.session_commands.waiting())
            rows = [self._row(unit, session, waiting[session.name]) for session in unit.sessions.all()]
        return sorted(rows, key=lambda row: (row.over, row.name))

    def row(self, name: str) -> SessionRow:
        with self._context.store.read() as unit:
            return self._row(unit, self._session(unit, name))

    def get(self, name: str) -> SessionView:
        """One session; BadRequest where there is none of that name."""
        with self._context.store.read() as unit:
            session = self._session(unit, name)
            return view_of(unit, session, self._row(unit, session))

    def state(self, name: str, decisions: int) -> SessionView:
        """The same with so many of its newest decisions, and without its curve, bars, fills, trades and commands: what a program reads that asks once a second."""
        with self._context.store.read() as unit:
            session = self._session(unit, name)
            return view_of(unit, session, self._row(unit, session), False, decisions)

    def standing(self, name: str) -> dict[str, list[dict[str, Any]]]:
        """What waits or is open in a session now, without its curve, its trades and its log; BadRequest where there is none of that name."""
        with self._context.store.read() as unit:
            return standing_of(unit, self._session(unit, name).name)

    def table(self, name: str, kind: str) -> pd.DataFrame:
        """All rows of ``trades``, ``fills``, ``equity``, ``decisions``, ``tape`` or ``commands``."""
        with self._context.store.read() as unit:
            return table_of(unit, self._session(unit, name).name, kind)

    def download(self, name: str, kind: str) -> bytes:
        """``table`` as CSV; an audit event."""
        frame = self.table(name, kind)
        with self._context.store.unit() as unit:
            unit.audit(self._context.user, "downloaded", f"session:{name}", what=kind, form="csv")
        return file_of(frame, "csv")

    def halts(self) -> list[HaltRow]:
        """The kill switches that are set, the newest first."""
        with self._context.store.read() as unit:
            latched = unit.session_halts.latched()
        return [HaltRow(each.session, each.strategy, each.who, each.reason, each.at, each.flatten) for each in reversed(latched)]

    # -- what may be done

    def verbs(self, row: SessionRow | None = None) -> dict[str, Verb]:
        """Name -> command, with the reason where the person, or the session's state, does not allow it."""
        return {name: Verb(name, title, (VERBS[name].__doc__ or "").strip(), refused=self.refused(name, row)) for name, title in TITLES.items()}

    def params(self, verb: str) -> tuple[Param, ...]:
        """The arguments of a command, for a form."""
        if verb not in VERBS:
            raise unknown("command", verb, VERBS)
        return params_of(VERBS[verb])

    def refused(self, verb: str, row: SessionRow | None = None) -> str:
        """Why the person may not give a command, or the session not take it; empty where both may."""
        if verb not in TITLES:
            raise unknown("command", verb, TITLES)
        if self._context.actor.role not in TRADERS:
            return f"needs the role {TRADERS[0]}"
        if row is not None and row.over:
            return f"{row.name} is {row.word.lower()}"
        if row is not None and verb == "adopt" and row.broker == "paper":
            return "the session trades on paper, so there is no other book to adopt from"
        if row is not None and verb == "set" and row.title.startswith(f"{SIGNALS} ·"):
            return "a table of signals has no parameters"
        return "the session is not paused" if row is not None and verb == "continue" and row.state not in ("paused", "ready") else ""

    def rule_set(self, name: str, phase: str, account: Mapping[str, Any]) -> dict[str, Any]:
        """The rule set whose floors orders keep clear of and people are warned of, as a session's source names it."""
        return rule_set_of(self._context, name, phase, account)

    def with_rule_set(self, plan: Mapping[str, Any], source: Mapping[str, Any], given: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Plan and source of a session that keeps clear of the floors of a rule set."""
        return with_rule_set(plan, source, given)

    # -- changing

    def start(self, request: StartRequest) -> str:
        """Make the session, which the workers then run; its name."""
        self._allow()
        return started(self._context, request)

    def feed_lacks(self, feed: str) -> str:
        """What a live feed needs in the environment and has not, in a sentence; empty where all is there."""
        return feed_lacks(self._context, feed)

    def resume(self, name: str) -> SessionRow:
        """A session that failed is worked on again."""
        self._allow()
        with self._context.store.unit() as unit:
            asking.resume(unit, name, self._context.user)
        return self.row(name)

    def command(self, name: str, verb: str, arguments: Mapping[str, Any] | None = None, reason: str = "", key: str = "") -> None:
        """Give a session a command; it is worked after the last instant up to now. The same ``key`` twice is one command."""
        self._allow()
        if verb == "halt":
            return self.halt(reason, name, **_scope(arguments or {}))
        if verb == "release":
            return self.release(reason, name, str((arguments or {}).get("strategy", "")))
        given = checked(0, self._context.user, verb, arguments or {}, reason)
        with self._context.store.unit() as unit:
            asking.ask(unit, name, verb, given.arguments, given.who, given.reason, key)
        self._context.wake_runners(name)

    def halt(self, reason: str, name: str = "", strategy: str = "", keep: bool = False) -> None:
        """The kill switch: of all, of one session, or of a strategy in it. It stays until ``release``. ``keep``: positions are left to their stops."""
        self._allow()
        with self._context.store.unit() as unit:
            asking.halt(unit, self._context.user, reason.strip() or "no reason given", name, strategy, keep)
        self._context.wake_runners(name)

    def release(self, reason: str, name: str = "", strategy: str = "") -> None:
        """Lift it; a reason is needed."""
        self._allow()
        with self._context.store.unit() as unit:
            asking.release(unit, self._context.user, reason, name, strategy)
        self._context.wake_runners(name)

    # -- parts

    def _allow(self) -> None:
        if self._context.actor.role not in TRADERS:
            raise BadRequest(f"{self._context.user} may not trade: it needs the role {TRADERS[0]}")

    def _session(self, unit: Unit, name: str) -> TradingSession:
        session = unit.sessions.get(name)
        if session is None:
            raise unknown("session", name, [each.name for each in unit.sessions.all()])
        return session

    def _row(self, unit: Unit, session: TradingSession, waiting: int | None = None) -> SessionRow:
        waiting = len(unit.session_commands.waiting([session.name])) if waiting is None else waiting
        state = unit.sessions.progress(session.name)
        as_of = (session.state, session.note, state.commits if state else 0)
        known = self._rows.get(session.name)
        if known is None or known[0] != as_of:
            known = self._rows[session.name] = (as_of, row_of(unit, session, state))
        alone = left_alone(unit, session)
        if not alone and not waiting and (not state or not state.feed):
            return known[1]
        feed = state.feed if state else {}
        return replace(known[1], waiting=waiting, price_age=_age(unit, feed), alarms=(*known[1].alarms, *alone, *silent_of(session, feed)))


def _scope(arguments: Mapping[str, Any]) -> dict[str, Any]:
    given: Any = checked(0, "anyone", "halt", arguments).payload
    return dict(strategy=given.strategy, keep=given.keep)


def _age(unit: Unit, feed: Mapping[str, Any]) -> float | None:
    """Seconds since the price of the instrument that has been silent the longest."""
    newest = feed.get("newest") or {}
    return max(unit.now().timestamp() - min(newest.values()), 0.0) if newest else None
