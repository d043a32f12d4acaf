"""The calls of a futures research service: /api/v1/futurequant."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter, Response
from pydantic import Field

from app.api.data import latest as latest_bar
from app.api.data import symbols as all_symbols
from app.api.features import recipes as all_recipes
from app.api.others.translated import (
    Name,
    all_newest,
    chosen,
    end_of,
    exact,
    first_of,
    horizon_of,
    minutes_of,
    newest,
    timeframe_of,
    windows_of,
    word_of,
)
from app.api.paging import json_of
from app.api.plain import plain
from app.api.problem import Problem
from app.api.shapes import Body
from app.api.submission import Here, Submitting, shown
from worker.desk import BacktestRequest, FeatureRequest, StartRequest, TrainingRequest

router = APIRouter(prefix="/v1/futurequant", tags=["other systems: futures research"])
STYLES = {"1": "conservative", "2": "moderate", "3": "aggressive", "conservative": "conservative", "moderate": "moderate", "aggressive": "aggressive"}
LEARNERS = {"quantile_regression": "quantiles", "random_forest": "quantile_forest", "neural_network": "quantile_network"}
LEVELS = "0.05,0.1,0.25,0.5,0.75,0.9,0.95"      # quantiles that the strategies of that service decide on
HORIZONS = (5, 15, 30, 60, 240, 1_440)      # minutes, as that service offers them


class Ingest(Body):
    symbols: list[str] = Field(min_length=1, max_length=50, examples=[["CL=F"]])
    start_date: str
    end_date: str
    interval: str = "1d"


class Compute(Body):
    symbol: str
    start_date: str
    end_date: str
    recipe: str = "full"


class Train(Body):
    symbol: str
    model_type: str
    horizon_minutes: int = Field(gt=0, le=525_600)
    start_date: str
    end_date: str
    recipe: str = "basic"


class Predict(Body):
    model_id: Name
    symbol: str


class Generate(Body):
    model_id: Name
    strategy_name: str
    start_date: str
    end_date: str


class Run(Body):
    strategy_id: Name
    start_date: str
    end_date: str
    symbols: list[str] = Field(min_length=1)
    initial_capital: float = Field(gt=0)
    model_id: Name = ""


class Start(Body):
    model_id: Name = ""
    strategy_id: Name
    symbols: list[str] = Field(min_length=1)
    initial_capital: float = Field(gt=0)
    session_name: str


class Order(Body):
    session_id: Name
    symbol: str
    side: Literal["buy", "sell"]
    quantity: float = Field(gt=0)
    order_type: str = "market"


@router.post("/data/ingest", status_code=202)
def ingest(desk: Here, body: Ingest) -> Response:
    """A download from Yahoo, one job and dataset a symbol. All are checked before the first begins."""
    span = first_of(body.start_date), end_of(body.end_date)
    for symbol in body.symbols:
        desk.downloads.beforehand("yahoo", symbol, timeframe_of(body.interval), *span)
    jobs = [shown(desk.downloads.submit("yahoo", symbol, timeframe_of(body.interval), *span).job) for symbol in body.symbols]
    return json_of(dict(jobs=jobs, symbols=body.symbols), 202)


@router.get("/data/symbols")
def symbols(desk: Here) -> Response:
    """Instruments that have data."""
    return all_symbols(desk)


@router.get("/data/symbols/{symbol}/latest")
def latest(desk: Here, symbol: str) -> Response:
    """The last closed bar with its age."""
    return latest_bar(desk, symbol)


@router.post("/features/compute", status_code=202)
async def compute(submission: Submitting, body: Compute) -> Any:
    """Features on the newest bars of that symbol."""
    return await submission.submit(lambda desk: desk.features.submit_columns(_features(desk, body)), symbol=body.symbol, recipe=body.recipe)


@router.get("/features/recipes")
def recipes(desk: Here) -> Response:
    """Recipes: named lists of columns."""
    return all_recipes(desk)


@router.post("/features/batch", status_code=202)
def batch(desk: Here, body: list[Compute]) -> Response:
    """Several at once, all checked before the first begins."""
    if not 0 < len(body) <= 50:
        raise Problem(422, f"a batch has 1 to 50 requests, and this one {len(body)}")
    requests = [_features(desk, each) for each in body]
    for request in requests:
        desk.features.spec(request)
    return json_of(dict(jobs=[shown(desk.features.submit_columns(request).job) for request in requests]), 202)


@router.post("/models/train", status_code=202)
async def train(submission: Submitting, body: Train) -> Any:
    """A training of returns over that horizon; a horizon that is no multiple of the bars is refused."""

    def submit(desk: Here) -> Any:
        learner, bars = chosen(body.model_type, LEARNERS, "type of model"), newest(desk, body.symbol)
        if body.horizon_minutes % minutes_of(bars.timeframe):
            raise Problem(422, f"a horizon of {body.horizon_minutes:,} minutes is no multiple of the {bars.timeframe} bars of {body.symbol}; choose a multiple of {minutes_of(bars.timeframe):,}")
        first, last = first_of(body.start_date), end_of(body.end_date)
        return desk.training.submit(TrainingRequest(
            [bars.id], bars.timeframe, first, last, desk.features.columns_of(body.recipe), learner, "return",
            params=dict(levels=LEVELS), target_params=dict(horizon=body.horizon_minutes, unit="minutes"), scheme_params=windows_of(first, last), register=word_of(f"{body.symbol}-{body.model_type}"),
        ))  # fmt: skip

    return await submission.submit(submit, model_id=word_of(f"{body.symbol}-{body.model_type}"), symbol=body.symbol)


@router.post("/models/predict", status_code=202)
async def predict(submission: Submitting, body: Predict) -> Any:
    """Quantiles at the last closed bar of that symbol."""
    return await submission.submit(lambda desk: desk.models.predict(body.model_id, [newest(desk, body.symbol).id]), symbol=body.symbol)


@router.get("/models/types")
def types(desk: Here) -> Response:
    """Types of model, and the learner that each is here."""
    learners = desk.training.learners()
    return json_of(dict(items=[dict(name=name, learner=learner, about=learners[learner].about) for name, learner in LEARNERS.items()]))


@router.get("/models/horizons")
def horizons(desk: Here) -> Response:
    """Usual horizons; any multiple of the bars will do."""
    return json_of(dict(items=[dict(minutes=minutes) for minutes in HORIZONS]))


@router.post("/signals/generate", status_code=202)
async def generate(submission: Submitting, body: Generate) -> Any:
    """Signals of a strategy on a model's forecasts over that span: a backtest, whose trades and reviews are them."""

    def submit(desk: Here) -> Any:
        name, model = chosen(body.strategy_name, STYLES, "strategy"), desk.models.get(body.model_id)
        bars = [newest(desk, part["instrument"], part["timeframe"]) for part in model.manifest["question"]["data"]]
        return desk.backtests.submit(BacktestRequest(name, horizon_of(desk, body.model_id, bars[0].timeframe), [each.id for each in bars], bars[0].timeframe, first_of(body.start_date), end_of(body.end_date), {}, model=body.model_id))

    return await submission.submit(submit)


