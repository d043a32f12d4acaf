"""Reconciliation with a broker's ledger: every difference is named, and the event reads back."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from domain.audit import AuditEvent
from domain.audit.reconciliation import KIND, LISTED, reconcile, reconciliation_of

AT = datetime(2026, 11, 20, 13, 59, tzinfo=UTC)
OURS = {
    "orders": {"lm-2207": {"state": "filled"}, "lm-2208": {"state": "rejected"}},
    "fills": {"88121": {"lots": "0.40", "price": "1.08412", "side": "sell"}},
    "positions": {"EURUSD": {"lots": "-0.40"}},
}


def test_equal_ledgers_agree_however_their_numbers_are_written():
    theirs = {**OURS, "fills": {"88121": {"lots": 0.4, "price": "1.084120", "commission": "2.8"}}}
    result = reconcile("oanda", "101", AT, OURS, theirs)
    assert result.agrees and result.compared == {"orders": 2, "fills": 1, "positions": 1}


def test_what_one_side_lacks_or_says_otherwise_is_named():
    theirs = {"orders": {"lm-2207": {"state": "filled"}}, "fills": {"88121": {"lots": "0.40", "price": "1.08413", "side": "sell"}, "88122": {}}, "positions": {"EURUSD": {"lots": "-0.80"}}}
    result = reconcile("oanda", "101", AT, OURS, theirs)
    assert [each.sentence for each in result.differences] == [
        "Order lm-2208 is in our ledger only.",
        "Fill 88121: price is 1.08412 here and 1.08413 at the broker.",
        "Fill 88122 is in the ledger of the broker only.",
        "Position EURUSD: lots is -0.40 here and -0.80 at the broker.",
    ]


def test_the_event_reads_back_and_lists_no_more_than_fits():
    theirs = {"fills": {str(k): {} for k in range(3_000)}}
    result = reconcile("oanda", "101", AT, OURS, theirs)
    body = AuditEvent("e", AT, "tidemark", KIND, (result.entity,), result.detail()).body()
    back = reconciliation_of(json.loads(body)["detail"])
    assert back.count == result.count == 3_000 + 4 and len(back.differences) == LISTED and not back.agrees
    assert (back.entity, back.as_of) == ("broker:oanda/101", AT)
