"""Checkpoints: when they are signed, by whom, and that each leaves the database."""

from __future__ import annotations

import itertools
import os
from datetime import timedelta

import pytest

from domain.audit.checkpoint import opened
from domain.audit.collection import split
from domain.audit.keys import SigningKey, VerifierKey
from domain.errors import BadRequest
from worker.checkpoints import notary as notary_file
from worker.checkpoints.key_file import KEY
from worker.leases import Watch, rescue
from worker.store.checkpoints import FILE

on_sqlite = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)


def run(bench, notary, seconds: int, each: int = 20) -> None:
    for _ in range(0, seconds, each):
        bench.time.seconds += min(each, seconds)
        notary.step()


def test_the_first_step_makes_a_key_says_so_and_signs(bench, caplog):
    notary = bench.notary()
    notary.step()
    key = bench.settings.home / KEY
    verifier = SigningKey.parse(key.read_text()).verifier
    assert bench.kinds() == ["audit_key_created"] and bench.detail("audit_key_created")["fingerprint"] == verifier.fingerprint
    assert os.name == "nt" or key.stat().st_mode & 0o777 == 0o600
    assert verifier.fingerprint in caplog.text and key.read_text().strip() not in caplog.text
    (checkpoint, signers), = [opened(note, [verifier]) for note in split(bench.file_text)]
    with bench.store.read() as unit:
        assert (checkpoint.size, checkpoint.root.hex(), signers) == (1, unit.trail.root(1), (verifier,))
        row = unit.checkpoints.latest()
        receipt, = unit.checkpoints.receipts([1])[1]
    assert row.note == bench.file_text and (receipt.receiver, receipt.text) == (FILE, str(bench.settings.checkpoints_file))
    assert checkpoint.origin == verifier.name and checkpoint.origin.startswith("tidemark/") and checkpoint.seconds == int(bench.time.now().timestamp())


def test_an_idle_trail_has_a_heartbeat_a_minute_and_does_not_grow(bench):
    notary = bench.notary()
    notary.step()
    run(bench, notary, 300)
    assert bench.checkpoints() == [(1, False)] + [(1, True)] * 5 and bench.kinds() == ["audit_key_created"]
    times = [opened(note, _verifiers(bench))[0].seconds for note in split(bench.file_text)]
    assert [later - earlier for earlier, later in itertools.pairwise(times)] == [60] * 5


def test_a_thousand_events_are_signed_before_the_minute_is_over(bench):
    bench.set(events=5)
    notary = bench.notary()
    notary.step()
    bench.write(4)
    run(bench, notary, 10)
    assert bench.checkpoints() == [(1, False)]
    bench.write(1)
    run(bench, notary, 1)
    assert bench.checkpoints() == [(1, False), (6, False)]
    assert bench.settings.audit.interval == 60.0 and type(bench.settings.audit)().events == 1_000


def test_of_two_notaries_one_signs_until_it_is_gone(bench):
    first, second = bench.notary("here:1:a"), bench.notary("here:2:b")
    for _ in range(13):
        bench.time.seconds += 10
        first.step()
        second.step()
    assert first.holds and not second.holds and [size for size, _ in bench.checkpoints()] == [1, 1, 1]
    watch = Watch(8.0, bench.time)
    for _ in range(12):         # the first is silent: its process hangs
        bench.time.seconds += 1
        rescue(bench.store, watch)
        second.step()
    assert second.holds and len(bench.checkpoints()) == 4
    first.step()
    assert not first.holds, "it was fenced off"
    second.release()
    bench.time.seconds += 5
    first.step()
    assert first.holds and len(list(split(bench.file_text))) == len(bench.checkpoints())


def test_a_holder_that_lost_its_lease_signs_nothing(bench):
    """Between its last look and the commit another took over."""
    notary = bench.notary()
    notary.step()
    with bench.store.unit() as unit:
        lease = unit.leases.get("audit_key")
        unit.leases.release("audit_key", lease.epoch)
        unit.leases.take("audit_key", "here:2:b")
    assert notary.sign() is None and bench.checkpoints() == [(1, False)] and not notary.holds


