"""The port to where orders go, and the record of intents that makes sending them idempotent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from domain.errors import BadRequest
from domain.trading.order import Account, Fill, Order, Position, Target, Ticket


class Broker(Protocol):
    """Six verbs. ``submit`` is idempotent on ``order.client_id``, so a worker that died mid-step may retry.

    A request that the vendor refuses is a ticket, ``rejected`` with a reason, and no exception. An answer that never came is ``unknown`` only after the
    vendor was queried by client id twice, 5 s apart. Reading that fails raises SourceUnavailable; what can never be right, BadRequest, before anything is sent.
    """

    @property
    def max_targets(self) -> int:
        """Targets that one position can have at this vendor."""

    def account(self) -> Account:
        """Balance, equity and margin now."""

    def positions(self) -> tuple[Position, ...]:
        """What is open, oldest first."""

    def submit(self, order: Order) -> Ticket:
        """Send an order, once for its client id, however often it is called and whatever is lost on the way.

        Called again it gives the ticket as it now is. An order at the market on a price that stands still is ``rejected`` with ``stale_price`` and not sent.
        """

    def protect(self, position: Position, stop: Decimal | None, targets: Sequence[Target]) -> None:
        """Give the position this stop and these targets, without a moment in which it has neither the old stop nor the new one.

        None takes the stop away: explicitly, never by accident. BadRequest if the vendor refuses; then the old ones stand.
        """

    def cancel(self, client_id: str) -> None:
        """Take a pending order away. One that is filled, cancelled or was never sent: nothing happens, as ``submit`` and ``fills`` tell what became of it."""

    def fills(self, after: str = "") -> tuple[Fill, ...]:
        """Executions after the one with that id, oldest first, each once: also what was filled while nobody was connected, and by whom ever."""


@dataclass(frozen=True)
class Intent:
    """An order about to be sent: written before it is, so that a later process knows that it may have been.

    ``mark`` is where the vendor's own record stood before the first sending (its last transaction or deal), ``ticket`` the last that is known.
    """

    order: Order
    at: datetime
    mark: str = ""
    ticket: Ticket | None = None


class Intents(Protocol):
    """The record of intents. What is noted outlives the process that noted it."""

    def find(self, client_id: str) -> Intent | None:
        """The intent of that id, if there is one."""

    def named(self, broker_id: str) -> Intent | None:
        """The intent whose order the vendor calls that, as far as its ticket says."""

    def begin(self, intent: Intent) -> bool:
        """Write it down, before anything is sent. False, and nothing written, if its id is there already: somebody else has begun."""

    def note(self, client_id: str, ticket: Ticket) -> None:
        """What is known of the order now."""


class MemoryIntents:
    """Intents of one process; a second broker object that is handed the same one goes on where the first stopped.

    >>> from datetime import UTC
    >>> intents, order = MemoryIntents(), Order("a", "EURUSD", "buy", "market", Decimal("0.1"))
    >>> intents.begin(Intent(order, datetime(2024, 1, 2, tzinfo=UTC), "17")), intents.begin(Intent(order, datetime(2024, 1, 3, tzinfo=UTC), "18"))
    (True, False)
    >>> intents.note("a", Ticket("a", "filled"))
    >>> intents.find("a").mark, intents.find("a").ticket.state, intents.find("b")
    ('17', 'filled', None)
    """

    def __init__(self) -> None:
        self._intents: dict[str, Intent] = {}

    def find(self, client_id: str) -> Intent | None:
        return self._intents.get(client_id)

    def named(self, broker_id: str) -> Intent | None:
        return next((intent for intent in self._intents.values() if intent.ticket is not None and intent.ticket.broker_id == broker_id), None)

    def begin(self, intent: Intent) -> bool:
        return self._intents.setdefault(intent.order.client_id, intent) is intent

    def note(self, client_id: str, ticket: Ticket) -> None:
        self._intents[client_id] = replace(self._intents[client_id], ticket=ticket)


def same_order(intent: Intent, order: Order) -> None:
    """Refuse another order under an id that is taken: a client id names one decision."""
    if intent.order != order:
        raise BadRequest(f"client id {order.client_id} already names another order ({intent.order.side} {intent.order.lots} {intent.order.instrument}); a new decision needs a new id")
