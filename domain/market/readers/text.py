"""One engine for every table of text: whole blocks through Arrow's parser, and line by line only where a block has something odd in it."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from domain.errors import BadRequest
from domain.market.bars import OPTIONAL, PRICES
from domain.market.readers import stamps
from domain.market.readers.base import Limits, Progress, RawBars
from domain.market.readers.files import blocks
from domain.market.readers.layout import Layout, Parts

NUMBER = re.compile(r"\s*[+-]?((\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|nan|inf|infinity)\s*", re.IGNORECASE)
HOPELESS = 10_000               # so many lines that are no bars, and more of them than bars: no table of bars
SMALL = 10_000                  # bytes of text that are read line by line where something in them is odd


def read_text(path: Path, layout: Layout, limits: Limits, progress: Progress) -> RawBars:
    """Every row of a text file; lines that are no bars are counted, and the first 200 kept."""
    parts = Parts()
    for block in blocks(path, limits.max_bytes):
        skip, data = _without_header(block.data, layout.skip) if block.first_line == 1 else (0, block.data)
        _take(data, block.first_line + skip, layout, parts)
        _within(path, parts, limits)
        progress(block.share, f"{parts.rows:,} rows read")
    if not parts.rows:
        first = f"; line {parts.malformed[0].line}: {parts.malformed[0].reason}" if parts.malformed else ""
        raise BadRequest(f"{path.name} holds no bars{first}")
    columns: dict[str, Any] = {name: parts.joined(name) if name in layout.numbers else None for name in (*PRICES, *OPTIONAL)}
    return RawBars(
        parts.joined("ts"), line=parts.joined("line"), malformed=tuple(parts.malformed), malformed_count=parts.malformed_count,
        clock="UTC" if parts.aware else None, **columns,
    )  # fmt: skip


def _within(path: Path, parts: Parts, limits: Limits) -> None:
    if parts.rows > limits.max_rows:
        raise BadRequest(f"{path.name} has more than {limits.max_rows:,} rows, which is the limit; split it, or raise the limit in the settings")
    if parts.malformed_count > max(HOPELESS, parts.rows):
        first = parts.malformed[0]
        raise BadRequest(f"{path.name} is no table of bars: {parts.malformed_count:,} lines could not be read; the first is line {first.line}: {first.reason}")


def _without_header(data: bytes, lines: int) -> tuple[int, bytes]:
    """What follows the first lines that are not blank, and how many lines, blank ones too, that took."""
    taken = 0
    while lines and data:
        line, _, data = data.partition(b"\n")
        taken, lines = taken + 1, lines - bool(line.strip())
    return taken, data


def _take(data: bytes, first_line: int, layout: Layout, parts: Parts) -> None:
    """The rows of whole lines: at once if they are all bars, else piece by piece, and the smallest pieces line by line."""
    data = data.rstrip(b"\r\n")
    if not data:
        return
    read = _fast(data, layout, parts)
    if read is not None:
        parts.add(read | {"line": np.arange(first_line, first_line + len(read["ts"]), dtype=np.int64)})
    elif len(data) <= SMALL:
        parts.add(_slow(data, first_line, layout, parts))
    else:
        for piece, line in _pieces(data, first_line):
            _take(piece, line, layout, parts)


def _pieces(data: bytes, line: int) -> Iterator[tuple[bytes, int]]:
    """Sixteen pieces of whole lines, with the number of the first line of each."""
    start = 0
    while start < len(data):
        stop = data.find(b"\n", start + len(data) // 16) + 1 or len(data)
        yield data[start:stop], line
        line += data.count(b"\n", start, stop)
        start = stop


def _fast(data: bytes, layout: Layout, parts: Parts) -> dict[str, np.ndarray] | None:
    """The columns of a block in which every line is a bar; None where one is not, or looks unusual."""
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    epoch = layout.kind in stamps.UNITS
    types = {name: pa.int64() if epoch else pa.string() for name in layout.times} | {name: pa.float64() for name in layout.numbers}
    names = [name or f"unread {at}" for at, name in enumerate(layout.columns)]
    try:
        table = arrow_csv.read_csv(
            pa.py_buffer(data),
            read_options=arrow_csv.ReadOptions(column_names=names, use_threads=False, block_size=len(data) + 1),
            parse_options=arrow_csv.ParseOptions(delimiter=layout.separator),
            convert_options=arrow_csv.ConvertOptions(column_types=types, include_columns=list(types), null_values=[""], strings_can_be_null=False),
        )
    except pa.ArrowInvalid:
        return None
    if table.num_rows != data.count(b"\n") + 1 or any(table[name].null_count for name in (*layout.times, *PRICES)):
        return None
    ts = _epoch(table, layout) if epoch else _stamps(table, layout)
    if ts is None or parts.aware not in (None, ts[1]):
        return None
    parts.aware = ts[1]
    return {"ts": ts[0], **{name: table[name].to_numpy() for name in layout.numbers}}


def _epoch(table: Any, layout: Layout) -> tuple[np.ndarray, bool] | None:
    """Counts since 1970, unless one is out of bounds."""
    unit = stamps.UNITS[layout.kind]
    values = table[layout.times[0]].to_numpy()
    return (values * unit, True) if values.min() >= stamps.EARLIEST // unit and values.max() < stamps.LATEST // unit else None


def _stamps(table: Any, layout: Layout) -> tuple[np.ndarray, bool] | None:
    pieces = [piece for name in layout.times if (piece := _characters(table[name].combine_chunks())) is not None]
    if len(pieces) < len(layout.times):
        return None
    if len(pieces) == 2:
        pieces.insert(1, np.full((table.num_rows, 1), ord(" "), np.uint8))
    return stamps.many(np.hstack(pieces) if len(pieces) > 1 else pieces[0], layout.kind)


def _characters(column: Any) -> np.ndarray | None:
    """A column of equally long texts as one row of bytes each."""
    column = column.chunk(0) if hasattr(column, "chunk") else column
    _, offsets, data = column.buffers()
    bounds = np.frombuffer(offsets, np.int32)[column.offset : column.offset + len(column) + 1]
    width = int(bounds[1] - bounds[0])
    if not width or (np.diff(bounds) != width).any():
        return None
    return np.frombuffer(data, np.uint8)[bounds[0] : bounds[-1]].reshape(-1, width)


def _slow(data: bytes, first_line: int, layout: Layout, parts: Parts) -> dict[str, np.ndarray]:
    rows = []
    for line, raw in enumerate(data.split(b"\n"), first_line):
        text = raw.decode("utf-8", "replace").rstrip("\r")
        if not text.strip():
            continue
        try:
            rows.append((line, *_row(text, layout, parts)))
        except ValueError as error:
            parts.refuse(line, text, str(error))
    table = np.array([row[2:] for row in rows], np.float64).reshape(len(rows), len(layout.numbers))
    read = {"line": np.array([row[0] for row in rows], np.int64), "ts": np.array([row[1] for row in rows], np.int64)}
    return read | {name: table[:, at].copy() for at, name in enumerate(layout.numbers)}


def _row(text: str, layout: Layout, parts: Parts) -> tuple[float, ...]:
    if "\0" in text:
        raise ValueError("holds a NUL byte")
    cells = split(text, layout.separator)
    if len(cells) != len(layout.columns):
        raise ValueError(f"{len(cells)} values where {len(layout.columns)} are expected")
    named = dict(zip(layout.columns, cells, strict=True))
    stamp = stamps.one(" ".join(named[name].strip() for name in layout.times), layout.kind)
    numbers = [_number(name, named[name]) for name in layout.numbers]
    if parts.aware is None:
        parts.aware = stamp.aware
    if stamp.aware != parts.aware:
        raise ValueError("its time has a zone and others have none" if stamp.aware else "its time has no zone and others have one")
    return (stamp.ns, *numbers)


def _number(name: str, text: str) -> float:
    if NUMBER.fullmatch(text):
        return float(text)
    if not text.strip() and name in OPTIONAL:
        return float("nan")
    raise ValueError(f"{name} is {text.strip()[:40]!r}, not a number" if text.strip() else f"{name} is empty")


def split(text: str, separator: str) -> list[str]:
    """The cells of a line, quotes taken off."""
    return next(csv.reader([text], delimiter=separator)) if '"' in text else text.split(separator)
