"""The hours of Dukascopy's ticks that a file, a folder or a .zip holds."""

from __future__ import annotations

import os
import re
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from domain.errors import BadRequest, listed
from domain.market.readers.archives import of_the_system
from domain.market.readers.bi5_hour import LAYOUT, PATH, Hour, hour_of
from domain.market.readers.files import human
from domain.parsing import is_folder

ENDING = ".bi5"
SYMBOL, DATED = re.compile(r"[A-Z0-9.]{3,20}"), re.compile(r"\d{2}|\d{4}")     # names of folders
BROKEN = (OSError, zipfile.BadZipFile, EOFError, zlib.error, NotImplementedError, RuntimeError)


class HourFile(NamedTuple):
    """The file of an hour: its path from its symbol's folder on, its size, and its bytes when they are requested."""

    hour: Hour
    name: str
    size: int
    load: Callable[[], bytes]


class Hours(NamedTuple):
    """Files of hours of one symbol in order, and how many other .bi5 files lie beside them."""

    files: tuple[HourFile, ...]
    others: int

    @property
    def symbol(self) -> str:
        return next((file.hour.symbol for file in self.files if file.hour.symbol), "")


@contextmanager
def hours_in(path: Path, max_bytes: int) -> Iterator[Hours]:
    """The hours in ``path``: an hour's own file, whose folders say which it is, a folder of them, or a .zip of such folders."""
    if is_folder(path):
        yield _checked(path.name, _of_folder(path), max_bytes)
    elif path.name.lower().endswith(ENDING):
        name = path.resolve().as_posix()
        yield _checked(path.name, [(name if PATH.search(name) else path.name, path.stat().st_size, partial(_bytes_of, path))], max_bytes)
    else:
        with _archive(path) as archive:
            members = [entry for entry in archive.infolist() if entry.filename.lower().endswith(ENDING) and not of_the_system(entry.filename)]
            yield _checked(path.name, [(entry.filename.replace("\\", "/"), entry.file_size, partial(_member, archive, entry)) for entry in members], max_bytes)


def holds_hours(folder: Path) -> bool:
    """Whether a folder has files of ticks where Dukascopy's layout puts them."""
    return next(_walk(folder), None) is not None


def _of_folder(folder: Path) -> list[tuple[str, int, Callable[[], bytes]]]:
    absolute = folder.resolve()
    return [((absolute / path.relative_to(folder)).as_posix(), size, partial(_bytes_of, path)) for path, size in _walk(folder)]


def _walk(folder: Path) -> Iterator[tuple[Path, int]]:
    """Files of ticks and their sizes, in order. Only folders of the layout are looked into, and no link is followed: a whole disk is not searched."""
    for where, folders, names in os.walk(folder, followlinks=False):
        top = Path(where) == folder
        folders[:] = sorted(name for name in folders if DATED.fullmatch(name) or (top and SYMBOL.fullmatch(name)))
        for name in sorted(names):
            path = Path(where) / name
            if name.lower().endswith(ENDING) and not of_the_system(name) and stat.S_ISREG((facts := path.lstat()).st_mode):
                yield path, facts.st_size


def _checked(name: str, files: list[tuple[str, int, Callable[[], bytes]]], max_bytes: int) -> Hours:
    hours = [file for file in files if file[0].rsplit("/", 1)[-1].lower().endswith("h_ticks.bi5")]
    if not hours:
        what = "no .bi5 file" if not files else "a .bi5 file that is no hour of ticks by its name" if len(files) == 1 else f"{len(files):,} .bi5 files, none of them an hour of ticks by its name"
        raise BadRequest(f"{name} holds {what}; hours of ticks are laid out as {LAYOUT}")
    if (total := sum(size for _, size, _ in hours)) > max_bytes:
        raise BadRequest(f"{name} holds {human(total)} of ticks; the limit is {human(max_bytes)}; import it year by year, or raise the limit in the settings")
    read = sorted((HourFile(hour_of(path), _from_symbol(path), size, load) for path, size, load in hours), key=lambda file: file.hour.start)
    symbols = list(dict.fromkeys(file.hour.symbol for file in read if file.hour.symbol))
    if len(symbols) > 1:
        raise BadRequest(f"{name} holds the ticks of {listed(symbols)}; import the folder of one symbol at a time")
    for before, after in pairwise(read):
        if before.hour.start == after.hour.start:
            raise BadRequest(f"{name} has two files of one hour, {before.name} and {after.name}; remove one of them")
    return Hours(tuple(read), len(files) - len(hours))


def _from_symbol(path: str) -> str:
    """
    >>> _from_symbol("/data/EURUSD/2018/06/05/05h_ticks.bi5"), _from_symbol("2018/06/05/05h_ticks.bi5")
    ('EURUSD/2018/06/05/05h_ticks.bi5', '2018/06/05/05h_ticks.bi5')
    """
    return "/".join(path.strip("/").split("/")[-5:])


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ValueError(f"it cannot be read: {error.strerror}") from None


@contextmanager
def _archive(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except zipfile.BadZipFile:
        raise BadRequest(f"{path.name} is a damaged or unusual zip archive; make it again") from None


def _member(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """The bytes of a member, no more than its entry says."""
    try:
        with archive.open(entry) as file:
            return file.read(entry.file_size)
    except BROKEN:
        raise ValueError("its archive is damaged there, or encrypted") from None
