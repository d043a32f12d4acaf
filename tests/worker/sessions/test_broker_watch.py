"""Limits on a broker's equity, and alarms of its account: each told once, and over a restart."""

from __future__ import annotations

from decimal import Decimal

import pytest

from domain.live.plan import Plan, StrategyPlan
from domain.trading.order import Account
from domain.trading.rules import rules_from
from tests.worker.sessions.broker_world import LONG, World
from worker.sessions.broker_seen import BrokerSeen
from worker.sessions.broker_watch import watch_of
from worker.store import session_asking as asking

SECOND, DAY = 1_000_000_000, 86_400_000_000_000
BARE = dict(position_id="17", instrument="EURUSD", side="long", lots="0.1", price="1.1", client_id="gold-1-0")


def plan(**limits) -> Plan:
    return Plan(("EURUSD M5",), (StrategyPlan("momentum"),), rules_from({"limits": dict(day_reset="00:00 UTC") | limits}))


def account(equity: str) -> Account:
    return Account("USD", Decimal(equity), Decimal(equity), Decimal(0), Decimal(equity), None, True)


def seen(second: int, equity: str = "10000", **result) -> BrokerSeen:
    return BrokerSeen(second * SECOND, result.pop("state", ""), account=account(equity), **result)


def looks(given: Plan, rows, restart: bool, lasts: bool = True) -> list:
    """The news of each look. ``lasts``: a halt that was asked for holds, that of a daily loss until the next day."""
    watch, news, halted = watch_of("gold", given, {}), [], {}
    for row in rows:
        watch = watch_of("gold", given, watch.kept) if restart else watch
        holds = {limit for limit, at in halted.items() if lasts and (limit != "daily_loss" or at // DAY == row.at // DAY)}
        news.append(watch.look(row, holds))
        halted |= {halt.limit: row.at for halt in news[-1].halts}
    return news


def test_the_limits_of_the_brokers_equity_are_reported_at_half_four_fifths_and_all_and_halt_once_a_day():
    given = plan(daily_loss=0.05, flatten=False)
    rows = [seen(1), seen(6, "9740"), seen(11, "9590"), seen(16, "9500"), seen(21, "9400"), seen(DAY // SECOND + 5, "9400"), seen(DAY // SECOND + 10, "8900")]
    for restart in (False, True):
        news = looks(given, rows, restart)
        assert [(message.severity, message.text) for each in news for message in each.messages] == [
            ("info", "gold has used 52 % of its daily loss limit by the broker's equity"), ("warning", "gold has used 82 % of its daily loss limit by the broker's equity"),
            ("critical", "gold has used 100 % of its daily loss limit by the broker's equity"), ("critical", "gold has used 106 % of its daily loss limit by the broker's equity"),
        ]  # fmt: skip
        assert [[(halt.limit, halt.keep) for halt in each.halts] for each in news] == [[], [], [], [("daily_loss", True)], [], [], [("daily_loss", True)]]
        assert len({message.key for each in news for message in each.messages}) == 4
        assert [event.kind for event in news[3].events] == ["limit_reached"]


def test_a_drawdown_halts_for_good_and_flattens_where_the_limit_says_so():
    rows = [seen(1), seen(6, "11000"), seen(11, "9890"), seen(2 * DAY // SECOND, "9000")]
    news = looks(plan(max_drawdown=0.1), rows, True)
    assert [[(halt.limit, halt.keep) for halt in each.halts] for each in news] == [[], [], [("max_drawdown", False)], []]
    assert "9,900.00" in news[2].halts[0].reason


def test_a_halt_that_did_not_last_is_requested_again_a_minute_later():
    rows = [seen(1), *(seen(second, "9000") for second in (6, 11, 60, 66, 71, 130))]
    news = looks(plan(daily_loss=0.05), rows, True, lasts=False)
    assert [len(each.halts) for each in news] == [0, 1, 0, 0, 1, 0, 1] and len({halt.key for each in news for halt in each.halts}) == 3


def test_an_alarm_is_raised_once_and_cleared_once_and_a_failed_look_clears_nothing():
    differs = dict(client_id="gold-2-0", instrument="EURUSD", expected="0.1", actual="0", sentence="EURUSD: the session holds 0.1 lots of order gold-2-0, the broker has 0; adopt the broker's, or close the position")
    away = BrokerSeen(12 * SECOND, "away", "no answer", account("10000"))
    rows = [seen(1), seen(6, unprotected=[BARE], alarms=["position 17 of EURUSD, 0.1 lots, has no stop at the broker"]), seen(11, unprotected=[BARE | dict(lots="0.05")]), away, away, seen(20, unprotected=[BARE], state="differs", differences=[differs]), seen(25)]
    for restart in (False, True):
        news = looks(plan(), rows, restart)
        events = [[(event.kind, event.detail["alarm"]) for event in each.events] for each in news]
        assert events == [
            [], [("alarm_raised", "unprotected:17")], [], [], [("alarm_raised", "away")], [("alarm_raised", "differs:gold-2-0"), ("alarm_cleared", "away")],
            [("alarm_cleared", "unprotected:17"), ("alarm_cleared", "differs:gold-2-0")],
        ]  # fmt: skip
        assert [message.severity for each in news for message in each.messages] == ["critical", "warning", "critical", "info", "info", "info"]


def test_a_halt_by_a_limit_is_requested_once_as_a_command_of_the_session(store, begin):
    begin("gold")
    news = looks(plan(daily_loss=0.05), [seen(1), seen(6, "9000")], False)
    for _ in range(2):
        with store.unit() as unit:
            news[1].halts[0].ask(unit, "gold")
    with store.read() as unit:
        request = [(each.command, each.arguments, each.who) for each in unit.session_commands.all("gold")]
        assert request == [("halt", {"limit": "daily_loss"}, "tidemark")] and not unit.session_halts.latched()
    assert asking.entity("gold") == "session:gold"


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
@pytest.mark.parametrize("vendor", ["metatrader", "oanda"])
def test_a_session_at_a_broker_whose_equity_reaches_its_daily_loss_leaves_and_enters_no_more(vendor, store, settings, monkeypatch):
    world = World(vendor, store, settings, monkeypatch)
    world.start(dict(LONG, at=0), dict(LONG, at=3, tag="more"), rules={"limits": {"daily_loss": 0.001, "day_reset": "00:00 UTC"}})
    world.bars(2)
    world.rig.move("EURUSD", "1.09600", "1.09610")      # between two bars: 0.3 lots lose 123
    for _ in range(3):
        world.round(6.0)
    assert world.there() == [] and [row["exit_reason"] for row in world.rows("trades")] == ["kill_switch"]
    world.bars(3, 1.096)
    assert world.there() == [] and world.view["counts"]["halted"] == 1 and world.view["state"] == "halted"
    with store.read() as unit:
        assert [(each.command, each.arguments, each.who) for each in unit.session_commands.all("gold")] == [("halt", {"limit": "daily_loss"}, "tidemark")]
        assert any("of its daily loss limit by the broker's equity" in message.text for message in unit.messages.after(0))
    world.close()
