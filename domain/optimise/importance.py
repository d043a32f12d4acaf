"""Which parameters move a figure: permutation importance of a random forest over the combinations that were run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

FEWEST, MOST = 30, 5_000        # combinations with the figure: fewer say nothing, of more a sample is taken
TREES, REPEATS, HELD_OUT = 100, 10, 0.25


@dataclass(frozen=True)
class Importance:
    """``mean`` and ``deviation``, by parameter: by how much the forest's R² on held-out combinations falls when the parameter is shuffled, over ``REPEATS`` shuffles.
    ``r2``: without shuffling; near 0, the parameters do not explain the figure, and neither does this."""

    r2: float
    mean: dict[str, float]
    deviation: dict[str, float]

    def plain(self) -> dict[str, object]:
        return dict(r2=self.r2, parameters=[dict(name=name, mean=self.mean[name], deviation=self.deviation[name]) for name in sorted(self.mean, key=self.mean.__getitem__, reverse=True)])


def importance(table: pd.DataFrame, names: Sequence[str], figure: str = "sharpe", seed: int = 0) -> Importance | None:
    """None where fewer than ``FEWEST`` combinations have the figure, where it is the same in all, or fewer than two parameters move.

    ``table``: a row a combination, columns ``names`` and ``figure``. Source: Breiman (2001), scikit-learn's ``permutation_importance``.

    >>> rng = np.random.default_rng(1)
    >>> table = pd.DataFrame(dict(a=rng.integers(0, 9, 200), b=rng.integers(0, 9, 200), kind=rng.choice(["x", "y"], 200)))
    >>> result = importance(table.assign(sharpe=table["a"] / 4.0 + (table["kind"] == "y")), ["a", "b", "kind"])
    >>> [row["name"] for row in result.plain()["parameters"]][:2], result.r2 > 0.9, abs(result.mean["b"]) < 0.05
    (['a', 'kind'], True, True)
    """
    rows = table[np.isfinite(table[figure].astype("float64"))] if figure in table else table.head(0)
    moving = [name for name in names if rows[name].nunique() > 1]
    if len(rows) < FEWEST or len(moving) < 2 or rows[figure].nunique() < 2:
        return None
    rows = rows.sample(MOST, random_state=seed) if len(rows) > MOST else rows
    x, y = np.column_stack([_codes(rows[name]) for name in moving]), rows[figure].to_numpy("float64")
    return _of_forest(x, y, moving, seed)


def _codes(values: pd.Series) -> np.ndarray:
    if pd.api.types.is_numeric_dtype(values):
        return values.to_numpy("float64")
    return pd.Categorical(values.astype(str)).codes.astype("float64")


def _of_forest(x: np.ndarray, y: np.ndarray, names: Sequence[str], seed: int) -> Importance:
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.inspection import permutation_importance

    held_out = np.zeros(len(y), bool)
    held_out[np.random.default_rng(seed).permutation(len(y))[: max(int(len(y) * HELD_OUT), 5)]] = True
    forest = RandomForestRegressor(TREES, random_state=seed, n_jobs=1).fit(x[~held_out], y[~held_out])
    shuffled = permutation_importance(forest, x[held_out], y[held_out], n_repeats=REPEATS, random_state=seed, n_jobs=1)
    means, deviations = shuffled.importances_mean.tolist(), shuffled.importances_std.tolist()
    return Importance(float(forest.score(x[held_out], y[held_out])), dict(zip(names, means, strict=True)), dict(zip(names, deviations, strict=True)))
