"""Intents to trade, written down before an order is sent, so that whoever comes after a crash knows that it may have been.

Each change of one and its event in the audit trail commit together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import Connection, select

from domain.trading.broker import Intent
from domain.trading.order import Order, Ticket
from domain.trading.order_text import order_of, ticket_of, values_of
from worker.store.engine import insert
from worker.store.schema import order_intents

if TYPE_CHECKING:
    from worker.store.unit import Store


class OrderIntents:
    """Rows of one unit of work, by account and client id."""

    def __init__(self, connection: Connection) -> None:
        self._c = connection

    def find(self, account: str, client_id: str) -> Intent | None:
        return self._find(order_intents.c.client_id == client_id, account)

    def named(self, account: str, broker_id: str) -> Intent | None:
        return self._find(order_intents.c.broker_id == broker_id, account)

    def begin(self, account: str, intent: Intent) -> bool:
        """False where the id is taken, and nothing is written."""
        values = dict(account=account, client_id=intent.order.client_id, details=values_of(intent.order), at=intent.at, mark=intent.mark, state="intent", broker_id="", ticket=None)
        written = insert(self._c, order_intents).values(**values).on_conflict_do_nothing().returning(order_intents.c.client_id)
        return self._c.scalar(written) is not None

    def note(self, account: str, client_id: str, ticket: Ticket) -> bool:
        """False where that is known already, and nothing is written."""
        known = self.find(account, client_id)
        if known is not None and known.ticket == ticket:
            return False
        row = sa.and_(order_intents.c.account == account, order_intents.c.client_id == client_id)
        self._c.execute(sa.update(order_intents).where(row).values(state=ticket.state, broker_id=ticket.broker_id, ticket=values_of(ticket)))
        return True

    def open(self, account: str) -> list[Intent]:
        """Those of which the end is not known, oldest first: what a session reconciles when it connects."""
        query = select(order_intents).where(order_intents.c.account == account).order_by(order_intents.c.at, order_intents.c.client_id)
        every = [_read(row) for row in self._c.execute(query.where(order_intents.c.state.not_in(("filled", "rejected", "cancelled", "expired")))).mappings()]
        return [intent for intent in every if intent.ticket is None or not intent.ticket.over]

    def _find(self, condition: Any, account: str) -> Intent | None:
        row = self._c.execute(select(order_intents).where(order_intents.c.account == account, condition).order_by(order_intents.c.at).limit(1)).mappings().one_or_none()
        return _read(row) if row else None


class StoredIntents:
    """``domain.trading.broker.Intents`` in the database: one unit of work and one audit event for each change. ``account`` is our name of it, no number."""

    def __init__(self, store: Store, account: str, actor: str) -> None:
        self._store, self._account, self._actor = store, account, actor

    def find(self, client_id: str) -> Intent | None:
        with self._store.read() as unit:
            return unit.order_intents.find(self._account, client_id)

    def named(self, broker_id: str) -> Intent | None:
        with self._store.read() as unit:
            return unit.order_intents.named(self._account, broker_id) if broker_id else None

    def begin(self, intent: Intent) -> bool:
        with self._store.unit() as unit:
            begun = unit.order_intents.begin(self._account, intent)
            if begun:
                unit.audit(self._actor, "order_intent", f"order:{intent.order.client_id}", account=self._account, mark=intent.mark, **_detail(intent.order))
            return begun

    def note(self, client_id: str, ticket: Ticket) -> None:
        with self._store.unit() as unit:
            if unit.order_intents.note(self._account, client_id, ticket):
                unit.audit(self._actor, f"order_{ticket.state}", f"order:{client_id}", account=self._account, **_detail(ticket))


def _detail(thing: Order | Ticket) -> dict[str, Any]:
    """For an event, whose own kind and time have those names already."""
    return {{"kind": "order_type", "at": "vendor_time"}.get(name, name): value for name, value in values_of(thing).items()}


def _read(row: Any) -> Intent:
    return Intent(order_of(row["details"]), row["at"], row["mark"], ticket_of(row["ticket"]) if row["ticket"] else None)
