"""The calls of a prop-firm sidecar: /api/signals, /api/executions, /api/analytics."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from fastapi import APIRouter, Response
from pydantic import Field

from app.api.others.translated import Name, exact
from app.api.paging import json_of, utc
from app.api.plain import plain
from app.api.shapes import Body
from app.api.submission import Here
from worker.desk import Report
from worker.desk.export import with_former_keys

router = APIRouter(tags=["other systems: sidecar"])
Topic = Literal["overview", "performance", "alphas", "risk", "compliance", "learning"]


class Executed(Body):
    """A report of the executor beside a terminal."""

    signal_id: Name = ""
    ticket: Name
    symbol: str
    action: str
    lots: float = Field(gt=0)
    price: float = Field(gt=0)
    time: datetime
    profit: float | None = None


@router.get("/signals")
def signals(desk: Here) -> Response:
    """At most three current proposals of grade A or A+."""
    return json_of(dict(signals=[_signal(each.id, each.row) for each in desk.executions.proposals()]))


@router.post("/executions", status_code=201)
def executed(desk: Here, body: Executed) -> Response:
    """A report, matched to its proposal or kept as unmatched with the reason."""
    profit = "" if body.profit is None else exact(body.profit)
    return json_of(desk.executions.report(Report(body.ticket, body.symbol, body.action.lower(), exact(body.lots), exact(body.price), utc(body.time), body.signal_id, profit)), 201)


@router.get("/analytics/{topic}")
def analytics(desk: Here, topic: Topic) -> Response:
    """Figures as the pages Overview, Backtest, Scanner, Compliance and Training show them."""
    topics: dict[str, Any] = dict(overview=_overview, performance=_performance, alphas=_alphas, risk=_risk, compliance=_compliance, learning=_learning)
    return json_of(topics[topic](desk))


def _signal(name: str, row: dict[str, Any]) -> dict[str, Any]:
    """A proposal in the words of that system. ``alpha``: the strategy; ``model_forecasts``: chance, mean win and mean loss that the figures come from."""
    forecasts = {field: row.get(field) for field in ("p", "p_source", "mean_win", "mean_loss", "trades")}
    action = "BUY" if row.get("side") in ("long", "buy") else "SELL"
    levels = [row["target"]] if row.get("target") is not None else []
    return dict(id=name, symbol=row.get("instrument"), action=action, q_star=row.get("q_star"), es95=row.get("es95"), confidence=row.get("p"), grade=row.get("grade"), entry=row.get("entry"), stop_loss=row.get("stop_loss"), take_profit_levels=levels, lots=row.get("lots"), alpha=row.get("strategy"), timeframe=row.get("timeframe"), model_forecasts=forecasts)


def _overview(desk: Here) -> Any:
    return dict(pulse=plain(desk.jobs.pulse()), sessions=[plain(row) for row in desk.paper.all()], health=plain(desk.system.health()))


def _performance(desk: Here) -> Any:
    runs = desk.listing.runs(["backtest"]).rows
    return dict(backtests=[dict(id=run.id, title=run.title, at=plain(run.created_at), metrics=plain(run.summary.get("metrics", {}))) for run in runs[:20]])


def _alphas(desk: Here) -> Any:
    scans = desk.listing.runs(["scan"]).rows
    return dict(scan=scans[0].id if scans else None, at=plain(scans[0].created_at) if scans else None, verdicts=plain(desk.scanner.table(scans[0].id)) if scans else [])


def _risk(desk: Here) -> Any:
    rows = [row for row in desk.paper.all() if not row.over]
    return dict(sessions=[dict(name=row.name, equity=plain(row.equity), today=plain(row.today), open=row.open, daily_loss_used=plain(row.daily_loss_used)) for row in rows], halts=plain(desk.paper.halts()), limits=plain(desk.backtests.rules()["limits"]))


def _compliance(desk: Here) -> Any:
    runs = desk.listing.runs(["judgement", "judged_presets", "pass_chance"]).rows
    return dict(verdicts=[dict(id=run.id, kind=run.kind, title=run.title, at=plain(run.created_at), summary=plain(with_former_keys(run.summary))) for run in runs[:20]], presets=[plain(row) for row in desk.rule_sets.all()])


def _learning(desk: Here) -> Any:
    return dict(trainings=[dict(id=run.id, title=run.title, at=plain(run.created_at), summary=plain(with_former_keys(run.summary))) for run in desk.training.latest(20)], models=[dict(name=each.name, version=each.version, stage=each.stage.stage) for each in desk.models.all()])
