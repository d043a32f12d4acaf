"""A live account, fed bar by bar, books what the whole run books: the same bytes, whatever is stored and restored between."""

from __future__ import annotations

import os
from dataclasses import replace
from random import Random

import numpy as np
import pytest

from domain.backtest.commanded import Commanded, replay_commanded
from domain.backtest.live import Bars, LiveSeries, LiveSimulation, OtherLayout
from domain.backtest.simulator import replay
from domain.errors import BadBars, BadRequest
from domain.market.instrument import instrument
from domain.market.timeframe import Timeframe
from domain.risk.limits import Limits
from domain.risk.sizing import Sizing
from domain.trading import Account, Costs, Rules
from domain.trading.command import in_order as sort
from domain.trading.signal_row import read_row
from tests.domain.backtest.fed import fed, in_order, unlike
from tests.reference.cases import Case, case
from tests.reference.drawn_commands import approvals, draw_commands, strategies_of

CASES = int(os.environ.get("TIDEMARK_CASES", "20"))
MINUTE = 60_000_000_000
START = 1_720_600_000_000_000_000 // (5 * MINUTE) * 5 * MINUTE


def differences(drawn: Case, restores: bool, halves: bool) -> list[str]:
    try:
        whole = replay(drawn.tasks, drawn.rules, drawn.rates)
    except BadRequest:
        return []
    return unlike(whole, fed(drawn, restores, halves))


@pytest.mark.parametrize("part", range(4))
def test_a_live_account_stored_and_restored_after_every_event_is_the_whole_run(part):
    for seed in range(part, CASES, 4):
        assert differences(in_order(case(seed)), restores=True, halves=seed % 3 == 0) == [], seed


