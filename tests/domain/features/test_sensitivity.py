"""How much history a value needs is what a second computation from that history says."""

from __future__ import annotations

import numpy as np
import pytest

from domain.features import compute, use
from domain.features.sensitivity import HISTORIES, sensitivity
from domain.features.summary import summary
from tests.domain.features.world import market

BARS, CONTEXT = market(2_500)
USES = (use("sma", window=50), use("sma", window=300), use("ema", window=200), use("atr", "H1", window=14), use("volatility_rank"))


def test_each_history_gives_what_computing_its_bars_alone_gives():
    result = sensitivity(BARS, USES, CONTEXT)
    assert {(row.column, row.history) for row in result} == {(use.column, history) for use in USES for history in HISTORIES}
    full = compute(BARS, USES, CONTEXT).iloc[-1]
    for row in result:
        alone = compute(BARS.tail(row.history).reset_index(drop=True), USES, CONTEXT)[row.column].iloc[-1]
        assert row.full == full[row.column] and (row.value == alone or (np.isnan(row.value) and np.isnan(alone)))


def test_a_window_settles_at_its_length_and_a_recursion_comes_nearer_with_every_bar():
    off = {(row.column, row.history): row.off for row in sensitivity(BARS, USES, CONTEXT)}
    assert off["sma(50)", 199] < 1e-12 and np.isnan(off["sma(300)", 199]) and off["sma(300)", 399] < 1e-12
    ema = [off["ema(200)", history] for history in HISTORIES]
    assert ema[1] > 1e-6 and ema[1:] == sorted(ema[1:], reverse=True) and ema[-1] < ema[1] / 100


def test_a_history_that_is_not_shorter_says_nothing():
    assert {row.history for row in sensitivity(BARS.head(500), USES[:1], CONTEXT)} == {199, 399}
    assert sensitivity(BARS.head(100), USES, CONTEXT) == []


def test_the_word_after_each_column_is_where_a_job_stops():
    class Stop(Exception):
        pass

    def watch(share: float) -> None:
        if share:
            raise Stop

    with pytest.raises(Stop):
        sensitivity(BARS, USES, CONTEXT, watch=watch)


def test_a_summary_tells_where_values_begin_and_lie():
    values = compute(BARS, [use("sma", window=50)], CONTEXT)["sma(50)"].to_numpy()
    figures = summary(use("sma", window=50), values, CONTEXT)
    assert (figures.warm_up, figures.first, figures.unit, figures.family) == (49, 49, "price", "trend") and figures.coverage == pytest.approx(1 - 49 / len(values))
    assert figures.low == np.nanmin(values) and figures.median == np.nanmedian(values) and figures.last == values[-1]
    nothing = summary(use("sma"), np.full(10, np.nan), CONTEXT)
    assert (nothing.coverage, nothing.first) == (0.0, None) and np.isnan(nothing.median)
