"""One session as ``tidemark paper show`` prints it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from worker.desk.paper_rows import SessionView

SIDES = {1: "long", -1: "short"}


def readable(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as people read it: times in UTC, sides in words.

    >>> readable({"side": -1, "entry_ts": 1_710_115_500_000_000_000, "lots": 0.5})
    {'side': 'short', 'entry_ts': '2024-03-11 00:05', 'lots': 0.5}
    """
    return {name: _word(name, value) for name, value in row.items()}


def _word(name: str, value: Any) -> Any:
    if name == "side":
        return SIDES.get(value, value)
    if (name == "ts" or name.endswith("_ts")) and isinstance(value, int):
        return f"{datetime.fromtimestamp(value / 1e9, UTC):%Y-%m-%d %H:%M}"
    return value


def shown(view: SessionView) -> dict[str, Any]:
    row = view.row
    return dict(
        name=row.name, state=row.state, reason=row.reason, source=row.source, broker=row.broker, mode=row.mode, currency=row.currency, bars=row.bars, clock=view.clock, next_close=view.next_close,
        balance=row.balance, equity=row.equity, today=row.today, daily_loss_used=row.daily_loss_used, price_age=row.price_age, backlog=view.backlog, dropped=int(view.figures["dropped"] or 0),
        commands_waiting=int(view.figures["commands_waiting"] or 0), trades=view.trades_total, plan=dict(view.plan), counts=dict(view.counts), strategies=[dict(each) for each in view.strategies],
        positions=view.positions.to_dict("records"), orders=view.orders.to_dict("records"), proposals=view.proposals.to_dict("records"),
        alarms=list(row.alarms), broker_account=dict(view.broker), rule_set=view.rule_set, floors=[dict(each) for each in view.floors],
    )  # fmt: skip
