"""Files as streams of UTF-8 bytes: .gz and the one table in a .zip opened, UTF-16 and byte order marks translated,
nothing larger than allowed.
"""

from __future__ import annotations

import codecs
import gzip
import io
import lzma
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple, cast

from domain.errors import BadRequest
from domain.market.readers.archives import holds_ticks, table_in

HEAD = 65_536
BLOCK = 1_000_000
GZIP, ZIP, PARQUET = b"\x1f\x8b", b"PK\x03\x04", b"PAR1"
NUMPY = b"\x93NUMPY"
HISTORY = (b"\x90\x01\x00\x00", b"\x91\x01\x00\x00")           # MetaTrader 4's .hst, versions 400 and 401
SEPARATOR_LINE = re.compile(rb"\s*\"?sep=.\"?\s*", re.IGNORECASE)
MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


class Block(NamedTuple):
    """Whole lines of a file, the number of the first, and how much of the file is read by now (0 to 1)."""

    data: bytes
    first_line: int
    share: float


def head_of(path: Path, max_bytes: int) -> bytes:
    """The first 64 KB of a file, unpacked and as UTF-8."""
    with _opened(path, max_bytes) as (stream, _):
        data = _unpacked(stream, path, HEAD)
    return _as_utf8(data, *_encoding(data), final=False).replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def full_name(path: Path) -> str:
    """The file's name, and after a slash that of the table inside where it is a .zip: both may say what the bars are.

    An archive without one table in it, or a workbook, is refused with a sentence.
    """
    try:
        with path.open("rb") as raw:
            if raw.read(4) != ZIP or _of_ticks(raw):
                return path.name
            with _member(path, raw) as member:
                return f"{path.name}/{Path(str(member.name)).name}"
    except OSError as error:
        raise BadRequest(f"{path.name} cannot be opened: {error.strerror}") from None


def is_separator_line(line: bytes) -> bool:
    """Whether a line is Excel's hint ``sep=;``, which is no row of a table.

    >>> is_separator_line(b"sep=;"), is_separator_line(b"ts;open")
    (True, False)
    """
    return SEPARATOR_LINE.fullmatch(line) is not None


def blocks(path: Path, max_bytes: int) -> Iterator[Block]:
    """The lines of a file, some 1 MB at a time, unpacked and as UTF-8; a file that unpacks to more than ``max_bytes``
    is refused.
    """
    with _opened(path, max_bytes) as (stream, raw):
        size, total, line, carry = max(1, path.stat().st_size), 0, 1, b""
        decoder, old_mac = None, False
        while True:
            data = _unpacked(stream, path, BLOCK)
            total += len(data)
            if total > max_bytes:
                raise BadRequest(
                    f"{path.name} unpacks to more than {human(max_bytes)}, which is the limit; split it, "
                    "or raise the limit in the settings"
                )
            if line == 1 and not carry:
                encoding, mark = _encoding(data)
                decoder = None if encoding == "utf-8" else codecs.getincrementaldecoder(encoding)("replace")
                data, old_mac = data[mark:], b"\r" in data and b"\n" not in data
            text = decoder.decode(data, not data).encode("utf-8", "replace") if decoder else data
            text = carry + (text.replace(b"\r", b"\n") if old_mac else text)
            cut = text.rfind(b"\n") + 1 if data else len(text)
            if text[:cut]:
                yield Block(text[:cut], line, min(1.0, raw.tell() / size))
                line += text.count(b"\n", 0, cut)
            carry = text[cut:]
            if len(carry) > BLOCK:
                raise BadRequest(f"{path.name}: line {line:,} is longer than {human(BLOCK)}; this is no table of bars")
            if not data:
                return


def content(path: Path, max_bytes: int) -> bytes:
    """All of a file, unpacked and as UTF-8 where a byte order mark or NULs tell UTF-16; one that unpacks to more than
    ``max_bytes`` is refused.
    """
    data = plain_content(path, max_bytes)
    return _as_utf8(data, *_encoding(data), final=True)


def plain_content(path: Path, max_bytes: int) -> bytes:
    """All bytes of a file, unpacked; one that unpacks to more than ``max_bytes`` is refused."""
    with _opened(path, max_bytes) as (stream, _):
        return b"".join(_parts(stream, path, max_bytes))


