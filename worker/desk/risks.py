"""The risk monitor: requests for the risk of open positions at an instant, and what the job stored."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd

from domain.errors import BadRequest
from domain.params import Param, build, params_of, values_of
from domain.risk.stresses import Stresses
from worker.desk.compliance import FORM, Compliance, Judged, Subject
from worker.desk.context import DeskContext, Submitted, key_of
from worker.desk.session_path import session_path
from worker.store import Job

KIND = "risk_now"       # of the job and of its run
TABLES = ("exposures", "correlation", "contributions", "stresses", "positions")


class Risks:
    def __init__(self, context: DeskContext) -> None:
        self._context, self._compliance = context, Compliance(context)

    def params(self) -> tuple[Param, ...]:
        """How hard the positions are stressed."""
        return params_of(Stresses)

    def submit(self, subject: Subject, at: datetime, stresses: Mapping[str, Any] | None = None) -> Submitted:
        """Measure the risk of what was open at an instant."""
        if at.tzinfo is None:
            raise BadRequest("the instant has no time zone; give it in UTC")
        spec = self._spec(subject) | dict(at=at.astimezone(UTC).isoformat(), stresses=values_of(build(Stresses, stresses or {})))
        return self._context.submit(KIND, f"Risk at {at.astimezone(UTC):%Y-%m-%d %H:%M} UTC: {subject.title}", spec, key=key_of(KIND, spec))

    def of(self, subject: Subject) -> Judged | None:
        """The newest measurement of a path."""
        return self._compliance.newest(KIND, KIND, self._spec(subject))

    def job(self, subject: Subject) -> Job | None:
        """The newest job of a path, where it has not succeeded."""
        return self._compliance.newest_job(KIND, self._spec(subject))

    def table(self, run_id: str, name: str) -> pd.DataFrame:
        return self._compliance.frame(run_id, name)

    def busiest(self, subject: Subject) -> datetime | None:
        """The instant at which the most positions were open, of several the last; None without trades."""
        trades = self._trades(subject)
        if trades is None or not len(trades):
            return None
        entries, exits = (np.sort(trades[name].dropna().dt.as_unit("ns").astype("int64").to_numpy()) for name in ("entry_ts", "exit_ts"))
        count = np.arange(1, len(entries) + 1) - np.searchsorted(exits, entries, side="right")
        best = int(len(count) - 1 - np.argmax(count[::-1]))
        return pd.Timestamp(int(entries[best]), unit="ns", tz="UTC").to_pydatetime()

    def _trades(self, subject: Subject) -> pd.DataFrame | None:
        with self._context.store.read() as unit:
            if subject.kind == "session":
                return session_path(unit, subject.id, subject.reach).trades
            stored: Any = unit.runs.get(subject.id) if subject.kind == "run" else unit.histories.get(subject.id)
        known = stored is not None and (subject.kind == "run" or "trades" in stored.knows)
        return self._context.store.frames.get(stored.frames["trades"], ["entry_ts", "exit_ts"]) if known else None

    def _spec(self, subject: Subject) -> dict[str, Any]:
        return dict(form=FORM, path=subject.spec)
