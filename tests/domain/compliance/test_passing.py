"""The chance of passing against answers that are known without drawing anything."""

from __future__ import annotations

import numpy as np
import pytest

from domain.block_length import automatic_block
from domain.compliance.drawing import ChanceConfig, estimate
from domain.compliance.passing import chance
from domain.compliance.resampling import resampled_days, resampled_histories
from domain.errors import BadRequest
from tests.domain.compliance.sampled import daily, days_of, drawdown, rules, target

QUICK = ChanceConfig(paths=4_000, horizon=60, histories=40, inner=100)
STEP = 0.01
UP, DOWN = np.expm1(STEP), np.expm1(-STEP)  # a day up and a day down come back to where they began


def ruin(up: int, down: int, p: float) -> float:
    """The chance that a walk of steps ±1, up with probability ``p``, reaches ``up`` before ``-down``. Feller (1968), chapter XIV."""
    if p == 0.5:
        return down / (up + down)
    odds = (1 - p) / p
    return (1 - odds**down) / (1 - odds ** (up + down))


@pytest.mark.parametrize("p, up, down", [(0.5, 4, 4), (0.5, 6, 3), (0.6, 5, 5), (0.4, 3, 6)])
def test_coin_tosses_pass_as_often_as_the_gambler_is_not_ruined(p, up, down):
    change = np.where(np.arange(100) < 100 * p, UP, DOWN)
    goal, floor = 100_000 * np.expm1(up * STEP), 100_000 * -np.expm1(-down * STEP)
    rule_set = rules(drawdown("static", f"{floor - 0.01:.6f}"), target(f"{goal - 0.01:.6f}"))
    config = ChanceConfig(paths=20_000, horizon=250, block=1.0, histories=20, inner=50)
    result = chance(days_of(change), rule_set, config)
    assert result.open.value < 1e-4 and result.passed.value + result.failed.value == pytest.approx(1.0)
    error = np.sqrt(0.25 / config.paths)
    assert result.passed.value == pytest.approx(ruin(up, down, p), abs=4 * error)
    if p == 0.5:  # E[duration] = up · down, over both ends
        assert result.days_to_target["mean"] == pytest.approx((up**2 + 2 * up * down) / 3, rel=0.05)


def test_days_that_always_win_pass_for_certain_on_the_day_that_arithmetic_gives():
    result = chance(days_of(np.full(30, 0.01)), rules(daily(), drawdown(), target()), QUICK)
    assert (result.passed.value, result.passed.low, result.passed.high) == (1.0, 1.0, 1.0)
    assert (
        result.days_to_target["q05"] == result.days_to_target["q95"] == 10.0
    )  # 1.01¹⁰ = 1.1046 is the first above 1.1
    assert result.progress["passed"].tolist() == [0.0] * 9 + [1.0] * 51
    assert (result.breaches["probability"] == 0).all()


def test_days_that_always_lose_break_the_rule_that_comes_first():
    result = chance(days_of(np.full(30, -0.03)), rules(daily(), drawdown(), target()), QUICK)
    assert result.failed.value == 1.0 and result.passed.value == 0.0 and result.days_to_target is None
    assert result.breaches.set_index("rule")["probability"].to_dict() == {"daily_loss": 0.0, "max_drawdown": 1.0}
    crash = chance(days_of(np.full(30, -0.06)), rules(daily(), drawdown(), target()), QUICK)
    assert crash.breaches.set_index("rule")["probability"].to_dict() == {"daily_loss": 1.0, "max_drawdown": 0.0}


def test_an_intraday_low_breaks_the_daily_loss_although_the_day_ends_well():
    days = days_of(np.full(30, 0.001), low=np.full(30, -0.06))
    result = chance(days, rules(daily(), drawdown(), target()), QUICK)
    assert result.breaches.set_index("rule")["probability"]["daily_loss"] == 1.0


def test_losses_that_come_in_rows_pass_less_often_than_the_same_days_shuffled():
    rng = np.random.default_rng(2)
    in_rows = np.repeat(np.where(rng.random(40) < 0.65, 0.01, -0.01), 10)  # ten days alike after each other
    rule_set = rules(drawdown("static", "5 %"), target("6 %"))
    together = chance(days_of(in_rows), rule_set, QUICK)
    apart = chance(days_of(rng.permutation(in_rows)), rule_set, QUICK)
    assert together.block > 5 > apart.block
    assert together.passed.value < apart.passed.value - 0.05
    alone = chance(days_of(in_rows), rule_set, ChanceConfig(paths=4_000, block=1.0, histories=20, inner=100))
    assert alone.passed.value == pytest.approx(apart.passed.value, abs=0.06)


