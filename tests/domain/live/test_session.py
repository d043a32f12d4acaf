"""A session between its edges: what it drops and says, how it waits, what it stores, and what it gives back."""

from __future__ import annotations

import math
from itertools import groupby

import numpy as np
import pytest

from domain.errors import BadRequest, UnknownName
from domain.live import tape
from domain.live.command import command
from domain.live.deciding import streamable
from domain.live.plan import Plan, StrategyPlan
from domain.live.replaying import opening, replay, split
from domain.live.session import Session
from domain.live.tape import SECOND, TapeBar
from domain.strategies.breakout import Breakout
from tests.domain.live.test_replay_is_backtest import ONE, SEVERAL, STRICT
from tests.domain.live.world import contexts, files_of, plan_of, tape_of

M5 = 300 * SECOND
PLAN = Plan(("EURUSD M5",), (StrategyPlan("momentum"),))


def bar_at(k: int, series: str = "EURUSD M5", **other) -> TapeBar:
    return TapeBar(**{**dict(series=series, ts=k * M5, end=(k + 1) * M5, open=1.1, high=1.11, low=1.09, close=1.1), **other})


# ---- plan and tape


def test_a_plan_reads_back_from_its_text():
    plan = Plan(SEVERAL, (StrategyPlan("breakout", {"lookback": 9}), StrategyPlan("written", {}, ("EURUSD M15",))), STRICT, "approve", 5)
    assert Plan.read(plan.text) == plan
    assert plan.decided == (("EURUSD H1", 0), ("EURUSD M15", 0), ("EURUSD M15", 1), ("GBPUSD M15", 0))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"strategies": [{"name": "momentum"}]}', "names no series"),
        ('{"series": ["EURUSD"], "strategies": [{"name": "momentum"}]}', "as in EURUSD M5"),
        ('{"series": ["EURUSD M5", "EURUSD M5"], "strategies": [{"name": "momentum"}]}', "twice"),
        ('{"series": ["EURUSD M5"]}', "names no strategy"),
        ('{"series": ["EURUSD M5"], "strategies": [{"name": "momentun"}]}', "did you mean 'momentum'"),
        ('{"series": ["EURUSD M5"], "strategies": [{"name": "momentum", "params": {"fst": 3}}]}', "did you mean 'fast'"),
        ('{"series": ["EURUSD M5"], "strategies": [{"name": "momentum", "series": ["EURUSD M15"]}]}', "no series of the plan"),
        ('{"series": ["EURUSD M5"], "strategies": [{"name": "momentum"}], "mode": "manual"}', "no mode named"),
        ('{"series": ["EURUSD M5"], "strategies": [{"name": "momentum"}], "from": "soon"}', "soon"),
        ('{"series": ["EURUSD M5"], "strategies": [{"name": "momentum"}], "rules": {"cost": {}}}', "did you mean 'costs'"),
        ('{"series": ["EURUSD M5"], "strategies": [{"name": "momentum"}], "tape": 1}', "no field of the plan"),
    ],
)
def test_a_plan_that_cannot_be_is_a_sentence(text, why):
    with pytest.raises(BadRequest, match=why):
        Plan.read(text)


def test_a_tape_reads_back_from_its_text():
    bars = [bar_at(0, spread=0.1 + 0.2, recovered=True), bar_at(1, volume=3.0), bar_at(2, end=3 * M5 - 1)]
    back = tape.read(tape.write(bars))
    assert tape.write(back) == tape.write(bars) and back[0].spread == 0.1 + 0.2 and back[0].recovered and back[2].end == 3 * M5 - 1


@pytest.mark.parametrize(("old", "new", "why"), [("1.1,", "x,", "open is 'x'"), ("00:00:00Z", "yesterday", "ts is"), ("spread", "sprad", "did you mean 'spread'"), ("series", "serie", "serie")])
def test_a_bad_cell_of_a_tape_is_named_with_its_row(old, new, why):
    with pytest.raises(BadRequest, match=why):
        tape.read(tape.write([bar_at(0)]).replace(old, new, 1))


# ---- bars that are none


def test_bad_bars_are_dropped_counted_and_named_and_the_session_goes_on(tmp_path):
    plan, good = plan_of(ONE, "simple_ma", {"fast": 3, "slow": 9}), list(tape_of(*ONE))
    spoilt = list(good)
    for k, change in ((700, dict(high=math.nan)), (690, dict(high=1.0, low=1.2)), (680, dict(ts=good[679].ts)), (670, dict(ts=good[600].ts)), (660, dict(spread=-1.0))):
        spoilt.insert(k, TapeBar(**{**{name: getattr(good[k], name) for name in tape.COLUMNS}, **change}))
    (tmp_path / "a").mkdir(), (tmp_path / "b").mkdir()
    worked = list(replay(plan, spoilt))
    remarks = [remark for each in worked for remark in each.remarks]
    assert files_of(worked, tmp_path / "a") == files_of(list(replay(plan, good)), tmp_path / "b")
    assert len(remarks) == 5 and all("EURUSD M15 of" in remark for remark in remarks)
    assert any("twice" in remark for remark in remarks) and any("after the bar of" in remark for remark in remarks) and any("below its low" in remark for remark in remarks)


def test_a_bar_that_was_traded_on_and_ends_badly_is_kept_at_its_open():
    session = Session.start(PLAN)
    assert session.open_bar("EURUSD M5", 0, 1.1)
    session.work(0)
    assert session.end_bar("EURUSD M5", math.nan, 1.0, 1.05)
    (worked,) = session.work(M5)
    assert worked.bars[0].high == worked.bars[0].close == 1.1 and "was kept at its open" in worked.remarks[0] and session.view().dropped == {"EURUSD M5": 1}


