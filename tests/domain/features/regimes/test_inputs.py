"""What a regime model sees, by loops written from the definitions; regimes by rule; and which was known when."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from domain.errors import BadRequest, UnknownName
from domain.features import FEATURES, compute, use
from domain.features.regimes import OBSERVATIONS, REGIME_RULES, Regimes, banded, by_rule, coded, combined, fit, observations, standard
from tests.domain.features.world import market

BARS, CONTEXT = market(800)
COLUMNS = ("log_volatility(20)", "log_atr_share(14)", "root_drawdown(30)", "straightness(20)", "correlation_with_others(40)")
CUTS = (1, 45, 300, 799)


@pytest.fixture(scope="module")
def seen() -> pd.DataFrame:
    return observations(BARS, CONTEXT, COLUMNS)


def test_each_column_is_its_definition(seen):
    close, high = BARS["close"].to_numpy(), BARS["high"].to_numpy()
    returns = np.diff(np.log(close), prepend=np.nan)
    atr = compute(BARS, [use("atr", window=14)])["atr(14)"].to_numpy()
    others = {name: np.diff(np.log(other.at(CONTEXT.ends(BARS))), prepend=np.nan) for name, other in CONTEXT.others.items()}
    for t in (40, 41, 333, 799):
        row = seen.iloc[t]
        assert row["log_volatility(20)"] == pytest.approx(np.log(np.sqrt(np.mean(returns[t - 19 : t + 1] ** 2))), rel=1e-12)
        assert row["log_atr_share(14)"] == pytest.approx(np.log(atr[t] / close[t]), rel=1e-12)
        assert row["root_drawdown(30)"] == pytest.approx(np.sqrt(1 - close[t] / high[t - 29 : t + 1].max()), rel=1e-12)
        assert row["straightness(20)"] == pytest.approx(abs(close[t] - close[t - 20]) / np.abs(np.diff(close[t - 20 : t + 1])).sum(), rel=1e-9)
        sizes = [abs(np.corrcoef(returns[t - 39 : t + 1], other_returns[t - 39 : t + 1])[0, 1]) for other_returns in others.values()]
        assert row["correlation_with_others(40)"] == pytest.approx(np.arctanh(np.mean(sizes)), rel=1e-9)


@pytest.mark.parametrize("cut", CUTS)
def test_observations_know_no_later_bar(seen, cut):
    part = observations(BARS.iloc[:cut], CONTEXT.until(int(CONTEXT.ends(BARS)[cut - 1])), COLUMNS)
    np.testing.assert_array_equal(part.to_numpy(), seen.to_numpy()[:cut])


def test_a_models_columns_make_its_observations_anew(seen):
    model = fit(seen, restarts=1)
    again = observations(BARS, CONTEXT, model.columns)
    pd.testing.assert_frame_equal(again, seen)
    assert list(model.columns) == list(COLUMNS)


def test_any_feature_may_be_a_column_and_none_has_the_name_of_one_of_these():
    table = observations(BARS, CONTEXT, ["atr(20)", "straightness"])
    assert list(table) == ["atr(20)", f"straightness({OBSERVATIONS['straightness'].window})"]
    assert not set(OBSERVATIONS) & set(FEATURES)
    with pytest.raises(UnknownName, match="did you mean"):
        observations(BARS, CONTEXT, ["artr(20)"])
    with pytest.raises(BadRequest, match="at least 2"):
        observations(BARS, CONTEXT, ["straightness(1)"])


def test_correlation_is_standard_only_where_there_are_others():
    assert len(standard(CONTEXT)) == len(standard()) + 1
    assert observations(BARS, columns=["correlation_with_others(40)"]).isna().all().all()


def test_flat_prices_leave_volatility_unknown_and_nothing_infinite():
    flat = BARS.assign(**{name: 1.1 for name in ("open", "high", "low", "close")})
    table = observations(flat, CONTEXT, COLUMNS)
    assert not np.isinf(table.to_numpy()).any() and table["log_volatility(20)"].isna().all() and (table["straightness(20)"].iloc[20:] == 0).all()


@pytest.mark.parametrize("rule", REGIME_RULES)
def test_a_rule_names_every_value_of_its_feature(rule):
    labels = by_rule(BARS, rule, CONTEXT)
    values = compute(BARS, [use(rule)], CONTEXT)[use(rule).column]
    assert (labels.isna() == values.isna().to_numpy()).all() and len(labels.unique()) > 1
    for value, name in REGIME_RULES[rule].items():
        assert (np.asarray(labels == name) == (values == value).to_numpy()).all()
    with pytest.raises(UnknownName, match="no rule of regimes named 'atr'"):
        by_rule(BARS, "atr(14)", CONTEXT)


def test_combined_labels_are_distinguished_exactly_where_one_of_theirs_is():
    first, second = by_rule(BARS, "trend_regime", CONTEXT), by_rule(BARS, "session_regime", CONTEXT)
    both = combined(first, second, coded(np.arange(800) % 2, {0: "even", 1: "odd"}))
    for t in (100, 400, 799):
        assert both[t] == f"{first[t]}, {second[t]}, {'odd' if t % 2 else 'even'}"
    assert (both.isna() == first.isna()).all() and len(both.categories) == 3 * 5 * 2
    with pytest.raises(BadRequest, match="the same bars"):
        combined(first, second[:5])


def test_what_was_known_is_the_label_of_a_bar_that_had_ended():
    ends, labels = np.arange(10, 110, 10), banded(np.arange(10), [5], ["low", "high"])
    regimes = Regimes(ends, labels)
    assert list(regimes.at([59, 60, 61])) == ["low", "high", "high"]
    assert list(regimes.at([60, 70, 80], late=1)) == ["low", "high", "high"] and list(regimes.at([10, 29], late=1).isna()) == [True, False]
    with pytest.raises(BadRequest, match="before its bar has ended"):
        regimes.at([10], late=-1)
    with pytest.raises(BadRequest, match="they rise"):
        Regimes(ends[::-1], labels)
    with pytest.raises(BadRequest, match="2 edges in rising order"):
        banded([1.0], [1, 2], ["a", "b"])


def test_importing_regimes_loads_no_compiler_and_no_learner():
    heavy = ("numba", "hmmlearn", "sklearn", "scipy", "talib")
    process = subprocess.run(
        [sys.executable, "-c", f"import sys, domain.features.regimes; print([one for one in {heavy} if one in sys.modules])"], cwd=Path(__file__).parents[4], capture_output=True, text=True
    )
    assert process.stdout.strip() == "[]", process.stdout + process.stderr
