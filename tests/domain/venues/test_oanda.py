"""OANDA beyond the two suites: that its double speaks as the SDK's samples do, what streams give, and what only this vendor has."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
import requests
from oandapyV20.endpoints.responses import accounts, instruments, orders, pricing, trades, transactions

from domain.errors import BadRequest, SourceUnavailable
from domain.market import Timeframe, frame, instrument
from domain.market.source import Request, Span
from domain.trading.broker import MemoryIntents
from domain.trading.order import Order, Target
from domain.venues import transport
from domain.venues.http import Clock, Connection, Refused
from domain.venues.oanda import OandaSource
from domain.venues.oanda_broker import OandaBroker
from domain.venues.oanda_wire import ACCOUNT, OANDA, TOKEN
from tests.conformance.rig import NOON
from tests.conformance.rig_oanda import OandaRig
from tests.doubles.oanda_candles import OandaCandles, rows_of

BUY = Order("buy-1", "EURUSD", "buy", "market", Decimal("0.10"), stop_loss=Decimal("1.09500"), targets=(Target(Decimal("1.11000")),))
OLD = {"unitsAvailable", "quoteHomeConversionFactors"}      # fields of samples that the vendor has since given up
HOUR = 3_600_000_000_000


@pytest.fixture
def rig() -> Iterator[OandaRig]:
    built = OandaRig()
    yield built
    built.close()


class Raw:
    """The double asked as the vendor's documentation has it, without the SDK."""

    def __init__(self, rig: OandaRig) -> None:
        self.base, self.session = f"{rig.double.url}/v3/accounts/{rig.double.account.number}", requests.Session()
        self.session.headers["Authorization"] = f"Bearer {rig.double.token}"

    def get(self, path: str) -> Any:
        return self.session.get(self.base + path, timeout=5).json()

    def post(self, order: dict[str, Any]) -> requests.Response:
        return self.session.post(self.base + "/orders", json={"order": order}, timeout=5)

    def put(self, path: str, body: dict[str, Any] | None = None) -> Any:
        return self.session.put(self.base + path, json=body or {}, timeout=5).json()


def lacking(sample: Any, answer: Any, path: str = "") -> list[str]:
    """Fields of a sample that an answer does not have; of lists, those of their first rows."""
    if isinstance(sample, dict):
        absent = [f"{path}.{name}" for name in sample if name not in answer and name not in OLD]
        return absent + [field for name in sample if name in answer for field in lacking(sample[name], answer[name], f"{path}.{name}")]
    return lacking(sample[0], answer[0], path + "[]") if isinstance(sample, list) and sample and isinstance(sample[0], dict) else []


def sample(module: Any, name: str) -> Any:
    return module.responses[name]["response"]


def test_the_double_has_every_field_of_the_samples(rig):
    """The samples are answers that OANDA gave: ../shared/data/native/oanda_v20 holds the same ones."""
    raw, stop = Raw(rig), {"timeInForce": "GTC", "price": "1.22000"}
    limit = {"stopLossOnFill": stop, "units": "-100", "price": "1.20000", "instrument": "EUR_USD", "timeInForce": "GTC", "type": "LIMIT", "positionFill": "DEFAULT", "clientExtensions": {"id": "myID", "comment": "myComment"}}
    created = raw.post(limit).json()
    assert not lacking(sample(orders, "_v3_accounts_accountID_orders_create"), created)
    assert not lacking(sample(orders, "_v3_accounts_accountID_orders_pending"), raw.get("/pendingOrders"))
    assert not lacking(sample(orders, "_v3_accounts_accountID_order_details"), raw.get(f"/orders/{created['lastTransactionID']}"))
    assert not lacking(sample(orders, "_v3_accounts_accountID_order_cancel"), raw.put("/orders/@myID/cancel"))
    trade = raw.post({"type": "MARKET", "instrument": "EUR_USD", "units": "100", "timeInForce": "FOK", "positionFill": "DEFAULT"}).json()["orderFillTransaction"]["tradeOpened"]["tradeID"]
    assert not lacking(sample(trades, "_v3_accounts_accountID_opentrades"), raw.get("/openTrades"))
    raw.put(f"/trades/{trade}/orders", {"stopLoss": {"price": "1.05000"}})
    assert not lacking(sample(trades, "_v3_account_accountID_trades_crcdo"), raw.put(f"/trades/{trade}/orders", {"stopLoss": {"price": "1.06000"}, "takeProfit": {"price": "1.20000"}}))
    assert not lacking(sample(trades, "_v3_account_accountID_trades_close"), raw.put(f"/trades/{trade}/close", {"units": "100"}))
    assert not lacking(sample(accounts, "_v3_account_by_accountID_summary"), raw.get("/summary"))
    assert not lacking(sample(accounts, "_v3_account_by_accountID_instruments"), raw.get("/instruments"))
    assert not lacking(sample(pricing, "_v3_accounts_accountID_pricing"), raw.get("/pricing?instruments=EUR_USD"))
    assert not lacking(sample(transactions, "_v3_accounts_transaction_idrange"), raw.get("/transactions/idrange?from=1&to=9"))


