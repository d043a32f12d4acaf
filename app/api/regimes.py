"""Regimes: labels of bars by a rule, or by a model that is fitted walking forward."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fastapi import APIRouter, Response
from pydantic import Field

from app.api.features import FeatureBody
from app.api.paging import json_of
from app.api.plain import plain
from app.api.shapes import JobAnswer
from app.api.submission import Here, Submitting
from worker.desk import FeatureRequest, whole_days

router = APIRouter(prefix="/v1/regimes", tags=["regimes"])


class RegimeBody(FeatureBody):
    """Bars, and either `rules` or the `plan` of a model. A model is fitted on the first of the datasets; the others are known beside it."""

    rules: list[str] = Field(default=[], description="names of rules; the pairings of several")
    plan: dict[str, Any] = Field(default={}, description="of a model: changed values")
    observed: list[str] = Field(default=[], description="of a model: its input columns; left out: the usual ones")

    def request(self, desk: Here) -> FeatureRequest:
        """Where no time is named, of all days of the bars: so a backtest on them can be split by these labels, too."""
        request = super().request(desk)
        first, last = whole_days(request.start, request.end)
        return replace(request, start=request.start if self.start else first, end=request.end if self.end else last)

    def submit(self, desk: Here) -> Any:
        request = self.request(desk)
        return desk.regimes.submit_rules(request, self.rules) if self.rules else desk.regimes.submit(request, self.plan, self.observed)


@router.get("/choices")
def choices(desk: Here) -> Response:
    """Rules with the names of their regimes; parameters of a model, and the columns that it may use."""
    rules = {name: dict(title=title, regimes=list(names)) for name, (title, names) in desk.regimes.rules().items()}
    return json_of(dict(rules=rules, plan=[plain(each) for each in desk.regimes.plan()], observed=desk.regimes.observed()))


@router.post("", response_model=JobAnswer, status_code=202)
async def label(submission: Submitting, body: RegimeBody) -> Any:
    """Label bars; each label depends on bars up to its own alone. The job's `result.run` is read at `/api/v1/runs/{run}`."""
    return await submission.submit(body.submit)
