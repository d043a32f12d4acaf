"""Nine kinds of tampering: what a bare trail shows, what the root and length stored beside it show, and what only a head noted elsewhere shows."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from domain.audit import GENESIS, AuditEvent, Record, Verdict, canonical, chain_hash, verify
from domain.audit.record import instant

ROWS, TIMES = 12, 1_000
START = datetime(2026, 11, 20, tzinfo=UTC)
Rows = list[Record]


def chained(bodies: list[str]) -> Rows:
    """The rows an honest installation would write for these bodies; and a thief with the database, too."""
    rows, head = [], GENESIS
    for seq, body in enumerate(bodies, 1):
        event = json.loads(body)
        rows.append(Record(seq, event["event_id"], event["ts"], event["actor"], event["kind"], body, head, chain_hash(seq, head, body)))
        head = rows[-1].hash
    return rows


def honest() -> Rows:
    return list(HONEST)


HONEST = chained([AuditEvent(f"e{k}", START + timedelta(minutes=k), "ana", "order_filled", (f"order:{k}",), dict(price=1.1 + k / 1e4)).body() for k in range(ROWS)])


def altered(body: str, **changes: object) -> str:
    return canonical({**json.loads(body), **changes}).decode()


def edit(rows: Rows, at: random.Random) -> Rows:
    k = at.randrange(len(rows))
    return [replace(row, body=altered(row.body, detail={"price": f"2.{at.random()}"})) if row.seq == k + 1 else row for row in rows]


def edit_and_own_hash(rows: Rows, at: random.Random) -> Rows:
    """Not the last row: that is the smallest replaced tail."""
    k = at.randrange(len(rows) - 1)
    body = altered(rows[k].body, detail={"price": f"2.{at.random()}"})
    return [*rows[:k], replace(rows[k], body=body, hash=chain_hash(k + 1, rows[k].prev_hash, body)), *rows[k + 1 :]]


def delete(rows: Rows, at: random.Random) -> Rows:
    k = at.randrange(len(rows) - 1)
    return rows[:k] + rows[k + 1 :]


def swap(rows: Rows, at: random.Random) -> Rows:
    """Two events change places; each keeps its hashes, and takes the other's number."""
    a, b = sorted(at.sample(range(len(rows)), 2))
    rows = list(rows)
    rows[a], rows[b] = replace(rows[b], seq=a + 1), replace(rows[a], seq=b + 1)
    return rows


def cut_the_tail(rows: Rows, at: random.Random) -> Rows:
    return rows[: at.randrange(1, len(rows))]


def rewrite(rows: Rows, at: random.Random) -> Rows:
    k = at.randrange(len(rows))
    return chained([altered(row.body, actor="eve") if row.seq > k else row.body for row in rows])


def back_date(rows: Rows, at: random.Random) -> Rows:
    """One event is made older, and everything after it is chained again."""
    k = at.randrange(len(rows))
    earlier = instant(START - timedelta(seconds=at.randrange(1, 1_000)))
    return chained([altered(row.body, ts=earlier) if row.seq == k + 1 else row.body for row in rows])


def replace_the_tail(rows: Rows, at: random.Random) -> Rows:
    k = at.randrange(1, len(rows))
    return chained([row.body for row in rows[:k]] + [altered(row.body, event_id=f"x{row.seq}", detail={}) for row in rows[k:]])


def empty(rows: Rows, at: random.Random) -> Rows:
    return []


BARE = [edit, edit_and_own_hash, delete, swap]                              # the chain alone shows it
BESIDE = [cut_the_tail, rewrite, back_date, replace_the_tail, empty]        # a bare trail holds: it is another, consistent one


def against(rows: Rows, noted: Verdict) -> Verdict:
    """Is this the trail, or a continuation of it, whose length and root were noted elsewhere?"""
    return verify(rows[: noted.rows], noted.root, noted.rows)


def forged(tamper: Callable[[Rows, random.Random], Rows], seed: int) -> Rows:
    return tamper(honest(), random.Random(seed))


def test_an_honest_trail_holds():
    rows = honest()
    verdict = verify(rows)
    assert verdict.holds and (verdict.rows, verdict.head, verdict.why) == (ROWS, rows[-1].hash, "")
    assert verify(rows, verdict.root, ROWS).holds and verify(iter(rows)).root == verdict.root
    assert against([*rows, *chained([row.body for row in rows] + [rows[0].body])[ROWS:]], verdict).holds, "a longer trail is a continuation"


