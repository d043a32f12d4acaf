"""The verdict on runs that lose, that are luck, that depend on one assumption, and that are robust."""

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
    return next(test.answer for test in belief.questions if test.key == key)


def test_a_result_that_passes_every_check_is_still_no_promise():
    belief = believe(GOOD, **ALL)
    assert belief.level == "passed" and {test.answer for test in belief.questions} == {"passed"}
    assert belief.verdict.endswith("evidence about these bars, not a promise about others.") and "not evaluated" not in belief.verdict


def test_a_test_that_was_not_run_is_open_and_named():
    belief = believe(GOOD, significance=EDGE, monte_carlo=HISTORIES)
    assert belief.level == "passed" and "; not evaluated: Stress test, Overfitting (PBO)." in belief.verdict
    assert (answer(belief, "stress"), answer(belief, "overfitting")) == ("open", "open")
    blind = believe(GOOD)
    assert blind.level == "open" and blind.verdict == "Profitable after costs, but whether luck could have done this was not evaluated."


LOSING = significance_of(RNG.normal(-0.005, 0.01, 300), trials=14)


@pytest.mark.parametrize("net", [-0.999, -0.031, 0.0])
def test_no_test_praises_a_loss(net):
    """Whatever a sweep, a stress test or Monte Carlo paths showed, they are not evaluated for a result that is not above zero."""
    belief = believe({**GOOD, "net_return": net, "break_even_factor": 0.4}, **{**ALL, "significance": LOSING})
    assert belief.level == "failed" and belief.verdict.startswith("Loses after costs: net " if net < 0 else "Breaks even after costs: net 0 ")
    for key in ("luck", "selection", "length", "order", "stress", "overfitting"):
        test = next(test for test in belief.questions if test.key == key)
        assert (test.answer, test.value, test.sentence) == ("open", None, "Not evaluated: the run earns nothing after costs."), key
    assert answer(belief, "costs") == "failed"
    assert "100" not in " ".join(test.sentence for test in belief.questions), "no zero-edge strategy that reaches a negative Sharpe 100 times in 100"


def test_a_sharpe_that_is_not_above_zero_is_not_set_against_luck():
    belief = believe(GOOD, **{**ALL, "significance": LOSING})
    sentences = {test.key: test.sentence for test in belief.questions}
    assert sentences["luck"] == sentences["selection"] == f"The Sharpe ratio is not above zero ({LOSING.sharpe_year:.2f})."
    assert (answer(belief, "luck"), answer(belief, "selection"), answer(belief, "length")) == ("failed", "failed", "failed")


def test_a_losing_run_fails_whatever_else_passes():
    belief = believe({**GOOD, "net_return": -0.031}, **ALL)
    assert (belief.level, belief.verdict) == ("failed", "Loses after costs: net -3.1 % over 400 trades.")
    assert believe({**GOOD, "net_return": 0.0}, **ALL).verdict == "Breaks even after costs: net 0 over 400 trades, so there is no profit to assess."
    assert believe(dict(trades=0.0, net_return=0.0)).level == "open"


def test_luck_among_many_trials_is_a_probability():
    belief = believe(GOOD, **{**ALL, "significance": NOISE})
    assert belief.level == "failed" and answer(belief, "selection") == "failed"
    sentence = next(test.sentence for test in belief.questions if test.key == "selection")
    assert sentence == f"The best of 14 zero-edge trials would reach this Sharpe ({NOISE.sharpe_year:.2f}) with {round(100 * NOISE.luck_beats)} % probability."
    assert belief.verdict.startswith("Profitable after costs, but a zero-edge strategy would reach this Sharpe (") and "further check" in belief.verdict


@pytest.mark.parametrize(
    ("change", "key", "answered", "words"),
    [
        (dict(band=(-0.02, 0.4)), "execution", "failed", "with 3 bars decided pessimistically it nets -2.0 %, optimistically +40.0 %"),
        (dict(band=(0.1, 0.4)), "execution", "doubtful", "optimistically +40.0 %"),
        (dict(overfitting=dataclasses.replace(SWEEP, pbo=0.61)), "overfitting", "failed", "the best of 320 variants in one half of the time is no better than the median in the other in 61 % of 12,870 splits"),
        (dict(stress=(dict(title="spread doubled", net_return=-0.1), *STRESS)), "stress", "doubtful", "1 of 3 scenarios end with a loss; the worst, spread doubled, nets -10.0 %"),
        (dict(monte_carlo=dataclasses.replace(HISTORIES, chance_of_loss=0.3)), "order", "failed", "30 % of 100 paths, resampled in blocks, end with a loss"),
        (dict(remarks=[Remark("severe", "one_trade", "83 % of profit comes from one trade.", 0.83)]), "remarks", "failed", "83 % of profit comes from one trade"),
        (dict(remarks=[Remark("note", "x", "A note.", 1.0)]), "remarks", "passed", "evidence about these bars"),
    ],
)
def test_the_verdict_names_the_first_failed_check(change, key, answered, words):
    belief = believe(GOOD, **{**ALL, **change})
    assert answer(belief, key) == answered and words in belief.verdict
    assert belief.level == answered if answered != "passed" else belief.level == "passed"


def test_failed_checks_come_before_doubtful_ones():
    belief = believe({**GOOD, "break_even_factor": 1.05}, **{**ALL, "band": (0.1, 0.4)})
    assert belief.level == "failed" and "break-even at 1.05 times the spread paid" in belief.verdict


def test_cost_sensitivity_is_graded_by_the_break_even_multiple():
    assert [answer(believe({**GOOD, "break_even_factor": factor}, **ALL), "costs") for factor in (1.1, 1.5, 2.5, None)] == ["failed", "doubtful", "passed", "open"]


def test_a_belief_is_plain_and_a_pure_function_of_its_arguments():
    belief = believe(GOOD, **ALL, remarks=[Remark("warning", "x", "Odd.", 1.0)])
    assert json.loads(json.dumps(dataclasses.asdict(belief), allow_nan=False))["lint"] == "warning"
    assert belief == believe(GOOD, **ALL, remarks=[Remark("warning", "x", "Odd.", 1.0)])
    assert {test.answer for test in belief.questions} <= set(ANSWERS) and all(test.sentence.endswith(".") and test.asks.endswith("?") for test in belief.questions)


def test_no_sentence_promises():
    for significance in (EDGE, NOISE, None):
        for net in (0.3, -0.1):
            text = " ".join([(belief := believe({**GOOD, "net_return": net}, **{**ALL, "significance": significance})).verdict, *(test.sentence for test in belief.questions)])
            assert not {"guarantee", "guaranteed", "proven", "certain", "safe", "will"} & set(text.lower().replace(".", " ").replace(",", " ").split())
