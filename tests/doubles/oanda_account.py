"""A practice account as OANDA's v20 keeps it: prices, orders, trades and the record of transactions. No network here.

Rules that matter and are easily got wrong: a client id is refused only while an order with it is pending, so a market order sent twice under
one id fills twice; a stop is replaced in one batch of transactions; prices with too many decimals are refused; what is filled stands once in the
record and, to a caller who asks too early, not yet as an order.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from datetime import datetime
from decimal import Decimal
from typing import Any

from oandapyV20.endpoints.responses.accounts import responses as account_samples

Json = dict[str, Any]
SAMPLE = account_samples["_v3_account_by_accountID_summary"]["response"]["account"]
SPECIFICATIONS = {row["name"]: row for row in account_samples["_v3_account_by_accountID_instruments"]["response"]["instruments"]}
YEN = {**SPECIFICATIONS["EUR_USD"], "name": "USD_JPY", "displayName": "USD/JPY", "displayPrecision": 3, "pipLocation": -2, "minimumTrailingStopDistance": "0.050"}
GOLD = {**SPECIFICATIONS["EUR_USD"], "name": "XAU_USD", "displayName": "Gold", "displayPrecision": 3, "type": "METAL", "maximumOrderUnits": "10000"}
INSTRUMENTS = {row["name"]: row for row in (SPECIFICATIONS["EUR_USD"], YEN, GOLD)}
PRICES = {"EUR_USD": ("1.10000", "1.10010"), "USD_JPY": ("150.000", "150.010"), "XAU_USD": ("2350.100", "2350.500")}
LEVERAGE = 30
ORDERS = {"MARKET": "MARKET_ORDER", "LIMIT": "LIMIT_ORDER", "STOP": "STOP_ORDER", "STOP_LOSS": "STOP_LOSS_ORDER", "TAKE_PROFIT": "TAKE_PROFIT_ORDER"}


class Rejected(Exception):
    """A request that is refused: its status and its answer."""

    def __init__(self, status: int, answer: Json) -> None:
        super().__init__(answer)
        self.status, self.answer = status, answer


class Account:
    """One account. ``now`` is the vendor's clock."""

    def __init__(self, now: Callable[[], datetime], number: str = "101-004-1435156-001") -> None:
        self.now, self.number = now, number
        self.balance = Decimal("100000.0000")
        self.transactions: list[Json] = []
        self.orders: dict[str, Json] = {}           # every order ever, by id
        self.trades: dict[str, Json] = {}           # every trade ever, by id
        self.prices: dict[str, tuple[Decimal, Decimal, str]] = {}
        self.liquidity: int | None = None           # units that the next market order finds
        self.frozen = False
        self.unprotected: list[str] = []
        self._had_stop: set[str] = set()
        for name, (bid, ask) in PRICES.items():
            self.prices[name] = (Decimal(bid), Decimal(ask), self.time())

    # what happens

    def move(self, name: str, bid: str, ask: str) -> None:
        """A new price now; whatever it reaches fills, stops first."""
        self.frozen = False
        self.prices[name] = (Decimal(bid), Decimal(ask), self.time())
        for kind in ("STOP_LOSS", "TAKE_PROFIT", "LIMIT", "STOP"):
            for order in [order for order in self.pending() if order["type"] == kind and self._instrument(order) == name]:
                if order["state"] == "PENDING" and self._reached(order):
                    self._fill(order, self._units(order))
        self._expire()

    def tick(self) -> None:
        """Time has passed: every price is quoted anew, unless prices are frozen; orders that have run out expire."""
        if not self.frozen:
            self.prices = {name: (bid, ask, self.time()) for name, (bid, ask, _) in self.prices.items()}
        self._expire()

    def create(self, body: Json) -> tuple[int, Json]:
        """POST orders."""
        order = self._checked(body)
        created = self._new_order(order, "CLIENT_ORDER")
        batch = [created]
        order = self.orders[created["id"]]
        if order["type"] == "MARKET":
            batch += self._at_market(order)
        elif self._reached(order):
            batch += self._fill(order, self._units(order))
        return 201, self._batch(batch, orderCreateTransaction=created, **_named(batch))

    def cancel(self, specifier: str) -> tuple[int, Json]:
        order = self.order(specifier)
        if order is None or order["state"] != "PENDING":
            reject = self._add("ORDER_CANCEL_REJECT", orderID=specifier, rejectReason="ORDER_DOESNT_EXIST", reason="CLIENT_REQUEST")
            raise Rejected(404, {"orderCancelRejectTransaction": reject, "relatedTransactionIDs": [reject["id"]], "lastTransactionID": self.last, "errorCode": "ORDER_DOESNT_EXIST", "errorMessage": "The Order specified does not exist"})
        cancelled = self._cancelled(order, "CLIENT_REQUEST")
        self._watch()
        return 200, self._batch([cancelled], orderCancelTransaction=cancelled)

    def close(self, trade_id: str, body: Json) -> tuple[int, Json]:
        """PUT trades/…/close."""
        trade = self._open_trade(trade_id)
        units = abs(int(trade["currentUnits"])) if body.get("units", "ALL") == "ALL" else int(body["units"])
        if not 0 < units <= abs(int(trade["currentUnits"])):
            raise self._rejected("MARKET_ORDER_REJECT", "CLOSE_TRADE_UNITS_EXCEED_TRADE_SIZE", {"tradeClose": {"tradeID": trade_id, "units": str(units)}})
        signed = -units if int(trade["currentUnits"]) > 0 else units
        created = self._new_order({"type": "MARKET", "instrument": trade["instrument"], "units": str(signed), "timeInForce": "FOK", "positionFill": "REDUCE_ONLY", "tradeClose": {"tradeID": trade_id, "units": str(units)}}, "TRADE_CLOSE")
        batch = [created, *self._fill(self.orders[created["id"]], signed)]
        return 200, self._batch(batch, orderCreateTransaction=created, **_named(batch))

    def protect(self, trade_id: str, body: Json) -> tuple[int, Json]:
        """PUT trades/…/orders: what is named is replaced in one batch, null takes it away, what is left out stays."""
        trade, batch, named = self._open_trade(trade_id), list[Json](), dict[str, Json]()
        for key, kind in (("stopLoss", "STOP_LOSS"), ("takeProfit", "TAKE_PROFIT")):
            if body.get(key):
                self._precise(trade["instrument"], body[key]["price"], f"{kind}_ORDER_REJECT")
        for key, kind in (("stopLoss", "STOP_LOSS"), ("takeProfit", "TAKE_PROFIT")):
            if key not in body:
                continue
            old = self._attached(trade_id, kind)
            if old is not None:
                batch.append(self._cancelled(old, "CLIENT_REQUEST_REPLACED" if body[key] else "CLIENT_REQUEST"))
                named[f"{key}OrderCancelTransaction"] = batch[-1]
            if body[key]:
                batch.append(self._attach(trade_id, kind, body[key], "REPLACEMENT" if old is not None else "CLIENT_ORDER"))
                named[f"{key}OrderTransaction"] = batch[-1]
                if old is not None:
                    batch[-1] |= {"replacesOrderID": old["id"], "cancellingTransactionID": batch[-2]["id"]}
                    batch[-2]["replacedByOrderID"] = batch[-1]["id"]
        self._watch()
        for order in [order for order in self.pending() if order.get("tradeID") == trade_id and self._reached(order)]:
            batch += self._fill(order, self._units(order))
        return 200, self._batch(batch, **named)

    # what can be seen

    @property
    def last(self) -> str:
        return self.transactions[-1]["id"] if self.transactions else "0"

    def time(self) -> str:
        return self.now().strftime("%Y-%m-%dT%H:%M:%S.%f000Z")

    def pending(self) -> list[Json]:
        return [order for order in self.orders.values() if order["state"] == "PENDING"]

    def order(self, specifier: str) -> Json | None:
        """By id, or the pending one with a client id after an @."""
        if not specifier.startswith("@"):
            return self.orders.get(specifier)
        return next((order for order in self.pending() if order.get("clientExtensions", {}).get("id") == specifier[1:]), None)

    def open_trades(self) -> list[Json]:
        """Newest first, as the vendor lists them, each with the orders attached to it."""
        trades = [trade for trade in self.trades.values() if trade["state"] == "OPEN"]
        return [self._shown(trade) for trade in sorted(trades, key=lambda trade: -int(trade["id"]))]

    def summary(self) -> Json:
        profit = sum((self._profit(trade, int(trade["currentUnits"])) for trade in self.trades.values() if trade["state"] == "OPEN"), Decimal(0))
        used = sum((self._margin(trade["instrument"], int(trade["currentUnits"])) for trade in self.trades.values() if trade["state"] == "OPEN"), Decimal(0))
        numbers = {"balance": self.balance, "NAV": self.balance + profit, "unrealizedPL": profit, "marginUsed": used, "marginAvailable": self.balance + profit - used, "marginRate": Decimal(1) / LEVERAGE}
        counts = {"openTradeCount": len(self.open_trades()), "pendingOrderCount": len(self.pending())}
        return {**SAMPLE, **{name: f"{number:.4f}" for name, number in numbers.items()}, **counts, "id": self.number, "currency": "USD", "lastTransactionID": self.last}

    def price(self, name: str) -> Json:
        bid, ask, at = self.prices[name]
        tell = {"bids": [{"price": self._text(name, bid), "liquidity": 10000000}], "asks": [{"price": self._text(name, ask), "liquidity": 10000000}]}
        return {"type": "PRICE", "instrument": name, "time": at, "status": "tradeable", "tradeable": True, **tell, "closeoutBid": self._text(name, bid), "closeoutAsk": self._text(name, ask)}

    # how it is done

    def _checked(self, body: Json) -> Json:
        order = dict(body.get("order", {}))
        name, client = order.get("instrument", ""), order.get("clientExtensions", {}).get("id", "")
        kind = f"{ORDERS.get(order.get('type', ''), 'MARKET_ORDER')}_REJECT"
        if name not in INSTRUMENTS:
            raise self._rejected(kind, "INSTRUMENT_UNKNOWN", order)
        if "." in str(order["units"]):
            raise self._rejected(kind, "UNITS_PRECISION_EXCEEDED", order)
        if client and self.order("@" + client) is not None:
            raise self._rejected(kind, "CLIENT_ORDER_ID_ALREADY_EXISTS", order)
        for price in (order.get("price"), order.get("stopLossOnFill", {}).get("price"), order.get("takeProfitOnFill", {}).get("price")):
            if price is not None:
                self._precise(name, price, kind)
        return order

    def _precise(self, name: str, price: str, kind: str) -> None:
        decimals = len(str(price).partition(".")[2])
        if decimals > INSTRUMENTS[name]["displayPrecision"]:
            raise self._rejected(kind, "PRICE_PRECISION_EXCEEDED", {"instrument": name, "price": price})

    def _rejected(self, kind: str, reason: str, order: Json) -> Rejected:
        reject = self._add(kind, **{**{key: value for key, value in order.items() if key != "type"}, "rejectReason": reason, "reason": "CLIENT_ORDER"})
        return Rejected(400, {"orderRejectTransaction": reject, "relatedTransactionIDs": [reject["id"]], "lastTransactionID": self.last, "errorCode": reason, "errorMessage": reason.replace("_", " ").capitalize()})

    def _new_order(self, order: Json, reason: str) -> Json:
        fields = {key: value for key, value in order.items() if key != "type"}
        if order["type"] in ("LIMIT", "STOP"):
            fields["triggerCondition"] = "TRIGGER_DEFAULT"
        created = self._add(ORDERS[order["type"]], **fields, reason=reason)
        self.orders[created["id"]] = {**fields, "id": created["id"], "type": order["type"], "state": "PENDING", "createTime": created["time"], "partialFill": "DEFAULT_FILL"}
        return created

    def _at_market(self, order: Json) -> list[Json]:
        wanted = self._units(order)
        units = wanted if self.liquidity is None else min(abs(wanted), self.liquidity) * (1 if wanted > 0 else -1)
        self.liquidity = None
        if self._margin(order["instrument"], wanted) > Decimal(self.summary()["marginAvailable"]):
            return [self._cancelled(order, "INSUFFICIENT_MARGIN")]
        if units != wanted and order.get("timeInForce") == "FOK":
            return [self._cancelled(order, "INSUFFICIENT_LIQUIDITY")]
        if self._stops_at_once(order):
            return [self._cancelled(order, "STOP_LOSS_ON_FILL_LOSS")]
        batch = self._fill(order, units)
        if units != wanted:
            order["state"] = "PENDING"
            batch.append(self._cancelled(order, "INSUFFICIENT_LIQUIDITY"))
        return batch

    def _stops_at_once(self, order: Json) -> bool:
        stop, (bid, ask, _) = order.get("stopLossOnFill"), self.prices[order["instrument"]]
        return bool(stop) and (Decimal(stop["price"]) >= bid if self._units(order) > 0 else Decimal(stop["price"]) <= ask)

    def _fill(self, order: Json, units: int) -> list[Json]:
        """The fill, and the orders attached by it. A trade that closes takes its other orders with it."""
        name = self._instrument(order)
        bid, ask, _ = self.prices[name]
        price = ask if units > 0 else bid
        reason = {"MARKET": "MARKET_ORDER_TRADE_CLOSE" if "tradeClose" in order else "MARKET_ORDER"}.get(order["type"], ORDERS[order["type"]])
        entry: Json = {"orderID": order["id"], "instrument": name, "units": str(units), "price": self._text(name, price), "reason": reason, "financing": "0.0000", "pl": "0.0000", "commission": "0.0000"}
        if client := order.get("clientExtensions", {}).get("id"):
            entry["clientOrderID"] = client
        closes = order.get("tradeID") or order.get("tradeClose", {}).get("tradeID")
        order["state"] = "FILLED"
        if closes:
            return self._reduce(order, closes, units, price, entry)
        number = str(len(self.transactions) + 1)
        entry["tradeOpened"] = {"tradeID": number, "units": str(units), "price": self._text(name, price), **({"clientExtensions": order["tradeClientExtensions"]} if "tradeClientExtensions" in order else {})}
        filled = self._add("ORDER_FILL", **entry, accountBalance=f"{self.balance:.4f}")
        self.trades[number] = {"id": number, "instrument": name, "price": self._text(name, price), "openTime": filled["time"], "state": "OPEN", "initialUnits": str(units), "currentUnits": str(units), "realizedPL": "0.0000", "financing": "0.0000", **({"clientExtensions": order["tradeClientExtensions"]} if "tradeClientExtensions" in order else {})}
        attached = [self._attach(number, kind, order[key], "ON_FILL") for key, kind in (("stopLossOnFill", "STOP_LOSS"), ("takeProfitOnFill", "TAKE_PROFIT")) if order.get(key)]
        self._watch()
        return [filled, *attached]

    def _reduce(self, order: Json, trade_id: str, units: int, price: Decimal, entry: Json) -> list[Json]:
        trade = self.trades[trade_id]
        profit = self._profit(trade, -units, price)
        self.balance += profit
        part = {"tradeID": trade_id, "units": str(units), "realizedPL": f"{profit:.4f}", "financing": "0.0000", "price": entry["price"]}
        left = int(trade["currentUnits"]) + units
        trade["currentUnits"] = str(left)
        batch = [self._add("ORDER_FILL", **{**entry, "pl": f"{profit:.4f}"}, **({"tradeReduced": part} if left else {"tradesClosed": [part]}), accountBalance=f"{self.balance:.4f}")]
        if not left:
            trade["state"] = "CLOSED"
            batch += [self._cancelled(other, "LINKED_TRADE_CLOSED") for other in self.pending() if other.get("tradeID") == trade_id]
        return batch

    def _attach(self, trade_id: str, kind: str, details: Json, reason: str) -> Json:
        created = self._new_order({"type": kind, "tradeID": trade_id, "price": details["price"], "timeInForce": details.get("timeInForce", "GTC"), "triggerCondition": "TRIGGER_DEFAULT"}, reason)
        if kind == "STOP_LOSS":
            self._had_stop.add(trade_id)
        return created

    def _attached(self, trade_id: str, kind: str) -> Json | None:
        return next((order for order in self.pending() if order.get("tradeID") == trade_id and order["type"] == kind), None)

    def _cancelled(self, order: Json, reason: str) -> Json:
        order["state"] = "CANCELLED"
        client = order.get("clientExtensions", {}).get("id")
        return self._add("ORDER_CANCEL", orderID=order["id"], reason=reason, **({"clientOrderID": client} if client else {}))

    def _expire(self) -> None:
        for order in self.pending():
            if order.get("gtdTime") and _instant(order["gtdTime"]) <= self.now():
                self._cancelled(order, "TIME_IN_FORCE_EXPIRED")

    def _watch(self) -> None:
        """Called whenever a batch is done: a trade that had a stop and has none is entry."""
        for trade_id in self._had_stop:
            if self.trades[trade_id]["state"] == "OPEN" and self._attached(trade_id, "STOP_LOSS") is None:
                self.unprotected.append(f"trade {trade_id} has no stop after transaction {self.last}")

    def _reached(self, order: Json) -> bool:
        """Whether the price that the order trades on is at its own or beyond; a trade's orders trade against it."""
        bid, ask, _ = self.prices[self._instrument(order)]
        buys, price = self._units(order) > 0, Decimal(order["price"])
        if order["type"] in ("STOP_LOSS", "STOP"):
            return ask >= price if buys else bid <= price
        return ask <= price if buys else bid >= price

    def _instrument(self, order: Json) -> str:
        return order.get("instrument") or self.trades[order["tradeID"]]["instrument"]

    def _units(self, order: Json) -> int:
        return int(order["units"]) if "units" in order else -int(self.trades[order["tradeID"]]["currentUnits"])

    def _open_trade(self, trade_id: str) -> Json:
        trade = self.trades.get(trade_id)
        if trade is None or trade["state"] != "OPEN":
            raise Rejected(404, {"lastTransactionID": self.last, "errorCode": "TRADE_DOESNT_EXIST", "errorMessage": "The Trade specified does not exist"})
        return trade

    def _shown(self, trade: Json) -> Json:
        attached = {"stopLossOrder": self._attached(trade["id"], "STOP_LOSS"), "takeProfitOrder": self._attached(trade["id"], "TAKE_PROFIT")}
        profit = self._profit(trade, int(trade["currentUnits"]))
        return {**deepcopy(trade), "unrealizedPL": f"{profit:.4f}", **{name: order for name, order in attached.items() if order is not None}}

    def _profit(self, trade: Json, units: int, price: Decimal | None = None) -> Decimal:
        """Of ``units`` of the trade, signed as it is, in dollars."""
        bid, ask, _ = self.prices[trade["instrument"]]
        at = price if price is not None else bid if units > 0 else ask
        gross = (at - Decimal(trade["price"])) * units
        return gross / at if trade["instrument"] == "USD_JPY" else gross

    def _margin(self, name: str, units: int) -> Decimal:
        return abs(units) * (Decimal(1) if name == "USD_JPY" else self.prices[name][1]) / LEVERAGE

    def _text(self, name: str, price: Decimal) -> str:
        return f"{price:.{INSTRUMENTS[name]['displayPrecision']}f}"

    def _add(self, kind: str, **entry: Any) -> Json:
        transaction = {"id": str(len(self.transactions) + 1), "time": self.time(), "type": kind, "accountID": self.number, "userID": 1435156, **entry}
        transaction["batchID"] = transaction["id"]
        self.transactions.append(transaction)
        return transaction

    def _batch(self, batch: list[Json], **named: Json) -> Json:
        for transaction in batch:
            transaction["batchID"] = batch[0]["id"]
        return {**named, "relatedTransactionIDs": [transaction["id"] for transaction in batch], "lastTransactionID": self.last}


def _named(batch: list[Json]) -> Json:
    names = {"ORDER_FILL": "orderFillTransaction", "ORDER_CANCEL": "orderCancelTransaction"}
    return {names[transaction["type"]]: transaction for transaction in reversed(batch) if transaction["type"] in names}


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text[:26].rstrip("Z") + "+00:00")
