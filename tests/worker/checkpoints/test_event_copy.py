"""``[audit] jsonl``: each event once, in its exact bytes, whatever cut the writing off."""

from __future__ import annotations

import random

import pytest

from worker.checkpoints import durable
from worker.checkpoints.event_copy import EventCopy

on_sqlite = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "events.jsonl"


def bodies(bench) -> bytes:
    with bench.store.read() as unit:
        return "".join(f"{record.body}\n" for record in unit.trail.all()).encode()


def test_every_event_is_a_line_in_its_exact_bytes(bench, path):
    copy = EventCopy(bench.store, path)
    assert copy.step() == 0 and not path.exists()
    for events in (3, 1):
        bench.write(events)
        assert copy.step() == events and path.read_bytes() == bodies(bench)
    bench.write(2)
    assert EventCopy(bench.store, path).step() == 2 and path.read_bytes() == bodies(bench)


@on_sqlite
def test_it_goes_on_wherever_a_crash_cut_it_off(bench, path):
    bench.write(9)
    whole = bodies(bench)
    for cut in (0, 1, len(whole) - 1, *random.Random(7).sample(range(len(whole)), 12)):
        path.write_bytes(whole[:cut])
        EventCopy(bench.store, path).step()
        assert path.read_bytes() == whole, f"cut at {cut}"


@on_sqlite
def test_after_an_error_the_place_is_looked_up_anew(bench, path, monkeypatch):
    """Half of a line reached the disk before it was full."""
    bench.write(2)
    copy = EventCopy(bench.store, path)
    copy.step()
    bench.write(3)

    def full(path, content, mode=0o600):
        with path.open("ab") as file:
            file.write(content[: len(content) // 2])
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched, pytest.raises(OSError, match="No space left"):
        patched.setattr(durable, "append", full)
        copy.step()
    copy.step()
    assert path.read_bytes() == bodies(bench)


@on_sqlite
def test_events_that_a_restored_database_has_lost_stay_in_the_file(bench, path):
    bench.write(3)
    lost = b'{"event_id":"lost"}\n'
    path.write_bytes(bodies(bench) + lost)
    bench.write(2)
    EventCopy(bench.store, path).step()
    lines = path.read_bytes().splitlines(keepends=True)
    assert lines[3] == lost and b"".join(lines[:3] + lines[4:]) == bodies(bench)


@on_sqlite
def test_long_files_are_read_from_their_end(bench, path, monkeypatch):
    monkeypatch.setattr("worker.checkpoints.event_copy.BLOCK", 64)
    monkeypatch.setattr("worker.checkpoints.event_copy.PAGE", 2)
    bench.write(5)
    whole = bodies(bench)
    path.write_bytes(whole[: len(whole) // 2])
    EventCopy(bench.store, path).step()
    assert path.read_bytes() == whole
