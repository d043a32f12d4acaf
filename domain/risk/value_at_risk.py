"""Value at risk and expected shortfall of scenarios of profit and loss, plain and filtered by today's volatility."""

from __future__ import annotations

import math

import numpy as np

from domain.errors import BadRequest

LEVEL = 0.95
DECAY = 0.94  # RiskMetrics (1996), daily
WARM = 20  # returns that the first variance is measured over
FEWEST = 60  # scenarios: three beyond the 95 % quantile


def tail(losses: np.ndarray, level: float = LEVEL) -> tuple[float, float]:
    """VaR and ES of equally likely losses (positive is a loss), in their unit.

    VaR is the smallest loss that is not exceeded with a probability of at least ``level``; ES the mean of the worst
    ``1 - level`` of the probability, a part of the last scenario included.

    Source: Rockafellar & Uryasev (2002), Conditional value-at-risk for general loss distributions.

    >>> tail(np.arange(1.0, 21.0))
    (19.0, 20.0)
    >>> tail(np.arange(1.0, 11.0), 0.85)[0], round(tail(np.arange(1.0, 11.0), 0.85)[1], 10)
    (9.0, 9.6666666667)
    """
    var = float(np.quantile(losses, level, method="inverted_cdf"))
    beyond = np.maximum(losses - var, 0.0).mean() / (1.0 - level)
    return var, float(var + beyond)


def tail_shares(losses: np.ndarray, level: float = LEVEL) -> np.ndarray:
    """Weight of each scenario in ES; the weights add up to 1, so that contributions weighted by them add up to ES.

    >>> tail_shares(np.arange(1.0, 11.0), 0.85).round(3).tolist()
    [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.333, 0.667]
    """
    var, _ = tail(losses, level)
    count = (1.0 - level) * len(losses)
    above, at = losses > var, losses == var
    return np.where(above, 1.0, np.where(at, (count - above.sum()) / at.sum(), 0.0)) / count


def ewma_deviation(returns: np.ndarray, decay: float = DECAY, warm: int = WARM) -> np.ndarray:
    """Deviation forecast for each return from those before it, and for the one after the last: ``len(returns) + 1``
    values by column.

    sigma²_t = decay · sigma²_{t-1} + (1 - decay) · r²_{t-1}; the first is the mean of the first ``warm`` squares, and
    until there are that many the forecast is NaN.

    Source: RiskMetrics Technical Document (1996), section 5.2.

    >>> ewma_deviation(np.array([[0.1], [0.1], [0.3]]), decay=0.5, warm=2).ravel().round(6).tolist()
    [nan, nan, 0.1, 0.223607]
    """
    squares = np.asarray(returns, float) ** 2
    variance = np.full((len(squares) + 1, squares.shape[1]), np.nan)
    if len(squares) < warm:
        return variance
    variance[warm] = squares[:warm].mean(axis=0)
    for row in range(warm, len(squares)):
        variance[row + 1] = decay * variance[row] + (1.0 - decay) * squares[row]
    return np.sqrt(variance)


def filtered(returns: np.ndarray, decay: float = DECAY, warm: int = WARM) -> np.ndarray:
    """Returns as they would have been at the volatility forecast now: each divided by its own forecast, times the last
    one.

    Rows stay together, so that what happened to instruments at the same time goes on happening together. The first
    ``warm`` rows are used up.

    Source: Barone-Adesi, Giannopoulos & Vosper (1999), VaR without correlations; Hull & White (1998).

    >>> filtered(np.array([[0.1], [0.1], [0.3]]), decay=0.5, warm=2).ravel().round(6).tolist()
    [0.67082]
    """
    deviation = ewma_deviation(returns, decay, warm)
    with np.errstate(divide="ignore", invalid="ignore"):
        scores = np.asarray(returns, float)[warm:] / deviation[warm:-1]
    return np.where(np.isfinite(scores), scores, 0.0) * deviation[-1]


def enough(scenarios: int, level: float = LEVEL) -> None:
    """Refuse what has fewer than three scenarios beyond the quantile."""
    fewest = max(FEWEST, math.ceil(3 / (1 - level) - 1e-9))
    if scenarios < fewest:
        raise BadRequest(
            f"there are {scenarios} returns that all instruments have; VaR at {100 * level:g} % needs at least {fewest}"
        )
