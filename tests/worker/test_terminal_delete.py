"""``tidemark data delete``: says what would go, and deletes it with --yes."""

from __future__ import annotations

import json
import sys

import pytest
from typer.testing import CliRunner

from domain.errors import BadRequest
from tests.worker.test_desk import START, dataset, question  # noqa: F401  a generated dataset
from worker.actors import run
from worker.cli import app, main
from worker.terminal import here

pytestmark = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)


def test_without_yes_nothing_goes_and_the_sentence_counts_what_would(desk, dataset, monkeypatch):  # noqa: F811
    monkeypatch.setattr(here, "desk", lambda: desk)
    job = desk.backtests.submit(question(dataset)).job
    run(job.id)
    run_id = desk.jobs.get(job.id).result["run"]
    with pytest.raises(
        BadRequest,
        match=rf"this would delete EURUSD M15 .*\({dataset.bars} bars.* and 1 run that used it \(1 backtest\); give --yes",
    ):
        CliRunner().invoke(app, ["data", "delete", dataset.id], catch_exceptions=False)
    assert [stored.id for stored in desk.data.catalogue()] == [dataset.id] and desk.backtests.get(run_id)
    output = json.loads(
        CliRunner().invoke(app, ["data", "delete", dataset.version, "--yes", "--json"], catch_exceptions=False).stdout
    )
    assert (output["deleted"], output["runs"], output["kinds"]) == (dataset.id, [run_id], {"backtest": 1})
    assert desk.data.catalogue() == [] and [event.kind for event in desk.trail.history(f"dataset:{dataset.id}")][
        -2:
    ] == ["run_deleted", "dataset_deleted"]


def test_the_command_exits_2_without_yes(desk, dataset, monkeypatch, capsys):  # noqa: F811
    monkeypatch.setattr(here, "desk", lambda: desk)
    monkeypatch.setattr(sys, "argv", ["tidemark", "data", "delete", dataset.id])
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 2 and "and no run; give --yes to delete them" in capsys.readouterr().err
    assert len(desk.data.catalogue()) == 1
