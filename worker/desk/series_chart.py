"""The bars of a dataset at any zoom, with volume and spread."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pandas as pd

from domain.market import instrument
from domain.market.zoom import candles_of, mean_values, window
from worker.desk.context import DeskContext, required
from worker.desk.run_chart import CACHE, Arrays, Column, Marks, View
from worker.store import Dataset

SPREAD = "Spread, pips"
BARS = ("open", "high", "low", "close", "volume", "spread")


class SeriesChart:
    def __init__(self, context: DeskContext) -> None:
        self._context = context

    def rows(self, name: str) -> int:
        return len(self._bars(self._dataset(name))["ts"])

    def between(self, name: str, start: datetime, end: datetime) -> tuple[int, int]:
        """The rows of the bars with ``start <= ts < end``."""
        ts = self._bars(self._dataset(name))["ts"]
        first, last = np.searchsorted(ts, [pd.Timestamp(each).as_unit("ns").value for each in (start, end)])
        return int(first), int(last)

    def view(self, name: str, first: float, last: float, budget: int) -> View:
        """The candles of rows ``first`` to ``last`` and as many on both sides; of several bars in a candle the sum of the volume and the mean of the spread."""
        dataset = self._dataset(name)
        bars = self._bars(dataset)
        shown = window(first, last, len(bars["ts"]), budget)
        candles = candles_of(bars, shown)
        candles["ts"] = candles["ts"] // 1_000_000_000
        pip = instrument(dataset.instrument, self._context.instruments_file).pip
        columns = {SPREAD: Column("spread", mean_values(bars["spread"], shown) / pip, False)} if "spread" in bars else {}
        return View(len(bars["ts"]), shown, candles, Marks(None, None), [], columns)

    def _bars(self, dataset: Dataset) -> Arrays:
        return CACHE.get(("series", dataset.frame), lambda: self._read(dataset))

    def _read(self, dataset: Dataset) -> Arrays:
        """The stored bars; a volume or spread without any value is left out."""
        bars = self._context.store.frames.get(dataset.frame)
        values = {name: bars[name].to_numpy(np.float64, copy=True) for name in BARS if name in bars}
        kept = {name: each for name, each in values.items() if name not in ("volume", "spread") or (np.isfinite(each).any() and (name == "spread" or np.nansum(each)))}
        return dict(ts=bars["ts"].dt.as_unit("ns").astype("int64").to_numpy(copy=True)) | kept

    def _dataset(self, name: str) -> Dataset:
        with self._context.store.read() as unit:
            dataset: Dataset = required(unit.datasets.get(name), "dataset", name)
        return dataset
