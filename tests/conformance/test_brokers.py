"""What every broker does, whatever its vendor does: one suite for all, each against its double."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from domain.errors import BadRequest, SourceUnavailable, TidemarkError
from domain.trading.order import Order, Target
from tests.conformance.rig import Rig

VENDORS = sorted(path.stem.removeprefix("rig_") for path in Path(__file__).parent.glob("rig_*.py"))
BUY = Order("buy-1", "EURUSD", "buy", "market", Decimal("0.10"), stop_loss=Decimal("1.09500"), targets=(Target(Decimal("1.11000")),), tag="swing")
LIMIT = Order("limit-1", "EURUSD", "buy", "limit", Decimal("0.10"), price=Decimal("1.09900"), stop_loss=Decimal("1.09500"))


@pytest.fixture(params=VENDORS)
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    built = importlib.import_module(f"tests.conformance.rig_{request.param}").RIG()
    yield built
    built.close()


def test_the_account_is_practice_money_at_the_vendors_time(rig):
    account = rig.broker().account()
    assert (account.currency, account.balance, account.equity, account.margin_used, account.practice) == ("USD", 100_000, 100_000, 0, True)
    assert account.at is not None and abs(account.at - rig.time.now) < timedelta(seconds=2)


def test_a_market_order_fills_at_the_side_it_trades_on_and_is_protected_at_the_vendor(rig):
    broker = rig.broker()
    ticket = broker.submit(BUY)
    assert (ticket.state, ticket.filled_lots, ticket.open_lots, ticket.price) == ("filled", Decimal("0.10"), 0, Decimal("1.10010"))
    (position,) = broker.positions()
    assert (position.position_id, position.instrument, position.side, position.lots, position.price) == (ticket.position_id, "EURUSD", "long", Decimal("0.10"), Decimal("1.10010"))
    assert (position.stop_loss, position.targets, position.client_id, position.tag) == (Decimal("1.09500"), (Target(Decimal("1.11000")),), "buy-1", "swing")
    (fill,) = broker.fills()
    assert (fill.client_id, fill.position_id, fill.side, fill.lots, fill.price, fill.opens, fill.reason) == ("buy-1", ticket.position_id, "buy", Decimal("0.10"), Decimal("1.10010"), True, "market")
    assert broker.account().equity == 100_000 - Decimal("1.00") and broker.account().margin_used > 0      # 10,000 EUR, 0.0001 of spread


def test_a_sale_fills_at_the_bid_and_a_short_position_comes_of_it(rig):
    broker = rig.broker()
    assert broker.submit(replace(BUY, side="sell", stop_loss=Decimal("1.10500"), targets=())).price == Decimal("1.10000")
    (position,) = broker.positions()
    assert (position.side, position.lots, position.stop_loss, position.targets) == ("short", Decimal("0.10"), Decimal("1.10500"), ())


def test_an_order_submitted_twice_is_sent_once(rig):
    broker = rig.broker()
    assert broker.submit(BUY) == broker.submit(BUY)
    assert rig.accepted() == 1 and len(broker.positions()) == len(broker.fills()) == 1


def test_a_pending_order_submitted_twice_is_sent_once(rig):
    broker = rig.broker()
    first, second = broker.submit(LIMIT), rig.broker().submit(LIMIT)
    assert (first.state, first.open_lots) == (second.state, second.open_lots) == ("accepted", Decimal("0.10")) and first.broker_id == second.broker_id
    assert rig.accepted() == 1


def test_an_order_submitted_again_by_a_new_process_is_sent_once(rig):
    first = rig.broker().submit(BUY)
    again = rig.broker().submit(BUY)
    assert (again.state, again.broker_id, again.price) == (first.state, first.broker_id, first.price) and rig.accepted() == 1


def test_two_processes_that_submit_one_order_at_once_send_it_once(rig):
    def until_it_arrives(seconds: float) -> None:       # the rig's five seconds pass at once; the first request is on its way meanwhile
        pause = threading.Event()
        for _ in range(100):
            if rig.accepted() or pause.wait(0.01):
                return

    rig.time.watchers.append(until_it_arrives)
    brokers, tickets = [rig.broker(), rig.broker()], []
    threads = [threading.Thread(target=lambda broker=broker: tickets.append(broker.submit(BUY))) for broker in brokers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert [ticket.state for ticket in tickets] == ["filled", "filled"] and rig.accepted() == 1


def test_another_order_under_the_same_id_is_refused(rig):
    broker = rig.broker()
    broker.submit(BUY)
    with pytest.raises(BadRequest, match="buy-1 already names another order"):
        broker.submit(replace(BUY, lots=Decimal("0.20")))
    assert rig.accepted() == 1


def test_an_answer_lost_after_acceptance_is_requested_and_nothing_is_sent_again(rig):
    rig.lose_answer()
    broker = rig.broker()
    ticket = broker.submit(BUY)
    assert (ticket.state, ticket.filled_lots, ticket.price) == ("filled", Decimal("0.10"), Decimal("1.10010")) and ticket.position_id == broker.positions()[0].position_id
    assert broker.submit(BUY).state == rig.broker().submit(BUY).state == "filled" and rig.accepted() == 1


def test_an_answer_lost_after_acceptance_of_a_pending_order_is_found_too(rig):
    rig.lose_answer()
    ticket = rig.broker().submit(LIMIT)
    assert (ticket.state, ticket.open_lots) == ("accepted", Decimal("0.10")) and rig.broker().submit(LIMIT).broker_id == ticket.broker_id and rig.accepted() == 1


def test_a_request_that_never_arrived_is_believed_absent_after_two_looks_five_seconds_apart_and_sent_once_more(rig):
    rig.lose_request()
    broker = rig.broker()
    before = rig.time.slept
    lost = broker.submit(BUY)
    assert (lost.state, lost.reason, rig.accepted()) == ("unknown", "no_answer", 0) and 5 <= rig.time.slept - before < 7 and lost.sentence
    assert broker.submit(BUY).state == "filled" and rig.time.slept - before < 8 and rig.accepted() == 1


def test_an_order_whose_vendor_went_away_is_unknown_and_found_when_it_is_back(rig):
    broker = rig.broker()
    rig.lose_answer(then_away=True)
    assert broker.submit(BUY).state == "unknown"
    rig.away(False)
    assert rig.broker().submit(BUY).state == "filled" and rig.accepted() == 1


def test_what_cannot_be_read_is_an_error_and_no_empty_answer(rig):
    broker = rig.broker()
    broker.submit(BUY)
    rig.away(True)
    for read in (broker.account, broker.positions, broker.fills):
        with pytest.raises(SourceUnavailable):
            read()


def test_an_order_that_could_not_be_sent_is_sent_when_the_vendor_is_back(rig):
    broker = rig.broker()
    broker.account()
    rig.away(True)
    with suppress(SourceUnavailable):           # raised where nothing was written yet
        assert broker.submit(BUY).state == "unknown"
    assert rig.accepted() == 0
    rig.away(False)
    assert broker.submit(BUY).state == "filled" and rig.accepted() == 1


def test_a_fill_that_is_reported_before_the_acceptance_ends_the_order(rig):
    rig.fill_first()
    broker = rig.broker()
    ticket = broker.submit(BUY)
    assert (ticket.state, ticket.filled_lots, rig.accepted()) == ("filled", Decimal("0.10"), 1)
    assert [fill.client_id for fill in broker.fills()] == ["buy-1"]
    rig.time.advance(90)
    assert (rig.broker().submit(BUY).state, rig.accepted(), len(broker.fills())) == ("filled", 1, 1)


def test_a_fill_that_is_reported_twice_is_one(rig):
    rig.repeat_fills()
    broker = rig.broker()
    ticket = broker.submit(BUY)
    (fill,) = broker.fills()
    assert ticket.filled_lots == fill.lots == Decimal("0.10") and broker.fills(after=fill.fill_id) == () and len(rig.broker().fills()) == 1


def test_fills_are_reported_after_the_last_one_known_and_in_order(rig):
    broker = rig.broker()
    for number in range(4):
        broker.submit(replace(BUY, client_id=f"buy-{number}"))
    fills = broker.fills()
    assert [fill.client_id for fill in fills] == ["buy-0", "buy-1", "buy-2", "buy-3"]
    assert [broker.fills(after=fill.fill_id) for fill in fills] == [fills[1:], fills[2:], fills[3:], ()]


def test_a_stop_that_was_hit_while_nobody_was_connected_is_reported(rig):
    rig.broker().submit(BUY)
    known = rig.broker().fills()[-1]
    rig.time.advance(3_600)
    rig.move("EURUSD", "1.09400", "1.09410")
    broker = rig.broker()
    (fill,) = broker.fills(after=known.fill_id)
    assert (fill.position_id, fill.side, fill.lots, fill.reason, fill.opens, fill.client_id) == (known.position_id, "sell", Decimal("0.10"), "stop_loss", False, "")
    assert fill.price == Decimal("1.09400") and fill.profit == Decimal("-61.00") and fill.at >= rig.time.now - timedelta(seconds=2)
    assert broker.positions() == () and broker.account().balance == 100_000 + fill.profit


def test_a_target_that_was_reached_while_nobody_was_connected_is_reported(rig):
    rig.broker().submit(BUY)
    rig.time.advance(60)
    rig.move("EURUSD", "1.11010", "1.11020")
    assert [(fill.reason, fill.opens) for fill in rig.broker().fills()] == [("market", True), ("target_1", False)] and rig.broker().positions() == ()


def test_a_pending_order_that_filled_while_nobody_was_connected_is_not_taken_for_pending(rig):
    assert rig.broker().submit(LIMIT).state == "accepted"
    rig.time.advance(60)
    rig.move("EURUSD", "1.09880", "1.09890")
    broker = rig.broker()
    ticket = broker.submit(LIMIT)
    assert (ticket.state, ticket.filled_lots, ticket.open_lots, rig.accepted()) == ("filled", Decimal("0.10"), 0, 1)
    (position,) = broker.positions()
    assert position.client_id == "limit-1" and position.protected and position.position_id == ticket.position_id


def test_a_partial_fill_is_reported_with_its_lots_and_the_rest_is_not_sent_again(rig):
    rig.fill_only("0.04")
    broker = rig.broker()
    ticket = broker.submit(BUY)
    assert (ticket.state, ticket.filled_lots, ticket.open_lots, ticket.over) == ("partially_filled", Decimal("0.04"), 0, True)
    assert [position.lots for position in broker.positions()] == [fill.lots for fill in broker.fills()] == [Decimal("0.04")] and broker.positions()[0].protected
    again = rig.broker().submit(BUY)
    assert (again.state, again.filled_lots, rig.accepted()) == ("partially_filled", Decimal("0.04"), 1)


def test_a_partial_fill_whose_answer_was_lost_is_found_with_its_lots(rig):
    rig.fill_only("0.04")
    rig.lose_answer()
    ticket = rig.broker().submit(BUY)
    assert (ticket.state, ticket.filled_lots, rig.accepted()) == ("partially_filled", Decimal("0.04"), 1)


def test_an_order_that_fills_whole_or_not_at_all_is_cancelled_where_there_is_too_little(rig):
    rig.fill_only("0.04")
    broker = rig.broker()
    ticket = broker.submit(replace(BUY, whole=True))
    assert ticket.state in ("rejected", "cancelled") and ticket.sentence and broker.positions() == broker.fills() == ()


def test_a_refusal_is_a_ticket_with_its_reason(rig):
    broker = rig.broker()
    big = replace(BUY, lots=Decimal("90"))
    ticket = broker.submit(big)
    assert ticket.state == "rejected" and ticket.reason and ("margin" in ticket.sentence.lower() or "money" in ticket.sentence.lower())
    assert broker.positions() == broker.fills() == () and broker.submit(big) == rig.broker().submit(big) == ticket


def test_a_refusal_whose_answer_was_lost_is_no_position(rig):
    rig.lose_answer()
    broker = rig.broker()
    ticket = broker.submit(replace(BUY, lots=Decimal("90")))
    assert ticket.state in ("rejected", "unknown") and broker.positions() == ()
    assert broker.submit(replace(BUY, lots=Decimal("90"))).state == "rejected" and broker.positions() == ()


def test_a_stop_is_moved_without_an_unprotected_moment(rig):
    broker = rig.broker()
    broker.submit(BUY)
    for stop in ("1.09600", "1.09700", "1.09650"):
        (position,) = broker.positions()
        broker.protect(position, Decimal(stop), position.targets)
        assert (broker.positions()[0].stop_loss, broker.positions()[0].targets) == (Decimal(stop), (Target(Decimal("1.11000")),))
    assert rig.unprotected() == []


def test_a_stop_that_the_vendor_refuses_leaves_the_old_one(rig):
    broker = rig.broker()
    broker.submit(BUY)
    (position,) = broker.positions()
    with pytest.raises(BadRequest, match=r"1\.2"):
        broker.protect(position, Decimal("1.20000"), position.targets)        # above the price: no stop of a long
    assert broker.positions()[0].stop_loss == Decimal("1.09500") and rig.unprotected() == []


def test_a_stop_moved_twice_is_one_stop_and_a_lost_answer_changes_nothing(rig):
    broker = rig.broker()
    broker.submit(BUY)
    (position,) = broker.positions()
    rig.lose_answer()
    try:
        broker.protect(position, Decimal("1.09600"), position.targets)
    except SourceUnavailable:
        broker.protect(position, Decimal("1.09600"), position.targets)
    broker.protect(position, Decimal("1.09600"), position.targets)
    assert broker.positions()[0].stop_loss == Decimal("1.09600") and rig.unprotected() == []
    rig.move("EURUSD", "1.09590", "1.09600")
    assert broker.positions() == () and [fill.reason for fill in broker.fills()] == ["market", "stop_loss"]


def test_targets_are_replaced_and_a_stop_is_taken_away_only_where_that_is_requested(rig):
    broker = rig.broker()
    broker.submit(BUY)
    broker.protect(broker.positions()[0], Decimal("1.09500"), (Target(Decimal("1.12000")),))
    assert broker.positions()[0].targets == (Target(Decimal("1.12000")),) and broker.positions()[0].protected
    broker.protect(broker.positions()[0], Decimal("1.09500"), ())
    assert broker.positions()[0].targets == () and broker.positions()[0].protected and rig.unprotected() == []
    broker.protect(broker.positions()[0], None, ())
    assert not broker.positions()[0].protected


def test_more_targets_than_the_vendor_keeps_are_refused_before_anything_is_sent(rig):
    broker, many = rig.broker(), tuple(Target(Decimal(f"1.11{number}00"), Decimal("0.1")) for number in range(rig.broker().max_targets + 1))
    with pytest.raises(BadRequest, match="target"):
        broker.submit(replace(BUY, targets=many))
    assert rig.accepted() == 0 and broker.submit(BUY).state == "filled"


def test_a_pending_order_is_cancelled_once(rig):
    broker = rig.broker()
    broker.submit(LIMIT)
    broker.cancel("limit-1")
    broker.cancel("limit-1")
    rig.move("EURUSD", "1.09880", "1.09890")
    assert (broker.submit(LIMIT).state, broker.positions(), rig.accepted()) == ("cancelled", (), 1)


def test_cancelling_what_is_filled_or_was_never_sent_changes_nothing(rig):
    broker = rig.broker()
    broker.submit(BUY)
    broker.cancel("buy-1")
    broker.cancel("nobody")
    assert (broker.submit(BUY).state, len(broker.positions())) == ("filled", 1)


def test_a_position_is_closed_in_parts_by_orders_that_name_it(rig):
    broker = rig.broker()
    position_id = broker.submit(BUY).position_id
    rig.move("EURUSD", "1.10510", "1.10520")
    half = Order("half", "EURUSD", "sell", "market", Decimal("0.05"), closes=position_id)
    assert (broker.submit(half).state, broker.submit(half).state, broker.positions()[0].lots) == ("filled", "filled", Decimal("0.05"))
    assert broker.submit(replace(half, client_id="rest")).state == "filled" and broker.positions() == ()
    assert [(fill.opens, fill.client_id, fill.lots, fill.profit) for fill in broker.fills()[1:]] == [(False, "half", Decimal("0.05"), 25), (False, "rest", Decimal("0.05"), 25)]
    assert broker.account().balance == broker.account().equity == 100_050


def test_a_close_whose_answer_was_lost_closes_once(rig):
    broker = rig.broker()
    position_id = broker.submit(BUY).position_id
    rig.lose_answer()
    half = Order("half", "EURUSD", "sell", "market", Decimal("0.05"), closes=position_id)
    assert broker.submit(half).state == "filled" and broker.positions()[0].lots == Decimal("0.05") and rig.accepted() == 2


@pytest.mark.parametrize("hours", [-3, 3])
def test_a_clock_that_is_wrong_changes_nothing_and_is_reported(rig, hours):
    rig.time.skew = timedelta(hours=hours)
    broker = rig.broker()
    rig.lose_answer()
    assert broker.submit(BUY).state == "filled" and rig.accepted() == 1
    (fill,) = broker.fills()
    assert abs(fill.at - rig.time.now) < timedelta(minutes=1) and abs(broker.positions()[0].opened_at - rig.time.now) < timedelta(minutes=1)
    skew = broker.account().clock_skew
    assert skew is not None and abs(skew - rig.time.skew) < timedelta(minutes=1)


@pytest.mark.parametrize("hours", [-3, 0, 3])
def test_prices_frozen_under_heartbeats_make_no_order(rig, hours):
    rig.time.skew = timedelta(hours=hours)
    broker = rig.broker()
    first = broker.submit(BUY)
    rig.freeze()
    rig.time.advance(300)
    assert broker.account().balance == 100_000                  # the connection is as healthy as ever
    for order in (replace(BUY, client_id="late"), replace(LIMIT, client_id="later")):
        ticket = broker.submit(order)
        assert (ticket.state, ticket.reason) == ("rejected", "stale_price") and "EURUSD" in ticket.sentence and rig.accepted() == 1
    assert broker.submit(BUY).state == "filled"                 # what was sent before is told as ever
    close = Order("out", "EURUSD", "sell", "market", Decimal("0.10"), closes=first.position_id)
    assert broker.submit(close).reason != "stale_price"         # what lowers the risk is left to the vendor
    rig.move("EURUSD", "1.10000", "1.10010")
    assert broker.submit(replace(BUY, client_id="fresh")).state == "filled"


def test_prices_are_rounded_to_what_the_vendor_quotes(rig):
    broker = rig.broker()
    broker.submit(Order("yen", "USDJPY", "sell", "market", Decimal("0.10"), stop_loss=Decimal("151.2345678"), targets=(Target(Decimal("148.76543")),)))
    (position,) = broker.positions()
    assert (position.price, position.stop_loss, position.targets) == (Decimal("150.000"), Decimal("151.235"), (Target(Decimal("148.765")),))
    broker.protect(position, Decimal("151.1114999"), (Target(Decimal("149.0005001")),))
    assert (broker.positions()[0].stop_loss, broker.positions()[0].targets) == (Decimal("151.111"), (Target(Decimal("149.001")),))


def test_an_order_of_an_unknown_instrument_or_of_lots_that_cannot_be_traded_is_refused_before_it_is_sent(rig):
    broker = rig.broker()
    for wrong in (replace(BUY, instrument="XXXYYY"), replace(BUY, lots=Decimal("0.1000001"))):
        with pytest.raises(BadRequest):
            broker.submit(wrong)
    assert rig.accepted() == 0 and broker.submit(BUY).state == "filled"


def test_a_refused_key_is_a_sentence_that_names_the_variable_and_not_the_key(rig):
    broker = rig.broker()
    rig.refuse_key()
    for ask in (broker.account, broker.positions, broker.fills, lambda: rig.broker().account()):
        with pytest.raises(TidemarkError) as refused:
            ask()
        assert rig.variable in str(refused.value) and rig.secret not in str(refused.value)


def test_no_key_shows_in_a_broker(rig):
    broker = rig.broker()
    broker.submit(BUY)
    assert rig.secret and rig.secret not in repr(broker) + repr(vars(broker) if hasattr(broker, "__dict__") else "")
