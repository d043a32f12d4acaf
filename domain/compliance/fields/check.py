"""Looks up each required field in each record."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from domain.compliance.fields.sets import FieldSet, RequiredField
from domain.errors import BadRequest

PRESENT, PARTLY, MISSING, APPLIES, NOT_REQUIRED = "present", "missing in some", "missing", "where it applies", "not required"
EXAMPLES = 5
COLUMNS = ("number", "field", "article", "state", "required", "missing", "examples", "note")
NOTICE = "These are fields that were looked up, not a statement that records suffice or that a regulation applies."


@dataclass(frozen=True)
class FieldCheck:
    """``rows``: a row a field: number, field, article, state, records it is required of, records without it, the first
    of them.

    ``missing``: record, event, ts, number, field: which field is missing for which record; a field that no record has
    stands once, with the record "every record".
    """

    fields: FieldSet
    records: int
    rows: pd.DataFrame
    missing: pd.DataFrame

    @property
    def sentence(self) -> str:
        """
        >>> from domain.compliance.fields import check, field_set
        >>> table = pd.DataFrame(dict(record=["fill 1"], event=["execution"], ts=pd.to_datetime(["2026-03-02T10:00Z"]), order_id=["1"]))
        >>> check(table, field_set("cftc-1.35")).sentence
        '3 of 12 fields of CFTC 1.35 are there in all of 1 record; 7 are in none.'
        """
        applies = self.rows[~self.rows["state"].isin([APPLIES, NOT_REQUIRED])]
        counts = applies["state"].value_counts()
        partly = int(counts.get(PARTLY, 0))
        some = f", {partly} in some," if partly else ";"
        return (
            f"{int(counts.get(PRESENT, 0))} of {len(self.rows)} fields of {self.fields.title} are there in all of "
            f"{self.records:,} record{'s' if self.records != 1 else ''}{some}"
            f" {int(counts.get(MISSING, 0))} are in none."
        )


def check(records: pd.DataFrame, fields: FieldSet) -> FieldCheck:
    """Which field of the set is missing for which record. ``records``: record, event, ts and a column a key."""
    if not len(records):
        raise BadRequest("there is no record of an order or a fill to look fields up in; choose a run with trades")
    rows, missing = [], []
    known = {str(key): _known(records[key]) for key in records}
    for field in fields.required:
        applies = _applies(records, field)
        absent = applies & ~_present(known, field, len(records))
        state = _state(field, int(applies.sum()), int(absent.sum()))
        gone = records.loc[absent, ["record", "event", "ts"]]
        rows.append(
            (
                field.number,
                field.name,
                field.article,
                state,
                int(applies.sum()),
                int(absent.sum()),
                "every record" if state == MISSING else ", ".join(gone["record"].head(EXAMPLES)),
                field.note,
            )
        )
        if state == MISSING:
            gone = pd.DataFrame(dict(record=["every record"], event=[""], ts=pd.to_datetime([pd.NaT], utc=True)))
        if state in (MISSING, PARTLY):
            missing.append(gone.assign(number=field.number, field=field.name))
    empty = pd.DataFrame(columns=["record", "event", "ts", "number", "field"])
    return FieldCheck(
        fields,
        len(records),
        pd.DataFrame(rows, columns=list(COLUMNS)),
        pd.concat(missing, ignore_index=True) if missing else empty,
    )


def _applies(records: pd.DataFrame, field: RequiredField) -> np.ndarray:
    """The records that a field is required of."""
    applies = np.ones(len(records), bool)
    if field.events:
        applies &= records["event"].isin(field.events).to_numpy()
    for key, values in field.only.items():
        applies &= records[key].isin(values).to_numpy() if key in records else False
    return applies


def _present(known: dict[str, np.ndarray], field: RequiredField, count: int) -> np.ndarray:
    """The records in which one of the field's keys has a value."""
    columns = [known[key] for key in field.keys if key in known]
    return np.logical_or.reduce(columns) if columns else np.zeros(count, bool)


def _known(values: pd.Series) -> np.ndarray:
    """Where a column has a value: neither nothing nor an empty text."""
    known = values.notna().to_numpy()
    if values.dtype == object or isinstance(values.dtype, pd.StringDtype):
        known = known & (values.astype(str).str.strip() != "").to_numpy()
    return known


def _state(field: RequiredField, applies: int, absent: int) -> str:
    if not applies:
        return NOT_REQUIRED
    if not absent:
        return PRESENT
    if field.optional:
        return APPLIES
    return MISSING if absent == applies else PARTLY
