"""The days of a run as a bootstrap takes them: whole days with their intraday low and high, in R or as shares of the
day's starting equity. Money of a late day depends on the account at that time, so days in money are never reordered.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from domain.errors import BadRequest

FEWEST_DAYS = 20  # days needed for a probability
UNITS = ("R", "share")


def nothing() -> np.ndarray:
    """Of a column that is 0 on every day."""
    return np.zeros(0)


@dataclass(frozen=True)
class RunDays:
    """One row a day, in order; the arrays are as long as ``date``.

    ``change`` is the change of equity over the day, ``low`` and ``high`` its extremes from the day's starting equity
    (``low <= min(0, change)``, ``high >= max(0, change)``), ``floating`` is equity less balance at the day's end,
    ``best`` the best trade that was closed that day (0 without one): all in ``unit``, R or a share of the day's
    starting equity. ``opened`` counts the positions opened that day, ``closed`` those closed. ``intraday`` says
    whether lows and highs are known; where they are not, they are the extremes of start and end alone.

    >>> days = RunDays("R", *(np.array(column) for column in ([1, 2], [1.0, -1.0], [-0.5, -1.2], [1.1, 0.0])))
    >>> len(days), days.at_risk(0.01).low.tolist()
    (2, [-0.005, -0.012])
    """

    unit: str
    date: np.ndarray  # days since 1970, by the rule set's clock
    change: np.ndarray
    low: np.ndarray
    high: np.ndarray
    floating: np.ndarray = field(default_factory=nothing)
    best: np.ndarray = field(default_factory=nothing)
    opened: np.ndarray = field(default_factory=nothing)
    closed: np.ndarray = field(default_factory=nothing)
    intraday: bool = True
    notes: tuple[str, ...] = ()  # what was decided in making them, a sentence each

    def __post_init__(self) -> None:
        if self.unit not in UNITS:
            raise BadRequest(f"the days are in {self.unit!r}; give R or shares of the day's starting equity (share)")
        for name in ("floating", "best", "opened", "closed"):
            if not len(getattr(self, name)):
                object.__setattr__(self, name, np.zeros(len(self.date)))
        self._check()

    def _check(self) -> None:
        columns = [getattr(self, name) for name in COLUMNS]
        if len({len(column) for column in columns}) > 1:
            raise BadRequest("the columns of the days differ in length; give each day a value in each")
        if not all(np.isfinite(column).all() for column in columns):
            raise BadRequest("a day has a value that is no finite number; give only days that have all of theirs")
        wrong = (self.low > np.minimum(0.0, self.change)) | (self.high < np.maximum(0.0, self.change))
        if wrong.any():
            raise BadRequest(
                f"day {int(wrong.argmax()) + 1} has a low above its start or end, or a high below it; "
                "low and high count from the day's start and span its end"
            )

    def __len__(self) -> int:
        return len(self.date)

    def table(self) -> pd.DataFrame:
        """``date change low high floating best opened closed``, a row a day; the sizes in ``unit``."""
        columns = {name: getattr(self, name) for name in COLUMNS}
        return pd.DataFrame({**columns, "date": self.date.astype("datetime64[D]").astype(str), "unit": self.unit})

    def at_risk(self, risk: float) -> RunDays:
        """The same days as shares of the day's starting equity, each trade risking ``risk`` of it (0.01: 1 %)."""
        if self.unit != "R":
            raise BadRequest("the days are shares of equity already; a risk per trade needs days in R")
        if not 0.0 < risk <= 1.0:
            raise BadRequest(
                f"the risk per trade is {risk:g}; give a share of equity above 0 and at most 1, 0.01 for 1 %"
            )
        return self.scaled(risk)

    def scaled(self, factor: float) -> RunDays:
        """All sizes times ``factor``; the result counts as shares of equity."""
        sizes: dict[str, Any] = {name: getattr(self, name) * factor for name in SIZES}
        return replace(self, unit="share", **sizes)


SIZES = ("change", "low", "high", "floating", "best")
COLUMNS = ("date", *SIZES, "opened", "closed")
