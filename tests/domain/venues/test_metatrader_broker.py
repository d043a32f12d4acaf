"""What is MetaTrader's own about its broker: return codes, magic numbers, filling modes, netting accounts. The rest is the suite's."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from random import Random

import pytest

from domain.errors import BadRequest, SourceUnavailable
from domain.trading.order import Order, Target
from domain.venues.metatrader_link import LOGIN
from domain.venues.metatrader_orders import NOT_KNOWN, TAKEN, comment_of, magic_of
from tests.conformance.rig_metatrader import MetaTraderRig
from tests.conformance.test_brokers import BUY, LIMIT

LONG = "session-2024-07-10T12:00:00Z/EURUSD/breakout/0001/entry"


@pytest.fixture
def rig() -> Iterator[MetaTraderRig]:
    built = MetaTraderRig()
    yield built
    built.close()


def test_every_return_code_is_done_unknown_or_a_refusal_in_the_vendors_words(rig):
    """10008 to 10010 done; 10012 and 10031 unknown; all others of the package are refusals, and nothing is sent again."""
    from mt5_constants import VALUES

    broker, sent = rig.broker(), 0
    codes = {code: name.removeprefix("TRADE_RETCODE_").lower() for name, code in VALUES.items() if name.startswith("TRADE_RETCODE_")}
    assert set(TAKEN) == {10_008, 10_009, 10_010} and set(NOT_KNOWN) == {10_012, 10_031} and len(codes) == 40
    for code, name in codes.items():
        if code in (*TAKEN, *NOT_KNOWN):
            continue
        tries = 2 if name == "invalid_fill" else 1          # the next filling mode is tried
        rig.terminal.outcomes += [code] * tries
        order = replace(BUY, client_id=f"refused-{code}")
        ticket = broker.submit(order)
        sent += tries
        assert (ticket.state, ticket.reason) == ("rejected", name) and f"({code})" in ticket.sentence
        assert broker.submit(order) == ticket and rig.terminal.called("order_send") == sent
    assert rig.accepted() == 0


@pytest.mark.parametrize("outcome", ["timeout", 10_031, "lost", "dropped"])
def test_no_answer_is_requested_by_magic_number_and_never_sent_under_another_id(rig, outcome):
    rig.terminal.outcomes.append(outcome)
    arrived = outcome in ("timeout", "lost")
    ticket = rig.broker().submit(BUY)
    assert ticket.state == ("filled" if arrived else "unknown") and rig.terminal.called("order_send") == 1
    if not arrived:
        assert (ticket.reason, "so whether the order arrived is not known" in ticket.sentence) == ("no_answer", True)
    requests = [call[1][0] for call in rig.terminal.calls if call[0] == "order_send"]
    assert {(request["magic"], request["comment"]) for request in requests} == {(magic_of("buy-1"), "buy-1")}


def test_an_order_that_arrives_late_is_found_and_not_sent_again(rig):
    rig.terminal.outcomes.append("late")
    rig.time.watchers.append(lambda seconds: rig.terminal.arrive() if rig.time.slept > 4 else None)
    assert rig.broker().submit(BUY).state == "filled" and rig.accepted() == 1 and 4 < rig.time.slept < 6


def test_an_order_that_is_only_placed_is_accepted_and_then_filled(rig):
    rig.terminal.outcomes.append("placed")
    ticket = rig.broker().submit(BUY)
    assert (ticket.state, ticket.open_lots, ticket.broker_id != "") == ("accepted", Decimal("0.1"), True)
    rig.terminal.arrive()
    filled = rig.broker().submit(BUY)
    assert (filled.state, filled.broker_id, rig.accepted()) == ("filled", ticket.broker_id, 1)


def test_a_deal_that_came_before_its_acceptance_is_filled_at_once(rig):
    rig.terminal.outcomes.append("early")
    assert rig.broker().submit(BUY).state == "filled" and rig.terminal.called("order_send") == 1


def test_a_comment_that_the_broker_wrote_over_loses_no_order(rig):
    rig.terminal.outcomes.append("lost")
    first = rig.terminal.order_send
    rig.terminal.order_send = lambda request: first({**request, "comment": "by the broker"})
    assert rig.broker().submit(BUY).state == "filled" and rig.accepted() == 1
    assert rig.broker().submit(BUY).state == "filled" and rig.accepted() == 1


def test_an_id_longer_than_a_comment_is_known_again_by_a_new_process(rig):
    assert len(LONG) > 31 == len(comment_of(LONG))
    rig.broker().submit(replace(BUY, client_id=LONG))
    broker = rig.broker()
    (position,), (fill,) = broker.positions(), broker.fills()
    assert (position.client_id, position.tag, fill.client_id) == (LONG, "swing", LONG) and broker.submit(replace(BUY, client_id=LONG)).state == "filled" and rig.accepted() == 1


def test_filling_modes_are_those_that_the_symbol_allows(rig):
    """IOC where part of an order will do, FOK where it must be whole; what the symbol has not is not sent."""
    def filling(order: Order, flags: int) -> int:
        rig.terminal.symbols["EURUSD"] = replace(rig.terminal.symbols["EURUSD"], filling=flags)
        rig.broker().submit(order)
        return [call[1][0]["type_filling"] for call in rig.terminal.calls if call[0] == "order_send"][-1]

    whole = replace(BUY, whole=True)
    assert [filling(replace(BUY, client_id=f"part-{flags}"), flags) for flags in (1, 2, 3)] == [0, 1, 1]
    assert [filling(replace(whole, client_id=f"whole-{flags}"), flags) for flags in (1, 3)] == [0, 0] and rig.accepted() == 5
    assert filling(replace(LIMIT, client_id="pending"), 1) == 2
    rig.terminal.symbols["EURUSD"] = replace(rig.terminal.symbols["EURUSD"], filling=2)
    refused = rig.broker().submit(replace(whole, client_id="whole-2"))
    assert (refused.state, refused.reason) == ("rejected", "invalid_fill")


def test_a_pending_order_ends_at_its_time_on_the_servers_clock(rig):
    broker, order = rig.broker(), replace(LIMIT, expires=rig.time.now + timedelta(minutes=10))
    assert broker.submit(order).state == "accepted"
    rig.time.advance(540)
    rig.move("EURUSD", "1.10000", "1.10010")
    assert broker.submit(order).state == "accepted"
    rig.time.advance(61)
    rig.move("EURUSD", "1.09880", "1.09890")
    ended = broker.submit(order)
    assert (ended.state, broker.positions()) == ("expired", ()) and ended.sentence


def test_deals_of_others_and_of_the_broker_are_reported_and_money_booked_is_not(rig):
    from mt5_structures import TradeDeal

    terminal = rig.terminal
    broker = rig.broker()
    terminal.commission = 3.5
    broker.submit(BUY)
    msc = round(terminal.server_time(terminal.now()) * 1000)
    terminal.deals.append(TradeDeal(terminal.next_ticket(), 0, msc // 1000, msc, 2, 0, 0, 0, 0, 0.0, 0.0, 0.0, 0.0, 500.0, 0.0, "", "deposit", ""))
    terminal.deals.append(TradeDeal(terminal.next_ticket(), 77, msc // 1000, msc, 1, 0, 0, 77, 1, 0.2, 1.1, 0.0, 0.0, 0.0, 0.0, "EURUSD", "by hand", ""))
    terminal.deals.append(TradeDeal(terminal.next_ticket(), 78, msc // 1000, msc, 0, 1, 0, 77, 6, 0.2, 1.2, -1.0, -0.3, -2000.0, -0.5, "EURUSD", "so 40%", ""))
    own, hand, out = broker.fills()
    assert (own.client_id, own.commission, own.swap) == ("buy-1", Decimal("0.35"), 0)
    assert (hand.client_id, hand.reason, hand.side, hand.opens) == ("", "manual", "sell", True)
    assert (out.reason, out.opens, out.profit, out.commission, out.swap) == ("stop_out", False, -2000, Decimal("1.5"), Decimal("-0.3"))
    assert own.fill_id < hand.fill_id < out.fill_id


def test_one_target_for_the_whole_position_is_all_that_it_keeps(rig):
    broker = rig.broker()
    for targets in ((Target(Decimal("1.11"), Decimal("0.5")),), (Target(Decimal("1.11"), Decimal("0.5")), Target(Decimal("1.12"), Decimal("0.5")))):
        with pytest.raises(BadRequest, match="keeps one target a position"):
            broker.submit(replace(BUY, targets=targets))
    broker.submit(BUY)
    with pytest.raises(BadRequest, match="keeps one target a position"):
        broker.protect(broker.positions()[0], Decimal("1.09"), (Target(Decimal("1.11"), Decimal("0.5")),))
    assert broker.max_targets == 1 and rig.terminal.called("order_send") == 1


def test_a_netting_account_is_refused(rig):
    rig.terminal.margin_mode = 0
    for ask in (rig.broker().account, rig.broker().positions, rig.broker().fills):
        with pytest.raises(BadRequest, match="nets its positions"):
            ask()


def test_real_money_is_reported_and_never_moved(rig):
    broker = rig.broker()
    broker.submit(BUY)
    broker.submit(LIMIT)
    (position,) = broker.positions()
    rig.terminal.trade_mode = 2
    assert not broker.account().practice and len(broker.positions()) == len(broker.fills()) == 1
    for move in (lambda: broker.submit(replace(BUY, client_id="real")), lambda: broker.protect(position, None, ()), lambda: broker.cancel("limit-1")):
        with pytest.raises(BadRequest, match="holds real money"):
            move()
    assert rig.terminal.called("order_send") == 2 and rig.intents.find("real") is None


def test_an_account_that_somebody_changed_in_the_terminal_is_neither_read_nor_traded(rig):
    broker = rig.broker()
    broker.account()
    rig.terminal.number = 87654321
    for ask in (broker.account, broker.positions, broker.fills, lambda: broker.submit(BUY)):
        with pytest.raises(SourceUnavailable, match=f"another account than {LOGIN}"):
            ask()
    rig.terminal.number = 12345678
    infos = iter([rig.terminal.account_info(), rig.terminal.account_info()._replace(login=87654321)])
    rig.terminal.account_info = lambda: next(infos)
    assert broker.submit(BUY).reason == "not_sent" and rig.accepted() == 0      # between the look and the order



def test_in_a_shut_market_our_clock_is_not_measured(rig):
    rig.time.now += timedelta(days=2, hours=8, minutes=59)      # Friday, a minute before New York's close
    rig.move("EURUSD", "1.10000", "1.10010")
    rig.time.advance(90_000)
    account = rig.broker().account()
    assert account.clock_skew is None and account.at is not None and account.at < rig.time.now - timedelta(hours=24)


def test_a_protection_that_may_not_have_arrived_is_requested_before_it_is_sent_again(rig):
    broker = rig.broker()
    broker.submit(BUY)
    (position,) = broker.positions()
    rig.terminal.outcomes.append("timeout")
    broker.protect(position, Decimal("1.09600"), position.targets)
    assert rig.terminal.called("order_send") == 2 and broker.positions()[0].stop_loss == Decimal("1.09600")
    rig.terminal.outcomes += ["dropped"] * 40
    with pytest.raises(SourceUnavailable, match="the old stop still stands"):
        broker.protect(position, Decimal("1.09700"), position.targets)
    assert broker.positions()[0].stop_loss == Decimal("1.09600") and rig.unprotected() == []


def test_a_cancel_whose_answer_is_lost_is_requested(rig):
    broker = rig.broker()
    broker.submit(LIMIT)
    rig.terminal.outcomes.append("lost")
    broker.cancel("limit-1")
    assert broker.submit(LIMIT).state == "cancelled" and rig.terminal.called("order_send") == 2
    broker.submit(replace(LIMIT, client_id="limit-2"))
    rig.terminal.outcomes.append(10_018)
    with pytest.raises(BadRequest, match=r"refused to cancel order limit-2: Market closed \(10018\)"):
        broker.cancel("limit-2")


@pytest.mark.parametrize("seed", range(int(os.environ.get("TIDEMARK_CASES", "2"))))
def test_whatever_is_lost_an_order_is_accepted_once_and_reported_as_it_is(rig, seed):
    """Orders under faults drawn at random, each submitted by up to four processes one after the other, until it is over."""
    random = Random(seed)
    late: list[float] = []
    rig.time.watchers.append(lambda seconds: rig.terminal.arrive() if late and rig.time.slept >= late[0] else None)
    for number in range(4):
        order = replace(random.choice((BUY, LIMIT)), client_id=f"order-{seed}-{number}", lots=Decimal(random.choice(("0.01", "0.1", "0.37"))))
        faults = ["lost", "timeout", "dropped", "early", "half", "late", 10_031, 10_006, None]
        rig.terminal.outcomes[:] = [random.choice(faults) for _ in range(random.randint(0, 2))]
        late[:] = [rig.time.slept + random.uniform(0, 9)]
        accepted, ticket = rig.accepted(), rig.broker().submit(order)
        for _ in range(3):
            if ticket.over:
                break
            ticket = rig.broker().submit(order)
        rig.terminal.outcomes.clear()
        rig.terminal.arrive()
        ticket = rig.broker().submit(order)
        positions = [each for each in rig.broker().positions() if each.client_id == order.client_id]
        working = [each for each in rig.terminal.pending.values() if each.request["magic"] == magic_of(order.client_id)]
        assert rig.accepted() - accepted == len(positions) + len(working) == (0 if ticket.state == "rejected" else 1), (number, ticket)
        assert ticket.filled_lots == sum(each.lots for each in positions) and ticket.open_lots == sum(Decimal(str(each.left)) for each in working)
        assert all(each.protected for each in positions)
