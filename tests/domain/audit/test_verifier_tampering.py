"""P1: the nine kinds of tampering, past every trigger, against verify.py with a key and a checkpoint from elsewhere.

A handful of random mutations of each by default, more by TIDEMARK_CASES; a thousand of each in tests/faults.
"""

from __future__ import annotations

import json
import os
import random
import re
from dataclasses import replace
from datetime import timedelta

import pytest

from domain.audit import AuditEvent, Record, canonical, chain_hash
from domain.audit.record import instant
from domain.errors import BadRequest
from tests.domain.audit.trails import BEGAN, KEY, STRANGER, bundled, chained, record, records, signed, verified
from worker.store import Filter

CASES = int(os.environ.get("TIDEMARK_CASES", "4"))
ROWS, COVERED = records(30, seed=1), 24         # the checkpoint that left is over 24 of 30 rows
NOTES = [signed(ROWS, size) for size in (8, 16, 24)]


def edited(row: Record, rng: random.Random) -> Record:
    """Another price, still canonical; its hash as it was."""
    body = json.loads(row.body)
    body["detail"]["price"] = str(int(body["detail"]["price"]) + rng.randint(1, 9))
    return replace(row, body=canonical(body).decode())


def edit(rows, k, rng):
    return [*rows[: k - 1], edited(rows[k - 1], rng), *rows[k:]], f"Row {k} was altered"


def edit_and_hash(rows, k, rng):
    row = edited(rows[k - 1], rng)
    row = replace(row, hash=chain_hash(row.seq, row.prev_hash, row.body))
    return [*rows[: k - 1], row, *rows[k:]], f"Row {k + 1} does not follow row {k} as it stands here: row {k} was altered and hashed anew"


def delete(rows, k, rng):
    left = [*rows[: k - 1], *rows[k:]]
    if rng.random() < 0.5:
        return left, f"Row {k} is missing"
    return [replace(row, seq=seq) for seq, row in enumerate(left, 1)], f"Row {k} "


def swap(rows, k, rng):
    other = rng.choice([seq for seq in range(1, COVERED + 1) if seq != k])
    low, high = sorted((k, other))
    swapped = list(rows)
    swapped[low - 1], swapped[high - 1] = replace(rows[high - 1], seq=low), replace(rows[low - 1], seq=high)
    return swapped, f"Row {low} "


def cut(rows, k, rng):
    return rows[:k], f"rows {k + 1} to {COVERED} are missing" if k + 1 < COVERED else f"row {COVERED} is missing"


def rewrite(rows, k, rng):
    return chained([*rows[: k - 1], edited(rows[k - 1], rng), *rows[k:]], k), k


def backdate(rows, k, rng):
    body = json.loads(rows[k - 1].body) | {"ts": instant(BEGAN - timedelta(hours=rng.randint(1, 99)))}
    return chained([*rows[: k - 1], replace(rows[k - 1], ts=body["ts"], body=canonical(body).decode()), *rows[k:]], k), k


def replace_tail(rows, k, rng):
    kept = rows[: k - 1]
    head = kept[-1].hash if kept else rows[0].prev_hash
    for seq in range(k, len(rows) + rng.randint(1, 3)):
        kept.append(record(seq, head, AuditEvent(f"other{seq}", BEGAN + timedelta(seconds=seq), "ana", "order_filled", (), {"price": str(rng.randint(1, 99))})))
        head = kept[-1].hash
    return kept, k


def empty(rows, k, rng):
    return [], f"rows 1 to {COVERED} are missing"


KINDS = (edit, edit_and_hash, delete, swap, cut, rewrite, backdate, replace_tail, empty)


