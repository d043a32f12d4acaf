"""Stored bars, as the spec of a job names them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pandas as pd

from domain.errors import BadRequest
from worker.jobs.base import Work
from worker.store import Dataset


def dataset_of(datasets: Mapping[str, Dataset], version: str) -> Dataset:
    if version not in datasets:
        raise BadRequest(f"the dataset with version {version[:8]}… is no longer here; choose another, or import it again")
    return datasets[version]


def bars_of(work: Work, dataset: Dataset, spec: Mapping[str, Any], complete: bool = False, before: timedelta = timedelta()) -> pd.DataFrame:
    """Bars of the period and ``before`` it; with ``complete`` the dataset from its start to the period's end. Refuses a period without bars."""
    start, end = (datetime.fromisoformat(spec[edge]) for edge in ("start", "end"))
    bars = work.store.frames.get(dataset.frame, start=None if complete else start - before, end=end)
    if bars.empty or bars["ts"].iloc[-1] < start - before:
        raise BadRequest(f"{dataset.instrument} {dataset.timeframe} has bars from {dataset.first_ts:%Y-%m-%d} to {dataset.last_ts:%Y-%m-%d}, and the date range asks for {start:%Y-%m-%d} to {end - timedelta(days=1):%Y-%m-%d}. Choose a range within the available data")
    return bars.assign(ts=bars["ts"].dt.as_unit("ns"))
