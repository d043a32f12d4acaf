"""The stream and the client: who comes back with its cursor misses nothing, over server-sent events and over a WebSocket; the client of the examples works against a real server."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import uvicorn

from app.api.stream import Follower, lines
from tests.app.api.calling import Client
from worker.desk import Desk

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"


def recipe(desk: Desk, name: str) -> None:
    desk.features.save_recipe(name, ["rsi(14)"])


def test_a_follower_that_comes_back_with_its_cursor_misses_nothing_and_hears_nothing_twice(desk: Desk):
    recipe(desk, "before")
    first = Follower(desk, -1)
    assert first.look() == []               # from now on
    recipe(desk, "one")
    received = [each for each in first.look() if each["type"] == "event"]
    recipe(desk, "two")
    again = Follower(desk, received[-1]["cursor"])
    received += [each for each in again.look() if each["type"] == "event"]
    assert [each["detail"]["name"] for each in received] == ["one", "two"] and again.look() == []


def test_the_progress_of_open_jobs_is_reported_when_it_changes_and_only_then(desk: Desk):
    follower = Follower(desk, 0)
    from datetime import UTC, datetime

    job = desk.data.generate("gbm", {}, "EURUSD", "H1", datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 2, 1, tzinfo=UTC), 0).job
    reported = [each for each in follower.look() if each["type"] == "job"]
    assert [each["id"] for each in reported] == [job.id] and not [each for each in follower.look() if each["type"] == "job"]


def test_events_are_lines_with_ids_that_a_browser_sends_again(desk: Desk):
    recipe(desk, "one")

    async def first() -> str:
        async def here() -> bool:
            return False

        return await anext(lines(Follower(desk, 0), here))

    sentence = asyncio.run(first()).splitlines()
    assert sentence[0] == "id: 1" and sentence[1] == "event: event" and json.loads(sentence[2].removeprefix("data: "))["kind"] == "recipe_saved"


def test_a_websocket_tells_the_same_and_ends_when_the_client_goes(desk: Desk):
    recipe(desk, "one")
    client, sent, going = Client(desk), list[Any](), asyncio.Event
    scope = dict(type="websocket", path="/api/v1/stream", raw_path=b"/api/v1/stream", root_path="", query_string=b"cursor=0", scheme="ws", headers=[(b"host", b"127.0.0.1")], client=("127.0.0.1", 5), server=("127.0.0.1", 80), subprotocols=[], state={}, extensions={})

    async def talk() -> None:
        gone = going()

        async def receive() -> Any:
            if not any(message["type"] == "websocket.accept" for message in sent):
                return {"type": "websocket.connect"}
            await gone.wait()
            return {"type": "websocket.disconnect", "code": 1000}

        async def send(message: Any) -> None:
            sent.append(message)
            if message["type"] == "websocket.send":
                gone.set()

        await asyncio.wait_for(client.app(scope, receive, send), 20)

    asyncio.run(talk())
    assert json.loads(next(message["text"] for message in sent if message["type"] == "websocket.send"))["kind"] == "recipe_saved"


@pytest.fixture
def server(desk: Desk) -> Iterator[str]:
    running = uvicorn.Server(uvicorn.Config(Client(desk).app, host="127.0.0.1", port=0, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    while not running.started:
        threading.Event().wait(0.01)
    yield f"http://127.0.0.1:{running.servers[0].sockets[0].getsockname()[1]}"
    running.should_exit = True
    thread.join()


@pytest.fixture
def client() -> ModuleType:
    spec = importlib.util.spec_from_file_location("tidemark_client", EXAMPLES / "tidemark_client.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_client_of_the_examples_lists_makes_and_learns_what_is_refused(server: str, client: ModuleType, desk: Desk):
    there = client.Client(server)
    created = [there.post("/features/recipes", dict(name=f"mine {number}", columns=["rsi(14)"]), key="k")["name"] for number in (1, 1)]
    assert created == ["mine 1", "mine 1"]
    with pytest.raises(client.Refused, match="tmieframe: there is no field of this name"):
        there.post("/backtests", dict(strategy="brakeout", datasets=[], timeframe="H1", tmieframe=""))
    with pytest.raises(client.Refused, match="there is no job none"):
        there.get("/jobs/none")
    jobs = [there.post("/data/synthetic", dict(model="gbm", instrument="EURUSD", timeframe="H1", start="2024-01-01", end="2024-02-01", seed=seed))["id"] for seed in range(3)]
    assert [job["id"] for job in there.items("/jobs", limit=2)] == jobs[::-1]
    desk.jobs.cancel(jobs[0])
    with pytest.raises(client.Failed, match="cancelled"):
        there.ended(there.get(f"/jobs/{jobs[0]}"))
    assert next(there.events(cursor=0))["kind"] == "recipe_saved"
