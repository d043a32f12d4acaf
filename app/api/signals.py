"""Signals: a scan of strategies over instruments and timeframes, and the latest from scans and paper sessions."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response
from pydantic import Field

from app.api.paging import Cursor, Limit, Rows, Since, Until, json_of, utc
from app.api.plain import plain
from app.api.runs import part, shown
from app.api.shapes import Body, JobAnswer, Listed, RunAnswer, Table, Time
from app.api.submission import Here, Submitting
from worker.desk import Choice, Desk, Part, ScanRequest

router = APIRouter(prefix="/v1/signals", tags=["signals"])
KIND = "scan"
NEWEST: dict[tuple[str, str], Any] = {}     # database and newest scan -> its verdicts


class Chosen(Body):
    name: str
    params: dict[str, Any] = Field(default={})
    label: str = ""


class ScanBody(Body):
    """Every strategy on every dataset and timeframe, each judged at its last closed bar."""

    strategies: list[Chosen] = Field(min_length=1, max_length=200)
    datasets: list[str] = Field(default=[], max_length=200, description="left out: the newest of each instrument")
    timeframes: list[str] = Field(default=[])
    start: Time | None = None
    end: Time | None = None
    rules: dict[str, dict[str, Any]] = Field(default={})
    cost_profile: str = ""
    criteria: dict[str, Any] = Field(default={}, description="changed values: what a signal needs to be shown")
    positions: list[dict[str, Any]] = Field(default=[], description="open positions that limits take into account")
    equity: float | None = Field(default=None, gt=0, description="account currency")
    model: str = ""

    def request(self, desk: Here) -> ScanRequest:
        given = self.model_dump(exclude={"strategies", "datasets", "start", "end"})
        datasets = [desk.data.get(name).id for name in self.datasets] or [each.id for each in desk.scanner.newest_datasets()]
        return ScanRequest([Choice(each.name, each.params, each.label) for each in self.strategies], datasets, start=utc(self.start), end=utc(self.end), **given)


@router.get("/criteria")
def criteria(desk: Here) -> Response:
    """What signals are judged by, and every reason for which one is not shown."""
    return json_of(dict(parameters=desk.scanner.params(), reasons=desk.scanner.reasons(), grades=desk.scanner.grades()))


@router.post("/generate", response_model=JobAnswer, status_code=202)
async def generate(submission: Submitting, body: ScanBody) -> Any:
    """Scan."""
    return await submission.submit(lambda desk: desk.scanner.submit(body.request(desk)))


@router.get("/latest")
def latest(desk: Here) -> Response:
    """The verdicts of the newest scan, and what waits or is open in each paper session."""
    scans = desk.listing.runs([KIND], Part(limit=1)).rows
    sessions = [dict(session=row.name, **desk.paper.standing(row.name)) for row in desk.paper.all() if not row.over]
    newest: dict[str, Any] = dict(scan=shown(scans[0], "signals/scans"), verdicts=_verdicts(desk, scans[0].id)) if scans else dict(scan=None, verdicts=[])
    return json_of(newest | dict(sessions=sessions))


def _verdicts(desk: Desk, run_id: str) -> Any:
    """Those of the newest scan are read once: what a run has written stays as it is."""
    address = (desk.settings.database_url, run_id)
    rows = NEWEST.get(address)
    if rows is None:
        rows = plain(desk.scanner.table(run_id))
        NEWEST.clear()
        NEWEST[address] = rows
    return rows


@router.get("/scans", response_model=Listed)
def scans(desk: Here, limit: Limit = 100, cursor: Cursor = "", since: Since = None, until: Until = None) -> Any:
    """Finished scans, newest first."""
    return part(desk, "signals/scans", [KIND], limit, cursor, since, until)


@router.get("/scans/{run_id}", response_model=RunAnswer)
def scan(desk: Here, run_id: str) -> Any:
    """One scan."""
    return shown(desk.listing.run(run_id, KIND), "signals/scans", whole=True)


@router.get("/scans/{run_id}/{table}", response_model=Table)
def table(desk: Here, run_id: str, table: str, rows: Rows) -> Any:
    """Rows of one of its tables, such as `verdicts`."""
    return rows.of(desk.listing.table(desk.listing.run(run_id, KIND), table))
