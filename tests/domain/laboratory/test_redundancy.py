"""Redundancy against pandas, scipy and regressions; and the reason for each that is dropped."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from domain.laboratory.ranks import rank, ranks
from domain.laboratory.redundancy import Thresholds, clusters, correlations, inflation, propose


def columns(n: int = 800, seed: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(rng.normal(size=(n, 5)), columns=list("abcde"))
    frame["f"] = frame["a"] + 0.2 * rng.normal(size=n)
    frame["g"] = -np.exp(frame["b"])
    return frame


def ranked(frame: pd.DataFrame) -> np.ndarray:
    return np.column_stack([ranks(rank(frame[name].to_numpy()), np.zeros(len(frame), int)) for name in frame])


def test_correlations_are_spearmans():
    table = columns()
    np.testing.assert_allclose(correlations(ranked(table)), table.corr(method="spearman"), atol=1e-12)


def test_rows_that_a_pair_does_not_have_are_left_out_of_that_pair_alone():
    table = columns(4_000)
    table.loc[:300, "a"], table.loc[3_000:, "f"] = np.nan, np.nan
    np.testing.assert_allclose(correlations(ranked(table)), table.corr(method="spearman"), atol=0.01)


def test_columns_without_common_rows_are_not_correlated():
    frame = pd.DataFrame(dict(a=[1.0, 2, 3, np.nan, np.nan, np.nan], b=[np.nan, np.nan, np.nan, 1.0, 2, 3], c=[1.0] * 6))
    np.testing.assert_array_equal(correlations(ranked(frame)), np.eye(3))


def test_inflation_is_that_of_a_regression_on_the_others():
    z = ranked(columns().drop(columns="g"))
    z = (z - z.mean(axis=0)) / z.std(axis=0)
    for k, factor in enumerate(inflation(correlations(z))):
        others = np.delete(z, k, axis=1)
        left = z[:, k] - others @ np.linalg.lstsq(others, z[:, k], rcond=None)[0]
        assert factor == pytest.approx(1 / left.var(), rel=1e-9)     # 1 ÷ (1 − R²)


def test_what_is_alike_is_one_cluster_and_stands_side_by_side():
    table = columns()
    number, place = clusters(correlations(ranked(table)))
    assert number[0] == number[5] and number[1] == number[6] and len(set(number)) == 5
    assert abs(place[0] - place[5]) == 1 and abs(place[1] - place[6]) == 1 and sorted(place) == list(range(7))


def test_one_feature_is_one_cluster():
    number, place = clusters(np.ones((1, 1)))
    assert number.tolist() == [1] and place.tolist() == [0] and inflation(np.ones((1, 1))).tolist() == [1.0]


def summary(**changes) -> pd.DataFrame:
    plain = dict(missing=0.0, p=0.001, q=0.01, ic=0.05, information_q=0.5, years=5, agreeing=5, sign_changes=0, psi=0.02)
    return pd.DataFrame([dict(plain, feature=name, **change) for name, change in changes.items()])


def verdicts(frame: pd.DataFrame) -> dict[str, tuple[str, str]]:
    return {row.feature: (row.verdict, row.fault) for row in frame.itertuples()}


def test_each_fault_has_its_own_reason():
    figures = summary(
        good=dict(q=0.001), empty=dict(missing=0.9), noise=dict(q=0.6), turns=dict(agreeing=2, sign_changes=3), moved=dict(psi=0.4), again=dict(q=0.02), shape=dict(q=0.7, information_q=0.01),
    )  # fmt: skip
    rho = np.eye(7)
    rho[0, 5] = rho[5, 0] = -0.95
    result = propose(figures, rho, Thresholds(least=1))
    assert verdicts(result) == dict(
        good=("keep", ""), empty=("drop", "values"), noise=("drop", "information"), turns=("drop", "unstable"), moved=("drop", "drift"), again=("drop", "redundant"), shape=("keep", ""),
    )  # fmt: skip
    reason = result.set_index("feature")["reason"]
    assert result.set_index("feature")["with"]["again"] == "good" and "good" in reason["again"] and "-0.95" in reason["again"]
    assert "2 of 5 years" in reason["turns"] and "PSI 0.40" in reason["moved"] and "q 0.6" in reason["noise"] and "not on its direction" in reason["shape"]


def test_of_two_that_say_the_same_the_one_that_tells_more_stays():
    rho = np.array([[1.0, 0.9], [0.9, 1.0]])
    assert verdicts(propose(summary(weak=dict(q=0.05), strong=dict(q=0.001)), rho, Thresholds(least=1))) == dict(weak=("drop", "redundant"), strong=("keep", ""))


def test_a_mixture_of_those_kept_is_dropped_although_no_pair_is_alike():
    rng = np.random.default_rng(3)
    parts = rng.normal(size=(5_000, 4))
    table = np.column_stack([parts, parts.sum(axis=1) + 0.1 * rng.normal(size=5_000)])
    rho = np.corrcoef(table.T)
    result = propose(summary(**{f"f{k}": dict(q=0.01 * (k + 1)) for k in range(5)}), rho, Thresholds(least=1))
    assert np.abs(rho - np.eye(5)).max() < 0.6
    assert verdicts(result)["f4"] == ("drop", "inflation") and "VIF" in result["reason"][4]


def test_no_more_than_the_most_are_kept_and_the_rest_are_surplus():
    result = propose(summary(**{f"f{k}": dict(q=0.001 * (k + 1)) for k in range(30)}), np.eye(30))
    assert (result["verdict"] == "keep").sum() == 20 and set(result["fault"][20:]) == {"surplus"}


def test_the_least_number_is_made_up_in_spite_of_faults_that_are_named():
    figures = summary(good={}, moved=dict(psi=0.5), **{f"noise{k}": dict(q=0.5 + k / 100, p=0.3 + k / 100) for k in range(6)}, twin=dict(q=0.4, p=0.2))
    rho = np.eye(9)
    rho[0, 8] = rho[8, 0] = 0.99
    result = verdicts(propose(figures, rho))
    assert [name for name, verdict in result.items() if verdict[0] == "reserve"] == ["moved", "noise0", "noise1", "noise2"]
    assert result["twin"] == ("drop", "information")


def test_a_feature_without_any_test_is_dropped_for_its_values():
    assert verdicts(propose(summary(flat=dict(p=np.nan, q=np.nan, ic=np.nan, information_q=np.nan)), np.eye(1), Thresholds(least=1))) == dict(flat=("drop", "values"))
