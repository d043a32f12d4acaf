"""Sessions that are asked the same decide once, and each as it would alone."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest

from domain.errors import BadRequest
from domain.live import shared
from domain.live.plan import Plan, StrategyPlan
from domain.live.session import Session
from domain.live.shared import Lines
from domain.live.tape import TapeBar
from domain.strategies.momentum import Momentum

MINUTE, COUNT = 60_000_000_000, 200
PLAN = Plan(("EURUSD M1",), (StrategyPlan("momentum", dict(slow=20, adx_window=5)),))
PRICES = 1.1 + 0.002 * np.sin(np.arange(COUNT + 1) / 9) + np.random.default_rng(1).normal(0, 2e-4, COUNT + 1)
BARS = [
    TapeBar("EURUSD M1", k * MINUTE, (k + 1) * MINUTE, float(a), float(max(a, b)), float(min(a, b)), float(b), 1.0 if k % 2 else float("nan"), 1e-4)
    for k, (a, b) in enumerate(pairwise(PRICES))
]


class Alone:
    """A session that is worked bar by bar, and all that it gave."""

    def __init__(self, plan: Plan = PLAN, lines: Lines | None = None) -> None:
        self.stored: list[TapeBar] = []
        self.session, self.given = Session.start(plan, tape=lambda series: self.stored, lines=lines), []

    def work(self, bar: TapeBar) -> None:
        self.session.bar(bar)
        worked = self.session.work(bar.end)
        self.given += [(each.ts, each.fills, each.trades, each.decisions, each.row) for each in worked]
        self.stored += [ended for each in worked for ended in each.bars]
        self.session.store()


def other(bar: TapeBar) -> TapeBar:
    return TapeBar(bar.series, bar.ts, bar.end, bar.open, bar.high + 1e-3, bar.low, bar.close, bar.volume, bar.spread, True)


def alone(bars: list[TapeBar], plan: Plan = PLAN) -> str:
    one = Alone(plan)
    for bar in bars:
        one.work(bar)
    return repr(one.given)


@pytest.fixture
def counted(monkeypatch) -> list[int]:
    return counting(monkeypatch, "decide_last", shared.decide_last)


def counting(monkeypatch, name: str, function) -> list[int]:
    count = [0]

    def counted(*given):
        count[0] += 1
        return function(*given)

    monkeypatch.setattr(shared, name, counted)
    return count


def test_sessions_that_are_requested_the_same_decide_once_and_as_each_would_alone(counted):
    lines = Lines()
    every = [Alone(lines=lines) for _ in range(3)]
    for bar in BARS:
        for one in every:
            one.work(TapeBar(bar.series, bar.ts, bar.end, bar.open, bar.high, bar.low, bar.close, float(repr(bar.volume)), bar.spread))
    assert counted == [COUNT]
    own = alone(BARS)
    assert "momentum" in own and all(repr(one.given) == own for one in every)


@pytest.mark.parametrize("late", [1, 5, shared.KEPT + 5])
def test_one_that_is_late_takes_what_was_decided_or_goes_on_alone(counted, late):
    lines = Lines()
    first, second = Alone(lines=lines), Alone(lines=lines)
    for k in range(COUNT + late):
        if k < COUNT:
            first.work(BARS[k])
        if k >= late:
            second.work(BARS[k - late])
    assert counted == [COUNT] if late < shared.KEPT else counted[0] > COUNT
    assert repr(first.given) == repr(second.given) == alone(BARS)


@pytest.mark.parametrize("leads", [True, False])
def test_a_bar_that_is_another_parts_two_sessions_for_good(counted, leads):
    lines = Lines()
    one, two = Alone(lines=lines), Alone(lines=lines)
    parted = [*BARS[:100], other(BARS[100]), *BARS[101:]]
    for same, changed in zip(BARS, parted, strict=True):
        for each, bar in [(one, same), (two, changed)] if leads else [(two, changed), (one, same)]:
            each.work(bar)
    assert counted == [100 + 2 * (COUNT - 100)]
    assert (repr(one.given), repr(two.given)) == (alone(BARS), alone(parted))


def test_who_parts_from_the_others_alike_goes_on_together(counted):
    lines = Lines()
    every = [Alone(lines=lines) for _ in range(4)]
    parted = [*BARS[:100], other(BARS[100]), *BARS[101:]]
    for same, changed in zip(BARS, parted, strict=True):
        for one, bar in zip(every, (same, changed, changed, changed), strict=True):
            one.work(bar)
    assert counted == [100 + 2 * (COUNT - 100)] and len({repr(one.given) for one in every[1:]}) == 1


def test_other_parameters_are_another_question(counted):
    lines, plan = Lines(), Plan(("EURUSD M1",), (StrategyPlan("momentum", dict(slow=30, adx_window=5)),))
    one, two = Alone(lines=lines), Alone(plan, lines)
    for bar in BARS:
        one.work(bar)
        two.work(bar)
    assert counted == [2 * COUNT] and repr(two.given) == alone(BARS, plan) != alone(BARS)


def test_features_that_other_parameters_do_not_change_are_computed_once(monkeypatch, counted):
    columns = counting(monkeypatch, "columns_of", shared.columns_of)
    lines, plan = Lines(), Plan(("EURUSD M1",), (StrategyPlan("momentum", dict(slow=20, adx_window=5, adx_least=5.0, target_r=3.0)),))
    one, two = Alone(lines=lines), Alone(plan, lines)
    parted = [*BARS[:100], other(BARS[100]), *BARS[101:]]
    for same, changed in zip(BARS, parted, strict=True):
        one.work(same)
        two.work(changed)
    assert counted == [2 * COUNT] and columns == [100 + 2 * (COUNT - 100)]
    assert repr(one.given) == alone(BARS) and repr(two.given) == alone(parted, plan) != alone(parted)


def test_a_session_taken_up_again_follows_the_others(counted):
    lines = Lines()
    one, two = Alone(lines=lines), Alone(lines=lines)
    for k, bar in enumerate(BARS):
        one.work(bar)
        two.work(bar)
        if k == 150:
            two.session = Session.restore(PLAN, two.session.store(), lambda series: two.stored, lines=lines)
    assert counted == [COUNT] and repr(two.given) == alone(BARS)


def test_a_strategy_that_fails_fails_in_each_session_by_itself(monkeypatch):
    fails = [COUNT]

    def decisions(self, columns):
        if columns["close"][-1] == BARS[fails[0] - 1].close:
            raise BadRequest("a bug")
        return dict(bar=np.zeros(0, int), side=1)

    monkeypatch.setattr(Momentum, "decisions", decisions)
    lines = Lines()
    one, two = Alone(lines=lines), Alone(lines=lines)
    for bar in BARS[:-1]:
        one.work(bar)
        two.work(bar)
    for each in (one, two):
        with pytest.raises(BadRequest, match="a bug"):
            each.work(BARS[-1])
    assert math.isnan(BARS[0].volume)
