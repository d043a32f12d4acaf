"""The database beside the checkpoints that left it: grown, restored from a backup, or rewritten by whoever owns it."""

from __future__ import annotations

import json
import shutil
from datetime import datetime

import pytest
import sqlalchemy as sa

from domain.audit import verify
from domain.audit.collection import split
from domain.audit.note import parse
from domain.errors import BadRequest
from worker.checkpoints.agreement import digest_of
from worker.checkpoints.notary import STATE
from worker.store import Store

pytestmark = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)


@pytest.fixture
def signed(bench):
    """A trail of 8 events, signed at 1, 5 and 8 events."""
    notary = bench.notary()
    notary.step()
    for events in (4, 3):
        bench.time.seconds += 100
        bench.write(events)
        notary.step()
    assert [size for size, _ in bench.checkpoints()] == [1, 5, 8]
    return notary


def started_again(bench, notary):
    """The scheduler of a later day."""
    notary.release()
    bench.time.seconds += 86_400
    after = bench.notary()
    after.step()
    return after


def back_up(bench, notary, to) -> None:
    """While no process holds the key: a dead holder's lease is freed elsewhere."""
    notary.release()
    with bench.store.engine.connect() as connection:
        connection.connection.driver_connection.execute("VACUUM INTO ?", (str(to),))


def put_back(bench, source) -> None:
    bench.store.close()
    database = bench.settings.home / "tidemark.db"
    for path in bench.settings.home.glob("tidemark.db*"):
        path.unlink()
    shutil.copy(source, database)