def test_the_double_has_every_field_of_the_sample_of_candles():
    one = np.array([1.1])
    bars = frame(np.array([NOON.timestamp() * 1e9], np.int64), open=one, high=one, low=one, close=one, volume=one, spread=one * 0)
    double = OandaCandles({("EUR_USD", "H1"): rows_of(bars, "EUR_USD")}, int(NOON.timestamp()) + 9_000, "t")
    with double.serve() as url:
        answer = requests.get(f"{url}/v3/instruments/EUR_USD/candles", params={"granularity": "H1"}, headers={"Authorization": "Bearer t"}, timeout=5).json()
    assert not lacking(sample(instruments, "_v3_instruments_instrument_candles"), answer)


def test_at_the_vendor_a_market_order_sent_twice_under_one_id_fills_twice_and_a_pending_one_is_refused(rig):
    raw, own = Raw(rig), {"clientExtensions": {"id": "same"}}
    market = {"type": "MARKET", "instrument": "EUR_USD", "units": "100", "timeInForce": "FOK", "positionFill": "DEFAULT", **own}
    assert [raw.post(market).status_code for _ in range(2)] == [201, 201] and len(raw.get("/openTrades")["trades"]) == 2
    limit = {"type": "LIMIT", "instrument": "EUR_USD", "units": "100", "price": "1.05000", "timeInForce": "GTC", "positionFill": "DEFAULT", **own}
    refused = [raw.post(limit) for _ in range(2)][1]
    assert (refused.status_code, refused.json()["orderRejectTransaction"]["rejectReason"]) == (400, "CLIENT_ORDER_ID_ALREADY_EXISTS")


def test_at_the_vendor_a_price_with_too_many_decimals_is_refused(rig):
    refused = Raw(rig).post({"type": "LIMIT", "instrument": "USD_JPY", "units": "100", "price": "149.00000", "timeInForce": "GTC", "positionFill": "DEFAULT"})
    assert refused.json()["orderRejectTransaction"]["rejectReason"] == "PRICE_PRECISION_EXCEEDED"


def test_a_pending_order_whose_intent_was_lost_is_known_again_by_its_client_id(rig):
    limit = replace(BUY, client_id="limit-1", kind="limit", price=Decimal("1.09900"))
    first = rig.broker().submit(limit)
    rig.intents = MemoryIntents()
    again = rig.broker().submit(limit)
    assert (again.state, again.broker_id, rig.accepted()) == ("accepted", first.broker_id, 1)


@pytest.mark.parametrize(("fault", "states"), [("hang", ["filled"]), ("cut", ["filled"]), ("busy", ["unknown", "filled"])])
def test_an_answer_that_hangs_is_cut_or_busy_is_requested(rig, fault, states):
    broker = rig.broker(timeout=0.3)
    rig.double.answers.append(fault)
    assert [broker.submit(BUY).state for _ in states] == states and rig.accepted() == 1 == len(broker.fills())


def test_a_stop_whose_change_was_cut_off_is_set_again_and_once(rig):
    broker = rig.broker()
    broker.submit(BUY)
    rig.double.answers += ["cut", "busy"]
    broker.protect(broker.positions()[0], Decimal("1.09600"), BUY.targets)
    stops = [order for order in rig.double.account.pending() if order["type"] == "STOP_LOSS"]
    assert [order["price"] for order in stops] == ["1.09600"] and rig.unprotected() == []


