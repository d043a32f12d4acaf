"""A session that asks for a broker's account is refused: it would trade on paper and look as if it did not."""

import pytest

from domain.errors import BadRequest
from worker.store import session_asking as asking


@pytest.mark.parametrize("broker", ("oanda", "mt5", "nosuch"))
def test_a_broker_that_sessions_do_not_send_orders_to_is_refused(store, broker):
    with pytest.raises(BadRequest, match="trade on paper only"), store.unit() as unit:
        asking.start(unit, "one", dict(series=["EURUSD M5"]), dict(feed="replay"), "ana", broker=broker)
