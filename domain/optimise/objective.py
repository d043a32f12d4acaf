"""What the best of many is the best by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from domain.params import param

OBJECTIVES = {"sharpe": "sharpe", "net": "net_return", "calmar": "calmar", "expectancy": "expectancy_r"}      # word -> figure, higher is better


@dataclass(frozen=True)
class Objective:
    """The highest figure among those with enough trades; of equals the first."""

    figure: str = param("sharpe", choices=tuple(OBJECTIVES), unit="", help="Sharpe, net return, growth over deepest drawdown, or mean R of a trade")
    fewest_trades: int = param(30, low=0, high=1_000_000, unit="trades", title="At least", help="combinations with fewer trades are not chosen")

    @property
    def column(self) -> str:
        return OBJECTIVES[self.figure]


def chosen(table: pd.DataFrame, objective: Objective) -> int | None:
    """The ``number`` of the best row; None where no row qualifies.

    >>> table = pd.DataFrame({"number": [0, 1, 2], "trades": [50, 50, 3], "sharpe": [1.0, 1.5, 9.0]})
    >>> chosen(table, Objective()), chosen(table.assign(sharpe=np.nan), Objective())
    (1, None)
    """
    fit = table[(table["trades"] >= objective.fewest_trades) & table[objective.column].notna()]
    if fit.empty:
        return None
    values = fit[objective.column].to_numpy(np.float64)
    return int(fit.loc[values == values.max(), "number"].min())
