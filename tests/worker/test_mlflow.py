"""Models on an MLflow server: a small double that speaks its REST protocol, or a real one (``make check-mlflow``)."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.worker.test_models import GREEN, add
from worker import actors
from worker.mlflow_mirror import ABSENT

pytestmark = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
REAL = os.environ.get("TIDEMARK_MLFLOW", "")        # the address of a real server
SCORED = GREEN | dict(scores=dict(all=dict(auc=0.61, brier=None, rows=40)))


class Server(BaseHTTPRequestHandler):
    """What of MLflow's REST protocol a mirror needs: experiments, runs, files by way of the server, versions, aliases."""

    state: dict[str, Any]

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self._answer({name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()})

    def do_POST(self) -> None:
        self._answer(json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}"))

    do_PATCH = do_DELETE = do_POST

    def do_PUT(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        self.state["files"][urlsplit(self.path).path.partition("/artifacts/")[2]] = self.rfile.read(length)
        self._say({})

    def _answer(self, request: dict[str, Any]) -> None:
        verb = urlsplit(self.path).path.partition("/api/2.0/mlflow/")[2].replace("/", "_").replace("-", "_")
        handle = getattr(self, verb, None)
        if handle is None:
            return self._say(dict(error_code="ENDPOINT_NOT_FOUND", message=self.path), 404)
        answer = handle(request)
        self._say(answer if answer is not None else dict(error_code="RESOURCE_DOES_NOT_EXIST", message="not there"), 200 if answer is not None else 404)

    def _say(self, answer: dict[str, Any], status: int = 200) -> None:
        content = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    # -- verbs

    def experiments_get_by_name(self, request):
        return dict(experiment=dict(experiment_id="1", name="tidemark", artifact_location="mlflow-artifacts:/1", lifecycle_stage="active")) if self.state["experiment"] else None

    def experiments_create(self, request):
        self.state["experiment"] = request["name"]
        return dict(experiment_id="1")

    def runs_search(self, request):
        return dict(runs=[run for run in self.state["runs"].values() if any(tag["value"] in request["filter"] for tag in run["data"]["tags"] if tag["key"] == "tidemark.hash")])

    def runs_create(self, request):
        run_id = f"run{len(self.state['runs'])}"
        info = dict(run_id=run_id, run_uuid=run_id, experiment_id="1", status="RUNNING", artifact_uri=f"mlflow-artifacts:/1/{run_id}/artifacts", lifecycle_stage="active", start_time=1, user_id="ana", run_name=request.get("run_name", ""))
        self.state["runs"][run_id] = dict(info=info, data=dict(params=[], metrics=[], tags=list(request["tags"])))
        return dict(run=self.state["runs"][run_id])

    def runs_get(self, request):
        return dict(run=self.state["runs"][request["run_id"]])

    def runs_log_parameter(self, request):
        self.state["runs"][request["run_id"]]["data"]["params"].append(dict(key=request["key"], value=request["value"]))
        return {}

    def runs_log_metric(self, request):
        self.state["runs"][request["run_id"]]["data"]["metrics"].append(dict(key=request["key"], value=request["value"], timestamp=1, step=0))
        return {}

    def runs_update(self, request):
        self.state["runs"][request["run_id"]]["info"]["status"] = request["status"]
        return dict(run_info=self.state["runs"][request["run_id"]]["info"])

    def registered_models_get(self, request):
        return dict(registered_model=self._model(request["name"])) if request["name"] in self.state["models"] else None

    def registered_models_create(self, request):
        self.state["models"].setdefault(request["name"], {})
        return dict(registered_model=self._model(request["name"]))

    def registered_models_alias(self, request):
        aliases = self.state["models"][request["name"]]
        if self.command == "DELETE":
            aliases.pop(request["alias"])
        else:
            aliases[request["alias"]] = str(request["version"])
        return {}

    def model_versions_search(self, request):
        return dict(model_versions=[version for version in self.state["versions"] if f"'{version['name']}'" in request["filter"]])

    def model_versions_create(self, request):
        version = dict(name=request["name"], version=str(1 + sum(other["name"] == request["name"] for other in self.state["versions"])), source=request["source"], run_id=request["run_id"], tags=list(request["tags"]), status="READY", creation_timestamp=1, last_updated_timestamp=1)
        self.state["versions"].append(version)
        return dict(model_version=version)

    def model_versions_get(self, request):
        return dict(model_version=self._version(request))

    def model_versions_set_tag(self, request):
        tags = self._version(request)["tags"]
        tags[:] = [tag for tag in tags if tag["key"] != request["key"]] + [dict(key=request["key"], value=request["value"])]
        return {}

    def _model(self, name):
        return dict(name=name, creation_timestamp=1, last_updated_timestamp=1, aliases=[dict(alias=alias, version=version) for alias, version in self.state["models"][name].items()])

    def _version(self, request):
        return next(version for version in self.state["versions"] if (version["name"], version["version"]) == (request["name"], str(request["version"])))


@pytest.fixture
def server(monkeypatch) -> Iterator[str]:
    """The address of a server without a model of ours."""
    monkeypatch.setenv("MLFLOW_ENABLE_ASYNC_LOGGING", "false")
    if REAL:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", REAL)
        yield REAL
        return
    handler = type("Fresh", (Server,), dict(state=dict(experiment="", runs={}, files={}, models={}, versions=[])))
    listening = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=listening.serve_forever, daemon=True)
    thread.start()
    address = f"http://127.0.0.1:{listening.server_address[1]}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    yield address
    listening.shutdown()
    listening.server_close()


