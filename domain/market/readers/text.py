"""One engine for every table of text: whole blocks through Arrow's parser, and line by line only where a block has
something odd in it.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from domain.errors import BadRequest
from domain.market.bars import OPTIONAL, PRICES
from domain.market.readers import stamps
from domain.market.readers.base import Progress, RawBars, ReadLimits
from domain.market.readers.files import blocks, is_separator_line
from domain.market.readers.layout import Layout, Parts

NUMBER = re.compile(r"\s*[+-]?((\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|nan|inf|infinity)\s*", re.IGNORECASE)
HOPELESS = 10_000  # so many lines that are no bars, and more of them than bars: no table of bars
SMALL = 10_000  # bytes of text that are read line by line where something in them is odd


def read_text(path: Path, layout: Layout, limits: ReadLimits, progress: Progress) -> RawBars:
    """Every row of a text file; lines that are no bars are counted, and the first 200 kept."""
    return raw_bars(read_parts(path, layout, limits, progress, Parts()), layout.numbers)


def read_parts(path: Path, layout: Layout, limits: ReadLimits, progress: Progress, parts: Parts) -> Parts:
    """``parts`` with every row of a text file added, block by block; a file without any is refused."""
    for block in blocks(path, limits.max_bytes):
        skip, data = _without_header(block.data, layout.skip) if block.first_line == 1 else (0, block.data)
        _take(data, block.first_line + skip, layout, parts)
        _within(path, parts, limits)
        progress(block.share, f"{parts.rows:,} rows read")
    if not parts.rows:
        first = f"; line {parts.malformed[0].line}: {parts.malformed[0].reason}" if parts.malformed else ""
        raise BadRequest(f"{path.name} holds no bars{first}")
    return parts


def raw_bars(parts: Parts, numbers: tuple[str, ...]) -> RawBars:
    """The bars of what was read; only columns in ``numbers`` are there."""
    columns: dict[str, Any] = {name: parts.joined(name) if name in numbers else None for name in (*PRICES, *OPTIONAL)}
    return RawBars(
        parts.joined("ts"), line=parts.joined("line"),
        malformed=tuple(parts.malformed), malformed_count=parts.malformed_count,
        clock="UTC" if parts.aware else None, **columns,
    )  # fmt: skip


def _within(path: Path, parts: Parts, limits: ReadLimits) -> None:
    if parts.rows > limits.max_rows:
        raise BadRequest(
            f"{path.name} has more than {limits.max_rows:,} rows, which is the limit; split it, "
            "or raise the limit in the settings"
        )
    if parts.malformed_count > max(HOPELESS, parts.rows):
        first = parts.malformed[0]
        raise BadRequest(
            f"{path.name} is no table of bars: {parts.malformed_count:,} lines could not be read; "
            f"the first is line {first.line}: {first.reason}"
        )


def _without_header(data: bytes, lines: int) -> tuple[int, bytes]:
    """What follows the first lines that are not blank, and how many lines, blank ones and Excel's ``sep=`` too, that
    took.
    """
    header = 0
    while data:
        line, _, rest = data.partition(b"\n")
        counts = bool(line.strip()) and not is_separator_line(line)
        if counts and not lines:
            break
        header, lines, data = header + 1, lines - counts, rest
    return header, data


def _take(data: bytes, first_line: int, layout: Layout, parts: Parts) -> None:
    """The rows of whole lines: at once if all are bars, else piece by piece, the smallest pieces line by line."""
    data = data.rstrip(b"\r\n")
    if not data:
        return
    fitted = _fitted(data, layout)
    row_values = _fast(data, fitted, parts)
    if row_values is not None:
        parts.add(row_values | {"line": np.arange(first_line, first_line + len(row_values["ts"]), dtype=np.int64)})
    elif len(data) <= SMALL or b"\n" not in data:
        parts.add(_slow(data, first_line, layout, parts))
    else:
        for piece, line in _pieces(data, first_line):
            _take(piece, line, layout, parts)


def _fitted(data: bytes, layout: Layout) -> Layout:
    """The layout with as many unread columns at its end as the first row has: separators at the end of a line say
    nothing.
    """
    extra = data.partition(b"\n")[0].count(layout.separator.encode()) + 1 - len(layout.columns)
    if extra == 0 or b'"' in data[:1000]:
        return layout
    if extra > 0:
        return replace(layout, columns=(*layout.columns, *[""] * extra)) if _ends_blank(data, layout, extra) else layout
    return replace(layout, columns=layout.columns[:extra]) if not any(layout.columns[extra:]) else layout


def _ends_blank(data: bytes, layout: Layout, extra: int) -> bool:
    """Whether each line of a block ends in so many separators, with nothing but blanks between them."""
    end = re.escape(layout.separator).encode()
    blanks = rb"[^\S\n\t]*" if layout.separator == "\t" else rb"[^\S\n]*"
    return len(re.findall(rb"(?m)(?:" + end + blanks + rb"){%d}$" % extra, data)) == data.count(b"\n") + 1


def _pieces(data: bytes, line: int) -> Iterator[tuple[bytes, int]]:
    """At most sixteen pieces of whole lines, at least two where there are two lines, with the number of the first line
    of each.
    """
    start = 0
    while start < len(data):
        stop = data.find(b"\n", start + len(data) // 16) + 1 or len(data)
        if start == 0 and stop == len(data):  # the last line is nearly all of it
            stop = data.rfind(b"\n") + 1 or len(data)
        yield data[start:stop], line
        line += data.count(b"\n", start, stop)
        start = stop


def _fast(data: bytes, layout: Layout, parts: Parts) -> dict[str, np.ndarray] | None:
    """The columns of a block in which every line is a bar; None where one is not, or looks unusual."""
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    counted = layout.kind in stamps.UNITS
    types = {name: pa.int64() if counted else pa.string() for name in layout.times} | {
        name: pa.float64() for name in layout.numbers
    }
    names = [name or f"unread {at}" for at, name in enumerate(layout.columns)]
    try:
        table = arrow_csv.read_csv(
            pa.py_buffer(data),
            read_options=arrow_csv.ReadOptions(column_names=names, use_threads=False, block_size=len(data) + 1),
            parse_options=arrow_csv.ParseOptions(delimiter=layout.separator),
            convert_options=arrow_csv.ConvertOptions(
                column_types=types, include_columns=list(types), null_values=[""], strings_can_be_null=False, decimal_point=layout.decimal
            ),
        )
    except pa.ArrowInvalid:
        return None
    if table.num_rows != data.count(b"\n") + 1 or any(
        table[name].null_count for name in (*layout.times, *layout.required)
    ):
        return None
    ts = stamps.parse_counts(table[layout.times[0]].to_numpy(), layout.kind) if counted else _stamps(table, layout)
    if ts is None or parts.aware not in (None, ts[1]):
        return None
    parts.aware = ts[1]
    return {"ts": ts[0] + layout.origin, **{name: table[name].to_numpy() for name in layout.numbers}}


def _stamps(table: Any, layout: Layout) -> tuple[np.ndarray, bool] | None:
    """The stamps of a block, those of each length at once: hours and days may have one digit or two."""
    import pyarrow.compute as pc

    columns = [table[name].combine_chunks() for name in layout.times]
    texts = pc.binary_join_element_wise(*columns, " ") if len(columns) > 1 else columns[0]
    texts = texts.chunk(0) if hasattr(texts, "chunk") else texts
    if stamps.is_pattern(layout.kind):
        return stamps.parse_pattern(pc.utf8_trim_whitespace(texts).to_pylist(), layout.kind)
    if texts[0].as_py() != texts[0].as_py().strip():
        texts = pc.utf8_trim_whitespace(texts)
    lengths = pc.binary_length(texts).to_numpy(zero_copy_only=False)
    ns, aware = np.empty(len(texts), np.int64), set()
    for length in np.unique(lengths):
        rows = np.flatnonzero(lengths == length)
        times = (
            stamps.parse_rows(_characters(texts if len(rows) == len(texts) else texts.take(rows), int(length)), layout.kind)
            if length
            else None
        )
        if times is None:
            return None
        ns[rows] = times[0]
        aware.add(times[1])
    return (ns, aware.pop()) if len(aware) == 1 else None


def _characters(column: Any, width: int) -> np.ndarray:
    """A column of texts that are ``width`` bytes long as one row of bytes each."""
    _, offsets, data = column.buffers()
    start = int(np.frombuffer(offsets, np.int32)[column.offset])
    return np.frombuffer(data, np.uint8)[start : start + width * len(column)].reshape(-1, width)


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
    cells = _cells(text, layout)
    if len(cells) != len(layout.columns):
        raise ValueError(f"{len(cells)} values where {len(layout.columns)} are expected")
    named = dict(zip(layout.columns, cells, strict=True))
    stamp = stamps.parse_one(" ".join(named[name].strip() for name in layout.times), layout.kind)
    numbers = [_number(name, named[name], layout) for name in layout.numbers]
    if parts.aware is None:
        parts.aware = stamp.aware
    if stamp.aware != parts.aware:
        raise ValueError(
            "its time has a zone and others have none" if stamp.aware else "its time has no zone and others have one"
        )
    return (stamp.ns + layout.origin, *numbers)


def _cells(text: str, layout: Layout) -> list[str]:
    """The cells of a line, as many as the layout has where only empty ones at the end are too many or too few."""
    cells, wanted = split(text, layout.separator), len(layout.columns)
    while len(cells) > wanted and not cells[-1].strip():
        cells.pop()
    if len(cells) < wanted and not any(layout.columns[len(cells) :]):
        cells += [""] * (wanted - len(cells))
    return cells


def _number(name: str, text: str, layout: Layout) -> float:
    if layout.decimal == ",":
        if "." in text:
            raise ValueError(f"{name} is {text.strip()[:40]!r}, and decimals are written with a comma")
        text = text.replace(",", ".")
    if NUMBER.fullmatch(text):
        return float(text)
    if not text.strip() and name not in layout.required:
        return float("nan")
    raise ValueError(f"{name} is {text.strip()[:40]!r}, not a number" if text.strip() else f"{name} is empty")


def split(text: str, separator: str) -> list[str]:
    """The cells of a line, quotes taken off where they make sense."""
    if '"' not in text:
        return text.split(separator)
    try:
        return next(csv.reader([text], delimiter=separator), [])
    except csv.Error:
        return text.split(separator)
