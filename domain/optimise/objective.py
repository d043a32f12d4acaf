"""The objective: the figure by which combinations are ranked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from domain.errors import UnknownName, unknown
from domain.params import param

OBJECTIVES = {"sharpe": "sharpe", "net": "net_return", "calmar": "calmar", "expectancy": "expectancy_r"}      # word -> figure, higher is better

FIGURES = (             # of each combination of a sweep, walk-forward or search
    "trades", "net_return", "net_profit", "annual_return", "max_drawdown", "max_drawdown_low", "sharpe", "calmar", "profit_factor", "expectancy_r",
    "win_rate", "average_trade", "bars_held",
)  # fmt: skip
RANKABLE = (*FIGURES, "sharpe_daily", "days", "signals")       # columns of a sweep's table beside number and parameters


def ranked_by(word: str, columns: Iterable[str]) -> str:
    """``word`` if a table with ``columns`` may be ranked by it, else a sentence with the nearest.

    >>> ranked_by("net", RANKABLE)
    Traceback (most recent call last):
    ...
    domain.errors.UnknownName: no figure named 'net'; did you mean 'net_return'?
    """
    names = list(columns)
    if word in names:
        return word
    if OBJECTIVES.get(word) in names:
        raise UnknownName(f"no figure named {word!r}; did you mean {OBJECTIVES[word]!r}?")
    raise unknown("figure", word, names)


@dataclass(frozen=True)
class Objective:
    """The highest figure among those with enough trades; of equals the first."""

    figure: str = param("sharpe", choices=tuple(OBJECTIVES), unit="", title="Objective", help="Sharpe ratio, net return, Calmar ratio (growth over maximum drawdown), or mean R per trade")
    fewest_trades: int = param(30, low=0, high=1_000_000, unit="trades", title="Min. trades", help="combinations with fewer trades are not chosen")

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
