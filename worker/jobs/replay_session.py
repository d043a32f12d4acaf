"""Replay of what a trading session decided, filled or closed: its tape and commands are worked again, and what that gives is compared with the event."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from domain.audit import plain
from domain.audit.replay import Answer, Check, compared
from domain.errors import BadRequest
from worker.jobs.base import Work
from worker.jobs.replay_stored import Event, entity, gone

if TYPE_CHECKING:
    from domain.live.tape import TapeBar
    from domain.live.worked import Worked
    from worker.sessions.opening import Stored

OWN = "Its fills are the broker's own: they are taken from the record of what the broker reported, not computed. The decision is computed again."
ABSENT = "none"
ORDER = ("order_id", "series", "strategy")


def of_session(event: Event, work: Work) -> Answer:
    """An order, fill or closed trade of a session, on paper or at a broker."""
    from worker.sessions.opening import read

    name = entity(event, "session")
    if not name:
        raise BadRequest("this event is the sending of an order to a broker, which is not computed; choose the session's own event of the order, which names the session")
    with work.store.read() as unit:
        stands = unit.sessions.get(name) is not None
        tape = list(unit.session_tape.bars(name))
    if not stands:
        return gone("session", name)
    if not tape:
        return Answer("impossible", (), (f"The tape of the session {name} is not here: no bar of it is stored. Restore it from a backup.",))
    stored = read(work.store, name)
    work.stage("Work the tape again")
    try:
        worked = _worked(stored, tape, work)
    except BadRequest as error:
        return Answer("impossible", (), (f"The tape of the session {name} cannot be worked again: {error}.",))
    work.stage("Compare")
    at_broker = stored.session.broker != "paper"
    return compared([*_compared(event, name, worked), *_decisions(event, name, worked, work)], [OWN] if at_broker else [])


def _worked(stored: Stored, tape: Sequence[TapeBar], work: Work) -> Sequence[Worked]:
    """All instants of the session: of one that goes on up to where it is stored, of one at a broker with what the broker reported."""
    from domain.live.broker_record import Booking
    from domain.live.broker_session import BrokerSession
    from domain.live.replaying import replay
    from domain.live.session import Session
    from worker.instrument_table import settings_as_of
    from worker.sessions.inputs import plan_of
    from worker.sessions.opening import booked, taped

    session, state, store = stored.session, stored.state, work.store
    plan = plan_of(store, settings_as_of(store, work.settings, session.created_at).instruments_file, session.plan, session.source)
    bars, contexts = partial(taped, store, session.name), plan.inputs.contexts
    if session.broker != "paper":
        bookings = map(Booking.of, booked(store, session.name, "broker"))
        return BrokerSession.again(session.name, plan, _state(stored), state.broker or {}, bars, stored.commands, bookings, contexts)[1]
    if session.state == "finished":
        return list(replay(plan, tape, stored.commands, contexts))
    return Session.rebuild(plan, _state(stored), bars, stored.commands, contexts)[1]


def _state(stored: Stored) -> bytes:
    if stored.state.state is None:
        raise BadRequest("no state of it is stored; restore it from a backup")
    return stored.state.state


def _compared(event: Event, name: str, worked: Sequence[Worked]) -> list[Check]:
    """Each fact of the event beside that of the same event as it comes out now."""
    from worker.sessions import events

    same = (event["kind"], tuple(event["entities"]))
    every = [each.detail for instant in worked for each in events.of(name, instant, False)[0] if (each.kind, each.entities) == same]
    recorded = event["detail"]
    now = max(map(plain, every), key=lambda detail: sum(detail.get(key) == value for key, value in recorded.items()), default=None)
    if now is None:
        return [Check("event", str(event["kind"]).replace("_", " "), ABSENT)]
    return [Check(_title(key), _text(recorded.get(key)), _text(now.get(key))) for key in dict.fromkeys((*recorded, *now))]


def _decisions(event: Event, name: str, worked: Sequence[Worked], work: Work) -> list[Check]:
    """The order behind a fill: all that was decided of it, as it is stored and as it comes out now."""
    if event["kind"] != "order_filled":
        return []
    with work.store.read() as unit:
        stored = [each.row for each in unit.session_tape.rows(name, "decisions")]
    now = [decision.plain() for each in worked for decision in each.decisions]
    return [Check(f"decision of order {event['detail']['order_id']}", _rows(event, stored), _rows(event, now))]


def _rows(event: Event, decisions: Sequence[Mapping[str, Any]]) -> str:
    wanted = [event["detail"].get(key) for key in ORDER]
    rows = [plain(row) for row in decisions if [row[key] for key in ORDER] == wanted]
    return "; ".join(", ".join(f"{_title(key)} {value}" for key, value in row.items() if value not in (None, "")) for row in rows) or ABSENT


def _title(key: str) -> str:
    return "order" if key == "order_id" else key.removesuffix("_id").replace("_", " ")


def _text(value: Any) -> str:
    return "—" if value is None or value == "" else str(value)


