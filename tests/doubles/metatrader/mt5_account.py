"""The trading side of the double: one hedging account, its requests, orders, positions and deals."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from mt5_constants import VALUES
from mt5_market import INVALID, Market, in_group, seconds
from mt5_structures import AccountInfo, OrderCheckResult, OrderSendResult, TradeDeal, TradeOrder, TradePosition, TradeRequest

DEFAULTS: dict[str, Any] = dict(
    action=0, magic=0, order=0, symbol="", volume=0.0, price=0.0, stoplimit=0.0, sl=0.0, tp=0.0, deviation=0, type=0,
    type_filling=0, type_time=0, expiration=0, comment="", position=0, position_by=0,
)  # fmt: skip
TEXT = {"symbol", "comment"}
REAL = {"volume", "price", "stoplimit", "sl", "tp"}
WORDS = {
    10004: "Requote", 10006: "Request rejected", 10008: "Request placed", 10009: "Request executed", 10010: "Request executed partially",
    10012: "Request timeout", 10013: "Invalid request", 10014: "Invalid volume", 10015: "Invalid price", 10016: "Invalid stops",
    10017: "Trade disabled", 10018: "Market closed", 10019: "No money", 10025: "No changes", 10027: "AutoTrading disabled by client",
    10030: "Unsupported filling mode", 10031: "No connection", 10036: "Position already closed", 10038: "Volume to be closed exceeds the position volume",
}  # fmt: skip
BUY, SELL = VALUES["ORDER_TYPE_BUY"], VALUES["ORDER_TYPE_SELL"]
EXPERT, BY_STOP, BY_TARGET = VALUES["ORDER_REASON_EXPERT"], VALUES["ORDER_REASON_SL"], VALUES["ORDER_REASON_TP"]


class Refused(Exception):
    """A return code other than done."""

    def __init__(self, retcode: int) -> None:
        super().__init__(WORDS.get(retcode, str(retcode)))
        self.retcode = retcode


@dataclass
class Open:
    """A position as it stands."""

    ticket: int
    symbol: str
    type: int
    volume: float
    price: float
    at: float
    sl: float = 0.0
    tp: float = 0.0
    magic: int = 0
    comment: str = ""


@dataclass
class Pending:
    """An order that works at the server."""

    ticket: int
    request: dict[str, Any]
    at: float
    left: float = field(default=0.0)


class Account(Market):
    """A hedging account in USD. ``outcomes`` are what the next order_send calls of a kind do:

    ``"lost"`` carries the request out and returns None; ``"away"`` too, and nothing can be reached from then on; ``"timeout"`` carries it out and returns 10012; ``"dropped"`` does
    nothing and returns 10012; ``"late"`` returns 10012 and carries it out when ``arrive`` is called; ``"placed"`` returns 10008
    before the deal is in the history, which ``arrive`` brings; ``"early"`` returns 10008 although the deal is done; ``"half"`` fills half of the volume; a number refuses with it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.balance, self.leverage, self.margin_mode = 10_000.0, 100, VALUES["ACCOUNT_MARGIN_MODE_RETAIL_HEDGING"]
        self.gone: tuple[int, str] | None = None        # the error of every call from now on
        self.number = 12345678          # of the account that is signed in to
        self.trade_mode = VALUES["ACCOUNT_TRADE_MODE_DEMO"]
        self.market_open = True
        self.commission = 0.0           # account currency per lot and side
        self.open: dict[int, Open] = {}
        self.pending: dict[int, Pending] = {}
        self.deals: list[TradeDeal] = []
        self.past: list[TradeOrder] = []
        self.outcomes: list[Any] = []
        self.waiting: list[dict[str, Any]] = []
        self.repeated_deals = False     # the history tells every deal twice
        self.hidden_orders = 0.0        # until then, in seconds UTC, orders and their history are not shown, only deals
        self.liquidity: float | None = None     # lots that the next market order finds
        self.accepted = 0               # orders taken
        self.bare: list[str] = []       # moments at which a position lost its stop
        self._ticket = 1_000_000
        self._request = 0

    def next_ticket(self) -> int:
        self._ticket += 1
        return self._ticket

    # what a test does to the account

    def arrive(self) -> None:
        """Requests that were under way reach the server."""
        while self.waiting:
            self._carry_out(self.waiting.pop(0))

    def quote(self, symbol: str, bid: float, ask: float) -> None:
        """A new quote; stops, targets and pending orders that it reaches fill at it."""
        super().quote(symbol, bid, ask)
        if self.frozen:
            return
        for position in [each for each in self.open.values() if each.symbol == symbol]:
            self._try_exits(position, bid, ask)
        for order in [each for each in self.pending.values() if each.request["symbol"] == symbol]:
            self._try_pending(order, bid, ask)

    # the package's functions

    def account_info(self) -> AccountInfo:
        profit = sum(self._profit(each, each.volume, self._exit_price(each)) for each in self.open.values())
        margin = sum(self._margin(each.symbol, each.volume, each.price) for each in self.open.values())
        equity = self.balance + profit
        return AccountInfo(
            login=self.number, trade_mode=self.trade_mode, leverage=self.leverage, limit_orders=200, margin_so_mode=0, trade_allowed=True,
            trade_expert=True, margin_mode=self.margin_mode, currency_digits=2, fifo_close=False, balance=round(self.balance, 2), credit=0.0,
            profit=round(profit, 2), equity=round(equity, 2), margin=round(margin, 2), margin_free=round(equity - margin, 2),
            margin_level=round(100 * equity / margin, 2) if margin else 0.0, margin_so_call=50.0, margin_so_so=30.0, margin_initial=0.0,
            margin_maintenance=0.0, assets=0.0, liabilities=0.0, commission_blocked=0.0, name="A trader", server="Double-Demo",
            currency="USD", company="Double Ltd",
        )  # fmt: skip

    def positions_total(self) -> int:
        return len(self.open)

    def positions_get(self, *, symbol: str | None = None, group: str | None = None, ticket: int | None = None) -> tuple[TradePosition, ...]:
        chosen = [each for each in self.open.values() if _fits(each.symbol, symbol, group) and ticket in (None, each.ticket)]
        return tuple(self._position(each) for each in chosen)

    def orders_total(self) -> int:
        return len(self.pending)

    def orders_get(self, *, symbol: str | None = None, group: str | None = None, ticket: int | None = None) -> tuple[TradeOrder, ...]:
        if self.now() < self.hidden_orders:
            return ()
        under_way = [Pending(each["_ticket"], each, self.now(), each["volume"]) for each in self.waiting if "_ticket" in each]
        chosen = [each for each in [*self.pending.values(), *under_way] if _fits(each.request["symbol"], symbol, group) and ticket in (None, each.ticket)]
        return tuple(self._order(each.ticket, each.request, each.at, 0.0, VALUES["ORDER_STATE_PLACED"], each.left, 0) for each in chosen)

    def history_orders_total(self, date_from: object, date_to: object) -> int:
        return len(self.history_orders_get(date_from, date_to))

    def history_orders_get(self, date_from: object = None, date_to: object = None, *, group: str | None = None, ticket: int | None = None, position: int | None = None) -> tuple[TradeOrder, ...]:
        if self.now() < self.hidden_orders:
            return ()
        if ticket is not None or position is not None:
            return tuple(each for each in self.past if ticket in (None, each.ticket) and position in (None, each.position_id))
        return tuple(each for each in self.past if _within(each.time_setup_msc, date_from, date_to) and _fits(each.symbol, None, group))

    def history_deals_total(self, date_from: object, date_to: object) -> int:
        return len(self.history_deals_get(date_from, date_to))

    def history_deals_get(self, date_from: object = None, date_to: object = None, *, group: str | None = None, ticket: int | None = None, position: int | None = None) -> tuple[TradeDeal, ...]:
        if ticket is not None or position is not None:
            chosen = [each for each in self.deals if ticket in (None, each.order) and position in (None, each.position_id)]
        else:
            chosen = [each for each in self.deals if _within(each.time_msc, date_from, date_to) and _fits(each.symbol, None, group)]
        return tuple(chosen) + (tuple(chosen) if self.repeated_deals else ())

    def order_calc_margin(self, action: int, symbol: str, volume: float, price: float) -> float | None:
        return self._margin(symbol, volume, price) if symbol in self.symbols else None

    def order_calc_profit(self, action: int, symbol: str, volume: float, price_open: float, price_close: float) -> float | None:
        return self._profit(Open(0, symbol, action, volume, price_open, 0.0), volume, price_close) if symbol in self.symbols else None

    def order_check(self, request: dict[str, Any]) -> OrderCheckResult | None:
        whole = self._whole(request)
        if whole is None:
            return None
        info, retcode = self.account_info(), 0
        try:
            self._examine(whole)
        except Refused as refusal:
            retcode = refusal.retcode
        return OrderCheckResult(retcode, info.balance, info.equity, info.profit, info.margin, info.margin_free, info.margin_level, WORDS.get(retcode, "Done"), TradeRequest(**whole))

    def order_send(self, request: dict[str, Any]) -> OrderSendResult | None:
        whole = self._whole(request)
        if whole is None:
            return None
        self._request += 1
        outcome = self.outcomes.pop(0) if self.outcomes else None
        if isinstance(outcome, int):
            return self._result(whole, outcome)
        if outcome in ("late", "placed"):
            self.waiting.append(whole)
            return self._result(whole, 10012) if outcome == "late" else self._result(whole, 10008, order=self._reserved(whole))
        if outcome == "dropped":
            return self._result(whole, 10012)
        answer = self._carry_out(whole, half=outcome == "half")
        if outcome == "early":
            return answer._replace(retcode=10008, deal=0, volume=0.0, price=0.0)
        if outcome == "away":
            self.gone = (-10001, "IPC send failed")
        if outcome in ("lost", "away"):
            self.error = (-10005, "IPC timeout")
            return None
        return self._result(whole, 10012) if outcome == "timeout" else answer

    # how it is done

    def _reserved(self, request: dict[str, Any]) -> int:
        request["_ticket"] = self.next_ticket()
        return request["_ticket"]

    def _whole(self, request: dict[str, Any]) -> dict[str, Any] | None:
        """The request with the package's defaults; None and a last error where an argument has the wrong type or is too long."""
        for name, value in request.items():
            kind = str if name in TEXT else (int, float) if name in REAL else int
            if name not in DEFAULTS or not isinstance(value, kind) or isinstance(value, bool) or (name == "comment" and len(value) > 31):
                self.error = (INVALID[0], f'Invalid "{name}" argument')
                return None
        return {**DEFAULTS, **request}

    def _carry_out(self, request: dict[str, Any], half: bool = False) -> OrderSendResult:
        names = {1: self._deal, 5: self._place, 6: self._protect, 7: self._modify, 8: self._remove}
        try:
            self._examine(request)
            return names[request["action"]](request, half)
        except Refused as refusal:
            return self._result(request, refusal.retcode)

    def _examine(self, request: dict[str, Any]) -> None:
        if request["action"] not in (1, 5, 6, 7, 8) or (request["action"] in (1, 5) and request["symbol"] not in self.symbols):
            raise Refused(10013)
        if not self.market_open and request["action"] != 8:
            raise Refused(10018)
        if request["action"] in (1, 5):
            self._examine_size(request)

    def _examine_size(self, request: dict[str, Any]) -> None:
        symbol, volume = self.symbols[request["symbol"]], request["volume"]
        steps = volume / symbol.volume_step
        if not symbol.volume_min <= volume <= symbol.volume_max or abs(steps - round(steps)) > 1e-6:
            raise Refused(10014)
        allowed = {0: symbol.filling & 1, 1: symbol.filling & 2, 2: request["action"] == 5 or symbol.execution != VALUES["SYMBOL_TRADE_EXECUTION_MARKET"]}
        if not allowed.get(request["type_filling"]):
            raise Refused(10030)
        price = request["price"] or self._price(request["symbol"], request["type"])
        self._examine_stops(request["type"], price, request["sl"], request["tp"])
        if not request["position"] and self._margin(request["symbol"], volume, price) > self.account_info().margin_free:
            raise Refused(10019)

    def _examine_stops(self, kind: int, price: float, sl: float, tp: float) -> None:
        sign = 1 if kind % 2 == BUY else -1
        if (sl and sign * (price - sl) <= 0) or (tp and sign * (tp - price) <= 0):
            raise Refused(10016)

    def _deal(self, request: dict[str, Any], half: bool) -> OrderSendResult:
        if request["position"]:
            return self._close(request, half)
        ticket, volume = request.get("_ticket") or self.next_ticket(), self._available(request, half)
        price = self._price(request["symbol"], request["type"])
        deal = self._enter(ticket, request, volume, price)
        self.accepted += 1
        return self._result(request, 10010 if volume < request["volume"] else 10009, deal, ticket, volume, price)

    def _available(self, request: dict[str, Any], half: bool) -> float:
        """Lots that a market order finds: all, half, or what is there now; one that fills whole or not at all is refused where that is less."""
        wanted = request["volume"]
        volume = min(wanted, self.liquidity) if self.liquidity is not None else _half(wanted) if half else wanted
        self.liquidity = None
        if volume < wanted and request["type_filling"] == VALUES["ORDER_FILLING_FOK"]:
            raise Refused(10006)
        return volume

    def _enter(self, ticket: int, request: dict[str, Any], volume: float, price: float) -> int:
        kind = request["type"] % 2
        if self.margin_mode != VALUES["ACCOUNT_MARGIN_MODE_RETAIL_HEDGING"] and (same := [each for each in self.open.values() if each.symbol == request["symbol"]]):
            raise NotImplementedError(f"netting with {same}")
        self.open[ticket] = Open(ticket, request["symbol"], kind, volume, price, self.now(), request["sl"], request["tp"], request["magic"], request["comment"])
        self._keep_order(ticket, request, ticket, request["volume"] - volume)
        return self._keep_deal(ticket, self.open[ticket], kind, VALUES["DEAL_ENTRY_IN"], volume, price, 0.0, EXPERT, request["comment"], request["magic"])

    def _close(self, request: dict[str, Any], half: bool) -> OrderSendResult:
        position = self.open.get(request["position"])
        if position is None:
            raise Refused(10036)
        if request["volume"] > position.volume + 1e-9:
            raise Refused(10038)
        ticket, volume = request.get("_ticket") or self.next_ticket(), _half(request["volume"]) if half else request["volume"]
        self._keep_order(ticket, request, position.ticket, request["volume"] - volume)
        self.accepted += 1
        deal, price = self._reduce(position, volume, ticket, EXPERT, request["comment"], request["magic"])
        return self._result(request, 10010 if half else 10009, deal, ticket, volume, price)

    def _reduce(self, position: Open, volume: float, ticket: int, reason: int, comment: str, magic: int) -> tuple[int, float]:
        price = self._exit_price(position)
        profit = self._profit(position, volume, price)
        self.balance += profit
        position.volume = round(position.volume - volume, 8)
        if position.volume <= 1e-9:
            del self.open[position.ticket]
        deal = self._keep_deal(ticket, position, 1 - position.type, VALUES["DEAL_ENTRY_OUT"], volume, price, profit, reason, comment, magic)
        return deal, price

    def _place(self, request: dict[str, Any], half: bool) -> OrderSendResult:
        if request["type"] not in (2, 3, 4, 5):
            raise Refused(10013)
        bid, ask = self.last_quote(request["symbol"])[1:]
        now, price = (ask if request["type"] % 2 == BUY else bid), request["price"]
        if (request["type"] in (2, 5) and price >= now) or (request["type"] in (3, 4) and price <= now):
            raise Refused(10015)
        ticket = request.get("_ticket") or self.next_ticket()
        self.accepted += 1
        self.pending[ticket] = Pending(ticket, request, self.now(), request["volume"])
        return self._result(request, 10009, 0, ticket, request["volume"], price)

    def _protect(self, request: dict[str, Any], half: bool) -> OrderSendResult:
        position = self.open.get(request["position"])
        if position is None:
            raise Refused(10036)
        if (position.sl, position.tp) == (request["sl"], request["tp"]):
            raise Refused(10025)
        self._examine_stops(position.type, self._exit_price(position), request["sl"], request["tp"])
        if position.sl and not request["sl"]:
            self.bare.append(f"position {position.ticket} lost its stop {position.sl}")
        position.sl, position.tp = request["sl"], request["tp"]
        return self._result(request, 10009)

    def _modify(self, request: dict[str, Any], half: bool) -> OrderSendResult:
        order = self.pending.get(request["order"])
        if order is None:
            raise Refused(10013)
        order.request.update({name: request[name] for name in ("price", "sl", "tp", "expiration", "type_time")})
        return self._result(request, 10009, order=order.ticket)

    def _remove(self, request: dict[str, Any], half: bool) -> OrderSendResult:
        order = self.pending.pop(request["order"], None)
        if order is None:
            raise Refused(10013)
        self.past.append(self._order(order.ticket, order.request, order.at, self.now(), VALUES["ORDER_STATE_CANCELED"], order.left, 0))
        return self._result(request, 10009, order=order.ticket)

    def _try_exits(self, position: Open, bid: float, ask: float) -> None:
        price, sign = (bid, 1) if position.type == BUY else (ask, -1)
        for level, reached, reason, word in ((position.sl, sign * (price - position.sl) <= 0, BY_STOP, "sl"), (position.tp, sign * (price - position.tp) >= 0, BY_TARGET, "tp")):
            if level and reached:
                ticket = self.next_ticket()
                request = {**DEFAULTS, "action": 1, "symbol": position.symbol, "volume": position.volume, "type": 1 - position.type, "magic": position.magic, "comment": f"[{word} {level}]", "position": position.ticket}
                self._keep_order(ticket, request, position.ticket, 0.0, reason)
                self._reduce(position, position.volume, ticket, reason, request["comment"], position.magic)
                return

    def _try_pending(self, order: Pending, bid: float, ask: float) -> None:
        kind, price = order.request["type"], order.request["price"]
        if order.request["type_time"] == VALUES["ORDER_TIME_SPECIFIED"] and self.server_time(self.now()) >= order.request["expiration"]:
            del self.pending[order.ticket]
            self.past.append(self._order(order.ticket, order.request, order.at, self.now(), VALUES["ORDER_STATE_EXPIRED"], order.left, 0))
        elif {2: ask <= price, 3: bid >= price, 4: ask >= price, 5: bid <= price}[kind]:
            del self.pending[order.ticket]
            self._enter(order.ticket, order.request, order.left, ask if kind % 2 == BUY else bid)

    # records

    def _keep_deal(self, order: int, position: Open, kind: int, entry: int, volume: float, price: float, profit: float, reason: int, comment: str, magic: int) -> int:
        ticket, msc = self.next_ticket(), round(self.server_time(self.now()) * 1000)
        commission = -round(self.commission * volume, 2)
        self.balance += commission
        self.deals.append(TradeDeal(ticket, order, msc // 1000, msc, kind, entry, magic, position.ticket, reason, volume, price, commission, 0.0, round(profit, 2), 0.0, position.symbol, comment, ""))
        return ticket

    def _keep_order(self, ticket: int, request: dict[str, Any], position: int, left: float, reason: int = EXPERT) -> None:
        state = VALUES["ORDER_STATE_FILLED"] if left <= 1e-9 else VALUES["ORDER_STATE_CANCELED"]      # the rest of an IOC order is cancelled
        self.past.append(self._order(ticket, request, self.now(), self.now(), state, left, position, reason))

    def _order(self, ticket: int, request: dict[str, Any], at: float, done: float, state: int, left: float, position: int, reason: int = EXPERT) -> TradeOrder:
        setup, end = (round(self.server_time(each) * 1000) if each else 0 for each in (at, done))
        r = request
        return TradeOrder(
            ticket, setup // 1000, setup, end // 1000, end, r["expiration"], r["type"], r["type_time"], r["type_filling"], state, r["magic"], position, 0, reason,
            r["volume"], round(left, 8), r["price"], r["sl"], r["tp"], self._price(r["symbol"], r["type"]), 0.0, r["symbol"], r["comment"], "",
        )  # fmt: skip

    def _position(self, this: Open) -> TradePosition:
        msc = round(self.server_time(this.at) * 1000)
        price = self._exit_price(this)
        profit = round(self._profit(this, this.volume, price), 2)
        return TradePosition(this.ticket, msc // 1000, msc, msc // 1000, msc, this.type, this.magic, this.ticket, EXPERT, this.volume, this.price, this.sl, this.tp, price, 0.0, profit, this.symbol, this.comment, "")

    def _result(self, request: dict[str, Any], retcode: int, deal: int = 0, order: int = 0, volume: float = 0.0, price: float = 0.0) -> OrderSendResult:
        bid, ask = self.last_quote(request["symbol"])[1:] if request["symbol"] in self.symbols else (0.0, 0.0)
        plain = {name: value for name, value in request.items() if not name.startswith("_")}
        return OrderSendResult(retcode, deal, order, volume, price, bid, ask, WORDS.get(retcode, ""), self._request, 0, TradeRequest(**plain))

    def _price(self, symbol: str, kind: int) -> float:
        bid, ask = self.last_quote(symbol)[1:]
        return ask if kind % 2 == BUY else bid

    def _exit_price(self, position: Open) -> float:
        return self._price(position.symbol, 1 - position.type)

    def _profit(self, position: Open, volume: float, price: float) -> float:
        symbol = self.symbols[position.symbol]
        sign = 1 if position.type == BUY else -1
        gain = sign * (price - position.price) * volume * symbol.contract
        return gain if symbol.profit == "USD" else gain / price

    def _margin(self, symbol: str, volume: float, price: float) -> float:
        this = self.symbols[symbol]
        value = volume * this.contract / self.leverage
        return value if this.base == "USD" else value * price


def _half(volume: float) -> float:
    return max(round(volume / 2, 2), 0.01)


def _fits(name: str, symbol: str | None, group: str | None) -> bool:
    return symbol in (None, name) and (group is None or in_group(name, group))


def _within(msc: int, date_from: object, date_to: object) -> bool:
    return seconds(date_from) * 1000 <= msc <= seconds(date_to) * 1000
