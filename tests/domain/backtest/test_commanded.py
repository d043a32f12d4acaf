"""Each verb of docs/paper-commands.md, by small examples computed by hand; each a test of the kernel and of the reference implementation."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pandas as pd
import pytest

from domain.backtest import study
from domain.backtest.commanded import Commanded, replay_commanded
from domain.backtest.parameters import versions_of
from domain.errors import BadRequest
from domain.market.instrument import instrument
from domain.market.timeframe import Timeframe
from domain.risk.limits import Limits
from domain.strategies.base import make
from domain.trading import Account, Costs, Execution, Rules
from domain.trading.command import Command, command
from domain.trading.task import Outcome, Task
from tests.reference.execution import simulate as reference
from tests.reference.worked import bars_of, run_by, task_of

FREE = Costs(spread=0.0)
HOUR = 3_600_000_000_000
START = pd.Timestamp("2024-07-10T06:00Z").value
DAY = [(1.1000, 1.1010, 1.0990, 1.1000)] * 12


def kernel(tasks: Any, account: Any, costs: Any, execution: Any, sizing: Any, rates: Any, limits: Any, commands: Any = (), strategies: Any = (), ask: bool = False, gate: Any = None) -> Outcome:
    return replay_commanded(tasks, Rules(account, costs, execution, sizing, limits, gate), Commanded(commands, strategies, ask), rates).outcome


@pytest.fixture(params=[kernel, reference], ids=["kernel", "reference"])
def obey(request: pytest.FixtureRequest) -> Callable[..., Outcome]:
    """The outcome of tasks and commands, without costs."""

    def run(tasks: Any, *commands: Command, strategies: Any = (), ask: bool = False, **rules: Any) -> Outcome:
        return run_by(partial(request.param, commands=list(commands), strategies=strategies, ask=ask), tasks, FREE, **rules)

    return run


def command_after(hour: float, verb: str, **arguments: Any) -> Command:
    """A command so many hours after the first bar opened."""
    return command(START + int(hour * HOUR), "ana", verb, arguments, "because")


def bought(at: int, tag: str = "", **more: Any) -> dict[str, Any]:
    return {"at": at, "side": "long", "tag": tag, "lots": 1.0, **more}


def fills(outcome: Outcome) -> list[tuple]:
    """(number of the bar, lots, reason)."""
    hours = (outcome.fills["bar_ts"].array.as_unit("ns").asi8 - START) // HOUR
    return list(zip(hours.tolist(), outcome.fills["lots"].tolist(), outcome.fills["reason"].astype(str).tolist(), strict=True))


def replayed(tasks: list[Task], *commands: Command, **more: Any) -> Any:
    return replay_commanded(tasks, Rules(costs=FREE), Commanded(list(commands), **more))


# --- pause


def test_a_pause_refuses_entries_and_cancels_what_waits_while_stops_go_on(obey):
    rows = [*DAY[:5], (1.1000, 1.1000, 1.0900, 1.1000), *DAY[:3]]
    waiting = bought(1, "waiting", order="limit", price=1.0500)
    task = task_of(bars_of(*rows), bought(0, "a", stop_loss=1.0950), waiting, bought(4, "refused"), bought(6, "after"))
    outcome = obey(task, command_after(3.5, "pause"), command_after(6.5, "continue"))
    assert fills(outcome) == [(1, 1.0, "market"), (5, 1.0, "stop_loss"), (7, 1.0, "market"), (8, 1.0, "end")]
    assert list(zip(outcome.reviews["order_id"], outcome.reviews["reason"].astype(str), strict=True)) == [(2, "halted"), (3, "halted")]
    assert outcome.reviews["ts"].iloc[0].value == START + int(3.5 * HOUR)


def test_a_command_at_an_instant_is_worked_after_it(obey):
    task = task_of(bars_of(*DAY), bought(1, "a"))
    assert fills(obey(task, command_after(2.0, "pause")))[0] == (2, 1.0, "market")
    paused = obey(task, command(START + 2 * HOUR - 1, "ana", "pause"))
    assert fills(paused) == [] and paused.counts["halted"] == 1


def test_continue_lifts_no_kill_switch_and_release_no_pause(obey):
    task = task_of(bars_of(*DAY), *(bought(at, str(at), lots=0.01) for at in range(1, 9)))
    outcome = obey(task, command_after(2.5, "halt", keep=True), command_after(3.5, "continue"), command_after(5.5, "release"), command_after(6.5, "pause"), command_after(7.5, "release"))
    assert [hour for hour, _, reason in fills(outcome) if reason == "market"] == [2, 6]


# --- exits of a person


def test_a_share_leaves_at_the_next_open_rounded_down_and_the_rest_lives_on(obey):
    task = task_of(bars_of(*DAY[:6]), bought(0, lots=0.37))
    assert fills(obey(task, command_after(2.5, "close", share=0.5))) == [(1, 0.37, "market"), (3, 0.18, "manual"), (5, 0.19, "end")]


def test_a_share_below_the_lot_step_closes_nothing_and_is_counted(obey):
    outcome = obey(task_of(bars_of(*DAY[:6]), bought(0, lots=0.05)), command_after(2.5, "close", share=0.1))
    assert (fills(outcome), outcome.counts["manual_below_step"]) == ([(1, 0.05, "market"), (5, 0.05, "end")], 1)


def test_shares_before_one_open_add_up(obey):
    task = task_of(bars_of(*DAY[:6]), bought(0, lots=0.5))
    assert fills(obey(task, command_after(2.2, "close", share=0.5), command_after(2.4, "close", share=0.5)))[1] == (3, 0.5, "manual")


def test_what_is_left_of_it_is_stopped_at_the_same_open(obey):
    rows = [*DAY[:3], (1.0900, 1.0900, 1.0900, 1.0900), *DAY[:2]]
    task = task_of(bars_of(*rows), bought(0, stop_loss=1.0950))
    outcome = obey(task, command_after(2.5, "close", share=0.5))
    assert fills(outcome) == [(1, 1.0, "market"), (3, 0.5, "manual"), (3, 0.5, "stop_loss")]
    assert outcome.trades["exit_reason"].tolist() == ["stop_loss"] and outcome.trades["pnl"].iloc[0] == pytest.approx(-1_000.0)


def test_an_exit_signal_comes_before_a_person(obey):
    task = task_of(bars_of(*DAY[:6]), bought(0), {"at": 2, "side": "", "order": "exit"})
    assert fills(obey(task, command_after(2.5, "close")))[1] == (3, 1.0, "signal")


def test_close_takes_what_every_name_fits(obey):
    euro = task_of(bars_of(*DAY[:6]), bought(0, "a"), {"at": 0, "side": "short", "tag": "b", "lots": 1.0})
    pound = task_of(bars_of(*DAY[:6]), bought(0, "a"), traded=instrument("GBPUSD"))
    for names, trades in ((dict(instrument="EURUSD", side="short"), [2]), (dict(tag="a"), [1, 3]), (dict(trade=3), [3]), (dict(series="GBPUSD H1"), [3]), (dict(strategy="one"), [1, 2]), ({}, [1, 2, 3])):
        outcome = obey([euro, pound], command_after(2.5, "close", **names), strategies=["one", "two"], balance=1e6)
        assert outcome.trades[outcome.trades["exit_reason"] == "manual"]["trade_id"].tolist() == trades, names


def test_slippage_is_paid_on_a_persons_exit():
    costs = Costs(spread=0.0, slippage=0.0010)
    result = replay_commanded([task_of(bars_of(*DAY[:6]), bought(0))], Rules(costs=costs), Commanded([command_after(2.5, "close-all")]))
    assert result.outcome.fills["price"].tolist() == pytest.approx([1.1010, 1.0990])


# --- kill switch, stop


@pytest.mark.parametrize(("keep", "last"), [(False, (3, 1.0, "kill_switch")), (True, (5, 1.0, "end"))])
def test_the_kill_switch_flattens_unless_it_is_to_keep(obey, keep, last):
    assert fills(obey(task_of(bars_of(*DAY[:6]), bought(0)), command_after(2.5, "halt", keep=keep)))[-1] == last


def test_the_kill_switch_of_a_strategy_leaves_the_other_alone(obey):
    task = task_of(bars_of(*DAY[:8]), bought(0, lots=0.1), bought(5, "later", lots=0.1))
    outcome = obey([task, task], command_after(2.5, "halt", strategy="two"), strategies=["one", "two"])
    assert fills(outcome) == [(1, 0.1, "market"), (1, 0.1, "market"), (3, 0.1, "kill_switch"), (6, 0.1, "market"), (7, 0.1, "end"), (7, 0.1, "end")]


def test_a_disabled_strategy_enters_nothing_and_its_exits_go_on(obey):
    task = task_of(bars_of(*DAY), bought(0), {"at": 3, "side": "", "order": "exit"}, bought(5, "refused"), bought(7, "enabled"))
    outcome = obey(task, command_after(2.5, "disable"), command_after(7.5, "enable"))
    assert fills(outcome) == [(1, 1.0, "market"), (4, 1.0, "signal"), (8, 1.0, "market"), (11, 1.0, "end")]


def test_stop_needs_close_while_positions_are_open():
    task = task_of(bars_of(*DAY), bought(0), bought(5, "goes on"))
    kept = replayed([task], command_after(2.5, "stop"))
    assert len(kept.outcome.equity) == 12 and kept.outcome.counts["halted"] == 0
    assert kept.remarks == ["stop of 2024-07-10T08:30:00Z: 1 positions are open; close them first, or stop with close"]
    ended = replayed([task], command_after(2.5, "stop", close=True))
    assert fills(ended.outcome) == [(1, 1.0, "market"), (3, 1.0, "manual")]
    assert (len(ended.outcome.equity), len(ended.tasks[0].bars), ended.remarks) == (4, 4, [])


def test_a_stopped_run_is_the_run_of_its_tape():
    """Flat at 02:30: the bar that is open then is not part of the tape, for nothing filled in it."""
    task, stop = task_of(bars_of(*DAY), bought(5)), command_after(2.5, "stop")
    ended, tape = replayed([task], stop), replayed([task_of(bars_of(*DAY[:2]))], stop)
    assert len(ended.tasks[0].bars) == 2
    assert ended.outcome.equity.equals(tape.outcome.equity) and ended.outcome.counts == tape.outcome.counts


# --- entries of a person


def test_a_ticket_fills_at_its_series_next_open_with_a_number_of_its_own(obey):
    minutes = task_of(bars_of(*DAY, start="2024-07-10T06:00Z", every="15min"), timeframe="M15")
    hours = task_of(bars_of(*DAY), bought(5))
    ticket = dict(instrument="EURUSD", side="sell", lots=0.57, stop=1.2000, target=1.0000)
    outcome = obey([hours, minutes], command_after(1.1, "order", **ticket), command_after(1.1, "order", **ticket, series="EURUSD H1"), command_after(1.2, "close", tag="ticket 1"))
    assert outcome.fills[["order_id", "lots"]].to_numpy().tolist()[:2] == [[-1, 0.57], [-2, 0.57]]
    assert [(str(ts)[11:16], tag) for ts, tag in zip(outcome.trades["entry_ts"], outcome.trades["tag"], strict=True)] == [("07:15", "ticket 1"), ("08:00", "ticket 2"), ("12:00", "")]
    assert sorted(set(outcome.fills["order_id"])) == [-2, -1, 1]


@pytest.mark.parametrize(
    ("lots", "limits", "more", "reason"),
    [
        (1.0, Limits(max_positions=1), {}, "limit_positions"), (1.0, Limits(max_leverage=0.012), {}, "limit_leverage"), (0.001, Limits(), {}, "below_min_lot"),
        (1.0, Limits(blackout="07:30-08:30 UTC"), {}, "blackout"), (90.0, Limits(), {}, "no_margin"), (1.0, Limits(), {"stop": 1.2000}, "stop_through"), (1.0, Limits(), {"tag": "held"}, "duplicate_tag"),
    ],
)  # fmt: skip
def test_a_ticket_goes_through_all_limits(obey, lots, limits, more, reason):
    task = task_of(bars_of(*DAY), bought(0, "held", lots=0.01))
    outcome = obey(task, command_after(1.1, "order", instrument="EURUSD", side="buy", lots=lots, **more), limits=limits, balance=100_000.0)
    assert outcome.counts[reason] == 1 and -1 not in outcome.fills["order_id"].tolist()


def test_a_ticket_in_a_halt_is_refused_at_once(obey):
    outcome = obey(task_of(bars_of(*DAY)), command_after(1.1, "pause"), command_after(1.2, "order", instrument="EURUSD", side="buy", lots=1))
    assert outcome.reviews[["order_id", "reason"]].astype(str).to_numpy().tolist() == [["-1", "halted"]]
    assert outcome.reviews["ts"].iloc[0].value == START + int(1.2 * HOUR)


def test_a_ticket_changes_no_number_of_the_signals():
    """Random slippage is drawn by the number of the signal."""
    rules = Rules(costs=Costs(spread=0.0, slippage=0.001, slippage_kind="random", seed=3))
    task = task_of(bars_of(*DAY), bought(5))
    alone, beside = (replay_commanded([task], rules, Commanded(list(commands))).outcome for commands in ([], [command_after(1.1, "order", instrument="EURUSD", side="buy", lots=0.1)]))
    assert alone.fills[alone.fills["order_id"] == 1]["price"].tolist() == beside.fills[beside.fills["order_id"] == 1]["price"].tolist()


def test_what_a_command_does_not_meet_is_stated():
    result = replayed([task_of(bars_of(*DAY))], command_after(0.5, "order", instrument="EURUSD", side="buy", lots=1), command_after(1.5, "close", trade=7), command_after(2.5, "blackout", remove="1:00-2:00 UTC"), command_after(3.5, "approve", order=3))
    assert [remark.split(": ", 1)[1] for remark in result.remarks] == ["no bar of EURUSD H1 has ended yet", "no such position is open", "there is no window '1:00-2:00 UTC'; there are none", "no proposal 3 waits"]


@pytest.mark.parametrize(
    ("verb", "arguments", "sentence"),
    [
        ("order", dict(instrument="EURSUD", side="buy", lots=1), "no instrument named 'EURSUD'; did you mean 'EURUSD'?"), ("close", dict(series="EURUSD M5"), "no series named 'EURUSD M5'; did you mean 'EURUSD H1'?"),
        ("disable", dict(strategy="brakeout"), "no strategy named 'brakeout'; did you mean 'breakout'?"), ("blackout", dict(add="noon"), "blackout is 'noon'; it must be"),
        ("set", dict(strategy="b", parameters={"a": 1}), "no strategy named 'b'"),
    ],
)  # fmt: skip
def test_a_name_that_is_not_there_is_an_error(verb, arguments, sentence):
    with pytest.raises(BadRequest) as error:
        replayed([task_of(bars_of(*DAY))], command_after(1.5, verb, **arguments), strategies=["breakout"])
    assert str(error.value).startswith(sentence)


# --- windows


def test_windows_are_added_and_removed_from_the_next_instant_on(obey):
    task = task_of(bars_of(*DAY), *(bought(at, str(at), lots=0.01) for at in range(9)))
    outcome = obey(task, command_after(2.5, "blackout", add="09:00-12:00 UTC; 20:00-21:00 UTC"), command_after(4.5, "blackout", remove="09:00-12:00 UTC"))
    assert [hour for hour, _, reason in fills(outcome) if reason == "market"] == [1, 2, 5, 6, 7, 8, 9] and outcome.counts["blackout"] == 2


# --- proposals


def test_an_approved_entry_fills_at_the_next_open_and_any_other_expires(obey):
    task = task_of(bars_of(*DAY), bought(1, "a"), bought(3, "b"), bought(5, "c"))
    outcome = obey(task, command_after(2.5, "approve", order=1), command_after(5.0, "approve", order=2), ask=True)
    assert fills(outcome) == [(3, 1.0, "market"), (11, 1.0, "end")]
    assert outcome.counts["expired"] == 2


def test_an_approved_limit_order_counts_its_bars_from_where_it_goes_live(obey):
    rows = [*DAY[:4], (1.1000, 1.1000, 1.0900, 1.1000), *DAY[:3]]
    limit = bought(1, order="limit", price=1.0950, valid_bars=2)
    assert fills(obey(task_of(bars_of(*rows), limit), command_after(2.5, "approve", order=1), ask=True))[0] == (4, 1.0, "limit")
    early = [*DAY[:2], (1.1000, 1.1000, 1.0900, 1.1000), *DAY[:4]]
    outcome = obey(task_of(bars_of(*early), limit), command_after(2.5, "approve", order=1), ask=True)
    assert fills(outcome) == [] and outcome.counts["expired"] == 1


def test_tickets_and_exits_need_no_approval(obey):
    task = task_of(bars_of(*DAY), {"at": 3, "side": "", "order": "exit", "tag": "mine"})
    outcome = obey(task, command_after(1.5, "order", instrument="EURUSD", side="buy", lots=0.1, tag="mine"), ask=True)
    assert fills(outcome) == [(2, 0.1, "market"), (4, 0.1, "signal")]


# --- parameters


def wave(count: int = 400) -> pd.DataFrame:
    import numpy as np

    price = 1.1 + 0.01 * np.sin(np.arange(count) / 9.0) + 0.00002 * np.arange(count)
    ts = pd.date_range("2024-07-08T00:00Z", periods=count, freq="1h", unit="ns")
    return pd.DataFrame(dict(ts=ts, open=price, high=price + 0.001, low=price - 0.001, close=price + 0.0003))


def test_parameters_hold_from_the_next_decision_on():
    series, at = study.Series(instrument("EURUSD"), Timeframe.named("H1"), wave()), pd.Timestamp("2024-07-16T12:00Z")
    old, new = make("breakout", dict(lookback=10)), make("breakout", dict(lookback=40))
    changed = command(at.value, "ana", "set", {"parameters": {"lookback": 40}})
    before, after, both = (study.run([series], Rules(costs=FREE), strategy, commands=commands) for strategy, commands in ((old, ()), (new, ()), (old, (changed,))))
    decided = [frame.assign(end=frame["ts"] + pd.Timedelta(hours=1)) for frame in (pd.DataFrame(result.tasks[0].signals) for result in (before, after, both))]
    expected = pd.concat([decided[0][decided[0]["end"] <= at], decided[1][decided[1]["end"] > at]], ignore_index=True)
    assert len(decided[0]) != len(decided[1]) and 0 < (expected["end"] <= at).sum() < len(expected)
    pd.testing.assert_frame_equal(decided[2].reset_index(drop=True), expected, check_dtype=False, check_categorical=False)
    assert both.outcome.trades[both.outcome.trades["exit_ts"] <= at].equals(before.outcome.trades[before.outcome.trades["exit_ts"] <= at])


def test_parameters_are_checked_when_they_are_set():
    strategy = make("breakout", {})
    with pytest.raises(BadRequest, match="did you mean 'lookback'"):
        versions_of(strategy, "breakout", [command_after(1, "set", parameters={"lokback": 3})])
    with pytest.raises(BadRequest, match="a table of signals has no parameters"):
        versions_of(None, "signals", [command_after(1, "set", parameters={"lookback": 3})])


def test_a_run_without_commands_is_the_run_it_always_was():
    task = task_of(bars_of(*DAY), bought(0, stop_loss=1.05), bought(5, "b"))
    plain, with_none = run_by(kernel, task, FREE), run_by(partial(kernel, commands=[]), task, FREE)
    assert plain.fills.equals(with_none.fills) and plain.equity.equals(with_none.equity)
    assert Account() == Rules().account and Execution() == Rules().execution
