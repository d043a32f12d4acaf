"""Regimes by rule, combinations of any, and which was known when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from domain.errors import BadRequest, unknown
from domain.features.base import parse
from domain.features.context import Context
from domain.features.engine import compute
from domain.features.sessions import SESSIONS

REGIME_RULES: Mapping[str, Mapping[float, str]] = {      # feature -> what its values are called
    "volatility_regime": {0: "calm", 1: "normal", 2: "volatile"},
    "trend_regime": {-1: "down", 0: "no trend", 1: "up"},
    "session_regime": dict(enumerate(SESSIONS)),
}


def banded(column: Sequence[float] | np.ndarray, edges: Sequence[float], names: Sequence[str]) -> pd.Categorical:
    """The name of the band each value lies in; one that lies on an edge is in the band above it. None where the value is NaN.

    >>> list(banded([0.1, 0.5, float("nan")], [0.5], ["low", "high"]))
    ['low', 'high', nan]
    """
    if len(names) != len(edges) + 1 or list(edges) != sorted(edges):
        raise BadRequest(f"{len(edges)} edges in rising order part {len(edges) + 1} bands; there are {len(names)} names")
    values = np.asarray(column, np.float64)
    codes = np.where(np.isnan(values), -1, np.searchsorted(np.asarray(edges, np.float64), values, side="right"))
    return pd.Categorical.from_codes(codes, categories=list(names), ordered=True)


def by_rule(bars: pd.DataFrame, rule: str, context: Context = Context()) -> pd.Categorical:
    """The regime of each bar by a rule: a feature of REGIME_RULES as it is written, with parameters where the standard ones are not meant.

    >>> prices = np.array([1.0, 2.0, 4.0, 3.0])
    >>> bars = pd.DataFrame(dict(open=prices, high=prices, low=prices, close=prices))
    >>> list(by_rule(bars, "volatility_regime"))
    [nan, nan, nan, nan]
    """
    use = parse(rule)
    if use.name not in REGIME_RULES:
        raise unknown("rule of regimes", use.name, REGIME_RULES)
    return coded(compute(bars, [use], context)[use.column].to_numpy(np.float64), REGIME_RULES[use.name])


def coded(column: Sequence[float] | np.ndarray, names: Mapping[float, str]) -> pd.Categorical:
    """The name of each value; none where it is NaN or has no name.

    >>> list(coded([0, 2, float("nan")], {0: "calm", 2: "volatile"}))
    ['calm', 'volatile', nan]
    """
    values, codes = np.asarray(column, np.float64), np.full(len(column), -1)
    for place, value in enumerate(names):
        codes[values == value] = place
    return pd.Categorical.from_codes(codes, categories=list(names.values()), ordered=True)


def combined(*labels: pd.Categorical) -> pd.Categorical:
    """Every pairing of these labels as a label of its own, in the order of the first, then the second …; none where one has none.

    >>> both = combined(banded([0, 1, 1], [1], ["calm", "volatile"]), banded([0, 0, float("nan")], [1], ["range", "trend"]))
    >>> list(both), both.categories.tolist()
    (['calm, range', 'volatile, range', nan], ['calm, range', 'calm, trend', 'volatile, range', 'volatile, trend'])
    """
    if not labels or len({len(label) for label in labels}) > 1:
        raise BadRequest(f"labels of {', '.join(str(len(labelling)) for labelling in labels) or 'no'} bars cannot be combined; they need the same bars")
    codes, names = np.zeros(len(labels[0]), np.int64), [""]
    for labelling in labels:
        own = np.asarray(labelling.codes, np.int64)
        codes = np.where((codes < 0) | (own < 0), -1, codes * len(labelling.categories) + own)
        names = [f"{first}, {second}" if first else str(second) for first in names for second in labelling.categories]
    return pd.Categorical.from_codes(codes, categories=names, ordered=True)


@dataclass(frozen=True)
class Regimes:
    """A label a bar and the instant from which it was known: the end of the bar, int64 nanoseconds UTC, rising."""

    ends: np.ndarray
    labels: pd.Categorical

    def __post_init__(self) -> None:
        if len(self.ends) != len(self.labels) or (np.diff(self.ends) < 0).any():
            raise BadRequest(f"{len(self.labels)} labels for {len(self.ends)} ends of bars; each bar has one, and they rise")

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(str(name) for name in self.labels.categories)

    def at(self, instants: np.ndarray, late: int = 0) -> pd.Categorical:
        """The label of the last bar that had ended by each instant, or of the ``late``-th before it: what was known, had one known it so many bars late.

        >>> regimes = Regimes(np.array([10, 20, 30]), banded([0, 1, 0], [1], ["calm", "volatile"]))
        >>> list(regimes.at(np.array([9, 20, 35]))), list(regimes.at(np.array([9, 20, 35]), late=1))
        ([nan, 'volatile', 'calm'], [nan, 'calm', 'volatile'])
        """
        if late < 0:
            raise BadRequest(f"late is {late} bars; a regime cannot be known before its bar has ended")
        row = np.searchsorted(self.ends, np.asarray(instants, np.int64), side="right") - 1 - late
        codes = np.asarray(self.labels.codes, np.int64)
        return pd.Categorical.from_codes(np.where(row >= 0, codes[np.maximum(row, 0)], -1) if len(codes) else np.full(len(row), -1), dtype=self.labels.dtype)
