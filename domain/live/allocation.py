"""Shares of capital over sessions: long only, together 1, none above one half. A proposal; a person takes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from domain.errors import BadRequest, listed, unknown
from domain.live.weights import best_ratio, capped, equal_risk, least_variance, most_utility
from domain.rounding import ROUNDING

FEWEST = 60                 # daily returns that all sessions share
CAP = 0.5                   # of one session
OBJECTIVES = ("minimum_variance", "utility", "ratio")
RISK_AVERSION = 1.0


@dataclass(frozen=True)
class Allocation:
    """``weights``: share of each session; ``risk``: share of the portfolio's variance that each carries."""

    method: str
    objective: str              # of mean–variance; else empty
    days: int
    weights: dict[str, float]
    risk: dict[str, float]
    volatility: float           # of the portfolio's daily returns, by the covariance that the method uses
    sentence: str

    def plain(self) -> dict[str, Any]:
        return asdict(self)


def allocation(returns: Mapping[str, pd.Series], method: str, objective: str = "minimum_variance", risk_aversion: float = RISK_AVERSION) -> Allocation:
    """Weights of sessions from their daily returns (shares, by date); only dates that all of them have are used, 60 at least.

    ``equal``; ``inverse_volatility``: 1 ÷ standard deviation, what is above one half goes to the others in proportion; ``risk_parity``: each carries the
    same share of the variance, as far as the cap lets it; ``mean_variance`` on the covariance of Ledoit & Wolf (2004): least variance, or by ``objective`` the
    most of mean − ``risk_aversion`` × variance (``utility``) or of mean ÷ standard deviation (``ratio``).

    >>> days = pd.date_range("2024-01-01", periods=60)
    >>> allocation({name: pd.Series(0.01 * np.cos(k * np.arange(60)), days) for k, name in enumerate("abcd", 1)}, "equal").weights
    {'a': 0.25, 'b': 0.25, 'c': 0.25, 'd': 0.25}
    """
    if method not in METHODS:
        raise unknown("allocation method", method, METHODS)
    if objective not in OBJECTIVES:
        raise unknown("objective", objective, OBJECTIVES)
    table = shared(returns)
    covariance = _shrunk(table) if method == "mean_variance" else np.cov(table.to_numpy(), rowvar=False, ddof=1)
    weights = _weights(table, covariance, method, objective, risk_aversion)
    return _result(table, covariance, weights, method, objective if method == "mean_variance" else "")


def shared(returns: Mapping[str, pd.Series]) -> pd.DataFrame:
    """Daily returns on the dates that all sessions have, a column a session; refused where there are too few of either."""
    if len(returns) < 2:
        raise BadRequest(f"{len(returns) or 'no'} session{'' if len(returns) == 1 else 's'} to allocate over; none may get more than {CAP:.0%}, so name at least two")
    for name, each in returns.items():
        if each.index.has_duplicates:
            raise BadRequest(f"{name} has two returns of one day; give one for each")
    table = pd.DataFrame(dict(returns)).dropna()
    if len(table) < FEWEST:
        shortest = min(returns, key=lambda name: returns[name].count())
        raise BadRequest(f"the sessions share {len(table)} daily returns and {FEWEST} are needed; the shortest is {shortest} with {returns[shortest].count()}")
    if not np.isfinite(table.to_numpy()).all():
        raise BadRequest("a daily return is infinite; leave that session out")
    return table


def _equal(covariance: np.ndarray) -> np.ndarray:
    return np.full(len(covariance), 1.0 / len(covariance))


def _inverse_volatility(covariance: np.ndarray) -> np.ndarray:
    return capped(1.0 / np.sqrt(np.diag(covariance)), CAP)


def _risk_parity(covariance: np.ndarray) -> np.ndarray:
    return equal_risk(covariance)


METHODS: dict[str, Callable[[np.ndarray], np.ndarray] | None] = dict(
    equal=_equal, inverse_volatility=_inverse_volatility, risk_parity=_risk_parity, mean_variance=None
)


def _weights(table: pd.DataFrame, covariance: np.ndarray, method: str, objective: str, risk_aversion: float) -> np.ndarray:
    if method != "equal":
        _refuse_idle(table)
    if len(table.columns) == 2:
        return np.array([CAP, CAP])
    if (by_covariance := METHODS[method]) is not None:
        return by_covariance(covariance)
    mean = table.to_numpy().mean(axis=0)
    if objective == "utility":
        return most_utility(mean, covariance, risk_aversion, CAP)
    return least_variance(covariance, CAP) if objective == "minimum_variance" else best_ratio(mean, covariance, CAP)


def _refuse_idle(table: pd.DataFrame) -> None:
    idle = [str(name) for name in table if float(table[name].std()) <= ROUNDING]
    if idle:
        raise BadRequest(f"the returns of {listed(idle)} do not vary, so they have no risk to weigh by; leave them out, or take method equal")


def _shrunk(table: pd.DataFrame) -> np.ndarray:
    """Covariance shrunk towards a multiple of the identity. Source: Ledoit & Wolf (2004)."""
    from sklearn.covariance import ledoit_wolf

    return np.asarray(ledoit_wolf(table.to_numpy())[0])


def _result(table: pd.DataFrame, covariance: np.ndarray, weights: np.ndarray, method: str, objective: str) -> Allocation:
    names = [str(name) for name in table]
    variance = float(weights @ covariance @ weights)
    parts = weights * (covariance @ weights) / variance if variance > 0 else np.zeros(len(weights))
    most = [name for name, weight in zip(names, weights, strict=True) if weight >= CAP - 1e-9]
    sentence = f"{len(names)} sessions, {len(table)} shared days." + (f" {listed(most)}: at the cap of {CAP:.0%}." if most else "")
    return Allocation(method, objective, len(table), _by_name(names, weights), _by_name(names, parts), float(np.sqrt(variance)), sentence)


def _by_name(names: list[str], values: np.ndarray) -> dict[str, float]:
    return {name: float(value) for name, value in zip(names, values, strict=True)}
