"""One transaction: state, tape, outputs, commands, audit events and messages of whole instants, or nothing of them."""

from __future__ import annotations

from collections.abc import Sequence

from worker.sessions.events import ACTOR
from worker.sessions.work import Written
from worker.store import Store, Unit
from worker.store.messages import Message
from worker.store.session_asking import entity
from worker.store.sessions import lease_of


def write(store: Store, waiting: Sequence[Written]) -> list[str]:
    """Names of the sessions that another runner holds now, of which nothing was written."""
    with store.unit() as unit:
        verdicts = unit.session_commits.judge([each.commit for each in waiting])
        fresh = [each for each in waiting if verdicts[each.commit.session] == "written"]
        unit.session_commits.write([each.commit for each in fresh], unit.now())
        for each in fresh:
            if each.events or each.halts:
                _record(unit, each)
        unit.messages.write([message for each in fresh for message in each.messages], unit.now())
        for each in fresh:
            if each.end:
                _end(unit, each)
    return [name for name, verdict in verdicts.items() if verdict == "fenced"]


def _record(unit: Unit, written: Written) -> None:
    commit = written.commit
    for place, event in enumerate(written.events):
        unit.audit(event.actor or ACTOR, event.kind, *event.entities, event_id=f"{entity(commit.session)}:{commit.number}:{place}", **event.detail)
    for halt in () if written.end else written.halts:
        halt.ask(unit, commit.session)


def _end(unit: Unit, written: Written) -> None:
    commit = written.commit
    unit.sessions.enter(commit.session, written.end, "", unit.now())
    unit.audit(ACTOR, f"session_{written.end}", entity(commit.session), event_id=f"{entity(commit.session)}:{written.end}:{commit.number}", bars=commit.bars_before + len(commit.tape))
    unit.messages.write([Message(f"{commit.session}:{written.end}:{commit.number}", "info", f"{commit.session} is {written.end}", commit.session)], unit.now())
    unit.leases.release(lease_of(commit.session), commit.epoch)
