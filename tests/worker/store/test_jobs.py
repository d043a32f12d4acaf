"""The job table is the queue of record: its verbs, one by one, against a clock that is handed in."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from worker.store import Job, Store
from worker.store.jobs import DIED, FORGOTTEN, LONGEST_WAIT, MOST_DEATHS, UNSENT

AT = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return AT + timedelta(seconds=seconds)


def add(store: Store, key: str | None = None, at: datetime = AT, kind: str = "steps") -> Job:
    with store.unit() as unit:
        return unit.jobs.add(kind, "research", "A title", {"a": [1, 0.5, None]}, "ana", at, key)[0]


def change(store: Store, verb: str, *arguments: object, **values: object):
    with store.unit() as unit:
        return getattr(unit.jobs, verb)(*arguments, **values)


def take(store: Store, queue: str, job_id: str, owner: str, at: datetime) -> Job | None:
    """As a worker takes a job: what comes first in the queue, in one unit of work."""
    with store.unit() as unit:
        first = unit.jobs.first(queue, job_id, at)
        return unit.jobs.claim(first.id, owner, at) if first else None


def row(store: Store, job: Job) -> Job:
    with store.read() as unit:
        return unit.jobs.get(job.id)


def claimed(store: Store, at: datetime = AT, key: str | None = None) -> Job:
    return change(store, "claim", add(store, key).id, "w1", at)


def test_a_new_job_is_queued_as_submitted(store):
    job = add(store, "k")
    assert (job.kind, job.queue, job.spec, job.key, job.state, job.actor, job.created_at, job.epoch, job.open) == ("steps", "research", {"a": [1, 0.5, None]}, "k", "queued", "ana", AT, 0, True)
    assert (job.started_at, job.owner, job.checkpoint, job.result, job.error, job.sent_at) == (None,) * 6


def test_the_same_key_is_the_same_job_and_no_key_is_always_a_new_one(store):
    first = add(store, "k")
    with store.unit() as unit:
        again, new = unit.jobs.add("steps", "research", "other", {}, "bob", AT, "k")
    assert not new and again == first
    assert add(store).id != add(store).id


def test_a_name_that_is_taken_is_not_taken_twice(store, monkeypatch):
    names = iter(["aaaaaa", "aaaaaa", "aaaaaa", "bbbbbb"])
    monkeypatch.setattr("worker.store.jobs.new_id", lambda: next(names))
    assert [add(store).id, add(store).id] == ["aaaaaa", "bbbbbb"]


def test_a_claim_gives_owner_and_token(store):
    job = claimed(store)
    assert (job.state, job.owner, job.epoch, job.beats, job.started_at, job.deaths) == ("running", "w1", 1, 0, AT, 0)


@pytest.mark.parametrize("seconds", [-3_600.0, 0.0, 8.0, 3_600.0, 1e8])
def test_a_claimed_job_is_not_free_whatever_the_clock_says(store, seconds):
    job = claimed(store)
    assert change(store, "claim", job.id, "w2", after(seconds)) is None and take(store, "research", job.id, "w2", after(seconds)) is None
    assert change(store, "claim", "nosuch", "w2", AT) is None


@pytest.mark.parametrize("state", ["done", "failed", "cancelled"])
def test_an_ended_job_is_not_free(store, state):
    job = claimed(store)
    assert change(store, "end", job.id, job.epoch, state, after(1))
    assert change(store, "claim", job.id, "w2", after(1_000)) is None and not row(store, job).open


def test_one_of_sixteen_gets_the_job(store):
    jobs = [add(store) for _ in range(8)]

    def claim(number: int) -> list[str]:
        return [job.id for job in jobs if change(store, "claim", job.id, f"w{number}", AT)]

    with ThreadPoolExecutor(16) as pool:
        taken = [job for jobs_ in pool.map(claim, range(16)) for job in jobs_]
    assert sorted(taken) == sorted(job.id for job in jobs) and all(row(store, job).epoch == 1 for job in jobs)


def rescued(store: Store, job: Job) -> bool:
    stored = row(store, job)
    return change(store, "rescue", job.id, stored.epoch, stored.beats)


def test_one_of_sixteen_takes_over_a_lost_job(store):
    job = claimed(store)
    assert rescued(store, job)
    with ThreadPoolExecutor(16) as pool:
        taken = list(pool.map(lambda n: take(store, "research", "nosuch", f"w{n}", after(9)), range(16)))
    assert len([job_id for job_id in taken if job_id]) == 1 and (row(store, job).epoch, row(store, job).deaths) == (2, 1)


def test_a_lost_job_goes_on_from_the_checkpoint(store):
    job = claimed(store)
    change(store, "beat", job.id, job.epoch, checkpoint={"at": 7}, progress=0.5)
    assert not change(store, "rescue", job.id, 1, 0), "it gave a sign of life meanwhile"
    assert change(store, "claim", job.id, "w2", after(99)) is None
    assert rescued(store, job) and (row(store, job).state, row(store, job).owner, row(store, job).note) == ("queued", None, DIED)
    again = change(store, "claim", job.id, "w2", after(3))
    assert (again.owner, again.epoch, again.deaths, again.checkpoint, again.progress, again.started_at) == ("w2", 2, 1, {"at": 7}, 0.5, AT)


def test_who_was_taken_over_from_writes_nothing(store):
    job = claimed(store)
    rescued(store, job)
    assert change(store, "beat", job.id, 1) is None, "not even before another has it"
    change(store, "claim", job.id, "w2", after(20))
    before = row(store, job)
    assert change(store, "beat", job.id, 1, progress=0.9) is None
    assert not change(store, "end", job.id, 1, "done", after(21), result={"a": 1})
    assert not change(store, "requeue", job.id, 1, after(21), "waits")
    assert not change(store, "rescue", job.id, 1, 0)
    assert row(store, job) == before
    assert change(store, "end", job.id, 2, "done", after(22), result={"a": 2}) and row(store, job).result == {"a": 2}


def test_a_beat_is_counted_and_writes_what_was_seen(store):
    job = change(store, "beat", claimed(store).id, 1, progress=0.25, note="a note", stages=[["Load", 0.1]])
    assert (job.beats, job.progress, job.note, job.stages) == (1, 0.25, "a note", [["Load", 0.1]])
    assert change(store, "beat", job.id, 1).beats == 2


def test_what_a_dead_worker_left_goes_before_all_that_waits(store):
    """Newer or older than it, told of or not; then what the message names, then the oldest."""
    older, lost, *newer = [add(store, at=after(k)) for k in range(15)]
    change(store, "claim", lost.id, "w1", after(20))
    change(store, "sent", [job.id for job in newer], after(20))
    rescued(store, lost)
    order = [take(store, "research", wanted, "w2", after(21)).id for wanted in (newer[4].id, newer[4].id, newer[4].id, "nosuch")]
    assert order == [lost.id, newer[4].id, older.id, newer[0].id] and take(store, "interactive", newer[1].id, "w2", after(21)) is None


@pytest.mark.parametrize(("state", "expected"), [("done", "k"), ("failed", None), ("cancelled", None)])
def test_the_key_is_kept_by_what_is_done_and_freed_by_what_is_not(store, state, expected):
    job = claimed(store, key="k")
    change(store, "end", job.id, 1, state, after(1))
    assert row(store, job).key == expected and (add(store, "k").id == job.id) == (expected == "k")


def test_an_ended_job_has_no_lease_and_no_owner(store):
    job = claimed(store)
    change(store, "end", job.id, 1, "failed", after(1), error={"sentence": "x"})
    ended = row(store, job)
    assert (ended.owner, ended.ended_at, ended.error) == (None, after(1), {"sentence": "x"})


def test_a_job_that_is_requeued_waits_its_time(store):
    job = claimed(store)
    assert change(store, "requeue", job.id, 1, after(30), "waits", failed=True)
    assert change(store, "claim", job.id, "w2", after(29)) is None
    again = change(store, "claim", job.id, "w2", after(30))
    assert (again.attempts, again.deaths, again.epoch) == (1, 0, 2)


def test_a_worker_that_leaves_is_no_failed_attempt(store):
    job = claimed(store)
    change(store, "requeue", job.id, 1, after(1), "its worker was stopped")
    assert row(store, job).attempts == 0


def test_cancelling_a_queued_job_ends_it_and_frees_its_key(store):
    job = add(store, "k")
    assert change(store, "cancel", job.id, "bob", after(1))
    ended = row(store, job)
    assert (ended.state, ended.ended_at, ended.cancelled_by, ended.key) == ("cancelled", after(1), "bob", None)
    assert change(store, "claim", job.id, "w1", after(2)) is None


def test_cancelling_a_running_job_asks_it(store):
    job = claimed(store)
    assert change(store, "cancel", job.id, "bob", after(1)) and not change(store, "cancel", job.id, "eve", after(1))
    assert change(store, "beat", job.id, 1).cancelled_by == "bob" and row(store, job).state == "running"


@pytest.mark.parametrize("state", ["done", "failed", "cancelled"])
def test_what_has_ended_is_not_cancelled(store, state):
    job = claimed(store)
    change(store, "end", job.id, 1, state, after(1))
    assert not change(store, "cancel", job.id, "bob", after(2)) and row(store, job).cancelled_by is None


@pytest.mark.parametrize(("state", "again"), [("failed", True), ("cancelled", True), ("done", False)])
def test_what_failed_or_was_cancelled_is_tried_again_from_its_checkpoint(store, state, again):
    job = claimed(store)
    change(store, "beat", job.id, 1, checkpoint=[1, 2], progress=0.5)
    change(store, "cancel", job.id, "bob", after(1))
    change(store, "end", job.id, 1, state, after(2), error={"sentence": "x"})
    assert change(store, "retry", job.id) is again
    if again:
        fresh = row(store, job)
        assert (fresh.state, fresh.error, fresh.cancelled_by, fresh.ended_at, fresh.started_at, fresh.attempts, fresh.deaths, fresh.checkpoint) == ("queued", None, None, None, None, 0, 0, [1, 2])
        assert not change(store, "end", job.id, 1, "done", after(3)), "the attempt before it writes nothing any more"
        assert change(store, "claim", job.id, "w2", after(3)).epoch == 3 and not change(store, "retry", job.id)


def test_each_attempt_counts_its_own_time_at_work(store):
    job = claimed(store)
    change(store, "beat", job.id, 1, progress=0.5, worked=60.0, carried=0.2)
    rescued(store, job)
    lying = row(store, job)
    again = change(store, "claim", job.id, "w2", after(9_000))
    assert (lying.worked, lying.carried, again.worked, again.carried, again.started_at) == (60.0, 0.2, 0.0, 0.5, AT)


def due(store: Store, at: datetime, **more: bool) -> list[str]:
    with store.read() as unit:
        return [job.id for job in unit.jobs.due(at, **more)]


def test_a_job_was_never_sent_is_due_after_a_moment(store):
    job = add(store)
    assert due(store, AT + UNSENT) == [] and due(store, AT + UNSENT + timedelta(microseconds=1)) == [job.id]
    change(store, "sent", [job.id], after(3))
    assert due(store, after(4)) == []


def test_a_message_that_led_to_nothing_is_sent_again(store):
    job = add(store)
    change(store, "sent", [job.id], AT)
    assert due(store, AT + FORGOTTEN) == [] and due(store, AT + FORGOTTEN + timedelta(seconds=1)) == [job.id]


def test_everything_queued_is_due_when_the_queue_lost_its_memory(store):
    jobs = [add(store, at=after(k)) for k in range(3)]
    change(store, "sent", [job.id for job in jobs], after(3))
    assert due(store, after(3)) == [] and due(store, after(3), all_queued=True) == [job.id for job in jobs], "oldest first"


def test_a_job_whose_worker_died_is_due_at_once_and_first(store):
    waiting, job = add(store), claimed(store, after(1))
    change(store, "sent", [waiting.id, job.id], AT)
    assert due(store, after(30)) == []
    rescued(store, job)
    assert due(store, after(30)) == [job.id] and due(store, after(30), all_queued=True) == [job.id, waiting.id]


def test_a_clock_that_was_set_back_keeps_nothing_waiting(store):
    """Times that lie ahead were written before it was."""
    sent, unsent, late = add(store), add(store), claimed(store)
    change(store, "sent", [sent.id], AT)
    change(store, "requeue", late.id, 1, after(100), "waits")
    back = AT - timedelta(hours=1)
    assert set(due(store, back)) == {sent.id, unsent.id, late.id} and change(store, "claim", late.id, "w2", back)
    assert timedelta(seconds=100) < LONGEST_WAIT < timedelta(hours=1)


def test_a_waiting_job_is_not_due_before_its_time(store):
    job = claimed(store)
    change(store, "requeue", job.id, 1, after(100), "waits")
    assert due(store, after(99), all_queued=True) == [] and due(store, after(100)) == [job.id]


@pytest.mark.parametrize("state", ["done", "failed", "cancelled"])
def test_what_has_ended_is_never_due(store, state):
    job = claimed(store)
    change(store, "end", job.id, 1, state, after(1))
    assert due(store, after(100_000), all_queued=True) == []


def test_a_dead_workers_job_starts_again_within_fifteen_seconds_by_the_defaults():
    """The first look at what was idle, lease and sweep add up; worker deaths are counted so that it ends some time."""
    from worker.schedule import QUIET
    from worker.settings import Settings

    work = Settings().work
    assert QUIET * work.sweep + work.lease + work.sweep < 15 and MOST_DEATHS >= 2
    assert work.beat / 2 < 1, "a cancel is seen within a second"
    assert work.lease > 3 * work.beat, "a beat that is late costs nothing"


def test_jobs_are_listed_newest_first_and_counted(store):
    jobs = [add(store, at=after(k), kind="steps" if k % 2 else "other") for k in range(4)]
    change(store, "claim", jobs[0].id, "w1", after(9))
    with store.read() as unit:
        assert [job.id for job in unit.jobs.latest()] == [job.id for job in jobs[::-1]]
        assert [job.id for job in unit.jobs.latest(states=("running",))] == [jobs[0].id]
        assert [job.id for job in unit.jobs.latest(kinds=("steps",), limit=1)] == [jobs[3].id]
        assert unit.jobs.counts() == {"queued": 3, "running": 1}


def test_open_jobs_are_not_removed(store):
    queued, running, done = add(store), claimed(store), claimed(store)
    change(store, "end", done.id, 1, "done", after(1))
    assert change(store, "remove", queued.id, running.id, done.id) == 1
    assert row(store, done) is None and row(store, queued) and row(store, running)


def test_what_a_deleted_result_answered_may_run_again(store):
    first, second = claimed(store, key="k1"), claimed(store, key="k2")
    for job, dataset in ((first, "d1"), (second, "d2")):
        change(store, "end", job.id, 1, "done", after(1), result={"dataset": dataset})
    change(store, "forget_result", "dataset", "d1")
    assert (row(store, first).key, row(store, second).key) == (None, "k2")
    change(store, "forget_key", second.id)
    assert add(store, "k2").id != second.id
