"""Backtests: defaults, run, result, trades, fills, equity."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter, Response
from pydantic import Field

from app.api.paging import Cursor, Limit, Rows, Since, Until, json_of, utc
from app.api.plain import plain
from app.api.runs import part, shown
from app.api.shapes import Body, JobAnswer, Listed, RunAnswer, Table, Time
from app.api.submission import Here, Submitting
from worker.desk import BacktestRequest

router = APIRouter(prefix="/v1/backtests", tags=["backtests"])
Tables = Literal["trades", "fills", "equity", "reviews"]


class BacktestBody(Body):
    """A strategy on stored bars. Amounts in `rules` are of the account's currency, shares are 0 to 1."""

    strategy: str = Field(description="name of a library strategy or of one of your own", examples=["breakout"])
    params: dict[str, Any] = Field(default={}, description="changed parameters; the rest have their defaults")
    datasets: list[str] = Field(min_length=1, max_length=50, description="ids of stored bars; several are traded as one account")
    timeframe: str = Field(examples=["H1"])
    start: Time | None = Field(default=None, description="first bar that is traded; earlier ones are history. Left out: the first there is")
    end: Time | None = Field(default=None, description="end of the span; left out: the last there is")
    rules: dict[str, dict[str, Any]] = Field(default={}, description="changed values of account, costs, execution, sizing and limits, as in config.toml")
    cost_profile: str = Field(default="", description="name of saved costs, in place of rules.costs")
    model: str = Field(default="", description="NAME or NAME@VERSION of a model that filters the signals")

    def request(self, desk: Here) -> BacktestRequest:
        datasets = [desk.data.get(name) for name in self.datasets]
        start, end = utc(self.start) or min(each.first_ts for each in datasets), utc(self.end) or max(each.last_ts for each in datasets)
        return BacktestRequest(self.strategy, self.params, [each.id for each in datasets], self.timeframe, start, end, self.rules, self.cost_profile, self.model)


class Named(Body):
    name: str = Field(max_length=120)
    note: str = Field(default="", max_length=2_000)


@router.get("/config")
def config(desk: Here) -> Response:
    """What account, costs, execution, sizing and limits are where a request changes nothing, with unit and meaning of each value."""
    rules = {section: [plain(param) for param in desk.backtests.rule_params(section)] for section in desk.backtests.rules()}
    return json_of(dict(defaults=desk.backtests.rules(), parameters=rules, form=desk.backtests.form_start()))


@router.get("/metrics")
def metrics(desk: Here) -> Response:
    """Every figure of a result: title, unit and definition."""
    return json_of({name: {field: str(getattr(each, field)) for field in ("title", "unit", "definition") if hasattr(each, field)} for name, each in desk.backtests.metrics().items()})


@router.post("", response_model=JobAnswer, status_code=202)
async def run(submission: Submitting, body: BacktestBody) -> Any:
    """Run a backtest. The same request on the same code and data is the same job."""
    return await submission.submit(lambda desk: desk.backtests.submit(body.request(desk)))


@router.get("", response_model=Listed)
def backtests(desk: Here, limit: Limit = 100, cursor: Cursor = "", since: Since = None, until: Until = None) -> Any:
    """Finished backtests, newest first."""
    return part(desk, "backtests", ["backtest"], limit, cursor, since, until)


@router.get("/{run_id}", response_model=RunAnswer)
def result(desk: Here, run_id: str) -> Any:
    """A result: its figures, what was requested, and hashes of the data and code that it was made from."""
    return shown(desk.listing.run(run_id, "backtest"), "backtests", whole=True)


@router.get("/{run_id}/{table}", response_model=Table)
def table(desk: Here, run_id: str, table: Tables, rows: Rows) -> Any:
    """Rows of a result. `equity`: every bar; amounts in the account's currency. `since` and `until` are about `entry_ts` of trades, `ts` else."""
    return rows.of(desk.listing.table(desk.listing.run(run_id, "backtest"), table), "entry_ts" if table == "trades" else "ts")


@router.patch("/{run_id}", response_model=RunAnswer)
def rename(desk: Here, run_id: str, body: Named) -> Any:
    """Give a result a name and a note."""
    desk.listing.run(run_id, "backtest")
    desk.backtests.rename(run_id, body.name, body.note)
    return shown(desk.listing.run(run_id, "backtest"), "backtests")


@router.delete("/{run_id}", status_code=204)
def delete(desk: Here, run_id: str) -> Response:
    """Delete a result and what was made of it. Its trials stay counted, and the audit trail keeps its story."""
    desk.listing.run(run_id, "backtest")
    desk.backtests.delete(run_id)
    return Response(status_code=204)
