"""Notes on trades, tags and favourites of runs, trades by filter and several runs side by side over HTTP."""

from __future__ import annotations

import pytest

from tests.app.api.calling import Client
from tests.app.api.one_database import kind as kind
from tests.app.backtest_runs import backtests
from worker.desk import Desk
from worker.store import Store


@pytest.fixture
def runs(store: Store) -> list[str]:
    return backtests(store)


def test_notes_are_written_read_filtered_and_removed(client: Client, runs: list[str]):
    path = f"/api/v1/backtests/{runs[0]}"
    written = client.call("PUT", f"{path}/notes/7", dict(note="Late.", labels=["fomo"]))
    assert (written.status, written.json["trade"], written.json["labels"]) == (200, 7, ["fomo"])
    assert client.get(f"{path}/notes").json["notes"]["7"]["note"] == "Late."
    result = client.get(f"{path}/journal?label=fomo").json
    assert (result["count"], result["total"], result["page"][0]["trade_id"], result["page"][0]["note"]) == (1, 40, 7, "Late.") and {"spread", "mae", "cumulative", "hours"} <= set(result["page"][0])
    won = client.get(f"{path}/journal?net_from=0&order=pnl&descending=true&size=3").json
    assert won["count"] == won["won"] and [row["pnl"] for row in won["page"]] == sorted((row["pnl"] for row in won["page"]), reverse=True)
    assert client.get(f"{path}/journal?net_from=5&net_to=1").status == 422 and client.call("PUT", f"{path}/notes/99", dict(note="x")).status == 422
    assert client.call("PUT", f"{path}/notes/7", {}).json is None and client.get(f"{path}/notes").json["notes"] == {}
    assert client.get("/api/v1/backtests/none/notes").status == 404


def test_runs_are_tagged_marked_found_and_compared(client: Client, runs: list[str]):
    path = f"/api/v1/backtests/{runs[0]}"
    assert client.call("PUT", f"{path}/tags", dict(tags=["Candidate"])).json == dict(tags=["candidate"]) and client.call("PUT", f"{path}/favourite", dict(favourite=True)).status == 200
    assert client.get(f"{path}/tags").json == dict(tags=["candidate"], favourite=True) and client.get("/api/v1/backtests/tags").json == dict(candidate=1)
    result = client.get("/api/v1/backtests/search?tag=candidate&favourites=true&text=break").json["items"]
    assert [item["id"] for item in result] == [runs[0]] and result[0]["favourite"] and result[0]["tags"] == ["candidate"]
    first = client.get("/api/v1/backtests/search?limit=1").json
    assert [item["id"] for item in client.get(f"/api/v1/backtests/search?limit=1&cursor={first['next']}").json["items"]] == [runs[0]]
    beside = client.get(f"/api/v1/analytics/compare/several?run={runs[0]}&run={runs[1]}").json
    assert beside["settings"] == [{"path": "params.lookback", runs[0]: "0", runs[1]: "1"}] and beside["metrics"][0]["key"] == "net_profit"
    assert client.get(f"/api/v1/analytics/compare/several?run={runs[0]}&run={runs[0]}").status == 422


def test_statistics_over_http_are_those_of_the_page(client: Client, desk: Desk, runs: list[str]):
    rows = {row["key"]: row for row in client.get(f"/api/v1/analytics/runs/{runs[0]}/statistics").json["rows"]}
    table = desk.run_tables.statistics(runs[0]).set_index("key")
    assert rows["trades"]["long"] == table.loc["trades", "long"] == 20 and rows["sharpe"]["long"] is None and rows["sharpe"]["hold"] == 1.0 and rows["win_rate"]["hold"] is None