def rewritten(store: Store, *bodies: str) -> None:
    """As the owner of the file: guards off, every row gone, a new chain with fresh hashes and a fresh tree."""
    with store.engine.begin() as connection:
        for name in connection.scalars(sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all():
            connection.exec_driver_sql(f"DROP TRIGGER {name}")
        for table in ("audit_links", "audit_nodes", "audit_events"):
            connection.exec_driver_sql(f"DELETE FROM {table}")
    for event in map(json.loads, bodies):
        with store.unit() as unit:
            unit.trail.add(event["actor"], event["kind"], *event["entities"], at=datetime.fromisoformat(event["ts"]), event_id=event["event_id"], **event["detail"])


def bodies_of(store: Store) -> list[str]:
    with store.read() as unit:
        return [record.body for record in unit.trail.all()]


def test_a_trail_that_grew_agrees(bench, signed):
    after = started_again(bench, signed)
    assert after.problem == "" and [size for size, _ in bench.checkpoints()] == [1, 5, 8, 8] and set(bench.kinds()) == {"audit_key_created", "noted"}


@pytest.mark.parametrize("begun", [0, 2, 3, 9])
def test_a_restored_database_says_what_it_lost_and_goes_on(bench, signed, tmp_path, begun):
    """Also where others appended before the scheduler looked: less than was lost, as much with the event itself, or more."""
    back_up(bench, signed, tmp_path / "backup.db")
    bench.time.seconds += 100
    bench.write(4)
    signed.step()
    last = list(split(bench.file_text))[-1]
    signed.release()
    put_back(bench, tmp_path / "backup.db")
    bench.time.seconds += 3_600
    bench.write(begun)
    after = bench.notary()
    after.step()
    assert bench.kinds()[8:] == ["noted"] * begun + ["restored"]
    detail = bench.detail("restored")
    assert (detail["lost_first"], detail["lost_last"], detail["kept"], detail["rows"], detail["checkpoint"]) == (9, 12, 8, 8 + begun, last)
    statement = parse(detail["statement"])
    assert statement.signers([after.trail_key.files.chain().current]) and f"lost 9-12\ncheckpoint {digest_of(last)}\n" in statement.text
    with bench.store.read() as unit:
        assert verify(unit.trail.all(), unit.trail.root()).holds
    after = started_again(bench, after)
    assert after.problem == "" and bench.kinds().count("restored") == 1
    assert [after.trail_key.files.chain().opened(note).size for note in split(bench.file_text)] == [1, 5, 8, 12, 9 + begun, 9 + begun]


def test_an_emptied_trail_is_recorded_as_lost(bench, signed):
    rewritten(bench.store)
    started_again(bench, signed)
    assert bench.kinds() == ["restored", "audit_key_created"] and bench.detail("restored")["sentence"] == "Restored: events 1 to 8 are lost"


def test_a_crash_after_the_event_restored_writes_it_once(bench, signed, tmp_path, monkeypatch):
    back_up(bench, signed, tmp_path / "backup.db")
    bench.write(4)
    bench.time.seconds += 100
    signed.step()
    signed.release()
    put_back(bench, tmp_path / "backup.db")
    with monkeypatch.context() as patched:
        patched.setattr("worker.checkpoints.notary.Notary._sign", lambda self: None)
        started_again(bench, signed).release()
    started_again(bench, signed)
    assert bench.kinds().count("restored") == 1 and bench.checkpoints()[-1] == (9, False)


@pytest.mark.parametrize("more", [0, 3])
def test_a_database_rewritten_whole_with_fresh_hashes_is_caught(bench, signed, more):
    """The trail verifies; the checkpoint that left does not fit. Nothing is signed until a person accepts it."""
    bodies = bodies_of(bench.store)
    rewritten(bench.store, bodies[0], *(body.replace('"number":1', '"number":7') for body in bodies[1:]))
    bench.write(more)
    with bench.store.read() as unit:
        assert verify(unit.trail.all(), unit.trail.root(), 8 + more).holds, "by itself the forged trail is flawless"
    after = started_again(bench, signed)
    assert "does not follow from the checkpoint of 8 events that left it" in after.problem and "--acknowledge REASON" in after.problem
    assert bench.checkpoints()[-1] == (8, False) and len(list(split(bench.file_text))) == 3
    assert bench.kinds()[8 + more :] == ["checkpoint_disagrees"]
    again = started_again(bench, after)
    assert again.problem == after.problem and bench.kinds().count("checkpoint_disagrees") == 1, "a restart forgets nothing"
    with bench.store.read() as unit:
        assert unit.fact(STATE)["disagrees"] == after.problem
    accepted = again.acknowledge("ana", "rebuilt after the fire")
    assert accepted.size == len(bench.kinds()) and bench.detail("checkpoint_acknowledged")["why"] == "rebuilt after the fire"
    last = started_again(bench, again)
    assert last.problem == "" and bench.checkpoints()[-1][1], "a heartbeat after it"
    with pytest.raises(BadRequest, match="nothing to acknowledge"):
        last.acknowledge("ana", "again")


def test_a_trail_that_was_cut_and_rewritten_below_the_cut_is_caught(bench, signed):
    """Fewer rows alone look like a restore; an earlier checkpoint in the file shows that they are other ones."""
    bodies = bodies_of(bench.store)
    rewritten(bench.store, bodies[0], *(body.replace('"number":1', '"number":7') for body in bodies[1:6]))
    after = started_again(bench, signed)
    assert "lost its end, and does not follow from the checkpoint of 5 events" in after.problem and "restored" not in bench.kinds()


def test_an_altered_tree_signs_nothing(bench, signed):
    with bench.store.engine.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER audit_nodes_no_update")
        connection.exec_driver_sql("UPDATE audit_nodes SET hash = '" + "00" * 32 + "' WHERE level = 3")
    after = started_again(bench, signed)
    assert "or the tree stored over them, are other ones" in after.problem



def test_a_long_file_is_read_from_its_end(bench, signed, tmp_path, monkeypatch):
    """The last checkpoint, and an earlier one, wherever the pieces that are read begin."""
    from worker.checkpoints import external_file

    file, chains = external_file.CheckpointFile(bench.settings.checkpoints_file), signed.trail_key.files.chains()
    sizes = [1, 5, 8]
    for tails in ((10,), (250, 300), (1, 100, 420)):
        monkeypatch.setattr(external_file, "TAILS", tails)
        assert file.last(chains).checkpoint.size == 8
        assert [entry and entry.checkpoint.size for entry in (file.newest_up_to(most, chains) for most in (0, *sizes, 7))] == [None, *sizes, 5]
    assert external_file.CheckpointFile(tmp_path / "nothing").last(chains) is None
