"""Samples with their labels: on the signals of a strategy, on closed trades, or on bars."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from domain.strategies import Strategy
from domain.training import ahead, closed_trades, signals
from domain.training.assembly import assembled
from domain.training.columns import matrix_of
from domain.training.inputs import Inputs
from domain.training.sample_set import NEVER as NEVER
from domain.training.sample_set import SampleSet as SampleSet
from domain.training.targets import TargetParams, target_of

Watch = Callable[[float], None]


def sample_set(inputs: Sequence[Inputs], strategy: Strategy | None, target: str, params: TargetParams = TargetParams(), labelled: bool = True, watch: Watch = lambda share: None) -> SampleSet:
    """By the target's name: on bars, on ``Inputs.trades`` where these stand for signals, or on the signals of ``strategy`` or of ``Inputs.signals``.

    ``labelled`` False: those without a label too, for predictions; their ``y`` is NaN, their ``end`` is NEVER, and no column is dropped.
    Raises BadRequest for an unknown target, for one on signals without any, and where no sample has a label.
    """
    if target_of(target).on == "bars":
        return on_bars(inputs, target, params, labelled)
    if any(each.trades is not None for each in inputs):
        return on_trades(inputs, target, params, labelled)
    return on_signals(inputs, strategy, target, params, labelled, watch)


def on_signals(inputs: Sequence[Inputs], strategy: Strategy | None, target: str, params: TargetParams = TargetParams(), labelled: bool = True, watch: Watch = lambda share: None) -> SampleSet:
    """Every entry signal of ``strategy``, or of ``Inputs.signals``, each simulated alone by the kernel."""
    chosen, decided = target_of(target, "signals"), signals.decided_of(inputs, strategy)
    matrix = matrix_of(inputs, signals.OWN, signals.further_rows([each.bar[each.entry] for each in decided]), drop=labelled)
    drafts, never_opened = signals.simulated(decided, matrix.warm_up, chosen, params, watch)
    return assembled(inputs, chosen, matrix, drafts, never_opened, labelled)


def on_trades(inputs: Sequence[Inputs], target: str, params: TargetParams = TargetParams(), labelled: bool = True) -> SampleSet:
    """The closed trades of ``Inputs.trades`` (columns as ``tidemark backtest`` writes them) in the place of signals; decided at the last bar known at the entry."""
    chosen = target_of(target, "signals")
    drafts, outside = closed_trades.drafts_of(inputs, chosen, params)
    matrix = matrix_of(inputs, signals.OWN, signals.further_rows([draft.at for draft in drafts]), drop=labelled)
    return assembled(inputs, chosen, matrix, drafts, outside, labelled)


def on_bars(inputs: Sequence[Inputs], target: str, params: TargetParams = TargetParams(), labelled: bool = True) -> SampleSet:
    """Every ``params.every``-th traded bar, the first included."""
    chosen, matrix = target_of(target, "bars"), matrix_of(inputs, drop=labelled)
    return assembled(inputs, chosen, matrix, [ahead.draft_of(each, chosen, params) for each in inputs], {}, labelled)