def test_an_end_without_an_open_and_a_second_open_are_dropped():
    session = Session.start(PLAN)
    assert not session.end_bar("EURUSD M5", 1.2, 1.0, 1.1)
    assert session.open_bar("EURUSD M5", 0, 1.1) and not session.open_bar("EURUSD M5", M5, 1.1)
    assert not session.open_bar("EURUSD M5", 0, 0.0)
    with pytest.raises(UnknownName, match="did you mean"):
        session.open_bar("EURUSD M15", 0, 1.1)


# ---- waiting


def test_a_bar_that_has_not_ended_holds_the_others_back():
    session = Session.start(Plan(("EURUSD M5", "GBPUSD M5"), (StrategyPlan("momentum"),)))
    session.bar(bar_at(0))
    session.open_bar("GBPUSD M5", 0, 1.1)
    assert [each.ts for each in session.work(2 * M5)] == [0]
    session.end_bar("GBPUSD M5", 1.1, 1.1, 1.1)
    assert [(each.ts, len(each.bars)) for each in session.work(2 * M5)] == [(M5, 2)]


def test_an_instant_in_two_halves_ends_then_opens(tmp_path):
    plan, bars = plan_of(ONE, "breakout", {"lookback": 20}), tape_of(*ONE)
    history, traded = split(bars, plan)
    session, worked = Session.start(plan, history), []
    for bar in traded:
        session.open_bar(bar.series, bar.ts, bar.open, bar.spread)
        worked += session.work(bar.ts)
        session.end_bar(bar.series, bar.high, bar.low, bar.close, bar.volume, end=bar.end)
        worked += session.work(bar.end)
    worked += session.finish()
    (tmp_path / "a").mkdir(), (tmp_path / "b").mkdir()
    assert files_of(worked, tmp_path / "a") == files_of(list(replay(plan, bars)), tmp_path / "b")


# ---- state


@pytest.mark.parametrize(("series", "name", "params"), [(ONE, "written", {}), (SEVERAL, "breakout", {"lookback": 20}), (SEVERAL, "correlation", {"spread_window": 30, "correlation_window": 20})])
def test_stored_and_restored_at_random_instants_the_session_gives_the_same(series, name, params, tmp_path):
    plan, bars, beside, random = plan_of(series, name, params, STRICT), tape_of(*series), contexts(series), np.random.default_rng(7)
    history, traded = split(bars, plan)
    kept: dict[str, list[TapeBar]] = {text: [bar for bar in history if bar.series == text] for text in series}
    session, worked, sizes = Session.start(plan, history, beside), [], []
    for ts, together in groupby(opening(traded), key=lambda bar: bar.ts):
        for bar in together:
            session.bar(bar)
        worked += session.work(ts)
        if random.random() < 0.05:
            for each in worked:
                for bar in each.bars:
                    if not kept[bar.series] or kept[bar.series][-1].ts < bar.ts:
                        kept[bar.series].append(bar)
            stored = session.store()
            sizes.append(len(stored))
            session = Session.restore(plan, stored, lambda text: kept[text], beside)
            assert session.store() == stored
    worked += session.finish()
    (tmp_path / "a").mkdir(), (tmp_path / "b").mkdir()
    assert files_of(worked, tmp_path / "a") == files_of(list(replay(plan, bars, (), beside)), tmp_path / "b")
    assert len(sizes) > 3 and max(sizes) < 12_000 * len(series)


def test_the_state_does_not_grow_with_history():
    plan, sizes = plan_of(ONE, "momentum", begin=False), {}
    session = Session.start(plan)
    for count, bar in enumerate(tape_of(*ONE), 1):
        session.bar(bar)
        session.work(bar.ts)
        if count in (200, 700):
            sizes[count] = len(session.store())
    assert sizes[700] < sizes[200] + 1_000


# ---- what is refused


class WithTrail(Breakout):
    def trail_price(self, frame):
        return frame["close"]


def test_a_strategy_that_gives_a_trailing_price_for_a_table_is_refused_by_name():
    with pytest.raises(BadRequest, match="WithTrail gives a trailing price"):
        streamable(WithTrail())


@pytest.mark.parametrize(("name", "why"), [("sentiment_macro", "headlines"), ("moderate", "forecasts"), ("correlation", "another instrument")])
def test_a_strategy_whose_inputs_cannot_come_is_refused_by_name(name, why):
    with pytest.raises(BadRequest, match=f"{name} reads .*{why}"):
        Session.start(Plan(("EURUSD M5",), (StrategyPlan(name),)))


def test_volume_that_no_bar_has_is_refused_in_a_replay():
    with pytest.raises(BadRequest, match=r"volume_flow reads .*needs volume"):
        list(replay(Plan(("EURUSD M5",), (StrategyPlan("volume_flow"),)), [bar_at(0)]))


def test_a_command_that_names_what_is_not_there_does_not_go_onto_the_tape():
    session = Session.start(PLAN)
    with pytest.raises(UnknownName, match="no strategy named 'momentun'"):
        session.command(command(0, "ana", "disable", {"strategy": "momentun"}))
    with pytest.raises(BadRequest, match="did you mean 'fast'"):
        session.command(command(0, "ana", "set", {"parameters": {"fst": 3}}))
    longer = Session.start(Plan(("EURUSD H4",), (StrategyPlan("structure", {"longer": "D1"}),)))
    with pytest.raises(BadRequest, match="H4 bars cannot become H1"):
        longer.command(command(0, "ana", "set", {"parameters": {"longer": "H1"}}))
