"""What people ask of trading sessions, written with its audit event: start one, give a command, throw the kill switch, release it.

Whoever asks needs no runner: what is written here is picked up by the one that holds the session, now or after its next start.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from typing import Any

from domain.errors import BadRequest, unknown
from worker.store.ids import new_id
from worker.store.messages import Message
from worker.store.session_commands import StoredCommand
from worker.store.session_halts import Halt
from worker.store.sessions import TradingSession, lease_of
from worker.store.unit import Unit

BROKERS = ("paper", "oanda", "mt5")        # whose fills a session books
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


def start(unit: Unit, name: str, plan: Mapping[str, Any], source: Mapping[str, Any], actor: str, broker: str = "paper", mode: str = "auto") -> TradingSession:
    """A new session, to be picked up by a runner. Where a kill switch of all is set, it begins halted."""
    if not NAME.fullmatch(name):
        raise BadRequest(f"{name!r} cannot name a session; use letters, digits, '-', '_' and '.', at most 64, the first a letter or digit")
    if broker not in BROKERS:
        raise unknown("broker", broker, BROKERS)
    if broker != "paper" and source.get("feed") == "replay":
        raise BadRequest(f"orders at the broker {broker} need live prices, and this session replays bars; give a feed, or trade on paper")
    session = TradingSession(name, dict(plan), dict(source), broker, mode, "ready", "", actor, unit.now())
    if not unit.sessions.create(session):
        raise BadRequest(f"there is a session named {name!r} already; choose another name, or resume that one")
    unit.audit(actor, "session_created", entity(name), plan=plan, source=source, broker=broker, mode=mode)
    for halt in unit.session_halts.latched():
        if halt.covers(name):
            _tell(unit, name, halt)
    return session


def resume(unit: Unit, name: str, who: str) -> TradingSession:
    """A session that ended with an error is to be worked on again; one that is open already stays as it is."""
    session = unit.sessions.get(name)
    if session is None:
        raise unknown("session", name, [each.name for each in unit.sessions.all()])
    if session.state == "error" and unit.sessions.enter(name, "ready"):
        unit.audit(who, "session_resumed", entity(name), error=session.note)
    return session


def claim(unit: Unit, name: str, owner: str) -> int | None:
    """The fencing token of a session for ``owner``; None where another holds it."""
    lease = unit.leases.take(lease_of(name), owner)
    return lease.epoch if lease else None


def ask(unit: Unit, name: str, command: str, arguments: Mapping[str, Any], who: str, reason: str = "", key: str = "", ts: int | None = None) -> StoredCommand | None:
    """Give a session a command; None where ``key`` was used before. ``ts``: worked after the last instant up to then; None: at once."""
    session = unit.sessions.get(name) if unit.sessions.lock(name) else None
    if session is None:
        raise unknown("session", name, [each.name for each in unit.sessions.all()])
    if session.ended:
        raise BadRequest(f"the session {name} is {session.state}, so it takes no {command}; start a new one")
    if command == "adopt" and session.broker == "paper":
        raise BadRequest(f"the session {name} trades on paper, so no broker's book can differ from its own; there is nothing to adopt")
    _refuse_elsewhere(session, arguments)
    stored = unit.session_commands.ask(name, command, arguments, who, reason, key or secrets.token_hex(8), unit.now(), ts)
    if stored:
        unit.audit(who, "session_command_requested", entity(name), number=stored.number, command=command, arguments=arguments, reason=reason, wanted=None if ts is None else str(ts))
    return stored


def _refuse_elsewhere(session: TradingSession, arguments: Mapping[str, Any]) -> None:
    """An instrument or a series that the session does not trade is refused at once, not when the command is worked."""
    traded = session.plan.get("series", ())
    for kind, there in (("instrument", dict.fromkeys(series.split()[0] for series in traded)), ("series", traded)):
        if (given := arguments.get(kind)) and given not in there:
            raise unknown(f"{kind} of session {session.name}", given, there)


def halt(unit: Unit, who: str, reason: str, name: str = "", strategy: str = "", keep: bool = False, by_file: bool = False) -> Halt | None:
    """The kill switch: of all, of a session, of a strategy in it. None where that one is set already. ``keep``: positions are left to their stops."""
    unit.alone_with("session halts")
    if any((each.session, each.strategy) == (name, strategy) and (each.by_file or not by_file) for each in unit.session_halts.latched()):
        return None
    if name and unit.sessions.get(name) is None:
        raise unknown("session", name, [each.name for each in unit.sessions.all()])
    set_ = Halt(new_id(), name, strategy, not keep, by_file, who, reason, unit.now())
    unit.session_halts.latch(set_)
    unit.audit(who, "trading_halted", *([entity(name)] if name else []), f"halt:{set_.id}", session=name, strategy=strategy, keep=keep, by_file=by_file, reason=reason)
    unit.messages.write([Message(f"halt:{set_.id}", "critical", _halted(set_), name)], set_.at)
    for session in unit.sessions.all(("ready", "running")):
        if set_.covers(session.name):
            _tell(unit, session.name, set_)
    return set_


def release(unit: Unit, who: str, reason: str, name: str = "", strategy: str = "") -> list[Halt]:
    """Lift the kill switches of that kind; each session goes on unless another one covers it, too."""
    if not who.strip() or not reason.strip():
        raise BadRequest("a release names the person and the reason; say why it is safe to trade again")
    unit.alone_with("session halts")
    latched = unit.session_halts.latched()
    lifted = [each for each in latched if (each.session, each.strategy) == (name, strategy)]
    if not lifted:
        raise BadRequest(f"no kill switch is set for {_scope(name, strategy)}; set are: {', '.join(_scope(each.session, each.strategy) for each in latched) or 'none'}")
    unit.session_halts.release([each.id for each in lifted], who, reason, unit.now())
    unit.audit(who, "trading_released", *([entity(name)] if name else []), *(f"halt:{each.id}" for each in lifted), session=name, strategy=strategy, reason=reason)
    unit.messages.write([Message(f"release:{lifted[0].id}", "critical", f"{_scope(name, strategy).capitalize()}: {who} released the kill switch: {reason}", name)], unit.now())
    left = [each for each in latched if each not in lifted]
    for session in unit.sessions.all(("ready", "running")):
        if lifted[0].covers(session.name) and not any(each.covers(session.name) and each.strategy == strategy for each in left):
            ask(unit, session.name, "release", {"strategy": strategy} if strategy else {}, who, reason, key=f"release:{lifted[0].id}")
    return lifted


def entity(name: str) -> str:
    """The session in the audit trail."""
    return f"session:{name}"


def _tell(unit: Unit, name: str, halt: Halt) -> None:
    arguments: dict[str, Any] = ({"strategy": halt.strategy} if halt.strategy else {}) | ({} if halt.flatten else {"keep": True})
    ask(unit, name, "halt", arguments, halt.who, halt.reason, key=f"halt:{halt.id}")


def _scope(name: str, strategy: str) -> str:
    return (f"{strategy} in {name}" if strategy else name) if name else (f"{strategy} in all sessions" if strategy else "all sessions")


def _halted(halt: Halt) -> str:
    return f"{_scope(halt.session, halt.strategy).capitalize()}: halted by {halt.who}: {halt.reason}"
