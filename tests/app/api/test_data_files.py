"""Column mappings, a file imported by one, a newer file appended, and instruments edited over HTTP."""

from __future__ import annotations

import pytest

from tests.app.api.calling import Client
from tests.app.api.one_database import kind as kind
from tests.worker.conftest import system as system
from worker.actors import run
from worker.desk import Desk

MAPPING = dict(separator=";", decimal=",", columns=dict(time="Moment", open="Erster", high="Hoch", low="Tief", close="Letzter"), time_format="%d %b %y %H:%M", clock="UTC")


@pytest.fixture
def client(desk: Desk, system) -> Client:
    return Client(desk)


def hours(first: int, last: int, close: str = "1,1001") -> str:
    return "Moment;Erster;Hoch;Tief;Letzter\n" + "".join(f"{8 + at // 24} Jan 24 {at % 24:02d}:00;1,1;1,11;1,09;{close}\n" for at in range(first, last))


def test_a_mapped_file_is_imported_and_a_newer_one_appended(client: Client, desk: Desk):
    assert client.call("PUT", "/data/mappings/Foreign", MAPPING).json["name"] == "Foreign"
    assert client.get("/data/mappings").json["items"][0]["mapping"]["separator"] == ";" and client.get("/data/mappings/other").status == 404
    assert client.call("PUT", "/data/mappings/Wrong", MAPPING | dict(columns=dict(time=1))).status == 422
    job = client.post("/data/files", dict(name="EURUSD.txt", content=hours(0, 48), instrument="EURUSD", mapping="Foreign", bar_time="open")).json
    run(job["id"])
    assert desk.jobs.get(job["id"]).spec["bar_time"] == "open"
    dataset = desk.jobs.get(job["id"]).result["dataset"]
    body = dict(name="EURUSD.txt", content=hours(40, 60, "1,1003"), mapping="Foreign")
    refused, taken = (client.post(f"/data/{dataset}/append", body | dict(overlap=overlap)).json["id"] for overlap in ("", "replace"))
    run(refused), run(taken)
    assert "8 bars are in both, and 8 of them differ" in desk.jobs.get(refused).error["sentence"]
    shown = client.get(f"/data/{desk.jobs.get(taken).result['dataset']}").json
    assert shown["bars"] == 60 and shown["provenance"]["appended_to"]["dataset"] == dataset
    assert client.call("DELETE", "/data/mappings/Foreign").json == dict(deleted="Foreign")


def test_an_instrument_is_edited_and_its_history_read(client: Client):
    assert client.call("PATCH", "/data/instruments/EURUSD", dict(values=dict(swap_long=-6.5), why="price list")).json == dict(name="EURUSD", version=1)
    shown = client.get("/data/instruments/EURUSD").json
    assert (shown["version"], shown["swap_long"], shown["history"][0]["why"]) == (1, -6.5, "price list")
    assert client.call("PATCH", "/data/instruments/EURUSD", dict(values=dict(pip=0), why="x")).status == 422 and client.get("/data/instruments/EURUDS").status == 404
