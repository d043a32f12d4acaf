"""A session worked bar by bar gives the backtest's files, byte for byte: every strategy, one series and several as one account."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from domain.backtest.study import run
from domain.errors import BadRequest
from domain.live.backtesting import backtest, series_in
from domain.live.command import command
from domain.live.inputs import Inputs
from domain.live.plan import Plan, StrategyPlan
from domain.live.replaying import replay, split
from domain.live.session import Session
from domain.live.signal_rows import SIGNALS
from domain.outside.timed_values import TimedValues
from domain.strategies import STRATEGIES
from domain.trading.rules import rules_from
from domain.trading.signals import read_signals
from tests.domain.live.world import LENGTH, bars_of, contexts, files_of, plan_of, start, tape_of
from tests.domain.strategies.world import params_of

ONE, SEVERAL = ("EURUSD M15",), ("EURUSD H1", "EURUSD M15", "GBPUSD M15")
STRICT = rules_from({"costs": {"slippage": 0.2, "unit": "pips", "commission_per_lot": 3.5}, "sizing": {"kind": "fraction_at_risk", "value": 0.01}, "limits": {"daily_loss": 0.03, "max_positions": 3}})


def assert_equal(plan: Plan, tmp_path, commands=()) -> int:
    """The number of fills."""
    bars, beside = tape_of(*plan.series), contexts(plan.series)
    expected = backtest(plan, bars, commands, beside)
    (tmp_path / "a").mkdir(), (tmp_path / "b").mkdir()
    worked = list(replay(plan, bars, commands, beside))
    assert files_of(worked, tmp_path / "a") == files_of(expected, tmp_path / "b")
    return len(expected.fills)


@pytest.mark.parametrize("name", STRATEGIES)
def test_every_strategy_on_one_series(name, tmp_path):
    plan = plan_of(ONE, name, params_of(name)[0])
    if name == "correlation":
        with pytest.raises(BadRequest, match="needs bars of another instrument"):
            assert_equal(plan, tmp_path)
    else:
        assert_equal(plan, tmp_path)


@pytest.mark.parametrize("name", STRATEGIES)
def test_every_strategy_on_several_series_as_one_account(name, tmp_path):
    assert assert_equal(plan_of(SEVERAL, name, params_of(name)[:2][-1], STRICT), tmp_path)


def test_several_strategies_as_one_account(tmp_path):
    strategies = StrategyPlan("simple_ma", {"fast": 3, "slow": 9}), StrategyPlan("breakout", {"lookback": 20}, ("EURUSD M15", "EURUSD H1"))
    assert assert_equal(Plan(SEVERAL, strategies, STRICT, "auto", start()), tmp_path)


@pytest.mark.parametrize("strategies", [(StrategyPlan("simple_ma", {"fast": 3, "slow": 9}),), (StrategyPlan("simple_ma", {"fast": 3, "slow": 9}), StrategyPlan("breakout", {}, ("GBPUSD M15",)))])
def test_a_series_of_which_no_bar_has_ended_takes_no_part(strategies, tmp_path):
    plan, bars = Plan(("GBPUSD M15", "EURUSD M15"), strategies, STRICT, "auto", start()), tape_of("EURUSD M15")
    (tmp_path / "a").mkdir(), (tmp_path / "b").mkdir()
    assert files_of(list(replay(plan, bars)), tmp_path / "a") == files_of(backtest(plan, bars), tmp_path / "b")
    assert len(backtest(plan, bars).fills)


def test_longer_bars_that_end_in_a_gap_read_what_was_known_at_their_ends(tmp_path):
    """Closes of another instrument and external series."""
    rising = StrategyPlan("written", {"long": "relative_strength(1)@H1 > 0", "short": "vix_zscore(3)@H4 > 0.5", "exit_long": "relative_strength(1)@H1 < 0", "drawdown_tolerance": 0.0})
    series = ("EURUSD M15", "GBPUSD M15")
    kept = np.random.default_rng(3).random(2 * LENGTH) > 0.4
    bars = [bar for bar, keep in zip(tape_of(*series), kept, strict=True) if keep]
    ends = np.array([bar.end for bar in bars])
    vix = TimedValues(np.sort(ends)[::2] + 60_000_000_000, np.random.default_rng(4).normal(0, 1, len(ends[::2])))
    plan, beside = Plan(series, (rising,), start=start()), {text: replace(context, macro={"VIX": vix}) for text, context in contexts(series).items()}
    (tmp_path / "a").mkdir(), (tmp_path / "b").mkdir()
    expected = backtest(plan, bars, (), beside)
    assert files_of(list(replay(plan, bars, (), beside)), tmp_path / "a") == files_of(expected, tmp_path / "b")
    assert len(expected.fills) > 20 and set(expected.trades["side"]) == {"long", "short"}


@pytest.mark.parametrize("stopped", [False, True])
@pytest.mark.parametrize("strategies", [(StrategyPlan("simple_ma", {"fast": 3, "slow": 9}),), (StrategyPlan("simple_ma", {"fast": 3, "slow": 9}), StrategyPlan("breakout", {}, ("GBPUSD M15",)))])
def test_commands_may_name_a_series_of_which_no_bar_has_ended(strategies, stopped, tmp_path):
    """Also one whose bars come after the session was stopped."""
    plan, at = Plan(("GBPUSD M15", "EURUSD M15"), strategies, STRICT, "auto", start()), [bar.end for bar in tape_of(*ONE) if bar.ts >= start()]
    late = [bar for bar in tape_of("GBPUSD M15") if stopped and bar.ts >= at[150]]
    verbs = ("order", dict(instrument="GBPUSD", side="buy", lots=0.1)), ("order", dict(instrument="EURUSD", side="buy", lots=0.1)), ("close", dict(series="GBPUSD M15")), ("approve", dict(series="GBPUSD M15", strategy=plan.names[-1], order=1)), ("disable", dict(strategy=plan.names[-1]))
    request = [command(at[20 + 10 * place], "ana", verb, arguments) for place, (verb, arguments) in enumerate(verbs)] + [command(at[100], "ana", "stop", dict(close=True))] * stopped
    (tmp_path / "a").mkdir(), (tmp_path / "b").mkdir()
    bars = [*tape_of("EURUSD M15"), *late]
    assert files_of(list(replay(plan, bars, request)), tmp_path / "a") == files_of(backtest(plan, bars, request), tmp_path / "b")
    assert backtest(plan, bars, request).fills["order_id"].min() == -2, "the ticket of the other series is counted"


@pytest.mark.parametrize("bars", [(), tape_of("EURUSD M15")])
def test_a_session_stopped_before_its_first_bar_ends_has_empty_tables_as_its_backtest(bars, tmp_path):
    plan, request = plan_of(ONE[:1], "breakout"), [command(start() + 1, "ana", "stop")]
    (tmp_path / "a").mkdir(), (tmp_path / "b").mkdir()
    assert files_of(list(replay(plan, bars, request)), tmp_path / "a") == files_of(backtest(plan, bars, request), tmp_path / "b")
    for side in (backtest, lambda *given: list(replay(*given))):
        with pytest.raises(BadRequest, match="no series named 'EURUSD M1'"):
            side(plan, bars, [*request, command(start() + 2, "ana", "close", dict(series="EURUSD M1"))])


def test_a_strategy_that_reads_another_instrument_is_refused_without_it_however_few_the_bars(tmp_path):
    plan, few = plan_of(("EURUSD M15",), "correlation", {"other": "GBPUSD"}), tape_of("EURUSD M15")[:20]
    for side in (backtest, lambda *given: list(replay(*given)), lambda plan, bars: run(list(series_in(plan, bars).values()), plan.rules, plan.strategies[0].built)):
        with pytest.raises(BadRequest, match="which needs bars of another instrument, and there are none beside these"):
            side(replace(plan, start=None), few)


@pytest.mark.parametrize(("changes", "sentence"), [({"costs": {"slippage": 0.001}}, "for instruments whose pips differ"), ({}, "no conversion rate JPY→USD")])
def test_what_a_series_without_bars_lacks_is_refused_by_both(changes, sentence):
    plan = Plan(("EURUSD M15", "USDJPY M15" if changes else "GBPJPY M15"), (StrategyPlan("breakout"),), rules_from(changes))
    for side in (backtest, lambda *given: list(replay(*given))):
        with pytest.raises(BadRequest, match=sentence):
            side(plan, tape_of("EURUSD M15")[:20])


@pytest.mark.parametrize(("history", "changed", "beside"), [(False, False, False), (True, True, False), (True, False, True), (False, True, True)])
def test_a_strategy_that_cannot_decide_on_a_series_without_traded_bars_is_refused_by_both(history, changed, beside):
    """At once, or by the command that gives it such parameters; alone, and beside another strategy."""
    frames, others = ({"longer": "D1"}, {"longer": "H1"}), [StrategyPlan("simple_ma", {"fast": 3, "slow": 9}, ("EURUSD M15",))] * beside
    plan = Plan(("EURUSD M15", "GBPUSD H4"), (StrategyPlan("structure", frames[not changed]), *others), start=start())
    bars = [*tape_of("EURUSD M15"), *(bar for bar in tape_of("GBPUSD H4") if history and bar.ts < start())]
    request = [command(start() + 1, "ana", "set", {"strategy": "structure", "parameters": frames[1]})] * changed
    for side in (backtest, lambda *given: list(replay(*given))):
        with pytest.raises(BadRequest, match="H4 bars cannot become H1"):
            side(plan, bars, request)


@pytest.mark.parametrize("until", [0, start()])
def test_another_instrument_is_read_whose_bars_are_history_only_or_have_not_come_yet(until, tmp_path):
    plan = Plan(("EURUSD M15", "GBPUSD M15"), (StrategyPlan("correlation", params_of("correlation")[-1], ("EURUSD M15",)),), start=start())
    bars = [*tape_of("EURUSD M15"), *(bar for bar in tape_of("GBPUSD M15") if bar.ts < until)]
    (tmp_path / "a").mkdir(), (tmp_path / "b").mkdir()
    assert files_of(list(replay(plan, bars)), tmp_path / "a") == files_of(backtest(plan, bars), tmp_path / "b")
    assert len(backtest(plan, bars).fills) == (2 if until else 0)


def test_strategies_of_one_name_are_distinguished(tmp_path):
    """Each of two breakouts and two written strategies is reached by a command, and named in the decisions."""
    dips = [StrategyPlan("written", {"name": name, "long": f"close > sma({n})", "short": "", "drawdown_tolerance": 0.0}) for name, n in (("dip", 5), ("rise", 9))]
    plan = Plan(ONE, (StrategyPlan("breakout", {"lookback": 10, "quiet": 0.0}), StrategyPlan("breakout", {"lookback": 20, "quiet": 0.0}), *dips), start=start())
    assert plan.names == ("breakout", "breakout 2", "dip", "rise")
    at = [bar.end for bar in tape_of(*ONE)][-150]
    request = [command(at, "ana", "disable", {"strategy": "breakout 2"}), command(at, "ana", "disable", {"strategy": "rise"}), command(at, "ana", "set", {"strategy": "breakout", "parameters": {"lookback": 30}})]
    assert assert_equal(plan, tmp_path, request)
    worked = list(replay(plan, tape_of(*ONE), request, contexts(ONE)))
    decisions = [decision for each in worked for decision in each.decisions]
    assert {decision.strategy for decision in decisions} == set(plan.names)
    assert {decision.strategy for decision in decisions if decision.ts > at and decision.reason == "halted"} <= {"breakout 2", "rise"}


def test_set_changes_the_limit_of_drawdown_that_one_of_several_strategies_sets_itself(tmp_path):
    rules = rules_from({"sizing": {"kind": "fraction_at_risk", "value": 0.05}})
    plan, at = Plan(ONE, (StrategyPlan("simple_ma", {"fast": 3, "slow": 9}), StrategyPlan("gold_buy_dip")), rules, start=start()), [bar.end for bar in tape_of(*ONE)][-150]
    request = [command(at, "ana", "set", {"strategy": "gold_buy_dip", "parameters": {"max_drawdown_percent": 1.0}})]
    assert assert_equal(plan, tmp_path, request) < len(backtest(plan, tape_of(*ONE)).fills)


def test_a_set_is_checked_against_the_parameters_that_those_before_it_leave(tmp_path):
    plan, at = plan_of(ONE, "simple_ma", {"fast": 3, "slow": 9}), [bar.end for bar in tape_of(*ONE)][-150]
    slow, fast, slower = (command(at + k, "ana", "set", {"parameters": parameters}) for k, parameters in enumerate(({"slow": 60}, {"fast": 30}, {"slow": 5})))
    assert assert_equal(plan, tmp_path, [slow, fast])
    for side in (backtest, lambda *given: list(replay(*given))):
        with pytest.raises(BadRequest, match="fast is 30 bars and slow 5"):
            side(plan, tape_of(*ONE), [slow, fast, slower])


def test_a_set_to_another_instrument_that_is_not_there_is_refused():
    plan, bars = plan_of(("EURUSD M15", "GBPUSD M15"), "correlation", {}), tape_of("EURUSD M15", "GBPUSD M15")
    request = [command(bars[-1].end - 1, "ana", "set", {"parameters": {"other": "GBPUSD"}})]
    for side in (backtest, lambda *given: list(replay(*given))):
        with pytest.raises(BadRequest, match="which needs bars of another instrument, and there are none beside these"):
            side(plan, bars, request)


def test_a_decision_at_the_last_bar_is_counted_as_in_the_backtest():
    table = read_signals(pd.DataFrame(dict(ts=[bars_of(*ONE)["ts"].iloc[-1]], instrument="EURUSD", side="long")), ("EURUSD",))
    plan = replace(plan_of(ONE, SIGNALS), inputs=Inputs(table))
    history, traded = split(tape_of(*ONE), plan)
    session = Session.start(plan, history)
    for bar in traded:
        session.bar(bar, last=bar is traded[-1])
    session.finish()
    assert session.view().counts["end_of_data"] == backtest(plan, tape_of(*ONE)).counts["end_of_data"] == 1


def test_money_in_another_currency_is_converted_along_its_own_bars(tmp_path):
    assert assert_equal(plan_of(("USDJPY M15", "EURUSD M15"), "breakout", {"lookback": 10, "quiet": 0.0}, STRICT), tmp_path)


def test_governors_shrink_and_refuse_as_in_the_backtest(tmp_path):
    limits = {"session": "london, new_york", "rate": 1, "sector": 3, "es95": 14.0, "open_risk": 0.012, "daily_loss": 0.02, "daily_gate": True, "drift": "rsi(14)", "news": 240.0}
    rules = rules_from({"sizing": {"kind": "fraction_at_risk", "value": 0.01}, "limits": limits})
    assert assert_equal(plan_of(SEVERAL, "breakout", {"lookback": 20}, rules), tmp_path)


def test_a_rule_set_refuses_as_in_the_backtest(tmp_path):
    text = """[day]\nreset = "00:00"\ntz = "Europe/Prague"\n[daily]\nbasis = "max"\namount = "1.5 %"\nwatch = "equity"\neffect = "DAY_LOCK"\ncomparator = "<="\nbuffer = 20
