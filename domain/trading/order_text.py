"""Orders, tickets, fills and positions as JSON: decimals and times as text, so that what is read again is equal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from decimal import Decimal
from typing import Any

from domain.trading.order import Fill, Order, Position, Target, Ticket

DECIMALS = ("lots", "price", "stop_loss", "filled_lots", "open_lots", "profit", "commission", "swap")
TIMES = ("expires", "at", "opened_at")


def values_of(thing: Order | Ticket | Fill | Position) -> dict[str, Any]:
    """
    >>> values_of(Ticket("a", "filled", filled_lots=Decimal("0.10")))["filled_lots"]
    '0.10'
    """
    return {field.name: _plain(getattr(thing, field.name)) for field in fields(thing)}


def order_of(values: Mapping[str, Any]) -> Order:
    """
    >>> order = Order("a", "EURUSD", "buy", "market", Decimal("0.10"), targets=(Target(Decimal("1.2")),))
    >>> order_of(values_of(order)) == order
    True
    """
    return Order(**_with_targets(values))


def position_of(values: Mapping[str, Any]) -> Position:
    return Position(**_with_targets(values))


def fill_of(values: Mapping[str, Any]) -> Fill:
    return Fill(**_typed(values))


def ticket_of(values: Mapping[str, Any]) -> Ticket:
    return Ticket(**_typed(values))


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [[str(target.price), str(target.fraction)] for target in value]
    return value.isoformat() if isinstance(value, datetime) else str(value) if isinstance(value, Decimal) else value


def _with_targets(values: Mapping[str, Any]) -> dict[str, Any]:
    typed = _typed(values)
    return {**typed, "targets": tuple(Target(Decimal(price), Decimal(fraction)) for price, fraction in typed["targets"])}


def _typed(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: Decimal(value) if name in DECIMALS and value is not None else datetime.fromisoformat(value) if name in TIMES and value is not None else value for name, value in values.items()}
