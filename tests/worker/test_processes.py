"""Starts, stops and losses of processes are audit events, so that the trail itself says when nothing ran."""

from __future__ import annotations

from datetime import timedelta

import pytest

from worker.main import heartbeat
from worker.owner import MACHINE, OWNER
from worker.store import Filter, Process

KINDS = ("process_started", "process_stopped", "process_lost")


@pytest.mark.skipif(not MACHINE, reason="this machine does not tell which processes are alive")
def test_a_process_records_its_start_its_stop_and_one_that_ended_without(store, system):
    dead = f"vm:999999:{MACHINE}-1-abcd"
    with store.unit() as unit:
        now = unit.now()
        for name, kind in ((dead, "worker"), (dead.replace("abcd", "ef01"), "scheduler")):
            unit.alive(Process(name, kind, "vm", 999_999, now - timedelta(minutes=9), now - timedelta(minutes=3), ""))
    with heartbeat(store, "worker"):
        pass
    with store.read() as unit:
        events = [(record.kind, record.actor) for record in unit.trail.all(Filter(kinds=KINDS))]
        lost = next(unit.trail.all(Filter(kinds=("process_lost",))))
        assert [process.id for process in unit.lost("scheduler")] == [dead.replace("abcd", "ef01")], "another kind is left to its own"
        assert unit.lost("worker") == [] and unit.trail.count(Filter(entity=f"process:{OWNER}")) == 2
    assert events == [("process_lost", "tidemark"), ("process_started", "tidemark"), ("process_stopped", "tidemark")]
    assert f'"process:{dead}"' in lost.body and f'"seen":"{now - timedelta(minutes=3):%Y-%m-%dT%H:%M:%S}' in lost.body
