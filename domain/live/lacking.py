"""What a session lacks that one of its strategies, or a limit, cannot do without, in the sentence that a backtest gives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from domain.backtest.governor_tables import refuse_blind
from domain.errors import BadRequest
from domain.features import Context, Use
from domain.live.deciding import streamable
from domain.live.plan import Plan
from domain.live.signal_rows import Signals, refuse_unreadable
from domain.live.tape import TapeBar
from domain.strategies import Strategy
from domain.strategies.lacking import SENTENCES, inputs_of, without_others

KINDS = ("forecasts", "headlines", "macro")


def refuse_lacking(plan: Plan, contexts: Mapping[str, Context] = {}) -> None:
    """Raises BadRequest for a strategy that cannot decide bar by bar, or that reads what its series does not have beside the bars, and
    for a limit that reads such.

    >>> from domain.live.plan import StrategyPlan
    >>> refuse_lacking(Plan(("EURUSD M5", "EURUSD H1"), (StrategyPlan("correlation"),)))
    Traceback (most recent call last):
    ...
    domain.errors.BadRequest: correlation reads spread_zscore(100, first), which needs bars of another instrument, and there are none beside these; add an instrument to the run, or use another strategy
    """
    for planned in plan.strategies:
        if not isinstance(planned.built, Signals):
            streamable(planned.built, plan.model is not None)
        elif plan.inputs.signals is None:
            raise BadRequest("the plan trades signals, and no table of them is given; give one")
        else:
            refuse_unreadable(plan.inputs.signals)
    if plan.scan is not None and plan.inputs.selection is None:
        raise BadRequest("the plan trades a scanner's proposals, and nothing here judges them; start it with: tidemark paper start --scan")
    for text in plan.series:
        refuse_blind(plan.rules.limits, plan.instrument(text), contexts[text].releases if text in contexts else None)
    for text, number in plan.decided:
        refuse_unread(plan, text, plan.strategies[number].name, plan.strategies[number].built, contexts)


def refuse_unread(plan: Plan, text: str, name: str, strategy: Strategy, contexts: Mapping[str, Context]) -> None:
    """Raises BadRequest for a strategy that reads what one series does not have beside the bars."""
    context = contexts.get(text, Context())
    others = {plan.name_of(other).instrument for other in plan.series} - {plan.name_of(text).instrument}
    for feature in _required(strategy):
        if without_others(feature, others):
            _refuse(name, feature, "others")
        for kind in (kind for kind in KINDS if kind in inputs_of(feature)):
            if not len(getattr(context, kind)[0] if kind == "headlines" else getattr(context, kind)):
                _refuse(name, feature, kind)


def refuse_without_volume(plan: Plan, bars: Iterable[TapeBar]) -> None:
    """The same for bars that are all there, none of which has volume."""
    having = {bar.series for bar in bars if bar.volume > 0}
    for text, number in plan.decided:
        planned = plan.strategies[number]
        for feature in _required(planned.built):
            if text not in having and "volume" in inputs_of(feature):
                _refuse(planned.name, feature, "volume")


def _required(strategy: Strategy) -> list[Use]:
    return [feature for feature in strategy.features() if feature.name in getattr(strategy, "required", ())]


def _refuse(name: str, feature: Use, kind: str) -> None:
    raise BadRequest(f"{name} reads {feature.column}, which {SENTENCES[kind]}")
