"""Orders as MetaTrader's requests, and its orders and deals as tickets and fills."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any

from domain.errors import BadRequest
from domain.trading.order import NOUGHT, Fill, Order, Target, Ticket
from domain.venues.metatrader_clock import ServerClock
from domain.venues.metatrader_symbols import RETURN, Specification, exact, instrument_of

DEAL, PENDING, PROTECT, REMOVE = 1, 5, 6, 8             # actions
PLACED, DONE, PARTLY, NO_CHANGES, BAD_FILLING = 10_008, 10_009, 10_010, 10_025, 10_030
TAKEN = (PLACED, DONE, PARTLY)
NOT_KNOWN = (10_012, 10_031)                            # timed out, no connection to the trade server: it may have arrived
TYPES = {("market", "buy"): 0, ("market", "sell"): 1, ("limit", "buy"): 2, ("limit", "sell"): 3, ("stop", "buy"): 4, ("stop", "sell"): 5}
KINDS = {number: kind for (kind, _), number in TYPES.items()}
SPECIFIED = 2                                           # type_time: until a date
OVER = {2: "cancelled", 5: "rejected", 6: "expired"}    # states of past orders that never filled
OURS = 3                                                # reason: sent by a program
EXITS = {4: "stop_loss", 5: "target_1", 6: "stop_out"}  # reasons of deals that nobody sent
ENTRY = 0                                               # a deal that opens or adds
TRADES = (0, 1)                                         # deals that buy or sell; others book money
COMMENT = 31                                            # letters that a comment holds
WORDS = {
    10004: "requote", 10006: "reject", 10007: "cancel", 10011: "error", 10013: "invalid", 10014: "invalid_volume", 10015: "invalid_price",
    10016: "invalid_stops", 10017: "trade_disabled", 10018: "market_closed", 10019: "no_money", 10020: "price_changed", 10021: "price_off",
    10022: "invalid_expiration", 10023: "order_changed", 10024: "too_many_requests", 10025: "no_changes", 10026: "server_disables_at", 10027: "client_disables_at",
    10028: "locked", 10029: "frozen", 10030: "invalid_fill", 10032: "only_real", 10033: "limit_orders", 10034: "limit_volume", 10035: "invalid_order",
    10036: "position_closed", 10038: "invalid_close_volume", 10039: "close_order_exist", 10040: "limit_positions", 10041: "reject_cancel",
    10042: "long_only", 10043: "short_only", 10044: "close_only", 10045: "fifo_close", 10046: "hedge_prohibited",
}  # fmt: skip


def magic_of(client_id: str) -> int:
    """The magic number of an order: 48 bits of its client id's hash. It outlives a comment that the broker writes over.

    >>> magic_of("buy-1") == magic_of("buy-1"), magic_of("buy-1") == magic_of("buy-2"), magic_of("buy-1") < 2**48
    (True, False, True)
    """
    return int.from_bytes(sha256(client_id.encode()).digest()[:6], "big")


def comment_of(client_id: str) -> str:
    """The comment of an order: its client id, which is cut where it does not fit.

    >>> comment_of("buy-1"), len(comment_of("x" * 64))
    ('buy-1', 31)
    """
    return client_id if len(client_id) <= COMMENT else f"{client_id[:COMMENT - 9]}~{magic_of(client_id):012x}"[:COMMENT]


def request_of(order: Order, symbol: Specification, clock: ServerClock, filling: int) -> dict[str, Any]:
    """``order`` as a request."""
    pending = order.kind != "market"
    request: dict[str, Any] = dict(
        action=PENDING if pending else DEAL, symbol=symbol.symbol, volume=float(order.lots), type=TYPES[order.kind, order.side],
        type_filling=RETURN if pending else filling, magic=magic_of(order.client_id), comment=comment_of(order.client_id),
        **protection(order.stop_loss, order.targets, symbol),
    )  # fmt: skip
    if order.price is not None:
        request["price"] = float(symbol.price(order.price))
    if order.closes:
        request["position"] = int(order.closes)
    if order.expires is not None and pending:
        request |= dict(type_time=SPECIFIED, expiration=clock.wall(nanoseconds(order.expires)))
    return request


def protection(stop: Decimal | None, targets: Sequence[Target], symbol: Specification) -> dict[str, float]:
    """Stop and target of a request; 0 is none. BadRequest for targets that a position cannot have here."""
    check_targets(targets)
    return dict(sl=float(symbol.price(stop)) if stop is not None else 0.0, tp=float(symbol.price(targets[0].price)) if targets else 0.0)


def check_targets(targets: Sequence[Target]) -> None:
    """MetaTrader keeps one target a position, and it closes the whole of it."""
    if len(targets) > 1 or any(target.fraction != 1 for target in targets):
        raise BadRequest("MetaTrader 5 keeps one target a position, for the whole of it; give one, and close parts with orders that name the position")


@dataclass(frozen=True)
class Records:
    """What the terminal has under one client id: orders that work, past orders, and deals that our order made (each once)."""

    order: Order
    working: Sequence[Any]
    past: Sequence[Any]
    deals: Sequence[Any]

    @classmethod
    def of(cls, order: Order, working: Iterable[Any], past: Iterable[Any], deals: Iterable[Any]) -> Records:
        magic = magic_of(order.client_id)
        own = {deal.ticket: deal for deal in deals if deal.magic == magic and deal.type in TRADES and deal.reason not in EXITS}
        working, past = ([row for row in rows if row.magic == magic and row.reason not in EXITS] for rows in (working, past))
        return cls(order, working, past, [own[key] for key in sorted(own)])

    def ticket(self, symbol: Specification, clock: ServerClock) -> Ticket | None:
        """The order as it now is; None where there is nothing of it."""
        filled = sum((exact(deal.volume) for deal in self.deals), NOUGHT)
        known = [*self.working, *self.past, *self.deals]
        if not known:
            return None
        state, left, sentence = self._state(filled)
        first = self.deals[0] if self.deals else None
        price = sum((exact(deal.volume) * symbol.price(deal.price) for deal in self.deals), NOUGHT) / filled if filled else None
        last = max([deal.time_msc for deal in self.deals] + [each.time_done_msc or each.time_setup_msc for each in (*self.working, *self.past)])
        return Ticket(
            self.order.client_id, state, str(first.order if first else known[0].ticket), filled, left, price, str(first.position_id) if first else "",
            "" if not sentence else state, sentence, moment(clock, last),
        )  # fmt: skip

    def _state(self, filled: Decimal) -> tuple[str, Decimal, str]:
        """State, open lots, and a sentence where the order did not go as requested."""
        if self.working:
            left = exact(self.working[0].volume_current)
            return ("partially_filled" if filled else "accepted"), left, ""
        if filled:
            return ("filled", NOUGHT, "") if filled >= self.order.lots else ("partially_filled", NOUGHT, f"{filled:f} of {self.order.lots:f} lots were filled and the rest was cancelled.")
        state = OVER.get(self.past[0].state, "accepted")
        return state, (self.order.lots if state == "accepted" else NOUGHT), "" if state == "accepted" else f"MetaTrader says that the order was {state}."


def answered(order: Order, result: Any, symbol: Specification) -> Ticket:
    """The ticket of a request that was taken, from its result alone; its deal is not in the history yet."""
    if order.kind != "market" or result.retcode == PLACED:
        return Ticket(order.client_id, "accepted", str(result.order), open_lots=order.lots)
    filled = exact(result.volume)
    state = "filled" if filled >= order.lots else "partially_filled"
    return Ticket(order.client_id, state, str(result.order), filled, NOUGHT, symbol.price(result.price), order.closes or str(result.order))


def rejected(order: Order, result: Any) -> Ticket:
    """The ticket of a request that was refused, with the vendor's words."""
    return Ticket(order.client_id, "rejected", reason=WORDS.get(result.retcode, str(result.retcode)), sentence=f"MetaTrader refused the order: {result.comment} ({result.retcode}).")


