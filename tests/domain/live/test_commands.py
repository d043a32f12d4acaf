"""Commands, approvals and governors of a session: the backtest with the same commands on the same tape gives the same files."""

from __future__ import annotations

import os
from itertools import groupby

import numpy as np
import pytest

from domain.live.command import Command, command
from domain.live.plan import Plan, StrategyPlan
from domain.live.replaying import opening, replay, split
from domain.live.session import Session
from domain.trading.rules import rules_from
from tests.domain.live.test_replay_is_backtest import ONE, SEVERAL, STRICT, assert_equal
from tests.domain.live.world import contexts, plan_of, start, tape_of

MINUTE = 60_000_000_000
SEEDS = range(int(os.environ.get("TIDEMARK_CASES", 1)))
TWO = StrategyPlan("simple_ma", {"fast": 3, "slow": 9}), StrategyPlan("breakout", {"lookback": 20}, ("EURUSD M15",))
REQUEST = (
    ("pause", {}), ("continue", {}), ("close", {"share": 0.5}), ("close", {"instrument": "EURUSD", "side": "long"}), ("close-all", {}), ("halt", {}), ("halt", {"keep": True}), ("release", {}),
    ("order", {"instrument": "EURUSD", "side": "long", "lots": 0.3, "stop": 0.5}), ("order", {"instrument": "EURUSD", "side": "short", "lots": 0.1}), ("blackout", {"add": "12:00-13:00 UTC"}),
    ("blackout", {"remove": "12:00-13:00 UTC"}),
)  # fmt: skip


def drawn(seed: int, own: tuple[tuple[str, dict], ...], count: int = 12) -> list[Command]:
    random, ends = np.random.default_rng(seed), [bar.end for bar in tape_of(*ONE) if bar.ts >= start()]
    request = [*REQUEST, *own, *own]
    chosen = [request[int(random.integers(len(request)))] for _ in range(count)]
    times = np.sort(random.choice(ends, count) + random.integers(-1, 3, count) * MINUTE)
    return [command(int(ts), "ana", verb, arguments, "drawn") for ts, (verb, arguments) in zip(times, chosen, strict=True)]


@pytest.mark.parametrize("seed", SEEDS)
def test_random_commands_on_one_strategy(seed, tmp_path):
    own = ("set", {"parameters": {"lookback": 12}}), ("disable", {}), ("enable", {}), ("set", {"parameters": {"stop_atr": 1.0, "quiet": 0.0}})
    assert_equal(plan_of(SEVERAL, "breakout", {"lookback": 20}, STRICT), tmp_path, drawn(seed, own))


@pytest.mark.parametrize("seed", SEEDS)
def test_random_commands_on_several_strategies(seed, tmp_path):
    own = ("set", {"strategy": "breakout", "parameters": {"lookback": 12}}), ("disable", {"strategy": "simple_ma"}), ("enable", {"strategy": "simple_ma"}), ("halt", {"strategy": "breakout"}), ("release", {"strategy": "breakout"})
    assert_equal(Plan(SEVERAL, TWO, STRICT, "auto", start()), tmp_path, drawn(seed, own))


@pytest.mark.parametrize(("seed", "closes"), [(1, True), (2, False), (3, True)])
def test_a_stop_ends_the_session_as_soon_as_nothing_is_open(seed, closes, tmp_path):
    plan, at = plan_of(SEVERAL, "breakout", {"lookback": 20}, STRICT), tape_of(*ONE)[600 + seed].end + MINUTE
    commands = [command(at - MINUTE, "ana", "close-all"), command(at, "ana", "stop", {"close": closes}), command(at + 90 * MINUTE, "ana", "stop", {"close": True})]
    worked = list(replay(plan, tape_of(*SEVERAL), commands))
    assert worked[-1].ended and worked[-1].ts < tape_of(*ONE)[-1].ts
    assert_equal(plan, tmp_path, commands)


def test_proposals_wait_to_be_approved_until_their_next_bar_ends(tmp_path):
    plan = plan_of(ONE, "breakout", {"lookback": 10, "quiet": 0.0}, STRICT, "approve")
    bars, beside = tape_of(*ONE), contexts(ONE)
    proposed = [decision for each in replay(plan, bars, (), beside) for decision in each.decisions]
    assert {decision.verdict for decision in proposed} <= {"proposed", "expired", "refused"} and len(proposed) > 20
    waiting = [decision for decision in proposed if decision.verdict == "proposed"]
    commands = [command(decision.ts + (k % 3) * 8 * MINUTE, "ana", "approve", {"order": decision.order_id, "series": ONE[0]}) for k, decision in enumerate(waiting)]
    worked = list(replay(plan, bars, commands, beside))
    verdicts = [decision.verdict for each in worked for decision in each.decisions]
    assert verdicts.count("approved") > 3 and verdicts.count("expired") > 3
    assert any("no proposal" in remark for each in worked for remark in each.remarks)
    assert assert_equal(plan, tmp_path, commands) > 6


def test_the_stops_of_the_preset_volatility(tmp_path):
    rules = rules_from({"execution": {"stops": "volatility", "intrabar": "path"}})
    assert assert_equal(plan_of(SEVERAL, "breakout", {"lookback": 10}, rules), tmp_path)


def test_what_could_not_be_done_is_stated_and_what_was_done_stands_on_the_tape():
    plan = plan_of(ONE, "momentum")
    at = tape_of(*ONE)[700].end
    worked = list(replay(plan, tape_of(*ONE), [command(at, "ana", "close", {"instrument": "EURUSD"}), command(at, "ana", "pause")]))
    message = [(each.commands[0].command, each.ts == at, each.remarks) for each in worked if each.commands]
    assert [(name, exact) for name, exact, _ in message] == [("close", True), ("pause", True)] and message[1][2] == ()


def test_rebuilt_from_its_tape_and_commands_a_session_is_what_it_was():
    plan, bars, beside = Plan(SEVERAL, TWO, STRICT, "auto", start()), tape_of(*SEVERAL), contexts(SEVERAL)
    own = ("set", {"strategy": "breakout", "parameters": {"lookback": 12}}), ("disable", {"strategy": "simple_ma"})
    history, traded = split(bars, plan)
    commands, until = drawn(5, own), tape_of(*ONE)[700].ts + 5 * MINUTE
    session = Session.start(plan, history, beside)
    due = [each for each in commands if each.ts <= until]
    for each in due:
        session.command(each)
    worked = []
    for ts, together in groupby(opening([bar for bar in traded if bar.ts <= until]), key=lambda bar: bar.ts):
        for bar in together:
            session.open_bar(bar.series, bar.ts, bar.open, bar.spread, bar.end)
            if bar.end <= until:
                session.end_bar(bar.series, bar.high, bar.low, bar.close, bar.volume)
        worked += session.work(ts)
    worked += session.work(until)
    stored, ended = session.store(), [bar for each in worked for bar in each.bars]
    again, reported = Session.rebuild(plan, stored, lambda text: [bar for bar in (*history, *ended) if bar.series == text], due, beside)
    assert again.store() == stored and again.view() == session.view()
    assert [row for each in reported for row in (*each.fills, *each.trades)] == [row for each in worked for row in (*each.fills, *each.trades)]
