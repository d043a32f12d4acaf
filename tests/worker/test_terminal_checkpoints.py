"""``tidemark audit checkpoints`` and ``key``, and health, on the desk of the test."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest
from typer.testing import CliRunner

from domain.audit.checkpoint import opened
from domain.audit.collection import split
from domain.audit.key_chain import KeyChain
from worker.checkpoints.notary import STATE
from worker.cli import app
from worker.store import Process

pytestmark = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)


@pytest.fixture
def terminal(desk, monkeypatch):
    from worker.terminal import here

    monkeypatch.setattr(here, "desk", lambda: desk)

    def run(*words: str, status: int = 0):
        result = CliRunner().invoke(app, ["audit", *words])
        assert result.exit_code == status, result
        return result

    return run


def test_the_key_is_shown_with_its_fingerprint_and_written_for_a_stranger(terminal, desk, tmp_path):
    shown = json.loads(terminal("key", "--json").stdout)
    chain = KeyChain.parse((tmp_path / "audit-keys.txt").read_text())
    assert (shown["key"], shown["fingerprint"], shown["earlier"]) == (chain.current.text, chain.current.fingerprint, [])
    assert shown["fingerprint"] in terminal("key", "show").stdout and desk.checkpoints.fingerprint() == shown["fingerprint"]
    rotated = json.loads(terminal("key", "rotate", "--why", "a new year", "--json").stdout)
    again = json.loads(terminal("key", "show", "--json", "--out", str(tmp_path / "out" / "key.txt")).stdout)
    assert again["fingerprint"] == rotated["fingerprint"] and again["earlier"] == [dict(key=shown["key"], fingerprint=shown["fingerprint"], up_to=1)]
    written = KeyChain.parse((tmp_path / "out" / "key.txt").read_text())
    assert written.first == chain.first and written.current.text == rotated["key"]


def test_checkpoints_are_listed_newest_first_and_written_as_notes(terminal, desk, store, tmp_path):
    assert json.loads(terminal("checkpoints", "--json").stdout) == []
    for _ in range(2):
        terminal("checkpoints", "--now")
    with store.unit() as unit:
        unit.audit("ana", "noted")
    rows = json.loads(terminal("checkpoints", "--now", "--json").stdout)
    with store.read() as unit:
        assert [(row["number"], row["size"], row["root"], row["heartbeat"], row["went_to"]) for row in rows] == [(3, 2, unit.trail.root(2), False, ["file"]), (2, 1, unit.trail.root(1), True, ["file"]), (1, 1, unit.trail.root(1), False, ["file"])]
    assert 0 <= rows[0]["age"] <= rows[1]["age"] < 60 and rows[0]["receipts"][0]["text"] == str(tmp_path / "checkpoints.txt")
    key = desk.checkpoints.chain().current
    written = json.loads(terminal("checkpoints", "--out", str(tmp_path / "c.txt"), "--json").stdout)
    assert written["checkpoints"] == 2 and [opened(note, [key])[0].size for note in split((tmp_path / "c.txt").read_text())] == [1, 2]
    assert len(list(split(desk.checkpoints.text(heartbeats=True)))) == 3 and desk.checkpoints.latest_text() == rows[0]["note"]
    assert terminal("checkpoints", "--limit", "1").stdout.split("\n")[1].split()[0] == "3"


def test_without_a_checkpoint_there_is_no_text(desk, kind):
    assert desk.checkpoints.latest() is None and desk.checkpoints.latest_text() == desk.checkpoints.text() == desk.checkpoints.key_text() == desk.checkpoints.fingerprint() == ""


def test_what_is_refused_is_a_sentence(terminal, desk):
    assert "say why with --why REASON" in str(terminal("key", "rotate", "--lost", status=1).exception)
    assert "is not lost: it was never made" in str(terminal("key", "rotate", "--lost", "--why", "x", status=1).exception)
    terminal("key")
    assert "it lies in" in str(terminal("key", "rotate", "--lost", "--why", "x", status=1).exception)
    assert "nothing to acknowledge" in str(terminal("checkpoints", "--acknowledge", "x", status=1).exception)
    assert "cannot be written" in str(terminal("key", "--out", str(desk.settings.home), status=1).exception)


def test_what_leaves_is_covered_by_a_checkpoint_of_that_moment(terminal, desk, store, tmp_path):
    with store.unit() as unit:
        unit.audit("ana", "noted", event_id="e1")
    written = json.loads(terminal("bundle", "--out", str(tmp_path / "b.zip"), "--json").stdout)
    assert written["rows"] == written["checkpoint"]["size"] == 2 and desk.checkpoints.count() == 1
    with store.unit() as unit:
        unit.audit("ana", "noted", event_id="e2")
    assert json.loads(terminal("proof", "e2").stdout) and desk.checkpoints.latest().size == 4
    assert desk.checkpoints.cover() == "" and desk.checkpoints.count() == 3 and desk.checkpoints.cover() == "" and desk.checkpoints.count() == 3
    (tmp_path / "audit.key").unlink()
    with store.unit() as unit:
        unit.audit("ana", "noted")
    assert "is not in this workspace" in desk.checkpoints.cover()


def health(desk):
    return next(part for part in desk.system.health() if part.part == "Checkpoints")


def test_health_says_when_the_last_checkpoint_is_late(desk, store):
    def alive(ago: float) -> None:
        with store.unit() as unit:
            unit.alive(Process("here", "scheduler", "host", 1, unit.now() - timedelta(seconds=ago), unit.now(), ""))

    alive(5)
    assert (health(desk).state, health(desk).note) == ("well", "none signed yet")
    alive(90)
    assert health(desk).state == "warning" and health(desk).note.startswith("None is signed yet, though the scheduler is running")
    signed = desk.checkpoints.sign_now()
    assert health(desk).state == "well" and re.fullmatch(r"checkpoint 1 of 1 events, \d+ s old; it went to 1 of 1", health(desk).note)
    with store.unit() as unit:
        unit.checkpoints.add(9, "0" * 64, "aa", signed["note"], unit.now() - timedelta(minutes=12))
    assert (health(desk).state, health(desk).note) == ("warning", "The last checkpoint is 12 min old; one is expected every 60 s.")


def test_health_fails_where_the_trail_is_another_one(desk, store):
    with store.unit() as unit:
        unit.remember(STATE, dict(disagrees="The trail does not follow.", problem="", file=""))
    assert (health(desk).state, health(desk).note) == ("failed", "The trail does not follow.")
    assert desk.checkpoints.disagreement() == "The trail does not follow." and desk.checkpoints.problems() == ["The trail does not follow."]
