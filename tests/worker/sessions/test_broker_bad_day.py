"""A bad day of a session at OANDA's and MetaTrader's doubles, and deaths of its process: one position of each leg, one story of each order, one booking of each fill."""

from __future__ import annotations

import os
from collections import Counter

import pytest

from domain.venues.metatrader_broker import MetaTraderBroker
from domain.venues.oanda_broker import OandaBroker
from tests.worker.sessions.broker_world import LONG, M5, at_vendors
from worker.sessions import writing
from worker.sessions.broker_line import BrokerLine
from worker.store.order_intents import StoredIntents

LEGS = [("gold-1-0", "0.06"), ("gold-1-1", "0.15"), ("gold-1-2", "0.09")]
BROKERS = {"oanda": OandaBroker, "metatrader": MetaTraderBroker}


class Died(BaseException):
    """What a kill is to Python: nothing catches it."""


def pytest_generate_tests(metafunc):
    at_vendors(metafunc, ("test_a_bad_day_is_one_position_and_one_story",))


@pytest.fixture
def kind() -> str:
    return "sqlite"


def test_a_bad_day_is_one_position_and_one_story(world):
    rig = world.rig
    world.start(dict(LONG, at=0), dict(LONG, at=7, tag="late"))
    world.bars(1)
    rig.lose_answer()                               # the first leg's
    rig.repeat_fills()
    world.bars(1)
    assert sorted(world.there()) == LEGS and world.held() == 0.3 and len(world.rows("fills")) == 3 and rig.accepted() == 3
    rig.away(True)
    world.round(61.0)
    assert world.view["broker"]["state"] == "away" and world.held() == 0.3
    rig.move("EURUSD", "1.11005", "1.11015")        # the first target fills while nobody hears it
    rig.away(False)
    world.again()
    world.round(6.0)
    assert world.held() == 0.15 and world.rows("fills")[-1]["reason"] == "target_1"
    if world.vendor == "oanda":                     # a terminal answers no 429
        rig.double.faults.extend([lambda handler: handler.send(429, {"errorMessage": "too many"}, {"Retry-After": "1"}) is None] * 9)
        world.round(61.0)
        assert "fewer requests (429)" in world.view["broker"]["trouble"] and world.held() == 0.15
        rig.double.faults.clear()
    world.bars(6, 1.1095)
    rig.freeze()
    world.prices.fresh = world.vendor == "oanda"    # which tells the age of its prices; a terminal's new process hears of none
    for _ in range(2):
        rig.time.advance((world.bar + M5 - rig.time.now).total_seconds())
        world.tell(1.1095)
        world.round()
    assert rig.accepted() == 3 and world.view["counts"]["stale"] == 1 and world.view["broker"]["state"] == ""
    world.bars(1, 1.0945)
    one_story(world)
    [trade] = world.rows("trades")
    assert (trade["lots"], trade["exit_reason"]) == (0.3, "stop_loss") and world.there() == [] and world.held() == 0


def test_a_request_that_was_lost_is_sent_once_more_under_its_id(world):
    world.start(dict(LONG, at=0))
    world.bars(1)
    world.rig.lose_request()
    world.bars(1)
    assert sorted(world.there()) == LEGS and world.rig.accepted() == 3 and world.held() == 0.3
    assert world.story("gold-1-1") == ["order_intent", "order_unknown", "order_unknown", "order_filled"]


def before_intent(patched, world):
    patched.setattr(StoredIntents, "begin", dying())


def after_intent(patched, world):
    patched.setattr(BROKERS[world.vendor], "send", dying())


def after_call(patched, world):
    send = BROKERS[world.vendor].send
    patched.setattr(BROKERS[world.vendor], "send", lambda broker, order: (send(broker, order), died())[1])


def after_answer(patched, world):
    patched.setattr(BrokerLine, "_tell", dying())


def before_commit(patched, world):
    record = writing._record
    patched.setattr(writing, "_record", lambda unit, written: (died() if any(output.kind == "fills" for output in written.commit.outputs) else None, record(unit, written))[1])


MORE = [after_answer] if "TIDEMARK_CASES" in os.environ else []


def dying():
    return lambda *_: died()


def died():
    raise Died


@pytest.mark.parametrize("moment", [before_intent, after_intent, after_call, before_commit, *MORE])
def test_a_death_at_any_moment_of_an_entry_leaves_one_of_it(world, monkeypatch, moment):
    world.start(dict(LONG, at=0))
    world.bars(1)
    with monkeypatch.context() as patched:
        moment(patched, world)
        with pytest.raises(Died):
            world.bars(1)
    world.again()
    world.round(1.0)
    world.round(6.0)
    assert sorted(world.there()) == LEGS and world.rig.accepted() == 3
    assert world.held() == 0.3 and [row["lots"] for row in world.rows("fills")] == [0.15, 0.09, 0.06] and world.view["broker"]["state"] == ""
    one_story(world)


@pytest.mark.parametrize("moment", [after_call, before_commit, *([before_intent, after_intent] if MORE else []), *MORE])
def test_a_death_at_any_moment_of_an_exit_closes_once(world, monkeypatch, moment):
    world.start(dict(instrument="EURUSD", side="long", order="market", lots=0.3, stop_loss=1.095, at=0))
    world.bars(2)
    with monkeypatch.context() as patched:
        moment(patched, world)
        with pytest.raises(Died):
            world.ask("close", share=0.5)
    world.again()
    world.round(1.0)
    world.round(6.0)
    world.bars(1)
    assert world.there() == [("gold-1-0", "0.15")] and world.rig.accepted() == 2
    assert world.held() == 0.15 and [(row["side"], row["lots"], row["reason"]) for row in world.rows("fills")] == [("buy", 0.3, "market"), ("sell", 0.15, "manual")]
    assert world.view["broker"]["state"] == "" and world.view["broker"]["leaving"] == []


def test_positions_that_were_adopted_survive_a_restart(world):
    world.start(dict(LONG, at=0))
    world.bars(2)
    world.work.broker.line.account.book.legs["gold-1-0"].closed += world.work.broker.line.account.book.legs["gold-1-0"].held
    world.round(61.0)
    world.ask("adopt", client_id="gold-1-0")
    held = world.held()
    world.again()
    world.round(61.0)
    assert world.held() == held == 0.36 and world.view["broker"]["state"] == ""


def one_story(world):
    for leg in range(3):
        kinds = Counter(world.story(f"gold-1-{leg}"))
        assert kinds["order_intent"] == 1 and kinds["order_filled"] == 1, kinds
