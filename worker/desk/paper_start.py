"""A session from a form: its plan, and the stored bars that it replays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from domain.errors import BadRequest
from domain.market import instrument, resample
from domain.market.timeframe import Timeframe
from domain.params import values_of
from domain.trading.rules import SECTIONS
from worker.desk.backtests import BacktestRequest, Backtests
from worker.desk.context import DeskContext, required
from worker.desk.paper_inputs import inputs_of
from worker.desk.paper_rows import StartRequest
from worker.desk.rule_sets import RuleSetsView
from worker.store import Dataset
from worker.store import session_asking as asking

FEEDS = ("oanda", "mt5")


def started(context: DeskContext, request: StartRequest) -> str:
    """Write the session; its name."""
    if bool(request.feed) == bool(request.datasets):
        raise BadRequest("a session trades either stored bars or a live feed; choose datasets, or a feed and its instruments")
    if not request.timeframes:
        raise BadRequest("no timeframe is chosen; choose at least one")
    plan, source = _live(context, request) if request.feed else _replay(context, request)
    source = source | inputs_of(context, plan)
    if request.rule_set:
        source = source | dict(rule_set=rule_set_of(context, request.rule_set, "", plan["rules"]["account"]))
    with context.store.unit() as unit:
        asking.start(unit, request.name.strip(), plan, source, context.user, request.broker, request.mode)
    return request.name.strip()


def rule_set_of(context: DeskContext, name: str, phase: str, account: Mapping[str, Any]) -> dict[str, Any]:
    """A rule set as a session's source names it, with its text, once its floors fit the account."""
    from domain.live.floors import Floors

    given = dict(RuleSetsView(context).spec(name, phase))
    Floors.read(given, float(account["balance"]), str(account["currency"]))
    return given


def _replay(context: DeskContext, request: StartRequest) -> tuple[dict[str, Any], dict[str, Any]]:
    with context.store.read() as unit:
        datasets = [required(unit.datasets.get(name), "dataset", name) for name in request.datasets]
    spec = _spec(context, request, [dataset.id for dataset in datasets], min(each.first_ts for each in datasets), max(each.last_ts for each in datasets))
    frames = {f"{dataset.instrument} {timeframe}": _stored(context, dataset, timeframe) for dataset in datasets for timeframe in request.timeframes}
    sides = {dataset.side for dataset in datasets}
    if len(sides) > 1:
        raise BadRequest(f"the datasets quote different sides, {' and '.join(sorted(sides))}; choose those of one side")
    return _plan(request, spec, list(frames), sides.pop()), dict(feed="replay", frames=frames, speed=request.speed)


def _live(context: DeskContext, request: StartRequest) -> tuple[dict[str, Any], dict[str, Any]]:
    if request.feed not in FEEDS:
        raise BadRequest(f"{request.feed!r} is no live feed; choose {' or '.join(FEEDS)}")
    if not request.instruments:
        raise BadRequest("a live feed needs instruments; choose at least one")
    backtests = Backtests(context)
    meant = backtests.meant(BacktestRequest(request.strategy, request.params, (), request.timeframes[0], _now(context), _now(context), request.rules))
    rules = {name: values_of(value) for name, value in backtests.rules().items()}
    spec = dict(strategy=meant.strategy, params=dict(meant.params), **{name: {**rules[name], **request.rules.get(name, {})} for name in SECTIONS})
    series = [f"{instrument} {timeframe}" for instrument in request.instruments for timeframe in request.timeframes]
    return _plan(request, spec, series, "bid"), dict(feed=request.feed, instruments=list(request.instruments))


def _spec(context: DeskContext, request: StartRequest, datasets: list[str], first: Any, last: Any) -> dict[str, Any]:
    """As a backtest of the same request checks and completes it."""
    spec = Backtests(context).spec(BacktestRequest(request.strategy, request.params, datasets, request.timeframes[0], first, last, request.rules))
    if "model" in spec:
        raise BadRequest("a session that is started here trades a strategy without a model; choose another strategy, or start it in the terminal: tidemark paper start --model")
    return spec


def _plan(request: StartRequest, spec: dict[str, Any], series: list[str], side: str) -> dict[str, Any]:
    start = {} if request.start is None else {"from": int(pd.Timestamp(request.start).value)}
    return dict(series=series, strategies=[dict(name=spec["strategy"], params=dict(spec["params"]), series=[])], rules={name: dict(spec[name]) for name in SECTIONS}, mode=request.mode, side=side, **start)


def _stored(context: DeskContext, dataset: Dataset, timeframe: str) -> str:
    """The stored table of a dataset's bars in a timeframe."""
    if dataset.timeframe == timeframe:
        return dataset.frame
    calendar = instrument(dataset.instrument, context.settings.instruments_file).calendar
    return context.store.frames.put(resample(context.store.frames.get(dataset.frame), Timeframe.named(dataset.timeframe), Timeframe.named(timeframe), calendar))


def _now(context: DeskContext) -> Any:
    with context.store.read() as unit:
        return unit.now()
