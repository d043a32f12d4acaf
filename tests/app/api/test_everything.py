"""What a person can change on a page, a program can change over HTTP: nothing is left out but what is named here, with the reason."""

from __future__ import annotations

import re
from pathlib import Path

from tests.app.api.calling import Client
from tests.app.api.one_database import kind as kind
from tests.app.backtest_runs import backtests
from worker.desk import Desk
from worker.desk.roles import NEEDS
from worker.store import Store

APP = Path(__file__).resolve().parents[3] / "app"
NOT_OVER_HTTP = {
    "users": "a token that leaks can admit nobody",
    "checkpoints": "the key of the trail is used where it lies",
    "form_presets": "values of a form of the page",
    "jobs.dismiss": "takes a row off the page Overview",
    "data.stage_path": "a program sends the file itself",
    "data.discard": "a file is sent and imported in one request",
    "data.inspect": "a file is sent and imported in one request",
    "data.compare": "an append names what differs, and stores nothing, until `overlap` is given",
    "signal_files.stage": "a file of signals is chosen in a form; a program gives a strategy of its own",
    "run_list.add_tag": "PUT of the tags",
    "run_list.delete": "DELETE of each run",
    "batches.submit_for": "POST of the requests",
    "compliance.submit_table": "a table of cells of a page; a program imports a history",
    "splits.submit_for": "the labels of a chart; POST /regimes",
    "run_chart.submit_features": "the columns of a chart; POST /features/compute",
    "sweeps.submit_stress": "POST /sweeps",
    "features.submit": "each kind of job has its own verb",
    "regimes.delete": "DELETE of each run",
    "examinations.delete": "DELETE of each run",
    "training.delete": "DELETE of each run",
    "scanner.delete": "DELETE of each run",
}  # fmt: skip


def verbs(paths: list[Path]) -> set[str]:
    text = "\n".join(path.read_text(encoding="utf-8") for path in paths)
    aliases = re.sub(r"sweeps\.submit", "desk.sweeps.submit", text)       # a local name of the desk's part
    return {verb for verb in NEEDS if re.search(rf"\.{re.escape(verb)}\b", aliases)}


def test_every_change_of_a_page_has_an_address():
    api = verbs([*(APP / "api").rglob("*.py")])
    pages = verbs([path for path in APP.rglob("*.py") if (APP / "api") not in path.parents])
    missing = {verb for verb in pages - api if verb not in NOT_OVER_HTTP and verb.partition(".")[0] not in NOT_OVER_HTTP}
    assert not missing, f"a page changes this, and no address does: {', '.join(sorted(missing))}"
    assert len(api) > 70 and len(pages) > 70, "they are recognised at all"


def test_costs_and_rule_sets_are_saved_read_compared_and_removed(client: Client):
    saved = client.call("PUT", "/cost-profiles/broker", dict(costs=dict(spread=0.8), source="price list"))
    assert (saved.status, saved.json["costs"]["spread"], saved.json["source"]) == (200, 0.8, "price list")
    assert [each["name"] for each in client.get("/cost-profiles").json["items"]] == ["broker"] and client.get("/cost-profiles/broker").json == saved.json
    assert client.call("PUT", "/cost-profiles/broker", dict(costs=dict(sprad=1))).status == 422
    assert client.call("DELETE", "/cost-profiles/broker").status == 204 and client.get("/cost-profiles/broker").status == 404
    text = client.get("/rule-sets/ftmo-1-step").json["content"]
    saved = client.call("PUT", "/rule-sets/mine", dict(content=text, why="as read"))
    assert (saved.status, saved.json["version"]) == (200, 1) and [each["version"] for each in client.get("/rule-sets/mine").json["versions"]] == [1]
    assert client.get("/rule-sets/difference?a=mine&b=ftmo-2-step").json["total"] > 0
    assert client.post("/rule-sets/mine/retire", dict(why="not used")).status == 200 and client.get("/rule-sets/ftmo-9-step").status in (404, 422)
    assert client.call("PUT", "/rule-sets/mine", dict(content="= no toml", why="as read")).status == 422


def test_histories_and_external_data_are_imported_by_their_content(client: Client, desk: Desk):
    equity = "ts,balance,equity\n" + "".join(f"2024-01-{day:02d}T00:00:00Z,{10_000 + day},{10_000 + day}\n" for day in range(1, 20))
    assert client.post("/histories", dict(name="equity.csv", content=equity)).status == 202
    assert client.post("/histories", dict(name="equity.csv", content=equity, format="mt9")).status == 422 and client.post("/histories", dict(name="equity.csv")).status == 422
    assert "true or false" in client.post("/histories", dict(name="equity.csv", content=equity, initial=True)).json["detail"], "a truth value is no number"
    assert "header_lines" in client.call("PUT", "/data/mappings/mine", dict(columns=dict(time=1, close=2), header_lines=False)).json["detail"]
    assert client.get("/histories").json == dict(items=[]) and client.get("/histories/none").status == 404 and client.call("DELETE", "/histories/none").status == 404
    assert client.call("PATCH", "/histories/none", dict(title="x")).status == 404 and client.post("/histories/none/rebuild").status == 404
    calendar = "time,currency,impact,event\n2024-01-05T13:30:00Z,USD,high,Payrolls\n"
    answer = client.post("/outside/files", dict(name="calendar.csv", content=calendar, utc=True))
    assert answer.status == 202 and answer.json["kind"] == "import_outside"
    assert {"items", "series", "sources"} == set(client.get("/outside").json) and client.call("DELETE", "/outside/none").status == 404
    assert client.post("/outside/downloads", dict(source="nobody")).status == 422