@on_sqlite
def test_a_kill_between_signing_and_writing_loses_and_doubles_nothing(bench, monkeypatch):
    notary = bench.notary()
    notary.step()
    with monkeypatch.context() as patched:
        patched.setattr(notary_file.Notary, "_write", lambda self: None)        # dies before the file
        run(bench, notary, 120)
        notary.release()
    assert len(bench.checkpoints()) == 3 and len(list(split(bench.file_text))) == 1
    after = bench.notary()
    after.step()
    assert len(bench.checkpoints()) == 4
    with bench.store.read() as unit:
        assert list(split(bench.file_text)) == [row.note for row in unit.checkpoints.all()]
        assert sorted(unit.checkpoints.receipts(range(9))) == [1, 2, 3, 4]


@on_sqlite
def test_a_kill_between_the_file_and_its_receipts_doubles_nothing(bench, monkeypatch):
    notary = bench.notary()
    notary.step()
    with monkeypatch.context() as patched:
        patched.setattr("worker.checkpoints.writer.Writer._receive", lambda *_: None)
        run(bench, notary, 60)
        notary.release()
    bench.notary().step()
    with bench.store.read() as unit:
        assert list(split(bench.file_text)) == [row.note for row in unit.checkpoints.all()] and sorted(unit.checkpoints.receipts(range(9))) == [1, 2, 3]


@on_sqlite
def test_a_note_that_a_crash_cut_off_hides_none_after_it(bench):
    notary = bench.notary()
    notary.step()
    notary.release()
    path = bench.settings.checkpoints_file
    path.write_text(bench.file_text + bench.file_text[:40])
    after = bench.notary()
    after.step()
    assert [opened(note, _verifiers(bench))[0].size for note in split(bench.file_text)] == [1, 1] and after.problem == ""


@on_sqlite
def test_a_file_that_cannot_be_written_is_stated_and_caught_up_with(bench):
    path = bench.settings.checkpoints_file
    path.mkdir()
    notary = bench.notary()
    notary.step()
    with bench.store.read() as unit:
        assert "cannot be read, so nothing is signed: Is a directory" in unit.fact(notary_file.STATE)["problem"]
    path.rmdir()
    run(bench, notary, 60)
    assert len(list(split(bench.file_text))) == len(bench.checkpoints()) == 1 and notary.problem == ""
    missing = bench.settings.home / "unmounted"
    bench.set(checkpoints=str(missing / "checkpoints.txt"))
    notary.release()
    other = bench.notary()
    other.step()
    run(bench, other, 60)
    with bench.store.read() as unit:
        assert "checkpoints.txt cannot be written: No such file or directory." in unit.fact(notary_file.STATE)["file"]
    assert len(bench.checkpoints()) == 3, "signing goes on"
    missing.mkdir()
    run(bench, other, 1)
    assert len(list(split(bench.file_text))) == 2
    with bench.store.read() as unit:
        assert unit.fact(notary_file.STATE)["file"] == ""


@on_sqlite
def test_entries_removed_from_the_file_or_added_to_it_are_an_event(bench):
    notary = bench.notary()
    notary.step()
    run(bench, notary, 120)
    path, notes = bench.settings.checkpoints_file, list(split(bench.file_text))
    path.write_text("".join(notes[:-1]))
    run(bench, notary, 60)
    assert bench.kinds().count("checkpoint_file_changed") == 1 and "another checkpoint than the last" in bench.detail("checkpoint_file_changed")["sentence"]
    path.write_text(bench.file_text + "tidemark/other\n1\nYriLl2tacs9a+s9fyAzNVacLNiIJoZhtwjAvQ/nEfD8=\n\n\u2014 tidemark/other AQEBAQEBAQE=\n")
    run(bench, notary, 60)
    assert bench.kinds().count("checkpoint_file_changed") == 2 and "1 entries that no key of this trail signed" in bench.detail("checkpoint_file_changed")["sentence"]
    assert not notary.problem and len(bench.checkpoints()) == 5


