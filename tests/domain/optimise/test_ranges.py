"""Ranges, grids and spaces are checked for type, size and sense before they are used."""

from __future__ import annotations

import math
import warnings

import pytest

from domain.backtest.search import Suggestions
from domain.errors import BadRequest
from domain.optimise import Search, between, combinations, dimensions, feasible, notes
from domain.optimise.grid import each_combination
from domain.optimise.objective import RANKABLE, ranked_by


@pytest.mark.parametrize(
    "low, high, step, sentence",
    [
        (math.nan, 10, 1, "the start of the range is nan; it must be a finite number"),
        (1, math.inf, 1, "the end of the range is inf; it must be a finite number"),
        (1, 10, math.nan, "the step of the range is nan"),
        (1, 2_000_000_000, 1, "has 2,000,000,000 values; at most 100,000 fit"),
        (1, 2e9, 1, "has 2,000,000,000 values"),
        (0, 1e300, 1e-300, "has about 1.00e+600 values"),
        (10, 1, 1, "must go upwards"),
        (1, 10, 0, "in steps above 0"),
        (1, 10, -1, "in steps above 0"),
        ("1", 10, 1, "the start of the range is '1'; it must be a number"),
        (None, 10, 1, "the start of the range is empty; it must be a number"),
        (True, 10, 1, "the start of the range is True; it must be a number"),
    ],
)
def test_a_range_is_refused_before_its_list_is_built(low, high, step, sentence):
    with pytest.raises(BadRequest) as refused:
        between(low, high, step)
    assert sentence in str(refused.value)


def test_a_range_of_the_maximum_length_is_valid():
    assert len(between(1, 100_000, 1)) == 100_000 and between(0.1, 0.3, 0.1) == [0.1, 0.2, 0.3]


@pytest.mark.parametrize(
    "grid, sentence",
    [
        ({"fast": 5}, "fast must be a list of values"), ({"fast": "5,10"}, "fast must be a list of values"), ({"fast": []}, "fast has no value"),
        ({"fast": [None]}, "fast is empty"), ({"fast": [[5]]}, "it must be a whole number"), ({"fast": [True]}, "it must be a whole number"), ({"fast": [2.5]}, "it must be a whole number"),
        ({"stop_atr": [math.inf]}, "stop_atr is inf"), ({"fast": range(1, 1_000), "slow": range(2, 1_000)}, "combinations; it must have between 1 and 100,000"),
        ("fast=5", "neither a mapping"), ([5], "neither a mapping"), ({"costs.spread": [{}]}, "it must be a number"), ({"account.currency": [["USD"]]}, "it must be a word"),
    ],
)  # fmt: skip
def test_a_grid_that_makes_no_sense_is_refused(grid, sentence):
    with pytest.raises(BadRequest) as refused:
        combinations("simple_ma", grid)
    assert sentence in str(refused.value)


@pytest.mark.parametrize(
    "space, sentence",
    [
        ([], "the space to search is []; it must be a mapping"),
        ({"fast": [None, 5]}, "the low end of fast is empty; it must be a number"),
        ({"fast": {"choices": 5}}, "the choices of fast must be a list of values"),
        ({"fast": {"choices": "abc"}}, "the choices of fast must be a list of values"),
        ({"fast": {"choices": []}}, "the choices of fast has no value"),
        ({"fast": {"choices": [None]}}, "fast is empty"),
        ({"fast": {"choices": [5], "low": 1}}, "fast has choices and a range"),
        ({"fast": [5, 10, "2"]}, "the step of fast is '2'; it must be a number"),
        ({"fast": "ab"}, "fast is 'ab'; write [low, high]"),
        ({"fast": [5, 50, 2.5]}, "fast is a whole number, and its step is 2.5"),
        ({"fast": [5.5, 50]}, "fast is 5.5; it must be a whole number"),
        ({"fast": [5, 50, 60]}, "the step must fit into the range"),
        ({"fast": {"low": 5, "high": 50, "lgo": True}}, "no key in the range of fast named 'lgo'; did you mean 'log'?"),
        ({"fast": {"low": 5}}, "the range of fast has no high"),
        ({"fast": {"low": 5, "high": 50, "log": "yes"}}, "log of fast is 'yes'; it must be true or false"),
        ({"stop_atr": [0.5, math.nan]}, "the high end of stop_atr is nan"),
        ({"stop_atr": [0.5, math.inf]}, "the high end of stop_atr is inf"),
        ({"stop_atr": [3, 1]}, "must go upwards"),
        ({"stop_atr": [1, 3, -1]}, "in steps above 0"),
    ],
)
def test_a_space_is_read_with_its_types_and_keys(space, sentence):
    with pytest.raises(BadRequest) as refused:
        dimensions("simple_ma", space)
    assert sentence in str(refused.value)


def test_an_end_that_no_step_meets_is_noted_and_not_searched():
    space = {"stop_atr": [0.5, 3.3, 0.5], "fast": [5, 45, 10]}
    assert notes("simple_ma", space) == ["stop_atr ends at 3.0: steps of 0.5 from 0.5 do not meet 3.3."]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        points = Suggestions(Search(30, 30, "random"), dimensions("simple_ma", space)).batch()
    assert {point["stop_atr"] for point in points} <= {0.5, 1.0, 1.5, 2.0, 2.5, 3.0} and {point["fast"] for point in points} <= {5, 15, 25, 35, 45}


def test_choices_that_repeat_are_taken_once():
    assert dimensions("simple_ma", {"fast": {"choices": [5, 10, 5]}})[0].choices == (5, 10)
    kind = dimensions("simple_ma", {"costs.slippage_kind": {"choices": ["fixed", "atr"]}})[0]
    assert kind.name == "costs.slippage_kind" and kind.choices == ("fixed", "atr")


def test_what_a_strategy_refuses_is_counted_with_its_sentence():
    points, refused = feasible("simple_ma", {}, combinations("simple_ma", {"fast": [5, 20, 35, 50], "slow": [5, 20, 35, 50]}))
    assert len(points) == 6 and sum(refused.values()) == 10


@pytest.mark.parametrize("word, sentence", [("sharp", "did you mean 'sharpe'?"), ("net", "did you mean 'net_return'?"), ("xyz", "there are")])
def test_a_figure_to_rank_by_is_known_or_refused(word, sentence):
    assert ranked_by("sharpe", RANKABLE) == "sharpe"
    with pytest.raises(BadRequest) as refused:
        ranked_by(word, RANKABLE)
    assert f"no figure named '{word}'" in str(refused.value) and sentence in str(refused.value)


def test_a_grid_of_a_thousand_million_combinations_is_counted_and_not_built():
    thousand = [round(0.5 + 0.01 * step, 2) for step in range(1_000)]
    with pytest.raises(BadRequest, match="the grid has 1,000,000,000 combinations"):
        next(each_combination("breakout", dict(lookback=range(2, 1_002), stop_atr=thousand, target_r=thousand)))
