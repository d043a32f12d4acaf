"""Fields of regulations: the tables themselves, and which field is missing for which record."""

from __future__ import annotations

import pandas as pd
import pytest

from domain.compliance.fields import check, field_set, field_sets, records_of_events, records_of_run
from domain.compliance.fields.check import NOTICE
from domain.errors import BadRequest
from domain.market import instruments

T = pd.Timestamp("2026-03-02T10:00Z")
FILLS = pd.DataFrame(
    [(1, 7, 1, T, T, "EURUSD", "buy", 0.5, 1.10, 0.0, 0.0, 3.5, "market"), (2, 8, 2, T, T, "EURUSD", "sell", 0.2, 1.11, 0.0, 0.0, 1.4, "limit"),
     (3, 7, 1, T, T, "EURUSD", "sell", 0.5, 1.12, 0.0, 0.0, 3.5, "stop_loss")],
    columns=["fill_id", "order_id", "trade_id", "ts", "bar_ts", "instrument", "side", "lots", "price", "spread_cost", "slippage_cost", "commission", "reason"],
)  # fmt: skip
REVIEWS = pd.DataFrame(
    [(9, T, "EURUSD", "refused", "margin", 5.0, 0.0)],
    columns=["order_id", "ts", "instrument", "verdict", "reason", "lots_requested", "lots_given"],
)


def records(reviews=REVIEWS):
    return records_of_run(FILLS, reviews, strategy="breakout", code="abc", actor="ana", instruments=instruments())


def states(result):
    return dict(zip(result.rows["number"], result.rows["state"], strict=True))


def test_every_table_has_its_source_and_the_day_it_was_read():
    for key in field_sets():
        about = field_set(key)
        assert (
            about.figure.source.startswith("http")
            and about.figure.retrieved.year >= 2026
            and about.figure.confidence in ("official", "secondary", "assumed")
        )
        assert about.who.endswith(".") and all(field.keys and field.article for field in about.required)
    assert [field.number for field in field_set("rts24").required] == [str(number) for number in range(1, 52)]


def test_a_run_has_a_record_for_each_fill_each_order_and_each_refusal():
    table = records()
    assert table["record"].tolist() == ["order 7", "order 8", "fill 1", "fill 2", "fill 3", "order 9 refused"]
    assert table["event"].tolist() == ["new", "new", "execution", "execution", "execution", "refusal"]
    assert table["price_currency"].unique().tolist() == ["USD"] and table["algorithm"].unique().tolist() == [
        "breakout (abc)"
    ]


def test_what_is_there_what_is_missing_and_for_which_record():
    """Of RTS 24 by hand: every record has an order id (20); the two new orders have no time (9), fills have a price (28); the limit order has no limit
    price (24); no record has a client (3); the refusal has no side (32)."""
    result = check(records(), field_set("rts24"))
    got = states(result)
    assert (got["20"], got["28"], got["39"], got["4"]) == ("present",) * 4
    assert (got["3"], got["16"], got["24"], got["19"]) == ("missing",) * 4
    assert (
        got["9"] == "missing in some"
        and got["32"] == "missing in some"
        and got["26"] == "not required"
        and got["14"] == "where it applies"
    )
    missing = result.missing
    assert missing[missing["number"] == "9"]["record"].tolist() == ["order 7", "order 8"]
    assert missing[missing["number"] == "32"]["record"].tolist() == ["order 9 refused"]
    assert missing[missing["number"] == "3"]["record"].tolist() == ["every record"]
    row = result.rows.set_index("number").loc["24"]
    assert (row["required"], row["missing"]) == (1, 1)


def test_a_record_that_gains_a_field_no_longer_lacks_it():
    before, after = (
        check(records(), field_set("cftc-1.35")),
        check(records().assign(account="A1", venue="XCME"), field_set("cftc-1.35")),
    )
    assert (states(before)["b-1"], states(after)["b-1"], states(after)["b-8"], states(after)["b-11"]) == (
        "missing",
        "present",
        "present",
        "present",
    )
    blank = check(records().assign(account=" "), field_set("cftc-1.35"))
    assert states(blank)["b-1"] == "missing", "an empty text is no account"


def test_the_sum_of_the_states_is_stated_and_nothing_more():
    result = check(records(), field_set("cat"))
    assert result.sentence.startswith("8 of 24 fields of FINRA CAT are there in all of 6 records")
    words = " ".join(
        [result.sentence, NOTICE, *result.rows.astype(str).to_numpy().ravel(), field_set("cat").who]
    ).lower()
    assert "certified" not in words and "compliant" not in words


def test_a_run_without_refusals_has_none():
    assert check(records(None), field_set("rts24")).records == 5


def test_audit_events_of_orders_are_records_and_other_events_are_not():
    events = [
        dict(seq=1, ts="2026-03-02T10:00:00Z", actor="ana", kind="job_submitted", detail={}),
        dict(
            seq=2,
            ts="2026-03-02T10:00:01Z",
            actor="robot",
            kind="order_submitted",
            detail=dict(client_id="c1", symbol="EURUSD", side="buy", lots=0.5, type="limit", limit=1.1),
        ),
        dict(
            seq=3,
            ts="2026-03-02T10:00:02Z",
            actor="robot",
            kind="order_filled",
            detail=dict(client_id="c1", symbol="EURUSD", side="buy", filled=0.5, price=1.1),
        ),
        dict(
            seq=4,
            ts="2026-03-02T10:00:03Z",
            actor="robot",
            kind="order_rejected",
            detail=dict(client_id="c2", reason="margin"),
        ),
    ]
    table = records_of_events(events)
    assert table["event"].tolist() == ["new", "execution", "refusal"] and table["record"].tolist() == [
        "event 2",
        "event 3",
        "event 4",
    ]
    got = states(check(table, field_set("rts24")))
    assert (got["9"], got["19"], got["24"], got["28"]) == ("present",) * 4 and got["32"] == "missing in some"


def test_no_record_is_a_sentence():
    with pytest.raises(BadRequest, match="choose a run with trades"):
        check(records().iloc[:0], field_set("cat"))
