"""One statement for many rows, given to the driver as it is: what SQLAlchemy does for each row costs more than writing it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import JSON, Connection

from worker.store.engine import json_text

Values = tuple[Any, ...]


@dataclass(frozen=True)
class Ready:
    """A statement in the words of one database. ``places``: where the driver wants which value, None where it wants names; ``processors``: of columns whose
    values are no plain ones, by their place."""

    text: str
    places: Sequence[int] | None
    processors: Sequence[tuple[int, Callable[[Any], Any]]]


class Many:
    """``make`` gives the statement; ``names``: its parameters, in the order of a row's values.

    >>> import sqlalchemy as sa
    >>> table = sa.Table("prices", sa.MetaData(), sa.Column("name", sa.String), sa.Column("more", sa.JSON))
    >>> with sa.create_engine("sqlite://").begin() as connection:
    ...     table.create(connection)
    ...     Many(lambda c: sa.insert(table), ("more", "name")).execute(connection, [({"bid": 1.1}, "EURUSD"), ({}, "XAUUSD")])
    ...     connection.execute(sa.select(table)).all()
    [('EURUSD', {'bid': 1.1}), ('XAUUSD', {})]
    """

    def __init__(self, make: Callable[[Connection], Any], names: Sequence[str]) -> None:
        self._make, self._names = make, tuple(names)
        self._ready: dict[Any, Ready] = {}

    def execute(self, connection: Connection, rows: Sequence[Values]) -> None:
        if not rows:
            return
        ready = self._ready.get(connection.dialect) or self._prepared(connection)
        columns: list[Sequence[Any]] = list(zip(*rows, strict=True))
        for place, process in ready.processors:
            columns[place] = _processed(columns[place], process)
        connection.exec_driver_sql(ready.text, self._placed(columns, ready.places))

    def _placed(self, columns: Sequence[Sequence[Any]], places: Sequence[int] | None) -> list[Any]:
        if places is None:
            return [dict(zip(self._names, row, strict=True)) for row in zip(*columns, strict=True)]
        return list(zip(*[columns[place] for place in places], strict=True))

    def _prepared(self, connection: Connection) -> Ready:
        dialect = connection.dialect
        compiled = self._make(connection).compile(dialect=dialect, column_keys=list(self._names))
        kinds = [_processor(compiled.binds[name].type, dialect) for name in self._names]
        places = [self._names.index(name) for name in compiled.positiontup] if compiled.positional else None
        self._ready[dialect] = ready = Ready(str(compiled), places, [(place, kind) for place, kind in enumerate(kinds) if kind is not None])
        return ready


def _processor(kind: Any, dialect: Any) -> Callable[[Any], Any] | None:
    """What makes the driver's value of a column's; SQLite takes JSON as text, and the text of a value needs none of what SQLAlchemy wraps about it."""
    if dialect.name == "sqlite" and isinstance(kind, JSON):
        return json_text
    return kind.dialect_impl(dialect).bind_processor(dialect)


def _processed(values: Sequence[Any], process: Callable[[Any], Any]) -> list[Any]:
    """What several rows in a row share is processed once."""
    last, text, processed = None, process(None), []
    for value in values:
        if value is not last:
            last, text = value, process(value)
        processed.append(text)
    return processed
