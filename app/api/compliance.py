"""Compliance: rule sets, verdicts on an equity path, the chance of passing."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter, Response
from pydantic import Field

from app.api.paging import json_of, utc
from app.api.plain import plain
from app.api.problem import Problem
from app.api.runs import shown
from app.api.shapes import Body, JobAnswer, Time
from app.api.submission import Here, Submitting

router = APIRouter(prefix="/v1/compliance", tags=["compliance"])
WORDS = {"run": "backtest", "session": "session with an equity curve", "history": "account history"}


class Subject(Body):
    """An equity path: of a backtest (`run`), of a session, so far while it goes on (`session`) or of an imported account (`history`)."""

    kind: Literal["run", "session", "history"] = "run"
    id: str

    def subject(self, desk: Here) -> Any:
        subject = desk.compliance.subject(self.kind, self.id)
        if subject is None:
            raise Problem(404, f"there is no {WORDS[self.kind]} {self.id[:40]}")
        return subject


class Path(Subject):
    rules: str = Field(description="name of a preset or of a rule set of your own")
    phase: str = Field(default="", description="left out: the first")


class Chance(Path):
    """The days of a path, resampled."""

    config: dict[str, Any] = Field(default={}, description="paths, days, seed")
    risk: float = Field(default=0.0, ge=0, le=1, description="share of equity at risk in each trade; 0: as the path traded")
    payout: dict[str, Any] = Field(default={})


class Risk(Subject):
    at: Time = Field(description="the instant whose open positions are measured")
    stresses: dict[str, Any] = Field(default={}, description="how hard they are stressed: changed values")

    def submit(self, desk: Here) -> Any:
        at = utc(self.at)
        return desk.risks.submit(self.subject(desk), at, self.stresses)


@router.get("/presets")
def presets(desk: Here) -> Response:
    """Every rule set: presets with source, date read and confidence, and your own."""
    return json_of(dict(items=[plain(row) for row in desk.rule_sets.all()], notice="Not a certification. Check the figures with the firm."))


@router.get("/presets/{name}")
def preset(desk: Here, name: str, phase: str = "") -> Response:
    """A rule set in one of its phases, with the source of every figure."""
    rules = desk.rule_sets.get(name, phase)
    return json_of(dict(plain(desk.rule_sets.row(name)), rules=plain(rules), sources=plain(desk.rule_sets.sources(rules))))


@router.post("/judge", response_model=JobAnswer, status_code=202)
async def judge(submission: Submitting, body: Path) -> Any:
    """Judge a path by a rule set."""
    return await submission.submit(lambda desk: desk.compliance.submit(body.subject(desk), body.rules, body.phase))


@router.post("/chance", response_model=JobAnswer, status_code=202)
async def chance(submission: Submitting, body: Chance) -> Any:
    """The chance that a path like it passes."""
    return await submission.submit(lambda desk: desk.chances.submit(body.subject(desk), body.rules, body.phase, body.config, body.risk, body.payout))


@router.post("/risk", response_model=JobAnswer, status_code=202)
async def risk(submission: Submitting, body: Risk) -> Any:
    """Exposure, correlation, contributions and stresses of what was open at an instant. `result.run` is read at `/api/v1/runs/{run}`."""
    return await submission.submit(body.submit)


@router.get("/verdicts/{run_id}")
def verdict(desk: Here, run_id: str) -> Response:
    """A verdict or a chance, as its job named it."""
    run = desk.compliance.get(run_id)
    return json_of(dict(shown(run, "compliance/verdicts", whole=True), breaches=plain(desk.listing.table(run, "breaches")) if "breaches" in run.frames else []))
