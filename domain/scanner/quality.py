"""Q* and the expected shortfall of many combinations at once, from the R of their closed trades."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

WORST = 20      # the worst one in so many


class TradeStatistics(NamedTuple):
    """Of each combination, from its R net of costs. ``wins``: trades with R above 0. ``win``, ``loss``: mean R of the wins and mean size of the others, 0 where there are none.
    ``deviation``: with n - 1, NaN under two trades. ``tail``: mean of the worst n/20 R, rounded up, NaN without trades."""

    n: np.ndarray
    wins: np.ndarray
    win: np.ndarray
    loss: np.ndarray
    deviation: np.ndarray
    tail: np.ndarray

    @property
    def probability(self) -> np.ndarray:
        """Of a win: (wins + 1) / (n + 2)."""
        return (self.wins + 1) / (self.n + 2)


class Quality(NamedTuple):
    """The terms of Q*, in R: ``q = edge - noise - cost``."""

    p: np.ndarray
    edge: np.ndarray        # p * win - (1 - p) * loss
    noise: np.ndarray       # deviation / sqrt(n)
    cost: np.ndarray        # (spread now - mean spread at entries) / stop distance
    q: np.ndarray


def side_by_side(results: Sequence[np.ndarray], most: int) -> np.ndarray:
    """The last ``most`` results of each, one row a combination, NaN at the end of shorter rows.

    >>> side_by_side([np.array([1.0, 2.0, 3.0]), np.array([-1.0])], 2).tolist()
    [[2.0, 3.0], [-1.0, nan]]
    """
    recent = [r[-most:] for r in results]
    table = np.full((len(recent), max((len(r) for r in recent), default=0)), np.nan)
    for row, r in zip(table, recent, strict=True):
        row[: len(r)] = r
    return table


def trade_statistics(r: np.ndarray) -> TradeStatistics:
    """``r``: one row a combination, NaN where it has fewer trades than others.

    >>> s = trade_statistics(np.array([[2.0, -1.0, -1.0, 2.0, np.nan]]))
    >>> [float(column[0]) for column in (s.n, s.wins, s.win, s.loss, s.tail, s.probability)]
    [4.0, 2.0, 2.0, 1.0, -1.0, 0.5]
    """
    known = ~np.isnan(r)
    n, x = known.sum(axis=1), np.where(known, r, 0.0)
    won = x > 0.0
    wins = won.sum(axis=1)
    gains = np.where(won, x, 0.0).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        win = np.where(wins > 0, gains / wins, 0.0)
        loss = np.where(n > wins, -np.where(won, 0.0, x).sum(axis=1) / (n - wins), 0.0)
        apart = np.where(known, x - (x.sum(axis=1) / n)[:, None], 0.0)
        deviation = np.where(n > 1, np.sqrt((apart**2).sum(axis=1) / np.maximum(n - 1, 1)), np.nan)
    return TradeStatistics(n, wins, win, loss, deviation, _tail(r, n))


def _tail(r: np.ndarray, n: np.ndarray) -> np.ndarray:
    count = -(-n // WORST)
    if not r.shape[1]:
        return np.full(len(r), np.nan)
    worst = np.sort(r, axis=1)[:, : max(int(count.max(initial=0)), 1)]      # NaN goes to the end
    total = np.where(np.arange(worst.shape[1]) < count[:, None], worst, 0.0).sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def quality(statistics: TradeStatistics, spread: np.ndarray, spread_at_entries: np.ndarray, stop_distance: np.ndarray, probability: np.ndarray | None = None) -> Quality:
    """Q* of each combination; NaN under two trades and without a stop distance. Spreads and distances in price units.
    ``probability``: of a win, by a calibrated classifier; NaN where there is none."""
    s, p = statistics, statistics.probability
    if probability is not None:
        p = np.where(np.isnan(probability), p, probability)
    with np.errstate(invalid="ignore", divide="ignore"):
        edge = p * s.win - (1.0 - p) * s.loss
        noise = s.deviation / np.sqrt(s.n)
        cost = np.where(stop_distance > 0.0, (spread - spread_at_entries) / stop_distance, np.nan)
    return Quality(p, edge, noise, cost, edge - noise - cost)


def shortfall(tail: np.ndarray, at_risk: np.ndarray, equity: float) -> np.ndarray:
    """ES95 of the trade, per 1,000 of equity, a loss positive: the mean of the worst R times the money at risk."""
    return -tail * at_risk / equity * 1_000.0
