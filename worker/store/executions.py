"""Reports of external executors, and drafts of strategies that cannot be run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, select

from worker.store.engine import insert
from worker.store.schema import executions, strategy_drafts


@dataclass(frozen=True)
class Execution:
    """``lots``, ``price``, ``profit``: exact decimals as text; ``ts``: when it happened; ``reason``: why it is matched to no proposal."""

    id: str
    executor: str
    ticket: str
    signal: str
    symbol: str
    action: str
    lots: str
    price: str
    profit: str
    ts: datetime
    matched: bool
    reason: str
    at: datetime


class Executions:
    def __init__(self, connection: Connection) -> None:
        self._c = connection

    def add(self, execution: Execution) -> bool:
        """False where this executor has reported this ticket and action before."""
        adding = insert(self._c, executions).values(**execution.__dict__).on_conflict_do_nothing().returning(executions.c.id)
        return self._c.scalar(adding) is not None

    def of_ticket(self, executor: str, ticket: str, action: str) -> Execution | None:
        row = self._c.execute(select(executions).where(executions.c.executor == executor, executions.c.ticket == ticket, executions.c.action == action)).mappings().one_or_none()
        return Execution(**row) if row else None

    def latest(self, limit: int) -> list[Execution]:
        """The last that were reported first."""
        query = select(executions).order_by(executions.c.at.desc(), executions.c.id).limit(limit)
        return [Execution(**row) for row in self._c.execute(query).mappings()]


@dataclass(frozen=True)
class Draft:
    """``given``: as it was sent; ``sentence``: what of it is not understood."""

    name: str
    given: Mapping[str, Any]
    sentence: str
    actor: str
    at: datetime


class StrategyDrafts:
    def __init__(self, connection: Connection) -> None:
        self._c = connection

    def put(self, draft: Draft) -> None:
        """One of that name is replaced."""
        values = draft.__dict__
        self._c.execute(insert(self._c, strategy_drafts).values(**values).on_conflict_do_update(index_elements=[strategy_drafts.c.name], set_=values))

    def all(self) -> list[Draft]:
        return [Draft(**row) for row in self._c.execute(select(strategy_drafts).order_by(strategy_drafts.c.name)).mappings()]

    def remove(self, name: str) -> None:
        self._c.execute(sa.delete(strategy_drafts).where(strategy_drafts.c.name == name))
