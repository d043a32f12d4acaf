"""A run by regime adds up to the run, and a regime known late is one of earlier bars."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from domain.analytics.metrics import METRICS, measure, nanoseconds
from domain.analytics.regimes import entered, lag_sensitivity, split
from domain.errors import BadRequest
from domain.features.regimes.labels import Regimes, coded
from tests.domain.analytics.makers import equity, fills, trades

HOUR = 3_600_000_000_000
RNG = np.random.default_rng(11)
RUN = trades(RNG.normal(0.1, 1.0, 300), every="7h")
FILLS, EQUITY, START = fills(RUN), equity(RUN), 10_000.0
BARS = 300 * 7
ENDS = nanoseconds(RUN["entry_ts"])[0] + HOUR * np.arange(-5, BARS - 5)
CODES = RNG.integers(0, 3, BARS // 50).repeat(50)
REGIMES = Regimes(ENDS, coded(np.where(np.arange(BARS) < 40, np.nan, CODES), {0: "calm", 1: "trend", 2: "panic"}))


def test_the_parts_add_up_to_the_run():
    parts = split(RUN, FILLS, EQUITY, START, REGIMES)
    assert parts.table["regime"].tolist() == ["calm", "trend", "panic", "unknown"]
    assert parts.table["trades"].sum() == len(RUN) and parts.table["share"].sum() == pytest.approx(1.0)
    assert parts.table["net"].sum() == pytest.approx(RUN["pnl"].sum())
    assert parts.table["equity"].sum() == pytest.approx(EQUITY["equity"].iloc[-1] - START)
    curves = parts.equity.drop(columns="ts")
    np.testing.assert_allclose((curves - START).sum(axis=1) + START, EQUITY["equity"])
    pd.testing.assert_series_equal(parts.equity["ts"], EQUITY["ts"])


def test_a_trade_belongs_to_the_bar_that_had_ended_when_it_was_entered():
    labels, instants = entered(RUN, REGIMES), nanoseconds(RUN["entry_ts"])
    for k in (0, 7, 150, 299):
        ended = [t for t in range(BARS) if ENDS[t] <= instants[k]]
        label = REGIMES.labels[ended[-1]]
        assert labels[k] == ("unknown" if pd.isna(label) else label)
    assert split(RUN, FILLS, EQUITY, START, REGIMES).trades["regime"].tolist() == list(labels)


def test_equity_belongs_to_the_regime_that_was_known_when_it_began_to_change():
    parts, ts, values = split(RUN, FILLS, EQUITY, START, REGIMES), nanoseconds(EQUITY["ts"]), EQUITY["equity"].to_numpy()
    gained = dict.fromkeys([*REGIMES.names, "unknown"], 0.0)
    for k in range(len(ts)):
        ended = np.flatnonzero(ts[k - 1] >= ENDS) if k else np.flatnonzero(ts[0] - 1 >= ENDS)
        label = REGIMES.labels[ended[-1]] if len(ended) else np.nan
        gained["unknown" if pd.isna(label) else label] += values[k] - (values[k - 1] if k else START)
    for name, money in zip(parts.table["regime"], parts.table["equity"], strict=True):
        assert money == pytest.approx(gained[name])


def test_one_regime_for_all_is_the_run_itself():
    parts = split(RUN, FILLS, EQUITY, START, Regimes(ENDS, coded(np.zeros(BARS), {0: "calm"})))
    assert parts.table["regime"].tolist() == ["calm"] and list(parts.metrics["calm"]) == list(METRICS)
    metrics = measure(RUN, FILLS, EQUITY, START)
    assert parts.metrics["calm"] == pytest.approx(metrics, nan_ok=True)


def test_figures_of_a_regime_are_of_its_trades():
    parts = split(RUN, FILLS, EQUITY, START, REGIMES)
    own = RUN[np.asarray(entered(RUN, REGIMES) == "trend")]
    assert parts.metrics["trend"]["win_rate"] == pytest.approx((own["pnl"] > 0).mean())
    assert parts.metrics["trend"]["net_profit"] == pytest.approx(parts.table.set_index("regime")["equity"]["trend"])


def test_a_regime_known_late_is_the_one_of_so_many_bars_before():
    table = lag_sensitivity(RUN, REGIMES, (0, 3)).set_index(["regime", "late"])
    for late in (0, 3):
        rows = np.searchsorted(ENDS, nanoseconds(RUN["entry_ts"]), side="right") - 1 - late
        own = RUN[[row >= 0 and REGIMES.labels[row] == "panic" for row in rows]]
        assert table.loc[("panic", late), "trades"] == len(own) and table.loc[("panic", late), "net"] == pytest.approx(own["pnl"].sum())
        assert table.loc[("panic", late), "r_mean"] == pytest.approx(own["r"].mean())


def test_a_delay_must_be_given():
    with pytest.raises(BadRequest, match="late needs one at least"):
        lag_sensitivity(RUN, REGIMES, late=())


def test_an_edge_that_is_gone_a_bar_later_is_seen_to_be_gone():
    """Trades win in the bar after a switch to panic and lose otherwise: known at once it is all profit, known a bar late all loss."""
    codes = np.zeros(BARS)
    codes[5::7] = 1
    good = trades(np.full(300, 1.0), every="7h")
    regimes = Regimes(ENDS, coded(codes, {0: "calm", 1: "panic"}))
    table = lag_sensitivity(good, regimes, (0, 1, 7)).query("regime == 'panic'")
    assert table["trades"].tolist() == [300, 0, 299] and table["net"].tolist() == pytest.approx([30_000.0, 0.0, 29_900.0])


def test_no_trade_and_no_row_are_no_trouble():
    empty = split(RUN.iloc[:0], FILLS.iloc[:0], EQUITY.iloc[:0], START, REGIMES)
    assert empty.table.empty and empty.metrics == {}
    idle = split(RUN.iloc[:0], FILLS.iloc[:0], EQUITY, START, REGIMES)
    assert idle.table["trades"].sum() == 0 and lag_sensitivity(RUN.iloc[:0], REGIMES)["net"].eq(0).all()
