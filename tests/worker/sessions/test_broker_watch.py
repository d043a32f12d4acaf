"""Limits on a broker's equity, and alarms of its account: each told once, and over a restart."""

from __future__ import annotations

from decimal import Decimal

from domain.live.plan import Plan, StrategyPlan
from domain.trading.order import Account
from domain.trading.rules import rules_from
from worker.sessions.broker_seen import BrokerSeen
from worker.sessions.broker_watch import watch_of
from worker.store import session_asking as asking

SECOND, DAY = 1_000_000_000, 86_400_000_000_000
BARE = dict(position_id="17", instrument="EURUSD", side="long", lots="0.1", price="1.1", client_id="gold-1-0")


def plan(**limits) -> Plan:
    return Plan(("EURUSD M5",), (StrategyPlan("momentum"),), rules_from({"limits": dict(day_reset="00:00 UTC") | limits}))


def account(equity: str) -> Account:
    return Account("USD", Decimal(equity), Decimal(equity), Decimal(0), Decimal(equity), None, True)


def seen(second: int, equity: str = "10000", **found) -> BrokerSeen:
    return BrokerSeen(second * SECOND, found.pop("state", ""), account=account(equity), **found)


def looks(given: Plan, rows, restart: bool) -> list:
    watch, news = watch_of("gold", given, {}), []
    for row in rows:
        watch = watch_of("gold", given, watch.kept) if restart else watch
        news.append(watch.look(row))
    return news


def test_the_limits_of_the_brokers_equity_are_told_at_half_four_fifths_and_all_and_halt_once_a_day():
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


def test_an_alarm_is_raised_once_and_cleared_once_and_a_failed_look_clears_nothing():
    differs = dict(client_id="gold-2-0", instrument="EURUSD", expected="0.1", found="0", sentence="EURUSD: the session holds 0.1 lots of order gold-2-0, the broker has 0; adopt the broker's, or close the position")
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


def test_a_halt_by_a_limit_is_asked_once_as_a_command_of_the_session(store, begin):
    begin("gold")
    news = looks(plan(daily_loss=0.05), [seen(1), seen(6, "9000")], False)
    for _ in range(2):
        with store.unit() as unit:
            news[1].halts[0].ask(unit, "gold")
    with store.read() as unit:
        asked = [(each.command, each.arguments, each.who) for each in unit.session_commands.all("gold")]
        assert asked == [("halt", {"limit": "daily_loss"}, "tidemark")] and not unit.session_halts.latched()
    assert asking.entity("gold") == "session:gold"