def mirror_results(desk) -> list[dict[str, Any]]:
    """Work on what waits to be mirrored; the results, oldest first."""
    waiting = [job.id for job in desk.jobs.latest(("mlflow",), ("queued",))][::-1]
    for job_id in waiting:
        actors.run(job_id)
    jobs = [desk.jobs.get(job_id) for job_id in waiting]
    assert {job.state for job in jobs} <= {"done"}, [job.error for job in jobs]
    return [job.result for job in jobs]


def test_parameters_scores_files_and_the_alias_of_production_are_mirrored(system, desk, store, server):
    mlflow = pytest.importorskip("mlflow", reason="mlflow-skinny is not installed: make check-mlflow installs it beside a real server")
    name = f"fake-{store.blobs.put(os.urandom(8))[:8]}"
    first, second = add(desk, store, name, SCORED), add(desk, store, name, SCORED, content=b"tree 2")
    results = mirror_results(desk)
    client = mlflow.MlflowClient(tracking_uri=server, registry_uri=server)
    run = client.get_run(results[0]["mlflow_run"])
    assert [result["why"] for result in results] == ["", ""] and run.info.status == "FINISHED"
    assert run.data.params["learner"] == "fakeout" and run.data.metrics["auc"] == 0.61 and "brier" not in run.data.metrics and run.data.metrics["dsr"] == 0.97
    assert run.data.tags["tidemark.hash"] == desk.models.get(first).digest
    desk.models.promote(first, "")
    desk.models.promote(second, "better")
    assert len(mirror_results(desk)) == 3, "one is retired by the other's promotion"
    versions = {version.tags["tidemark.version"]: version for version in client.search_model_versions(f"name = '{name}'")}
    assert {number: version.tags["tidemark.stage"] for number, version in versions.items()} == {"1": "retired", "2": "production"} and versions["2"].tags["tidemark.reason"] == "better"
    assert client.get_registered_model(name).aliases == {"production": versions["2"].version}
    desk.models.retire(second, "it drifted")
    mirror_results(desk)
    assert client.get_registered_model(name).aliases == {} and len(client.search_model_versions(f"name = '{name}'")) == 2, "nothing is sent twice"


def test_a_server_that_does_not_answer_fails_nothing(system, desk, store, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    model = add(desk, store)
    assert desk.models.promote(model, "").stage.stage == "production"
    for result in mirror_results(desk):
        assert result["mlflow_run"] == "" and (result["why"] == ABSENT or "the MLflow server did not take it" in result["why"])
    assert {"model_promoted", "model_not_mirrored"} <= {event.kind for event in desk.trail.history(f"model:{desk.models.get(model).id}")}


def test_without_an_address_nothing_is_mirrored(system, desk, store, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    add(desk, store)
    assert mirror_results(desk) == []