def test_bars_are_labelled_and_several_backtests_are_one_batch(client: Client, desk: Desk, stored_bars):
    dataset, _ = stored_bars
    choices = client.get("/regimes/choices").json
    assert client.post("/regimes", dict(datasets=[dataset], timeframe="H1", rules=[next(iter(choices["rules"]))])).json["kind"] == "regimes"
    assert client.post("/regimes", dict(datasets=[dataset], timeframe="H1", plan=dict(states=99))).status == 422
    request = dict(strategy="breakout", datasets=[dataset], timeframe="H1")
    batch = client.post("/batches", dict(requests=[request, request | dict(params=dict(lookback=9))]))
    assert batch.status == 202 and len(batch.json["summary"]["jobs"]) == 2
    path = f"/batches/{batch.json['id']}"
    assert [row["state"] for row in client.get(path).json["rows"]] == ["queued", "queued"] and client.get("/batches").json["items"][0]["id"] == batch.json["id"]
    assert client.post(f"{path}/cancel").json == dict(cancelled=2) and client.call("DELETE", path).status == 204 and client.get(path).status == 404


def test_labels_of_all_bars_are_those_by_which_a_backtest_on_them_is_split(client: Client, desk: Desk, store: Store, stored_bars):
    dataset, _ = stored_bars
    with store.unit() as unit:
        run = unit.runs.add(kind="backtest", job_id="j", title="breakout", spec=dict(datasets=["v" * 64], timeframe="H1"), manifest=dict(code="c"), frames=dict.fromkeys(("trades", "fills", "equity"), "f"), summary={}, actor="ana", created_at=unit.now())
    labelled = client.post("/regimes", dict(datasets=[dataset], timeframe="H1", rules=["volatility_regime"]))
    assert labelled.status == 202 and labelled.json["id"] == desk.splits.submit_for(run, "volatility_regime").job.id, labelled.json


def test_columns_are_checked_examined_and_compared(client: Client, stored_bars):
    dataset, _ = stored_bars
    columns = dict(datasets=[dataset], timeframe="H1", columns=["rsi(14)"])
    answers = {path: client.post(f"/features/{path}", columns | more) for path, more in (("look-ahead", {}), ("examine", {}), ("similar", dict(at="2024-01-03T00:00:00Z")))}
    assert {path: (answer.status, answer.json["kind"]) for path, answer in answers.items()} == {"look-ahead": (202, "gate"), "examine": (202, "examine"), "similar": (202, "similar")}
    training = dict(datasets=[dataset], timeframe="H1", columns=["rsi(14)"], learner="ridge", target="forward")
    assert client.post("/models/tune", training | dict(space={"no such": [1, 2]})).status == 422
    assert client.post("/models/watch").json["kind"] == "watch_models" and client.post("/models/none/verify").status == 404 and client.post("/models/none/retrain").status == 404
    assert client.post("/data/instruments", dict(name="MINE", like="EURUSD", values={}, why="my broker")).status == 201 and client.get("/data/instruments/MINE").status == 200


def test_a_result_of_any_kind_is_read_studied_and_deleted(client: Client, store: Store):
    run = backtests(store)[0]
    assert run in [each["id"] for each in client.get("/runs").json["items"]] and client.get("/runs?kind=sweep").json["items"] == []
    assert client.get(f"/runs/{run}").json["tables"] and client.get(f"/runs/{run}/trades?limit=2").json["total"] == 40
    assert client.post(f"/runs/{run}/monte-carlo", dict(plan=dict(paths=100))).json["kind"] == "histories" and client.post(f"/runs/{run}/reproduce").json["kind"] == "reproduce"
    for study, body in (("explain", None), ("policies", {}), ("resume", None)):
        assert client.post(f"/runs/{run}/{study}", body).status in (404, 422), "a backtest is no training"
    assert client.post(f"/runs/{run}/regimes", dict(by="no rule")).status == 422
    risk = client.post("/compliance/risk", dict(id=run, at="2024-01-02T00:00:00Z"))
    assert (risk.status, risk.json["kind"]) == (202, "risk_now")
    event = next(each for each in client.get("/audit/events").json["items"])
    assert client.post(f"/audit/events/{event['seq']}/replay").status in (202, 422)
    assert client.call("DELETE", f"/runs/{run}").status == 204 and client.get(f"/runs/{run}").status == 404
