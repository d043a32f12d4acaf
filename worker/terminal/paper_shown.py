"""One session as ``tidemark paper show`` prints it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain.live.tape import time_text
from worker.desk.paper_rows import SessionView


def shown(view: SessionView) -> dict[str, Any]:
    row = view.row
    return dict(
        name=row.name, state=row.state, reason=row.reason, source=row.source, broker=row.broker, mode=row.mode, currency=row.currency, bars=row.bars, clock=view.clock, next_close=view.next_close,
        balance=row.balance, equity=row.equity, today=row.today, daily_loss_used=row.daily_loss_used, price_age=row.price_age, backlog=view.backlog, dropped=int(view.figures["dropped"] or 0),
        commands_waiting=int(view.figures["commands_waiting"] or 0), trades=view.trades_total, plan=dict(view.plan), counts=dict(view.counts), strategies=[dict(each) for each in view.strategies],
        positions=view.positions.to_dict("records"), orders=view.orders.to_dict("records"), proposals=view.proposals.to_dict("records"),
        alarms=list(row.alarms), broker_account=dict(view.broker), rule_set=view.rule_set, floors=[dict(each) for each in view.floors],
    )  # fmt: skip


def timed(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row with its times, which are nanoseconds, as a person reads them.

    >>> timed({"trade_id": 3, "entry_ts": 1_500_000_000_000_000_000, "ts": 0})
    {'trade_id': 3, 'entry_ts': '2017-07-14T02:40:00Z', 'ts': 0}
    """
    return {name: time_text(value) if isinstance(value, int) and value and (name == "ts" or name.endswith("_ts")) else value for name, value in row.items()}