def test_an_order_that_ran_out_is_expired(rig):
    broker = rig.broker()
    limit = replace(BUY, client_id="limit-1", kind="limit", price=Decimal("1.09900"), expires=rig.time.now + timedelta(minutes=1))
    assert broker.submit(limit).state == "accepted"
    rig.time.advance(61)
    ticket = broker.submit(limit)
    assert (ticket.state, ticket.open_lots, rig.accepted()) == ("expired", 0, 1)


def test_an_order_never_turns_a_position_of_the_other_side(rig):
    """The vendor nets by default; it is told to open only, and a close names its trade."""
    rig.broker().submit(BUY)
    rig.broker().submit(replace(BUY, client_id="sell-1", side="sell", stop_loss=None, targets=()))
    assert {row.get("positionFill") for row in rig.double.account.transactions if row["type"] == "MARKET_ORDER"} == {"OPEN_ONLY"}


def test_a_stop_and_a_close_in_one_record_are_distinguished(rig):
    broker = rig.broker()
    first, second = (broker.submit(replace(BUY, client_id=name)).position_id for name in ("a", "b"))
    Raw(rig).put(f"/trades/{second}/close", {"units": "ALL"})             # by hand
    rig.move("EURUSD", "1.09400", "1.09410")
    assert [(fill.position_id, fill.reason, fill.client_id) for fill in broker.fills()] == [(first, "market", "a"), (second, "market", "b"), (second, "manual", ""), (first, "stop_loss", "")]


def test_a_stop_below_the_price_of_a_short_is_refused_before_it_is_sent(rig):
    broker = rig.broker()
    broker.submit(replace(BUY, side="sell", stop_loss=Decimal("1.10500"), targets=()))
    for stop, targets in ((Decimal("1.09000"), ()), (Decimal("1.10500"), (Target(Decimal("1.12000")),))):
        with pytest.raises(BadRequest, match="the old one stands"):
            broker.protect(broker.positions()[0], stop, targets)
    assert broker.positions()[0].stop_loss == Decimal("1.10500") and not [row for row in rig.double.requests if row[0] == "PUT"]


def test_requests_are_paced_and_timed():
    assert OANDA.pace == (100, 1.0) and Connection("", "", Clock(lambda: 0, lambda: 0.0, lambda seconds: None), lambda: 0.0).timeout == 10.0 and transport.STREAM_TIMEOUT == 15.0


def test_prices_are_streamed_with_their_heartbeats_and_an_end_is_an_error(rig):
    rig.double.stream = [rig.double.account.price("EUR_USD"), {"type": "HEARTBEAT", "time": rig.double.account.time()}, {**rig.double.account.price("USD_JPY"), "tradeable": False}]
    quotes = []
    with pytest.raises(SourceUnavailable, match="closed"):
        for quote in rig.broker().quotes(["EURUSD", "USDJPY"]):
            quotes.append(quote)
    assert [quote and (quote.instrument, quote.bid, quote.ask, quote.tradeable) for quote in quotes] == [("EURUSD", Decimal("1.10000"), Decimal("1.10010"), True), None, ("USDJPY", Decimal("150.000"), Decimal("150.010"), False)]
    assert rig.double.requests[-1][1].endswith("/pricing/stream") and rig.double.requests[-1][2] == {"instruments": "EUR_USD,USD_JPY"}


def test_a_stream_that_falls_silent_is_left(rig, monkeypatch):
    monkeypatch.setattr(transport, "STREAM_TIMEOUT", 0.2)
    rig.double.silent = True
    with pytest.raises(SourceUnavailable, match="connect again"):
        list(rig.broker().quotes(["EURUSD"]))


def test_fills_are_streamed_each_once(rig):
    rig.broker().submit(BUY)
    rows = [row for row in rig.double.account.transactions if row["type"] == "ORDER_FILL"]
    rig.double.stream = [{"type": "HEARTBEAT", "lastTransactionID": "1", "time": rig.double.account.time()}, *rows, *rows, *rig.double.account.transactions[-1:]]
    streamed = []
    with suppress(SourceUnavailable):
        for fills in rig.broker().executions():
            streamed.append(fills)
    assert streamed == [(), rig.broker().fills(), (), ()]


