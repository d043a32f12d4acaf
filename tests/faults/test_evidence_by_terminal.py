"""What a stranger does with the evidence, as he does it: the terminal in processes of its own, ``verify.py`` under bare Python in an empty folder, a witness beside.

On a workspace of SQLite files, for a stranger has a copy of those; other tests hold the same on PostgreSQL.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from domain.audit import GENESIS, chain_hash
from domain.audit.merkle import grown
from tests.conftest import migrated
from tests.worker.witness.test_process import Process
from worker.checkpoints.courier import Courier
from worker.checkpoints.notary import Notary
from worker.desk import Desk
from worker.settings import ROOT, load
from worker.store import Store
from worker.witness.memory import Memory

pytestmark = pytest.mark.faults


@dataclass
class Operator:
    """A workspace, its terminal, and a folder elsewhere with what left it: key and checkpoint."""

    home: Path
    elsewhere: Path
    environment: dict[str, str]

    def terminal(self, *words: str, status: int = 0) -> str:
        plain = {name: value for name, value in os.environ.items() if not name.startswith("TIDEMARK_")}
        done = subprocess.run([sys.executable, "-m", "worker.cli", *words], cwd=ROOT, env={**plain, **self.environment, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True)
        assert done.returncode == status, (words, done.stdout, done.stderr)
        return done.stdout

    def sign(self) -> None:
        """A checkpoint of this moment, and the key, leave."""
        self.terminal("audit", "checkpoints", "--now", "--out", str(self.elsewhere / "checkpoint.txt"))
        self.terminal("audit", "key", "show", "--out", str(self.elsewhere / "key.txt"))

    def work(self, first: int, last: int) -> None:
        settings = load(environment=self.environment)
        store = Store(settings.database_url, settings.frames_url)
        desk = Desk(store, settings, send=lambda *_: False)
        for number in range(first, last):
            desk.features.save_recipe(f"Mine {number}", ["rsi(14)"])
        store.close()

    @property
    def database(self) -> Path:
        return self.home / "tidemark.db"


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    home, elsewhere = tmp_path / "var", tmp_path / "elsewhere"
    elsewhere.mkdir()
    migrated(f"sqlite:///{home / 'tidemark.db'}")
    created = Operator(home, elsewhere, {"TIDEMARK_STORAGE_HOME": str(home), "TIDEMARK_APP_USER": "ana", "TIDEMARK_EXAMPLE": "false"})
    created.work(0, 12)
    created.sign()
    return created


def verify(bundle: Path, folder: Path, *words: str) -> tuple[int, str]:
    """``verify.py`` as the bundle has it, alone in a folder, by a Python that sees no package and no environment."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    with zipfile.ZipFile(bundle) as archive:
        archive.extractall(folder)
    done = subprocess.run([sys.executable, "-I", "-S", "verify.py", ".", *words], cwd=folder, env={}, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def outside(operator: Operator) -> tuple[str, ...]:
    return "--key", str(operator.elsewhere / "key.txt"), "--checkpoint", str(operator.elsewhere / "checkpoint.txt")


def test_a_bundle_verifies_in_an_empty_folder_and_one_byte_changed_names_the_row(operator: Operator, tmp_path: Path):
    bundle = tmp_path / "bundle.zip"
    operator.terminal("audit", "bundle", "--out", str(bundle))
    assert verify(bundle, tmp_path / "a", *outside(operator))[0] == 0
    status, text = verify(bundle, tmp_path / "b")
    assert status == 3 and "not proved" in text
    forged = tmp_path / "forged.zip"
    with zipfile.ZipFile(bundle) as archive, zipfile.ZipFile(forged, "w") as copy:
        for name in archive.namelist():
            content = archive.read(name)
            copy.writestr(name, content.replace(b"Mine 4", b"Mine 5", 1) if name == "events.jsonl" else content)
    status, text = verify(forged, tmp_path / "c", *outside(operator))
    assert status == 1 and "ow 5" in text, text


def test_one_event_is_proved_by_a_kilobyte(operator: Operator, tmp_path: Path):
    proof = tmp_path / "proof.json"
    operator.terminal("audit", "proof", "5", "--out", str(proof))
    assert proof.stat().st_size <= 1_024
    done = subprocess.run([sys.executable, "-I", "-S", str(ROOT / "domain/audit/verifier/verify.py"), str(proof), *outside(operator)], capture_output=True, text=True, env={})
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_database_rewritten_whole_is_caught_by_the_checkpoint_that_left(operator: Operator, tmp_path: Path):
    copy = tmp_path / "copy.db"
    shutil.copyfile(operator.database, copy)
    operator.terminal("audit", "verify", "--database", str(copy), *outside(operator))
    rewrite(copy)
    message = operator.terminal("audit", "verify", "--database", str(copy), *outside(operator), "--json", status=1)
    assert json.loads(message)["holds"] is False, message


def rewrite(database: Path) -> None:
    """Every row with a fresh hash, and the tree with them, by somebody who may write the file."""
    connection = sqlite3.connect(database)
    for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        connection.execute(f'DROP TRIGGER "{name}"')
    connection.execute("DELETE FROM audit_nodes")
    head, nodes = GENESIS, {}
    for index, (seq, body) in enumerate(connection.execute("SELECT seq, body FROM audit_events ORDER BY seq").fetchall()):
        text = body.replace("Mine 4", "Mine X")
        hash_ = chain_hash(seq, head, text)
        connection.execute("UPDATE audit_events SET body = ?, prev_hash = ?, hash = ? WHERE seq = ?", (text, head, hash_, seq))
        head, nodes[0, index] = hash_, bytes.fromhex(hash_)
        connection.execute("INSERT INTO audit_nodes (level, position, hash) VALUES (0, ?, ?)", (index, hash_))
        for level, position, digest in grown(index, nodes[0, index], lambda at, place: nodes[at, place]):
            nodes[level, position] = digest
            connection.execute("INSERT INTO audit_nodes (level, position, hash) VALUES (?, ?, ?)", (level, position, digest.hex()))
    connection.commit()
    connection.close()


def test_after_a_rotation_both_keys_verify(operator: Operator, tmp_path: Path):
    operator.terminal("audit", "key", "rotate")
    operator.work(12, 15)
    kept = tmp_path / "old"
    shutil.copytree(operator.elsewhere, kept)
    operator.sign()
    bundle = tmp_path / "bundle.zip"
    operator.terminal("audit", "bundle", "--out", str(bundle))
    for key in (kept / "key.txt", operator.elsewhere / "key.txt"):
        for checkpoint in (kept / "checkpoint.txt", operator.elsewhere / "checkpoint.txt"):
            status, text = verify(bundle, tmp_path / "a", "--key", str(key), "--checkpoint", str(checkpoint))
            assert status in (0, 3) and "not the one" not in text, text
    assert verify(bundle, tmp_path / "a", "--key", str(kept / "key.txt"), "--checkpoint", str(operator.elsewhere / "checkpoint.txt"))[0] == 0


def test_a_witness_refuses_a_fork(operator: Operator, tmp_path: Path):
    """Two copies of a workspace that went apart, one witness: who comes second is refused, by the terminal of the operator."""
    witness = Process(tmp_path / "witness")
    twin = Operator(tmp_path / "twin", operator.elsewhere, {**operator.environment, "TIDEMARK_STORAGE_HOME": str(tmp_path / "twin")})
    for each in (operator, twin):
        each.environment["TIDEMARK_AUDIT_WITNESSES"] = witness.url
    operator.terminal("audit", "checkpoints", "--now")
    shutil.copytree(operator.home, twin.home)
    operator.work(20, 22)
    twin.work(30, 32)
    assert receipts(operator) == ["cosigned"] and receipts(twin) == ["refused"]
    assert [entry["what"] for entry in Memory(tmp_path / "witness").journal()] == ["same size, other root"]
    assert witness.stop() == 0


def receipts(operator: Operator) -> list[str]:
    """What the witness answers to a checkpoint of this moment, as the terminal lists it; the process that holds the key takes it there."""
    operator.terminal("audit", "checkpoints", "--now")
    settings = load(environment=operator.environment)
    store = Store(settings.database_url, settings.frames_url)
    notary = Notary(store, settings)
    notary.step()
    Courier(store, settings, notary).step()
    store.close()
    newest = json.loads(operator.terminal("audit", "checkpoints", "--json"))[0]
    return [receipt["state"] for receipt in newest["receipts"] if receipt["receiver"].startswith("http")]
