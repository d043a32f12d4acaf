"""Models: train, results, registry."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter, Response
from pydantic import Field

from app.api.paging import Cursor, Limit, Rows, Since, Until, json_of, utc
from app.api.plain import plain
from app.api.runs import part, shown
from app.api.shapes import Body, JobAnswer, Listed, RunAnswer, Table, Time
from app.api.submission import Here, Submitting
from worker.desk import TrainingRequest

router = APIRouter(prefix="/v1/models", tags=["models"])


class TrainBody(Body):
    """A training: learner and target, columns, and how folds are cut (`GET /api/v1/models/types` lists all of these)."""

    datasets: list[str] = Field(min_length=1, max_length=50)
    timeframe: str
    start: Time | None = None
    end: Time | None = None
    recipe: str = ""
    columns: list[str] = Field(default=[])
    learner: str
    target: str
    params: dict[str, Any] = Field(default={})
    target_params: dict[str, Any] = Field(default={})
    scheme: str = "walk_forward"
    scheme_params: dict[str, Any] = Field(default={})
    strategy: str = ""
    strategy_params: dict[str, Any] = Field(default={})
    rules: dict[str, dict[str, Any]] = Field(default={})
    cost_profile: str = ""
    options: dict[str, Any] = Field(default={})
    seed: int = Field(default=0, ge=0, lt=2**53)
    shuffle_labels: bool = False
    register_as: str = Field(default="", description="name under which the model is registered once it is trained")

    def request(self, desk: Here) -> TrainingRequest:
        stored = [desk.data.get(name) for name in self.datasets]
        given = self.model_dump(exclude={"datasets", "start", "end", "recipe", "columns", "register_as"})
        columns = [*(desk.features.columns_of(self.recipe) if self.recipe else ()), *self.columns]
        start, end = utc(self.start) or min(each.first_ts for each in stored), utc(self.end) or max(each.last_ts for each in stored)
        return TrainingRequest(datasets=[each.id for each in stored], start=start, end=end, columns=columns, register=self.register_as, **given)


class Reason(Body):
    reason: str = Field(default="", max_length=2_000)


class PredictBody(Body):
    """What a model says at the newest samples of stored bars."""

    model: str = Field(description="NAME or NAME@VERSION")
    datasets: list[str] = Field(default=[], max_length=50, description="left out: the newest of what it was trained on")
    rows: int = Field(default=1, ge=1, le=10_000, description="newest samples of each instrument")
    engine: Literal["native", "onnx"] = "native"


class TuneBody(TrainBody):
    """A search of a learner's parameters on the validation parts of a training."""

    space: dict[str, Any] = Field(description="parameter: [low, high], [low, high, step], or a mapping of low, high, step, log or choices")
    tuning: dict[str, Any] = Field(default={}, description="trials, sampler, seed: changed values")

    def request(self, desk: Here) -> TrainingRequest:
        return TrainBody(**self.model_dump(exclude={"space", "tuning"})).request(desk)


class WatchBody(Body):
    model: str = Field(default="", description="NAME or NAME@VERSION; left out: every one in production")
    config: dict[str, Any] = Field(default={}, description="when drift is called so: changed values")


class Registration(Body):
    run: str
    name: str


@router.get("/types")
def types(desk: Here) -> Response:
    """Learners, targets and schemes, each with its parameters."""
    targets = {name: dict(plain(each), params=plain(desk.training.target_params(name))) for name, each in desk.training.targets().items()}
    return json_of(dict(learners=desk.training.learners(), targets=targets, schemes=desk.training.schemes(), options=desk.training.options()))


@router.post("/train", response_model=JobAnswer, status_code=202)
async def train(submission: Submitting, body: TrainBody) -> Any:
    """Train; every fold and trial is counted."""
    return await submission.submit(lambda desk: desk.training.submit(body.request(desk)))


@router.post("/predict", response_model=JobAnswer, status_code=202)
async def predict(submission: Submitting, body: PredictBody) -> Any:
    """Predict. The job's `result.run` is read at `/api/v1/models/predictions/{run}`."""
    return await submission.submit(lambda desk: desk.models.predict(body.model, body.datasets, body.rows, body.engine))


