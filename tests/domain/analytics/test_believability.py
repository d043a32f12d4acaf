"""The verdict: what it says of runs that lose, that are luck, that hang on one thing, and that stand."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from domain.analytics import Belief, MonteCarloConfig, Overfitting, Remark, believe, monte_carlo_of, significance_of
from domain.analytics.believability import ANSWERS

RNG = np.random.default_rng(13)
GOOD = dict(trades=400.0, net_return=0.3, break_even_factor=3.0)
EDGE = significance_of(RNG.normal(0.002, 0.01, 900), trials=14)
NOISE = significance_of((drawn := RNG.normal(0.0, 0.01, 300)) - drawn.mean() + 0.0003, trials=14)      # a Sharpe of 0.5 a year
HISTORIES = monte_carlo_of(RNG.normal(0.3, 1.0, 400), MonteCarloConfig(paths=100, block=1.0))
SWEEP = Overfitting(0.04, 320, 960, 16, 12_870, 0.6, 0.01, 0.4, 0.02, 2.1)
STRESS = (dict(title="spread doubled", net_return=0.1), dict(title="slippage", net_return=0.2))
ALL = dict(significance=EDGE, overfitting=SWEEP, monte_carlo=HISTORIES, stress=STRESS, ambiguous=3, band=(0.28, 0.31))


def answer(belief: Belief, key: str) -> str:
    return next(one.answer for one in belief.questions if one.key == key)


def test_what_stands_up_to_everything_is_still_no_promise():
    found = believe(GOOD, **ALL)
    assert found.level == "passed" and {one.answer for one in found.questions} == {"passed"}
    assert found.verdict.endswith("evidence about these bars, not a promise about others.") and "not evaluated" not in found.verdict


def test_what_was_not_asked_is_open_and_named():
    found = believe(GOOD, significance=EDGE, monte_carlo=HISTORIES)
    assert found.level == "passed" and "; not evaluated: Stress test, Overfitting (PBO)." in found.verdict
    assert (answer(found, "stress"), answer(found, "overfitting")) == ("open", "open")
    blind = believe(GOOD)
    assert blind.level == "open" and blind.verdict == "Profitable after costs, but whether luck could have done this was not evaluated."


LOSING = significance_of(RNG.normal(-0.005, 0.01, 300), trials=14)


@pytest.mark.parametrize("net", [-0.999, -0.031, 0.0])
def test_no_test_praises_a_loss(net):
    """Whatever a sweep, a stress test or Monte Carlo paths once found, they say nothing of a result that is not above zero."""
    found = believe({**GOOD, "net_return": net, "break_even_factor": 0.4}, **{**ALL, "significance": LOSING})
    assert found.level == "failed" and found.verdict.startswith("Loses after costs: net ")
    for key in ("luck", "selection", "length", "order", "stress", "overfitting"):
        test = next(one for one in found.questions if one.key == key)
        assert (test.answer, test.value, test.sentence) == ("open", None, "Not evaluated: the run earns nothing after costs."), key
    assert answer(found, "costs") == "failed"
    assert "100" not in " ".join(one.sentence for one in found.questions), "no zero-edge strategy that reaches a negative Sharpe 100 times in 100"


def test_a_sharpe_that_is_not_above_zero_is_not_set_against_luck():
    found = believe(GOOD, **{**ALL, "significance": LOSING})
    sentences = {one.key: one.sentence for one in found.questions}
    assert sentences["luck"] == sentences["selection"] == f"The Sharpe ratio is not above zero ({LOSING.sharpe_year:.2f})."
    assert (answer(found, "luck"), answer(found, "selection"), answer(found, "length")) == ("failed", "failed", "failed")


def test_a_losing_run_is_told_so_whatever_else_holds():
    found = believe({**GOOD, "net_return": -0.031}, **ALL)
    assert (found.level, found.verdict) == ("failed", "Loses after costs: net -3.1 % over 400 trades.")
    assert believe(dict(trades=0.0, net_return=0.0)).level == "open"


def test_luck_among_many_trials_is_said_as_a_probability():
    found = believe(GOOD, **{**ALL, "significance": NOISE})
    assert found.level == "failed" and answer(found, "selection") == "failed"
    sentence = next(one.sentence for one in found.questions if one.key == "selection")
    assert sentence == f"The best of 14 zero-edge trials would reach this Sharpe ({NOISE.sharpe_year:.2f}) with {round(100 * NOISE.luck_beats)} % probability."
    assert found.verdict.startswith("Profitable after costs, but a zero-edge strategy would reach this Sharpe (") and "further check" in found.verdict


@pytest.mark.parametrize(
    ("change", "key", "answered", "words"),
    [
        (dict(band=(-0.02, 0.4)), "execution", "failed", "with 3 bars decided the worse way it nets -2.0 %, the better way +40.0 %"),
        (dict(band=(0.1, 0.4)), "execution", "doubtful", "the better way +40.0 %"),
        (dict(overfitting=dataclasses.replace(SWEEP, pbo=0.61)), "overfitting", "failed", "the best of 320 variants in one half of the time is no better than the median in the other in 61 % of 12,870 splits"),
        (dict(stress=(dict(title="spread doubled", net_return=-0.1), *STRESS)), "stress", "doubtful", "1 of 3 scenarios end with a loss; the worst, spread doubled, nets -10.0 %"),
        (dict(monte_carlo=dataclasses.replace(HISTORIES, chance_of_loss=0.3)), "order", "failed", "30 % of 100 paths, resampled in blocks, end with a loss"),
        (dict(remarks=[Remark("severe", "one_trade", "83 % of profit comes from one trade.", 0.83)]), "remarks", "failed", "83 % of profit comes from one trade"),
        (dict(remarks=[Remark("note", "x", "A note.", 1.0)]), "remarks", "passed", "evidence about these bars"),
    ],
)
def test_the_verdict_says_the_first_thing_that_speaks_against_it(change, key, answered, words):
    found = believe(GOOD, **{**ALL, **change})
    assert answer(found, key) == answered and words in found.verdict
    assert found.level == answered if answered != "passed" else found.level == "passed"


def test_what_fails_is_told_before_what_is_doubtful():
    found = believe({**GOOD, "break_even_factor": 1.05}, **{**ALL, "band": (0.1, 0.4)})
    assert found.level == "failed" and "break-even at 1.05 times the spread paid" in found.verdict


def test_costs_are_judged_by_how_much_dearer_trading_may_become():
    assert [answer(believe({**GOOD, "break_even_factor": factor}, **ALL), "costs") for factor in (1.1, 1.5, 2.5, None)] == ["failed", "doubtful", "passed", "open"]


def test_a_belief_is_plain_and_a_pure_function_of_what_it_was_handed():
    found = believe(GOOD, **ALL, remarks=[Remark("warning", "x", "Odd.", 1.0)])
    assert json.loads(json.dumps(dataclasses.asdict(found), allow_nan=False))["lint"] == "warning"
    assert found == believe(GOOD, **ALL, remarks=[Remark("warning", "x", "Odd.", 1.0)])
    assert {one.answer for one in found.questions} <= set(ANSWERS) and all(one.sentence.endswith(".") and one.asks.endswith("?") for one in found.questions)


def test_words_that_promise_are_never_said():
    for significance in (EDGE, NOISE, None):
        for net in (0.3, -0.1):
            text = " ".join([(found := believe({**GOOD, "net_return": net}, **{**ALL, "significance": significance})).verdict, *(one.sentence for one in found.questions)])
            assert not {"guarantee", "guaranteed", "proven", "certain", "safe", "will"} & set(text.lower().replace(".", " ").replace(",", " ").split())
