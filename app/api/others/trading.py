"""The calls of a session trading backend: /api/dynamic-trading, /api/recovery, /api/strategies."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response
from pydantic import Field

from app.api.others.translated import Name, newest, timeframe_of, word_of
from app.api.paging import json_of
from app.api.paper import recovery
from app.api.plain import plain
from app.api.problem import Problem
from app.api.shapes import Body
from app.api.strategies import strategy as strategy_of
from app.api.submission import Here
from worker.desk import StartRequest

router = APIRouter(tags=["other systems: session trading"])
DEFAULT = "gold_buy_dip"
DRAFT: dict[int | str, dict[str, Any]] = {202: {"description": "A draft: its conditions are not understood, and it never runs"}}


class StartTask(Body):
    """One more task of a session: a pair in one timeframe."""

    pair: str
    timeframe: str
    strategy_name: str = DEFAULT
    config: dict[str, Any] = Field(default={}, description="parameters of the strategy; those of gold_buy_dip are 21")


class Written(Body):
    """A strategy written by rules. Conditions that are not in the grammar are kept as a draft, and never run."""

    name: str
    type: str = ""
    timeframe: str = ""
    preferred_pairs: str = ""
    entry_conditions: str = ""
    exit_conditions: str = ""
    indicators_used: str = ""
    risk_reward_ratio_target: float | None = None
    max_drawdown_tolerance: float | None = None


class Use(Body):
    session_id: Name
    pair: str
    timeframe: str


@router.post("/dynamic-trading/{session_id}/start", status_code=201)
def start(desk: Here, session_id: str, body: StartTask) -> Response:
    """A task of that session. Each pair and timeframe is a session of its own here, named after it; its prices come from OANDA where that is set up, else the newest stored bars are replayed."""
    timeframe, feeds = timeframe_of(body.timeframe), {vendor.name: vendor.ready for vendor in desk.downloads.vendors()}
    name = word_of("-".join((session_id, body.pair, timeframe, body.strategy_name)))
    live = feeds.get("oanda", False)
    source: dict[str, Any] = dict(feed="oanda", instruments=(body.pair,)) if live else dict(datasets=(newest(desk, body.pair, timeframe).id,))
    desk.paper.start(StartRequest(name, body.strategy_name, body.config, (timeframe,), **source))
    return json_of(dict(session_id=session_id, task=name, feed="oanda" if live else "replay of stored bars", status=plain(desk.paper.row(name))), 201)


@router.post("/recovery/auto-recover")
def recover(desk: Here) -> Response:
    """What recovery did. Sessions recover by themselves; those that failed are worked on again."""
    failed = [row.name for row in desk.paper.all() if row.state == "error"]
    for name in failed:
        desk.paper.resume(name)
    answer = recovery(desk)
    return json_of(dict(resumed=failed, **_items(answer)))


@router.post("/strategies/create", status_code=201, responses=DRAFT)
def create(desk: Here, body: Written) -> Response:
    """A strategy written by rules, or a draft with the sentence that says what is not understood."""
    definition, lacks = _definition(desk, body)
    if lacks:
        return _draft(desk, body, lacks)
    saved = desk.strategies.save(definition, "created over the API")
    return json_of(dict(id=saved.stored.name, draft=False, version=saved.stored.version, about=saved.about), 201)


@router.get("/strategies/list")
def listed(desk: Here) -> Response:
    """Strategies of your own, and those of the library."""
    own = {each.stored.name for each in desk.strategies.all()}
    body = [dict(id=name, name=name, about=about, own=name in own, draft=False) for name, about in desk.backtests.strategies().items()]
    return json_of(dict(strategies=body + [dict(id=draft.name, name=draft.name, about=draft.sentence, own=True, draft=True) for draft in desk.strategies.drafts()]))


@router.post("/strategies/use/{strategy_id}")
def use(desk: Here, strategy_id: str, body: Use) -> Response:
    """A `trading_config` that start accepts."""
    if draft := _draft_of(desk, strategy_id):
        raise Problem(422, f"{strategy_id} is a draft, which never runs: {draft.sentence}. Change its conditions by PUT /api/strategies/{strategy_id}/update")
    params = {param.name: plain(param.default) for param in desk.backtests.params(strategy_id)}
    own = desk.strategies.find(strategy_id) is not None
    config = dict(pair=body.pair, timeframe=body.timeframe, strategy_name=strategy_id, config={} if own else params)
    return json_of(dict(session_id=body.session_id, trading_config=config))


@router.get("/strategies/{strategy_id}")
def strategy(desk: Here, strategy_id: str) -> Response:
    """One strategy, or a draft with the sentence that says what is not understood."""
    if draft := _draft_of(desk, strategy_id):
        return json_of(dict(id=draft.name, draft=True, runs=False, sentence=draft.sentence, given=plain(draft.given), actor=draft.actor, at=plain(draft.at)))
    return strategy_of(desk, strategy_id, 0)


@router.put("/strategies/{strategy_id}/update", responses=DRAFT)
def update(desk: Here, strategy_id: str, body: Written) -> Response:
    """A new version; of a draft the first, once its conditions are understood."""
    if not _draft_of(desk, strategy_id):
        desk.strategies.get(strategy_id)
    definition, lacks = _definition(desk, body)
    if lacks:
        return _draft(desk, body.model_copy(update=dict(name=strategy_id)), lacks)
    saved = desk.strategies.save({**definition, "name": strategy_id}, "updated over the API")
    return json_of(dict(id=strategy_id, draft=False, version=saved.stored.version, about=saved.about))


@router.delete("/strategies/{strategy_id}/delete")
def delete(desk: Here, strategy_id: str) -> Response:
    """Take it off the lists; versions that runs name are kept. A draft is deleted."""
    if _draft_of(desk, strategy_id):
        return json_of(dict(deleted=desk.strategies.delete_draft(strategy_id).name, draft=True))
    return json_of(dict(deleted=strategy_id, version=plain(desk.strategies.retire(strategy_id, "deleted over the API"))))


def _draft_of(desk: Here, name: str) -> Any:
    """The draft of that name, where no strategy has it."""
    return None if desk.strategies.find(name) else desk.strategies.draft(name)


def _draft(desk: Here, body: Written, sentence: str) -> Response:
    draft = desk.strategies.keep_draft(body.name, body.model_dump(), sentence)
    return json_of(dict(id=draft.name, draft=True, runs=False, sentence=sentence), 202)


def _definition(desk: Here, body: Written) -> tuple[dict[str, Any], str]:
    """The strategy in our words, and the sentence where it is not understood. Entry conditions are those of a long entry, exit conditions its exit."""
    values: dict[str, Any] = dict(long=body.entry_conditions, exit_long=body.exit_conditions)
    values |= dict(reward_to_risk=body.risk_reward_ratio_target) if body.risk_reward_ratio_target is not None else {}
    values |= dict(drawdown_tolerance=body.max_drawdown_tolerance) if body.max_drawdown_tolerance is not None else {}
    pairs = [pair.strip() for pair in body.preferred_pairs.split(",") if pair.strip()]
    definition = dict(name=body.name, type=body.type, timeframe=timeframe_of(body.timeframe) if body.timeframe else "", pairs=pairs, **values)
    return definition, desk.strategies.fault(definition)


def _items(answer: Response) -> dict[str, Any]:
    import json

    body: dict[str, Any] = json.loads(bytes(answer.body))
    return dict(sessions=body["items"])