def test_neither_token_nor_account_is_logged_or_shown(rig, caplog):
    """The SDK logs the address of each request that fails, and the account is in it."""
    caplog.set_level("INFO")
    broker, texts = rig.broker(), list[str]()
    broker.submit(replace(BUY, lots=Decimal("90")))
    for trouble in (lambda: rig.away(True), lambda: (rig.away(False), rig.refuse_key())):
        trouble()
        for ask in (broker.account, broker.fills, lambda: broker.submit(BUY)):
            try:
                texts.append(repr(ask()))
            except (BadRequest, SourceUnavailable) as error:
                texts.append(str(error))
    texts += [record.getMessage() for record in caplog.records] + [repr(vars(broker)), repr(broker)]
    assert len(texts) >= 8 and not [text for text in texts if rig.secret in text or rig.double.account.number in text]


def test_a_missing_key_is_a_sentence_with_its_variable():
    clock = Clock(lambda: 0, lambda: 0.0, lambda seconds: None)
    for keys, variable in (({}, TOKEN), ({TOKEN: "x"}, ACCOUNT)):
        with pytest.raises(BadRequest, match=f"{variable}, which is not set"):
            OandaBroker(Connection("OANDA", "http://127.0.0.1:9", clock, lambda: 0.0, keys=keys), MemoryIntents())


def request_of(bars: Any, at: int, days: int = 1) -> Any:
    start = int(NOON.timestamp()) * 1_000_000_000
    double = OandaCandles({("EUR_USD", "H1"): rows_of(bars, "EUR_USD")}, at // 1_000_000_000, "t")
    with double.serve() as url:
        connection = Connection("OANDA", url, Clock(lambda: at, lambda: 0.0, lambda seconds: None), lambda: 0.0, keys={TOKEN: "t", ACCOUNT: "n"}, double=True)
        page = OandaSource().page(Request(instrument("EURUSD"), Timeframe.named("H1"), Span(start, start + days * 24 * HOUR), at), Span(start, start + days * 24 * HOUR), connection)
    return page, double


def test_a_bar_that_has_ended_and_is_not_complete_yet_is_named_and_not_taken():
    start, one = int(NOON.timestamp()) * 1_000_000_000, np.array([1.1, 1.1])
    bars = frame(np.array([start, start + HOUR]), open=one, high=one, low=one, close=one, volume=one, spread=one * 0 + 0.0001)
    page, double = request_of(bars, start + 2 * HOUR + 5_000_000_000)
    assert len(page.bars) == 1 and [(missing.reason, missing.span) for missing in page.missing] == [("open", Span(start + HOUR, start + 2 * HOUR))] and "minute late" in page.missing[0].sentence
    assert double.watched_requests[0].query["price"] == "BA" and (double.watched_requests[0].query["dailyAlignment"], double.watched_requests[0].query["alignmentTimezone"]) == ("17", "America/New_York")


def test_a_span_without_a_candle_while_the_market_was_open_is_named():
    start, none = int(NOON.timestamp()) * 1_000_000_000, np.zeros(0)
    bars = frame(np.zeros(0, np.int64), open=none, high=none, low=none, close=none, volume=none, spread=none)
    page, _ = request_of(bars, start + 30 * HOUR)
    assert len(page.bars) == 0 and [missing.reason for missing in page.missing] == ["empty"]


def test_an_ask_below_its_bid_is_an_unknown_spread_and_a_note():
    start, one = int(NOON.timestamp()) * 1_000_000_000, np.array([1.1, 1.1])
    bars = frame(np.array([start, start + HOUR]), open=one, high=one, low=one, close=one, volume=one, spread=np.array([-0.0002, 0.0003]))
    page, _ = request_of(bars, start + 9 * HOUR)
    assert np.isnan(page.bars["spread"][0]) and page.bars["spread"][1] == 0.0003 and "1 bar " in page.notes[0]


def test_an_instrument_that_the_account_does_not_have_is_refused_with_the_vendors_words():
    start = int(NOON.timestamp()) * 1_000_000_000
    double = OandaCandles({}, start // 1_000_000_000 + 90_000, "t")
    with double.serve() as url:
        connection = Connection("OANDA", url, Clock(lambda: start, lambda: 0.0, lambda seconds: None), lambda: 0.0, keys={TOKEN: "t", ACCOUNT: "n"}, double=True)
        span = Span(start - 24 * HOUR, start)
        with pytest.raises(Refused, match="Invalid value specified for 'instrument'"):
            OandaSource().page(Request(instrument("GBPJPY"), Timeframe.named("H1"), span, start), span, connection)
