"""Watch models for drift: their columns, coverage and Brier score on the newest bars of what they were trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from domain.analytics.guards import finite
from domain.errors import BadRequest
from domain.params import build
from domain.training import train as training
from domain.training.drift import COLUMNS, DriftConfig
from domain.training.model_folder import read_model
from domain.training.question import Question, question_from
from domain.training.splits import next_fold
from domain.training.watching import watched
from worker.code import manifest_of
from worker.jobs import training_request
from worker.jobs.base import Commit, JobResult, Work, job
from worker.jobs.questions import series_of
from worker.store import Dataset, Model, Unit
from worker.store.model_files import files_of
from worker.store.newest import newest_of

KIND = "watch_models"
TABLE = ("model", "instrument", *COLUMNS)
LEARNING = ("train", "validation", "calibration")


@job("watch_models", limit=6 * 3_600, after="compile")
def watch_models(spec: Mapping[str, Any], work: Work) -> Commit:
    """``spec``: models (ids; none: every version in production) and config (values of ``DriftConfig``).

    One run: a row a model in its summary, a row a column of each in its table ``columns``. A model that cannot be watched says why and stops no other.
    """
    config = build(DriftConfig, spec["config"])
    with work.store.read() as unit:
        models = [unit.models.get(model) for model in spec["models"]] if spec["models"] else in_production(unit)
    present = [model for model in models if model is not None]
    watched_models, tables = [], []
    for number, model in enumerate(present):
        work.progress(number / max(len(present), 1), f"Watch {model.title}")
        table, facts = _checked(model, config, work)
        tables.append(table.assign(model=model.title))
        watched_models.append(facts)
    columns = pd.concat([table[list(TABLE)] for table in tables], ignore_index=True) if tables else pd.DataFrame(columns=list(TABLE))
    frames = dict(columns=work.store.frames.put(columns))
    alarms = [facts for facts in watched_models if facts["state"] == "alarm"]

    def commit(unit: Unit) -> JobResult:
        summary = dict(models=watched_models, alarms=len(alarms), config=dict(spec["config"]))
        run = unit.runs.add(
            kind=KIND, job_id=work.job.id, title=work.job.title, spec=dict(spec), manifest=manifest_of(dict(spec), KIND), summary=summary, frames=frames, actor=work.job.actor, created_at=unit.now(),
            synthetic=any(model.synthetic for model in present),
        )  # fmt: skip
        for facts in alarms:
            unit.audit(work.job.actor, "drift_detected", f"model:{facts['id']}", f"run:{run}", model=facts["model"], alarms=facts["alarms"], bars=facts["bars"])
        detail = dict(title=work.job.title, run=KIND, models=[facts["model"] for facts in watched_models], alarms=len(alarms), frames=frames)
        return JobResult(dict(run=run, models=len(watched_models), alarms=len(alarms)), "models_watched", (f"run:{run}", *(model.entity for model in present)), detail)

    return commit


def in_production(unit: Unit) -> list[Model]:
    """By name."""
    return sorted((model for model in unit.models.all() if unit.models.stage(model.id) == "production"), key=lambda model: model.name)


def _checked(model: Model, config: DriftConfig, work: Work) -> tuple[pd.DataFrame, dict[str, Any]]:
    facts: dict[str, Any] = dict(model=model.title, id=model.id, alarms=[], bars={}, samples=0, labelled=0, coverage=[], brier=[], expected_brier=None, until=None, learnt_brier=_brier_of(model))
    try:
        table, figures = _watched(model, config, work)
    except BadRequest as refused:
        return pd.DataFrame(columns=list(TABLE)), facts | dict(state="unknown", sentence=f"It could not be watched: {refused}")
    return table, facts | {name: _plain(value) for name, value in figures.items()}


def _watched(model: Model, config: DriftConfig, work: Work) -> tuple[pd.DataFrame, dict[str, Any]]:
    if not model.run_id:
        raise BadRequest(f"{model.title} was trained on files, and the workspace has no newer bars of those; train it on stored data (--data)")
    pipeline, manifest = read_model(files_of(work.store, model, work.job.actor))
    question = question_from(manifest["question"])
    spec = spec_of(model, question, work)
    with work.store.read() as unit:
        stored = unit.datasets.all()
    now = [newest_of(stored, version, part) for version, part in zip(spec["datasets"], question.data, strict=True)]
    since = learnt_since(model, question, work)
    late = inputs_on(spec, now, work)
    whole = all(dataset.first_ts <= pd.Timestamp(since).tz_localize("UTC") for dataset in now)
    learnt = late if whole else training_request.read(spec, work).inputs
    table, figures = watched(question, pipeline, learnt, late, since, config, tested_of(model, pipeline.classes, work))
    return table, figures | dict(until=pd.Timestamp(pipeline.until).isoformat() + "Z")


def spec_of(model: Model, question: Question, work: Work) -> dict[str, Any]:
    """The request of the run's job; where the run was deleted, the same from the question."""
    with work.store.read() as unit:
        run = unit.runs.get(model.run_id)
    if run is not None:
        return dict(run.spec)
    values = question.values()
    first, last = (pd.Timestamp(edge) for edge in question.span)
    return dict(
        datasets=[part["version"] for part in question.data], timeframe=question.data[0]["timeframe"], start=_utc(first).isoformat(), end=_utc(last + timedelta(seconds=1)).isoformat(), columns=list(question.columns),
        strategy=question.strategy, strategy_params=values["strategy_params"], target=question.target, target_params=values["target_params"], learner=question.learner, learner_params=values["learner_params"],
        scheme=question.scheme, scheme_params=values["scheme_params"], fitting=values["fitting"], seed=question.seed, shuffle_labels=question.shuffle_labels, rates=[], **values["rules"],
        regimes=[dict(instrument=part["instrument"], run="", frame="", plan=part["regimes"]) for part in question.data if part.get("regimes")],
    )  # fmt: skip


