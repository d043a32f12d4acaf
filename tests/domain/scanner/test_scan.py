"""A scan through the kernel: its numbers are those of a backtest of each combination, and a stranger can compute each verdict from its tables."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from domain.backtest import study
from domain.backtest.governor_tables import in_sessions
from domain.errors import BadRequest
from domain.risk.limits import Limits
from domain.risk.positions import OpenPosition
from domain.scanner.scan import ScanRequest, scan, verdict_of
from domain.scanner.tables import TRADES, VERDICTS, correlation_table, reason_counts, trade_table, verdict_table
from tests.domain.scanner import by_hand
from tests.domain.scanner.conftest import RULES, STRATEGIES
from tests.domain.scanner.markets import BARS, Every, bars, series

KEY = ["instrument", "strategy", "timeframe"]


@pytest.fixture(scope="module")
def verdicts(scanned):
    return verdict_table(scanned)


@pytest.fixture(scope="module")
def trades(scanned):
    return trade_table(scanned)


def of(verdicts, instrument, strategy, timeframe="H1"):
    return verdicts.set_index(KEY).loc[(instrument, strategy, timeframe)]


def test_each_combination_has_one_row_and_one_reason(scanned, verdicts):
    assert tuple(verdicts) == VERDICTS and len(verdicts) == 4 * len(STRATEGIES)
    assert not verdicts[KEY].duplicated().any()
    counts = verdicts["reason"].value_counts().to_dict()
    assert counts.pop("proposal") == len(scanned.proposals)
    assert counts == {key: count for key, count in reason_counts(scanned).items() if count}


def test_the_trades_are_those_of_a_backtest_of_the_combination_alone(request_, trades):
    """With the spread of each entry from what its fill says: half a spread of its lots."""
    for traded in request_.series:
        run = study.run([traded], RULES, STRATEGIES["steady"])
        closed = run.outcome.trades[run.outcome.trades["exit_reason"] != "end"].sort_values("exit_ts", kind="stable")
        own = trades[(trades[KEY] == [traded.instrument.name, "steady", str(traded.timeframe)]).all(axis=1)]
        assert len(own) > 40
        assert own["r"].tolist() == closed["r"].tolist()
        opened = run.outcome.fills[run.outcome.fills["reason"] == "market"].set_index("trade_id").loc[own["trade_id"]]
        spread = 2 * opened["spread_cost"] / (opened["lots"] * traded.instrument.contract)
        np.testing.assert_allclose(own["spread_at_entry"], spread, rtol=1e-9)


def test_a_stranger_computes_every_quality_again(verdicts, trades):
    """From the two tables alone, in plain Python."""
    graded = verdicts[verdicts["trades"] > 1]
    assert len(graded) > 8
    for row in graded.to_dict("records"):
        own = trades[(trades[KEY] == [row[name] for name in KEY]).all(axis=1)]
        r, spreads = own["r"].tolist(), own["spread_at_entry"].tolist()
        assert row["trades"] == len(r)
        q = by_hand.q_star(r, row["spread_now"], spreads, row["stop_distance"])
        assert row["q_star"] == pytest.approx(q, abs=1e-12)
        assert row["grade"] == (by_hand.grade(q) if len(r) >= 40 else "")
        assert row["q_star"] == pytest.approx(row["edge"] - row["noise"] - row["spread_cost"], abs=1e-12)
        if row["side"]:
            assert row["at_risk"] == pytest.approx(row["lots"] * 100_000 * row["stop_distance"] * row["rate"], rel=1e-9)
            assert row["es95"] == pytest.approx(by_hand.es95(r, row["at_risk"], RULES.account.balance), rel=1e-9)


def test_each_of_these_has_the_reason_that_it_was_made_for(verdicts):
    assert of(verdicts, "EURUSD", "quiet")["reason"] == "no_signal"
    assert of(verdicts, "EURUSD", "cold")["reason"] == "warm_up"
    assert of(verdicts, "EURUSD", "cold")["detail"] == "500 bars have closed, and the features need more than 899."
    assert of(verdicts, "EURUSD", "rare")["reason"] == "few_trades"
    assert of(verdicts, "EURUSD", "bare")["reason"] == "few_trades"      # without a stop there is no R
    assert of(verdicts, "EURUSD", "contrary")["reason"] == "grade"
    assert of(verdicts, "EURUSD", "steady", "H4")["reason"] == "proposal"
    assert of(verdicts, "EURUSD", "steady", "H1")["detail"] == "The signed correlation with EURUSD long (proposed) is 1.00, and 0.3 is allowed."


def test_bars_of_the_same_moves_are_not_proposed_twice(verdicts, scanned):
    """AUDUSD has the bars of GBPUSD: the correlation of their days is 1."""
    assert scanned.correlations.of("AUDUSD", "GBPUSD") == pytest.approx(1.0)
    assert [of(verdicts, name, "steady")["reason"] for name in ("GBPUSD", "AUDUSD")] == ["proposal", "correlation"]


def test_the_size_is_the_share_at_risk_of_the_distance_from_the_ask(request_, verdicts):
    row, last = of(verdicts, "EURUSD", "steady"), request_.series[0].bars.iloc[-1]
    entry = last["close"] + last["spread"]
    distance = entry - (last["close"] - 0.002)
    assert row["entry"] == pytest.approx(entry, abs=1e-9) and row["stop_distance"] == pytest.approx(distance, abs=1e-9)
    assert row["lots"] == pytest.approx(np.floor(10_000 * 0.004 / (distance * 100_000) / 0.01 + 1e-6) * 0.01)
    assert row["target"] == pytest.approx(entry + 3 * distance, abs=1e-9)


def test_open_positions_and_limits_of_the_account_are_reasons(request_, scanned):
    held = verdict_table(verdict_of(replace(request_, positions=[OpenPosition("EURUSD", 1, 0.1, 1.1, 1.1)]), scanned.combinations))
    assert of(held, "EURUSD", "steady")["reason"] == "correlation"
    assert of(held, "EURUSD", "steady")["detail"] == "The signed correlation with EURUSD long (open) is 1.00, and 0.3 is allowed."
    short = verdict_table(verdict_of(replace(request_, positions=[OpenPosition("EURUSD", -1, 0.1, 1.1, 1.1)], rules=replace(RULES, limits=Limits(max_positions=1))), scanned.combinations))
    assert of(short, "EURUSD", "steady")["reason"] == "limit"
    assert of(short, "EURUSD", "steady")["detail"] == "1 positions are open or proposed, and 1 are allowed."


def test_positions_of_the_group_and_the_session_are_reasons(request_, scanned):
    crowded = verdict_table(verdict_of(replace(request_, positions=[OpenPosition("EURUSD", -1, 0.1, 1.1, 1.1)], rules=replace(RULES, limits=Limits(sector=1))), scanned.combinations))
    assert of(crowded, "EURUSD", "steady")["detail"] == "1 positions in the group fx_usd are open or proposed, and 1 are allowed."
    ended = pd.Timestamp(scanned.combinations[0].ended, tz="UTC")
    shut = next(name for name in ("asia", "london") if not in_sessions(name, np.array([ended.value]))[0])
    closed = verdict_table(scan(replace(request_, rules=replace(RULES, limits=Limits(session=shut)))))
    assert not (closed["rank"] > 0).any()


def test_a_larger_size_breaks_the_expected_shortfall(request_):
    """Ten times the risk: 4 % of equity at the stop."""
    risky = scan(replace(request_, series=request_.series[:1], strategies=dict(steady=Every()), rules=replace(RULES, sizing=replace(RULES.sizing, value=0.04))))
    assert verdict_table(risky)["reason"].tolist() == ["es95"]


def test_a_probability_of_a_classifier_takes_the_place_of_the_trades(request_, verdicts):
    alone = replace(request_, series=request_.series[:1], strategies=dict(steady=Every()), probability=lambda series, strategy, ts: 0.05)
    row = verdict_table(scan(alone)).iloc[0]
    assert (row["p"], row["p_source"], row["reason"]) == (0.05, "classifier", "grade")
    assert row["mean_win"] == of(verdicts, "EURUSD", "steady")["mean_win"]


def test_a_signal_of_bars_that_ended_long_ago_is_out_of_date(request_):
    old = series("GBPUSD", 2)
    old = replace(old, bars=bars(2, count=BARS - 10))
    table = verdict_table(scan(replace(request_, series=[request_.series[0], old], strategies=dict(steady=Every(last=BARS - 11), now=Every()))))
    late = of(table, "GBPUSD", "steady")
    assert late["reason"] == "no_signal" and "out of date" in late["detail"]
    assert of(table, "EURUSD", "now")["reason"] == "proposal"


def test_a_strategy_that_refuses_the_bars_is_no_failure_of_the_scan(request_):
    class Refusing(Every):
        def signals(self, table: pd.DataFrame) -> pd.DataFrame:
            raise BadRequest("these bars have no volume; import bars that do")

    table = verdict_table(scan(replace(request_, series=request_.series[:1], strategies=dict(refusing=Refusing(), steady=Every()))))
    row = of(table, "EURUSD", "refusing")
    assert (row["reason"], row["detail"], row["trades"]) == ("no_signal", "These bars have no volume; import bars that do.", 0)


def test_tables_without_a_trade_have_their_columns(request_):
    empty = scan(replace(request_, series=request_.series[:1], strategies=dict(cold=Every(window=900))))
    assert tuple(trade_table(empty)) == TRADES and correlation_table(empty).values.tolist() == [["EURUSD", "EURUSD", 1.0]]


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        (dict(series=[]), "no bars are chosen"),
        (dict(strategies={}), "no strategy is chosen"),
        (dict(equity=0.0), "needs an amount above 0"),
        (dict(positions=[OpenPosition("XAUUSD", 1, 0.1, 2_000.0, 2_000.0)]), "XAUUSD has an open position and is not scanned"),
    ],
)
def test_what_cannot_be_scanned_is_a_sentence(request_, scanned, changed, sentence):
    with pytest.raises(BadRequest, match=sentence):
        verdict_of(replace(request_, **changed), scanned.combinations)


def test_the_same_series_twice_is_refused():
    with pytest.raises(BadRequest, match="EURUSD H1 is there twice"):
        ScanRequest([series(), series()], STRATEGIES)