def test_a_live_account_in_one_piece_is_the_whole_run():
    for seed in range(1000, 1000 + CASES // 2):
        assert differences(in_order(case(seed)), restores=False, halves=seed % 2 == 0) == [], seed


def commanded_differences(seed: int, ask: bool) -> list[str]:
    random, drawn = Random(f"live {seed}"), in_order(case(seed))
    commands = sort([*(approvals(drawn, random) if ask else ()), *draw_commands(drawn, random)])
    request = Commanded(commands, strategies_of(drawn), ask, {random.randrange(len(commands)): other_limits(random)} if seed % 4 else {})
    try:
        whole = replay_commanded(drawn.tasks, drawn.rules, request, drawn.rates).outcome
    except BadRequest:
        return []
    return unlike(whole, fed(drawn, seed % 2 == 0, seed % 3 == 0, request))


def other_limits(random: Random) -> dict:
    """Limits that a strategy sets for itself while it runs."""
    drawn = dict(spread_spike=random.choice((0.0, 1.2, 3.0)), volatility_spike=random.choice((0.0, 1.5)), max_positions=random.choice((0, 1)), max_leverage=random.choice((0.0, 0.5)))
    return {**drawn, "spike_window": random.choice((2, 5, 20)), "max_drawdown": random.choice((0.0, 0.01))}


@pytest.mark.parametrize("ask", [False, True])
def test_commands_on_a_live_account_do_what_they_do_to_the_whole_run(ask):
    for seed in range(2000, 2000 + CASES // 2):
        assert commanded_differences(seed, ask) == [], seed


def account(rules: Rules = Rules(), **more) -> LiveSimulation:
    return LiveSimulation([LiveSeries(instrument("EURUSD"), Timeframe.named("M5"))], rules, **more)


def feed(live: LiveSimulation, first: int, bars: int, rows=lambda n: []) -> list:
    """Bars that rise and fall, whole and worked; ``rows``: the signals of each."""
    booked, price = [], lambda n: 1.1 + 0.001 * np.sin(n / 7.0)
    for n in range(first, first + bars):
        live.open(0, START + n * 5 * MINUTE, price(n), 0.0001)
        booked += live.advance(START + n * 5 * MINUTE, lambda k, end, n=n: rows(n - 1))
        live.end(0, max(price(n), price(n + 1)) + 0.0002, min(price(n), price(n + 1)) - 0.0002, price(n + 1))
    return booked


def test_state_does_not_grow_with_history():
    live, sizes = account(), []
    for part in range(12):
        feed(live, 100 * part, 100, lambda n: [read_row(dict(side="long", stop_loss=1.0, target_r_1=0.01, tag=f"tag {n}"))] if n % 3 == 0 else [])
        sizes.append(len(live.store()))
    assert max(sizes) <= 4096 and abs(sizes[-1] - sizes[1]) < 100


def test_what_rules_read_of_earlier_bars_comes_from_the_tape():
    rules = Rules(Account(), Costs(), sizing=Sizing("volatility", 0.1, volatility_window=1_000), limits=Limits(spread_spike=3.0, spike_window=2_000))
    live = account(rules)
    feed(live, 0, 2_500)
    stored = live.store()
    assert len(stored) <= 4096
    again = account(rules).restore(live.series, rules, stored, tape=live.bars.own)
    rows = lambda n: [read_row(dict(side="long"))] if n == 2_510 else []  # noqa: E731
    ours, theirs = feed(live, 2_500, 20, rows), feed(again, 2_500, 20, rows)
    assert ours == theirs and any(booked.fills for booked in ours)


def test_a_series_that_is_late_holds_the_others_back():
    two = [LiveSeries(instrument(name), Timeframe.named("M5")) for name in ("EURUSD", "GBPUSD")]
    live = LiveSimulation(two)
    for k in range(2):
        live.open(k, START, 1.1)
    live.advance(START, lambda k, end: [])
    live.end(0, 1.1, 1.1, 1.1)
    assert live.advance(START + 60 * MINUTE, lambda k, end: []) == []
    live.end(1, 1.1, 1.1, 1.1)
    assert [booked.ts for booked in live.advance(START + 60 * MINUTE, lambda k, end: [])] == [START + 5 * MINUTE]


def test_a_bar_out_of_place_is_refused_in_a_sentence():
    live = account()
    with pytest.raises(BadRequest, match="none is open"):
        live.end(0, 1.1, 1.1, 1.1)
    live.open(0, START, 1.1)
    with pytest.raises(BadRequest, match="has not ended"):
        live.open(0, START + 5 * MINUTE, 1.1)
    with pytest.raises(BadBars, match=r"high 1\.0, low 1\.1"):
        live.end(0, 1.0, 1.1, 1.05)
    with pytest.raises(BadRequest, match="has a bar that has not ended"):
        live.finish()
    live.end(0, 1.1, 1.1, 1.1)
    with pytest.raises(BadRequest, match="before the end of the last one"):
        live.open(0, START + MINUTE, 1.1)
    live.advance(START + 5 * MINUTE, lambda k, end: [])
    with pytest.raises(BadRequest, match="has been worked already"):
        live.open(0, START, 1.1)


def test_state_of_another_layout_is_refused():
    live = account()
    stored = live.store()
    assert LiveSimulation.restore(live.series, live.rules, stored).store() == stored
    for other in (bytes([stored[0] ^ 1]) + stored[1:], stored[:-5], b""):
        with pytest.raises(OtherLayout, match="rebuild the account from its tape"):
            LiveSimulation.restore(live.series, live.rules, other)
    with pytest.raises(OtherLayout):
        LiveSimulation.restore([live.series[0]._replace(timeframe=Timeframe.named("H1"))], live.rules, stored)


def test_the_kill_switch_closes_at_the_next_open_and_holds_after_a_restore():
    live = account()
    feed(live, 0, 10, lambda n: [read_row(dict(side="long", lots=0.1))] if n == 5 else [])
    assert [held.lots for held in live.present().held] == [0.1]
    live.kill()
    live = LiveSimulation.restore(live.series, live.rules, live.store(), tape=live.bars.own)
    booked = feed(live, 10, 3, lambda n: [read_row(dict(side="long", lots=0.1))])
    assert [fill.reason for each in booked for fill in each.fills] == ["kill_switch"]
    assert live.present().counts["halted"] > 0 and not live.present().held


def test_only_the_last_bar_of_a_series_is_the_end_of_the_data():
    drawn = in_order(case(3))
    ended = replace(drawn, limits=Limits())
    assert differences(ended, restores=False, halves=False) == []
    live = account()
    feed(live, 0, 3)
    live.advance(START + 15 * MINUTE, lambda k, end: [read_row(dict(side="long"))])
    assert live.present().counts["end_of_data"] == 0 and len(live.present().resting) == 1
    live.open(0, START + 15 * MINUTE, 1.1)
    live.end(0, 1.1, 1.1, 1.1, last=True)
    live.advance(START + 20 * MINUTE, lambda k, end: [read_row(dict(side="long"))])
    assert live.present().counts["end_of_data"] == 1
    assert [fill.reason for fill in live.finish().fills] == ["end"]


def test_bars_is_what_a_tape_gives():
    live = account()
    feed(live, 0, 5)
    assert isinstance(live.bars.own(0, 2), Bars) and len(live.bars.own(0, 2).ts) == 2
