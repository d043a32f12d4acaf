"""The best of a finished part, small enough to be read by a page while the other parts run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

SHOWN = ("net_return", "max_drawdown", "trades")       # beside the figure by which it is the best


def best_row(table: pd.DataFrame, figure: str, names: Sequence[str], fewest_trades: int = 0) -> dict[str, Any] | None:
    """The row with the highest figure; None where no row with enough trades has it.

    >>> table = pd.DataFrame(dict(number=[0, 1], lookback=[10, 20], trades=[9.0, 8.0], sharpe=[0.5, 1.5], net_return=[0.1, 0.2], max_drawdown=[0.1, np.nan]))
    >>> best = best_row(table, "sharpe", ["lookback"])
    >>> best["number"], best["value"], best["point"], best["figures"]
    (1, 1.5, {'lookback': 20}, {'net_return': 0.2, 'max_drawdown': None, 'trades': 8.0})
    """
    rows = table[table[figure].notna() & (table["trades"] >= fewest_trades)] if figure in table else table[:0]
    if rows.empty:
        return None
    row = rows.loc[rows[figure].idxmax()]
    return dict(number=int(row["number"]), value=float(row[figure]), point={name: _plain(rows.at[row.name, name]) for name in names}, figures={name: _plain(row[name]) for name in SHOWN})


def best_of_folds(table: pd.DataFrame, figure: str, names: Sequence[str], fewest_trades: int) -> dict[str, dict[str, Any]]:
    """Fold -> its best row."""
    best = {str(fold): best_row(rows, figure, names, fewest_trades) for fold, rows in table.groupby("fold")}
    return {fold: row for fold, row in best.items() if row}


def _plain(value: Any) -> Any:
    value = value.item() if hasattr(value, "item") else value
    return None if isinstance(value, float) and not np.isfinite(value) else value
