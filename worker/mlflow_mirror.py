"""A version of a model on an MLflow server, by mlflow-skinny, which is an extra."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from worker.store.mirror import URI
from worker.store.models import Model, ModelStage

EXPERIMENT, HASH, VERSION = "tidemark", "tidemark.hash", "tidemark.version"
PATIENCE = dict(MLFLOW_HTTP_REQUEST_MAX_RETRIES="1", MLFLOW_HTTP_REQUEST_TIMEOUT="10", MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR="false", GIT_PYTHON_REFRESH="quiet")
LONGEST = 500           # letters of a parameter's value
ABSENT = "mlflow-skinny is not installed; install the extra: pip install mlflow-skinny"


def mirrored(model: Model, stage: ModelStage, files: Mapping[str, bytes], watch: Callable[[], None] = lambda: None) -> tuple[str, str]:
    """The run on the server and nothing, or nothing and why it is not there. What was sent before is not sent again."""
    for name, value in PATIENCE.items():
        os.environ.setdefault(name, value)
    try:
        from mlflow import MlflowClient
        from mlflow.exceptions import MlflowException
    except ImportError:
        return "", ABSENT
    try:
        client = MlflowClient(tracking_uri=os.environ[URI], registry_uri=os.environ[URI])
        run_id = _run(client, model, files, watch)
        _stand(client, model, stage, _version(client, model, run_id))
        return run_id, ""
    except (MlflowException, OSError) as error:
        return "", f"the MLflow server did not take it: {str(error).strip().splitlines()[0][:300] if str(error).strip() else type(error).__name__}"


def _run(client: Any, model: Model, files: Mapping[str, bytes], watch: Callable[[], None]) -> str:
    experiment = client.get_experiment_by_name(EXPERIMENT)
    experiment_id = experiment.experiment_id if experiment else client.create_experiment(EXPERIMENT)
    there = client.search_runs([experiment_id], f"tags.`{HASH}` = '{model.digest}'", max_results=1)
    if there and there[0].info.status == "FINISHED":
        return str(there[0].info.run_id)
    tags = {HASH: model.digest, VERSION: str(model.version), "tidemark.synthetic": str(model.synthetic).lower(), "mlflow.runName": model.title}
    run_id = str(client.create_run(experiment_id, tags=tags, run_name=model.title).info.run_id)
    for name, value in sorted(params_of(model).items()):
        watch()
        client.log_param(run_id, name, value)
    for name, number in sorted(metrics_of(model).items()):
        watch()
        client.log_metric(run_id, name, number)
    with tempfile.TemporaryDirectory(prefix="tidemark-") as folder:
        for name, content in files.items():
            path = Path(folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        client.log_artifacts(run_id, folder, "model")
    client.set_terminated(run_id, "FINISHED")
    return run_id


def _version(client: Any, model: Model, run_id: str) -> str:
    """The server's own number of the version."""
    from mlflow.exceptions import MlflowException

    try:
        client.get_registered_model(model.name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        client.create_registered_model(model.name)
    for version in client.search_model_versions(f"name = '{model.name}'"):
        if version.tags.get(HASH) == model.digest:
            return str(version.version)
    source = f"{client.get_run(run_id).info.artifact_uri}/model"
    return str(client.create_model_version(model.name, source, run_id, tags={HASH: model.digest, VERSION: str(model.version)}).version)


def _stand(client: Any, model: Model, stage: ModelStage, version: str) -> None:
    """The alias ``production`` follows the version that is in production; the stage and its reason are tags of each."""
    aliases = client.get_registered_model(model.name).aliases
    if stage.stage == "production":
        client.set_registered_model_alias(model.name, "production", version)
    elif str(aliases.get("production", "")) == version:
        client.delete_registered_model_alias(model.name, "production")
    client.set_model_version_tag(model.name, version, "tidemark.stage", stage.stage)
    client.set_model_version_tag(model.name, version, "tidemark.reason", stage.reason or "-")


def params_of(model: Model) -> dict[str, str]:
    """What was requested, flat: ``learner_params.l2``, ``scheme``, ``seed`` …"""
    return {name: str(value)[:LONGEST] for name, value in _flat(dict(model.manifest.get("question", {}))) if not name.startswith(("rules", "data"))}


def metrics_of(model: Model) -> dict[str, float]:
    """The scores of all tested samples, and the deflated Sharpe ratio, as far as there are numbers."""
    scores = (model.scores.get("scores") or {}).get("all") or {}
    figures = scores | {"dsr": (model.scores.get("trials") or {}).get("dsr"), "trials": (model.scores.get("trials") or {}).get("count")}
    return {name: float(value) for name, value in figures.items() if isinstance(value, (int, float)) and not isinstance(value, bool)}


def _flat(values: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", value
