"""What a session trades on beside its bars, stored as tables by their content, and how its source names them."""

from __future__ import annotations

from typing import Any

import pandas as pd

from domain.features import Context
from domain.live.inputs import Inputs
from worker.outside_context import entries_of
from worker.store.frames import Frames


def stored(frames: Frames, inputs: Inputs) -> list[dict[str, Any]]:
    """Store the tables; what the source names them by."""
    entries: list[dict[str, Any]] = []
    if inputs.signals is not None:
        entries.append(dict(kind="signals", frame=frames.put(_given(inputs.signals))))
    for rate in inputs.rates:
        entries.append(dict(kind="rate", instrument=rate.instrument.name, timeframe=str(rate.timeframe), side=rate.side, frame=frames.put(rate.bars)))
    for series, context in inputs.contexts.items():
        entries += entries_of(frames, series, dict(macro=context.macro, headlines=context.headlines, releases=context.releases))
        if context.forecasts:
            entries.append(dict(kind="forecasts", series=series, frame=frames.put(_quantiles(context))))
    entries += [dict(kind="finer", series=series, timeframe=str(finer.timeframe), frame=frames.put(finer.bars)) for series, finer in inputs.finer.items()]
    return entries


def _given(signals: pd.DataFrame) -> pd.DataFrame:
    """Without the columns that say nothing."""
    filled = [name for name in signals if not (signals[name].isna() | (signals[name].astype(str) == "")).all() or name in ("ts", "instrument", "side", "order")]
    return signals[filled].reset_index(drop=True)


def _quantiles(context: Context) -> pd.DataFrame:
    """All of one series are known at the same instants."""
    known = next(iter(context.forecasts.values())).times
    return pd.DataFrame(dict(known=known, **{name: values.values for name, values in context.forecasts.items()}))
