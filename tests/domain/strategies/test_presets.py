"""Presets: each is a valid strategy on its own timeframe; and where a strategy's own limit stands against the rules of prop firms."""

from __future__ import annotations

import re

import pytest

from domain.errors import BadRequest
from domain.market.timeframe import Timeframe
from domain.params import build
from domain.risk.sizing import Sizing
from domain.strategies import STRATEGIES
from domain.strategies.base import make
from domain.strategies.presets import preset_params, presets_of
from worker.desk.cautions import cautions


def test_gold_buy_dip_has_three_and_each_makes_a_strategy():
    presets = presets_of("gold_buy_dip")
    assert {name: preset.timeframe for name, preset in presets.items()} == {"conservative": "M15", "aggressive": "M1", "H1": "H1"}
    for name, preset in presets.items():
        own = make("gold_buy_dip", preset_params("gold_buy_dip", name, Timeframe.named(preset.timeframe)))
        assert own != STRATEGIES["gold_buy_dip"]() and preset.about.endswith(".")


@pytest.mark.parametrize(("strategy", "preset", "sentence"), [("gold_buy_dip", "bold", "no preset of gold_buy_dip named 'bold'"), ("gold_buy_dip", "conservative", "is for M15 bars, and these are H4"), ("breakout", "bold", "breakout has no presets")])
def test_a_preset_that_does_not_fit_is_refused(strategy, preset, sentence):
    with pytest.raises(BadRequest, match=sentence):
        preset_params(strategy, preset, Timeframe.named("H4"))


@pytest.mark.parametrize(
    ("percent", "words"),
    [(50.0, "a drawdown of 50 %.*at 4 to 10 %.*break the loss limit of every one of them"), (8.0, "a drawdown of 8 %.*break the loss limit of 2 of 7"), (3.0, "stay within the loss limit of all"), (0.0, "without a limit of drawdown.*every one")],
)  # fmt: skip
def test_the_warning_counts_the_rule_sets_that_are_broken(percent, words):
    """Loss limits of the presets: 4 % Topstep, 5 % Apex, 10 % the others."""
    (sentence,) = cautions("gold_buy_dip", dict(max_drawdown_percent=percent))
    assert re.search(words, sentence)


def test_others_have_no_warning():
    assert cautions("breakout", {}) == [] == cautions("gold_buy_dip", dict(max_drawdown_percent=-1.0))


def test_one_percent_a_day_is_a_volatility_of_a_year():
    sizing = build(Sizing, {"kind": "1 % a day", "volatility_window": 100})
    assert (sizing.kind, sizing.value, sizing.volatility_window) == ("volatility", 0.1615, 100)
