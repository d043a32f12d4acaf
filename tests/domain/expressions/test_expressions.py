"""The language against an independent, slow evaluator: the same texts are valid, and at each bar they are true, false or unknown alike."""

from __future__ import annotations

import os
import time
from functools import cache

import numpy as np
import pandas as pd
import pytest

from domain.expressions import FALSE, TRUE, UNKNOWN, written
from domain.expressions.check import condition
from domain.expressions.tokens import BadExpression
from domain.features import Context, compute, parse, use
from domain.features.engine import FeatureTable
from domain.features.expression import catalogue, column_of, condition_of_text
from domain.features.kernels.windows import deviations, means
from domain.market.bars import frame
from domain.market.resample import resample
from domain.market.timeframe import Timeframe
from tests.reference.drawn_expressions import FEATURES as DRAWN
from tests.reference.drawn_expressions import Drawn
from tests.reference.expressions import SKIP, Values, Wrong, tree

CASES = int(os.environ.get("TIDEMARK_CASES", 0)) or 80
M5, H1 = Timeframe.named("M5"), Timeframe.named("H1")
ANSWER = {True: TRUE, False: FALSE, None: UNKNOWN}


def bars_of(count: int = 60, seed: int = 3) -> pd.DataFrame:
    """Prices in eighths that often stay, a quarter of the volumes unknown, and two hours without a bar."""
    rng = np.random.default_rng(seed)
    close = 20 + np.cumsum(rng.integers(-1, 2, count)) / 8
    start = np.r_[close[0], close[:-1]]
    high, low = np.maximum(start, close) + rng.integers(0, 2, count) / 8, np.minimum(start, close) - rng.integers(0, 2, count) / 8
    ts = np.datetime64("2024-07-10T10:00", "ns").astype(np.int64) + (np.arange(count) + 24 * (np.arange(count) > 40)) * 300_000_000_000
    volume = np.where(rng.random(count) < 0.25, np.nan, rng.integers(0, 5, count))
    return frame(ts, open=start, high=high, low=low, close=close, volume=volume)


BARS, CONTEXT = bars_of(), Context(timeframe=M5)
TABLE = FeatureTable(BARS, CONTEXT)


def evaluated(text: str, table: FeatureTable = TABLE) -> np.ndarray:
    return column_of(condition_of_text(text), table.input("columns"), len(table.bars))


def slow(bars: pd.DataFrame, timeframe: Timeframe) -> Values:
    table = FeatureTable(bars, Context(timeframe=timeframe))

    def column(name, params, longer):
        return table.column(use(name, longer, **params)) if name in DRAWN else table.input(name)

    @cache
    def longer(name):
        if name == str(timeframe):
            return slow(bars, timeframe), range(len(bars))
        created = resample(bars, timeframe, Timeframe.named(name), "fx")
        ends = [Context(timeframe=frame_).ends(rows) for frame_, rows in ((timeframe, bars), (Timeframe.named(name), created))]
        return slow(created, Timeframe.named(name)), [max((k for k, end in enumerate(ends[1]) if end <= now), default=-1) for now in ends[0]]

    return Values(column, DRAWN, longer)


SLOW = slow(BARS, M5)


def agree(text: str) -> bool:
    """Valid for both and the same at each bar, or wrong for both; and whether it was valid."""
    try:
        expected = tree(text, DRAWN)
    except Wrong:
        expected = None
    begin = time.thread_time()
    try:
        condition(text, catalogue(), M5)
    except BadExpression as error:
        if "bars cannot become" in str(error):      # shorter bars than there are, which the slow evaluator knows nothing of
            return True
        assert expected is None, (text, str(error))
        assert 1 <= error.column <= len(text) + 1 and str(error).startswith(f"column {error.column}: ")
        return False
    finally:
        slowest.append((time.thread_time() - begin, text))
    if expected is None:        # the slow one knows four features only
        return False
    values = evaluated(text)
    for t in range(len(BARS)):
        answer = SLOW.at(expected, t)
        if answer is not SKIP:
            assert values[t] == ANSWER[answer], (text, t, answer)
    return True


slowest: list[tuple[float, str]] = []


def seconds_of(text: str) -> float:
    agree(text)
    return slowest[-1][0]


