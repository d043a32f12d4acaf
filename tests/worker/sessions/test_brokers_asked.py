"""A session that asks for a broker: practice accounts of known brokers, on live prices only."""

import pytest

from domain.errors import BadRequest
from worker.store import session_asking as asking

PLAN = dict(series=["EURUSD M5"])


def test_a_broker_that_nobody_knows_is_refused(store):
    with pytest.raises(BadRequest, match="no broker named 'nosuch'; there are mt5, oanda, paper"), store.unit() as unit:
        asking.start(unit, "one", PLAN, dict(feed="oanda"), "ana", broker="nosuch")


@pytest.mark.parametrize("broker", ("oanda", "mt5"))
def test_orders_at_a_broker_need_live_prices(store, broker):
    with pytest.raises(BadRequest, match="need live prices, and this session replays bars"), store.unit() as unit:
        asking.start(unit, "one", PLAN, dict(feed="replay"), "ana", broker=broker)


def test_there_is_nothing_to_adopt_on_paper(store):
    with store.unit() as unit:
        asking.start(unit, "one", PLAN, dict(feed="replay"), "ana")
    with pytest.raises(BadRequest, match="trades on paper"), store.unit() as unit:
        asking.ask(unit, "one", "adopt", dict(client_id="one-1-0"), "ana")