def test_the_interval_holds_the_truth_about_as_often_as_it_promises():
    """Runs of 60 days of coin tosses: the true chance is the gambler's, and intervals of 95 % should hold it in most runs."""
    rule_set = rules(drawdown("static", "2.9 %"), target("2.9 %"))
    config = ChanceConfig(paths=500, horizon=60, block=1.0, histories=40, inner=100)
    held = []
    for seed in range(15):
        change = np.where(np.random.default_rng(seed).random(60) < 0.5, UP, DOWN)
        result = chance(days_of(change), rule_set, config)
        held.append(result.passed.low <= 0.5 <= result.passed.high)
    assert np.mean(held) >= 0.8


def test_more_days_of_the_run_narrow_the_interval():
    rule_set, rng = rules(drawdown(), target("5 %")), np.random.default_rng(4)
    few, many = (chance(days_of(rng.normal(0.001, 0.01, count)), rule_set, QUICK).passed for count in (40, 1_000))
    assert few.high - few.low > 1.5 * (many.high - many.low)


def test_the_seed_and_nothing_else_chooses_the_paths():
    days, rule_set = days_of(np.random.default_rng(1).normal(0.001, 0.01, 50)), rules(drawdown(), target("5 %"))
    first, again = (chance(days, rule_set, QUICK) for _ in range(2))
    assert (
        first.passed == again.passed
        and first.progress.equals(again.progress)
        and first.days_to_target == again.days_to_target
    )
    assert chance(days, rule_set, ChanceConfig(paths=4_000, seed=1, histories=40, inner=100)).passed != first.passed


def test_days_in_r_at_a_risk_are_the_same_days_in_shares():
    r = np.random.default_rng(1).normal(0.1, 1.0, 50)
    rule_set = rules(drawdown(), target("5 %"))
    in_r = chance(days_of(r, unit="R"), rule_set, QUICK, risk=0.01)
    assert in_r.passed == chance(days_of(0.01 * r), rule_set, QUICK).passed and in_r.risk == 0.01


def test_too_few_days_give_a_sentence_and_no_probability():
    rule_set = rules(drawdown(), target())
    for days in (days_of(np.full(19, 0.01)), days_of(np.where(np.arange(60) < 9, 0.01, 0.0))):
        result = chance(days, rule_set, QUICK)
        assert result.passed is None and result.failed is None and result.breaches.empty and result.progress.empty
        assert "needs at least 20 days and 10 results" in result.sentence
    assert chance(days_of(np.full(20, 0.01)), rule_set, QUICK).passed is not None


def test_a_rule_that_days_cannot_judge_is_named_with_what_it_needs():
    news = '[news]\nbefore = 2\nafter = 2\nactions = "open"\neffect = "FAIL"\n'
    result = chance(days_of(np.full(30, 0.01)), rules(drawdown(), target(), news), QUICK)
    assert result.not_judged == {"news": "the orders themselves (judge the run)"}
    assert "by the rules that days can judge" in result.sentence and any("news" in note for note in result.notes)
    unseen = days_of(np.full(30, 0.01), intraday=False)
    result = chance(unseen, rules(daily(watch="closed"), drawdown(), target()), QUICK)
    assert set(result.not_judged) == {"max_drawdown"} and "intraday lows" in result.not_judged["max_drawdown"]
    assert any("the chance of failing is at least this" in note for note in result.notes)
    crash = chance(days_of(np.full(30, -0.06), intraday=False), rules(daily(), drawdown(), target()), QUICK)
    assert crash.failed.value == 1.0 and set(crash.not_judged) == {"daily_loss", "max_drawdown"}
    nothing = chance(unseen, rules(drawdown()), QUICK)
    assert nothing.failed is None and "No rule of the set can be judged" in nothing.sentence


def test_a_set_without_a_target_has_nothing_to_pass():
    result = chance(days_of(np.full(30, -0.01)), rules(drawdown()), QUICK)
    assert result.passed is None and result.failed.value == 1.0 and "no target" in result.sentence


