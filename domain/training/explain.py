"""What a model's forecasts lean on, as tables: permutation importance, partial dependence, and the boundary of two columns.

All of it looks at the learner's own outputs, before calibration. Shares of one forecast (TreeSHAP) are ``Fitted.contributions``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from domain.errors import BadRequest
from domain.models.base import Samples
from domain.training.altered import Forecaster, Put, Shuffled, Watch, as_they_are, grid_of, outputs_of, place_of, spread
from domain.training.losses import log_loss, pinball


def permutation_importance(forecasters: Sequence[Forecaster], tests: Sequence[Samples], seed: int = 0, repeats: int = 5, most: int = 2_000, watch: Watch = lambda share: None) -> pd.DataFrame:
    """How much worse each fold's model does on its own test part once a column is shuffled among the samples: a row a column, the telling ones first.

    ``importance``: mean of the loss with the column shuffled less the loss without, over repeats and folds; ``low`` and ``high``: the lowest and the highest
    of them, so that a column whose ``low`` is above 0 mattered every time. ``share``: of the loss without. ``loss``: squared error, log loss or mean pinball.
    A window's history moves with its sample. At most ``most`` samples of a part, spread evenly, are looked at. Columns that say the same stand in for one
    another: each may seem to say little. Source: Breiman (2001), on parts that were not trained on.
    """
    columns = tests[0].columns
    draws = np.random.default_rng(seed)
    worse, without = np.zeros((len(tests), repeats, len(columns))), np.zeros(len(tests))
    for fold, (forecaster, test) in enumerate(zip(forecasters, tests, strict=True)):
        part = spread(test, most)
        without[fold] = loss_of(forecaster, part.y, outputs_of(forecaster, part, as_they_are, watch, fold / len(tests)))
        for column in range(len(columns)):
            for repeat in range(repeats):
                done = (fold + column / len(columns)) / len(tests)
                outputs = outputs_of(forecaster, part, Shuffled(part, draws.permutation(len(part)), column), watch, done)
                worse[fold, repeat, column] = loss_of(forecaster, part.y, outputs) - without[fold]
    watch(1.0)
    mean, low, high = (of(worse, axis=(0, 1)) for of in (np.mean, np.min, np.max))
    table = pd.DataFrame(dict(column=columns, importance=mean, low=low, high=high, share=mean / (without.mean() or np.nan)))
    return table.assign(loss=LOSSES[kind_of(forecasters[0])]).sort_values("importance", ascending=False, kind="stable", ignore_index=True)


def partial_dependence(forecaster: Forecaster, samples: Samples, column: str, points: int = 20, most: int = 500, watch: Watch = lambda share: None) -> pd.DataFrame:
    """The mean forecast were a column of the deciding bar to have this value in every sample: a row a value and output.

    ``value, output, prediction, low, high``; low and high are the quartiles over samples. Values run from the column's 2 % to its 98 % quantile.
    Source: Friedman (2001).
    """
    part, place = spread(samples, most), place_of(samples, column)
    grid = grid_of(part, place, points)
    rows = []
    for number, value in enumerate(grid):
        outputs = outputs_of(forecaster, part, Put({place: value}), watch, number / len(grid))
        low, high = np.quantile(outputs, [0.25, 0.75], axis=0)
        rows += [dict(value=float(value), output=name, prediction=outputs[:, k].mean(), low=low[k], high=high[k]) for k, name in enumerate(forecaster.outputs)]
    watch(1.0)
    return pd.DataFrame(rows)


def boundary(forecaster: Forecaster, samples: Samples, columns: tuple[str, str], points: int = 20, most: int = 100, watch: Watch = lambda share: None) -> pd.DataFrame:
    """The mean forecast over a grid of two columns of the deciding bar, all others as they are in the samples: a row a cell and output.

    ``x, y, x0, x1, y0, y1, output, prediction``: x is the first column, the others are the cell's edges. Where the mean crosses a threshold is the boundary
    between the two decisions.
    """
    part, (first, second) = spread(samples, most), (place_of(samples, name) for name in columns)
    if first == second:
        raise BadRequest(f"both columns are {columns[0]}; a boundary needs two different ones")
    across, up = cells(grid_of(part, first, points)), cells(grid_of(part, second, points))
    rows = []
    for number, ((x, x0, x1), (y, y0, y1)) in enumerate((x, y) for x in across for y in up):
        outputs = outputs_of(forecaster, part, Put({first: x, second: y}), watch, number / (len(across) * len(up)))
        rows += [dict(x=x, y=y, x0=x0, x1=x1, y0=y0, y1=y1, output=name, prediction=outputs[:, k].mean()) for k, name in enumerate(forecaster.outputs)]
    watch(1.0)
    return pd.DataFrame(rows)


def cells(grid: np.ndarray) -> list[tuple[float, float, float]]:
    """Each value with the edges of its cell, half way to its neighbours.

    >>> cells(np.array([1.0, 2.0, 4.0]))
    [(1.0, 0.5, 1.5), (2.0, 1.5, 3.0), (4.0, 3.0, 5.0)]
    """
    half = np.diff(grid.astype(np.float64)) / 2
    low, high = grid - np.concatenate([half[:1], half]), grid + np.concatenate([half, half[-1:]])
    return list(zip(grid.tolist(), low.tolist(), high.tolist(), strict=True))


LOSSES = {"binary": "log loss", "classes": "log loss", "number": "squared error", "quantiles": "pinball loss"}


def kind_of(forecaster: Forecaster) -> str:
    return "quantiles" if forecaster.outputs[0].startswith("q_") else forecaster.task


def loss_of(forecaster: Forecaster, y: np.ndarray, outputs: np.ndarray) -> float:
    """Mean loss of a forecaster's outputs."""
    kind = kind_of(forecaster)
    if kind == "quantiles":
        return float(pinball(y, outputs, [float(name.removeprefix("q_")) for name in forecaster.outputs]).mean())
    if kind == "number":
        return float(((outputs[:, 0] - y) ** 2).mean())
    return float(log_loss(y, outputs[:, 0] if kind == "binary" else outputs).mean())
