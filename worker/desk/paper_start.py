"""A session from a form: its plan, its prices, and what it trades on beside them, all stored."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from domain.errors import BadRequest, listed
from domain.live.inputs import Inputs
from domain.live.plan import Plan
from domain.market import instrument, instruments, resample
from domain.market.timeframe import Timeframe
from domain.params import values_of
from domain.trading.command import Command, read_commands
from domain.venues import VENDORS
from worker.desk.backtests import BacktestRequest, Backtests
from worker.desk.context import DeskContext, required
from worker.desk.gates import gate_with
from worker.desk.paper_decides import decides, signals_of
from worker.desk.paper_inputs import inputs_of
from worker.desk.paper_rows import StartRequest
from worker.desk.rule_sets import RuleSetsView
from worker.store import Dataset
from worker.store import session_asking as asking
from worker.store.session_inputs import stored

FEEDS = {"oanda": "oanda", "mt5": "metatrader"}      # feed -> its vendor


@dataclass(frozen=True)
class Prices:
    """``source``: as a session names it. ``side``: what the bars quote. ``bars``: of each series where they are there. ``datasets``: they come from these."""

    series: list[str]
    side: str
    source: dict[str, Any]
    bars: dict[str, pd.DataFrame]
    datasets: Sequence[Dataset] = ()


def started(context: DeskContext, request: StartRequest) -> str:
    """Write the session, and the commands that it is given; its name."""
    if bool(request.feed) == bool(request.datasets):
        raise BadRequest("a session trades either stored bars or a live feed; choose datasets, or a feed and its instruments")
    if not request.timeframes:
        raise BadRequest("no timeframe is chosen; choose at least one")
    prices = _live(context, request) if request.feed else _replay(context, request)
    plan, source = _plan(context, request, prices)
    commands = _commands(request.commands)
    if request.rule_set:
        plan, source = with_rule_set(plan, source, rule_set_of(context, request.rule_set, request.phase, plan["rules"]["account"]))
    name = request.name.strip()
    with context.store.unit() as unit:
        asking.start(unit, name, plan, source, context.user, request.broker, request.mode)
        for number, each in enumerate(commands):
            asking.ask(unit, name, each.command, each.arguments, each.who, each.reason, f"file:{number}", each.ts)
    return name


def feed_lacks(context: DeskContext, feed: str) -> str:
    """What a live feed needs in the environment and has not, in a sentence; empty where all is there."""
    vendor = VENDORS[FEEDS[feed]]
    missing = vendor.missing(context.settings.vendors)
    return f"{vendor.title} needs {listed([need.variable for need in missing])} in the environment; set {'it' if len(missing) == 1 else 'them'}, and start Tidemark again." if missing else ""


def rule_set_of(context: DeskContext, name: str, phase: str, account: Mapping[str, Any]) -> dict[str, Any]:
    """A rule set as a session's source names it, with its text, once its floors fit the account."""
    from domain.live.floors import Floors

    given = dict(RuleSetsView(context).spec(name, phase))
    Floors.read(given, float(account["balance"]), str(account["currency"]))
    return given


