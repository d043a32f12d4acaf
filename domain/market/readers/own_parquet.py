"""Parquet with the columns of bars: ts, open, high, low, close and, if there are any, volume and spread (price units)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from domain.errors import BadRequest, listed
from domain.market.bars import COLUMNS, OPTIONAL, PRICES
from domain.market.instrument import Instrument
from domain.market.readers.base import READERS, Progress, RawBars, Reader, ReadLimits, Recognised
from domain.market.readers.files import PARQUET
from domain.market.readers.parquet_shape import check_shape
from domain.market.readers.sample import PREVIEW, instrument_in, side_in, step_sentence, timeframe_word
from domain.market.step import usual_timeframe

BATCH = 200_000
SAMPLE = 5_000          # rows of each batch whose steps are examined


class OwnParquet(Reader):
    """A ``ts`` with a zone is instants, one without a wall clock whose zone must be given. Lines are counted as rows, from 1."""

    key = "parquet"
    title = "Parquet (ts, open, high, low, close)"
    family = title

    def recognise(self, head: bytes, name: str) -> Recognised | None:
        if not head.startswith(PARQUET):
            return None
        return Recognised(self.key, self.title, instrument_in(name), timeframe_word(name), None, side_in(name), "Parquet")

    def complete(self, recognised: Recognised, path: Path, max_bytes: int) -> Recognised:
        """Completes the result with the columns and first rows of the file."""
        with _opened(path) as file:
            _check_columns(file, path)
            check_shape(file, path, "ts", _wanted(file)[1:], ReadLimits(max_bytes))
            first = next(file.iter_batches(1000, columns=_wanted(file)), None)
            if first is None or not first.num_rows:
                raise BadRequest(f"{path.name} has columns and no rows")
            ns, aware = _instants(first.column("ts"), path)
            usual = usual_timeframe(np.concatenate([_instants(batch.column("ts"), path)[0][:SAMPLE] for batch in file.iter_batches(BATCH, columns=["ts"])]))
        unread = [name for name in file.schema_arrow.names if name not in first.schema.names]
        evidence = f"columns {', '.join(first.schema.names)}{f' (not read: {listed(unread)})' if unread else ''}; {step_sentence(ns.tolist())}" + ("; ts has a zone, so it is UTC" if aware else "; ts has no zone")
        preview = first.slice(0, PREVIEW).to_pandas().astype(str)
        return replace(recognised, timeframe=usual or recognised.timeframe, clock="UTC" if aware else None, evidence=evidence, preview=preview)

    def read(self, path: Path, instrument: Instrument, limits: ReadLimits, progress: Progress) -> RawBars:
        rows, aware = 0, False
        with _opened(path) as file:
            _check_columns(file, path)
            check_shape(file, path, "ts", _wanted(file)[1:], limits)
            table: dict[str, Any] = {name: np.empty(file.metadata.num_rows, np.int64 if name == "ts" else np.float64) for name in _wanted(file)}
            for batch in file.iter_batches(BATCH, columns=_wanted(file)):
                place = slice(rows, rows + batch.num_rows)
                table["ts"][place], aware = _instants(batch.column("ts"), path)
                for name in _wanted(file)[1:]:
                    table[name][place] = _floats(batch.column(name), name, path)
                rows += batch.num_rows
                progress(min(1.0, rows / max(1, file.metadata.num_rows)), f"{rows:,} rows read")
        if not rows:
            raise BadRequest(f"{path.name} has columns and no rows")
        columns: dict[str, Any] = {name: table.get(name) for name in COLUMNS}
        return RawBars(columns.pop("ts"), line=np.arange(1, rows + 1), clock="UTC" if aware else None, **columns)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """The file; whatever Arrow finds wrong with it, then or later, becomes a sentence."""
    import pyarrow as pa
    from pyarrow import parquet

    with path.open("rb") as plain:
        if not plain.read(4) == PARQUET:
            raise BadRequest(f"{path.name} is an archive with a Parquet file in it; unpack it and import that")
    try:
        with parquet.ParquetFile(path) as file:
            yield file
    except (pa.ArrowException, OSError):
        raise BadRequest(f"{path.name} is a damaged Parquet file, or not a Parquet file at all; write it again") from None


def _check_columns(file: Any, path: Path) -> None:
    names = file.schema_arrow.names
    missing = [name for name in ("ts", *PRICES) if name not in names]
    if missing:
        raise BadRequest(f"{path.name} has no column {', '.join(missing)}; it has {listed(names, most=8)}, and bars need {', '.join(COLUMNS[:5])}")


def _wanted(file: Any) -> list[str]:
    return ["ts", *(name for name in (*PRICES, *OPTIONAL) if name in file.schema_arrow.names)]


def _instants(column: Any, path: Path) -> tuple[np.ndarray, bool]:
    import pyarrow as pa

    if not pa.types.is_timestamp(column.type):
        raise BadRequest(f"{path.name}: ts is {column.type}; it must be a timestamp")
    if column.null_count:
        raise BadRequest(f"{path.name}: ts is empty in {column.null_count:,} rows; drop them first")
    return column.cast(pa.timestamp("ns", tz=column.type.tz)).cast(pa.int64()).to_numpy(), column.type.tz is not None


def _floats(column: Any, name: str, path: Path) -> np.ndarray:
    import pyarrow as pa

    try:
        return column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        raise BadRequest(f"{path.name}: {name} is {column.type}; it must be numbers") from None


READERS.add(OwnParquet.key, OwnParquet())
