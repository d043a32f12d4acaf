"""A session's broker beside it: the line to it, who watches the account, and how it was seen last."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from domain.live.broker_book import BrokerBook
from domain.live.broker_session import BrokerSession
from domain.live.plan import Plan
from worker.sessions.broker_account import BrokerAccount, Surroundings
from worker.sessions.broker_held_by import Held
from worker.sessions.broker_line import BrokerLine, BrokerUpdate
from worker.sessions.broker_seen import BrokerNews, BrokerSeen, BrokerWatch
from worker.sessions.brokers import broker_of
from worker.sessions.events import ACTOR
from worker.sessions.replay_feed import SessionFeed
from worker.store.order_intents import StoredIntents

FRESH = 30.0                # seconds; on an older price no position is opened
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass
class BrokerSide:
    """``session``: whose fills come from it. ``seen``: what its view shows."""

    session: BrokerSession
    line: BrokerLine
    watch: BrokerWatch
    seen: BrokerSeen

    def look(self, update: BrokerUpdate) -> BrokerNews:
        """Before it is booked: what a person may adopt is what was seen last."""
        self.seen = update.seen
        self.session.differences = tuple(each["client_id"] for each in update.seen.differences)
        if update.seen.account is not None and update.seen.state != "away":
            self.session.stands_at(float(update.seen.account.balance), float(update.seen.account.equity))
        return self.watch.look(update.seen, self.session.halted_by)

    def view(self) -> dict[str, Any]:
        return dict(broker=self.seen.plain() | dict(leaving=self.session.leaving), broker_watch=dict(self.watch.kept), **self.watch.floors)


def side_of(held: Held, plan: Plan, session: BrokerSession, feed: SessionFeed, watch: BrokerWatch) -> BrokerSide:
    """The broker of a session that is taken up. Nothing is sent before its line is opened."""
    intents = StoredIntents(held.store, held.broker, ACTOR)
    broker = broker_of(held.broker, held.settings.vendors, intents)
    surroundings = Surroundings(
        partial(now_of, feed), held.monotonic, lambda name: feed.state().ages.get(name, FRESH + 1) <= FRESH, partial(held.refusal, held.name),
        partial(sizes_of, plan), partial(tick_of, plan), plan.rules.account.currency,
    )  # fmt: skip

    def make(book: BrokerBook) -> BrokerAccount:
        return BrokerAccount(broker, book, surroundings, intents)

    line = BrokerLine(held.name, make, session.book, surroundings.now, held.lost)
    line.want(session.wanted())
    return BrokerSide(session, line, watch, BrokerSeen(session.at, trouble=line.account.trouble))


def now_of(feed: SessionFeed) -> datetime:
    """The vendor's time, by its prices and heartbeats."""
    return EPOCH + timedelta(microseconds=(feed.state().clock or 0) // 1000)


def sizes_of(plan: Plan, name: str) -> tuple[Decimal, Decimal]:
    return Decimal(str(plan.instruments[name].lot_step)), Decimal(str(plan.instruments[name].min_lot))


def tick_of(plan: Plan, name: str) -> Decimal:
    return Decimal(str(plan.instruments[name].tick))
