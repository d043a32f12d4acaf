"""How much a sample counts: its uniqueness among overlapping labels, and its age."""

from __future__ import annotations

import numpy as np

from domain.errors import unknown

BY = ("uniqueness", "equal")
DAY = 86_400_000_000_000        # nanoseconds


def uniqueness(first: np.ndarray, last: np.ndarray) -> np.ndarray:
    """Mean over a sample's bars of 1 ÷ the number of samples whose spans hold that bar. Source: López de Prado (2018), chapter 4.

    ``first``, ``last``: the numbers of the first and the last bar of each span of **one** instrument, both included; int64, 0 or more. Bars are counted,
    not hours: a weekend is no information. Bars 1 to 4 and 2 to 5 share three bars, so each is (1 + 3 × ½) ÷ 4.

    >>> uniqueness(np.array([1, 2]), np.array([4, 5])).tolist()
    [0.625, 0.625]
    """
    if not len(first):
        return np.zeros(0)
    bars = int(last.max()) + 1
    changes = np.bincount(first, minlength=bars + 1) - np.bincount(last + 1, minlength=bars + 1)
    together = np.cumsum(changes)[:bars]
    shares = np.concatenate([[0.0], np.cumsum(np.divide(1.0, together, out=np.zeros(bars), where=together > 0))])
    return (shares[last + 1] - shares[first]) / (last + 1 - first)


def weights_of(rows: np.ndarray, unique: np.ndarray, start: np.ndarray, half_life: float = 0.0, by: str = "uniqueness") -> np.ndarray:
    """Weights of the training ``rows``, mean 1; no other sample has a say in them.

    ``by``: ``uniqueness`` or ``equal``. ``half_life``: days before the youngest of them at which a weight is half; 0: age does not matter.

    >>> weights_of(np.array([0, 2]), np.array([0.5, 1.0, 1.0]), np.array([0, 0, 0])).round(4).tolist()
    [0.6667, 1.3333]
    >>> weights_of(np.array([0, 1]), np.ones(2), np.array([0, DAY]), half_life=1.0).round(4).tolist()
    [0.6667, 1.3333]
    """
    if by not in BY:
        raise unknown("weight", by, BY)
    if not len(rows):
        return np.zeros(0)
    weight = unique[rows].astype(np.float64) if by == "uniqueness" else np.ones(len(rows))
    if half_life > 0:
        age = (start[rows].max() - start[rows]) / DAY
        weight = weight * np.exp2(-age / half_life)
    return weight / weight.mean()