@router.post("/tune", response_model=JobAnswer, status_code=202)
async def tune(submission: Submitting, body: TuneBody) -> Any:
    """Search; every trial is counted. The job's `result.run` is read at `/api/v1/runs/{run}`."""
    return await submission.submit(lambda desk: desk.tuning.submit(body.request(desk), body.space, body.tuning))


@router.post("/watch", response_model=JobAnswer, status_code=202)
async def watch(submission: Submitting, body: WatchBody = WatchBody()) -> Any:
    """Look for drift on the newest bars."""
    return await submission.submit(lambda desk: desk.drift.submit(body.model, body.config))


@router.get("/predictions/{run_id}", response_model=RunAnswer)
def prediction(desk: Here, run_id: str) -> Any:
    """The newest prediction of each instrument; `in_sample` says whether the model may have seen the label."""
    return shown(desk.listing.run(run_id, "predict"), "models/predictions", whole=True)


@router.get("/predictions/{run_id}/{table}", response_model=Table)
def predicted(desk: Here, run_id: str, table: Literal["predictions"], rows: Rows) -> Any:
    """All rows of it. `since` and `until` are about `start`."""
    return rows.of(desk.listing.table(desk.listing.run(run_id, "predict"), table), "start")


@router.get("/trainings", response_model=Listed)
def trainings(desk: Here, limit: Limit = 100, cursor: Cursor = "", since: Since = None, until: Until = None) -> Any:
    """Finished trainings, newest first."""
    return part(desk, "models/trainings", ["train"], limit, cursor, since, until)


@router.get("/trainings/{run_id}", response_model=RunAnswer)
def training(desk: Here, run_id: str) -> Any:
    """A training with its report: verdict, control, scores by fold."""
    run = desk.listing.run(run_id, "train")
    return json_of(dict(shown(run, "models/trainings", whole=True), report=desk.training.report(run_id)))


@router.get("/trainings/{run_id}/{table}", response_model=Table)
def table(desk: Here, run_id: str, table: str, rows: Rows) -> Any:
    """Rows of samples, folds or predictions. `since` and `until` are about `start` of a sample."""
    return rows.of(desk.listing.table(desk.listing.run(run_id, "train"), table), "start")


@router.get("")
def registry(desk: Here, name: str = "") -> Response:
    """The registry: every version with its stage."""
    return json_of(dict(items=[_version(each) for each in desk.models.all(name)]))


@router.post("", status_code=201)
def register(desk: Here, body: Registration) -> Response:
    """Register the model of a training, as a candidate."""
    return json_of(_version(desk.models.register(body.run, body.name)), 201)


@router.get("/{model}")
def version(desk: Here, model: str) -> Response:
    """One version (NAME@VERSION, or NAME for the one in production), its gates and its history."""
    stored = desk.models.get(model)
    return json_of(dict(_version(stored), gates=plain(desk.models.gates(model)), history=plain(desk.models.history(model)), manifest=plain(stored.manifest)))


@router.post("/{model}/promote")
def promote(desk: Here, model: str, body: Reason = Reason()) -> Response:
    """Put a version into production, where its gates allow that."""
    return json_of(_version(desk.models.promote(model, body.reason)))


@router.post("/{model}/retire")
def retire(desk: Here, model: str, body: Reason = Reason()) -> Response:
    """Retire a version."""
    return json_of(_version(desk.models.retire(model, body.reason)))


@router.post("/{model}/verify")
def verify(desk: Here, model: str) -> Response:
    """Whether its files are as they were written, and what was measured of its other form."""
    return json_of(plain(desk.models.verify(model)))


@router.post("/{model}/retrain", response_model=JobAnswer, status_code=202)
async def retrain(submission: Submitting, model: str) -> Any:
    """Train it again on the newest bars: a candidate, and production stays as it is."""
    return await submission.submit(lambda desk: desk.drift.retrain(model))


def _version(each: Any) -> dict[str, Any]:
    fields = ("id", "name", "version", "learner", "target", "run", "digest", "files", "scores", "synthetic", "actor", "created_at", "stage")
    return {**{field: plain(getattr(each, field)) for field in fields}, "href": f"/api/v1/models/{each.name}@{each.version}"}