def _parts(stream: IO[bytes], path: Path, max_bytes: int) -> Iterator[bytes]:
    total = 0
    while data := _unpacked(stream, path, BLOCK):
        total += len(data)
        if total > max_bytes:
            raise BadRequest(
                f"{path.name} unpacks to more than {human(max_bytes)}, which is the limit; split it, "
                "or raise the limit in the settings"
            )
        yield data


def human(size: int) -> str:
    """
    >>> human(1_040_000_000), human(512_000_000), human(900)
    ('1.0 GB', '512 MB', '900 B')
    """
    for power, unit in ((1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "KB")):
        if size >= power:
            return f"{size / power:.1f} GB" if unit == "GB" else f"{size / power:.0f} {unit}"
    return f"{size} B"


@contextmanager
def _opened(path: Path, max_bytes: int) -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    """The unpacked stream and the file under it."""
    try:
        size = path.stat().st_size
        raw = path.open("rb")
    except OSError as error:
        raise BadRequest(f"{path.name} cannot be opened: {error.strerror}") from None
    with raw:
        if size > max_bytes:
            raise BadRequest(
                f"{path.name} is {human(size)}; the limit is {human(max_bytes)}; split it, "
                "or raise the limit in the settings"
            )
        if size == 0 and path.name.lower().endswith(".bi5"):
            raise BadRequest(f"{path.name} is empty: Dukascopy quoted nothing in that hour, so it holds no ticks. Import its folder, with the hours around it")
        if size == 0:
            raise BadRequest(f"{path.name} is empty (0 bytes); export it again")
        magic = raw.read(4)
        raw.seek(0)
        if magic[:2] == GZIP:
            yield cast(IO[bytes], gzip.GzipFile(fileobj=raw)), raw
        elif magic == ZIP and not _of_ticks(raw):
            with _member(path, raw) as member:
                yield member, raw
        else:
            yield raw, raw


@contextmanager
def _member(path: Path, raw: IO[bytes]) -> Iterator[IO[bytes]]:
    try:
        archive = zipfile.ZipFile(raw)
        table = table_in(path.name, archive.infolist())
        if table.flag_bits & 1:
            raise BadRequest(f"{path.name} is encrypted; unpack it and import the file inside")
        with archive.open(table) as member:
            yield member
    except (zipfile.BadZipFile, NotImplementedError, OSError):
        raise BadRequest(f"{path.name} is a damaged or unusual zip archive; unpack it and import the file inside") from None


def _of_ticks(raw: IO[bytes]) -> bool:
    """Whether an archive holds Dukascopy's ticks: many files, and no table. It is not opened here."""
    try:
        return holds_ticks(zipfile.ZipFile(raw).infolist())
    except (zipfile.BadZipFile, NotImplementedError):
        return False    # the sentence about it comes where it is opened
    finally:
        raw.seek(0)


def _unpacked(stream: IO[bytes], path: Path, size: int) -> bytes:
    try:
        data = stream.read(size)
    except (OSError, zipfile.BadZipFile, EOFError, zlib.error, lzma.LZMAError):
        raise BadRequest(f"{path.name} is a damaged archive: it breaks off, or its contents do not match their checksum; download it again") from None
    if size == HEAD and not isinstance(stream, io.BufferedReader) and (data[:2] == GZIP or data[:4] == ZIP):
        raise BadRequest(f"{path.name} is an archive inside an archive; unpack it once")
    return data


def _encoding(data: bytes) -> tuple[str, int]:
    """The encoding and the length of the byte order mark; without a mark UTF-16 shows by its NULs."""
    if data.startswith((PARQUET, ZIP, NUMPY, *HISTORY)):
        return "utf-8", 0
    for mark, encoding in MARKS:
        if data.startswith(mark):
            return encoding, len(mark)
    odd, even = data[1:2000:2].count(0), data[:2000:2].count(0)
    half = len(data[:2000]) // 2
    if half and max(odd, even) > 0.6 * half and min(odd, even) < 0.1 * half:
        return ("utf-16-le", 0) if odd > even else ("utf-16-be", 0)
    return "utf-8", 0


def _as_utf8(data: bytes, encoding: str, mark: int, final: bool) -> bytes:
    if encoding == "utf-8":
        return data[mark:]
    return codecs.getincrementaldecoder(encoding)("replace").decode(data[mark:], final).encode("utf-8", "replace")
