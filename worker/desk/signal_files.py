"""Tables of signals that a page uploads, to be traded in the place of a strategy."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from domain.errors import BadRequest
from domain.trading.signal_file import read
from domain.trading.signals import read_signals
from worker.desk.context import DeskContext
from worker.store.frames import called


@dataclass(frozen=True)
class StagedSignals:
    """A table that was read and stored: its frame, the name of its file, its rows. It is kept for an hour, and as long as a run of it is."""

    frame: str
    name: str
    rows: int

    @property
    def plain(self) -> dict[str, Any]:
        return dict(frame=self.frame, name=self.name)


class SignalFiles:
    def __init__(self, context: DeskContext) -> None:
        self._context = context

    def stage(self, name: str, content: bytes) -> StagedSignals:
        """Read a CSV of signals and store its cells as they are; a row that cannot be read is named with its number."""
        most = self._context.settings.data.max_import_mb
        if len(content) > most * 1_000_000:
            raise BadRequest(f"the file is larger than {most:,} MB, the most that may be imported; split it, or raise [data] max_import_mb")
        with tempfile.TemporaryDirectory(prefix="tidemark-") as folder:
            path = Path(folder) / "signals.csv"
            path.write_bytes(content)
            table = read(path, called(name))
        if table.empty:
            raise BadRequest(f"the signals {called(name)} have a first line and no row; add one row for each signal")
        return StagedSignals(self._context.store.frames.put(table.astype(str)), called(name), len(table))

    def counted(self, staged: Mapping[str, Any], instruments: Sequence[str], start: datetime, end: datetime) -> tuple[int, int]:
        """The signals inside the period and all of them, after a check of each row."""
        signals = self._read(staged, instruments)
        inside = (signals["ts"] >= pd.Timestamp(start)) & (signals["ts"] < pd.Timestamp(end))
        return int(inside.sum()), len(signals)

    def checked(self, staged: Mapping[str, Any], instruments: Sequence[str], start: datetime, end: datetime, model: str = "") -> dict[str, Any]:
        """What a backtest's spec names; raises BadRequest where there is no table, a row is wrong, or none lies in the period."""
        if not staged.get("frame"):
            raise BadRequest("no signals are chosen; upload a CSV with the columns ts and side")
        if model:
            raise BadRequest("a model filters the signals of a strategy, and a table of signals decides itself; leave one of them out")
        inside, every = self.counted(staged, instruments, start, end)
        if not inside:
            raise BadRequest(f"none of the {every:,} signals lies in the period from {start:%Y-%m-%d} to {end:%Y-%m-%d}; choose a period that holds them")
        return dict(frame=str(staged["frame"]), name=str(staged["name"]))

    def _read(self, staged: Mapping[str, Any], instruments: Sequence[str]) -> pd.DataFrame:
        return read_signals(self._context.store.frames.get(staged["frame"]), tuple(dict.fromkeys(instruments)))
