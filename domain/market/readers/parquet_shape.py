"""What a Parquet file would unpack to, from its metadata alone: types, rows and sizes are refused before a page is read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from domain.errors import BadRequest
from domain.market.readers.base import ReadLimits
from domain.market.readers.files import human

MOST_COLUMNS = 1_000
MOST_GROUPS = 100_000


def check_shape(file: Any, path: Path, time: str, numbers: Sequence[str], limits: ReadLimits) -> None:
    """Refuses an open ``pyarrow.parquet.ParquetFile`` whose ``time`` is no timestamp, whose ``numbers`` are none, or that is larger than the limits.

    Columns that are not read may be of any type, and are not unpacked.
    """
    import pyarrow as pa

    schema, metadata = file.schema_arrow, file.metadata
    if metadata.num_columns > MOST_COLUMNS or metadata.num_row_groups > MOST_GROUPS:
        raise BadRequest(f"{path.name} has {metadata.num_columns:,} columns in {metadata.num_row_groups:,} row groups; bars have a few columns. Write them again by themselves")
    if not pa.types.is_timestamp(schema.field(time).type):
        raise BadRequest(f"{path.name}: {time} is {_short(schema.field(time).type)}; it must be a timestamp")
    for name in numbers:
        kind = schema.field(name).type
        if not (pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_decimal(kind)):
            raise BadRequest(f"{path.name}: {name} is {_short(kind)}; it must be numbers")
    if metadata.num_rows > limits.max_rows:
        raise BadRequest(f"{path.name} has {metadata.num_rows:,} rows; the limit is {limits.max_rows:,}; split it, or raise the limit in the settings")
    unpacked = max(path.stat().st_size, 8 * metadata.num_rows * (1 + len(numbers)), _stored(metadata, {time, *numbers}))
    if unpacked > limits.max_bytes:
        raise BadRequest(f"{path.name} is {human(unpacked)} unpacked; the limit is {human(limits.max_bytes)}; split it, or raise the limit in the settings")


def _stored(metadata: Any, wanted: set[str]) -> int:
    """Bytes of the wanted columns before they were packed, as the row groups say."""
    chosen = [at for at in range(metadata.num_columns) if metadata.schema.column(at).path in wanted]
    return sum(metadata.row_group(group).column(at).total_uncompressed_size for group in range(metadata.num_row_groups) for at in chosen)


def _short(kind: Any) -> str:
    return str(kind)[:80]
