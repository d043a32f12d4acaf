"""The API: every address answers in JSON, what is refused says why, long work is a job, lists come in parts, a request with a key is done once."""

from __future__ import annotations

import io
from dataclasses import replace

import pandas as pd
import pyarrow as pa

from app.api.paging import ARROW
from tests.app.api.calling import Client
from tests.app.api.one_database import kind as kind
from tests.worker.test_paper_desk import worked
from worker.desk import Actor, Desk
from worker.settings import App
from worker.store import Store

SYNTHETIC = dict(model="gbm", instrument="EURUSD", timeframe="H1", start="2024-01-01T00:00:00Z", end="2024-02-01T00:00:00Z")
NO_ID = {"{job_id}": "none", "{run_id}": "none", "{name}": "none", "{model}": "none", "{symbol}": "none", "{table}": "trades", "{instrument}": "EURUSD", "{verb}": "pause", "{entity}": "job:none", "{trade}": "1"}


def test_each_address_of_the_document_answers_in_json_also_where_nothing_is_there_yet(client: Client):
    document = client.get("/openapi.json").json
    assert document["openapi"].startswith("3.1") and len(document["paths"]) > 70
    for path, methods in document["paths"].items():
        if "get" not in methods or path in ("/v1/stream", "/v1/metrics", "/v1/audit/bundle"):
            continue
        for placeholder, name in NO_ID.items():
            path = path.replace(placeholder, name)
        answer = client.get("/api" + path)
        assert answer.status in (200, 404, 422, 503), (path, answer.body)
        assert answer.headers["content-type"].startswith("application/"), path
        if answer.status in (404, 422):
            assert answer.headers["content-type"] == "application/problem+json" and answer.json["status"] == answer.status and answer.json["detail"]


def test_every_operation_says_what_it_is_for(client: Client):
    document = client.get("/openapi.json").json
    assert not [(path, method) for path, methods in document["paths"].items() for method, operation in methods.items() if not operation.get("description")]


def test_the_reference_is_a_page_without_scripts_and_without_other_sites(client: Client):
    page = client.get("/api/docs").body.decode()
    assert "<script" not in page and "src=" not in page and "url(" not in page
    assert "/api/v1/backtests" in page and "Idempotency-Key" in page


def test_what_is_not_there_is_stated_in_json(client: Client):
    for method, path in (("GET", "/api/v1/nothing"), ("GET", "/api/nothing"), ("POST", "/api/v1/backtests/config"), ("DELETE", "/api/v1/health"), ("GET", "/api/v1/../x"), ("GET", "/api/v1/backtests/%00")):
        answer = client.call(method, path)
        assert answer.status in (404, 405) and answer.json["status"] == answer.status and path.rpartition("/")[2].replace("%00", "") in answer.json["detail"], path


def test_a_field_that_nobody_knows_a_wrong_one_and_a_missing_one_are_named(client: Client):
    answer = client.post("/backtests", dict(strategy=5, datasets=["x"], tmieframe="H1"))
    assert answer.status == 422 and {each["field"] for each in answer.json["errors"]} == {"strategy", "timeframe", "tmieframe"}
    assert "tmieframe: there is no field of this name" in answer.json["detail"]


def test_a_body_that_is_no_json_is_refused(client: Client):
    json, form, text = "application/json", "application/x-www-form-urlencoded", "text/plain"
    for body, of, status in ((b'{"a":', json, 422), (b"a=1", form, 415), (b"{}", text, 415), (b"[" * 100_000, json, 400), (b"\xff\xfe", json, 400)):
        assert client.post("/backtests", body, content_type=of).status == status, body[:20]


def test_a_body_beyond_the_bound_is_refused_before_it_is_read(desk: Desk):
    small = Desk(*_parts(desk, api=replace(desk.settings.api, body_mb=1)))
    assert Client(small).post("/backtests", b"x" * 1_000_001).status == 413
    assert Client(small).post("/backtests", b"", content_length="99999999999999999999999").status == 413


