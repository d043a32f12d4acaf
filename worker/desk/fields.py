"""Fields that regulations ask of order records, looked up in the records of a run or in audit events."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from domain.compliance.fields import (
    FieldCheck,
    FieldSet,
    check,
    field_set,
    field_sets,
    records_of_events,
    records_of_run,
)
from domain.compliance.fields.check import NOTICE
from domain.errors import BadRequest
from domain.market import instruments
from worker.desk.context import DeskContext, required
from worker.desk.events import event_of
from worker.desk.export import csv_of
from worker.store import Filter
from worker.store.former_names import current

EVENTS_AT_MOST = 200_000


class Fields:
    def __init__(self, context: DeskContext) -> None:
        self._context = context

    def sets(self) -> list[FieldSet]:
        """The tables of required fields, each with its source, the day it was read and its confidence."""
        return [field_set(key) for key in field_sets()]

    def notice(self) -> str:
        """What the check does not say."""
        return NOTICE

    def of_run(self, run_id: str, keys: Sequence[str] = ()) -> list[FieldCheck]:
        """Which field is missing for which record of a run, by set; all sets without ``keys``."""
        return self._checks(self._run_records(run_id), keys)

    def of_entity(self, entity: str, keys: Sequence[str] = ()) -> list[FieldCheck]:
        """The same over the audit events of orders and fills that name an entity, such as ``session:ID``."""
        with self._context.store.read() as unit:
            records = list(unit.trail.page(Filter(entity=entity), EVENTS_AT_MOST))[::-1]
        events = [event_of(record) for record in records]
        table = records_of_events(
            dict(seq=event.seq, ts=event.ts, actor=event.actor, kind=event.kind, detail=event.detail)
            for event in events
        )
        if not len(table):
            raise BadRequest(
                f"no audit event of an order or a fill names {entity}; give a session, an order or an account, such "
                "as session:ID"
            )
        return self._checks(table.assign(ts=pd.to_datetime(table["ts"], utc=True, format="ISO8601")), keys)

    def download(self, run_id: str, key: str) -> bytes:
        """The missing fields of a run's records as CSV."""
        [result] = self.of_run(run_id, [key])
        with self._context.store.unit() as unit:
            unit.audit(
                self._context.user,
                "downloaded",
                f"run:{run_id}",
                what=f"field check {key}",
                form="csv",
                rows=len(result.missing),
            )
        return csv_of(result.missing)

    def _checks(self, records: pd.DataFrame, keys: Sequence[str]) -> list[FieldCheck]:
        return [check(records, field_set(key)) for key in (keys or field_sets())]

    def _run_records(self, run_id: str) -> pd.DataFrame:
        with self._context.store.read() as unit:
            run = required(unit.runs.get(run_id), "run", run_id)
        if "fills" not in run.frames:
            raise BadRequest(f"run {run_id} is a {run.kind}, which has no fills of its own; choose a backtest")
        frames = self._context.store.frames
        reviews = current(frames.get(run.frames["reviews"])) if "reviews" in run.frames else None
        return records_of_run(
            frames.get(run.frames["fills"]),
            reviews,
            strategy=str(run.spec.get("strategy", "")),
            code=str(run.manifest.get("code", "")),
            actor=run.actor,
            instruments=instruments(self._context.instruments_file),
        )
