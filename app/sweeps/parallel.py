"""Parallel coordinates of the combinations: an axis a parameter, the last one the metric; ranges on the axes narrow the table below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from app.kit.component import component
from app.sweeps.names import metric_text, named, rounded, with_unit

DRAWN = 3_000       # lines, the best ones by the metric
TICKS = 5
HTML = '<div class="parallel"><p class="title"></p><div class="plot"><canvas role="img" aria-label="Parallel coordinates of the combinations"></canvas></div><p class="readout" aria-live="polite"></p></div>'


def parallel(run: Any, rows: pd.DataFrame, parameters: Mapping[str, Any], names: Sequence[str], metric: Any) -> pd.DataFrame:
    """Draw the combinations; those inside the ranges that were dragged. ``rows``: best first, a column a parameter and the metric's."""
    shown = rows.dropna(subset=[metric.key])
    if len(names) < 2 or len(shown) < 2:
        return rows
    axes = [axis_of(shown[name], name, named(parameters[name])) for name in names] + [axis_of(shown[metric.key], metric.key, with_unit(metric), metric)]
    data = dict(
        question=f"{run.id}-{metric.key}", title=f"Combinations: parameters and {metric.title}", every=len(shown), axes=[{name: axis[name] for name in ("name", "title", "unit", "low", "high", "ticks")} for axis in axes],
        rows=np.column_stack([axis["values"] for axis in axes])[:DRAWN].round(9).tolist(),
    )  # fmt: skip
    answer = component("tidemark_sweeps", "parallel", Path(__file__).parent, "parallel_files", HTML)(data=data, key=f"parallel-{run.id}-{metric.key}", default={"ranges": {}}, on_ranges_change=lambda: None)
    ranges = {name: ends for name, ends in (answer.get("ranges") or {}).items() if name in {axis["name"] for axis in axes}}
    return shown[within(axes, ranges)] if ranges else rows


def axis_of(values: pd.Series, name: str, title: str, metric: Any = None) -> dict[str, Any]:
    """An axis with its numbers; words and switches stand at whole steps, in the order of the alphabet.

    >>> axis = axis_of(pd.Series(["b", "a", "b"]), "mode", "Mode, kind")
    >>> axis["ticks"], axis["values"].tolist(), axis["title"], axis["unit"]
    ([[0.0, 'a'], [1.0, 'b']], [1.0, 0.0, 1.0], 'Mode', 'kind')
    """
    head, _, unit = title.removesuffix(")").partition(" (") if title.endswith(")") else title.partition(", ")
    if pd.api.types.is_bool_dtype(values) or not pd.api.types.is_numeric_dtype(values):
        words = sorted(values.astype(str).unique())
        numbers, ticks = values.astype(str).map({word: float(place) for place, word in enumerate(words)}).to_numpy(float), [[float(place), word] for place, word in enumerate(words)]
    else:
        numbers = values.to_numpy(float)
        given = np.unique(numbers)
        at = given if len(given) <= TICKS and metric is None else np.linspace(numbers.min(), numbers.max(), TICKS)
        ticks = [[float(value), metric_text(metric, value) if metric else rounded(value)] for value in at]
    return dict(name=name, title=head, unit=unit, low=float(numbers.min()), high=float(numbers.max()), ticks=ticks, values=numbers)


def within(axes: Sequence[Mapping[str, Any]], ranges: Mapping[str, Sequence[float]]) -> np.ndarray:
    """bool, by row: inside every range."""
    kept = np.ones(len(axes[0]["values"]), bool)
    for axis in axes:
        if axis["name"] in ranges:
            low, high = ranges[axis["name"]]
            kept &= (axis["values"] >= low) & (axis["values"] <= high)
    return kept


