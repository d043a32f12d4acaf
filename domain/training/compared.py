"""A model against its baselines: the difference of their daily losses, with intervals from blocks of days drawn again."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from domain.laboratory.quantiles import blocks
from domain.training import losses
from domain.training.protocols import ResultLike
from domain.training.scores import Outputs, outputs_of, point

DRAWS = 2_000
FEWEST_DAYS = 20        # under which blocks of days say nothing about other days
DAY = 86_400_000_000_000
BOUNDS = (0.025, 0.975)


def against_baselines(results: Sequence[ResultLike], outputs: Outputs, seed: int = 0) -> list[dict[str, Any]]:
    """Rows ``name, loss, model, baseline, gain, low, high, days, block, state, reason``, a row a baseline.

    ``loss``: Brier for probabilities; mean pinball over the levels that both have; else the absolute error of the point forecast, where one of both has quantiles,
    or the squared one. A sample tested several times has the mean of its losses, a UTC day (of the decision) the mean of its samples: ``model`` and ``baseline`` are means
    over days, ``gain`` is baseline − model, above 0 where the model loses less. ``low``, ``high``: 95 %, percentiles of a circular block bootstrap
    over days. ``state``: better, worse or undecided; unknown under 20 days, with the reason.
    """
    whole = pd.concat([result.predictions for result in results], ignore_index=True) if results else pd.DataFrame()
    rows = []
    for name in dict.fromkeys(name for result in results for name in result.baselines):
        own = [_baseline_frame(result, name) for result in results]
        there = np.concatenate([np.full(len(frame), len(frame.columns) > 0) for frame in own]) if own else np.zeros(0, bool)
        other = pd.concat(own, ignore_index=True)[there].reset_index(drop=True).assign(y=whole["y"].to_numpy()[there])
        rows.append(compared(name, whole[there].reset_index(drop=True), other, outputs, seed))
    return rows


def _baseline_frame(result: ResultLike, name: str) -> pd.DataFrame:
    if name not in result.baselines:
        return pd.DataFrame(index=range(len(result.predictions)))
    values, columns = result.baselines[name]
    return pd.DataFrame(np.asarray(values, float).reshape(len(result.predictions), -1), columns=list(columns))


def compared(name: str, model: pd.DataFrame, baseline: pd.DataFrame, outputs: Outputs, seed: int = 0) -> dict[str, Any]:
    """One row of ``against_baselines``; both frames hold the same samples row by row."""
    loss, of_model, of_baseline = paired_losses(model, baseline, outputs)
    days, losses_by_day = daily(model, of_model, of_baseline)
    block = block_of(model, len(days))
    row: dict[str, Any] = dict(name=name, loss=loss, days=len(days), block=block, model=None, baseline=None, gain=None, low=None, high=None, state="unknown", reason="")
    if len(days) < FEWEST_DAYS:
        return row | dict(reason=f"There are {len(days)} days with predictions; {FEWEST_DAYS} are needed.")
    gain = losses_by_day[:, 1] - losses_by_day[:, 0]
    low, high = interval(gain, np.ones(len(days)), block, seed)
    means = losses_by_day.mean(axis=0)
    state = "better" if low > 0 else "worse" if high < 0 else "undecided"
    return row | dict(model=float(means[0]), baseline=float(means[1]), gain=float(gain.mean()), low=low, high=high, state=state)


def paired_losses(model: pd.DataFrame, baseline: pd.DataFrame, outputs: Outputs) -> tuple[str, np.ndarray, np.ndarray]:
    """Name of the loss that both can be judged by, and that of each row of either."""
    y = model["y"].to_numpy(float)
    if outputs.task != "number":
        named = list(outputs.p) if outputs.task == "classes" else "p"
        first, second = (losses.brier(y, frame[named].to_numpy(float)) for frame in (model, baseline))
        return "brier", first, second
    theirs = outputs_of(list(baseline), "number")
    shared = [name for name in outputs.quantiles if name in theirs.quantiles]
    if shared:
        levels = [outputs.levels[outputs.quantiles.index(name)] for name in shared]
        first, second = (losses.pinball(y, frame[shared].to_numpy(float), levels).mean(axis=1) for frame in (model, baseline))
        return "pinball", first, second
    first, second = y - point(model, outputs), y - point(baseline, theirs)
    squared = not outputs.quantiles and not theirs.quantiles
    return ("squared error", first**2, second**2) if squared else ("absolute error", np.abs(first), np.abs(second))


def daily(frame: pd.DataFrame, *columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Days (numbers since 1970) of the decisions, and means of ``columns`` on each: first of a sample over its paths, then of a day over its samples."""
    given = pd.DataFrame({number: values for number, values in enumerate(columns)}).assign(sample=frame["sample"].to_numpy(), day=ns(frame["start"]) // DAY)
    means = given.groupby(["day", "sample"], sort=True).mean().groupby(level="day").mean()
    return means.index.to_numpy(np.int64), means.to_numpy(float)


def ns(times: pd.Series) -> np.ndarray:
    """int64 ns UTC of times, however they are stored."""
    return times.to_numpy(np.int64) if pd.api.types.is_integer_dtype(times.dtype) else pd.DatetimeIndex(times).as_unit("ns").asi8


def block_of(frame: pd.DataFrame, days: int) -> int:
    """Days of a block: twice the days that the longer labels (95 %) reach over, at least the cube root of the number of days."""
    spans = (ns(frame["end"]) // DAY - ns(frame["start"]) // DAY + 1) if len(frame) else np.ones(1)
    return min(max(2 * math.ceil(float(np.quantile(spans, 0.95))), math.ceil(days ** (1 / 3))), max(days, 1))


def interval(values: np.ndarray, counts: np.ndarray, block: int, seed: int = 0, resamples: int = DRAWS) -> tuple[float, float]:
    """95 % of Σ values ÷ Σ counts, over draws of blocks of days; NaN where no draw counts anything."""
    draws = blocks(values, 1, resamples, seed, block)
    cells = draws.weights.shape[1]
    sums, numbers = (draws.weights @ np.bincount(draws.cell, column, minlength=cells) for column in (values, counts))
    drawn = sums[numbers > 0] / numbers[numbers > 0]
    low, high = np.quantile(drawn, BOUNDS) if len(drawn) else (math.nan, math.nan)
    return float(low), float(high)


def named(rows: Sequence[Mapping[str, Any]], state: str) -> list[str]:
    """Names of the baselines against which the model stands so."""
    return [str(row["name"]) for row in rows if row["state"] == state]
