"""The model or scanner of a session. Of a model the version that its plan names by hash is read again whenever the session is taken up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pandas as pd

from domain.errors import BadRequest
from domain.features import Context
from domain.live.plan import Plan
from domain.live.tape import TapeBar
from domain.strategies.base import reads_forecasts
from worker.sessions.feeds import stored_bars
from worker.sessions.replay_feed import sound
from worker.store import Store

ACTOR = "tidemark"      # who reads a model's files
NO_BARS = "a strategy by quantiles reads forecasts of bars that are there when the session starts, and a live feed has none; replay stored bars, or choose another strategy"


def with_selection(store: Store, plan: Plan, source: Mapping[str, Any]) -> Plan:
    """The plan with its scanner, or with what its model says: forecasts beside the bars of a strategy that reads them, else what selects among its signals."""
    from worker.model_use import live, of_spec

    if plan.scan is not None:
        return replace(plan, inputs=replace(plan.inputs, selection=_scanner(plan)))
    if plan.model is None:
        return plan
    model = of_spec(store, dict(model=plan.model))
    if not reads_forecasts(plan.strategies[0].name):
        return replace(plan, inputs=replace(plan.inputs, selection=live(store, model, ACTOR)))       # type: ignore[arg-type]
    from worker.model_use import with_forecasts

    series, _ = with_forecasts(store, model, ACTOR, _series(store, plan, source), plan.rules, plan.inputs.rates, plan.strategies[0].built)      # type: ignore[arg-type]
    return _with_forecasts(plan, series)


def _scanner(plan: Plan) -> Any:
    from domain.scanner.over_time import ScanSelection

    return ScanSelection.of(plan.scan or {})


def with_forecast_table(store: Store, plan: Plan, source: Mapping[str, Any], table: pd.DataFrame) -> Plan:
    """The plan with forecasts of a file beside its bars."""
    from worker.model_use import beside

    return _with_forecasts(plan, beside(_series(store, plan, source), table, {})[0])


def _with_forecasts(plan: Plan, series: list[Any]) -> Plan:
    given = dict(zip(plan.series, series, strict=True))
    contexts = {text: replace(plan.inputs.contexts.get(text, Context()), forecasts=each.context.forecasts) for text, each in given.items()}
    return replace(plan, inputs=replace(plan.inputs, contexts=contexts))


def _series(store: Store, plan: Plan, source: Mapping[str, Any]) -> list[Any]:
    """The series of a replay as a backtest of its tape reads them."""
    from domain.live.backtesting import series_in

    if source.get("feed") != "replay":
        raise BadRequest(NO_BARS)
    return list(series_in(plan, _bars(store, plan, source), plan.inputs.contexts).values())


def _bars(store: Store, plan: Plan, source: Mapping[str, Any]) -> list[TapeBar]:
    return [bar for text in plan.series for bar in sound(stored_bars(store.frames, plan, text, source["frames"][text]))]
