"""Linear models: logistic regression of classes, ridge regression of a number, linear quantile regression where levels are named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from domain.models.base import Samples, Watch, learner
from domain.models.files import Files, opened
from domain.models.levels import columns_of, levels_or_none, spread_of, weighted_quantiles
from domain.models.line import BLOCK, Line, Link, line_from, linked, standardisation
from domain.models.one_order import one_order
from domain.models.rows import needs, outputs_of, shares
from domain.models.waiting import waited
from domain.params import param

STEPS = 200
Objective = Callable[[np.ndarray], tuple[float, np.ndarray]]


@learner("linear", targets=("r", "return", "volatility", "fake", "win", "above", "barrier", "direction"))
@dataclass(frozen=True)
class Linear:
    """Baseline: logistic or ridge regression on standardised columns. Unknown values count as the mean."""

    l2: float = param(1.0, low=1e-6, high=1e6, title="Penalty", help="weight of the squared coefficients beside the sum of the losses")
    levels: str = param("", title="Levels", help="levels of quantiles of a number, ascending, by linear quantile regression; empty forecasts the mean")

    def __post_init__(self) -> None:
        levels_or_none(self.levels)

    def fit(self, train: Samples, validation: Samples, seed: int, watch: Watch) -> Line:
        needs(train, 2, "linear")
        watch(0.0, None)
        with one_order():
            return self.fitted(train, watch)

    def fitted(self, train: Samples, watch: Watch) -> Line:
        rows = waited(train.rows, watch)
        centre, scale = waited(lambda: standardisation(rows), watch)
        outputs = outputs_of(train) if train.task != "number" else columns_of(levels_or_none(self.levels))
        link: Link = dict(binary="sigmoid", classes="softmax", number="identity")[train.task]  # type: ignore[assignment]
        line = Line("linear", outputs, centre, scale, np.zeros((len(outputs), len(centre))), np.zeros(len(outputs)), link, spread_of(train.y))
        coefficients, bias = self.solved(waited(lambda: line.standard(rows), watch), train, link, watch)
        watch(1.0, None)
        return Line("linear", outputs, centre, scale, coefficients, bias, link, line.spread)

    def solved(self, z: np.ndarray, train: Samples, link: Link, watch: Watch) -> tuple[np.ndarray, np.ndarray]:
        """Coefficients (outputs × columns) and bias."""
        if link != "identity":
            return logistic(z, train, self.l2, link, watch)
        levels = levels_or_none(self.levels)
        if not levels:
            return waited(lambda: ridge(z, train.y, train.weight, self.l2), watch)
        lines = []
        for number, level in enumerate(levels):
            lines.append(quantile(z, train.y, train.weight, level, self.l2, lambda share, loss, n=number: watch((n + share) / len(levels), loss)))
        return np.stack([line[0] for line in lines]), np.array([line[1] for line in lines])


def ridge(z: np.ndarray, y: np.ndarray, weight: np.ndarray, l2: float) -> tuple[np.ndarray, np.ndarray]:
    """Least squares with a penalty on all but the bias.

    >>> ridge(np.array([[-1.0], [1.0]]), np.array([1.0, 3.0]), np.ones(2), 1e-9)[0].round(6).tolist()
    [[1.0]]
    """
    middle, mean = weight @ z / weight.sum(), np.average(y, weights=weight)
    moments, products = l2 * np.eye(z.shape[1]), np.zeros(z.shape[1])
    for start in range(0, len(z), BLOCK):
        part = slice(start, start + BLOCK)
        weighted = (z[part] - middle) * weight[part, None]
        moments += weighted.T @ (z[part] - middle)
        products += weighted.T @ (y[part] - mean)
    coefficients = np.linalg.solve(moments, products)
    return coefficients[None, :], np.array([mean - middle @ coefficients])


def logistic(z: np.ndarray, train: Samples, l2: float, link: Link, watch: Watch) -> tuple[np.ndarray, np.ndarray]:
    """Sum of weighted log losses plus l2/2 times the sum of squared coefficients, least."""
    count = len(train.classes) if link == "softmax" else 1
    truth = np.eye(max(count, 2))[train.y.astype(np.int64)] if count > 1 else train.y[:, None]
    total = train.weight.sum()

    def objective(flat: np.ndarray) -> tuple[float, np.ndarray]:
        coefficients, bias = _parts(flat, count)
        p = linked(z @ coefficients.T + bias, link)
        sure = np.clip(p, 1e-300, None), np.clip(1 - p, 1e-300, None)
        loss = -(truth * np.log(sure[0])).sum(axis=1) - (0 if count > 1 else ((1 - truth) * np.log(sure[1])).sum(axis=1))
        slope = (p - truth) * train.weight[:, None]
        gradient = np.column_stack([slope.T @ z + l2 * coefficients, slope.sum(axis=0)])
        return float(train.weight @ loss + l2 / 2 * (coefficients**2).sum()) / total, gradient.ravel() / total

    share = np.clip(shares(train), 1e-6, 1 - 1e-6)
    start = np.zeros((count, z.shape[1] + 1))
    start[:, -1] = np.log(share) if count > 1 else np.log(share / (1 - share))
    return _parts(least(objective, start.ravel(), watch), count)


def quantile(z: np.ndarray, y: np.ndarray, weight: np.ndarray, level: float, l2: float, watch: Watch) -> tuple[np.ndarray, float]:
    """Linear quantile regression by a smoothed pinball loss, whose bias is then moved so that a share ``level`` of the weight lies under the line.

    u = (y − line)/spread; loss = level·u + h·log(1 + exp(−u/h)), which is the pinball loss as h → 0 (He, Pan, Tan & Zhou 2023, logistic kernel).
    """
    spread, total = spread_of(y), weight.sum()
    h = max(0.05, ((np.log(len(y)) + z.shape[1]) / len(y)) ** 0.4)
    scaled = y / spread

    def objective(flat: np.ndarray) -> tuple[float, np.ndarray]:
        u = scaled - z @ flat[:-1] - flat[-1]
        loss = level * u + h * np.logaddexp(0.0, -u / h)
        slope = -(level - _under(u / h)) * weight
        gradient = np.append(z.T @ slope + l2 * flat[:-1], slope.sum())
        return float(weight @ loss + l2 / 2 * (flat[:-1] ** 2).sum()) / total, gradient / total

    start = np.append(np.zeros(z.shape[1]), weighted_quantiles(scaled, weight, (level,)))
    coefficients = least(objective, start, watch)[:-1] * spread
    return coefficients, float(weighted_quantiles(y - z @ coefficients, weight, (level,))[0])


def least(objective: Objective, start: np.ndarray, watch: Watch) -> np.ndarray:
    """Where the objective is least, by L-BFGS; ``watch`` hears of every evaluation."""
    from scipy.optimize import minimize

    count = 0

    def reported(flat: np.ndarray) -> tuple[float, np.ndarray]:
        nonlocal count
        count += 1
        value = objective(flat)
        watch(min(count / STEPS, 0.99), None)
        return value

    return minimize(reported, start, jac=True, method="L-BFGS-B", options=dict(maxiter=STEPS, maxfun=STEPS, ftol=1e-10, gtol=1e-7)).x


def _under(x: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(x))."""
    from scipy.special import expit

    return expit(-x)


def _parts(flat: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    table = flat.reshape(count, -1)
    return table[:, :-1], table[:, -1]


def load(files: Files) -> Line:
    return line_from("linear", opened(files, "linear"))
