"""Intents in the database: written once, read as they were, each change with its event, and a broker that stands on them across processes."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from domain.trading.broker import Intent
from domain.trading.order import Order, Target, Ticket
from tests.conformance.rig_oanda import OandaRig
from worker.store.order_intents import StoredIntents

NOON = datetime(2024, 7, 10, 12, tzinfo=UTC)
ORDER = Order("a-1", "EURUSD", "buy", "limit", Decimal("0.10"), Decimal("1.09900"), Decimal("1.09500"), (Target(Decimal("1.11"), Decimal("0.50")), Target(Decimal("1.12"), Decimal("0.5"))), "swing", NOON + timedelta(hours=1))
TICKET = Ticket("a-1", "accepted", "17", open_lots=Decimal("0.10"), at=NOON)


def test_an_intent_is_written_once_and_read_as_it_was(store):
    intents, others = StoredIntents(store, "practice", "runner"), StoredIntents(store, "another", "runner")
    assert intents.find("a-1") is None and intents.begin(Intent(ORDER, NOON, "16"))
    assert not intents.begin(Intent(Order("a-1", "USDJPY", "sell", "market", Decimal(1)), NOON)) and others.find("a-1") is None
    assert intents.find("a-1") == Intent(ORDER, NOON, "16") and str(intents.find("a-1").order.lots) == "0.10"
    intents.note("a-1", TICKET)
    assert intents.find("a-1") == Intent(ORDER, NOON, "16", TICKET) == intents.named("17")
    assert intents.named("18") is None and intents.named("") is None and others.named("17") is None


def test_each_change_leaves_its_event_and_no_change_none(store):
    intents = StoredIntents(store, "practice", "runner")
    intents.begin(Intent(ORDER, NOON, "16"))
    intents.begin(Intent(ORDER, NOON, "16"))
    for ticket in (TICKET, TICKET, Ticket("a-1", "filled", "17", Decimal("0.10"), price=Decimal("1.099"))):
        intents.note("a-1", ticket)
    with store.read() as unit:
        bodies = [json.loads(record.body) for record in unit.trail.all() if record.kind.startswith("order_")]
    assert [(body["kind"], body["actor"], body["entities"]) for body in bodies] == [(kind, "runner", ["order:a-1"]) for kind in ("order_intent", "order_accepted", "order_filled")]
    assert (bodies[0]["detail"]["lots"], bodies[0]["detail"]["price"], bodies[2]["detail"]["price"], bodies[0]["detail"]["order_type"]) == ("0.10", "1.09900", "1.099", "limit")


def test_what_has_not_ended_is_listed(store):
    intents = StoredIntents(store, "practice", "runner")
    tickets = {"sent": None, "unknown": Ticket("unknown", "unknown"), "working": Ticket("working", "partially_filled", open_lots=Decimal("0.1")), "rest": Ticket("rest", "partially_filled", filled_lots=Decimal("0.1")), "done": Ticket("done", "filled")}
    for number, (name, ticket) in enumerate(tickets.items()):
        intents.begin(Intent(Order(name, "EURUSD", "buy", "market", Decimal("0.1")), NOON + timedelta(seconds=number)))
        if ticket is not None:
            intents.note(name, ticket)
    with store.read() as unit:
        assert [intent.order.client_id for intent in unit.order_intents.open("practice")] == ["sent", "unknown", "working"]


@pytest.mark.parametrize("kind", ["sqlite"])
def test_a_broker_goes_on_where_another_process_stopped(store):
    rig = OandaRig()
    rig.intents = StoredIntents(store, "practice", "runner")
    order = Order("b-1", "EURUSD", "buy", "market", Decimal("0.10"), stop_loss=Decimal("1.09500"))
    rig.lose_answer(then_away=True)
    assert rig.broker().submit(order).state == "unknown"
    rig.away(False)
    rig.intents = StoredIntents(store, "practice", "another")
    assert (rig.broker().submit(order).state, rig.broker().submit(order).state, rig.accepted()) == ("filled", "filled", 1)
    with store.read() as unit:
        assert [record.kind for record in unit.trail.all() if record.kind.startswith("order_")] == ["order_intent", "order_unknown", "order_unknown", "order_filled"]        # no answer; then nobody to ask
    rig.close()
