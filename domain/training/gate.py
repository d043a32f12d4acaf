"""The gate before a training: columns, signals and the fitted pipeline are made again with later bars cut off, and must stay as they were."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from domain.causality import Leak, LookAheadVerdict, check, check_features, check_strategy
from domain.market.bars import ts_of
from domain.strategies import Strategy
from domain.training.fitted_pipeline import FittedPipeline
from domain.training.inputs import Inputs
from domain.training.predicting import unlabelled
from domain.training.question import Question
from domain.training.samples import SampleSet
from domain.training.seen import as_seen

BEFORE, AFTER = 20_000, 10_000      # bars of the stretch that is made again, before and after the first tested sample
CUTS = 4

Watch = Callable[[float], None]


def gate_columns(inputs: Sequence[Inputs], strategy: Strategy | None, watch: Watch = lambda share: None) -> LookAheadVerdict:
    """Every column by itself, and the strategy's signals, on the last bars of each instrument."""
    verdicts = []
    for number, part in enumerate(inputs):
        def step(share: float, number: int = number) -> None:
            watch((number + share) / len(inputs))

        first = max(len(part.series.bars) - BEFORE - AFTER, 0)
        bars = part.series.bars.iloc[first:].reset_index(drop=True)
        verdicts.append(_moved(check_features(bars, part.uses, part.context, watch=step), first))
        if strategy is not None and part.signals is None and part.trades is None:
            verdicts.append(_moved(check_strategy(bars, strategy, part.context, CUTS), first))
    return together(verdicts)


def gate_pipeline(question: Question, inputs: Sequence[Inputs], pipeline: FittedPipeline, at: int, watch: Watch = lambda share: None) -> LookAheadVerdict:
    """The fitted pipeline's outputs, and what its filter takes, on bars around ``at`` (int64 ns UTC, the first tested sample's start)."""
    verdicts = []
    for part in inputs:
        ts = ts_of(part.series.bars)
        middle = int(np.searchsorted(ts, at))
        first, last = max(middle - BEFORE, 0), min(middle + AFTER, len(ts))
        bars = part.series.bars.iloc[first:last].reset_index(drop=True)
        if len(bars) > 1:
            verdicts.append(_moved(check(bars, lambda cut, context, part=part: outputs_on(question, replace(part, series=replace(part.series, bars=cut, context=context), context=context), pipeline), part.context, CUTS, watch=watch), first))  # type: ignore[misc]
    return together(verdicts)


def outputs_on(question: Question, part: Inputs, pipeline: FittedPipeline) -> pd.DataFrame:
    """A row a sample: ``ts`` of the deciding bar, and what the pipeline gives."""
    return _by_bar(unlabelled(question, (part,), pipeline), part, pipeline)


def _by_bar(sampled: SampleSet, part: Inputs, pipeline: FittedPipeline) -> pd.DataFrame:
    """By the deciding bar; closed trades by the bar of their entry, without which it is not known which bar decided."""
    ends = part.context.ends(part.series.bars)
    bar = np.searchsorted(ends, sampled.samples.start) + (part.trades is not None)
    table = pipeline.predict(as_seen(sampled, pipeline.columns)).drop(columns="start")
    return table.assign(ts=part.series.bars["ts"].array[bar])[["ts", *table]]


def together(verdicts: Sequence[LookAheadVerdict]) -> LookAheadVerdict:
    if not verdicts:
        return LookAheadVerdict((), (), 0)
    checked = tuple(dict.fromkeys(name for verdict in verdicts for name in verdict.checked))
    return LookAheadVerdict(checked, verdicts[0].cuts, max(verdict.bars for verdict in verdicts), tuple(leak for verdict in verdicts for leak in verdict.leaks))


def sentence_of(verdict: LookAheadVerdict) -> str:
    """What leaks; empty where nothing does."""
    return " ".join(f"{leak}." for leak in verdict.leaks)


def _moved(verdict: LookAheadVerdict, first: int) -> LookAheadVerdict:
    """Bars counted from the start of the data."""
    leaks: tuple[Leak, ...] = tuple(replace(leak, bar=leak.bar + first, cut=leak.cut + first) for leak in verdict.leaks)
    return replace(verdict, leaks=leaks)