def fill_of(deal: Any, kind: int | None, client_id: str, digits: int, clock: ServerClock) -> Fill:
    """One deal; ``kind`` is the type of its order, None where that is not known. Ids have leading zeros, so that they sort."""
    reason = EXITS.get(deal.reason) or ("manual" if deal.reason != OURS else KINDS.get(kind if kind is not None else deal.type, "market"))
    return Fill(
        f"{deal.ticket:020d}", "" if deal.reason in EXITS else client_id, str(deal.order), str(deal.position_id), instrument_of(deal.symbol),
        "buy" if deal.type == 0 else "sell", exact(deal.volume), Decimal(str(deal.price)).quantize(Decimal(1).scaleb(-digits)), moment(clock, deal.time_msc),
        reason, deal.entry == ENTRY, cents(deal.profit), -cents(deal.commission + deal.fee), cents(deal.swap),
    )  # fmt: skip


def moment(clock: ServerClock, server_msc: float) -> datetime:
    """A server time in milliseconds as an instant."""
    return datetime.fromtimestamp(clock.instant(server_msc / 1000) / 1e9, UTC)


def nanoseconds(at: datetime) -> int:
    return round(at.timestamp() * 1000) * 1_000_000


def cents(value: float) -> Decimal:
    """Money of the package, which rounds to the account's digits itself.

    >>> cents(-61.00000000000001), cents(-0.0)
    (Decimal('-61'), Decimal('0'))
    """
    return exact(round(value, 8)) + NOUGHT


