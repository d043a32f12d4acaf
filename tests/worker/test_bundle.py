"""Bundles and proofs of a real store, through the desk and the terminal, verified by verify.py in a process of its own."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import subprocess
import sys
import zipfile
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from domain.audit import GENESIS, chain_hash
from domain.audit.checkpoint import Checkpoint
from domain.audit.keys import SigningKey
from domain.audit.merkle import grown
from domain.audit.verifier import FILE
from domain.errors import BadRequest
from tests.domain.audit.trails import verified
from worker import actors, cli
from worker.checkpoints.key_file import PUBLIC
from worker.jobs import JOBS
from worker.jobs.base import Cancelled, Work
from worker.store import Filter

KEY = SigningKey("tidemark.example/desk", bytes([5] * 32))
ROWS = 23
TABLES = ("audit_events", "audit_nodes", "audit_links", "checkpoints")


@pytest.fixture
def trail(desk, store, settings, tmp_path):
    """A trail of 23 events with checkpoints over 9 and 20; key and the last checkpoint are kept elsewhere."""
    began = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
    for k in range(1, ROWS + 1):
        with store.unit() as unit:
            unit.trail.add("ana", "order_filled", f"order:{k % 4}", at=began + timedelta(minutes=k), event_id=f"e{k}", price=f"1.{k}", why="" if k % 5 else "x" * 1_500)
        if k in (9, 20):
            note = checkpoint(store, k)
    (settings.home / PUBLIC).write_text(f"{KEY.verifier.text}\n")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "key.txt").write_text(f"{KEY.verifier.text}\n")
    (elsewhere / "checkpoint.txt").write_text(note)
    outside = ["--key", elsewhere / "key.txt", "--checkpoint", elsewhere / "checkpoint.txt"]
    return SimpleNamespace(desk=desk, store=store, outside=outside, note=note, path=tmp_path / "audit.zip")


def checkpoint(store, size, sign=KEY):
    with store.unit() as unit:
        signed = Checkpoint(KEY.name, size, bytes.fromhex(unit.trail.root(size)), 1_790_000_000 + size).signed(sign).render()
        unit.checkpoints.add(size, unit.trail.root(size), sign.verifier.id.hex(), signed, unit.now())
    return signed


def by_a_stranger(what, *options):
    """By bare Python, in a process of its own."""
    done = subprocess.run([sys.executable, "-I", "-S", FILE, *map(str, (what, *options))], capture_output=True, text=True, env={"PATH": ""})
    assert not done.stderr, done.stderr
    return done.returncode, done.stdout


def overpowered(store, *statements):
    """As the owner of the database, past its guards."""
    with store.engine.begin() as connection:
        if connection.dialect.name == "sqlite":
            for name in connection.scalars(sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all():
                connection.exec_driver_sql(f"DROP TRIGGER {name}")
        else:
            for table in TABLES:
                connection.exec_driver_sql(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
        for statement, values in statements:
            connection.execute(sa.text(statement), values)


def test_a_bundle_verifies_and_its_download_is_an_event_with_the_last_checkpoint(trail):
    result = trail.desk.bundle.write(trail.path)
    status, text = by_a_stranger(trail.path, *trail.outside)
    assert status == 0 and f"{ROWS} rows: the whole trail up to row {ROWS}." in text and "Consistent with the checkpoint over 20 rows" in text
    assert (result["scope"], result["rows"], result["first"], result["last"]) == ("whole", ROWS, 1, ROWS)
    with trail.store.read() as unit:
        record = unit.trail.page(limit=1)[0]
        assert [row.body for row in unit.trail.all()][:ROWS] == zipfile.ZipFile(trail.path).read("events.jsonl").decode().splitlines()
    detail = json.loads(record.body)["detail"]
    assert (record.kind, detail["what"], detail["rows"], detail["sha256"]) == ("downloaded", "audit bundle", ROWS, result["sha256"])
    assert detail["checkpoint"]["note"] == trail.note and detail["checkpoint"]["size"] == 20


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_a_large_bundle_is_a_job_that_is_fetched_when_it_is_ready(system, trail, monkeypatch):
    bundle, part = trail.desk.bundle, Filter(since="2026-11-20T09:05:00", until="2026-11-20T09:15:00")
    monkeypatch.setattr("worker.desk.bundle.MOST_HERE", 5)
    assert bundle.is_large(part) and not bundle.is_large(Filter(entity="order:99")) and bundle.ready() is None
    submitted = bundle.submit(part)
    assert submitted.new and bundle.submit(part).job.id == submitted.job.id and bundle.submit().job.id != submitted.job.id
    with pytest.raises(BadRequest, match="is not ready"):
        bundle.fetch(submitted.job.id, trail.path)
    actors.run(submitted.job.id)
    ready = bundle.ready()
    assert (ready.id, ready.result["rows"], ready.result["first"]) == (submitted.job.id, 10, 5)
    bundle.fetch(ready.id, trail.path)
    assert verified(trail.path, *trail.outside)[0] == 0
    with trail.store.read() as unit:
        detail = json.loads(unit.trail.page(limit=1)[0].body)["detail"]
        assert (detail["what"], detail["sha256"], detail["checkpoint"]["size"]) == ("audit bundle", ready.result["sha256"], 20)
        assert unit.jobs.files("audit_bundle", unit.now() - timedelta(days=1)) == {ready.result["file"]}, "the sweep leaves it for a day"
    with pytest.raises(BadRequest, match="there is no bundle zzzz"):
        bundle.fetch("zzzz", trail.path)


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_a_bundle_that_is_cancelled_leaves_nothing_behind(trail, monkeypatch, settings):
    monkeypatch.setattr("worker.bundle.STEP", 5)
    job = trail.desk.bundle.submit().job
    running = Work(trail.store, settings, job)
    monkeypatch.setattr(running, "progress", lambda share, note=None: running.stop(Cancelled()) or running._raise_if_stopped())
    with pytest.raises(Cancelled):
        JOBS["audit_bundle"].run(job.spec, running)
    assert not list(settings.home.rglob("*.part")) and not list(settings.home.rglob("blobs/*/*"))


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_a_range_and_an_entity(trail):
    result = trail.desk.bundle.write(trail.path, Filter(since="2026-11-20T09:05:00", until="2026-11-20T09:15:00"))
    assert (result["scope"], result["first"], result["last"]) == ("range", 5, 14)
    assert verified(trail.path, *trail.outside)[0] == 0
    result = trail.desk.bundle.write(trail.path, Filter(entity="order:3"))
    assert (result["scope"], result["rows"], result["first"], result["last"]) == ("selection", 6, 3, 23)
    status, text = verified(trail.path, *trail.outside)
    assert status == 0 and "6 rows: a selection between rows 3 and 23." in text
    with pytest.raises(BadRequest, match="no event fits"):
        trail.desk.bundle.write(trail.path, Filter(entity="order:99"))


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_the_proofs_lead_to_a_checkpoint_that_somebody_holds(trail):
    with trail.store.read() as unit:
        held = Checkpoint(KEY.name, 17, bytes.fromhex(unit.trail.root(17)), 1_790_000_017).signed(KEY).render()
    (trail.path.parent / "held.txt").write_text(held)
    options = [*trail.outside[:2], "--checkpoint", trail.path.parent / "held.txt"]
    part = Filter(until="2026-11-20T09:05:00")
    trail.desk.bundle.write(trail.path, part)
    assert verified(trail.path, *options)[0] == 1 and "No proof leads" in verified(trail.path, *options)[1]
    trail.desk.bundle.write(trail.path, part, held)
    assert verified(trail.path, *options)[0] == 0
    with pytest.raises(BadRequest, match="rows 26 to 99 are missing"):
        trail.desk.bundle.write(trail.path, part, Checkpoint(KEY.name, 99, bytes(32)).signed(KEY).render())


def test_an_edited_row_in_the_database_is_named(trail):
    overpowered(trail.store, ("UPDATE audit_events SET body = replace(body, '1.7', '9.7') WHERE seq = 7", {}))
    trail.desk.bundle.write(trail.path)
    status, text = verified(trail.path, *trail.outside)
    assert status == 1 and text.startswith("Not verified: Row 7 was altered")


def test_garbage_in_the_database_makes_a_bundle_that_names_the_row(trail):
    overpowered(
        trail.store, ("UPDATE audit_events SET body = 'no JSON', hash = 'no hash' WHERE seq = 7", {}), ("UPDATE audit_nodes SET hash = 'zz' WHERE level = 1", {}),
        ("UPDATE checkpoints SET note = 'garbage' WHERE size = 9", {}),
    )  # fmt: skip
    result = trail.desk.bundle.write(trail.path)
    assert result["recorded"] or trail.store.engine.dialect.name == "postgresql", "whose function takes nothing onto such nodes"
    status, text = verified(trail.path, *trail.outside)
    assert status == 1 and "Row 7 cannot be read in events.csv" in text


def test_a_database_rewritten_whole_with_fresh_hashes_is_caught_by_the_checkpoint_that_left(trail):
    """Rows, tree and checkpoints, by somebody who even made a key of his own and put it in place of ours."""
    forger = SigningKey(KEY.name, bytes([6] * 32))
    with trail.store.read() as unit:
        rows = list(unit.trail.all())
    statements, head, known = [("DELETE FROM audit_nodes", {}), ("DELETE FROM checkpoints", {})], GENESIS, {}
    for index, row in enumerate(rows):
        body = row.body.replace("1.7", "9.7") if row.seq == 7 else row.body
        hash_ = chain_hash(row.seq, head, body)
        statements.append(("UPDATE audit_events SET body = :body, prev_hash = :prev, hash = :hash WHERE seq = :seq", dict(seq=row.seq, body=body, prev=head, hash=hash_)))
        head, known[0, index] = hash_, bytes.fromhex(hash_)
        for level, position, digest in grown(index, known[0, index], lambda at, position: known[at, position]):
            known[level, position] = digest
            statements.append(("INSERT INTO audit_nodes (level, position, hash) VALUES (:level, :position, :hash)", dict(level=level, position=position, hash=digest.hex())))
    overpowered(trail.store, *statements)
    checkpoint(trail.store, 20, forger)
    (trail.desk.settings.home / PUBLIC).write_text(f"{forger.verifier.text}\n")
    trail.desk.bundle.write(trail.path)
    assert verified(trail.path)[0] == 3, "alone it is consistent, and the verifier says what that does not prove"
    status, text = verified(trail.path, *trail.outside)
    assert status == 1 and "Row 1, or a later one up to row 20, is not the one that was signed" in text


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
@pytest.mark.parametrize("event", [3, 5, 20])
def test_the_proof_of_an_event_is_at_most_a_kilobyte(trail, event, tmp_path):
    """Row 5 and 20 are too long for it: their records lie beside."""
    created = trail.desk.bundle.proof(str(event))
    (tmp_path / "p.json").write_text(created.text)
    assert len(created.text) <= 1_024 and created.apart == (event % 5 == 0)
    if created.apart:
        assert "does not hold the event" in verified(tmp_path / "p.json", *trail.outside)[1]
        (tmp_path / "p.event.json").write_text(created.body)
    status, text = verified(tmp_path / "p.json", *trail.outside)
    assert status == 0 and text.startswith(f"Row {event} of 20, hash ") and created.body in text and text.endswith("Verified.\n")
    assert verified(tmp_path / "p.json")[0] == 3
    record = tmp_path / "other.json"
    record.write_text(created.body.replace("ana", "eve"))
    status, text = verified(tmp_path / "p.json", *trail.outside, "--event", record)
    assert status == 1 and f"Row {event} is not in the tree over 20 rows" in text


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_an_event_after_the_checkpoint_or_unknown_has_no_proof(trail):
    with pytest.raises(BadRequest, match="row 21 came after the checkpoint over 20 rows"):
        trail.desk.bundle.proof("21")
    with pytest.raises(BadRequest, match="no event 'nobody'"):
        trail.desk.bundle.proof("nobody")
    assert trail.desk.bundle.proof("e3").body == trail.desk.bundle.proof("3").body


def test_a_proof_in_a_tree_of_a_million_is_at_most_a_kilobyte():
    from domain.audit import Record
    from domain.audit.bundle import proof_of

    record = Record(999_999, "e", "", "", "", "x" * 400, "0" * 64, "0" * 64)
    created = proof_of(record, 1_000_000, lambda level, position: bytes([level]) * 32)
    assert created.apart and len(created.text) <= 1_000
    assert len(json.loads(created.text)["path"]) == 4 * -(-32 * 12 // 3)       # the right edge of that tree is 12 nodes high
    deepest = proof_of(Record(1, "e", "", "", "", "x" * 400, "0" * 64, "0" * 64), 1_000_000, lambda level, position: bytes(32))
    assert len(deepest.text) <= 1_000 and len(json.loads(deepest.text)["path"]) == 856


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_through_the_terminal(trail, settings, monkeypatch, tmp_path):
    from worker.terminal import here

    monkeypatch.setattr(here, "desk", lambda: trail.desk)
    out, held = tmp_path / "made" / "b.zip", trail.outside[3]
    done = CliRunner().invoke(cli.app, ["audit", "bundle", "--out", str(out), "--since", "2026-11-20T09:05", "--checkpoint", str(held), "--json"])
    assert done.exit_code == 0 and json.loads(done.stdout)["first"] == 5 and verified(out, *trail.outside)[0] == 0
    done = CliRunner().invoke(cli.app, ["audit", "proof", "e5", "--out", str(tmp_path / "p.json")])
    assert done.exit_code == 0 and (tmp_path / "p.json").stat().st_size <= 1_024 and verified(tmp_path / "p.json", *trail.outside)[0] == 0
    done = CliRunner().invoke(cli.app, ["audit", "proof", "4"])
    assert json.loads(done.stdout)["seq"] == 4
    for words in (["--entity", "run"], ["--since", "yesterday"], ["--checkpoint", str(tmp_path / "none")], ["--checkpoint", str(out)], ["--checkpoint", str(FILE)]):
        assert isinstance(CliRunner().invoke(cli.app, ["audit", "bundle", "--out", str(out), *words]).exception, BadRequest)


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_a_proof_leads_to_the_checkpoint_that_left_already(trail, kind, monkeypatch):
    """The last checkpoint is over 20 rows: an event below it asks for no new one, which nobody outside would hold; one after it does."""
    from worker.desk import checkpoints

    request = []
    monkeypatch.setattr(checkpoints.requests, "ask", lambda *words, **more: request.append(words[2]))
    for event in ("e5", "20"):
        assert trail.desk.checkpoints.cover(event) == "" and not request
        assert json.loads(trail.desk.bundle.proof(event).text)["size"] == 20
    trail.desk.checkpoints.cover("e21")
    trail.desk.checkpoints.cover()
    assert request == [checkpoints.requests.CHECKPOINT] * 2


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_a_database_or_a_copy_is_verified_against_a_checkpoint_kept_elsewhere(trail, kind, monkeypatch, tmp_path):
    from worker.terminal import here

    monkeypatch.setattr(here, "desk", lambda: trail.desk)
    words = ["audit", "verify", "--json", *map(str, trail.outside)]
    done = CliRunner().invoke(cli.app, words)
    assert (done.exit_code, json.loads(done.stdout)["checkpoint"]["agrees"]) == (0, True)
    copies = [tmp_path / "copy.db"] if kind == "sqlite" else []
    for copy in copies:
        with contextlib.closing(sqlite3.connect(trail.store.engine.url.database)) as source, contextlib.closing(sqlite3.connect(copy)) as target:
            source.backup(target)
    for copy in copies:
        copy.chmod(0o400)
        done = CliRunner().invoke(cli.app, [*words, "--database", str(copy)])
        assert (done.exit_code, json.loads(done.stdout)["checkpoint"]["agrees"]) == (0, True)
    for content, why in ((Checkpoint(KEY.name, 99, bytes(32)).signed(KEY).render(), "to 99 are missing"), (Checkpoint(KEY.name, 12, bytes(32)).signed(KEY).render(), "Row 12 or one before it")):
        (tmp_path / "other.txt").write_text(content)
        done = CliRunner().invoke(cli.app, [*words[:5], "--checkpoint", str(tmp_path / "other.txt")])
        assert done.exit_code == 1 and why in json.loads(done.stdout)["why"]
    (tmp_path / "key.txt").write_text(SigningKey(KEY.name, bytes(32)).verifier.text)
    for options in (["--key", str(tmp_path / "key.txt"), *words[5:]], words[3:5], words[5:], [*words[3:5], "--checkpoint", str(FILE)]):
        assert isinstance(CliRunner().invoke(cli.app, ["audit", "verify", *options]).exception, BadRequest)


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_nothing_is_left_where_the_writing_failed(trail, monkeypatch):
    from worker import bundle

    def full(self, scope, ends, about):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(bundle._Writer, "_rest", full)
    with pytest.raises(OSError, match="No space"):
        trail.desk.bundle.write(trail.path)
    assert not list(trail.path.parent.glob("audit.zip*"))
