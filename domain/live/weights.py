"""Weights that solve one problem each, to the last digits: long only, together 1, none above a cap."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from domain.errors import BadRequest
from domain.rounding import ROUNDING

STEPS = 200             # of Newton, and of bisection; both need a tenth of it
EXACT = 1e-12


def capped(parts: np.ndarray, cap: float) -> np.ndarray:
    """Weights in proportion to ``parts``; what is above the cap goes to the others in proportion.

    >>> capped(np.array([6.0, 3.0, 1.0]), 0.5).tolist()
    [0.5, 0.375, 0.125]
    """
    weights = parts / parts.sum()
    held = np.zeros(len(parts), bool)
    while (weights > cap + EXACT).any():
        held |= weights > cap + EXACT
        weights = np.where(held, cap, parts / parts[~held].sum() * (1.0 - cap * held.sum()))
    return weights


def least_variance(covariance: np.ndarray, cap: float) -> np.ndarray:
    """Weights of the least variance.

    >>> least_variance(np.diag([1.0, 2.0, 2.0]), 0.5).round(9).tolist()
    [0.5, 0.25, 0.25]
    """
    scale = float(np.diag(covariance).mean())
    return within_box(covariance / scale, np.zeros(len(covariance)), cap)


def most_utility(mean: np.ndarray, covariance: np.ndarray, aversion: float, cap: float) -> np.ndarray:
    """Weights of the most mean − ``aversion`` × variance."""
    if not aversion > 0:
        raise BadRequest(f"the risk aversion is {aversion:g}; it must be above 0")
    scale = float(np.diag(covariance).mean())
    return within_box(covariance / scale, mean / (2.0 * aversion * scale), cap)


def best_ratio(mean: np.ndarray, covariance: np.ndarray, cap: float) -> np.ndarray:
    """Weights of the highest mean ÷ standard deviation, found along the efficient frontier: there mean ÷ variance is twice the aversion."""
    highest = most_mean(mean, cap)
    if not highest @ mean > 0:
        raise BadRequest("no allocation of these sessions earned anything on average, so none has the best ratio; take the objective minimum_variance")

    def beyond(exponent: float) -> float:
        weights = most_utility(mean, covariance, 10.0**exponent, cap)
        return 2.0 * 10.0**exponent * float(weights @ covariance @ weights) - float(weights @ mean)

    scale = float(np.abs(mean).max() / np.diag(covariance).mean())
    low, high = np.log10(scale) - 6.0, np.log10(scale) + 9.0
    return highest if beyond(low) > 0.0 else most_utility(mean, covariance, 10.0 ** _root(beyond, low, high), cap)


def most_mean(mean: np.ndarray, cap: float) -> np.ndarray:
    """As much as the cap lets of the best, then of the next.

    >>> most_mean(np.array([0.1, 0.3, 0.2]), 0.5).tolist()
    [0.0, 0.5, 0.5]
    """
    weights = np.zeros(len(mean))
    for place in np.argsort(-mean, kind="stable"):
        weights[place] = min(cap, 1.0 - weights.sum())
    return weights


def within_box(curve: np.ndarray, slope: np.ndarray, cap: float) -> np.ndarray:
    """The w that minimises ½ w′Qw − c′w with Σ w = 1 and 0 ≤ w ≤ cap, by an active set; Q positive definite.

    The free weights solve their equations exactly; one that would leave the box is held at its edge; a held one whose multiplier says that leaving the
    edge helps is let go, the strongest first. Source: Nocedal & Wright (2006), Numerical Optimization, 16.5.
    """
    n = len(curve)
    weights, held = np.full(n, 1.0 / n), np.zeros(n, int)       # −1 at 0, 1 at the cap
    for _ in range(100 * n):
        target, level = _free_solution(curve, slope, weights, held == 0)
        step, edge = _way(weights, target, cap)
        weights = weights + step * (target - weights)
        if edge is not None:
            held[edge] = 1 if target[edge] > weights[edge] else -1
            weights[edge] = cap if held[edge] == 1 else 0.0
            continue
        gain = held * (curve @ weights - slope - level)
        worst = int(gain.argmax())
        if gain[worst] <= EXACT * max(1.0, float(np.abs(slope).max())):
            return np.clip(weights, 0.0, cap)
        held[worst] = 0
    raise ArithmeticError("the active set did not settle")


def _free_solution(curve: np.ndarray, slope: np.ndarray, weights: np.ndarray, free: np.ndarray) -> tuple[np.ndarray, float]:
    """Best free weights with the others as they are, and the multiplier of the sum."""
    target = weights.copy()
    count = int(free.sum())
    if not count:
        gradient = curve @ weights - slope
        return target, float(gradient[weights <= 0].min(initial=np.inf))
    matrix = np.ones((count + 1, count + 1))
    matrix[:count, :count], matrix[count, count] = curve[np.ix_(free, free)], 0.0
    right = np.append(slope[free] - curve[np.ix_(free, ~free)] @ weights[~free], 1.0 - weights[~free].sum())
    solved = np.linalg.solve(matrix, right)
    target[free] = solved[:count]
    return target, -float(solved[count])


def _way(weights: np.ndarray, target: np.ndarray, cap: float) -> tuple[float, int | None]:
    """How far towards ``target`` the box lets, and which weight meets its edge there; None where all of the way is free."""
    move = target - weights
    with np.errstate(divide="ignore", invalid="ignore"):
        room = np.where(target < -EXACT, -weights / move, np.where(target > cap + EXACT, (cap - weights) / move, np.inf))
    first = int(room.argmin())
    return (1.0, None) if room[first] >= 1.0 else (max(float(room[first]), 0.0), first)


def equal_risk(covariance: np.ndarray) -> np.ndarray:
    """Weights that each carry the same share of the variance; where one would be above one half, it gets one half and the others come as near as that lets.

    Minimises ½ y′Σy − Σ log y, then divides by the sum. Source: Maillard, Roncalli & Teïletche (2010); Spinu (2013). The cap 0.5 as in skfolio's risk
    budgeting: y ≤ ½ Σ y, so one that it binds is the sum of the others.

    >>> equal_risk(np.diag([1.0, 4.0, 4.0])).round(9).tolist()
    [0.5, 0.25, 0.25]
    """
    scaled = covariance / float(np.diag(covariance).mean())
    free = _log_barrier(scaled, np.eye(len(scaled)))
    top = int(free.argmax())
    if free[top] <= 0.5 * free.sum() * (1.0 + ROUNDING):
        return free / free.sum()
    others = np.delete(np.eye(len(scaled)), top, axis=1)
    others[top] = 1.0
    bound = others @ _log_barrier(scaled, others)
    return bound / bound.sum()


def _log_barrier(covariance: np.ndarray, basis: np.ndarray) -> np.ndarray:
    """The z > 0 that minimises ½ y′Σy − Σ log y with y = ``basis`` z, by damped Newton steps."""
    curve = basis.T @ covariance @ basis
    z = np.full(basis.shape[1], 1.0 / np.sqrt(max(float(np.diag(curve).mean()), EXACT)))
    for _ in range(STEPS):
        y = basis @ z
        gradient = curve @ z - basis.T @ (1.0 / y)
        hessian = curve + basis.T @ (basis / (y**2)[:, None])
        move = -np.linalg.solve(hessian, gradient)
        decrement = float(np.sqrt(max(-gradient @ move, 0.0)))
        if decrement < EXACT:
            return z
        z = z + move / (1.0 + decrement if decrement > 0.25 else 1.0)       # self-concordant: never leaves the domain
    return z


def _root(function: Callable[[float], float], low: float, high: float) -> float:
    """Where a function that is below 0 at ``low`` and above it at ``high`` is 0."""
    for _ in range(STEPS):
        middle = 0.5 * (low + high)
        if not low < middle < high:
            break
        low, high = (middle, high) if function(middle) < 0.0 else (low, middle)
    return high