def test_long_work_is_a_job_at_an_address_and_the_same_request_is_the_same_job(client: Client):
    first, again = (client.post("/data/synthetic", SYNTHETIC) for _ in range(2))
    assert first.status == again.status == 202 and first.json["id"] == again.json["id"] and first.headers["location"] == f"/api/v1/jobs/{first.json['id']}"
    assert client.get(first.headers["location"]).json["state"] == "queued"
    assert client.post(f"/jobs/{first.json['id']}/cancel").json["state"] == "cancelled"
    assert client.post(f"/jobs/{first.json['id']}/cancel").status == 409
    assert client.post(f"/jobs/{first.json['id']}/retry").json["state"] == "queued"


def test_a_request_with_a_key_is_done_once_and_another_one_under_it_is_refused(client: Client, desk: Desk):
    body = dict(name="Mine", columns=["rsi(14)"])
    first, again = (client.post("/features/recipes", body, idempotency_key="k1") for _ in range(2))
    assert (first.status, first.body) == (again.status, again.body) and again.headers["idempotency-replayed"] == "true"
    assert client.post("/features/recipes", body | dict(name="Other"), idempotency_key="k1").status == 422
    assert client.post("/features/recipes", body, idempotency_key="x" * 200).status == 422
    assert client.post("/features/recipes", body, idempotency_key="k2").status == first.status      # another key is another request
    assert sum(event.kind.startswith("recipe_") for event in desk.trail.rows()) == 2


def test_a_list_in_parts_holds_each_item_once_though_new_ones_come_between(client: Client):
    created = [client.post("/data/synthetic", SYNTHETIC | dict(seed=seed)).json["id"] for seed in range(5)]
    first = client.get("/jobs?limit=2").json
    client.post("/data/synthetic", SYNTHETIC | dict(seed=9))
    second = client.get(f"/jobs?limit=2&cursor={first['next']}").json
    last = client.get(f"/jobs?limit=2&cursor={second['next']}").json
    assert [each["id"] for part in (first, second, last) for each in part["items"]] == created[::-1] and last["next"] is None


def test_a_cursor_of_elsewhere_is_refused(client: Client):
    for cursor in ("abc", "W10", "WyJ4IiwgInkiXQ", "WzEsMl0", "%00", "eyJhIjoxfQ"):
        assert client.get(f"/jobs?cursor={cursor}").status == 422 and client.get(f"/audit/events?cursor={cursor}").status == 422, cursor


def test_bars_are_read_by_columns_and_times_as_json_and_as_arrow(client: Client, stored_bars):
    dataset, bars = stored_bars
    part = client.get(f"/data/{dataset}/bars?fields=ts,close&since=2024-01-02T00:00:00Z&until=2024-01-02T05:00:00Z&limit=3").json
    assert part["columns"] == ["ts", "close"] and part["total"] == 5 and len(part["rows"]) == 3
    rest = client.get(f"/data/{dataset}/bars?fields=ts,close&since=2024-01-02T00:00:00Z&until=2024-01-02T05:00:00Z&limit=3&cursor={part['next']}").json
    expected = bars[(bars["ts"] >= "2024-01-02") & (bars["ts"] < "2024-01-02T05:00Z")]
    assert [row["close"] for row in part["rows"] + rest["rows"]] == expected["close"].tolist() and rest["next"] is None
    answer = client.get(f"/data/{dataset}/bars?limit=100000", accept=ARROW)
    pd.testing.assert_frame_equal(pa.ipc.open_stream(io.BytesIO(answer.body)).read_pandas()[["close"]], bars[["close"]])
    assert client.get(f"/data/{dataset}/bars?fields=price").status == 422


def test_an_answer_that_the_client_has_is_not_sent_again(client: Client):
    first = client.get("/data/instruments")
    assert client.get("/data/instruments", if_none_match=first.headers["etag"]).status == 304
    assert client.get("/data/instruments", if_none_match='"other"').body == first.body


