"""OANDA's record read as tickets and fills: what its transactions say, by hand, and whatever their order and repetition."""

from __future__ import annotations

import itertools
import random
from decimal import Decimal
from typing import Any

import pytest
from oandapyV20.endpoints.responses import positions, trades

from domain.trading.order import Order
from domain.venues import oanda_broker
from domain.venues.oanda_record import fills, ticket
from tests.conformance.rig_oanda import OandaRig

TIME = "2024-07-10T12:00:00.000000000Z"
LOT = Decimal(100_000)
LIMIT = Order("a", "EURUSD", "buy", "limit", Decimal("0.10"), Decimal("1.1"))
CLOSE = Order("half", "EURUSD", "sell", "market", Decimal("0.05"), closes="7")


def row(number: int, kind: str, **fields: Any) -> dict[str, Any]:
    return {"id": str(number), "type": kind, "time": TIME, **fields}


def created(number: int, client: str = "a", **fields: Any) -> dict[str, Any]:
    return row(number, "LIMIT_ORDER", clientExtensions={"id": client}, units="10000", **fields)


def filled(number: int, order: int, units: int, price: str, **fields: Any) -> dict[str, Any]:
    return row(number, "ORDER_FILL", orderID=str(order), clientOrderID="a", instrument="EUR_USD", units=str(units), price=price, reason="LIMIT_ORDER", tradeOpened={"tradeID": str(number), "units": str(units)}, **fields)


def cancelled(number: int, order: int, reason: str, **fields: Any) -> dict[str, Any]:
    return row(number, "ORDER_CANCEL", orderID=str(order), reason=reason, **fields)


def closing(number: int, units: str = "5000") -> dict[str, Any]:
    return row(number, "MARKET_ORDER", tradeClose={"tradeID": "7", "units": units}, units=f"-{units}", reason="TRADE_CLOSE")


@pytest.mark.parametrize(("rows", "state", "lots", "open_lots", "price"), [
    ([], None, None, None, None),
    ([created(1, "another"), cancelled(2, 1, "CLIENT_REQUEST")], None, None, None, None),
    ([created(1)], "accepted", "0", "0.1", None),
    ([created(1), filled(2, 1, 10_000, "1.1")], "filled", "0.1", "0", "1.1"),
    ([filled(2, 1, 10_000, "1.1")], "filled", "0.1", "0", "1.1"),
    ([created(1), filled(2, 1, 4_000, "1.1")], "partially_filled", "0.04", "0.06", "1.1"),
    ([created(1), filled(2, 1, 4_000, "1.1"), created(3, replacesOrderID="1"), filled(4, 3, 6_000, "1.2")], "filled", "0.1", "0", "1.16"),
    ([created(1), filled(2, 1, 4_000, "1.1"), cancelled(3, 1, "TIME_IN_FORCE_EXPIRED")], "partially_filled", "0.04", "0", "1.1"),
    ([created(1), cancelled(2, 1, "CLIENT_REQUEST_REPLACED", replacedByOrderID="3"), created(3, replacesOrderID="1")], "accepted", "0", "0.1", None),
    ([created(1), cancelled(2, 1, "CLIENT_REQUEST")], "cancelled", "0", "0", None),
    ([created(1), cancelled(2, 1, "TIME_IN_FORCE_EXPIRED")], "expired", "0", "0", None),
    ([created(1), filled(2, 1, 10_000, "1.1"), created(3), filled(4, 3, 10_000, "1.1")], "filled", "0.2", "0", "1.1"),       # sent twice: shown, not hidden
    ([row(1, "LIMIT_ORDER_REJECT", clientExtensions={"id": "a"}, rejectReason="INSUFFICIENT_MARGIN")], "rejected", "0", "0", None),
    ([row(1, "LIMIT_ORDER_REJECT", clientExtensions={"id": "a"}, rejectReason="CLIENT_ORDER_ID_ALREADY_EXISTS")], None, None, None, None),
])  # fmt: skip
def test_what_became_of_an_order(rows, state, lots, open_lots, price):
    shuffled = rows * 2
    random.Random(3).shuffle(shuffled)
    for given in (rows, shuffled):
        known = ticket(LIMIT, given, LOT)
        if state is None or known is None:
            assert known is state is None
            continue
        assert (known.state, known.filled_lots, known.open_lots, known.price) == (state, Decimal(lots), Decimal(open_lots), None if price is None else Decimal(price))


