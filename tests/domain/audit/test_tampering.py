"""Each of the nine kinds of tampering is done to a trail, and caught by exactly the defences that the page names."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from domain.audit import GENESIS, AuditEvent, Record, chain_hash, verify
from domain.audit.merkle import EMPTY, parent
from domain.audit.tampering import KINDS
from domain.audit.verify import Checker

ROWS, CHECKPOINT = 21, 17       # rows of the trail; those that the checkpoint elsewhere covers
START = datetime(2026, 11, 20, 14, tzinfo=UTC)


def chained(bodies: Sequence[str], first: int = 1, head: str = GENESIS) -> list[Record]:
    """Rows whose numbers, links and hashes follow from one another, from ``first`` on."""
    rows = []
    for seq, body in enumerate(bodies, first):
        event, hash_ = json.loads(body), chain_hash(seq, head, body)
        rows.append(Record(seq, event["event_id"], event["ts"], event["actor"], event["kind"], body, head, hash_))
        head = hash_
    return rows


TRAIL = chained([AuditEvent(f"e{k}", START + timedelta(seconds=k), "ana", "order_filled", (f"order:{k}",), {"price": 1.1}).body() for k in range(ROWS)])


def rehashed(rows: list[Record], k: int, body: str) -> list[Record]:
    return [*rows[:k], *chained([body, *(row.body for row in rows[k + 1 :])], k + 1, rows[k].prev_hash)]


def forged(row: Record) -> str:
    return row.body.replace('"1.1"', '"9.9"')


def edited_with_hash(rows: list[Record]) -> list[Record]:
    body = forged(rows[6])
    return [*rows[:6], replace(rows[6], body=body, hash=chain_hash(7, rows[6].prev_hash, body)), *rows[7:]]


def backdated(rows: list[Record]) -> list[Record]:
    return rehashed(rows, 6, rows[6].body.replace("T14:00:06", "T09:00:06"))


def replaced_tail(rows: list[Record]) -> list[Record]:
    return [*rows[:9], *chained([forged(row) for row in rows[9:]], 10, rows[8].hash)]


DONE: dict[str, Callable[[list[Record]], list[Record]]] = {
    "edit": lambda rows: [*rows[:6], replace(rows[6], body=forged(rows[6])), *rows[7:]],
    "edit_and_hash": edited_with_hash,
    "delete": lambda rows: rows[:6] + rows[7:],
    "swap": lambda rows: [*rows[:6], replace(rows[7], seq=7), replace(rows[6], seq=8), *rows[8:]],
    "cut": lambda rows: rows[:9],
    "rewrite": lambda rows: rehashed(rows, 6, forged(rows[6])),
    "backdate": backdated,
    "replace": replaced_tail,
    "empty": lambda rows: [],
}


def root_over(leaves: Sequence[bytes]) -> bytes:
    """RFC 6962, section 2.1, by its recursive definition."""
    if len(leaves) < 2:
        return leaves[0] if leaves else EMPTY
    half = 1 << (len(leaves) - 1).bit_length() - 1
    return parent(root_over(leaves[:half]), root_over(leaves[half:]))


def hashes(rows: Sequence[Record]) -> list[bytes]:
    return [bytes.fromhex(row.hash) for row in rows]


def recomputed(rows: Sequence[Record]) -> list[bytes]:
    """What a stranger hashes: the bodies in their order, from genesis."""
    return [bytes.fromhex(row.hash) for row in chained([row.body for row in rows])]


STORED_ROOT, SIGNED_ROOT = root_over(hashes(TRAIL)), root_over(hashes(TRAIL[:CHECKPOINT]))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.key)
def test_each_kind_is_caught_by_the_defences_that_are_named(kind):
    rows = DONE[kind.key](list(TRAIL))
    assert rows != TRAIL
    by_chain = not verify(rows).holds
    by_tree = root_over(hashes(rows)) != STORED_ROOT
    by_checkpoint = len(rows) < CHECKPOINT or root_over(recomputed(rows[:CHECKPOINT])) != SIGNED_ROOT
    assert (by_chain, by_tree, by_checkpoint) == (kind.chain, kind.tree, kind.checkpoint)


def test_there_are_nine_kinds_and_an_honest_trail_is_none_of_them():
    assert [kind.key for kind in KINDS] == list(DONE) and len(KINDS) == 9
    checker = Checker()
    assert not any(checker.take(row) for row in TRAIL) and checker.root() == STORED_ROOT.hex()
