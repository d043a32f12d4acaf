"""Analytics: figures of runs, sessions and the installation, as the pages show them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from app.api.paging import Rows, json_of
from app.api.plain import plain
from app.api.shapes import Table
from app.api.submission import Here

router = APIRouter(prefix="/v1/analytics", tags=["analytics"])


@router.get("/overview")
def overview(desk: Here) -> Response:
    """What runs, what waits, what failed today, and the sessions."""
    return json_of(dict(pulse=plain(desk.jobs.pulse()), sessions=[dict(plain(row), state_words=row.word) for row in desk.paper.all()], halts=plain(desk.paper.halts())))


@router.get("/runs/{run_id}/{table}", response_model=Table)
def run_table(desk: Here, run_id: str, table: str, rows: Rows) -> Any:
    """A table that is made of a backtest: statistics (every metric of all, long and short trades and of buy and hold), metrics, benchmark, exposure, rolling_63, days, durations, hours, drawdowns, months, results, excursions, surface, costs, break_even, refused, by_hour and others."""
    desk.listing.run(run_id, "backtest")
    return rows.of(desk.run_tables.of(run_id, table))


@router.get("/compare")
def compare(desk: Here, a: str, b: str) -> Response:
    """Two backtests beside each other."""
    figures, differences = desk.run_tables.compare(a, b)
    return json_of(dict(figures=plain(figures), differences=plain(differences)))


@router.get("/compare/several")
def several(desk: Here, run: Annotated[list[str], Query(min_length=2, max_length=6)]) -> Response:
    """Two to six backtests beside each other: settings in which they are not all alike, every metric, and what makes figures incomparable."""
    beside = desk.compare.several(run)
    return json_of(dict(runs=[each.id for each in beside.runs], warnings=list(beside.warnings), settings=plain(beside.changed), metrics=plain(beside.metrics)))


@router.get("/sessions/compare")
def sessions(desk: Here, first: str, second: str) -> Response:
    """Two paper sessions on one feed: the mean daily difference, with its 95 % interval from 20 days on."""
    return json_of(desk.session_analysis.compare(first, second))


@router.get("/sessions/allocation")
def allocation(desk: Here, session: Annotated[list[str], Query(min_length=2)], method: str = "equal", objective: str = "minimum_variance") -> Response:
    """Shares of capital over sessions, from their daily returns."""
    return json_of(desk.session_analysis.allocate(session, method, objective))


@router.get("/sessions/{name}/consistency")
def consistency(desk: Here, name: str) -> Response:
    """The last comparison of a session with the backtest of its tape."""
    return json_of(desk.session_analysis.checked(name))