@on_sqlite
def test_a_file_that_is_gone_is_an_event_and_begins_anew(bench):
    notary = bench.notary()
    notary.step()
    notary.release()
    bench.settings.checkpoints_file.unlink()
    bench.notary().step()
    assert "was gone or empty, and began anew; it had held checkpoint 1" in bench.detail("checkpoint_file_changed")["sentence"]
    assert len(list(split(bench.file_text))) == 1


def _verifiers(bench) -> list[VerifierKey]:
    return [SigningKey.parse((bench.settings.home / KEY).read_text()).verifier]


# -- the key


def test_after_a_rotation_checkpoints_of_both_keys_verify(bench):
    notary = bench.notary()
    notary.step()
    first, = _verifiers(bench)
    bench.write(3)
    second = notary.rotate("ana", "a new year")
    assert second == _verifiers(bench)[0] != first and second.name == first.name
    assert bench.kinds() == ["audit_key_created", *["noted"] * 3, "audit_key_rotated"]
    chain = notary.trail_key.files.chain()
    assert [(key, most) for key, most in chain.keys] == [(first, 4), (second, None)]
    assert [chain.opened(note).size for note in split(bench.file_text)] == [1, 5]
    assert bench.detail("audit_key_rotated") | dict(why="", rotation="", sentence="") == dict(key=second.text, fingerprint=second.fingerprint, why="", rotation="", sentence="")
    run(bench, notary, 60)
    again = bench.notary()
    notary.release()
    bench.time.seconds += 5
    again.step()
    assert again.holds and [size for size, _ in bench.checkpoints()] == [1, 5, 5, 5] and len(bench.kinds()) == 5


def test_the_old_key_signs_no_larger_trail(bench):
    """Whoever kept a copy of it cannot go on with it."""
    notary = bench.notary()
    notary.step()
    old = SigningKey.parse((bench.settings.home / KEY).read_text())
    notary.rotate("ana")
    bench.write(1)
    from domain.audit.checkpoint import Checkpoint

    with bench.store.read() as unit:
        forged = Checkpoint(old.name, 3, unit.checkpoints.root(3)).signed(old).render()
    with pytest.raises(BadRequest, match=r"no key of the trail .* that might do so signed this checkpoint of 3 events"):
        notary.trail_key.files.chain().opened(forged)


@on_sqlite
@pytest.mark.parametrize("step", ["next", "public", "rename"])
def test_a_rotation_that_was_killed_is_completed_or_undone(bench, monkeypatch, step):
    """Whatever was reached: one key that signs, and every earlier checkpoint verifies."""
    from worker.checkpoints import durable

    notary = bench.notary()
    notary.step()
    calls = dict(next=(durable.replace, 1), public=(durable.replace, 2), rename=(durable.rename, 1))[step]
    count = iter(range(1, 99))

    def dies(*arguments, **named):
        if next(count) == calls[1]:
            raise KeyboardInterrupt
        return calls[0](*arguments, **named)

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(durable, calls[0].__name__, dies)
        notary.rotate("ana")
    notary.release()
    bench.time.seconds += 5
    after = bench.notary()
    after.step()
    assert after.holds and after.problem == "" and not (bench.settings.home / "audit.key.next").exists()
    assert bench.kinds().count("audit_key_rotated") == (step == "rename")
    assert [after.trail_key.files.chain().opened(note).size for note in split(bench.file_text)][-1] == len(bench.kinds())


@pytest.mark.skipif(os.name == "nt", reason="no such modes")
@on_sqlite
def test_a_key_that_others_may_read_signs_nothing(bench):
    notary = bench.notary()
    notary.step()
    notary.release()
    (bench.settings.home / KEY).chmod(0o640)
    after = bench.notary()
    after.step()
    assert not after.holds and "others may read the key" in after.problem and len(bench.checkpoints()) == 1