@pytest.mark.parametrize("tamper", BARE)
def test_a_bare_trail_shows_a_row_that_does_not_follow(tamper):
    for seed in range(TIMES):
        verdict = verify(forged(tamper, seed))
        assert not verdict.holds and verdict.broken_at == verdict.rows + 1 and verdict.why.endswith("Everything before it verifies.")


@pytest.mark.parametrize("tamper", BESIDE)
def test_a_bare_trail_does_not_show_a_consistent_forgery(tamper):
    """A known limit: whoever can write the whole table can make a chain that holds."""
    assert all(verify(forged(tamper, seed)).holds for seed in range(50))


@pytest.mark.parametrize("tamper", BARE + BESIDE)
def test_the_root_and_length_stored_beside_the_trail_show_every_tampering_that_left_them(tamper):
    anchor = verify(honest())
    for seed in range(TIMES):
        verdict = verify(forged(tamper, seed), anchor.root, anchor.rows)
        assert not verdict.holds and verdict.why


@pytest.mark.parametrize("tamper", BESIDE)
def test_a_thief_who_also_rewrites_the_stored_root_is_not_shown_by_it(tamper):
    rows = forged(tamper, 1)
    anchor = verify(rows)
    assert verify(rows, anchor.root, anchor.rows).holds


@pytest.mark.parametrize("tamper", BARE + BESIDE)
def test_a_head_noted_elsewhere_shows_every_tampering_before_it(tamper):
    noted = verify(honest())
    assert not any(against(forged(tamper, seed), noted).holds for seed in range(TIMES))


def test_a_head_noted_earlier_proves_nothing_about_later_rows():
    noted = verify(honest()[:5])
    assert against(chained([row.body for row in honest()[:5]] + [altered(row.body, actor="eve") for row in honest()[5:]]), noted).holds
    assert not against(chained([altered(row.body, actor="eve") if row.seq == 5 else row.body for row in honest()]), noted).holds


@pytest.mark.parametrize("column", ["event_id", "ts", "actor", "kind"])
def test_a_column_that_contradicts_its_record_is_shown(column):
    rows = honest()
    rows[4] = replace(rows[4], **{column: "x"})
    verdict = verify(rows)
    assert verdict.broken_at == 5 and f"Row 5 shows {column} 'x' beside its record, which says" in verdict.why


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("{}", "Row 1 shows event_id"), ('{"a": 1}', "not canonical"), ('{"b":1,"a":1}', "not canonical"), ('{"a":1,"a":1}', "not canonical"), ('{"a":1.5}', "not canonical"),
        ("not json", "not canonical"), ('{"a":NaN}', "not canonical"), ("[]", "not canonical"), ('"text"', "not canonical"), ("7", "not canonical"),
        ("[" * 60_000 + "]" * 60_000, "not canonical"), ('"\\ud83d"', "not canonical"), ('{"a":' + "9" * 5_000 + "}", "not canonical"),
    ],
)  # fmt: skip
def test_a_body_that_was_never_written_by_us_is_shown_even_with_its_own_hash(body, why):
    verdict = verify([Record(1, "e", "t", "a", "k", body, GENESIS, chain_hash(1, GENESIS, body))])
    assert verdict.broken_at == 1 and why in verdict.why


@pytest.mark.parametrize(
    ("at", "change", "why"),
    [
        (0, dict(seq=2), "Row 1 is missing: row 0 is followed by row 2."),
        (4, dict(seq=9), "Row 5 is missing: row 4 is followed by row 9."),
        (4, dict(prev_hash=GENESIS), "Row 5 does not follow row 4: it names another row before it."),
        (0, dict(prev_hash="not hex"), "Row 1 does not follow row 0"),
        (4, dict(hash="zz"), "Row 5 no longer hashes to what was recorded for it."),
    ],
)
def test_the_verdict_names_the_row_and_the_reason(at, change, why):
    rows = honest()
    rows[at] = replace(rows[at], **change)
    verdict = verify(rows)
    assert verdict.why.startswith(why) and verdict.rows == at and not verdict.holds


def test_a_missing_end_is_named():
    anchor = verify(honest())
    assert verify(honest()[:9], anchor.root, anchor.rows).why == "The trail ends at row 9, and its tree was built over 12 rows."
    assert verify(honest(), "00" * 32, ROWS).why == "The tree over these 12 rows is not the one that was kept beside them."
