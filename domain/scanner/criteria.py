"""What a proposal must reach: trades, grade, expected shortfall, correlation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from domain.errors import BadRequest
from domain.params import param

GRADES = (("A+", 0.50), ("A", 0.30), ("B", 0.15), ("C", 0.05), ("D", -np.inf))     # grade, the lowest Q* that has it
PROPOSED = ("A+", "A")
MOST = 3        # proposals of one scan
NAMES = tuple(name for name, _ in GRADES)
_DESCENDING = -np.array([lowest for _, lowest in GRADES[:-1]])


@dataclass(frozen=True)
class Criteria:
    """What a combination must reach to be proposed."""

    history: int = param(250, low=2, high=100_000, unit="trades", title="Trades looked at", help="the last closed trades of a combination that its figures are computed from")
    fewest: int = param(40, low=2, high=100_000, unit="trades", title="Fewest trades", help="a combination with fewer closed trades has no grade")
    es95: float = param(10.0, low=0.0, high=1_000.0, unit="per 1,000 of equity", title="Max. ES 95", help="highest expected shortfall of one trade: the mean of the worst twentieth of the R, times the money at risk")
    correlation: float = param(0.3, low=-1.0, high=1.0, unit="correlation", title="Max. correlation", help="highest signed correlation with an open position or an earlier proposal")
    correlation_days: int = param(60, low=5, high=1_000, unit="days", help="daily changes that the correlation is computed over")
    proposals: int = param(MOST, low=1, high=MOST, unit="proposals", title="Max. proposals", help="proposals of one scan; three at most")

    def __post_init__(self) -> None:
        if self.fewest > self.history:
            raise BadRequest(f"at least {self.fewest:,} trades are required and {self.history:,} are looked at; look at no fewer than are required")


def grades(q: np.ndarray) -> np.ndarray:
    """The number of each grade in GRADES; -1 where Q* is unknown.

    >>> [NAMES[k] for k in grades(np.array([0.5, 0.4999, 0.3, 0.15, 0.05, -2.0]))], int(grades(np.array([np.nan]))[0])
    (['A+', 'A', 'A', 'B', 'C', 'D'], -1)
    """
    return np.where(np.isnan(q), -1, np.searchsorted(_DESCENDING, -q, side="left")).astype(np.int8)