@pytest.mark.parametrize(
    "days, risk, sentence",
    [
        (days_of(np.full(30, 1.0), unit="R"), 0.0, "give the risk per trade"),
        (days_of(np.full(30, 1.0), unit="R"), 1.5, "above 0 and at most 1"),
        (days_of(np.full(30, 0.01)), 0.01, "leave out the risk"),
    ],
)
def test_days_and_risk_that_do_not_fit_are_refused_in_words(days, risk, sentence):
    with pytest.raises(BadRequest, match=sentence):
        chance(days, rules(drawdown(), target()), QUICK, risk=risk)


def test_days_that_contradict_themselves_are_refused_in_words():
    with pytest.raises(BadRequest, match="day 2 has a low above"):
        days_of([0.0, -0.01], low=[0.0, 0.0])
    with pytest.raises(BadRequest, match="no finite number"):
        days_of([0.0, np.nan])
    with pytest.raises(BadRequest, match="the days are in 'money'"):
        days_of([0.0], unit="money")


def test_an_account_of_any_size_needs_one_only_where_amounts_are_money():
    days = days_of(np.full(30, 0.01))
    assert chance(days, rules(drawdown(), target(), account=0), QUICK).passed.value == 1.0
    with pytest.raises(BadRequest, match="give the initial balance"):
        chance(days, rules(drawdown("static", "5000"), target(), account=0), QUICK)
    assert (
        chance(
            days, rules(drawdown("static", "5000"), target("2000"), account=0), QUICK, initial=20_000
        ).days_to_target["q50"]
        == 10
    )


def test_blocks_have_their_mean_length_and_every_day_is_drawn_alike():
    chosen = resampled_days(50, 2_000, 100, 8.0, np.random.default_rng(1))
    goes_on = (np.diff(chosen, axis=0) % 50) == 1
    assert goes_on.mean() == pytest.approx(1 - 1 / 8 + 1 / 8 / 50, abs=0.005)
    assert np.bincount(chosen.ravel(), minlength=50) == pytest.approx(np.full(50, 4_000), rel=0.1)
    assert resampled_histories(50, 7, 8.0, np.random.default_rng(1)).shape == (7, 50)


def slow_block_length(x: list[float]) -> float:
    """Politis & White (2004) with the correction of 2009, written from the formulas term by term."""
    n = len(x)
    mean = sum(x) / n

    def r(lag: int) -> float:
        return sum((x[t] - mean) * (x[t + lag] - mean) for t in range(n - lag)) / n

    quiet = max(5, int(np.ceil(np.sqrt(np.log10(n)))))
    most = int(np.ceil(np.sqrt(n))) + quiet
    bound = 2 * np.sqrt(np.log10(n) / n)
    large = [abs(r(lag) / r(0)) >= bound for lag in range(1, most + 1)]
    m = next((k for k in range(most - quiet + 1) if not any(large[k : k + quiet])), None)
    if m is None:
        m = max(lag for lag in range(1, most + 1) if large[lag - 1])
    m = min(2 * m, most)
    if m == 0:
        return 1.0
    flat_top = [1.0 if abs(k / m) <= 0.5 else 2 * (1 - abs(k / m)) for k in range(m + 1)]
    g = sum(2 * flat_top[k] * k * r(k) for k in range(1, m + 1))
    spectrum = r(0) + sum(2 * flat_top[k] * r(k) for k in range(1, m + 1))
    length = (2 * g**2 / (2 * spectrum**2)) ** (1 / 3) * n ** (1 / 3)
    return min(max(length, 1.0), np.ceil(min(3 * np.sqrt(n), n / 3)))


@pytest.mark.parametrize("rho", [0.0, 0.3, 0.7, -0.5])
def test_the_block_length_is_that_of_its_formulas(rho):
    rng = np.random.default_rng(int(10 * abs(rho)) + 1)
    series = [0.0]
    for noise in rng.normal(size=249):
        series.append(rho * series[-1] + noise)
    assert automatic_block(np.array(series)) == pytest.approx(slow_block_length(series), rel=1e-9)


def test_an_interval_is_never_narrower_than_its_own_figure():
    assert estimate(1.0, np.linspace(0.2, 0.8, 101)).high == 1.0
    assert np.isnan(estimate(0.5, np.full(3, np.nan)).low)
