"""OANDA as a broker: a practice account. Its positions are the vendor's trades, its fills the vendor's record.

A client id is refused there only while its order is pending: a market order sent twice under one id fills twice, so ``submit`` stands on
``domain.trading.once``. Orders open or close, never both: the vendor is sent OPEN_ONLY, or which trade to close.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from domain.errors import BadRequest
from domain.market.instrument import instruments
from domain.trading.broker import Intent, Intents
from domain.trading.freshness import Freshness
from domain.trading.once import APART, AnswerLost, Once
from domain.trading.order import Account, Fill, Order, Position, Target, Ticket
from domain.venues.http import Connection
from domain.venues.oanda_record import PENDING_ALREADY, fills, instant, refusal, ticket
from domain.venues.oanda_wire import Answered, Wire, symbol_of, symbols

RECORD = 1_000              # transactions of a request
OLDEST_PRICE = 60.0         # seconds; on an older one no position is opened
COMMENT = "tidemark"


@dataclass(frozen=True)
class Specification:
    """What OANDA says of an instrument, with its units in a lot of ours."""

    name: str                   # ours
    symbol: str
    contract: Decimal           # units per lot
    step: Decimal               # of prices
    unit: Decimal               # smallest step of units
    least: Decimal              # units
    most: Decimal

    def price(self, value: Decimal) -> str:
        """As the vendor takes it: rounded to the decimals it quotes, which the SDK does not do (yen have three)."""
        return str(value.quantize(self.step, ROUND_HALF_UP))

    def units(self, lots: Decimal) -> Decimal:
        units = lots * self.contract
        if units % self.unit or units < self.least:
            raise BadRequest(f"OANDA trades {self.name} in whole multiples of {self.unit / self.contract} lots, at least {self.least / self.contract}; {lots} is none")
        if units > self.most:
            raise BadRequest(f"OANDA takes at most {self.most / self.contract} lots of {self.name} in one order, not {lots}; send less")
        return units.quantize(self.unit)


@dataclass(frozen=True)
class Quote:
    """A price as it came: ``at`` by the vendor's clock; not ``tradeable`` while the market is shut."""

    instrument: str
    bid: Decimal
    ask: Decimal
    at: datetime
    tradeable: bool


