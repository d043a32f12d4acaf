"""Records of orders and fills as one table: a row a record, a column a key that fields of a regulation are looked up
by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from domain.compliance.fields.sets import CANCELLATION, EXECUTION, MODIFICATION, NEW, REFUSAL
from domain.market.instrument import Instrument

BASE = ("record", "event", "ts")
ENTRIES = ("market", "stop", "limit", "grid")
KINDS = {  # last word of an audit event of an order -> what happened to the order
    "submitted": NEW,
    "placed": NEW,
    "received": NEW,
    "sent": NEW,
    "filled": EXECUTION,
    "executed": EXECUTION,
    "closed": EXECUTION,
    "modified": MODIFICATION,
    "replaced": MODIFICATION,
    "protected": MODIFICATION,
    "cancelled": CANCELLATION,
    "expired": CANCELLATION,
    "rejected": REFUSAL,
    "refused": REFUSAL,
}
ALIASES = {  # key of a record <- keys of an event's detail
    "order_id": ("order_id", "order", "client_id"),
    "instrument": ("instrument", "symbol"),
    "side": ("side",),
    "quantity": ("quantity", "lots"),
    "traded": ("traded", "filled", "lots_filled"),
    "price": ("price", "fill_price"),
    "type": ("type", "order_type"),
    "limit_price": ("limit_price", "limit"),
    "stop_price": ("stop_price", "stop"),
    "account": ("account", "account_id"),
    "venue": ("venue", "mic"),
    "algorithm": ("strategy", "algorithm", "code"),
    "time_in_force": ("time_in_force", "validity"),
    "reason": ("reason", "why"),
    "remaining": ("remaining",),
    "status": ("status",),
    "venue_trade_id": ("venue_trade_id", "fill_id"),
}


def records_of_run(
    fills: pd.DataFrame,
    reviews: pd.DataFrame | None,
    *,
    strategy: str,
    code: str,
    actor: str,
    instruments: Mapping[str, Instrument],
) -> pd.DataFrame:
    """The records of a backtest: one a fill, one an order that was refused or reduced, and one a new order, which a run
    keeps only by its first fill, without the time at which it was decided.
    """
    executions = pd.DataFrame(
        dict(
            record="fill " + fills["fill_id"].astype(str),
            event=EXECUTION,
            ts=fills["ts"],
            order_id=fills["order_id"].astype(str),
            sequence=fills["fill_id"],
            instrument=fills["instrument"].astype(str),
            side=fills["side"].astype(str),
            traded=fills["lots"],
            price=fills["price"],
            reason=fills["reason"].astype(str),
            commission=fills["commission"],
        )
    )
    first = fills[fills["reason"].isin(ENTRIES)].drop_duplicates(["order_id", "instrument"])
    orders = pd.DataFrame(
        dict(
            record="order " + first["order_id"].astype(str),
            event=NEW,
            ts=pd.NaT,
            order_id=first["order_id"].astype(str),
            instrument=first["instrument"].astype(str),
            side=first["side"].astype(str),
            type=first["reason"].astype(str),
            quantity=first["lots"],
            sequence=first["order_id"],
        )
    )
    parts = [orders, executions]
    if reviews is not None and len(reviews):
        parts.append(
            pd.DataFrame(
                dict(
                    record="order " + reviews["order_id"].astype(str) + " " + reviews["verdict"].astype(str),
                    event=REFUSAL,
                    ts=reviews["ts"],
                    order_id=reviews["order_id"].astype(str),
                    instrument=reviews["instrument"].astype(str),
                    quantity=reviews["lots_requested"],
                    reason=reviews["reason"].astype(str),
                    sequence=reviews["order_id"],
                )
            )
        )
    table = pd.concat(
        [part.assign(ts=pd.to_datetime(part["ts"], utc=True)) for part in parts if len(part)] or [executions],
        ignore_index=True,
    )
    currency = {name: known.quote for name, known in instruments.items()}
    return table.assign(
        algorithm=f"{strategy} ({code[:12]})", operator=actor, price_currency=table["instrument"].map(currency)
    )


def records_of_events(events: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """The records that audit events of orders hold: ``seq``, ``ts``, ``actor``, ``kind`` and ``detail`` of each; events
    of other kinds are left out.

    >>> table = records_of_events([{"seq": 7, "ts": "2026-03-02T10:00:00Z", "actor": "ana", "kind": "order_filled", "detail": {"order": "o1", "price": 1.1}}])
    >>> table[["record", "event", "order_id", "price"]].values.tolist()
    [['event 7', 'execution', 'o1', 1.1]]
    """
    rows = []
    for event in events:
        first, _, last = str(event["kind"]).partition("_")
        if first not in ("order", "fill", "position") or last.split("_")[-1] not in KINDS:
            continue
        detail = event.get("detail", {})
        values = {
            key: next((detail[name] for name in names if detail.get(name) not in (None, "")), None)
            for key, names in ALIASES.items()
        }
        rows.append(
            dict(
                record=f"event {event['seq']}",
                event=KINDS[last.split("_")[-1]],
                ts=event["ts"],
                sequence=event["seq"],
                operator=event["actor"],
                **values,
            )
        )
    return pd.DataFrame(rows, columns=[*BASE, "sequence", "operator", *ALIASES])
