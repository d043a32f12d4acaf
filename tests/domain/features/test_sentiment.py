"""How news sounds: words with their signs, and a mean that fades, against a loop."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from domain.errors import BadRequest
from domain.features import Context, compute, use
from domain.features.sentiment import Scorer, lexicon, read_headlines, score
from domain.outside.timed_values import TimedValues
from tests.domain.features.world import market

GOOD = ("Dollar rallies on strong jobs data", "Stocks soar to record high", "Trade deal lifts hopes", "Jobless claims fall to lowest in months", "Bank avoids default", "No recession in sight", "Growth accelerates")
BAD = ("Stocks plunge as recession fears grow", "Unemployment rises sharply", "Bank defaults", "No growth this year", "Sell-off deepens on war worries", "Results aren't good", "No breakthrough in sight")
SILENT = ("", "Fed minutes at 14:00", "EUR/USD 1.0854", "Durable goods orders", "日本銀行")


@pytest.mark.parametrize("text", GOOD)
def test_good_news_sounds_good(text):
    assert 0.1 < score(text) < 1


@pytest.mark.parametrize("text", BAD)
def test_bad_news_sounds_bad(text):
    assert -1 < score(text) < -0.1


@pytest.mark.parametrize("text", SILENT)
def test_what_it_does_not_know_scores_nothing(text):
    assert score(text) == 0


def test_a_negation_turns_what_follows_and_takes_some_of_it():
    assert lexicon().scores("good") == [0.4]
    assert lexicon().scores("not good") == [pytest.approx(-0.3)]
    assert lexicon().scores("not at all good") == [pytest.approx(-0.3)]
    assert lexicon().scores("not that they ever are good") == [0.4], "too far away"
    assert lexicon().scores("isn't good") == lexicon().scores("isn’t good") == [pytest.approx(-0.3)]


def test_degrees_multiply_the_next_word_only():
    assert lexicon().scores("sharply lower") == [pytest.approx(-0.45)]
    assert lexicon().scores("sharply worded, lower") == [-0.3]


def test_more_of_a_bad_thing_is_bad_and_less_of_it_is_good():
    assert score("inflation rises") < 0 < score("inflation falls")
    assert score("profit rises") > 0 > score("profit falls") - score("profit")
    assert score("tensions rise") == pytest.approx(-score("tensions fall"), abs=1e-12)


def test_two_words_that_are_one_entry_count_once():
    assert lexicon().scores("rate cuts") == [0.3] and lexicon().scores("rate and cuts") == [-0.2]


def test_forms_of_a_word_are_that_word():
    for form in ("rally", "rallies", "rallied", "rallying"):
        assert lexicon().scores(form) == [0.6]
    for form in ("slip", "slips", "slipped", "slipping"):
        assert lexicon().scores(form) == [-0.2]


def test_the_lexicon_is_well_formed():
    table = lexicon()
    assert len(table.words) > 200 and all(-1 <= value <= 1 for value in table.words.values())
    assert all(word == word.lower() for word in table.words)
    assert table.burdens | table.movements <= set(table.words), "what they name has a score"
    assert all(table.words[word] < 0 for word in table.burdens)
    assert not table.negations & set(table.words) and not set(table.degrees) & set(table.words)


def test_any_text_scores_inside_its_bounds():
    rng = np.random.default_rng(8)
    words = [*lexicon().words, *lexicon().negations, *lexicon().degrees, "the", "'s", "-", "€"]
    for _ in range(300):
        assert -1 <= score(" ".join(rng.choice(words, rng.integers(0, 30)))) <= 1


def test_headlines_are_read_in_the_order_they_appeared_in():
    frame = pd.DataFrame({"ts": pd.to_datetime(["2024-07-11T14:31+02:00", "2024-07-11T12:30Z", None, "2024-07-12T00:00Z"], utc=True), "headline": ["Stocks plunge", "Stocks soar", "Stocks soar", None]})
    scores = read_headlines(frame)
    assert scores.times.view("datetime64[ns]").astype("datetime64[m]").astype(str).tolist() == ["2024-07-11T12:30", "2024-07-11T12:31"]
    assert scores.values[0] > 0 > scores.values[1]
    assert len(read_headlines(frame.iloc[:0]).times) == 0


def test_another_scorer_takes_the_place_of_the_lexicon():
    class Model:
        def __call__(self, text: str) -> float:
            return 0.25 if "rate" in text else -0.25

    model: Scorer = Model()
    frame = pd.DataFrame({"ts": pd.to_datetime(["2024-07-11T12:30Z", "2024-07-11T12:31Z"]), "headline": ["rate", "growth"]})
    assert read_headlines(frame, model).values.tolist() == [0.25, -0.25]


@pytest.mark.parametrize(("frame", "scorer", "message"), (
    (pd.DataFrame({"time": [1], "headline": ["x"]}), score, "no column 'ts'"),
    (pd.DataFrame({"ts": pd.to_datetime(["2024-07-11"]), "headline": ["x"]}), score, "no zone"),
    (pd.DataFrame({"ts": pd.to_datetime(["2024-07-11"], utc=True), "headline": ["x"]}), lambda text: 1.5, "gave 1.5 for 'x'"),
    (pd.DataFrame({"ts": pd.to_datetime(["2024-07-11"], utc=True), "headline": ["x"]}), lambda text: float("nan"), "gave nan for 'x'"),
))  # fmt: skip
def test_what_is_no_list_of_headlines_is_refused(frame, scorer, message):
    with pytest.raises(BadRequest, match=message):
        read_headlines(frame, scorer)


@pytest.mark.parametrize("half_life", (0.5, 24.0, 1e6))
def test_the_mean_fades_by_the_clock(half_life):
    bars, context = market(600)
    ends = context.ends(bars)
    column = compute(bars, [use("sentiment", half_life=half_life)], context)[f"sentiment({half_life})"].to_numpy()
    for i in (0, 5, 60, 299, 599):
        seen = context.headlines.until(int(ends[i]))
        if not len(seen.times):
            assert np.isnan(column[i])
            continue
        hours = (seen.times[-1] - seen.times) / 3.6e12      # ages from the last: the rest falls out of the mean
        weights = 0.5 ** (hours / half_life)
        assert column[i] == pytest.approx((seen.values * weights).sum() / weights.sum(), rel=1e-9)


def test_a_headline_counts_from_the_bar_by_whose_end_it_was_out():
    bars, context = market(50)
    out = int(context.ends(bars)[20])
    for late, first in ((0, 20), (1, 21)):
        headlines = TimedValues(np.array([out + late]), np.array([0.5]))
        column = compute(bars, [use("sentiment")], Context(context.instrument, context.timeframe, headlines=headlines))["sentiment(24.0)"].to_numpy()
        assert np.isnan(column[:first]).all() and (column[first:] == 0.5).all()


def test_what_is_not_known_yet_changes_nothing():
    bars, context = market(900)
    full = compute(bars, [use("sentiment")], context)["sentiment(24.0)"].to_numpy()
    for cut in (1, 40, 333, 899):
        part = compute(bars.iloc[:cut], [use("sentiment")], context.until(int(context.ends(bars)[cut - 1])))["sentiment(24.0)"].to_numpy()
        np.testing.assert_array_equal(part, full[:cut])


def test_a_half_life_of_nothing_is_refused():
    bars, context = market(50)
    with pytest.raises(BadRequest, match="above 0 hours"):
        compute(bars, [use("sentiment", half_life=0.0)], context)