@router.get("/signals/strategies")
def strategies(desk: Here) -> Response:
    """Strategies by forecasts of quantiles."""
    about = desk.backtests.strategies()
    return json_of(dict(items=[dict(id=number, name=STYLES[number], about=about[STYLES[number]]) for number in "123"]))


@router.get("/signals/strategies/{name}")
def strategy(desk: Here, name: str) -> Response:
    """One of them, with its parameters."""
    named = chosen(name, STYLES, "strategy")
    return json_of(dict(name=named, about=desk.backtests.strategies()[named], params=plain(desk.backtests.params(named))))


@router.post("/backtests/run", status_code=202)
async def run(submission: Submitting, body: Run) -> Any:
    """A backtest on the newest bars of these symbols. Strategies by quantiles use the newest model of the first symbol where `model_id` names none."""

    def submit(desk: Here) -> Any:
        bars = all_newest(desk, body.symbols)
        name, rules = STYLES.get(body.strategy_id, body.strategy_id), dict(account=dict(balance=body.initial_capital))
        model = body.model_id or _model_of(desk, name, body.symbols)
        return desk.backtests.submit(BacktestRequest(name, _params(desk, name, model, bars[0].timeframe), [each.id for each in bars], bars[0].timeframe, first_of(body.start_date), end_of(body.end_date), rules, model=model))

    return await submission.submit(submit)


@router.get("/backtests/config")
def config(desk: Here) -> Response:
    """Defaults of account, costs, execution and sizing."""
    return json_of(desk.backtests.rules())


@router.post("/paper-trading/start", status_code=201)
def start(desk: Here, body: Start) -> Response:
    """A paper session that replays the newest bars of these symbols. Strategies by quantiles use the newest model of the first symbol where `model_id` names none."""
    bars = all_newest(desk, body.symbols)
    name = word_of(body.session_name)
    strategy = STYLES.get(body.strategy_id, body.strategy_id)
    model = body.model_id or _model_of(desk, strategy, body.symbols)
    request = StartRequest(name, strategy, _params(desk, strategy, model, bars[0].timeframe), (bars[0].timeframe,), tuple(each.id for each in bars), rules=dict(account=dict(balance=body.initial_capital)), model=model)
    return json_of(dict(session_id=desk.paper.start(request), status=plain(desk.paper.row(name))), 201)


@router.post("/paper-trading/order", status_code=202)
def order(desk: Here, body: Order) -> Response:
    """A person's order inside the session, through the limits, filled at the next open."""
    if body.order_type != "market":
        raise Problem(422, f"order_type is {body.order_type[:40]!r}; an order by a person is one at the market, and fills at the next open")
    desk.paper.command(body.session_id, "order", dict(instrument=body.symbol, side=body.side, lots=exact(body.quantity)))
    return json_of(dict(session_id=body.session_id, accepted=True), 202)


@router.get("/paper-trading/sessions/{session_id}/status")
def status(desk: Here, session_id: str) -> Response:
    """The state of a session."""
    return json_of(desk.paper.row(session_id))


def _params(desk: Here, strategy: str, model: str, timeframe: str) -> dict[str, int]:
    return horizon_of(desk, model, timeframe) if model and strategy in STYLES.values() else {}


def _model_of(desk: Here, strategy: str, symbols: list[str]) -> str:
    """The newest model of the first symbol that is in use, where the strategy reads one."""
    if strategy not in STYLES.values():
        return ""
    begins = tuple(word_of(f"{symbols[0]}-{kind}") for kind in LEARNERS)
    entries = [each.title for each in desk.models.all() if each.name in begins and each.stage.stage != "retired"]
    if not entries:
        raise Problem(422, f"{strategy} decides on quantiles of a forecast, and there is no model of {symbols[0]}; train one by POST /api/v1/futurequant/models/train, or name another as model_id")
    return str(entries[0])


def _features(desk: Here, body: Compute) -> FeatureRequest:
    bars = newest(desk, body.symbol)
    return FeatureRequest([bars.id], bars.timeframe, first_of(body.start_date), end_of(body.end_date), desk.features.columns_of(body.recipe))
