"""What a witness cosigns, and what it refuses: the statuses of c2sp.org/tlog-witness."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from domain.audit.key_chain import KeyChain
from domain.audit.keys import COSIGNATURE, SigningKey
from domain.audit.note import parse
from domain.audit.rotation import rotate
from domain.errors import BadRequest
from tests.worker.witness.trails import EVE, FORK, KEY, TRAIL, SomeTrail, leaves
from worker.witness.decision import Witness
from worker.witness.memory import JOURNAL, TRAILS, Memory
from worker.witness.protocol import SIZE_TYPE, Addition

WITNESS = SigningKey("lab/witness", bytes(32), COSIGNATURE)


def witness(home: Path, *trusted, known: bool = True) -> Witness:
    at = Witness(Memory(home), WITNESS, trusted, now=lambda: 1_700_000_000)
    if known:
        assert at.add_keys(TRAIL.keys).status == 200
    return at


def test_a_trail_that_grows_is_cosigned_each_time(tmp_path):
    at = witness(tmp_path)
    for old, size in ((0, 3), (3, 3), (3, 8), (8, 20)):
        answer = at.add_checkpoint(TRAIL.addition(old, size))
        assert answer.status == 200, answer.body
        note = parse(f"{parse(TRAIL.note(size)).text}\n{answer.body}")
        assert note.signers([WITNESS.verifier]) and note.time_of(WITNESS.verifier) == 1_700_000_000
        assert at.latest("tidemark/log").body == TRAIL.note(size) + answer.body
    assert at.latest("other").status == 404


def test_what_was_seen_survives_a_restart_and_another_process(tmp_path):
    assert witness(tmp_path).add_checkpoint(TRAIL.addition(0, 8)).status == 200
    again = witness(tmp_path)
    assert again.add_checkpoint(TRAIL.addition(0, 9)) .body == "8\n"
    assert again.add_checkpoint(TRAIL.addition(8, 9)).status == 200 and witness(tmp_path).add_checkpoint(TRAIL.addition(9, 9)).status == 200


def test_it_is_on_the_disk_before_the_answer(tmp_path, monkeypatch):
    """A crash in between leaves a witness that refuses a fork of what it never answered to."""
    at = witness(tmp_path)
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(Memory, "keep", lambda self, seen: (_ for _ in ()).throw(KeyboardInterrupt))
        at.add_checkpoint(TRAIL.addition(0, 8))
    assert at.add_checkpoint(TRAIL.addition(0, 8)).status == 200
    state = json.loads(next((tmp_path / TRAILS).iterdir()).read_text())
    assert state["size"] == 8 and not list(tmp_path.rglob("*.part"))


@pytest.mark.parametrize("size", [8, 9, 20])
def test_a_fork_is_refused_and_both_notes_are_kept(tmp_path, size):
    """Same size with another root, and a larger trail that does not follow: split views."""
    at = witness(tmp_path)
    at.add_checkpoint(TRAIL.addition(0, 8))
    forked = Addition(8, FORK.proof(8, size), FORK.note(size)).render()
    for _ in range(2):
        answer = at.add_checkpoint(forked)
        assert answer.status == 422 and "does not follow from the one of 8 events" in answer.body
    entry, = at.memory.journal()
    assert entry["what"] == ("same size, other root" if size == 8 else "does not follow")
    assert entry["note"] == FORK.note(size) and entry["seen"].startswith(TRAIL.note(8))
    assert at.latest("tidemark/log").body.startswith(TRAIL.note(8)), "what was seen stays"
    assert at.add_checkpoint(TRAIL.addition(8, 9)).status == 200, "the honest trail goes on"


def test_a_fork_that_proves_growth_of_its_own_past_is_refused(tmp_path):
    """Its proof is right, from a checkpoint that this witness did not see."""
    at = witness(tmp_path)
    at.add_checkpoint(TRAIL.addition(0, 8))
    answer = at.add_checkpoint(FORK.addition(6, 12))
    assert (answer.status, answer.body, answer.type) == (409, "8\n", SIZE_TYPE)


def test_a_shrunken_trail_is_refused_and_recorded(tmp_path):
    at = witness(tmp_path)
    at.add_checkpoint(TRAIL.addition(0, 8))
    assert at.add_checkpoint(TRAIL.addition(5, 5)).status == 409 and at.memory.journal()[0]["what"] == "smaller than seen"
    assert at.add_checkpoint(TRAIL.addition(8, 8).replace(TRAIL.note(8), TRAIL.note(5))).status == 400, "old is larger than the checkpoint"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("", 400), ("old 3\n\nno note", 400), ("old x\n\n" + TRAIL.note(3), 400), ("old 0\nAA==\n\n" + TRAIL.note(3), 400), ("old 0\n\n" + TRAIL.note(3).replace("\n3\n", "\n03\n"), 400),
        (SomeTrail(leaves(3), EVE).addition(0, 3), 403), (TRAIL.addition(0, 3).replace("\n3\n", "\n4\n"), 403),
        (SomeTrail(leaves(3), SigningKey("tidemark/other", bytes(32))).addition(0, 3), 404),
        (Addition(0, TRAIL.proof(3, 8), TRAIL.note(8)).render(), 422),
    ],
)  # fmt: skip
def test_what_is_malformed_or_unsigned_or_unknown_is_refused(tmp_path, body, status):
    at = witness(tmp_path)
    assert at.add_checkpoint(body).status == status and at.latest("tidemark/log").status == 404


def test_the_first_key_of_a_trail_is_the_one_it_must_keep(tmp_path):
    at = witness(tmp_path)
    assert at.add_keys(TRAIL.keys).body == "known\n"
    assert at.add_keys(KeyChain(EVE.verifier).text).status == 403 and at.add_keys("no key").status == 400
    assert at.memory.journal()[0]["what"] == "keys refused"


def test_with_keys_given_only_their_trails_are_witnessed(tmp_path):
    at = witness(tmp_path, EVE.verifier, known=False)
    assert at.add_keys(TRAIL.keys).status == 403 and at.add_keys(KeyChain(EVE.verifier).text).status == 200
    other = SigningKey("tidemark/other", bytes(32))
    assert at.add_keys(KeyChain(other.verifier).text).status == 403


def test_a_rotated_key_is_taken_by_the_old_ones_signature(tmp_path):
    at = witness(tmp_path)
    at.add_checkpoint(TRAIL.addition(0, 8))
    new = SigningKey(KEY.name, bytes([7] * 32))
    after = SomeTrail(TRAIL.events, new)
    assert at.add_checkpoint(after.addition(8, 9)).status == 403
    chain = KeyChain(KEY.verifier).followed_by(rotate(KEY, new, 8).render())
    assert at.add_keys(chain.text).status == 200
    assert at.add_checkpoint(TRAIL.addition(8, 9)).status == 403, "the old key signs no larger trail"
    assert at.add_checkpoint(after.addition(8, 9)).status == 200
    assert at.add_keys(TRAIL.keys).status == 403, "there is no way back"


def test_a_person_at_the_witness_lets_a_restored_trail_go_on(tmp_path):
    at = witness(tmp_path)
    at.add_checkpoint(TRAIL.addition(0, 8))
    assert at.add_checkpoint(FORK.addition(8, 8)).status == 422
    before, after = at.accept(FORK.note(6))
    assert (before.size, after.size) == (8, 6) and at.add_checkpoint(FORK.addition(6, 12)).status == 200
    assert [entry["what"] for entry in at.memory.journal()] == ["same size, other root", "accepted by a person"]
    with pytest.raises(BadRequest, match="no key of the trail"):
        at.accept(SomeTrail(leaves(3), EVE).note(3))
    assert at.accept(SomeTrail(leaves(3), EVE).note(3), KeyChain(EVE.verifier))[1].size == 3


def test_the_journal_does_not_fill_the_disk(tmp_path, monkeypatch):
    monkeypatch.setattr("worker.witness.decision.MOST_REFUSED", 100)
    at = witness(tmp_path)
    at.add_checkpoint(TRAIL.addition(0, 8))
    for size in range(8, 20):
        at.add_checkpoint(Addition(8, (), FORK.note(size)).render())
    assert len(at.memory.journal()) == 1 and (tmp_path / JOURNAL).stat().st_size > 100
