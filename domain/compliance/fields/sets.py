"""Tables of required fields, one TOML file a regulation: each field with its article, and the table with its source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

from domain.compliance.figure import Figure, figure_of
from domain.errors import BadRequest, unknown
from domain.parsing import text_in, toml_of

FOLDER = Path(__file__).with_name("tables")
NEW, EXECUTION, MODIFICATION, CANCELLATION, REFUSAL = "new", "execution", "modification", "cancellation", "refusal"
EVENTS = (NEW, EXECUTION, MODIFICATION, CANCELLATION, REFUSAL)


@dataclass(frozen=True)
class RequiredField:
    """``keys``: columns of a record of which any answers it. ``events``: the records it is required of; none: all.

    ``only``: key -> values of the records it is required of. ``optional``: it is required only where it applies, which the
    records do not say.
    """

    number: str
    name: str
    article: str
    keys: tuple[str, ...]
    events: tuple[str, ...] = ()
    only: Mapping[str, tuple[str, ...]] = None  # type: ignore[assignment]
    optional: bool = False
    note: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "only", dict(self.only or {}))
        for event in self.events:
            if event not in EVENTS:
                raise unknown("event", event, EVENTS)


@dataclass(frozen=True)
class FieldSet:
    """``who``: whose duty it is. ``figure``: source, day it was read and confidence of the table."""

    key: str
    title: str
    authority: str
    who: str
    figure: Figure
    required: tuple[RequiredField, ...]


def field_sets() -> tuple[str, ...]:
    """
    >>> field_sets()
    ('cat', 'cftc-1.35', 'rts24')
    """
    return tuple(sorted(path.name.removesuffix(".toml") for path in FOLDER.glob("*.toml")))


@cache
def field_set(key: str) -> FieldSet:
    """
    >>> field_set("rts24").required[19].name
    'Order identification code'
    >>> field_set("rts-24")
    Traceback (most recent call last):
    ...
    domain.errors.UnknownName: no set of fields named 'rts-24'; did you mean 'rts24'?
    """
    if key not in field_sets():
        raise unknown("set of fields", key, field_sets())
    path = FOLDER / f"{key}.toml"
    table = toml_of(text_in(path), path.name)
    figure = figure_of(
        table.pop("source", None), table.pop("retrieved", None), table.pop("confidence", None), path.name
    )
    required = tuple(_field(row, path.name) for row in table.pop("field", []))
    numbers = [row.number for row in required]
    if not required or len(set(numbers)) < len(numbers):
        raise BadRequest(f"{path.name} names no field, or one twice")
    return FieldSet(
        key=key, figure=figure, required=required, **{name: str(table[name]) for name in ("title", "authority", "who")}
    )


def _field(row: Mapping[str, Any], file: str) -> RequiredField:
    names = [field.name for field in fields(RequiredField)]
    for key in row:
        if key not in names:
            raise unknown(f"key of a field of {file}", key, names)
    only = {key: tuple(values) for key, values in row.get("only", {}).items()}
    return RequiredField(**{**row, "keys": tuple(row["keys"]), "events": tuple(row.get("events", ())), "only": only})
