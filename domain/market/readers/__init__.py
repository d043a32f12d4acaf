"""Readers of market-data files: which format a file has, and its unchanged rows. Nothing is checked or repaired
here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from domain.errors import BadRequest
from domain.market.instrument import Instrument
from domain.market.readers.base import MAX_BYTES as MAX_BYTES
from domain.market.readers.base import MAX_ROWS as MAX_ROWS
from domain.market.readers.base import READERS as READERS
from domain.market.readers.base import BadLine as BadLine
from domain.market.readers.base import Progress as Progress
from domain.market.readers.base import RawBars as RawBars
from domain.market.readers.base import Reader as Reader
from domain.market.readers.base import ReadLimits as ReadLimits
from domain.market.readers.base import Recognised as Recognised
from domain.market.readers.files import full_name, head_of
from domain.market.readers.mapped import MAPPED as MAPPED
from domain.market.readers.mapped import UNMAPPED as UNMAPPED
from domain.market.readers.mapped import Mapped, as_table
from domain.market.readers.mapped import guess as guess
from domain.market.readers.mapped import preview_of as preview_of
from domain.market.readers.mapped import recognise_mapped as recognise_mapped
from domain.market.readers.mapping import FORMATS as FORMATS
from domain.market.readers.mapping import ColumnMapping as ColumnMapping
from domain.market.readers.mapping import mapping_of as mapping_of
from domain.market.readers.mapping import names_of as names_of
from domain.market.readers.sample import lines_of as lines_of
from domain.market.readers.sampling import by_most_rows
from domain.market.readers.unreadable import what_it_is
from domain.market.timeframe import Timeframe
from domain.parsing import is_folder
from domain.registry import discover

discover(__name__, __path__)

BACKWARDS = 0.99  # of the steps of a file that has its newest rows first


def recognise(path: Path | str, max_bytes: int = MAX_BYTES) -> Recognised:
    """The recognised format of a file; an unknown format is refused with a description of the content."""
    path = Path(path)
    if is_folder(path):
        return _of_folder(path, max_bytes)
    head, name = head_of(path, max_bytes), full_name(path)
    refused = None
    for reader in sorted(READERS.values(), key=lambda reader: reader.fallback):
        try:
            recognised = reader.recognise(head, name)
        except BadRequest as error:  # another reader may know better
            refused = refused or error
            continue
        if recognised:
            complete = reader.complete(recognised, path, max_bytes)
            return complete if reader.whole else by_most_rows(reader, complete, path, head, name, max_bytes)
    raise refused or BadRequest(f"{path.name} is {what_it_is(head, name)}. Known formats: {known_formats()}")


def recognise_or_table(path: Path | str, max_bytes: int = MAX_BYTES) -> Recognised:
    """The same, and a table of text in an unknown format as one whose columns can be mapped."""
    try:
        return recognise(path, max_bytes)
    except BadRequest as refusal:
        table = None if is_folder(Path(path)) else as_table(Path(path), str(refusal), max_bytes)
        if table is None:
            raise
        return table


def reader_of(format: str, mapping: Mapping[str, Any] | None = None) -> Reader:
    """The reader of a format; that of a mapped file has the ``mapping`` of its columns."""
    return Mapped(mapping_of(mapping or {})) if format == MAPPED else READERS[format]


def _of_folder(path: Path, max_bytes: int) -> Recognised:
    """What a folder holds, for the one reader that reads folders."""
    reader = next(reader for reader in READERS.values() if reader.folders)
    seen = Recognised(reader.key, reader.title, None, "M1", "UTC", "bid", "a folder")
    return reader.complete(seen, path, max_bytes)


def known_formats() -> str:
    """The formats that can be read, by family, plain CSV first."""
    return "; ".join(
        dict.fromkeys(reader.family for reader in sorted(READERS.values(), key=lambda reader: not reader.fallback))
    )


def read(
    path: Path | str,
    format: str,
    instrument: Instrument,
    progress: Progress | None = None,
    *,
    max_bytes: int = MAX_BYTES,
    max_rows: int = MAX_ROWS,
    timeframe: Timeframe | None = None,
    mapping: Mapping[str, Any] | None = None,
) -> RawBars:
    """The rows of a file, oldest first. ``progress(share, note)`` is called at least every few hundred milliseconds.

    ``timeframe``: of the bars that ticks are made into, M1 if None; rows that are bars already stay as they are.
    ``mapping``: of the columns of a file of the format ``mapped``.
    """
    limits = ReadLimits(max_bytes, max_rows, timeframe)
    return _oldest_first(reader_of(format, mapping).read(Path(path), instrument, limits, progress or _silent))


def _oldest_first(raw: RawBars) -> RawBars:
    """The rows of a file that has the newest first, turned around."""
    steps = np.diff(raw.local_ns)
    if not len(steps) or raw.local_ns[0] <= raw.local_ns[-1] or (steps < 0).sum() < BACKWARDS * np.count_nonzero(steps):
        return raw
    names = ("local_ns", "open", "high", "low", "close", "volume", "spread", "line")
    turned = {name: values[::-1].copy() for name in names if (values := getattr(raw, name)) is not None}
    return replace(
        raw,
        notes=(*raw.notes, "the file has its newest rows first: they were read from the last to the first"),
        **turned,
    )


def _silent(share: float, note: str) -> None:
    """Ignores progress."""