def test_a_market_order_that_is_cancelled_for_want_of_something_is_rejected_with_its_reason():
    order = Order("a", "EURUSD", "buy", "market", Decimal("0.10"))
    known = ticket(order, [row(1, "MARKET_ORDER", clientExtensions={"id": "a"}, units="10000"), cancelled(2, 1, "MARKET_HALTED")], LOT)
    assert known is not None and (known.state, known.reason, known.broker_id) == ("rejected", "market_halted", "1") and "shut or halted" in known.sentence


def test_a_close_is_the_first_of_its_trade_and_size_that_is_nobody_elses():
    rows = [closing(1, "4000"), closing(2), closing(3)]
    assert [known and known.broker_id for known in (ticket(CLOSE, rows, LOT), ticket(CLOSE, rows, LOT, {"2"}.__contains__), ticket(CLOSE, rows, LOT, {"2", "3"}.__contains__))] == ["2", "3", None]


def all_fills(rows: list[dict[str, Any]], after: str = "") -> Any:
    return fills(rows, after, lambda symbol: symbol.replace("_", ""), lambda symbol: LOT, lambda broker_id: "")


def test_one_transaction_that_closes_two_trades_and_opens_a_third_is_three_fills():
    parts = [{"tradeID": "3", "units": "-1000", "realizedPL": "1.5", "financing": "-0.2"}, {"tradeID": "4", "units": "-2000", "realizedPL": "-2"}]
    flip = row(9, "ORDER_FILL", orderID="8", instrument="EUR_USD", units="-6000", price="1.1", reason="MARKET_ORDER", commission="0.3", tradesClosed=parts, tradeOpened={"tradeID": "9", "units": "-3000"})
    given = all_fills([flip, flip])
    assert [(fill.fill_id, fill.position_id, fill.side, fill.lots, fill.opens, fill.profit, fill.swap, fill.commission) for fill in given] == [
        ("9.0", "3", "sell", Decimal("0.01"), False, Decimal("1.5"), Decimal("-0.2"), Decimal("0.3")),
        ("9.1", "4", "sell", Decimal("0.02"), False, Decimal(-2), 0, 0),
        ("9.2", "9", "sell", Decimal("0.03"), True, 0, 0, 0),
    ]
    assert all_fills([flip], "9.1") == given[2:]        # cut in the middle of a transaction


@pytest.mark.parametrize("answer", [trades.responses["_v3_account_accountID_trades_close"]["response"]["orderFillTransaction"], positions.responses["_v3_accounts_accountID_position_close"]["response"]["longOrderFillTransaction"]])
def test_fills_of_the_samples_are_read(answer):
    given = all_fills([{**answer, "type": "ORDER_FILL"}])
    assert len(given) == len(answer["tradesClosed"]) and sum(fill.lots for fill in given) * LOT == -Decimal(answer["units"])
    assert sum(fill.profit for fill in given) == Decimal(answer["pl"]) and {fill.side for fill in given} == {"sell"} and {fill.reason for fill in given} == {"manual"}


def test_a_long_record_is_read_in_pages_without_a_gap(monkeypatch):
    rig = OandaRig()
    broker = rig.broker()
    order = Order("n", "EURUSD", "buy", "market", Decimal("0.01"), stop_loss=Decimal("1.09"))
    tickets = [broker.submit(Order(f"n{k}", order.instrument, order.side, order.kind, order.lots, stop_loss=order.stop_loss)) for k in range(5)]
    whole = broker.fills()
    monkeypatch.setattr(oanda_broker, "RECORD", 2)
    rig.double.requests.clear()
    assert broker.fills() == whole and [fill.order_id for fill in whole] == [known.broker_id for known in tickets]
    spans = [(int(query["from"]), int(query["to"])) for _, path, query in rig.double.requests if path.endswith("idrange")]
    assert spans[0][0] == 1 and all(after[0] == before[1] + 1 for before, after in itertools.pairwise(spans)) and spans[-1][1] == int(rig.double.account.last)
    rig.close()
