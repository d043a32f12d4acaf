"""The trading journal: a note and labels on a trade, by the question that was run and the number of the trade."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection, select

from worker.store.engine import insert
from worker.store.schema import trade_notes


@dataclass(frozen=True)
class TradeNote:
    """``question``: spec hash of the run. ``instrument``, ``side`` and ``opened`` say which trade it is about, whatever its number is now."""

    question: str
    trade: int
    run_id: str
    instrument: str
    side: str
    opened: datetime
    note: str
    labels: Sequence[str]
    actor: str
    at: datetime


class TradeNotes:
    def __init__(self, connection: Connection) -> None:
        self._c = connection

    def put(self, note: TradeNote) -> None:
        """Keep it; an earlier one on the trade is replaced."""
        values = {**note.__dict__, "labels": list(note.labels)}
        self._c.execute(insert(self._c, trade_notes).values(**values).on_conflict_do_update(index_elements=[trade_notes.c.question, trade_notes.c.trade], set_=values))

    def get(self, question: str, trade: int) -> TradeNote | None:
        row = self._c.execute(select(trade_notes).where(trade_notes.c.question == question, trade_notes.c.trade == trade)).mappings().one_or_none()
        return TradeNote(**row) if row else None

    def of(self, question: str) -> list[TradeNote]:
        """All notes on the trades of a question, by number."""
        rows = self._c.execute(select(trade_notes).where(trade_notes.c.question == question).order_by(trade_notes.c.trade)).mappings()
        return [TradeNote(**row) for row in rows]

    def remove(self, question: str, trade: int) -> None:
        self._c.execute(sa.delete(trade_notes).where(trade_notes.c.question == question, trade_notes.c.trade == trade))
