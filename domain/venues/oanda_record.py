"""OANDA's record of transactions, read as tickets and fills. No network, no SDK: transactions are the JSON that the vendor sends.

Everything that is stated about an order comes from this record, for it alone is complete: an order that has just filled can for a moment
not be found by its id, while its fill already stands here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from domain.trading.order import NOUGHT, Fill, Order, Ticket

Transaction = Mapping[str, Any]
ORDERS = ("MARKET_ORDER", "LIMIT_ORDER", "STOP_ORDER")
FILL_REASONS = {
    "MARKET_ORDER": "market", "LIMIT_ORDER": "limit", "STOP_ORDER": "stop", "MARKET_IF_TOUCHED_ORDER": "stop", "TAKE_PROFIT_ORDER": "target_1", "STOP_LOSS_ORDER": "stop_loss",
    "GUARANTEED_STOP_LOSS_ORDER": "stop_loss", "TRAILING_STOP_LOSS_ORDER": "trail", "MARKET_ORDER_MARGIN_CLOSEOUT": "stop_out",
}  # fmt: skip
PENDING_ALREADY = "CLIENT_ORDER_ID_ALREADY_EXISTS"         # no end of the order: it says that there is one
EXPIRED = ("TIME_IN_FORCE_EXPIRED", "ORDER_EXPIRED")
CLIENT_REASONS = ("CLIENT_REQUEST", "CLIENT_REQUEST_REPLACED")
WORDS = {
    "INSUFFICIENT_MARGIN": "there is not enough margin for it",
    "INSUFFICIENT_LIQUIDITY": "the market has fewer units at its price",
    "MARKET_HALTED": "the market is shut or halted",
    "STOP_LOSS_ON_FILL_LOSS": "its stop is already through",
    "TAKE_PROFIT_ON_FILL_LOSS": "its target is already reached",
    "INSTRUMENT_UNKNOWN": "it does not know the instrument",
    "PRICE_PRECISION_EXCEEDED": "a price has too many decimals",
    "UNITS_LIMIT_EXCEEDED": "it is larger than the vendor takes",
    "UNITS_MINIMUM_NOT_MET": "it is smaller than the vendor takes",
    "CLOSE_TRADE_UNITS_EXCEED_TRADE_SIZE": "the position is smaller than that",
}


def instant(text: str) -> datetime:
    """
    >>> instant("2016-10-24T21:48:18.593753865Z").isoformat()
    '2016-10-24T21:48:18.593753+00:00'
    """
    return datetime.fromisoformat(text.rstrip("Z")[:26]).replace(tzinfo=UTC)


def ticket(order: Order, transactions: Iterable[Transaction], contract: Decimal, taken: Callable[[str], bool] = lambda broker_id: False) -> Ticket | None:
    """What became of ``order`` by the transactions since before it was sent; None if they do not have it.

    It is known by its client id. A close of a trade carries none at this vendor: it is the first close of that trade and size whose
    order id is not ``taken`` by another of ours. ``contract`` is units per lot.
    """
    rows = unique(transactions)
    created = next((row for row in rows if row["type"] in ORDERS and _is_of(row, order, contract, taken)), None)
    broker_id = created["id"] if created is not None else next((row["orderID"] for row in rows if row.get("clientOrderID") == order.client_id and row["type"] == "ORDER_FILL"), "")
    if not broker_id:
        rejected = next((row for row in rows if row["type"].endswith("_ORDER_REJECT") and row["rejectReason"] != PENDING_ALREADY and _is_of(row, order, contract, lambda broker_id: False)), None)
        return None if rejected is None else refusal(order, rejected["rejectReason"], instant(rejected["time"]))
    ids = _with_successors(broker_id, rows, order.client_id)
    filled = [row for row in rows if row["type"] == "ORDER_FILL" and row["orderID"] in ids]
    ended = next((row for row in rows if row["type"] == "ORDER_CANCEL" and row["orderID"] in ids and not row.get("replacedByOrderID")), None)
    return _summed(order, broker_id, filled, ended, created, contract)


def _with_successors(broker_id: str, rows: list[Transaction], client_id: str) -> set[str]:
    """The ids of an order: its own, of what replaced it or was issued for its rest, and of whatever else carries its client id (the vendor lets it)."""
    ids = {broker_id}
    for row in rows:
        if row["type"] in ORDERS and (row.get("replacesOrderID") in ids or row.get("clientExtensions", {}).get("id") == client_id):
            ids.add(row["id"])
    return ids


def _is_of(row: Transaction, order: Order, contract: Decimal, taken: Callable[[str], bool]) -> bool:
    if order.closes:
        close = row.get("tradeClose", {})
        return close.get("tradeID") == order.closes and Decimal(close["units"]) == order.lots * contract and not taken(row["id"])
    return bool(row.get("clientExtensions", {}).get("id") == order.client_id)


def _summed(order: Order, broker_id: str, filled: list[Transaction], ended: Transaction | None, created: Transaction | None, contract: Decimal) -> Ticket:
    units = sum((abs(Decimal(row["units"])) for row in filled), NOUGHT)
    lots = units / contract
    last = filled[-1] if filled else ended or created
    base = Ticket(
        order.client_id, "accepted", broker_id, filled_lots=lots, open_lots=order.lots - lots,
        price=sum((Decimal(row["price"]) * abs(Decimal(row["units"])) for row in filled), NOUGHT) / units if units else None,
        position_id=_position(order, filled), at=instant(last["time"]) if last else None,
    )  # fmt: skip
    if lots >= order.lots:
        return replace(base, state="filled", open_lots=NOUGHT)
    if ended is None:
        return replace(base, state="partially_filled") if lots else base
    reason = ended["reason"]
    if lots:
        return replace(base, state="partially_filled", open_lots=NOUGHT, reason=reason.lower(), sentence=f"OANDA filled {lots} of {order.lots} lots and cancelled the rest: {_words(reason)}")
    if reason in CLIENT_REASONS or reason in EXPIRED or order.kind != "market":
        return replace(base, state="expired" if reason in EXPIRED else "cancelled", open_lots=NOUGHT, reason=reason.lower(), sentence=f"the order was cancelled: {_words(reason)}")
    return replace(refusal(order, reason, instant(ended["time"])), broker_id=broker_id)


def _position(order: Order, filled: list[Transaction]) -> str:
    opened = next((row["tradeOpened"]["tradeID"] for row in filled if row.get("tradeOpened")), "")
    return opened or order.closes


def refusal(order: Order, reason: str, at: datetime | None) -> Ticket:
    """A ticket for what the vendor did not take."""
    sentence = f"OANDA refused {order.side} {order.lots} {order.instrument}: {_words(reason)}"
    return Ticket(order.client_id, "rejected", reason=reason.lower(), sentence=sentence, at=at)


def _words(reason: str) -> str:
    return WORDS.get(reason, reason.lower().replace("_", " "))


def fills(transactions: Iterable[Transaction], after: str, symbol: Callable[[str], str], contract: Callable[[str], Decimal], client_of: Callable[[str], str]) -> tuple[Fill, ...]:
    """Executions after the one called ``after``, oldest first, each once. One transaction may close some trades and open another: a fill each,
    called by the transaction's number and its own.

    ``symbol`` gives our name of the vendor's instrument, ``contract`` units per lot of it, ``client_of`` our id of an order that carries none.
    """
    rows = [row for row in unique(transactions) if row["type"] == "ORDER_FILL"]
    every = [fill for row in rows for fill in _parts(row, symbol(row["instrument"]), contract(row["instrument"]), row.get("clientOrderID") or client_of(row["orderID"]))]
    return tuple(fill for fill in every if place(fill.fill_id) > place(after))


def place(fill_id: str) -> tuple[int, int]:
    """Where a fill stands among all.

    >>> place("12.1") > place("12.0") > place("9.3") > place("")
    True
    """
    transaction, _, part = fill_id.partition(".")
    return (int(transaction), int(part)) if transaction.isdigit() and part.isdigit() else (0, 0)


def _parts(row: Transaction, instrument: str, contract: Decimal, client_id: str) -> list[Fill]:
    closed = [*(row.get("tradesClosed") or ()), *([row["tradeReduced"]] if row.get("tradeReduced") else ())]
    parts = [(part, False) for part in closed] + ([(row["tradeOpened"], True)] if row.get("tradeOpened") else [])
    costs = Decimal(row.get("commission", "0")) + Decimal(row.get("guaranteedExecutionFee", "0"))
    return [
        Fill(
            f"{row['id']}.{number}", client_id, row["orderID"], part["tradeID"], instrument, "buy" if Decimal(part["units"]) > 0 else "sell", abs(Decimal(part["units"])) / contract,
            Decimal(part.get("price", row["price"])), instant(row["time"]), _reason(row["reason"], bool(client_id)), opens, Decimal(part.get("realizedPL", "0")), NOUGHT if number else costs, Decimal(part.get("financing", "0")),
        )
        for number, (part, opens) in enumerate(parts)
    ]  # fmt: skip


def _reason(reason: str, ours: bool) -> str:
    return FILL_REASONS.get(reason, "market" if ours else "manual")


def unique(transactions: Iterable[Transaction]) -> list[Transaction]:
    """In their order, each once, however often they are sent."""
    by_id = {int(row["id"]): row for row in transactions}
    return [by_id[number] for number in sorted(by_id)]
