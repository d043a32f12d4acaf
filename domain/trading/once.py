"""Sending an order once, over a network that loses answers, to a vendor that would fill it twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from domain.errors import SourceUnavailable
from domain.trading.broker import Intent, Intents, same_order
from domain.trading.order import Order, Ticket

APART = 5.0         # seconds between the two looks after which it is believed that a vendor does not have an order
BELIEVED = ("no_answer", "not_sent")        # reasons of an unknown order of which two looks have found nothing, or that certainly was not sent


class AnswerLost(Exception):
    """A request was sent and no answer came: whether it arrived is not known. Its text says what was seen."""


class Sender(Protocol):
    """What a vendor's adapter does so that ``Once`` can be built on it."""

    def mark(self) -> str:
        """Where the vendor's record stands before an order is sent, so that the search for it afterwards is short."""

    def send(self, order: Order) -> Ticket:
        """One request. AnswerLost if it may have arrived; SourceUnavailable if it certainly did not."""

    def find(self, intent: Intent) -> Ticket | None:
        """The order under that client id as the vendor has it now: pending, filled or cancelled; None if it has none. SourceUnavailable if it could not be reached."""


@dataclass(frozen=True)
class Once:
    """``submit`` of a broker: the intent is written before anything is sent, a lost answer is looked up by client id, and absence is believed
    after two looks ``apart`` seconds from each other. One call sends at most once; a later call, for which the vendor still has nothing, sends
    again, under the same id. Seconds are those of ``wait``: our clock may be wrong."""

    intents: Intents
    sender: Sender
    utc: Callable[[], datetime]
    wait: Callable[[float], None]
    apart: float = APART

    def submit(self, order: Order, check: Callable[[Order], Ticket | None] = lambda order: None) -> Ticket:
        """The ticket of ``order``. ``check`` may refuse it with a ticket, just before it is sent; what was sent already is only looked up."""
        intent = self.intents.find(order.client_id)
        if intent is not None:
            return self._again(intent, order, check)
        refused = check(order)          # before the intent: nothing slow may stand between that and the request
        intent = Intent(order, self.utc(), self.sender.mark())
        if not self.intents.begin(intent):
            return self.submit(order, check)
        return self._send(intent) if refused is None else self._noted(intent, refused)

    def _again(self, intent: Intent, order: Order, check: Callable[[Order], Ticket | None]) -> Ticket:
        same_order(intent, order)
        if intent.ticket is not None and intent.ticket.over:
            return intent.ticket
        believed = intent.ticket is not None and intent.ticket.reason in BELIEVED
        ticket = self._ask(intent, 1 if believed else 2)
        if ticket is not None:
            return ticket
        if intent.ticket is not None and intent.ticket.state != "unknown":
            return self._noted(intent, _unknown(intent, "the vendor knew this order and has none under its id now; reconcile before trading on"))
        refused = check(order)
        return self._send(intent) if refused is None else self._noted(intent, refused)

    def _send(self, intent: Intent) -> Ticket:
        try:
            return self._noted(intent, self.sender.send(intent.order))
        except SourceUnavailable as error:
            return self._noted(intent, _unknown(intent, f"{error}; nothing was sent", "not_sent"))
        except AnswerLost as lost:
            self.intents.note(intent.order.client_id, _unknown(intent, str(lost), "lost"))
            return self._ask(intent) or self._noted(intent, _unknown(intent, f"{lost}; the vendor was queried twice, {self.apart:g} s apart, and has no order under this id. Nothing was sent again", "no_answer"))

    def _ask(self, intent: Intent, looks: int = 2) -> Ticket | None:
        """The vendor's answer, None where no look finds the order; ``unknown`` where it could not be reached at all."""
        for look in range(looks):
            if look:
                self.wait(self.apart)
            try:
                ticket = self.sender.find(intent)
            except SourceUnavailable as error:
                return self._noted(intent, _unknown(intent, f"whether the order arrived is not known, and asking failed: {error}", "not_asked"))
            if ticket is not None:
                return self._noted(intent, ticket)
        return None

    def _noted(self, intent: Intent, ticket: Ticket) -> Ticket:
        self.intents.note(intent.order.client_id, ticket)
        return ticket


def _unknown(intent: Intent, sentence: str, reason: str = "lost") -> Ticket:
    return Ticket(intent.order.client_id, "unknown", reason=reason, sentence=sentence)
