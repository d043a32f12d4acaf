"""What goes to a broker and comes back: orders, tickets, fills, positions, the account. Frozen, money as Decimal, times in UTC."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from domain.errors import BadRequest, unknown

SIDES = ("buy", "sell")                     # what an order or a fill does
DIRECTIONS = ("long", "short")              # what a position is
KINDS = ("market", "limit", "stop")
STATES = ("accepted", "partially_filled", "filled", "rejected", "cancelled", "expired", "unknown")
OVER = ("filled", "rejected", "cancelled", "expired")       # states that do not change any more
LONGEST_ID = 64                             # letters of a client id; adapters shorten it where the vendor's field is shorter
NOUGHT = Decimal(0)


@dataclass(frozen=True)
class Target:
    """A price at which a share of the position is closed; 1 is all of it."""

    price: Decimal
    fraction: Decimal = Decimal(1)

    def __post_init__(self) -> None:
        _finite("the price of a target", self.price)
        if not NOUGHT < _finite("the fraction of a target", self.fraction) <= 1:
            raise BadRequest(f"the fraction of a target is {self.fraction}; it is above 0 and at most 1")


@dataclass(frozen=True)
class Order:
    """An intent to trade. ``client_id`` is made from the logical event, so the same decision always has the same one.

    ``price`` is the trigger or limit; a market order has none. ``closes`` names the position that it reduces; without it the order opens one.

    >>> Order("s1-42", "EURUSD", "buy", "limit", Decimal("0.1"))
    Traceback (most recent call last):
    ...
    domain.errors.BadRequest: order s1-42 is a limit order without a price; give the price at which it fills
    """

    client_id: str
    instrument: str                         # our name: EURUSD
    side: str                               # buy or sell
    kind: str                               # market, limit or stop
    lots: Decimal
    price: Decimal | None = None
    stop_loss: Decimal | None = None
    targets: tuple[Target, ...] = ()
    tag: str = ""
    expires: datetime | None = None         # a pending order's end; None: until it is cancelled
    closes: str = ""                        # id of the position that it reduces
    whole: bool = False                     # a market order fills whole or not at all; else what can be had at once, the rest is cancelled

    def __post_init__(self) -> None:
        who = f"order {self.client_id}"
        if not 0 < len(self.client_id) <= LONGEST_ID or not self.client_id.isascii() or not self.client_id.isprintable():
            raise BadRequest(f"the client id {self.client_id!r} of an order is not 1 to {LONGEST_ID} printable ASCII letters")
        for name, value, allowed in (("order side", self.side, SIDES), ("order kind", self.kind, KINDS)):
            if value not in allowed:
                raise unknown(name, value, allowed)
        if _finite(f"the lots of {who}", self.lots) <= 0:
            raise BadRequest(f"{who} has {self.lots} lots; give more than 0, and the side says which way")
        if (self.price is None) != (self.kind == "market"):
            raise BadRequest(f"{who} is a market order with a price; leave it out" if self.price else f"{who} is a {self.kind} order without a price; give the price at which it fills")
        for name, price in (("price", self.price), ("stop", self.stop_loss)):
            if price is not None:
                _finite(f"the {name} of {who}", price)
        if self.expires is not None and self.expires.tzinfo is None:
            raise BadRequest(f"{who} expires at {self.expires} without a time zone; give UTC")
        if sum(target.fraction for target in self.targets) > 1:
            raise BadRequest(f"the targets of {who} close more than the position; their fractions sum to at most 1")
        if self.closes and (self.stop_loss is not None or self.targets):
            raise BadRequest(f"{who} closes position {self.closes} and carries a stop or targets; move those with protect")


@dataclass(frozen=True)
class Ticket:
    """What the broker has made of an order.

    ``unknown``: it was sent, no answer came, and the vendor does not know it yet; it is never sent under another id. ``open_lots`` still work at the vendor.
    """

    client_id: str
    state: str                              # one of STATES
    broker_id: str = ""                     # the vendor's id of the order, empty until it is known
    filled_lots: Decimal = NOUGHT
    open_lots: Decimal = NOUGHT
    price: Decimal | None = None            # mean price of what is filled
    position_id: str = ""                   # of the position that it opened or added to
    reason: str = ""                        # a code: the vendor's own word, in small letters, or one of ours (stale_price)
    sentence: str = ""                      # for people, where something did not go as requested
    at: datetime | None = None              # by the vendor's clock

    def __post_init__(self) -> None:
        if self.state not in STATES:
            raise unknown("ticket state", self.state, STATES)

    @property
    def over(self) -> bool:
        """Whether nothing of it works at the vendor any more."""
        return self.state in OVER or (self.state == "partially_filled" and not self.open_lots)


@dataclass(frozen=True)
class Fill:
    """One execution. ``fill_id`` is the vendor's: the same execution has the same id however often it is reported, and ids stand in their order."""

    fill_id: str
    client_id: str                          # of our order; empty for a stop, a target, a close-out or somebody else's order
    order_id: str                           # the vendor's
    position_id: str
    instrument: str
    side: str                               # buy or sell
    lots: Decimal
    price: Decimal
    at: datetime                            # by the vendor's clock
    reason: str                             # market limit stop stop_loss target_1 stop_out manual
    opens: bool                             # opens or adds; else it reduces or closes
    profit: Decimal = NOUGHT                # account currency, realised by this fill, without costs
    commission: Decimal = NOUGHT            # account currency, as cost: positive is paid
    swap: Decimal = NOUGHT                  # account currency, negative is paid


@dataclass(frozen=True)
class Position:
    """What is open, as the vendor has it. A position without a stop is an alarm."""

    position_id: str
    instrument: str
    side: str                               # long or short
    lots: Decimal
    price: Decimal                          # mean entry
    opened_at: datetime
    stop_loss: Decimal | None = None
    targets: tuple[Target, ...] = ()
    profit: Decimal = NOUGHT                # unrealised, account currency
    client_id: str = ""                     # of the order that opened it
    tag: str = ""

    @property
    def protected(self) -> bool:
        """Whether a stop stands at the broker."""
        return self.stop_loss is not None


@dataclass(frozen=True)
class Account:
    """The account at an instant of the vendor's clock, money in its currency."""

    currency: str
    balance: Decimal
    equity: Decimal
    margin_used: Decimal
    margin_free: Decimal
    at: datetime | None                     # by the vendor's clock
    practice: bool                          # not real money
    clock_skew: timedelta | None = field(default=None)      # our clock minus the vendor's; None: not known yet


def _finite(what: str, value: Decimal) -> Decimal:
    if not isinstance(value, Decimal) or not value.is_finite():
        raise BadRequest(f"{what} is {value!r}; give a finite Decimal")
    return value