class OandaBroker:
    """The six verbs on a practice account. ``intents`` outlives the process; time between two looks for an order and age of prices in seconds."""

    max_targets = 1

    def __init__(self, connection: Connection, intents: Intents, *, apart: float = APART, oldest_price: float = OLDEST_PRICE) -> None:
        self._wire, self._intents, self._oldest = Wire(connection), intents, oldest_price
        self._fresh = Freshness(connection.clock.monotonic)
        self._specifications: dict[str, Specification] = {}
        self._once = Once(intents, self, self._utc, connection.wait, apart)

    def account(self) -> Account:
        summary = self._summary()
        now = self._wire.now
        money = {name: Decimal(summary[name]) for name in ("balance", "NAV", "marginUsed", "marginAvailable")}
        skew = None if now is None else self._utc() - now
        return Account(summary["currency"], money["balance"], money["NAV"], money["marginUsed"], money["marginAvailable"], now, practice=True, clock_skew=skew)

    def positions(self) -> tuple[Position, ...]:
        from oandapyV20.endpoints.trades import OpenTrades

        trades = self._wire.ask(OpenTrades(self._wire.account))["trades"]
        return tuple(self._position(trade) for trade in sorted(trades, key=lambda trade: int(trade["id"])))

    def submit(self, order: Order) -> Ticket:
        self._body(order)
        return self._once.submit(order, self._stale)

    def protect(self, position: Position, stop: Decimal | None, targets: Sequence[Target]) -> None:
        """The vendor replaces both in one step; repeated, it changes nothing, so a lost answer is no matter."""
        from oandapyV20.endpoints.trades import TradeCRCDO

        specification = self._specification(position.instrument)
        self._few(position.position_id, targets)
        prices = {name: None if price is None else specification.price(price) for name, price in (("stopLoss", stop), ("takeProfit", targets[0].price if targets else None))}
        self._not_through(position, prices)
        data = {name: None if price is None else {"price": price, "timeInForce": "GTC"} for name, price in prices.items()}
        self._wire.ask(TradeCRCDO(self._wire.account, position.position_id, data=data))

    def cancel(self, client_id: str) -> None:
        from oandapyV20.endpoints.orders import OrderCancel

        intent = self._intents.find(client_id)
        if intent is None or (intent.ticket is not None and intent.ticket.over):
            return
        now = self.find(intent)
        if now is None or now.over:
            return
        with suppress(Answered, AnswerLost):        # filled or cancelled in between, or it may have arrived: what became of it stands in the record
            self._wire.tell(OrderCancel(self._wire.account, now.broker_id))
        self._intents.note(client_id, self.find(intent) or now)

    def fills(self, after: str = "") -> tuple[Fill, ...]:
        first = int(after.partition(".")[0] or 1) if after.partition(".")[0].isdigit() else 1
        rows = self._record(first, "ORDER_FILL")
        return fills(rows, after, _ours, lambda symbol: _contract(_ours(symbol)), self._client_of)

    # what ``Once`` asks of a vendor

    def mark(self) -> str:
        return str(self._summary()["lastTransactionID"])

    def send(self, order: Order) -> Ticket:
        from oandapyV20.endpoints.orders import OrderCreate
        from oandapyV20.endpoints.trades import TradeClose

        body = self._body(order)
        try:
            answer = self._wire.tell(TradeClose(self._wire.account, order.closes, data=body) if order.closes else OrderCreate(self._wire.account, data={"order": body}))
        except Answered as error:
            return self._refused(order, error)
        rows = [row for name, row in answer.items() if name.endswith("Transaction")]
        order_ticket = ticket(order, rows, self._specification(order.instrument).contract)
        if order_ticket is None:
            raise AnswerLost("OANDA's answer does not say what became of the order")
        return order_ticket

    def find(self, intent: Intent) -> Ticket | None:
        order = intent.order
        rows = self._record(int(intent.mark or 0) + 1)
        known = ticket(order, rows, self._specification(order.instrument).contract, lambda broker_id: self._client_of(broker_id) not in ("", order.client_id))
        return known or self._pending(order)

    def _pending(self, order: Order) -> Ticket | None:
        """An order under this id that was pending before the intent was written: its record was lost, and the vendor refuses a second one."""
        from oandapyV20.endpoints.orders import OrderDetails

        answer = self._wire.look(OrderDetails(self._wire.account, f"@{order.client_id}"))
        if answer is None or answer["order"]["state"] != "PENDING":
            return None
        return Ticket(order.client_id, "accepted", answer["order"]["id"], open_lots=order.lots, at=instant(answer["order"]["createTime"]))

    # prices as they come

    def quotes(self, names: Sequence[str]) -> Iterator[Quote | None]:
        """Prices as the vendor streams them; None for a heartbeat. SourceUnavailable after 15 s without either: connect again."""
        from oandapyV20.endpoints.pricing import PricingStream

        wanted = ",".join(symbol_of(name) for name in names)
        for line in self._wire.lines(PricingStream(self._wire.account, params={"instruments": wanted})):
            yield _quote(line) if line.get("type") == "PRICE" else None

    def executions(self) -> Iterator[tuple[Fill, ...]]:
        """Fills as the vendor streams its record, each once; empty for a heartbeat and for every other transaction. What was missed while away is in ``fills``."""
        from oandapyV20.endpoints.transactions import TransactionsStream

        last = ""
        for line in self._wire.lines(TransactionsStream(self._wire.account)):
            rows = [line] if line.get("type") == "ORDER_FILL" else []
            fresh = fills(rows, last, _ours, lambda symbol: _contract(_ours(symbol)), self._client_of)
            last = fresh[-1].fill_id if fresh else last
            yield fresh

    # how it is done

    def _utc(self) -> datetime:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=self._wire.connection.clock.utc_ns() // 1_000)

    def _summary(self) -> dict[str, Any]:
        from oandapyV20.endpoints.accounts import AccountSummary

        return self._wire.ask(AccountSummary(self._wire.account))["account"]

    def _record(self, first: int, kind: str = "") -> list[dict[str, Any]]:
        """The vendor's transactions from the number ``first`` on."""
        from oandapyV20.endpoints.transactions import TransactionIDRange

        last, rows = int(self.mark()), list[dict[str, Any]]()
        for begin in range(max(first, 1), last + 1, RECORD):
            params = {"from": begin, "to": min(begin + RECORD - 1, last), **({"type": kind} if kind else {})}
            rows += self._wire.ask(TransactionIDRange(self._wire.account, params=params))["transactions"]
        return rows

    def _specification(self, name: str) -> Specification:
        from oandapyV20.endpoints.accounts import AccountInstruments

        if name not in self._specifications:
            row = self._wire.ask(AccountInstruments(self._wire.account, params={"instruments": symbol_of(name)}))["instruments"][0]
            step, unit = (Decimal(1).scaleb(-int(row[key])) for key in ("displayPrecision", "tradeUnitsPrecision"))
            self._specifications[name] = Specification(name, row["name"], _contract(name), step, unit, Decimal(row["minimumTradeSize"]), Decimal(row["maximumOrderUnits"]))
        return self._specifications[name]

    def _body(self, order: Order) -> dict[str, Any]:
        """What the vendor is sent. BadRequest where it could never take it."""
        specification = self._specification(order.instrument)
        units = specification.units(order.lots)
        if order.closes:
            if order.kind != "market":
                raise BadRequest(f"order {order.client_id} closes position {order.closes} with a {order.kind} order; OANDA closes at the market, or by the position's stop and target")
            return {"units": str(units)}
        self._few(order.client_id, order.targets)
        own = {"id": order.client_id, "comment": COMMENT, **({"tag": order.tag} if order.tag else {})}
        body: dict[str, Any] = {
            "type": order.kind.upper(), "instrument": specification.symbol, "units": str(units if order.side == "buy" else -units), "positionFill": "OPEN_ONLY",
            "timeInForce": ("FOK" if order.whole else "IOC") if order.kind == "market" else "GTD" if order.expires else "GTC", "clientExtensions": own, "tradeClientExtensions": own,
        }  # fmt: skip
        if order.price is not None:
            body["price"] = specification.price(order.price)
        if order.expires is not None and order.kind != "market":
            body["gtdTime"] = order.expires.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        if order.stop_loss is not None:
            body["stopLossOnFill"] = {"price": specification.price(order.stop_loss), "timeInForce": "GTC"}
        if order.targets:
            body["takeProfitOnFill"] = {"price": specification.price(order.targets[0].price), "timeInForce": "GTC"}
        return body

    def _few(self, what: str, targets: Sequence[Target]) -> None:
        if len(targets) > self.max_targets or any(target.fraction != 1 for target in targets):
            raise BadRequest(f"{what} has {len(targets)} targets; OANDA keeps one target for the whole position: give one, and close shares by orders of their own")

    def _stale(self, order: Order) -> Ticket | None:
        """A refusal of ours where the price stands still; of an order that only closes, never."""
        if order.closes:
            return None
        quote = self.quote(order.instrument)
        age = self._fresh.age(order.instrument, quote.at, self._wire.now)
        if age <= self._oldest:
            return None
        sentence = f"the price of {order.instrument} at OANDA is {age:.0f} s old, more than {self._oldest:.0f} s; no order is sent on it"
        return Ticket(order.client_id, "rejected", reason="stale_price", sentence=sentence, at=self._wire.now)

    def quote(self, name: str) -> Quote:
        """The price now."""
        from oandapyV20.endpoints.pricing import PricingInfo

        return _quote(self._wire.ask(PricingInfo(self._wire.account, params={"instruments": symbol_of(name)}))["prices"][0])

    def _not_through(self, position: Position, prices: dict[str, str | None]) -> None:
        """Refuses a stop or target that would fill at once, which the vendor might take for an order to close."""
        quote, long = self.quote(position.instrument), position.side == "long"
        price = quote.bid if long else quote.ask
        stop, target = (None if prices[name] is None else Decimal(str(prices[name])) for name in ("stopLoss", "takeProfit"))
        if stop is not None and (stop >= price if long else stop <= price):
            raise BadRequest(f"a stop at {stop} is already through for a {position.side} position: {position.instrument} is at {price}; the old one stands")
        if target is not None and (target <= price if long else target >= price):
            raise BadRequest(f"a target at {target} is already reached for a {position.side} position: {position.instrument} is at {price}; the old one stands")

    def _refused(self, order: Order, error: Answered) -> Ticket:
        reject = error.body.get("orderRejectTransaction", {})
        reason = reject.get("rejectReason") or error.body.get("errorCode") or f"answered_{error.status}"
        if reason == PENDING_ALREADY:
            raise AnswerLost("OANDA says that an order with this client id is pending")
        return refusal(order, reason, instant(reject["time"]) if "time" in reject else self._wire.now)

    def _client_of(self, broker_id: str) -> str:
        intent = self._intents.named(broker_id)
        return "" if intent is None else intent.order.client_id

    def _position(self, trade: dict[str, Any]) -> Position:
        name, own = _ours(trade["instrument"]), trade.get("clientExtensions", {})
        units = Decimal(trade["currentUnits"])
        stop = trade.get("stopLossOrder") or trade.get("guaranteedStopLossOrder") or trade.get("trailingStopLossOrder")
        price = None if not stop else stop.get("price") or stop.get("trailingStopValue")
        targets = (Target(Decimal(trade["takeProfitOrder"]["price"])),) if trade.get("takeProfitOrder") else ()
        return Position(
            trade["id"], name, "long" if units > 0 else "short", abs(units) / _contract(name), Decimal(trade["price"]), instant(trade["openTime"]),
            None if price is None else Decimal(price), targets, Decimal(trade.get("unrealizedPL", "0")), own.get("id", ""), own.get("tag", ""),
        )  # fmt: skip


def _quote(price: dict[str, Any]) -> Quote:
    tradeable = price.get("tradeable", price.get("status") == "tradeable")
    return Quote(_ours(price["instrument"]), Decimal(price["bids"][0]["price"]), Decimal(price["asks"][0]["price"]), instant(price["time"]), bool(tradeable))


def _ours(symbol: str) -> str:
    """Our name; an instrument that we have no specification of keeps the vendor's."""
    return next((name for name, other in symbols().items() if other == symbol), symbol)


def _contract(name: str) -> Decimal:
    return Decimal(str(instruments()[name].contract)).quantize(Decimal(1)) if name in instruments() else Decimal(1)
