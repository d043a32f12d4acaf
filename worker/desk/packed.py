"""Dukascopy's hours of ticks in one .zip, by the folders that say which hours they are."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from domain.errors import BadRequest
from domain.market.readers.bi5_files import Hours, hours_in

PART, IN_MEMORY = 1 << 20, 32 << 20      # bytes
STAMP = (1980, 1, 1, 0, 0, 0)             # of every entry, so that the same hours make the same file


def packed(where: Path, max_bytes: int) -> tuple[int, Iterator[bytes]]:
    """The hours in a folder, or the file of one hour, as a .zip: its size and its bytes, part by part. They are compressed already, and stored as they are."""
    file = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 closed when the parts are read
    with hours_in(where, max_bytes) as hours:
        _write(file, where.name, hours)
    size = file.tell()
    file.seek(0)
    return size, _parts(file)


def _write(file: IO[bytes], name: str, hours: Hours) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for hour in hours.files:
            try:
                archive.writestr(zipfile.ZipInfo(hour.name, STAMP), hour.load())
            except ValueError as error:
                raise BadRequest(f"{hour.name} of {name}: {error}") from None


def _parts(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while part := file.read(PART):
            yield part
