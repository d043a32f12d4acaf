"""Weights over sessions, held against skfolio.

The numbers in ``ORACLE`` are skfolio's (the version is beside them), computed on ``sessions()`` by the function ``by_skfolio`` below in an
environment of its own (``python3 -m venv``, ``pip install skfolio``; it is no dependency of Tidemark). Its solver is told tolerances of 1e-13: with its
defaults it stops up to 2e-3 before the optimum, where variances of daily returns are small numbers. Where skfolio is installed it is asked again.
"""

from __future__ import annotations

import importlib.util

import numpy as np
import pandas as pd
import pytest

from domain.errors import BadRequest
from domain.live.allocation import allocation, shared
from domain.live.weights import best_ratio, equal_risk, least_variance, most_utility

SKFOLIO = "1.12.2"
ORACLE = {
    ("four", "equal"): [0.25, 0.25, 0.25, 0.25],
    ("four", "inverse_volatility"): [0.4501497, 0.2711443, 0.1597736, 0.1189324],
    ("four", "risk_parity"): [0.4599613, 0.2757487, 0.1532694, 0.1110206],
    ("four", "minimum_variance"): [0.5, 0.3585295, 0.1159942, 0.0254764],
    ("four", "utility"): [0.3940013, 0.1059987, 0.5, -0.0],
    ("four", "ratio"): [0.4151043, 0.0848957, 0.5, 0.0],
    ("quiet", "risk_parity"): [0.5, 0.3080496, 0.1919504],
    ("quiet", "minimum_variance"): [0.5, 0.3456602, 0.1543398],
    ("quiet", "utility"): [0.5, 0.0, 0.5],
    ("quiet", "ratio"): [0.5, 0.0, 0.5],
}


def sessions(kind: str = "four") -> dict[str, pd.Series]:
    """Daily returns: four related sessions over 90 days, or three of which one is so quiet that the cap binds."""
    draw = np.random.default_rng(20260801)
    common = draw.standard_normal(90)
    scale = [0.004, 0.006, 0.009, 0.012] if kind == "four" else [0.0015, 0.006, 0.008]
    days = pd.bdate_range("2026-01-05", periods=90)
    return {f"s{k}": pd.Series(size * (0.12 - 0.02 * k + (0.2 + 0.2 * k) * common + draw.standard_normal(90)), days) for k, size in enumerate(scale)}


def by_skfolio(kind: str, method: str) -> list[float]:
    """What skfolio gives on the same returns."""
    from skfolio import RiskMeasure
    from skfolio.moments import LedoitWolf
    from skfolio.optimization import EqualWeighted, InverseVolatility, MeanRisk, ObjectiveFunction, RiskBudgeting
    from skfolio.prior import EmpiricalPrior

    solver = dict(tol_gap_abs=1e-15, tol_gap_rel=1e-13, tol_feas=1e-12)
    goals = dict(minimum_variance="MINIMIZE_RISK", utility="MAXIMIZE_UTILITY", ratio="MAXIMIZE_RATIO")
    if method in goals:
        model = MeanRisk(
            objective_function=ObjectiveFunction[goals[method]], risk_measure=RiskMeasure.VARIANCE, risk_aversion=5.0, min_weights=0.0, max_weights=0.5,
            prior_estimator=EmpiricalPrior(covariance_estimator=LedoitWolf()), solver_params=solver,
        )  # fmt: skip
    else:
        model = dict(
            equal=EqualWeighted(),
            inverse_volatility=InverseVolatility(),
            risk_parity=RiskBudgeting(risk_measure=RiskMeasure.VARIANCE, max_weights=0.5, solver_params=solver),
        )[method]
    return [float(weight) for weight in model.fit(pd.DataFrame(sessions(kind)).to_numpy()).weights_]


def weights(kind: str, method: str) -> np.ndarray:
    mean_variance = method in ("minimum_variance", "utility", "ratio")
    result = allocation(sessions(kind), "mean_variance", method, 5.0) if mean_variance else allocation(sessions(kind), method)
    return np.array(list(result.weights.values()))


