"""What a session trades on beside its bars gives the backtest's files byte for byte, and a session that is stored and restored in the middle goes on with it."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby

import numpy as np
import pandas as pd
import pytest

from domain.backtest.study import SIGNALS as NAMED
from domain.errors import BadRequest
from domain.live.backtesting import backtest
from domain.live.command import command
from domain.live.inputs import Inputs
from domain.live.plan import Plan
from domain.live.replaying import opening, replay, split
from domain.live.session import Session
from domain.live.signal_rows import SIGNALS
from domain.market.bars import ts_of
from domain.market.instrument import instrument
from domain.market.timeframe import Timeframe
from domain.trading.rules import rules_from
from domain.trading.signals import read_signals
from domain.trading.task import Rate
from tests.domain.live.world import HISTORY, M15, bars_of, contexts, files_of, plan_of, tape_of
from tests.domain.strategies.world import params_of

TWO = ("GBPUSD M15", "EURUSD M15")


def table_of(*names: str) -> pd.DataFrame:
    """Signals of every kind on the traded bars, in no order."""
    random, rows = np.random.default_rng(3), []
    for name in names:
        bars = bars_of(f"{name} M15").iloc[HISTORY:]
        for at in random.choice(len(bars) - 20, 40):
            bar, side, order = bars.iloc[at], random.choice([1, -1]), random.choice(["market", "market", "stop", "limit", "exit"])
            price = bar["close"] * (1 + 0.0004 * side * (1 if order == "stop" else -1)) if order in ("stop", "limit") else np.nan
            rows.append(dict(ts=bar["ts"], instrument=name, side=side, order=order, price=price, valid_bars=4.0, stop_loss=(bar["close"] if np.isnan(price) else price) * (1 - 0.002 * side), target_r_1=1.5, max_bars=12.0, tag=str(random.choice(["a", "b"]))))
    return read_signals(pd.DataFrame(rows), names)


def restored_in_the_middle(plan: Plan, bars, commands=(), every: int = 50):
    """Every instant, the session stored and restored after each ``every`` instants."""
    history, traded = split(bars, plan)
    contexts = plan.inputs.contexts
    session = Session.start(plan, history, contexts)
    for each in commands:
        session.command(each)
    for number, (ts, together) in enumerate(groupby(opening(traded), key=lambda bar: bar.ts)):
        for bar in together:
            session.bar(bar)
        yield from session.work(ts)
        if number % every == every - 1:
            past = [*history, *(each for each in traded if each.end <= session.ts)]
            session = Session.restore(plan, session.store(), lambda series, past=past: [each for each in past if each.series == series], contexts)
            for each in commands:
                if each.ts >= session.ts:
                    session.command(each)
    yield from session.finish()


def assert_equal(plan: Plan, tmp_path, commands=()):
    bars, expected = tape_of(*plan.series), backtest(plan, tape_of(*plan.series), commands, plan.inputs.contexts)
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
    files = files_of(expected, tmp_path / "a")
    assert files_of(list(replay(plan, bars, commands, plan.inputs.contexts)), tmp_path / "b") == files
    assert files_of(list(restored_in_the_middle(plan, bars, commands)), tmp_path / "c") == files
    return expected


@pytest.mark.parametrize("stops", ["signal", "volatility"])
def test_signals_are_decided_at_their_bars(tmp_path, stops):
    rules = rules_from({"sizing": {"kind": "fraction_at_risk", "value": 0.01}, **({"execution": {"stops": stops}} if stops == "volatility" else {})})
    plan = replace(plan_of(TWO, SIGNALS, rules=rules), inputs=Inputs(table_of("EURUSD", "GBPUSD")))
    assert SIGNALS == NAMED
    assert len(assert_equal(plan, tmp_path).trades) > 20


def test_signals_of_no_bar_are_named_and_those_that_cannot_be_read_are_refused(tmp_path):
    table = table_of("EURUSD")
    late = table.iloc[[0]].assign(ts=table["ts"].iloc[0] + pd.Timedelta(minutes=1))
    plan = replace(plan_of(("EURUSD M15",), SIGNALS), inputs=Inputs(pd.concat([table, late], ignore_index=True)))
    worked = list(replay(plan, tape_of("EURUSD M15")))
    assert [message.partition(" of ")[0] for each in worked for message in each.remarks] == ["1 signal"]
    others_first = Inputs(pd.concat([late, table], ignore_index=True))
    assert len(assert_equal(replace(plan, inputs=others_first), tmp_path).trades), "the rows of bars keep their numbers"
    with pytest.raises(BadRequest, match="trail_kind quantile follows prices"):
        next(iter(replay(replace(plan, inputs=Inputs(table.assign(trail_kind="quantile"))), tape_of("EURUSD M15"))))
    with pytest.raises(BadRequest, match="no table of them is given"):
        next(iter(replay(replace(plan, inputs=Inputs()), tape_of("EURUSD M15"))))
    with pytest.raises(BadRequest, match="EURUSD is traded in several timeframes"):
        plan_of(("EURUSD M15", "EURUSD H1"), SIGNALS)


def test_commands_reach_signals_and_set_has_nothing_to_set(tmp_path):
    plan = replace(plan_of(TWO, SIGNALS), inputs=Inputs(table_of("EURUSD", "GBPUSD")))
    at = ts_of(bars_of("EURUSD M15"))[HISTORY:]
    request = [command(int(at[60]) + 1, "ana", "pause"), command(int(at[110]) + 1, "ana", "continue"), command(int(at[150]) + 1, "ana", "order", dict(instrument="EURUSD", side="buy", lots=0.2))]
    assert -1 in assert_equal(plan, tmp_path, request).fills["order_id"].tolist()
    with pytest.raises(BadRequest, match="a table of signals has no parameters"):
        list(replay(plan, tape_of(*TWO), [command(int(at[60]), "ana", "set", dict(parameters=dict(lookback=30)))]))


def test_a_stopped_session_and_one_with_missed_signals_number_and_slip_the_others_by_the_whole_table(tmp_path):
    rules = rules_from({"costs": {"slippage_kind": "random", "slippage": 0.0004}})
    table = table_of("EURUSD")
    late = table.iloc[[0]].assign(ts=table["ts"].iloc[0] + pd.Timedelta(minutes=1))
    plan = replace(plan_of(("EURUSD M15",), SIGNALS, rules=rules), inputs=Inputs(pd.concat([late, table], ignore_index=True)))
    request = [command(int(ts_of(bars_of("EURUSD M15"))[HISTORY + 120]) + 1, "ana", "stop", dict(close=True))]
    fills = assert_equal(plan, tmp_path, request).fills
    rows = plan.inputs.signals_of("EURUSD").iloc[fills["order_id"] - 1]
    assert len(fills) > 5 and (fills["slippage_cost"] > 0).any() and fills["order_id"].max() > fills["order_id"].nunique()
    assert (rows["ts"].to_numpy() < fills["ts"].to_numpy()).all(), "each order_id is that of the row in the table"


def test_money_is_converted_along_pairs_that_are_not_traded(tmp_path):
    rules = rules_from({"account": {"currency": "EUR"}, "sizing": {"kind": "fraction_at_risk", "value": 0.01}})
    rates = [Rate(instrument("EURUSD"), M15, bars_of("EURUSD M15")), Rate(instrument("USDJPY"), Timeframe.named("H1"), bars_of("USDJPY H1").drop(columns="spread"))]
    plan = replace(plan_of(("GBPUSD M15",), "breakout", {"lookback": 10, "quiet": 0.0}, rules), inputs=Inputs(rates=rates))
    assert len(assert_equal(plan, tmp_path).trades) > 3
    assert stored_size(plan) < 4_096


def test_external_data_and_the_limit_news_are_read_as_they_were_known(tmp_path):
    rules = rules_from({"sizing": {"kind": "fraction_at_risk", "value": 0.01}, "limits": {"news": 120.0}})
    plan = plan_of(("EURUSD M15",), "sentiment_macro", params_of("sentiment_macro")[-1], rules)
    assert len(assert_equal(replace(plan, inputs=Inputs(contexts=contexts(plan.series))), tmp_path).trades)


def stored_size(plan: Plan) -> int:
    """Bytes of the account's state after all bars: quotes of pairs leave nothing behind."""
    history, traded = split(tape_of(*plan.series), plan)
    session = Session.start(plan, history)
    for bar in traded:
        session.bar(bar)
        session.work(bar.ts)
    return len(session.store())
