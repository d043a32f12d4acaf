"""External data of the workspace for a session from a form: what its strategies and limits read, as a backtest of the same request takes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from domain.errors import BadRequest, listed
from domain.live.signal_rows import SIGNALS
from domain.market import Instrument, instrument
from domain.params import build
from domain.risk.limits import Limits
from domain.strategies import STRATEGIES
from domain.strategies.base import Strategy
from domain.trading.limit_inputs import limit_features
from worker.desk.context import DeskContext
from worker.desk.needs import lacks, resolved
from worker.outside_context import context_of, entries_of


def inputs_of(context: DeskContext, plan: Mapping[str, Any]) -> dict[str, Any]:
    """``inputs`` for the session's source: the newest imports, stored as they are now; empty where nothing is read. A limit on news without a calendar is refused."""
    instruments = {text: instrument(text.partition(" ")[0], context.instruments_file) for text in plan["series"]}
    outside = _versions(context, plan, list(instruments.values()))
    if plan["rules"]["limits"].get("news") and "releases" not in outside:
        raise BadRequest("no entries around releases are requested, and the workspace has no calendar of releases; import one on the page Data, External data, or set No entries around releases to 0")
    if not outside:
        return {}
    beside = context_of(outside, context.store)
    entries = [entry for text, each in instruments.items() for entry in entries_of(context.store.frames, text, beside(each))]
    return dict(inputs=entries) if entries else {}


def _versions(context: DeskContext, plan: Mapping[str, Any], instruments: Sequence[Instrument]) -> Mapping[str, Any]:
    strategies: list[Strategy] = [build(STRATEGIES[each["name"]], each["params"]) for each in plan["strategies"] if each["name"] != SIGNALS]
    uses = [feature for strategy in strategies for feature in strategy.features()]
    required = [feature for strategy in strategies for feature in strategy.features() if feature.name in getattr(strategy, "required", ())]
    with context.store.read() as unit:
        if missing := lacks(unit, required, instruments):
            raise BadRequest(f"the workspace has no {listed([each.title for each in missing])}, which {listed(sorted({column for each in missing for column in each.columns}))} cannot do without; import it on the page Data, External data, or choose another strategy")
        columns = resolved(unit, [*uses, *limit_features(build(Limits, plan["rules"]["limits"]))], instruments, context.settings.outside.release_impact)
    return dict(columns.get("outside", {}))