def _utc(instant: pd.Timestamp) -> datetime:
    return (instant.tz_localize("UTC") if instant.tzinfo is None else instant.tz_convert("UTC")).to_pydatetime()


def inputs_on(spec: Mapping[str, Any], now: Sequence[Dataset], work: Work) -> Any:
    """Those of the question on the newest bars, up to their end."""
    newest = dict(spec) | dict(datasets=[dataset.version for dataset in now], end=(max(dataset.last_ts for dataset in now) + timedelta(seconds=1)).isoformat())
    first = min(dataset.first_ts for dataset in now)
    if first > datetime.fromisoformat(newest["start"]):
        newest["start"] = first.isoformat()
    series = [series_of(work, dataset, newest) for dataset in now]
    with work.store.read() as unit:
        rates = [stored for version in newest.get("rates", []) if (stored := unit.datasets.get(version))]
    return training_request.inputs_of(newest, series, rates, work)


def learnt_since(model: Model, question: Question, work: Work) -> int:
    """When the first sample that the model learnt from was decided, int64 ns UTC: its columns are compared from there on."""
    samples = work.store.frames.get(model.frames["samples"], columns=["start", "end"])
    start, end = (pd.DatetimeIndex(samples[name]).as_unit("ns").asi8 for name in ("start", "end"))
    fold = next_fold(start, end, training.scheme_of(question))
    rows = np.concatenate([fold.parts[part] for part in LEARNING])  # type: ignore[index]
    return int(start[rows].min())


def tested_of(model: Model, classes: Sequence[str], work: Work) -> pd.DataFrame:
    """What its question was tested on: the outputs, y (the number of a class), uniqueness and fold."""
    predictions = work.store.frames.get(model.frames["predictions"])
    uniqueness = work.store.frames.get(model.frames["samples"], columns=["uniqueness"])["uniqueness"].to_numpy(float)
    y = predictions["y"].map({name: number for number, name in enumerate(classes)}) if classes else predictions["y"]
    return predictions.assign(y=y.astype(float), uniqueness=uniqueness[predictions["sample"].to_numpy(np.int64)])


def _brier_of(model: Model) -> float | None:
    """The Brier score of its tests, to be put beside what is expected now."""
    every = (model.scores.get("scores") or {}).get("all") or {}
    return every.get("brier")


def _plain(value: Any) -> Any:
    if isinstance(value, (float, np.floating)):
        return finite(float(value))
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value
