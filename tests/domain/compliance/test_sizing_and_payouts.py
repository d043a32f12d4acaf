"""The risk with the highest chance of passing, and payouts before a breach, against answers from arithmetic."""

from __future__ import annotations

import numpy as np
import pytest

from domain.compliance.drawing import ChanceConfig
from domain.compliance.passing import chance
from domain.compliance.payouts import PayoutConfig, payouts
from domain.compliance.sizing_curve import sizing_curve
from domain.errors import BadRequest
from tests.domain.compliance.sampled import days_of, drawdown, rules, target

QUICK = ChanceConfig(paths=2_000, horizon=150, block=1.0, histories=20, inner=50)
RISKS = (0.01, 0.02, 0.05, 0.1)


def coins(p: float) -> np.ndarray:
    """A hundred days of ±1 R, up with probability ``p``."""
    return np.where(np.arange(100) < 100 * p, 1.0, -1.0)


def test_the_curve_is_the_chance_at_each_risk():
    days, rule_set = days_of(coins(0.55), unit="R"), rules(drawdown(), target())
    table = sizing_curve(days, rule_set, QUICK, risks=RISKS).table
    for row in table.itertuples():
        alone = chance(days, rule_set, QUICK, risk=row.risk)
        assert (row.passed, row.passed_low, row.passed_high) == (
            alone.passed.value,
            alone.passed.low,
            alone.passed.high,
        )
        assert row.failed == alone.failed.value and row.median_days == alone.days_to_target["q50"]


def test_who_has_an_edge_and_time_risks_little_and_who_has_none_risks_much():
    rule_set = rules(drawdown(), target())
    ahead, behind = (sizing_curve(days_of(coins(p), unit="R"), rule_set, QUICK, risks=RISKS) for p in (0.6, 0.4))
    assert ahead.best.value == 0.01 and ahead.table["passed"].is_monotonic_decreasing  # timid play, Feller (1968)
    assert (
        behind.best.value == 0.1 and behind.table["passed"].is_monotonic_increasing
    )  # bold play, Dubins & Savage (1965)
    assert "highest at a risk of 1 % per trade" in ahead.sentence and "maximum may lie beyond" in ahead.sentence


def test_a_short_horizon_asks_for_more_risk():
    days, rule_set = days_of(coins(0.6), unit="R"), rules(drawdown(), target())
    short = ChanceConfig(paths=2_000, horizon=12, block=1.0, histories=20, inner=50)
    best = sizing_curve(days, rule_set, short, risks=RISKS).best
    assert best.value > 0.01 and best.low <= best.value <= best.high


def test_days_in_shares_are_taken_in_proportion_to_what_they_risked():
    rule_set = rules(drawdown(), target())
    in_r = sizing_curve(days_of(coins(0.55), unit="R"), rule_set, QUICK, risks=RISKS)
    in_shares = sizing_curve(days_of(0.004 * coins(0.55)), rule_set, QUICK, usual=0.004, risks=RISKS)
    assert in_shares.table.equals(in_r.table)
    with pytest.raises(BadRequest, match="not known; give trades with R"):
        sizing_curve(days_of(coins(0.5) / 100), rule_set, QUICK)
    with pytest.raises(BadRequest, match="above 0 and at most 1"):
        sizing_curve(days_of(coins(0.5), unit="R"), rule_set, QUICK, risks=(0.0, 0.01))


def test_a_curve_says_where_it_has_no_answer():
    few = sizing_curve(days_of(np.ones(10), unit="R"), rules(drawdown(), target()), QUICK)
    assert few.best is None and few.table.empty and "at least 20 days" in few.sentence
    assert (
        "nothing to pass" in sizing_curve(days_of(coins(0.5), unit="R"), rules(drawdown()), QUICK, risks=RISKS).sentence
    )
    never = sizing_curve(days_of(-np.ones(30), unit="R"), rules(drawdown(), target()), QUICK, risks=RISKS)
    assert never.best is None and never.sentence == "No risk passes within the horizon."


WINNING = days_of(np.full(30, 0.01))
SIXTY = ChanceConfig(paths=200, horizon=60, histories=20, inner=50)
TEN_DAYS = 100_000 * (1.01**10 - 1)


def test_days_that_always_win_are_paid_out_every_time():
    result = payouts(WINNING, rules(drawdown()), PayoutConfig(every=10, split=0.8, fee=500.0), SIXTY)
    assert (result.payouts.value, result.payouts.low, result.payouts.high) == (6.0, 6.0, 6.0)
    assert result.income.value == pytest.approx(6 * 0.8 * TEN_DAYS - 500.0)
    assert result.survived.value == 1.0 and result.counts["probability"].tolist() == [0.0] * 6 + [1.0]


def test_the_first_payout_may_give_the_fee_back_and_a_buffer_delays_it():
    refunded = payouts(WINNING, rules(drawdown()), PayoutConfig(every=10, split=0.8, fee=500.0, refund=True), SIXTY)
    assert refunded.income.value == pytest.approx(6 * 0.8 * TEN_DAYS)
    kept = payouts(WINNING, rules(drawdown()), PayoutConfig(every=10, split=1.0, keep=TEN_DAYS + 1), SIXTY)
    assert kept.payouts.value == 5.0
    least = payouts(WINNING, rules(drawdown()), PayoutConfig(every=10, least=2 * TEN_DAYS), SIXTY)
    assert least.payouts.value == 3.0  # every other time


def test_days_that_always_lose_pay_the_fee_and_nothing_else():
    result = payouts(days_of(np.full(30, -0.01)), rules(drawdown()), PayoutConfig(fee=500.0), SIXTY)
    assert (
        result.payouts.value == 0.0
        and result.income.value == -500.0
        and result.survived.value == 0.0
        and result.any_payout.value == 0.0
    )


def test_a_floor_that_locked_at_the_start_is_hit_once_all_profit_is_out():
    rule_set = rules(drawdown("trailing end-of-day balance", "2 % of initial", "start", comparator="<="))
    assert payouts(WINNING, rule_set, PayoutConfig(every=10), SIXTY).payouts.value == 1.0
    assert payouts(WINNING, rule_set, PayoutConfig(every=10, keep=1_000.0), SIXTY).payouts.value == 6.0


def test_the_expected_number_of_payouts_is_that_of_a_geometric_life():
    """One day in twenty ruins the account, every other is paid out at once: the sum of 0.95^t over the horizon."""
    days = days_of(np.where(np.arange(100) % 20 == 0, -0.2, 0.01))
    config = ChanceConfig(paths=20_000, horizon=40, block=1.0, histories=20, inner=50)
    result = payouts(days, rules(drawdown()), PayoutConfig(every=1, split=1.0), config)
    life = np.cumprod(np.full(40, 0.95))
    assert result.payouts.value == pytest.approx(life.sum(), abs=4 * 12 / np.sqrt(20_000))
    assert result.survived.value == pytest.approx(life[-1], abs=0.015)
    assert result.payouts.low < result.payouts.value < result.payouts.high


def test_too_few_days_make_no_payouts():
    result = payouts(days_of(np.full(10, 0.01)), rules(drawdown()), config=SIXTY)
    assert result.payouts is None and result.counts.empty and "at least 20 days" in result.sentence
