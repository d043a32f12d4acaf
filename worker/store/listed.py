"""Rows for lists: those that are as their events sealed them, and a sentence for each that is not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Select, select

from worker.store.seals import KINDS, Altered, Seals, digest, unreadable

Rows = list[dict[str, Any]]


def listed(c: Connection, seals: Seals, kind: str, query: Select) -> tuple[Rows, dict[str, str]]:
    """The rows of ``query``, which reads a table of sealed rows, that are as recorded; and of each other one its name and what is wrong."""
    rows, faults = readable_rows(c, kind, query)
    faults |= _altered(seals, kind, rows)
    return [row for row in rows if row[KINDS[kind].key] not in faults], faults


def readable_rows(c: Connection, kind: str, query: Select) -> tuple[Rows, dict[str, str]]:
    """The rows of ``query``, altered or not; and of each row that cannot even be read its name and what is wrong."""
    try:
        return [dict(row) for row in c.execute(query).mappings()], {}
    except (ValueError, TypeError):
        names = [row[0] for row in c.execute(query.with_only_columns(KINDS[kind].table.c[KINDS[kind].key]))]
    rows = {name: _row(c, kind, name) for name in names}
    return [row for row in rows.values() if row], {name: unreadable(kind, name) for name, row in rows.items() if row is None}


def _altered(seals: Seals, kind: str, rows: Rows) -> dict[str, str]:
    """Name -> what is wrong, of those of ``rows`` that are not the ones that were recorded; one question for all of them."""
    key = KINDS[kind].key
    sealed = seals.of_many([f"{kind}:{row[key]}" for row in rows])
    faults = {}
    for row in rows:
        seal = sealed.get(f"{kind}:{row[key]}")
        if seal is None or (seal[1] is not None and VERIFIED.has(kind, seal[1], row)):
            continue
        try:
            seals.check(kind, row[key], row)
        except Altered as fault:
            faults[row[key]] = str(fault)
    return faults


class _Verified:
    """Contents whose digest was computed before: a list is drawn again and again, and comparing costs a fiftieth of hashing."""

    def __init__(self, most: int) -> None:
        self._most, self._contents = most, dict[str, tuple[Any, ...]]()

    def has(self, kind: str, seal: str, row: Mapping[str, Any]) -> bool:
        """Whether ``row`` is the one that ``seal`` is of."""
        content = tuple(row[name] for name in KINDS[kind].columns)
        if self._contents.get(seal) == content:
            return True
        if digest(kind, row) != seal:
            return False
        if len(self._contents) >= self._most:
            self._contents.clear()
        self._contents[seal] = content
        return True


VERIFIED = _Verified(2_000)


def _row(c: Connection, kind: str, name: str) -> dict[str, Any] | None:
    sealed = KINDS[kind]
    try:
        return dict(c.execute(select(sealed.table).where(sealed.table.c[sealed.key] == name)).mappings().one())
    except (ValueError, TypeError):
        return None