@on_sqlite
def test_a_trail_whose_key_is_elsewhere_gets_no_second_one(bench):
    notary = bench.notary()
    notary.step()
    notary.release()
    lost, = _verifiers(bench)
    (bench.settings.home / KEY).unlink()
    after = bench.notary()
    after.step()
    assert not after.holds and lost.fingerprint in after.problem and "rotate --lost" in after.problem
    key = after.replace_lost("ana", "the disk died")
    assert key != lost and bench.detail("audit_key_replaced")["lost"] == lost.text and bench.checkpoints()[-1] == (2, False)
    chains = after.trail_key.files.chains()
    assert [chain.current for chain in chains] == [key, lost] and len(list(split(bench.file_text))) == 2
    with pytest.raises(BadRequest, match="the key of this trail is not lost"):
        after.replace_lost("ana", "again")


@on_sqlite
def test_a_lost_key_is_not_made_anew_because_the_trail_was_emptied(bench):
    """Else whoever empties the database and removes the key would begin a trail that no checkpoint outside disagrees with."""
    from tests.worker.checkpoints.test_agreement import rewritten

    notary = bench.notary()
    notary.step()
    notary.release()
    rewritten(bench.store)
    (bench.settings.home / KEY).unlink()
    after = bench.notary()
    after.step()
    assert "is not in this workspace, so nothing is signed here" in after.problem and bench.kinds() == []
    after.replace_lost("ana", "the disk died")
    assert bench.kinds() == ["audit_key_replaced", "checkpoint_disagrees"] and "--acknowledge REASON" in after.problem


@on_sqlite
def test_a_file_of_another_trail_is_an_event(bench):
    bench.settings.checkpoints_file.write_text("tidemark/other\n1\nYriLl2tacs9a+s9fyAzNVacLNiIJoZhtwjAvQ/nEfD8=\n\n\u2014 tidemark/other AQEBAQEBAQE=\n")
    bench.notary().step()
    assert bench.kinds() == ["audit_key_created", "checkpoint_file_changed"] and "holds no checkpoint that a key of this trail signed" in bench.detail("checkpoint_file_changed")["sentence"]
    assert [size for size, _ in bench.checkpoints()] == [1] and len(list(split(bench.file_text))) == 2


@on_sqlite
def test_a_key_of_another_database_signs_nothing(bench):
    notary = bench.notary()
    notary.step()
    notary.release()
    stranger = SigningKey("tidemark/other", bytes(range(32)))
    (bench.settings.home / KEY).write_text(stranger.text)
    (bench.settings.home / "audit-keys.txt").write_text(f"{stranger.verifier.text}\n")
    after = bench.notary()
    after.step()
    assert not after.holds and "put back the file that belongs to this database" in after.problem


@on_sqlite
def test_the_name_of_the_trail_is_the_one_that_was_set_at_first(bench, caplog):
    bench.set(origin="desk.example.com/audit")
    notary = bench.notary()
    notary.step()
    assert bench.file_text.startswith("desk.example.com/audit\n1\n")
    notary.release()
    bench.set(origin="other")
    bench.notary().step()
    assert "the key's name is used" in caplog.text and bench.file_text.count("desk.example.com/audit\n") == 2


@on_sqlite
def test_a_name_that_no_key_may_have_is_stated(bench):
    bench.set(origin="two words")
    notary = bench.notary()
    notary.step()
    assert "[audit] origin is 'two words'; it must be up to 200 letters" in notary.problem and not bench.checkpoints()


def test_the_scheduler_forgets_old_heartbeats(bench, settings):
    from worker.schedule import clean

    notary = bench.notary()
    notary.step()
    run(bench, notary, 120)
    with bench.store.unit() as unit:
        assert unit.checkpoints.forget_heartbeats(bench.time.now() - timedelta(days=8)) == 0
    clean(bench.store)
    assert len(bench.checkpoints()) >= 2
