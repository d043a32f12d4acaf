"""What a reader is: it recognises one kind of file and reads its bars without checking them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from domain.market.instrument import Instrument
from domain.market.timeframe import Timeframe
from domain.registry import Registry

MAX_BYTES = 512_000_000
MAX_ROWS = 20_000_000
Progress = Callable[[float, str], None]


class BadLine(NamedTuple):
    """A line that is not a bar: its number in the file (from 1), its text (clipped) and why."""

    line: int
    text: str
    reason: str


@dataclass(frozen=True)
class ReadLimits:
    """Maximum size of a file: bytes, packed and unpacked, and rows. ``timeframe``: that of the bars that ticks are made into, None for M1."""

    max_bytes: int = MAX_BYTES
    max_rows: int = MAX_ROWS
    timeframe: Timeframe | None = None


@dataclass(frozen=True)
class Recognised:
    """What a file seems to be. Guesses are None where the file does not say."""

    format: str
    title: str
    instrument: str | None
    timeframe: str | None
    clock: str | None
    side: str | None
    evidence: str
    preview: pd.DataFrame = field(compare=False, repr=False, default_factory=pd.DataFrame)


@dataclass(frozen=True)
class RawBars:
    """The unchanged rows of a file: wall times of an unnamed clock, prices unchecked, and what could not be read.

    ``malformed`` shows the first of the ``malformed_count`` lines that are no bars; ``notes``: how values were read;
    ``bar_time``: whether the format's times are those of a bar's open or close, either if both are written so.
    """

    local_ns: np.ndarray
    open: np.ndarray
    high: np.ndarray
    low: np.ndarray
    close: np.ndarray
    volume: np.ndarray | None
    spread: np.ndarray | None
    line: np.ndarray
    malformed: tuple[BadLine, ...] = ()
    malformed_count: int = 0
    clock: str | None = None
    notes: tuple[str, ...] = ()
    bar_time: str = ""

    def __len__(self) -> int:
        return len(self.local_ns)


class Reader(ABC):
    """One kind of file. ``recognise`` sees the first 64 KB, unpacked and as UTF-8, and the file's name without its
    folder.

    Of an archive the name is followed by a slash and the name of the table inside. ``family`` is what the list of known
    formats calls it; a ``fallback`` is used only where no other reader knows the file. ``server_clock``: times are a
    broker's server's, which the file does not name; ``folders``: it reads a folder too;
    ``ticks``: its rows become bars of the timeframe that is requested, M1 where none is; ``whole``: the timeframe is that of the whole file already, not of its first rows.
    """

    key: str
    title: str
    family: str
    fallback = False
    server_clock = False
    folders = False
    ticks = False
    whole = False

    @abstractmethod
    def recognise(self, head: bytes, name: str) -> Recognised | None: ...

    def complete(self, recognised: Recognised, path: Path, max_bytes: int) -> Recognised:
        """Completes the result from the whole file."""
        return recognised

    @abstractmethod
    def read(self, path: Path, instrument: Instrument, limits: ReadLimits, progress: Progress) -> RawBars: ...


READERS: Registry[Reader] = Registry("file format")
