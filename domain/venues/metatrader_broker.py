"""MetaTrader 5 as a broker: six verbs over a terminal on this machine, for a hedging account."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from domain.errors import BadRequest, SourceUnavailable
from domain.market.calendar import calendar
from domain.market.instrument import instrument, instruments
from domain.trading.broker import Intent, Intents
from domain.trading.freshness import Freshness
from domain.trading.once import AnswerLost, Once
from domain.trading.order import Account, Fill, Order, Position, Target, Ticket
from domain.venues.http import Connection
from domain.venues.metatrader import clock_of
from domain.venues.metatrader_clock import ServerClock
from domain.venues.metatrader_link import LOGIN, Link
from domain.venues.metatrader_orders import (
    BAD_FILLING,
    NO_CHANGES,
    NOT_KNOWN,
    PROTECT,
    REMOVE,
    TAKEN,
    TRADES,
    Records,
    answered,
    cents,
    check_targets,
    comment_of,
    fill_of,
    magic_of,
    moment,
    nanoseconds,
    protection,
    rejected,
    request_of,
)
from domain.venues.metatrader_symbols import FOK, Specification, exact, find_symbol, instrument_of

HEDGING, REAL = 2, 2                    # margin_mode, trade_mode
STALE = 60.0                            # seconds without a new price, after which none is traded on
GRACE, EVERY = 15.0, 0.5               # seconds for which a change is tried, and between two looks whether it stands
DAY = 86_400
FOREVER = 4_000_000_000                 # a server time after every deal


@dataclass
class MetaTraderBroker:
    """Orders of one account. ``intents`` is the record that makes ``submit`` idempotent; the terminal is reached through ``connection``.

    An order is known again by its magic number, a hash of its client id, among pending orders, past orders and deals.
    """

    connection: Connection = field(repr=False)
    intents: Intents = field(repr=False)

    def __post_init__(self) -> None:
        clock = self.connection.clock
        self._link = Link(self.connection, "orders")
        self._freshness = Freshness(clock.monotonic)
        self._once = Once(self.intents, self, self._utc, self.connection.wait)
        self._symbols: dict[str, Specification] = {}
        self._names: dict[int, str] = {}                # client ids by magic number
        self._seen: tuple[str, int] = ("", 0)           # the last fill reported and the server time of its deal
        self._clock: ServerClock | None = None

    @property
    def max_targets(self) -> int:
        return 1

    def account(self) -> Account:
        info, at = self._account(), self._vendor_now()
        digits = Decimal(1).scaleb(-int(info.currency_digits))
        balance, equity, used, free = (Decimal(str(value)).quantize(digits) for value in (info.balance, info.equity, info.margin, info.margin_free))
        return Account(info.currency, balance, equity, used, free, at, info.trade_mode != REAL, self._skew(at))

    def positions(self) -> tuple[Position, ...]:
        self._account()
        rows = sorted(self._link.ask("positions_get"), key=lambda row: (row.time_msc, row.ticket))
        return tuple(self._position(row) for row in rows)

    def submit(self, order: Order) -> Ticket:
        self._practice()
        self._examine(order)
        return self._once.submit(order, self._stale)

    def protect(self, position: Position, stop: Decimal | None, targets: Sequence[Target]) -> None:
        self._practice()
        symbol = self._symbol(position.instrument)
        levels = protection(stop, targets, symbol)
        request = dict(action=PROTECT, symbol=symbol.symbol, position=int(position.position_id), magic=magic_of(position.client_id), **levels)
        until = self.connection.clock.monotonic() + GRACE
        while True:
            try:
                result = self._link.send(request)
            except AnswerLost:
                result = None
            if result is not None and result.retcode not in NOT_KNOWN:
                break
            if self._stands(position, levels):
                return
            if self.connection.clock.monotonic() >= until:
                raise SourceUnavailable(f"whether the stop of position {position.position_id} was moved is not known: the terminal gave no answer, and the old stop still stands; try again")
            self.connection.wait(EVERY)
        if result.retcode not in (*TAKEN, NO_CHANGES):
            wanted = ", ".join(f"{name} {value}" for name, value in (("stop", stop), ("target", targets[0].price if targets else None)) if value is not None)
            raise BadRequest(f"MetaTrader refused {wanted or 'no stop'} for position {position.position_id}: {result.comment} ({result.retcode}); what it had still stands")

    def cancel(self, client_id: str) -> None:
        self._practice()
        until = self.connection.clock.monotonic() + GRACE
        while working := [row for row in self._link.ask("orders_get") if row.magic == magic_of(client_id)]:
            try:
                result = self._link.send(dict(action=REMOVE, order=working[0].ticket, symbol=working[0].symbol))
            except AnswerLost:
                result = None
            if result is not None and result.retcode not in (*TAKEN, *NOT_KNOWN) and any(row.ticket == working[0].ticket for row in self._link.ask("orders_get")):
                raise BadRequest(f"MetaTrader refused to cancel order {client_id}: {result.comment} ({result.retcode}); it still works")
            if self.connection.clock.monotonic() >= until:
                raise SourceUnavailable(f"whether order {client_id} was cancelled is not known: the terminal gave no answer, and the order still works; try again")
            self.connection.wait(EVERY if result is None or result.retcode in NOT_KNOWN else 0.0)

    def fills(self, after: str = "") -> tuple[Fill, ...]:
        self._account()
        start = max(self._seen[1] - DAY, 0) if after and after == self._seen[0] else 0
        deals = {deal.ticket: deal for deal in self._link.ask("history_deals_get", start, FOREVER) if deal.type in TRADES}
        kinds = {row.ticket: row.type for row in self._link.ask("history_orders_get", start, FOREVER)} if deals else {}
        fills = [self._fill(deals[ticket], kinds) for ticket in sorted(deals)]
        if fills:
            self._seen = (fills[-1].fill_id, deals[max(deals)].time)
        return tuple(fill for fill in fills if fill.fill_id > after)

    # what Once asks of a vendor

    def mark(self) -> str:
        """The server's time, seconds: before an order is sent, so that its search begins there."""
        ticks = [tick.time for name in self._watched() if (tick := self._tick(name))]
        return str(max(ticks, default=0))

    def send(self, order: Order) -> Ticket:
        self._remember(order)
        symbol = self._symbol(order.instrument)
        fillings = [each for each in symbol.fillings if each == FOK] if order.whole else symbol.fillings
        for filling in fillings or [FOK]:
            result = self._link.send(request_of(order, symbol, self.clock, filling))
            if result.retcode != BAD_FILLING:
                break
        if result.retcode in NOT_KNOWN:
            raise AnswerLost(f"MetaTrader answered {result.comment} ({result.retcode}), so whether the order arrived is not known")
        if result.retcode not in TAKEN:
            return rejected(order, result)
        return self._recorded(order, max(self._server_time(symbol.symbol) - DAY, 0)) or answered(order, result, symbol)

    def find(self, intent: Intent) -> Ticket | None:
        self._remember(intent.order)
        return self._recorded(intent.order, max(int(intent.mark or 0) - DAY, 0))

    # how it is done

    @property
    def clock(self) -> ServerClock:
        """The server's clock; where two explain it alike, the first."""
        if self._clock is None:
            clock = clock_of(self._link, instrument("EURUSD"), "EURUSD")
            self._clock = replace(clock, clocks=clock.clocks[:1])
        return self._clock

    def _practice(self) -> None:
        """BadRequest where an order would move real money: nothing of Tidemark's allows that here."""
        if self._account().trade_mode == REAL:
            raise BadRequest("this MetaTrader account holds real money, and Tidemark sends orders to demo accounts only; sign in to one")

    def _account(self) -> Any:
        """The account as it is now; a person may have signed in to another one in the terminal's window."""
        info = self._link.ask("account_info")
        if str(info.login) != self.connection.keys.get(LOGIN, "").lstrip("0"):
            raise SourceUnavailable(f"the MetaTrader terminal is signed in to another account than {LOGIN} names; sign in to that one there")
        if info.margin_mode != HEDGING:
            raise BadRequest("this MetaTrader account nets its positions; Tidemark trades hedging accounts, where each position has its own stop. Open one at the broker")
        return info

    def _recorded(self, order: Order, start: int) -> Ticket | None:
        """The order as the terminal has it: first what works, so that what fills meanwhile is in the history requested after it."""
        working = self._link.ask("orders_get")
        past = self._link.ask("history_orders_get", start, FOREVER)
        deals = self._link.ask("history_deals_get", start, FOREVER)
        return Records.of(order, working, past, deals).ticket(self._symbol(order.instrument), self.clock)

    def _examine(self, order: Order) -> None:
        symbol = self._symbol(order.instrument)
        symbol.check_lots(order.lots)
        check_targets(order.targets)
        if order.closes and not order.closes.isdigit():
            raise BadRequest(f"order {order.client_id} closes position {order.closes!r}; MetaTrader's positions are numbers")

    def _stale(self, order: Order) -> Ticket | None:
        """A refusal where the price stands still. What closes is left to the broker."""
        if order.closes:
            return None
        tick = self._tick(self._symbol(order.instrument).symbol)
        age = self._freshness.age(order.instrument, moment(self.clock, tick.time_msc), self._vendor_now()) if tick else None
        if age is not None and age <= STALE:
            return None
        seen = f"its last price is {age:.0f} s old" if age is not None else "it has no price"
        return Ticket(order.client_id, "rejected", reason="stale_price", sentence=f"{order.instrument} was not traded: {seen}, and {STALE:.0f} s are the most.")

    def _stands(self, position: Position, levels: dict[str, float]) -> bool:
        rows = self._link.ask("positions_get", ticket=int(position.position_id))
        return bool(rows) and (rows[0].sl, rows[0].tp) == (levels["sl"], levels["tp"])

    def _position(self, row: Any) -> Position:
        name = instrument_of(row.symbol)
        quoted = self._symbol(name).price if name in instruments() else exact
        client_id = self._client_id(row)
        intent = self.intents.find(client_id) if client_id else None
        return Position(
            str(row.ticket), name, "long" if row.type == 0 else "short", exact(row.volume), quoted(row.price_open), moment(self.clock, row.time_msc),
            quoted(row.sl) if row.sl else None, (Target(quoted(row.tp)),) if row.tp else (), cents(row.profit), client_id, intent.order.tag if intent else "",
        )  # fmt: skip

    def _fill(self, deal: Any, kinds: dict[int, int]) -> Fill:
        name = instrument_of(deal.symbol)
        digits = self._symbol(name).digits if name in instruments() else 8
        return fill_of(deal, kinds.get(deal.order), self._client_id(deal), digits, self.clock)

    def _client_id(self, row: Any) -> str:
        """The client id of our order behind a row: by its magic number, from the comment or from what was sent and noted."""
        if row.magic == magic_of(row.comment):
            return row.comment
        if row.magic not in self._names and (alias := self.intents.find(_alias(row.magic))):
            self._names[row.magic] = alias.order.tag
        return self._names.get(row.magic, "")

    def _remember(self, order: Order) -> None:
        """The order's id by its magic number; one too long for a comment is written down, for a later process."""
        magic = magic_of(order.client_id)
        self._names[magic] = order.client_id
        if comment_of(order.client_id) != order.client_id:
            self.intents.begin(Intent(replace(order, client_id=_alias(magic), tag=order.client_id), self._utc()))

    def _symbol(self, name: str) -> Specification:
        if name not in self._symbols:
            self._symbols[name] = find_symbol(self._link, instrument(name))
        return self._symbols[name]

    def _tick(self, symbol: str) -> Any:
        return self._link.ask("symbol_info_tick", symbol, absent=None)

    def _watched(self) -> list[str]:
        return sorted({"EURUSD", *(symbol.symbol for symbol in self._symbols.values())})

    def _server_time(self, symbol: str) -> int:
        tick = self._tick(symbol)
        return int(tick.time) if tick else 0

    def _vendor_now(self) -> datetime | None:
        """The newest price's time: MetaTrader tells no other time of its server."""
        times = [tick.time_msc for name in self._watched() if (tick := self._tick(name))]
        return moment(self.clock, max(times)) if times else None

    def _skew(self, at: datetime | None) -> timedelta | None:
        """Our clock minus the server's, where the market is open, so that a price was made just now."""
        if at is None or not calendar("fx").is_open(nanoseconds(at + timedelta(minutes=1))):
            return None
        return self._utc() - at if self._freshness.age("", at, None) <= STALE else None

    def _utc(self) -> datetime:
        return datetime.fromtimestamp(self.connection.clock.utc_ns() / 1e9, UTC)


def _alias(magic: int) -> str:
    return f"mt5-magic-{magic:012x}"
