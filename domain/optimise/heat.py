"""A sweep over two of its parameters, and where its ground is level."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from domain.errors import BadRequest, unknown

FEWEST = 3      # values in a neighbourhood, needed for a plateau value


def heat(table: pd.DataFrame, x: str, y: str, figure: str, at: Mapping[str, Any] | None = None) -> pd.DataFrame:
    """``x, y, value, plateau, points``: one row per cell of the map.

    ``value``: median of ``figure`` over the combinations of the cell, of which there are ``points`` (more than one where
    other parameters were swept too; ``at`` holds some of those at a value).
    ``plateau``: mean less standard deviation of the value of the cell and of its up to eight neighbours on the grid, in the
    figure's unit: high only where the neighbours are good too and agree. Cells without a value do not count; NaN where the
    cell has none, or with fewer than three values.

    >>> table = pd.DataFrame({"fast": [1, 1, 2, 2], "slow": [3, 4, 3, 4], "sharpe": [1.0, 1.0, 1.0, 5.0]})
    >>> heat(table, "fast", "slow", "sharpe")[["value", "plateau"]].round(3).values.tolist()
    [[1.0, 0.268], [1.0, 0.268], [1.0, 0.268], [5.0, 0.268]]
    """
    for name in (x, y, figure, *(at or {})):
        if name not in table:
            raise unknown("column of the sweep", name, table.columns)
    if x == y:
        raise BadRequest(f"both sides of the map show {x}; choose two parameters")
    for name, value in (at or {}).items():
        table = table[table[name] == value]
    cells = table.groupby([x, y], sort=True)[figure].agg(value="median", points="size").reset_index()
    values = cells.pivot(index=y, columns=x, values="value")
    level = pd.DataFrame(plateau(values.to_numpy(np.float64)), values.index, values.columns)
    cells["plateau"] = [level.at[row[y], row[x]] for row in cells[[x, y]].to_dict("records")]
    return cells.rename(columns={x: "x", y: "y"})[["x", "y", "value", "plateau", "points"]]


def plateau(values: np.ndarray) -> np.ndarray:
    """Mean less standard deviation of each cell and its neighbours; NaN cells count nowhere."""
    padded = np.pad(values, 1, constant_values=np.nan)
    rows, columns = values.shape
    near = np.stack([padded[i : i + rows, j : j + columns] for i in range(3) for j in range(3)])
    finite = ~np.isnan(near)
    count, total = finite.sum(axis=0), np.where(finite, near, 0.0).sum(axis=0)
    mean = total / np.maximum(count, 1)
    spread = np.sqrt(np.where(finite, (near - mean) ** 2, 0.0).sum(axis=0) / np.maximum(count, 1))
    return np.where((count >= FEWEST) & ~np.isnan(values), mean - spread, np.nan)