@pytest.mark.parametrize(("kind", "method"), ORACLE)
def test_weights_equal_skfolio_s(kind, method):
    mine = weights(kind, method)
    assert np.abs(mine - ORACLE[kind, method]).max() < 1e-4
    assert abs(mine.sum() - 1) < 1e-9
    assert mine.min() >= 0 and mine.max() <= 0.5


@pytest.mark.skipif(not importlib.util.find_spec("skfolio"), reason="skfolio is not installed; its recorded numbers are compared above")
@pytest.mark.parametrize(("kind", "method"), ORACLE)
def test_skfolio_still_gives_what_is_recorded(kind, method):
    assert np.abs(np.array(by_skfolio(kind, method)) - ORACLE[kind, method]).max() < 1e-4


def test_risk_parity_carries_equal_risk_where_the_cap_leaves_it_free():
    result = allocation(sessions(), "risk_parity")
    assert np.allclose(list(result.risk.values()), 0.25, atol=1e-9)


def test_inverse_volatility_above_one_half_goes_to_the_others_in_proportion():
    result = allocation(sessions("quiet"), "inverse_volatility")
    spread = {name: each.std() for name, each in sessions("quiet").items()}
    assert result.weights["s0"] == 0.5
    assert result.weights["s1"] / result.weights["s2"] == pytest.approx(spread["s2"] / spread["s1"])
    assert "s0: at the cap" in result.sentence


def test_no_random_weights_do_better():
    draw = np.random.default_rng(5)
    for _ in range(30):
        n = int(draw.integers(3, 9))
        factor = draw.standard_normal((n, n)) * 10.0 ** draw.uniform(-4, -1)
        covariance, mean = factor @ factor.T + 1e-9 * np.eye(n), draw.standard_normal(n) * 1e-3
        tried = draw.dirichlet(np.full(n, 2.0), 400)
        tried = tried[tried.max(axis=1) <= 0.5]
        variance, earned = np.einsum("ij,jk,ik->i", tried, covariance, tried), tried @ mean
        least, useful, even = least_variance(covariance, 0.5), most_utility(mean, covariance, 3.0, 0.5), equal_risk(covariance)
        assert least @ covariance @ least <= variance.min() * (1 + 1e-9)
        assert mean @ useful - 3 * useful @ covariance @ useful >= (earned - 3 * variance).max() - 1e-12
        assert (even @ covariance @ even) ** 0.5 / np.prod(even) ** (1 / n) <= (variance**0.5 / np.prod(tried, axis=1) ** (1 / n)).min() * (1 + 1e-9)
        if earned.max() > 0:
            best = best_ratio(mean, covariance, 0.5)
            assert mean @ best / (best @ covariance @ best) ** 0.5 >= (earned / variance**0.5).max() * (1 - 1e-6)


@pytest.mark.parametrize("method", ["equal", "inverse_volatility", "risk_parity", "mean_variance"])
def test_two_sessions_get_one_half_each(method):
    two = dict(list(sessions("quiet").items())[:2])
    assert list(allocation(two, method).weights.values()) == [0.5, 0.5]


def test_one_session_cannot_keep_the_cap():
    with pytest.raises(BadRequest, match="1 session to allocate over; none may get more than 50%, so name at least two"):
        allocation(dict(list(sessions().items())[:1]), "equal")


def test_fewer_than_60_shared_days_are_refused_by_name():
    some = sessions()
    some["s2"] = some["s2"].iloc[:59]
    with pytest.raises(BadRequest, match="share 59 daily returns and 60 are needed; the shortest is s2 with 59"):
        allocation(some, "equal")
    some["s2"] = sessions()["s2"].iloc[:60]
    assert allocation(some, "equal").days == 60 == len(shared(some))


def test_a_session_that_never_traded_has_no_risk_to_weigh_by():
    some = {**sessions(), "idle": sessions()["s0"] * 0.0}
    with pytest.raises(BadRequest, match="the returns of idle do not vary"):
        allocation(some, "risk_parity")
    assert allocation(some, "equal").weights["idle"] == 0.2


def test_nothing_earned_has_no_best_ratio():
    losing = {name: each - 0.05 for name, each in sessions().items()}
    with pytest.raises(BadRequest, match="no allocation of these sessions earned anything"):
        allocation(losing, "mean_variance", "ratio")