def with_rule_set(plan: Mapping[str, Any], source: Mapping[str, Any], given: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """A plan whose orders keep clear of the floors of a rule set, and a source that names it, so that people are warned of them."""
    account = plan["rules"]["account"]
    gate = gate_with(given, float(account["balance"]), str(account["currency"]))
    return dict(plan, rules={**plan["rules"], "gate": gate}), dict(source, rule_set=dict(given))


def _replay(context: DeskContext, request: StartRequest) -> Prices:
    with context.store.read() as unit:
        datasets = [required(unit.datasets.get(name), "dataset", name) for name in request.datasets]
    sides = {dataset.side for dataset in datasets}
    if len(sides) > 1:
        raise BadRequest(f"the datasets quote different sides, {' and '.join(sorted(sides))}; choose those of one side")
    if twice := next((each.instrument for k, each in enumerate(datasets) if each.instrument in [other.instrument for other in datasets[:k]]), ""):
        raise BadRequest(f"{twice} is chosen twice; choose one dataset of each instrument")
    frames = {f"{dataset.instrument} {timeframe}": _stored(context, dataset, timeframe) for dataset in datasets for timeframe in request.timeframes}
    bars = {text: context.store.frames.get(frame) for text, frame in frames.items()} if request.signals else {}
    return Prices(list(frames), sides.pop(), dict(feed="replay", frames=frames, speed=request.speed), bars, datasets)


def _live(context: DeskContext, request: StartRequest) -> Prices:
    if request.feed not in FEEDS:
        raise BadRequest(f"{request.feed!r} is no live feed; choose {listed(list(FEEDS))}")
    if not request.instruments:
        raise BadRequest("a live feed needs instruments; choose at least one")
    if sentence := feed_lacks(context, request.feed):
        raise BadRequest(sentence)
    series = [f"{instrument} {timeframe}" for instrument in request.instruments for timeframe in request.timeframes]
    return Prices(series, "bid", dict(feed=request.feed, instruments=list(request.instruments)), {})


def _plan(context: DeskContext, request: StartRequest, prices: Prices) -> tuple[dict[str, Any], dict[str, Any]]:
    """The plan and the source, as the terminal writes them."""
    table = instruments(context.instruments_file)
    traded = list({name: table[name] for name in (text.rpartition(" ")[0] for text in prices.series)}.values())
    backtest = BacktestRequest(request.strategy, request.params, [each.id for each in prices.datasets], request.timeframes[0], _now(context), _now(context), request.rules, model=request.model)
    with context.store.read() as unit:
        profile = required(unit.cost_profiles.get(request.cost_profile), "cost profile", request.cost_profile) if request.cost_profile else None
    rules = Backtests(context).rules_with(backtest, traded, profile)
    named = dict(cost_profile=dict(name=profile.name, source=profile.source, date=profile.dated)) if profile else {}
    decided = decides(context, request, backtest)
    start = {} if request.start is None else {"from": int(pd.Timestamp(request.start).value)}
    values = dict(series=prices.series, **decided.plan, rules={name: values_of(rule) for name, rule in rules.items()}, mode=request.mode, side=prices.side, **start)
    plan: dict[str, Any] = json.loads(json.dumps(values))
    Plan.of(plan, table)
    signals = Inputs(signals_of(request.signals, prices.series, prices.bars) if request.signals else None)
    beside = [*stored(context.store.frames, signals), *_rates(context, prices, rules["account"].currency), *inputs_of(context, plan).get("inputs", ())]
    return plan, prices.source | named | (dict(inputs=beside) if beside else {})


def _rates(context: DeskContext, prices: Prices, currency: str) -> list[dict[str, Any]]:
    """Stored bars of the pairs along which money is converted, where the traded ones do not serve."""
    if not prices.datasets:
        return []
    with context.store.read() as unit:
        catalogue = {dataset.version: dataset for dataset in unit.datasets.all()}
    versions = [catalogue[version] for version in Backtests(context).rates_of(prices.datasets, list(catalogue.values()), currency)]
    return [dict(kind="rate", instrument=each.instrument, timeframe=each.timeframe, side=each.side, frame=each.frame) for each in versions]


def _commands(content: bytes) -> list[Command]:
    try:
        return read_commands(content.decode("utf-8-sig"), "the commands") if content else []
    except UnicodeDecodeError:
        raise BadRequest("the commands are not a CSV in UTF-8; save them as one") from None


def _stored(context: DeskContext, dataset: Dataset, timeframe: str) -> str:
    """The stored table of a dataset's bars in a timeframe."""
    if dataset.timeframe == timeframe:
        return dataset.frame
    calendar = instrument(dataset.instrument, context.instruments_file).calendar
    return context.store.frames.put(resample(context.store.frames.get(dataset.frame), Timeframe.named(dataset.timeframe), Timeframe.named(timeframe), calendar))


def _now(context: DeskContext) -> Any:
    with context.store.read() as unit:
        return unit.now()
