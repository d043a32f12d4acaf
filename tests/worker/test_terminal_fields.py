"""``tidemark compliance fields``."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from typer.testing import CliRunner

from domain.errors import BadRequest
from tests.domain.compliance.fields.test_fields import FILLS, REVIEWS
from worker.cli import app
from worker.terminal import here

pytestmark = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)


@pytest.fixture
def run_id(desk, store, monkeypatch):
    """A stored run with three fills and a refusal."""
    monkeypatch.setattr(here, "desk", lambda: desk)
    frames = dict(fills=store.frames.put(FILLS), reviews=store.frames.put(REVIEWS))
    with store.unit() as unit:
        about = dict(
            kind="backtest",
            job_id="j",
            title="t",
            spec=dict(strategy="breakout"),
            manifest=dict(code="abc", data=[]),
            summary={},
            frames=frames,
            actor="ana",
        )
        return unit.runs.add(**about, created_at=unit.now())


def say(*words: object) -> str:
    result = CliRunner().invoke(app, ["compliance", "fields", *map(str, words)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_a_run_is_looked_at_under_every_set_or_one(run_id, tmp_path):
    output = json.loads(say("--run", run_id, "--json"))
    assert [result["set"] for result in output["sets"]] == [
        "cat",
        "cftc-1.35",
        "rts24",
    ] and "not a statement" in output["notice"]
    [rts] = json.loads(say("--run", run_id, "--set", "rts24", "--json"))["sets"]
    assert (rts["records"], len(rts["fields"])) == (6, 51) and rts["confidence"] == "secondary"
    text = say("--run", run_id, "--set", "cftc-1.35", "--out", tmp_path / "out")
    assert "Account identification" in text and "every record" in text and "ecfr.gov" in text
    missing = pd.read_csv(tmp_path / "out" / "cftc-1.35-missing.csv")
    assert set(missing["number"]) >= {"b-1", "b-3", "b-8"} and (tmp_path / "out" / "cftc-1.35-fields.csv").exists()


def test_events_of_an_entity_are_looked_at_too(desk, store, run_id):
    with store.unit() as unit:
        unit.audit(
            "robot",
            "order_submitted",
            "session:s1",
            "order:c1",
            client_id="c1",
            instrument="EURUSD",
            side="buy",
            lots=0.5,
            type="market",
        )
        unit.audit(
            "robot",
            "order_filled",
            "session:s1",
            "order:c1",
            client_id="c1",
            instrument="EURUSD",
            side="buy",
            filled=0.5,
            price=1.1,
        )
    [result] = json.loads(say("--entity", "session:s1", "--set", "cat", "--json"))["sets"]
    state = {row["number"]: row["state"] for row in result["fields"]}
    assert result["records"] == 2 and (state["A-v"], state["E-3"], state["A-i"]) == ("present", "present", "missing")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((), "give either --run ID or --entity"),
        (("--run", "nosuch"), "there is no run nosuch"),
        (("--entity", "session:none"), "no audit event of an order"),
        (("--run", "RUN", "--set", "rts42"), "did you mean 'rts24'"),
    ],
)
def test_what_cannot_be_looked_up_is_one_sentence(run_id, words, sentence):
    with pytest.raises(BadRequest, match=sentence):
        say(*(run_id if word == "RUN" else word for word in words))
