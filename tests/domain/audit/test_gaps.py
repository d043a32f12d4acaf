"""Gaps: a span without a checkpoint, and one without a process of a kind."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from domain.audit.gaps import LOST, STARTED, STOPPED, Change, Gap, without_checkpoint, without_process

START = datetime(2026, 11, 20, 14, tzinfo=UTC)
TWO_MINUTES = timedelta(minutes=2)


def at(minute: float) -> datetime:
    return START + timedelta(minutes=minute)


def test_a_checkpoint_every_minute_leaves_no_gap_and_a_silence_does():
    taken = [at(k) for k in (3, 0, 1, 2)]
    assert without_checkpoint(taken, TWO_MINUTES, at(4)) == []
    assert without_checkpoint([*taken, at(10)], TWO_MINUTES, at(11)) == [Gap("checkpoint", at(3), at(10))]
    assert without_checkpoint(taken, TWO_MINUTES, at(9)) == [Gap("checkpoint", at(3), None)] and Gap("checkpoint", at(3), None).seconds(at(9)) == 360
    assert without_checkpoint([], TWO_MINUTES, at(9)) == []


def test_a_gap_is_only_where_none_of_a_kind_ran():
    two = [Change(at(0), "a", STARTED), Change(at(1), "b", STARTED), Change(at(5), "a", STOPPED)]
    assert without_process(two, "worker") == []
    assert without_process([*two, Change(at(6), "b", STOPPED)], "worker") == [Gap("worker", at(6), None)]
    assert without_process([*two, Change(at(6), "b", STOPPED), Change(at(8), "c", STARTED)], "worker") == [Gap("worker", at(6), at(8))]


def test_a_crash_counts_from_the_last_heartbeat_although_it_is_recorded_later():
    recorded = [Change(at(0), "a", STARTED), Change(at(9), "b", STARTED), Change(at(4), "a", LOST)]
    assert without_process(recorded, "worker") == [Gap("worker", at(4), at(9), since_crash=True)]


def test_the_end_of_a_process_that_never_began_here_is_no_gap():
    assert without_process([Change(at(1), "z", STOPPED)], "worker") == []
