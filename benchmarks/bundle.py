"""A bundle of 100,000 events: writing it, and its verification by a stranger with bare Python."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.timing import Row
from domain.audit.bundle import MOST_PROOF, proof_of
from domain.audit.checkpoint import Checkpoint
from domain.audit.keys import SigningKey
from domain.audit.verifier import FILE
from worker import bundle
from worker.bundle_evidence import evidence_of
from worker.store import Filter, Store
from worker.store.migrate import upgrade

EVENTS, BATCH, GOAL = 100_000, 1_000, 20.0
KEY = SigningKey("benchmark.example/trail", bytes(range(32)))


def rows() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store = _filled(folder)
        note = _signed(store)
        (folder / "key.txt").write_text(f"{KEY.verifier.text}\n")
        (folder / "checkpoint.txt").write_text(note)
        began = time.perf_counter()
        with store.read() as unit:
            bundle.write(unit, folder / "audit.zip", Filter(), evidence_of(unit, f"{KEY.verifier.text}\n"), {})
            written = time.perf_counter() - began
            record = unit.trail_index.named(str(EVENTS // 3))
            assert record is not None
            proof = len(proof_of(record, EVENTS, unit.trail.node).text)
        store.close()
        yield Row(f"bundle of {EVENTS:,} events written", written)
        seconds = _verified(folder)
        yield Row(f"verify.py on these {EVENTS:,} events, bare Python", seconds, goal=f"≤ {GOAL:.0f} s", holds=seconds <= GOAL)
        yield Row(f"proof of one of {EVENTS:,} events", None, goal=f"≤ {MOST_PROOF:,} bytes", holds=proof <= MOST_PROOF, figure=f"{proof:,} bytes")


def _filled(folder: Path) -> Store:
    store = Store(f"sqlite:///{folder}/tidemark.db", str(folder / "frames"))
    upgrade(store.engine)
    for batch in range(EVENTS // BATCH):
        with store.unit() as unit:
            now = unit.now()
            for k in range(BATCH):
                unit.trail.add("ana", "order_filled", f"order:{batch}-{k}", f"run:{batch}", at=now, price="1.10325", units=1000, stop="1.09", target="1.12")
    return store


def _signed(store: Store) -> str:
    with store.unit() as unit:
        root = unit.trail.root(EVENTS)
        note = Checkpoint(KEY.name, EVENTS, bytes.fromhex(root), int(unit.now().timestamp())).signed(KEY).render()
        unit.checkpoints.add(EVENTS, root, KEY.verifier.id.hex(), note, unit.now())
    return note


def _verified(folder: Path) -> float:
    """Seconds of the whole process, which must end with 0."""
    command = [sys.executable, "-I", "-S", str(FILE), "audit.zip", "--key", "key.txt", "--checkpoint", "checkpoint.txt"]
    began = time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return time.perf_counter() - began
