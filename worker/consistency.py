"""A session held against the backtest of its tape: nightly by a job, and on demand by the terminal. What parts is an audit event and a message."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from domain.errors import BadRequest, unknown
from domain.live.broker_consistency import against_broker, later_candles
from domain.live.command import Command
from domain.live.consistency import TABLES, Alert, Books, Consistency, exact
from domain.live.plan import Plan
from domain.live.tape import TapeBar
from worker.instrument_table import table_file
from worker.sessions.inputs import plan_of
from worker.settings import Settings
from worker.store import Store, Unit
from worker.store.messages import Message
from worker.store.session_asking import entity
from worker.store.sessions import SessionState, TradingSession

TIMES = ("ts", "bar_ts", "entry_ts", "exit_ts")
VENDORS = dict(oanda="oanda", mt5="metatrader")     # feed -> the source of stored bars of the same vendor
SHOWN = 20          # candles that are shown


def fact_of(name: str) -> str:
    """The fact under which the last check of a session is kept."""
    return f"consistency:{name}"


def check(store: Store, name: str, settings: Settings | None = None) -> Consistency:
    """The check of one session as it stands, on the table of instruments as of its start; without ``settings`` on the shipped one."""
    with store.read() as unit:
        session, state = unit.sessions.get(name), unit.sessions.progress(name)
        if session is None or state is None:
            raise unknown("session", name, [each.name for each in unit.sessions.all()])
        instruments_file = table_file(unit, settings, session.created_at) if settings else ""
        tape, own = list(unit.session_tape.bars(name)), books_of(unit, name)
        commands = [Command(each.worked or 0, each.who, each.command, dict(each.arguments), each.reason) for each in unit.session_commands.taped(name)]
    until = None if session.state in ("finished", "stopped") else _until(state, tape)
    if not tape or (until is not None and not len(own.before(until).equity)):
        return Consistency(name, (), {kind: 0 for kind in TABLES}, until, notes=("It has no complete bar yet.",))
    try:
        plan = plan_of(store, instruments_file, session.plan, session.source)
        backtest = _backtest(plan, tape, commands)
    except BadRequest as error:
        return Consistency(name, (Alert("critical", f"The tape cannot be backtested: {error}."),), {kind: 0 for kind in TABLES}, until)
    return _compared(store, session, plan, tape, own, backtest, until)


def books_of(unit: Unit, name: str) -> Books:
    """The tables that a session has put out, trades and fills by their number."""
    return Books(*(_frame(kind, [each.row for each in unit.session_tape.rows(name, kind)]) for kind in TABLES))


def record(unit: Unit, consistency: Consistency, actor: str, key: str) -> None:
    """Keep the check, with its audit event; and a message where the session parts from its backtest. ``key`` names the check."""
    unit.remember(fact_of(consistency.session), consistency.plain() | dict(at=unit.now().isoformat(), key=key))
    kind = "session_consistent" if consistency.holds else "session_diverged"
    unit.audit(actor, kind, entity(consistency.session), sentence=consistency.sentence, rows=dict(consistency.rows), alerts=[alert.sentence for alert in consistency.alerts][:SHOWN])
    if not consistency.holds:
        unit.messages.write([Message(f"{consistency.session}:divergence:{key}", consistency.severity, consistency.sentence, consistency.session)], unit.now())


def _until(state: SessionState, tape: Sequence[TapeBar]) -> pd.Timestamp:
    """Up to where the tape is whole: a bar that has opened and not ended may have fills that the tape's backtest cannot know."""
    opened = [int(bar[0]) for bar in state.opened.values()]
    ended = max((bar.end for bar in tape), default=0)
    return pd.Timestamp(min([*opened, ended]), unit="ns", tz="UTC")


def _backtest(plan: Plan, tape: Sequence[TapeBar], commands: Sequence[Command]) -> Books:
    from domain.live.backtesting import backtest

    outcome = backtest(plan, tape, commands, plan.inputs.contexts)
    return Books(outcome.trades, outcome.fills, outcome.equity)


def _compared(store: Store, session: TradingSession, plan: Plan, tape: Sequence[TapeBar], own: Books, backtest: Books, until: pd.Timestamp | None) -> Consistency:
    if session.broker == "paper":
        consistency = exact(session.name, own, backtest, until)
    else:
        consistency = against_broker(session.name, own, backtest, until)
    moved = [] if session.source.get("feed") == "replay" else _moved(store, session, plan, tape)
    if not moved:
        return consistency
    sentences = [f"{len(moved)} bar{'s' if len(moved) > 1 else ''} of the tape differ from later candles by over a tick.", *moved[:SHOWN]]
    return Consistency(consistency.session, consistency.alerts, consistency.rows, consistency.until, consistency.figures, (*consistency.notes, *sentences))


def _moved(store: Store, session: TradingSession, plan: Plan, tape: Sequence[TapeBar]) -> list[str]:
    """Against the newest stored bars of the same series and side, where there are some."""
    sentences: list[str] = []
    with store.read() as unit:
        datasets = unit.datasets.all()
    for text in plan.series:
        instrument, timeframe = plan.instrument(text), plan.name_of(text).timeframe
        wanted = (instrument.name, str(timeframe), plan.side)
        stored = [each for each in datasets if (each.instrument, each.timeframe, each.side) == wanted and VENDORS.get(str(session.source.get("feed")), "") in each.source.lower().split()]
        if stored:
            newest = max(stored, key=lambda each: each.last_ts)
            candles = store.frames.get(newest.frame)
            sentences += later_candles(list(tape), candles, text, instrument.tick)
    return sentences


def _frame(kind: str, rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    columns = list(TABLES[kind])
    table = pd.DataFrame.from_records([tuple(row.get(name) for name in columns) for row in rows], columns=columns)
    times = {name: pd.to_datetime(table[name].astype(np.int64), utc=True) for name in TIMES if name in table}
    return table.assign(**times)
