"""Paper sessions: start, state, commands, kill switch, tables."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from pydantic import Field

from app.api.paging import Rows, json_of, utc
from app.api.plain import plain
from app.api.shapes import Amount, Body, Table, Time
from app.api.submission import Here
from worker.desk import StartRequest
from worker.desk.export import with_former

router = APIRouter(prefix="/v1/paper", tags=["paper sessions"])
Tables = Literal["trades", "fills", "equity", "decisions", "tape", "commands"]
FRAMES = ("decisions", "positions", "orders", "proposals")


class StartBody(Body):
    """A session on stored bars (`datasets`), or on live prices (`feed` with `instruments`). It trades a `strategy`, the orders of a `signals` file, or as a `scan` chose."""

    name: str = Field(examples=["gold-1"])
    strategy: str = ""
    params: dict[str, Any] = Field(default={})
    timeframes: list[str] = Field(min_length=1)
    datasets: list[str] = Field(default=[])
    feed: Literal["", "oanda", "mt5"] = ""
    instruments: list[str] = Field(default=[])
    broker: str = "paper"
    mode: Literal["auto", "approve"] = "auto"
    rules: dict[str, dict[str, Any]] = Field(default={})
    start: Time | None = Field(default=None, description="earlier bars are history: seen, nothing is decided")
    speed: float = Field(default=0.0, ge=0, description="of a replay: times real time, 0 for as fast as possible")
    rule_set: str = Field(default="", description="whose floors orders keep clear of")
    model: str = Field(default="", description="NAME or NAME@VERSION of a model that filters the signals")
    signals: str = Field(default="", max_length=20_000_000, description="instead of a strategy: text of a CSV of signals")
    scan: str = Field(default="", description="instead of a strategy: id of a scan, whose strategies and criteria trade")
    commands: str = Field(default="", max_length=20_000_000, description="text of a CSV of commands")

    def request(self) -> StartRequest:
        given = self.model_dump(exclude={"timeframes", "datasets", "instruments", "start", "signals", "commands"})
        return StartRequest(timeframes=tuple(self.timeframes), datasets=tuple(self.datasets), instruments=tuple(self.instruments), start=utc(self.start), signals=self.signals.encode(), commands=self.commands.encode(), **given)


class OrderBody(Body):
    """An order by a person. Lots and prices are texts, so that they are exact."""

    instrument: str
    side: Literal["buy", "sell"]
    lots: Amount
    stop: Amount | None = None
    target: Amount | None = None
    series: str = Field(default="", description="one series of the instrument, as in EURUSD M5")
    tag: str = ""
    reason: str = ""
    key: str = Field(default="", max_length=128, description="the same key twice is one order")


class CommandBody(Body):
    """A command to a session. `arguments`: as `GET /api/v1/paper/commands` describes them."""

    arguments: dict[str, Any] = Field(default={})
    reason: str = Field(default="", max_length=2_000)
    key: str = Field(default="", max_length=128, description="the same key twice is one command")


class HaltBody(Body):
    """The kill switch. Without `name` of all sessions; `keep`: positions are left to their stops."""

    reason: str = Field(min_length=1, max_length=2_000)
    name: str = ""
    strategy: str = ""
    keep: bool = False


class ReleaseBody(Body):
    reason: str = Field(min_length=1, max_length=2_000)
    name: str = ""
    strategy: str = ""


@router.get("/sessions")
def sessions(desk: Here) -> Response:
    """All sessions, those that are not over first. Money in the account's currency."""
    return json_of(dict(items=[_row(row) for row in desk.paper.all()]))


@router.post("/sessions", status_code=201)
def start(desk: Here, body: StartBody) -> Response:
    """Make a session; the workers run it."""
    name = desk.paper.start(body.request())
    return json_of(_row(desk.paper.row(name)), 201)


@router.get("/commands")
def commands(desk: Here) -> Response:
    """Every command with its arguments."""
    return json_of(dict(items=[dict(plain(verb), arguments=plain(desk.paper.params(name))) for name, verb in desk.paper.verbs().items()]))


@router.get("/halts")
def halts(desk: Here) -> Response:
    """Kill switches that are set."""
    return json_of(dict(items=desk.paper.halts()))


@router.post("/emergency", status_code=202)
def emergency(desk: Here, body: HaltBody) -> Response:
    """The kill switch: no order after it, positions are closed. It stays set until a person lifts it."""
    desk.paper.halt(body.reason, body.name, body.strategy, body.keep)
    return json_of(dict(items=desk.paper.halts()), 202)


@router.post("/release", status_code=202)
def release(desk: Here, body: ReleaseBody) -> Response:
    """Lift a kill switch; names who and why."""
    desk.paper.release(body.reason, body.name, body.strategy)
    return json_of(dict(items=desk.paper.halts()), 202)


@router.get("/sessions/{name}")
def session(desk: Here, name: str, newest: Annotated[int, Query(ge=0, le=1_000, description="newest decisions to show")] = 50) -> Response:
    """The state of a session: account, positions, waiting orders, proposals, newest decisions, log."""
    view = desk.paper.state(name, newest)
    frames = {kind: plain(with_former(getattr(view, kind)) if kind == "decisions" else getattr(view, kind)) for kind in FRAMES}
    fields = dict(clock=view.clock, next_close=view.next_close, backlog=view.backlog, figures=view.figures, counts=view.counts, strategies=view.strategies, trades_total=view.trades_total, plan=view.plan)
    return json_of(dict(_row(view.row), **frames, **plain(fields), log=plain(view.log.head(newest))))


@router.get("/sessions/{name}/{table}", response_model=Table)
def table(desk: Here, name: str, table: Tables, rows: Rows) -> Any:
    """Rows of a session. `since` and `until` are about `ts`, of trades `entry_ts`."""
    return rows.of(desk.paper.table(name, table), "entry_ts" if table == "trades" else "ts")


@router.post("/sessions/{name}/order", status_code=202)
def order(desk: Here, name: str, body: OrderBody) -> Response:
    """An order through all limits, filled at its series' next open."""
    desk.paper.command(name, "order", body.model_dump(exclude={"reason", "key"}, exclude_defaults=True), body.reason, body.key)
    return json_of(_row(desk.paper.row(name)), 202)


@router.post("/sessions/{name}/resume", status_code=202)
def resume(desk: Here, name: str) -> Response:
    """Go on: a session that failed is worked on again, one that is paused trades again."""
    row = desk.paper.row(name)
    if row.state == "paused":
        desk.paper.command(name, "continue")
        return json_of(_row(desk.paper.row(name)), 202)
    return json_of(_row(desk.paper.resume(name)), 202)


@router.post("/sessions/{name}/{verb}", status_code=202)
def command(desk: Here, name: str, verb: str, body: CommandBody = CommandBody()) -> Response:
    """A command: pause, continue, close, close-all, set, enable, disable, blackout, approve, stop, halt, release. It is on the tape, and worked after the last instant up to now."""
    desk.paper.row(name)
    desk.paper.command(name, verb, body.arguments, body.reason, body.key)
    return json_of(_row(desk.paper.row(name)), 202)


@router.get("/recovery")
def recovery(desk: Here) -> Response:
    """What recovery did: sessions with the bars that came from the vendor after a break, and those that failed."""
    items = [dict(session=row.name, state=row.state, bars=row.bars, reason=row.reason) for row in desk.paper.all()]
    return json_of(dict(items=items))


def _row(row: Any) -> dict[str, Any]:
    return {**plain(row), "state_words": row.word, "over": row.over, "href": f"/api/v1/paper/sessions/{row.name}"}
