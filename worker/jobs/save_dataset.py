"""Adds bars to the catalogue, imported or generated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from worker.jobs.base import Commit, JobResult, Work
from worker.store import Unit


def save_dataset(work: Work, bars: pd.DataFrame, version: str, frames: Mapping[str, str | None], report: Any, *, provenance: Mapping[str, Any], event: str = "dataset_imported", entities: tuple[str, ...] = (), **about: Any) -> Commit:
    """The commit that writes the dataset's row; bars stored already are not written again (``new`` is False). ``event`` and further ``entities`` of a new one."""
    spread = float(np.nanmedian(bars["spread"])) if "spread" in bars and bars["spread"].notna().any() else None
    facts = dict(
        version=version, bars=len(bars), first_ts=bars["ts"].iloc[0].to_pydatetime(), last_ts=bars["ts"].iloc[-1].to_pydatetime(),
        gaps=report["gaps"].count, spread=spread, clock=report.clock, quality=report.to_json(), provenance=dict(provenance),
        frame=frames["frame"], ledger=frames["ledger"], bytes=work.store.frames.size(str(frames["frame"])), **about,
    )  # fmt: skip

    def commit(unit: Unit) -> JobResult:
        job = work.job
        dataset, new = unit.datasets.add(**facts, actor=job.actor, created_at=unit.now(), example=job.example)
        detail = dict(instrument=dataset.instrument, timeframe=dataset.timeframe, version=version, bars=len(bars), sentence=report.sentence, source=about["source"])
        return JobResult(dict(dataset=dataset.id, new=new), event if new else "dataset_unchanged", (f"dataset:{dataset.id}", *entities), detail)

    return commit


def plain_ledger(ledger: pd.DataFrame) -> pd.DataFrame:
    """The ledger with column types that do not depend on its rows."""
    numbers = ("line", "open", "high", "low", "close", "volume", "spread")
    return ledger.assign(ts=pd.to_datetime(ledger["ts"], utc=True), **{name: pd.to_numeric(ledger[name], errors="coerce").astype("float64") for name in numbers})
