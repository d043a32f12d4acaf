"""What a policy would have earned, from trades that another policy logged: doubly robust, and refused where the log cannot say.

For signals of the past the kernel simulates every action and nothing of this is needed; paper and live trades show only the action that was taken.
Source: Dudík, Langford & Li (2011), Doubly Robust Policy Evaluation and Learning; weights clipped as in Ionides (2008)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from domain.errors import BadRequest

CLIP = 20.0             # of a weight
FEWEST = 50.0           # effective trades
PARTS = 5               # of the log: the reward of a trade is estimated from the other parts


@dataclass(frozen=True)
class Logged:
    """``action``: int64, the action taken. ``propensity``: its probability when it was taken, in (0, 1]. ``reward``: float64. ``context``: rows × numbers that the
    decision was made on. In the order of time."""

    action: np.ndarray
    propensity: np.ndarray | None
    reward: np.ndarray
    context: np.ndarray

    def __post_init__(self) -> None:
        if self.propensity is None:
            raise BadRequest("the log has no propensities; a policy cannot be judged by trades without the probability with which each action was taken. Log it, or simulate the signals")
        bad = ~((self.propensity > 0) & (self.propensity <= 1))
        if bad.any():
            row = int(np.flatnonzero(bad)[0])
            raise BadRequest(f"row {row + 1} of the log: the propensity is {self.propensity[row]:g}; it must be above 0 and at most 1")


@dataclass(frozen=True)
class Estimate:
    """``value``: mean reward a decision. ``low``, ``high``: 95 % interval. ``effective``: (Σw)² ÷ Σw² over the clipped weights. ``clipped``: share of the weights
    that were above the bound."""

    value: float
    low: float
    high: float
    effective: float
    clipped: float
    rows: int


def doubly_robust(logged: Logged, chances: np.ndarray, expected: np.ndarray | None = None) -> Estimate:
    """The mean reward of the policy that takes action a in row i with probability ``chances[i, a]``.

    Of each row  Σ_a π(a) q(a) + w · (r − q(a_taken)),  w = min(π(a_taken) ÷ propensity, 20). ``expected``: q, rows × actions; without it the mean reward of each action
    in cells of the context, from the other fifths of the log. The interval is that of the mean of independent rows, so with overlapping trades it is too narrow.
    Raises BadRequest where the policy and the log have too little in common: an effective sample under 50.

    >>> rows = np.arange(400)
    >>> log = Logged(rows % 2, np.full(400, 0.5), (rows % 2) * 1.0, np.zeros((400, 1)))
    >>> always_1 = np.tile([0.0, 1.0], (400, 1))
    >>> estimate = doubly_robust(log, always_1)
    >>> estimate.value, estimate.effective
    (1.0, 200.0)
    """
    rows = np.arange(len(logged.reward))
    _check(logged, chances)
    taken = chances[rows, logged.action]
    ratio = taken / logged.propensity
    weight = np.minimum(ratio, CLIP)
    effective = float(weight.sum() ** 2 / (weight**2).sum()) if weight.any() else 0.0
    if effective < FEWEST:
        raise BadRequest(f"the log says too little about this policy: {effective:.1f} effective trades of {len(rows):,}, and {FEWEST:.0f} are needed. Log more trades, or a policy nearer to the one that traded")
    q = crossed_means(logged, chances.shape[1]) if expected is None else expected
    terms = (chances * q).sum(axis=1) + weight * (logged.reward - q[rows, logged.action])
    value, error = float(terms.mean()), float(terms.std(ddof=1) / np.sqrt(len(terms)))
    return Estimate(value, value - 1.96 * error, value + 1.96 * error, effective, float((ratio > CLIP).mean()), len(rows))


def crossed_means(logged: Logged, actions: int) -> np.ndarray:
    """Rows × actions: the mean reward of each action in the row's cell of the context, over the parts of the log that the row is not in.

    A cell is a third of each of the first two columns of the context; where an action was never taken in a cell, its mean over all cells stands for it, else 0.
    """
    cell, count = _cells(logged.context), len(logged.reward)
    part = np.arange(count) * PARTS // max(count, 1)
    q = np.zeros((count, actions))
    for k in range(PARTS):
        other, own = part != k, part == k
        for action in range(actions):
            chosen = other & (logged.action == action)
            overall = float(logged.reward[chosen].mean()) if chosen.any() else 0.0
            sums = np.bincount(cell[chosen], logged.reward[chosen], 9)
            counts = np.bincount(cell[chosen], minlength=9)
            q[own, action] = np.where(counts > 0, sums / np.maximum(counts, 1), overall)[cell[own]]
    return q


def _cells(context: np.ndarray) -> np.ndarray:
    """0 to 8: a third of each of the first two columns."""
    cell = np.zeros(len(context), np.int64)
    for column in np.nan_to_num(context[:, :2]).T:
        cell = 3 * cell + np.searchsorted(np.quantile(column, [1 / 3, 2 / 3]), column, side="left")
    return cell


def _check(logged: Logged, chances: np.ndarray) -> None:
    lengths = {len(logged.action), len(logged.reward), len(logged.context), len(chances), len(logged.propensity if logged.propensity is not None else ())}
    if len(lengths) > 1 or not len(logged.reward):
        raise BadRequest(f"the log and the policy have {', '.join(str(length) for length in sorted(lengths))} rows; each decision needs one of each, and there must be some")
    if not np.isfinite(logged.reward).all():
        raise BadRequest(f"row {int(np.flatnonzero(~np.isfinite(logged.reward))[0]) + 1} of the log has no reward; leave out trades that are still open")
    if logged.action.min() < 0 or logged.action.max() >= chances.shape[1]:
        raise BadRequest(f"the log names action {int(logged.action.max())}, and the policy knows 0 to {chances.shape[1] - 1}")
    if not np.allclose(chances.sum(axis=1), 1.0) or (chances < 0).any():
        raise BadRequest("the policy's chances do not add up to 1 in every row")
