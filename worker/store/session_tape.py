"""The tape of a session, bars as traded, and what it put out: fills, trades, equity, decisions, proposals."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, select

from domain.live.tape import TapeBar
from worker.store.schema import session_rows, session_tape

KINDS = ("fills", "trades", "equity", "decisions", "proposals")
PAGE, INF = 5_000, math.inf
UNPACKED = {None: math.nan, "∞": math.inf, "-∞": -math.inf}


@dataclass(slots=True)
class Output:
    """One row of ``kind``, numbered from 1 within its session and kind. Not frozen, which takes several times as long to make."""

    kind: str
    number: int
    ts: int
    row: Mapping[str, Any]


class SessionTape:
    """Reading; writing goes through ``worker.store.session_commits``."""

    def __init__(self, connection: Connection) -> None:
        self._c = connection

    def bars(self, session: str, after: int = 0, series: str = "") -> Iterator[TapeBar]:
        """In their order, of one series or of all, those numbered above ``after``; fetched in pages."""
        columns = [column for column in session_tape.c if column.name not in ("session",)]
        while True:
            query = select(*columns).where(session_tape.c.session == session, session_tape.c.number > after).order_by(session_tape.c.number).limit(PAGE)
            page = list(self._c.execute(query.where(session_tape.c.series == series) if series else query))
            yield from (_bar(*row[1:]) for row in page)
            if len(page) < PAGE:
                return
            after = page[-1][0]

    def rows(self, session: str, kind: str, after: int = 0) -> Iterator[Output]:
        """Outputs of a kind in their order, those numbered above ``after``."""
        while True:
            which = sa.and_(session_rows.c.session == session, session_rows.c.kind == kind, session_rows.c.number > after)
            page = self._c.execute(select(session_rows).where(which).order_by(session_rows.c.number).limit(PAGE)).mappings().all()
            yield from (Output(row["kind"], row["number"], row["ts"], unpacked(row["row"])) for row in page)
            if len(page) < PAGE:
                return
            after = page[-1]["number"]

    def before(self, session: str, kind: str, ts: int) -> Output | None:
        """The last output of a kind before an instant."""
        query = select(session_rows).where(session_rows.c.session == session, session_rows.c.kind == kind, session_rows.c.ts < ts).order_by(session_rows.c.number.desc()).limit(1)
        row = self._c.execute(query).mappings().one_or_none()
        return Output(row["kind"], row["number"], row["ts"], unpacked(row["row"])) if row else None

    def last(self, session: str, kind: str, count: int) -> list[Output]:
        """The last ``count`` outputs of a kind, newest first."""
        query = select(session_rows).where(session_rows.c.session == session, session_rows.c.kind == kind).order_by(session_rows.c.number.desc()).limit(count)
        return [Output(row["kind"], row["number"], row["ts"], unpacked(row["row"])) for row in self._c.execute(query).mappings()]


def _bar(series: str, ts: int, end: int, open: float, high: float, low: float, close: float, volume: float | None, spread: float | None, recovered: bool) -> TapeBar:
    return TapeBar(series, ts, end, open, high, low, close, math.nan if volume is None else volume, math.nan if spread is None else spread, recovered)


def packed(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as JSON takes it: numbers of numpy as Python's; what is not a number as null, what is infinite as text.

    >>> packed({"a": math.nan, "b": 0.1, "c": -math.inf})
    {'a': None, 'b': 0.1, 'c': '-∞'}
    >>> unpacked(packed({"a": math.nan, "b": 0.1, "c": -math.inf}))
    {'a': nan, 'b': 0.1, 'c': -inf}
    """
    return {name: value if (kind := type(value)) is int or kind is str or (kind is float and -INF < value < INF) else _packed(value) for name, value in row.items()}


def _packed(value: Any) -> Any:
    value = value.item() if hasattr(value, "item") else value
    if not isinstance(value, float) or math.isfinite(value):
        return value
    return None if math.isnan(value) else "∞" if value > 0 else "-∞"


def unpacked(row: Mapping[str, Any]) -> dict[str, Any]:
    """The row as it was before ``packed``."""
    return {name: UNPACKED.get(value, value) if value is None or isinstance(value, str) else value for name, value in row.items()}
