"""The process that holds the key killed at random moments: no checkpoint and no event is lost, doubled or half in a file."""

from __future__ import annotations

import itertools
import os
import random
from dataclasses import replace
from pathlib import Path

import pytest

from domain.audit.collection import split
from tests.worker.store.racers import CONTEXT
from worker.checkpoints.event_copy import EventCopy
from worker.checkpoints.notary import Notary
from worker.owner import MACHINE, began
from worker.settings import Settings, load
from worker.store import Store
from worker.store.checkpoints import FILE

pytestmark = pytest.mark.faults
KILLS = int(os.environ.get("TIDEMARK_CASES", "120"))


def settings_of(home: str, database: str) -> Settings:
    settings = load(environment={"TIDEMARK_STORAGE_HOME": home, "TIDEMARK_DATABASE_URL": database})
    return replace(settings, audit=replace(settings.audit, interval=1.0, events=3, jsonl=str(Path(home) / "events.jsonl")))


def sign_until_killed(number: int, home: str, database: str) -> None:
    """Events, checkpoints, rotations and the copy of events, without end."""
    settings, store = settings_of(home, database), Store(database, f"{home}/frames")
    owner = f"here:{os.getpid()}:{MACHINE}-{began(os.getpid())}-{number:x}"        # a forked process would have that of the one it was forked from
    notary, copy = Notary(store, settings, owner=owner), EventCopy(store, Path(home) / "events.jsonl")
    for turn in itertools.count():
        with store.unit() as unit:
            unit.audit("ana", "noted", event_id=f"{number}-{turn}")
        notary.step()
        if notary.take():
            copy.step()
            if turn % 4 == 1:
                notary.rotate("ana")


def test_kills_leave_both_files_whole(database, tmp_path, record_property):
    at, home = random.Random(11), str(tmp_path)
    for number in range(KILLS):
        child = CONTEXT.Process(target=sign_until_killed, args=(number, home, database))
        child.start()
        child.join(at.uniform(0.5, 2.0))
        child.kill()
        child.join(30)
    settings, store = settings_of(home, database), Store(database, f"{home}/frames")
    notary = Notary(store, settings)
    notary.step()
    assert notary.holds and notary.problem == "", notary.problem
    EventCopy(store, tmp_path / "events.jsonl").step()
    with store.read() as unit:
        bodies, rows = [record.body for record in unit.trail.all()], unit.checkpoints.all()
        stored = {number for number, each in unit.checkpoints.receipts(row.number for row in rows).items() if FILE in {receipt.receiver for receipt in each}}
    notes, chain = list(split((tmp_path / "checkpoints.txt").read_text())), notary.trail_key.files.chain()
    record_property("checkpoints", len(rows))
    record_property("rotations", len(chain.notes))
    assert (tmp_path / "events.jsonl").read_text() == "".join(f"{body}\n" for body in bodies)
    assert notes == [row.note for row in rows] and stored == {row.number for row in rows}
    assert [chain.opened(note).size for note in notes] == [row.size for row in rows] and chain.notes
    store.close()
