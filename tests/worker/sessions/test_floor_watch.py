"""Floors of a rule set, told as they come near, and over a restart."""

from __future__ import annotations

import pytest

from domain.compliance import dump, preset
from domain.errors import BadRequest
from domain.live.floors import Floors
from domain.live.plan import Plan, StrategyPlan
from domain.trading.rules import rules_from
from tests.worker.sessions.double import PLAN
from worker.sessions.floor_watch import FloorWatch
from worker.store.session_asking import start

HOUR, DAY = 3_600_000_000_000, 86_400_000_000_000
FTMO = dict(name="ftmo-2-step", version=0, phase="", text=dump(preset("ftmo-2-step")))       # daily loss 5 %, floor 90 % of the initial balance
RULES = rules_from({"account": {"balance": 100_000.0, "currency": "USD"}})


def row(ts: int, low: float) -> dict:
    return dict(ts=ts, balance=100_000.0, equity=low + 50, equity_low=low)


def test_nearness_to_each_floor_is_reported_once_and_a_new_day_begins_its_daily_loss_anew():
    plan, rows = Plan(("EURUSD M5",), (StrategyPlan("momentum"),), RULES), [row(HOUR, 99_000), row(2 * HOUR, 97_000), row(3 * HOUR, 96_900), row(4 * HOUR, 94_900), row(2 * DAY, 97_000)]
    for restart in (False, True):
        watch, reported = FloorWatch("gold", plan, FTMO), []
        for number, each in enumerate(rows):
            watch = FloorWatch("gold", plan, FTMO, rows[:number], watch.reached) if restart else watch
            reported.append([(message.severity, message.text.split(":")[0]) for message in watch.look(each)])
        assert reported == [
            [], [("info", "gold has used 60 % of the way to a floor of ftmo-2-step")], [],
            [("critical", "gold has used 102 % of the way to a floor of ftmo-2-step"), ("info", "gold has used 51 % of the way to a floor of ftmo-2-step")],
            [("info", "gold has used 60 % of the way to a floor of ftmo-2-step")],
        ]  # fmt: skip
        assert [(floor["rule"], floor["floor"], floor["left"]) for floor in watch.shown] == [("daily_loss", 95_000.0, 2_000.0), ("max_drawdown", 90_000.0, 7_000.0)]


def test_an_instant_written_once_more_is_looked_at_once():
    plan = Plan(("EURUSD M5",), (StrategyPlan("momentum"),), RULES)
    watch = FloorWatch("gold", plan, FTMO)
    assert len(watch.look(row(HOUR, 97_000))) == 1 and watch.look(row(HOUR, 90_000)) == []


@pytest.mark.parametrize(("name", "currency", "sentence"), [("ftmo-2-step", "EUR", "counts in USD, and the account is in EUR"), ("esma-retail", "USD", "has no floor")])
def test_a_rule_set_that_does_not_fit_is_refused_at_the_start(name, currency, sentence):
    with pytest.raises(BadRequest, match=sentence):
        Floors(preset(name), 100_000.0, currency)


def test_a_session_started_with_a_rule_set_shows_its_floors_and_tells_of_them_again_after_a_restart(store, handed, runner):
    plan = PLAN | {"rules": {"account": {"balance": 10_400.0}}}
    with store.unit() as unit:
        start(unit, "gold", plan, {"feed": "handed", "rule_set": FTMO}, "ana")
    first = runner()
    while not first.held or first.held["gold"].ts < 600_000_000_000:
        first.step()
    first.leave()
    second = runner()
    while "gold" in second.held or not second.step():
        second.step()
        if not second.held:
            break
    with store.read() as unit:
        view = unit.sessions.progress("gold").view
        assert [floor["rule"] for floor in view["floors"]] == ["daily_loss", "max_drawdown"] and view["floors_reported"]
        assert len({message.key for message in unit.messages.after(0)}) == len(list(unit.messages.after(0)))
