"""Bundles over the API: small ones at once, others as a job whose file is fetched; and the checkpoint that tables take along. On both databases."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest

from app.api.paging import ARROW
from tests.app.api.calling import Client
from tests.app.api.test_others import stored
from worker import actors
from worker.actors import WorkerContext
from worker.checkpoints.notary import Notary
from worker.desk import Desk
from worker.store import Store


@pytest.fixture
def working(store: Store, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """This process as a worker."""
    settings = replace(desk.settings, work=replace(desk.settings.work, lease=2.0, beat=0.1))
    for name, value in dict(store=store, settings=settings, running=set(), leaving=False).items():
        monkeypatch.setattr(WorkerContext, name, value, raising=False)


def test_a_bundle_is_a_job_whose_file_is_fetched_when_it_is_done(desk: Desk, working: None):
    client = Client(desk)
    for number in range(3):
        desk.features.save_recipe(f"Mine {number}", ["rsi(14)"])
    submitted = client.post("/audit/bundles", dict(kind=["recipe_saved"]))
    job = submitted.json["id"]
    assert (submitted.status, submitted.headers["location"]) == (202, f"/api/v1/jobs/{job}")
    early = client.get(f"/audit/bundles/{job}")
    assert (early.status, early.headers["retry-after"]) == (409, "1") and "queued" in early.json["detail"]
    actors.run(job)
    assert client.get(f"/jobs/{job}").json["result"]["rows"] == 3
    ready = client.get(f"/audit/bundles/{job}")
    assert ready.body[:2] == b"PK" and ready.headers["content-type"] == "application/zip" and ready.headers["content-disposition"].startswith("attachment")
    assert desk.trail.rows()[0].kind == "downloaded" and client.get("/audit/bundles/none").status == 404


def test_a_bundle_that_a_request_would_wait_for_is_refused_with_the_way_to_it(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("worker.desk.bundle.MOST_HERE", 2)
    client = Client(desk)
    for number in range(3):
        desk.features.save_recipe(f"Mine {number}", ["rsi(14)"])
    answer = client.get("/audit/bundle")
    assert answer.status == 422 and "/api/v1/audit/bundles" in answer.json["detail"]
    assert client.get("/audit/bundle?text=Mine%201").body[:2] == b"PK"


def test_a_table_that_leaves_takes_the_last_checkpoint_along(desk: Desk, store: Store):
    stored(store, "EURUSD", "H1", "1h", 10)
    client, path = Client(desk), f"/data/{desk.data.catalogue()[0].id}/bars"
    assert "tidemark-checkpoint" not in client.get(path).headers
    notary = Notary(store, desk.settings)
    notary.step()
    notary.release()
    note = desk.checkpoints.latest_text()
    for accept in ("application/json", ARROW):
        assert note and base64.b64decode(client.get(path, accept=accept).headers["tidemark-checkpoint"]).decode() == note
