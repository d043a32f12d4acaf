"""A newer file is appended to a series as a new version: compared bar by bar, the choice is the person's, the old version stays."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from domain.errors import BadRequest
from tests.domain.market.formats import put
from tests.worker.test_import_sides import HEADER, imported
from tests.worker.test_terminal_import import at as at
from worker.actors import run
from worker.cli import app

pytestmark = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)


def hours(folder: Path, name: str, first: int, last: int, more: dict[int, float] | None = None, bad: str = "") -> Path:
    """Hours since 2024-01-08 00:00 UTC, ``more`` added to the close of some."""
    rows = [f"2024-01-{8 + at // 24:02d}T{at % 24:02d}:00:00Z,1.10000,1.10400,1.09800,{1.1001 + (more or {}).get(at, 0.0):.5f}\n" for at in range(first, last)]
    return put(folder, name, HEADER + "".join(rows) + bad)


def stored(desk, tmp_path):
    return imported(desk, desk.data.stage_path(str(hours(tmp_path, "EURUSD_H1.csv", 0, 48))), "EURUSD", "H1")


def job_of(desk, submitted):
    run(submitted.job.id)
    return desk.jobs.get(submitted.job.id)


def test_what_differs_is_shown_and_the_person_chooses_and_the_old_version_stays(desk, system, tmp_path):
    old = stored(desk, tmp_path)
    staged = desk.data.stage_path(str(hours(tmp_path, "EURUSD_new.csv", 40, 72, {44: 0.0007, 45: -0.0002})))
    compared = job_of(desk, desk.data.compare(old.id, staged)).result
    assert [compared[key] for key in ("both", "differing", "added", "inside", "absent")] == [8, 2, 24, 0, 0] and round(compared["largest"], 9) == 0.0007
    assert compared["sentence"] == "8 bars are in both, and 2 of them differ, by at most 0.00070, at 2024-01-09 20:00; 24 bars are new."
    assert [row["ts"] for row in compared["rows"]] == ["2024-01-09T20:00:00Z", "2024-01-09T21:00:00Z"] and compared["rows"][0]["close_after"] == 1.1008
    refused = job_of(desk, desk.data.append(old.id, staged))
    assert refused.state == "failed" and "--overlap keep or replace" in refused.error["sentence"] and len(desk.data.catalogue()) == 1
    kept, replaced = (desk.data.get(job_of(desk, desk.data.append(old.id, staged, overlap)).result["dataset"]) for overlap in ("keep", "replace"))
    closes = [desk.data.bars(each.id).set_index("ts")["close"] for each in (kept, replaced)]
    assert [float(each.iloc[44]) for each in closes] == [1.1001, 1.1008] and [len(each) for each in closes] == [72, 72]
    assert desk.data.get(old.id) == old and len({old.version, kept.version, replaced.version}) == 3
    assert kept.provenance["appended_to"]["version"] == old.version and replaced.provenance["overlap"]["choice"] == "replace" and (kept.clock, kept.side) == (old.clock, old.side)
    with desk.data._context.store.read() as unit:
        kinds = list(unit.connection.scalars(sa.text("SELECT kind FROM audit_events WHERE kind IN ('file_compared', 'dataset_appended')")))
    assert sorted(kinds) == ["dataset_appended", "dataset_appended", "file_compared"]


def test_an_agreeing_file_needs_no_choice_and_one_that_does_not_belong_is_refused(desk, system, tmp_path):
    old = stored(desk, tmp_path)
    plain = desk.data.stage_path(str(hours(tmp_path, "next.csv", 40, 60)))
    new = desk.data.get(job_of(desk, desk.data.append(old.id, plain)).result["dataset"])
    assert new.bars == 60 and "and they agree" in new.provenance["overlap"]["sentence"]
    for name, sentence in (
        ("GBPUSD_H1.csv", "seems to hold GBPUSD, and the series is EURUSD"), ("EURUSD_mid.csv", "quotes the middle between bid and ask, not bid"),
    ):  # fmt: skip
        with pytest.raises(BadRequest, match=sentence):
            desk.data.append(old.id, desk.data.stage_path(str(hours(tmp_path, name, 40, 60))), "keep")
    broken = desk.data.stage_path(str(hours(tmp_path, "broken.csv", 46, 62, bad="2024-01-10T20:00:00Z,1.1,1.0,1.2,1.1\n")))
    assert "Choose repair" in job_of(desk, desk.data.append(old.id, broken)).error["sentence"]
    assert desk.data.get(job_of(desk, desk.data.append(old.id, broken, repair=True)).result["dataset"]).verdict == "repaired"
    nothing = job_of(desk, desk.data.append(old.id, desk.data.stage_path(str(hours(tmp_path, "same.csv", 10, 20)))))
    assert "holds nothing new" in nothing.error["sentence"]


def test_the_terminal_compares_and_appends(at, tmp_path):
    def output_of(*words: object) -> str:
        result = CliRunner().invoke(app, ["data", *map(str, words)])
        return result.stdout if result.exception is None else str(result.exception)

    old, newer = stored(at, tmp_path), hours(tmp_path, "newer.csv", 47, 50, {47: 0.001})
    assert "1 of them differs, by at most 0.00100" in output_of("append", old.id, newer, "--check")
    assert "--overlap keep or replace" in output_of("append", old.id, newer)
    new = json.loads(output_of("append", old.id, newer, "--overlap", "replace", "--json"))
    assert (new["bars"], new["appended_to"], new["new"]) == (50, old.version, True)
