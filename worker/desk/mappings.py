"""Column mappings: files that no reader recognises, their columns as a person chooses them, kept under a name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pandas as pd

from domain.errors import BadRequest
from domain.market import readers
from domain.market.readers import ColumnMapping, mapping_of
from domain.market.readers.files import head_of
from domain.market.readers.mapping import DECIMALS, SEPARATORS, UNITS
from worker.desk.context import DeskContext, required
from worker.desk.data import Staged
from worker.store.column_mappings import StoredMapping

LONGEST = 64        # letters of a name


class MappingsView:
    def __init__(self, context: DeskContext) -> None:
        self._context = context

    def choices(self) -> dict[str, dict[str, str]]:
        """``separators``, ``decimals``, ``spread_units`` and ``time_formats``: value -> how it is called."""
        formats = {"": "as in the first rows", **{name: name for name in readers.FORMATS}}
        return dict(separators=SEPARATORS, decimals=DECIMALS, spread_units=UNITS, time_formats=formats)

    # -- of a staged file

    def guess(self, staged: Staged) -> Mapping[str, Any]:
        """How its columns seem to be laid out; those without a usual name stay open."""
        seen = readers.guess(self._lines(staged))
        return seen.to_json() if seen else {}

    def preview(self, staged: Staged, separator: str, header_lines: int) -> pd.DataFrame:
        """Its first rows, each column under its number and name."""
        return readers.preview_of(self._lines(staged), separator, header_lines)

    def columns(self, staged: Staged, separator: str, header_lines: int) -> dict[str | int, str]:
        """What a mapping can name: the column's name where it has one of its own, else its number; and how it is shown."""
        lines = self._lines(staged)
        names = readers.names_of(lines, separator, header_lines)
        width = readers.preview_of(lines, separator, header_lines).shape[1]
        padded = (names + [""] * width)[:width]
        return {(name if name and padded.count(name) == 1 else at): f"{at}  {name}".strip() for at, name in enumerate(padded, 1)}

    def offered(self, staged: Staged) -> list[str]:
        """Names of the mappings that were made on a file with the same header."""
        lines = self._lines(staged)
        return [stored.name for stored in self.list() if _readable(stored) and mapping_of(stored.mapping).fits(lines)]

    def apply(self, staged: Staged, mapping: Mapping[str, Any] | str) -> Staged:
        """The staged file, recognised by a mapping, given itself or by its name. Refused where it does not fit; the file stays staged."""
        name = mapping if isinstance(mapping, str) else ""
        wanted = mapping_of(self.get(mapping).mapping if isinstance(mapping, str) else mapping)
        with self._context.store.frames.open_file(staged.file, staged.name) as path:
            recognised = readers.recognise_mapped(path, wanted, self._most)
        return replace(staged, recognised=recognised, mapping=self._named(staged, wanted).to_json(), mapping_name=name)

    def _named(self, staged: Staged, mapping: ColumnMapping) -> ColumnMapping:
        """The mapping with the header of the file, by which it is offered again."""
        lines = self._lines(staged)
        names = readers.names_of(lines, mapping.separator, mapping.header_lines)
        return replace(mapping, names=tuple(names or [""] * len(mapping.layout(lines).columns)))

    def _lines(self, staged: Staged) -> list[str]:
        with self._context.store.frames.open_file(staged.file, staged.name) as path:
            return readers.lines_of(head_of(path, self._most))

    @property
    def _most(self) -> int:
        return self._context.settings.data.max_import_mb * 1_000_000

    # -- under a name

    def list(self) -> list[StoredMapping]:
        """By name."""
        with self._context.store.read() as unit:
            return unit.column_mappings.all()

    def get(self, name: str) -> StoredMapping:
        with self._context.store.read() as unit:
            stored: StoredMapping = required(unit.column_mappings.get(name), "column mapping", name)
        return stored

    def save(self, name: str, mapping: Mapping[str, Any]) -> StoredMapping:
        """Save a mapping under ``name``; one of that name is replaced."""
        name, checked = name.strip(), mapping_of(mapping).to_json()
        if not 0 < len(name) <= LONGEST or not name.isprintable():
            raise BadRequest(f"the name of a column mapping is {name[:LONGEST]!r}; give it one of 1 to {LONGEST} letters")
        with self._context.store.unit() as unit:
            before = unit.column_mappings.as_stored(name)
            unit.column_mappings.put(name, checked, self._context.user, unit.now())
            stored: StoredMapping = required(unit.column_mappings.get(name), "column mapping", name)
            detail: dict[str, Any] = dict(name=name, mapping=checked, before=dict(before.mapping) if before else {})
            unit.audit(self._context.user, "column_mapping_replaced" if before else "column_mapping_saved", f"column_mapping:{name}", **detail)
        return stored

    def delete(self, name: str) -> None:
        """Delete a mapping. Datasets that were imported by it keep it in their provenance."""
        with self._context.store.unit() as unit:
            stored = required(unit.column_mappings.as_stored(name), "column mapping", name)
            unit.column_mappings.remove(name)
            unit.audit(self._context.user, "column_mapping_deleted", f"column_mapping:{name}", name=name, mapping=dict(stored.mapping))


def _readable(stored: StoredMapping) -> bool:
    """Whether the row still holds a mapping; it may have been altered in the database."""
    try:
        mapping_of(stored.mapping)
    except BadRequest:
        return False
    return True