def test_a_token_acts_in_its_role_until_it_is_revoked_or_too_old(desk: Desk, store: Store):
    _, secret = desk.tokens.create("reporting", "viewer", 1)
    viewer = Client(desk, secret)
    assert viewer.get("/backtests").status == 200 and secret not in str(desk.trail.rows()) and desk.tokens.all()[0].used_at
    refused = viewer.post("/data/synthetic", SYNTHETIC)
    assert refused.status == 403 and "viewer" in refused.json["detail"] and "analyst" in refused.json["detail"]
    assert viewer.post("/paper/emergency", dict(reason="x")).status == 403
    _, analysts = desk.tokens.create("notebook", "analyst")
    created = Client(desk, analysts).post("/data/synthetic", SYNTHETIC)
    assert created.status == 202 and created.json["actor"].startswith("notebook (")
    assert Client(desk, analysts).post("/paper/emergency", dict(reason="x")).status == 403
    desk.tokens.revoke("reporting")
    assert viewer.get("/backtests").status == 401
    with store.unit() as unit:
        unit.connection.exec_driver_sql("UPDATE api_tokens SET expires_at = '2020-01-01 00:00:00' WHERE revoked_at IS NULL")
    assert Client(desk, analysts).get("/backtests").status == 401
    assert Client(desk, "tidemark_wrong").get("/backtests").status == 401


def test_a_server_that_other_machines_reach_asks_for_a_token(desk: Desk):
    wide = Desk(*_parts(desk, app=App(host="0.0.0.0", behind="reverse proxy")))
    answer = Client(wide).get("/backtests")
    assert answer.status == 401 and answer.headers["www-authenticate"].startswith("Bearer") and "tidemark tokens create" in answer.json["detail"]
    assert Client(wide).get("/openapi.json").status == 200
    assert Client(wide, wide.tokens.create("program", "viewer")[1]).get("/backtests").status == 200


def test_more_requests_than_allowed_learn_when_to_come_again(desk: Desk):
    slow = Desk(*_parts(desk, api=replace(desk.settings.api, requests_per_minute=60)))
    client = Client(slow)
    answers = [client.get("/nothing") for _ in range(12)]
    assert [answer.status for answer in answers[:10]] == [404] * 10 and answers[-1].status == 429 and int(answers[-1].headers["retry-after"]) >= 1


def test_the_audit_trail_is_read_proved_and_taken_along(client: Client, desk: Desk):
    client.post("/features/recipes", dict(name="Mine", columns=["rsi(14)"]))
    events = client.get("/audit/events?limit=1").json["items"]
    assert events[0]["kind"] == "recipe_saved" and client.get(f"/audit/events/{events[0]['hash']}").json == events[0]
    proof = client.get(f"/audit/events/{events[0]['seq']}/proof").json
    assert proof["seq"] == events[0]["seq"] and client.get("/audit/bundle").body[:2] == b"PK"
    assert client.get("/audit/head").json["rows"] == desk.trail.head()[0]


def test_figures_are_in_the_format_of_prometheus(client: Client):
    client.post("/data/synthetic", SYNTHETIC)
    lines = client.get("/metrics").body.decode().splitlines()
    assert 'tidemark_queue_depth{queue="interactive"} 1' in lines
    assert all(line.startswith("# ") or (len(line.rsplit(" ", 1)) == 2 and float(line.rsplit(" ", 1)[1]) >= 0) for line in lines)


def _parts(desk: Desk, **settings: object) -> tuple:
    """What a desk with other settings is made of."""
    store, before, send = desk._opened
    return store, replace(before, **settings), Actor("ana"), send


def test_a_session_that_goes_on_is_judged_so_far_over_the_api(client, store, desk):
    worked(store, "one")
    for verb in ("judge", "chance"):
        answer = client.post(f"/compliance/{verb}", dict(kind="session", id="one", rules="ftmo-2-step"))
        assert answer.status == 202
    assert {job.kind: job.spec["path"].get("until") for job in desk.jobs.latest()} == dict.fromkeys(("judge", "pass_chance"), "1970-01-02T01:00:00+00:00")