@pytest.mark.parametrize("part", range(4))
def test_drawn_expressions_have_the_values_of_the_slow_evaluator(part):
    drawn = Drawn(seed=part)
    texts = [drawn.condition(2 + k % 3) for k in range(CASES // 4)]
    assert sum(agree(text) for text in texts) > 0.5 * len(texts)     # the others are too long or too deep for both


def test_what_is_wrong_is_refused_with_its_column_and_quickly():
    drawn = Drawn(seed=99)
    slowest.clear()
    valid = sum(agree(drawn.wrong()) for _ in range(CASES))
    assert 0 < valid < CASES / 2
    late = [text for seconds, text in slowest if seconds > 0.005]
    assert sum(min(seconds_of(text) for _ in range(3)) > 0.005 for text in late) <= 0.01 * CASES     # again, for a pause of this process is none of the text's


NAN = float("nan")


def by_hand(text: str, **columns: list[float]) -> list:
    """The values of a condition on columns of a few bars."""
    count = len(next(iter(columns.values())))
    values = column_of(condition_of_text(text), lambda name: np.array(columns[name], np.float64), count)
    return ["n?y"[value] for value in values]


@pytest.mark.parametrize(
    "text, columns, expected",
    [
        ("close > 1 or open > 1 and low > 1", dict(close=[2], open=[2], low=[0]), "y"),                 # and before or
        ("(close > 1 or open > 1) and low > 1", dict(close=[2], open=[2], low=[0]), "n"),
        ("not close > 1 and open > 1", dict(close=[0], open=[0]), "n"),                                 # not before and: (not …) and …
        ("not close > 1 or open > 1", dict(close=[2], open=[2]), "y"),
        ("1 - 2 - 3 == -4 and 8 / 4 / 2 == 1 and 1 + 2 * 3 == 7 and (1 + 2) * 3 == 9", dict(close=[1]), "y"),
        ("-2 * -3 == 6 and - - 2 == 2 and 1 - -1 == 2 and -close + 1 == 0", dict(close=[1]), "y"),
        ("1 + 1 > 1 and 2 * 2 >= 4 and 2 != 3 and 2 <= 2 and not 2 < 2", dict(close=[1]), "y"),
        ("volume > 1", dict(volume=[NAN, 2, 1]), "?yn"),
        ("not volume > 1", dict(volume=[NAN, 2, 1]), "?ny"),
        ("volume != volume", dict(volume=[NAN, 2]), "?n"),
        ("volume == 1 or 1 == 1", dict(volume=[NAN]), "y"),
        ("volume == 1 and 1 == 2", dict(volume=[NAN]), "n"),
        ("volume == 1 or 1 == 2", dict(volume=[NAN]), "?"),
        ("volume == 1 and 1 == 1", dict(volume=[NAN]), "?"),
        ("close / volume > 0", dict(close=[1, -1, 0, 1], volume=[0, 0, 0, 2]), "???y"),                 # x / 0 is unknown, whatever x
        ("lag(close, 1) > 1", dict(close=[2, 1, 2]), "?yn"),
        ("change(close, 2) == 3", dict(close=[1, 9, 4]), "??y"),
        ("mean(close, 2) == 1.5", dict(close=[1, 2, 2]), "?yn"),
        ("sum(volume, 2) > 0", dict(volume=[1, NAN, 1, 1]), "???y"),
        ("deviation(close, 2) == 1", dict(close=[1, 3, 3]), "?yn"),                                     # over n: ((1 - 2)² + (3 - 2)²) / 2
        ("highest(close, 2) == 3 and lowest(close, 2) == 1", dict(close=[1, 3, 1, 1]), "?yyn"),
        ("highest(volume, 2) > 0", dict(volume=[5, NAN, 5, 5]), "???y"),
        ("min(close, volume) > 0", dict(close=[1, 1], volume=[NAN, 2]), "?y"),
        ("cross_above(close, 2)", dict(close=[3, 2, 3, 4, 1]), "?nynn"),                                # on the first bar: above, and before it nothing is known
        ("cross_above(close, 2)", dict(close=[1, 3]), "ny"),                                            # not above is false whatever was before
        ("cross_below(close, 2)", dict(close=[2, 1, 0, 2]), "nynn"),
        ("cross_above(volume, 2)", dict(volume=[1, NAN, 3, 3]), "n??n"),
        ("within(close > 2, 2)", dict(close=[3, 1, 1, 3]), "?yny"),
        ("held(close > 2, 2)", dict(close=[1, 3, 3, 1]), "?nyn"),
        ("within(volume > 2, 2)", dict(volume=[3, NAN, NAN, 1, 1]), "?y??n"),                           # Kleene's or of a full window
        ("held(volume > 2, 2)", dict(volume=[1, NAN, NAN, 3, 3]), "?n??y"),                             # Kleene's and
        ("volume > 1 or not volume > 1", dict(volume=[NAN]), "?"),                                      # no excluded middle
        ("close * 1" + "0" * 300 + " > 1", dict(close=[1e10, 1]), "?y"),                                # beyond what a number can hold
    ],
)
def test_by_hand(text, columns, expected):
    assert "".join(by_hand(text, **columns)) == expected


@pytest.mark.parametrize(
    "text, sentence",
    [
        ("close > smaa(50)", "column 9: no column, feature or function named 'smaa'; did you mean 'sma'?"),
        ("CLOSE > 1", "column 1: no column, feature or function named 'CLOSE'; did you mean 'close'?"),
        ("close > 1 and open", "column 11: 'and' joins two conditions, and open is a number; compare it first, as in open > 0"),
        ("close", "column 1: close is a number, not a condition; compare it with another, as in close > 0"),
        ("(close > 1) + 1 > 2", "column 13: '+' joins two numbers, and close > 1 is a condition"),
        ("(close > 1) == (open > 1)", "column 13: '==' compares two numbers, and close > 1 is a condition"),
        ("1 < close < 2", "column 11: '<' follows a comparison"),
        ("close = 1", "column 7: '=' compares nothing; write == for equal"),
        ("mean(close, 1001) > 1", "column 13: n of mean is 1001; it must be a whole number from 1 to 1,000"),
        ("mean(close, 0) > 1", "column 13: n of mean is 0"),
        ("mean(close, -1) > 1", "column 13: n of mean is a whole number that is written out, and -1 is none"),
        ("mean(close, 2 + 3) > 1", "column 13: n of mean is a whole number that is written out, and 2 + 3 is none"),
        ("lag(close > 1, 2) > 1", "column 5: x of lag is a number, and close > 1 is a condition"),
        ("within(close, 2)", "column 8: condition of within is a condition, and close is a number"),
        ("atr(windw=14) > 1", "column 5: atr has no parameter named 'windw'; did you mean 'window'?"),
        ("in_session(londn) == 1", "column 12: no session named 'londn'; did you mean 'london'?"),
        ("close@H5 > 1", "column 7: no timeframe named 'H5'"),
        ("(close > 1)@H4", "column 12: '@' follows the name"),
        ("close() > 1", "column 1: close is a column of the bars and takes no arguments"),
        ("(close > 1", "column 1: this bracket is not closed"),
        ("close > 1)", "column 10: this bracket closes none"),
        ("close > .5", "column 9: '.' is not part of the language"),
        ("close > 1 €", "column 11: '€' is not an ASCII character"),
        ("", "column 1: the expression is empty"),
        ("close > 1 and " * 40, "column 501: the expression has 560 characters; at most 500 are read"),
        ("not " * 11 + "close > 1", "column 1: the expression is more than 12 levels deep"),
        ("(" * 13 + "close > 1" + ")" * 13, "the expression is more than 12 levels deep"),
        ("1 + " * 79 + "1 > 1 + 1", "the expression has more than 80 numbers, names, calls and operators"),
    ],
)
def test_errors_name_the_column_the_finding_and_the_nearest_name(text, sentence):
    with pytest.raises(BadExpression) as error:
        condition_of_text(text)
    assert sentence in str(error.value)


def test_limits_are_met_exactly():
    assert condition_of_text("not " * 10 + "close > 1").depth == 12 and condition_of_text("not 1" + " + 1" * 38 + " > 1")     # 80 nodes
    assert condition_of_text("close > 1".ljust(500)) and condition_of_text("((((close)))) > 1 and mean(close, 1000) > 1")
    with pytest.raises(BadExpression):
        condition_of_text("not not 1" + " + 1" * 38 + " > 1")


def test_a_tree_is_written_with_the_same_meaning():
    drawn = Drawn(seed=7)
    for _ in range(CASES // 6):
        text = drawn.condition(2)
        try:
            again = written(condition_of_text(text))
        except BadExpression:
            continue
        if len(again) <= 500:
            assert written(condition_of_text(again)) == again and (evaluated(again) == evaluated(text)).all(), text


def test_windows_have_the_bits_of_the_features():
    x, table = BARS["close"].to_numpy(), FeatureTable(BARS, CONTEXT)
    for n in (1, 2, 3, 7, 20, 33):
        assert (evaluated(f"mean(close, {n}) == sma({n})", table)[n - 1 :] == TRUE).all()
        mean, deviation = (column_of(condition_of_text(f"{name}(close, {n}) > 0").left, table.input("columns"), len(x)) for name in ("mean", "deviation"))
        np.testing.assert_array_equal(mean, means(x, n))
        np.testing.assert_array_equal(deviation, deviations(x, n, 0))


def test_longer_bars_are_those_that_have_closed():
    """M5 bars from 10:00: the hour from 10 has closed with the bar of 10:55, and is known until that of 11:50."""
    values = evaluated("close@H1 == lag(close, 1)@H1 + 0.0 * close", TABLE)
    closes = compute(BARS, [parse("sma(1)@H1")], CONTEXT)["sma(1)@H1"].to_numpy()
    assert (values[:23] == UNKNOWN).all() and np.isnan(closes[:11]).all() and (closes[11:23] == BARS["close"][11]).all()
    assert [TRUE if closes[k] == closes[11] else FALSE for k in range(23, 35)] == list(values[23:35])