def notes_beside(rows, rng):
    """What the forger leaves of the checkpoints in the database: all, none, or such of his own key."""
    choice = rng.choice(("all", "none", "own"))
    if choice == "own" and rows:
        return [signed(rows, size, STRANGER) for size in sorted({max(len(rows) // 2, 1), len(rows)})], STRANGER
    return (NOTES if choice == "all" else []), KEY


def tampered(kind, seed, tmp_path, outside):
    rng = random.Random(f"{kind.__name__} {seed}")
    k = rng.randint(1, COVERED - 1)
    rows, expected = kind(list(ROWS), k, rng)
    notes, key = notes_beside(rows, rng)
    status, text = verified(bundled(rows, tmp_path / "audit.zip", notes, keys=f"{key.verifier.text}\n"), *outside)
    assert status == 1 and text.count("\n") == 1, (kind.__name__, seed, text)
    if isinstance(expected, str):
        assert expected in text, (kind.__name__, seed, text)
    else:
        result = re.search(r"Row (\d+)(?:, or a later one up to row (\d+),)? is not the one that was signed", text)
        first, last = int(result[1]), int(result[2] or result[1])
        assert first <= expected <= last <= COVERED, (kind.__name__, seed, text)
    return rows, k, notes, rng


@pytest.fixture(scope="module")
def outside(tmp_path_factory):
    folder = tmp_path_factory.mktemp("outside")
    (folder / "key.txt").write_text(KEY.verifier.text)
    (folder / "checkpoint.txt").write_text(NOTES[-1])
    return ["--key", folder / "key.txt", "--checkpoint", folder / "checkpoint.txt"]


def test_untouched_it_verifies(outside, tmp_path):
    assert verified(bundled(ROWS, tmp_path / "audit.zip", NOTES), *outside)[0] == 0


@pytest.mark.parametrize("kind", KINDS)
def test_tampering_is_caught_and_the_row_named(kind, outside, tmp_path):
    for seed in range(CASES):
        tampered(kind, seed, tmp_path, outside)


@pytest.mark.parametrize("kind", (rewrite, backdate, replace_tail))
@pytest.mark.parametrize("wanted", (Filter(since="2026-11-20T09:00:03", until="2026-11-20T09:00:25"), Filter(entity="run:1")))
def test_a_part_of_a_rewritten_trail_is_caught_too(kind, wanted, outside, tmp_path):
    rng = random.Random(3)
    rows, _ = kind(list(ROWS), 2, rng)
    for notes in (NOTES, [signed(rows, len(rows), STRANGER)], []):
        try:
            path = bundled(rows, tmp_path / "audit.zip", notes, wanted)
        except BadRequest:      # the rows of that run are gone
            assert kind is replace_tail and wanted.entity
            continue
        status, text = verified(path, *outside)
        assert status == 1, text


@pytest.mark.parametrize("kind", (edit, edit_and_hash))
def test_a_selection_with_an_edited_row_names_it(kind, outside, tmp_path):
    rows, _ = kind(list(ROWS), 7, random.Random(0))
    path = bundled(rows, tmp_path / "audit.zip", NOTES, Filter(entity="run:1"), tree=ROWS)
    status, text = verified(path, *outside)
    assert status == 1 and text.startswith("Not verified: Row 7 ")


def test_a_lie_by_the_holder_of_the_key_is_caught_by_the_checkpoint_that_left(outside, tmp_path):
    """He can sign another history, and not the checkpoint that somebody keeps."""
    rows, _ = rewrite(list(ROWS), 12, random.Random(0))
    path = bundled(rows, tmp_path / "audit.zip", [signed(rows, size) for size in (8, 16, 24, 30)])
    assert verified(path, *outside[:2])[0] == 3
    status, text = verified(path, *outside)
    assert status == 1 and "the key signed two histories" in text
    status, text = verified(bundled(rows, tmp_path / "audit.zip", [signed(rows, size) for size in (8, 16, 30)]), *outside)
    assert status == 1 and "Row 17, or a later one up to row 24, is not the one that was signed (or one before row 17, if the key's holder" in text


def test_without_the_checkpoint_from_elsewhere_a_rewrite_is_not_claimed_to_be_proved(tmp_path):
    rows, _ = rewrite(list(ROWS), 12, random.Random(0))
    path = bundled(rows, tmp_path / "audit.zip", [signed(rows, 30, STRANGER)], keys=f"{STRANGER.verifier.text}\n")
    status, text = verified(path)
    assert status == 3 and "authorship and completeness not proved" in text


def test_an_event_that_was_written_late_under_an_earlier_time_is_noted(outside, tmp_path):
    """No tampering with the chain: its author appended it so. The checkpoint before it says when it was not there yet."""
    late = AuditEvent("late", BEGAN - timedelta(hours=3), "ana", "order_filled", (), {"price": "1"})
    rows = [*ROWS, record(31, ROWS[-1].hash, late)]
    status, text = verified(bundled(rows, tmp_path / "audit.zip", NOTES), *outside)
    assert status == 0 and "Note: 1 row, the first of them row 31, say an earlier time than a checkpoint that they came after" in text
    assert "Note:" not in verified(bundled(ROWS, tmp_path / "audit.zip", NOTES), *outside)[1]