[drawdown]\nkind = "trailing end-of-day balance"\namount = "6 %"\nlock = "start"\nwatch = "closed"\ncomparator = "<"\n"""
    rules = rules_from({"sizing": {"kind": "fraction_at_risk", "value": 0.01}, "gate": {"rule_set": text, "name": "own"}})
    plan = plan_of(SEVERAL, "breakout", {"lookback": 20}, rules)
    assert assert_equal(plan, tmp_path)
    counts = backtest(plan, tape_of(*SEVERAL)).counts
    assert counts["limit_headroom"] > 3
    decisions = [decision for each in replay(plan, tape_of(*SEVERAL)) for decision in each.decisions if decision.reason == "limit_headroom"]
    assert len(decisions) == counts["limit_headroom"] and all(decision.value + decision.buffer > decision.allowed for decision in decisions)


@pytest.mark.parametrize(("limits", "sentence"), [({"news": 30.0}, "limits.news is 30 minutes, and no release"), ({"session": "londn"}, "did you mean 'london'")])
def test_a_session_does_not_start_with_a_limit_that_has_nothing_to_read(limits, sentence):
    plan = plan_of(ONE, "breakout", {"lookback": 20}, rules_from({"limits": limits}))
    with pytest.raises(BadRequest, match=sentence):
        next(iter(replay(plan, tape_of(*ONE))))
