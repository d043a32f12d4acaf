"""What a session has worked, as audit events and messages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from domain.live.tape import time_text
from domain.live.worked import Decision, Worked
from worker.store.messages import Message
from worker.store.session_asking import entity
from worker.store.session_commands import StoredCommand
from worker.store.session_tape import packed

ACTOR = "tidemark"      # of what no person requested
KIND = {"placed": "order_accepted", "proposed": "order_proposed", "approved": "order_accepted", "expired": "order_expired", "refused": "order_rejected", "shrunk": "order_accepted", "capped": "order_accepted"}
NOTIFIED = ("pause", "continue", "stop", "enable", "disable", "close-all")       # commands that people hear of
ORDER_FIELDS = ("order_id", "series", "strategy")


@dataclass(frozen=True)
class Happened:
    """An audit event to be. Its id is made of session, commit and place, so that written twice it is one."""

    kind: str
    entities: tuple[str, ...] = ()
    detail: Mapping[str, Any] = field(default_factory=dict)
    actor: str = ""


def of(session: str, worked: Worked, tell: bool) -> tuple[list[Happened], list[Message]]:
    """Decisions, fills and trades of an instant. ``tell``: fills are messages, too."""
    events = [event for decision in worked.decisions for event in _decided(session, decision)]
    events += [_booked(session, "order_filled", row) for row in worked.fills]
    events += [_booked(session, "trade_closed", row) for row in worked.trades]
    events += [Happened("session_remarked", (entity(session),), dict(remark=remark)) for remark in worked.remarks]
    return events, list(_fills(session, worked)) if tell else []


def commanded(session: str, command: StoredCommand, ts: int, answer: str) -> Happened:
    kind = "session_command_refused" if answer else "session_command_worked"
    detail = dict(number=command.number, command=command.command, worked=time_text(ts), **(dict(answer=answer) if answer else {}))
    return Happened(kind, (entity(session),), detail, command.who)


def of_command(session: str, command: StoredCommand, answer: str) -> list[Message]:
    """A change of state that a person requested, or a command that was refused, as a message; kill switches have their own."""
    key = f"{session}:command:{command.number}"
    if answer:
        return [Message(key, "warning", f"{session}: {command.command} of {command.who} is refused: {answer}", session)]
    text = f"{session}: {command.command} by {command.who}" + (f": {command.reason}" if command.reason else "")
    return [Message(key, "info", text, session)] if command.command in NOTIFIED else []


def _decided(session: str, decision: Decision) -> Iterator[Happened]:
    """The intent with what it was made of, then what became of it: a refusal names the limit and what it looked at."""
    about = (f"order:{session}/{decision.strategy}/{decision.series}/{decision.order_id}", entity(session))
    detail = _timed(decision.plain())
    if decision.verdict in ("placed", "proposed", "refused"):
        yield Happened("order_intent", about, {name: detail[name] for name in detail if name not in ("verdict", "reason", "lots_given", "value", "allowed", "buffer")})
    if kind := KIND.get(decision.verdict):
        yield Happened(kind, about, {name: detail[name] for name in (*ORDER_FIELDS, "ts", "verdict", "reason", "lots_requested", "lots_given", "value", "allowed", "buffer")})


def _booked(session: str, kind: str, row: Mapping[str, Any]) -> Happened:
    about = [f"trade:{session}/{row['trade_id']}"] if "trade_id" in row else []
    return Happened(kind, (*about, entity(session)), _timed(row))


def _timed(row: Mapping[str, Any]) -> dict[str, Any]:
    """Times as text, and names that an event has itself with another one."""
    text = {name: time_text(value) if isinstance(value, int) and (name == "ts" or name.endswith("_ts")) and value > 0 else value for name, value in packed(row).items()}
    return {{"kind": "fill_kind", "actor": "by", "at": "vendor_time"}.get(name, name): value for name, value in text.items()}


def _fills(session: str, worked: Worked) -> Iterable[Message]:
    for number, row in enumerate(worked.fills):
        yield Message(f"{session}:fill:{worked.ts}:{number}", "info", f"{session}: {_sentence(row)}", session)


def _sentence(row: Mapping[str, Any]) -> str:
    words = [str(row[name]) for name in ("side", "lots", "instrument") if row.get(name) not in (None, "")]
    price = f" at {row['price']}" if "price" in row else ""
    return f"{' '.join(words)}{price}" + (f" ({row['reason']})" if row.get("reason") else "")
