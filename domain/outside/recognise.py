"""Kinds of external data, and recognition of their files."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from domain.errors import BadRequest
from domain.market.readers.base import MAX_BYTES
from domain.market.readers.files import HEAD, head_of
from domain.market.readers.unreadable import what_it_is
from domain.outside import headlines, releases
from domain.outside.rows import SEPARATORS, STAMP
from domain.outside.series import series

KINDS = {"series": "Series", "headlines": "Headlines", "releases": "Releases"}
PREVIEW_ROWS = 5           # rows of a file in its preview
FEED = re.compile(r"<(\w+:)?(rss|feed|RDF)\b")
SAMPLE = 200        # rows that are examined for zones


@dataclass(frozen=True)
class Recognised:
    """What a file seems to be. ``series``: its name in the table, empty where the file does not say. ``zoned``: every examined time has a zone, or the format defines it."""

    kind: str
    title: str
    series: str = ""
    zoned: bool = True
    preview: pd.DataFrame = field(compare=False, repr=False, default_factory=pd.DataFrame)


def recognise(path: Path, max_bytes: int = MAX_BYTES) -> Recognised:
    """What a file of outside data seems to be, by its beginning and its name; one that is none of them is refused, saying what is needed."""
    head = head_of(path, max_bytes)
    start = head.decode("utf-8", "replace").lstrip("\ufeff \t\r\n")
    if start.startswith(("[", "{")):
        return Recognised("releases", "a week of releases as JSON", preview=_releases_preview(path, start, max_bytes))
    if start.startswith("<") and "<weeklyevents" in start:
        return Recognised("releases", "a week of releases as XML, times in GMT", preview=_releases_preview(path, start, max_bytes))
    if start.startswith("<") and FEED.search(start[:2_000]):
        return Recognised("headlines", "a feed of headlines", preview=_feed_preview(path, start, max_bytes))
    names, rows = _table(start)
    if {"impact"} & {*names} and {*releases.TITLES} & {*names}:
        return _with_times("releases", "a calendar of releases", names, rows, releases.TIMES)
    if {*headlines.TEXTS} & {*names} and {*headlines.TIMES} & {*names}:
        return _with_times("headlines", "headlines", names, rows, headlines.TIMES)
    if len(names) > 1 and rows and _is_day(rows[0][0]):
        return Recognised("series", "a series by date", _series_of(path.name, names), True, _preview(names, rows))
    raise BadRequest(
        f"{path.name} is {what_it_is(head, path.name)}. A series has a date in its first column and then its value; headlines have "
        f"{' or '.join(headlines.TIMES)}, and {' or '.join(headlines.TEXTS)}; releases have a time, event, country and impact, or are ForexFactory's week as JSON or XML; a feed is RSS or Atom"
    )


def _table(text: str) -> tuple[list[str], list[list[str]]]:
    first = text.partition("\n")[0]
    separator = max(SEPARATORS, key=first.count)
    try:
        complete = text if len(text) < HEAD // 2 else text.rpartition("\n")[0]      # the last line of a long file is cut somewhere
        rows = [row for row in csv.reader(io.StringIO(complete), delimiter=separator) if row]
    except csv.Error:
        return [], []
    names = [name.strip().lower() for name in rows[0]] if rows else []
    return names, [row for row in rows[1 : SAMPLE + 1] if len(row) == len(names)]


def _with_times(kind: str, title: str, names: list[str], rows: list[list[str]], times: Sequence[str]) -> Recognised:
    column = next((name for name in times if name in names), None)
    if column is None:
        raise BadRequest(f"the file looks like {title}, but has no column with the time; call it {' or '.join(times)}")
    at = [STAMP.fullmatch(row[names.index(column)].strip()) for row in rows]
    zoned = column == releases.UTC_BY_NAME or all(match and (match["zone"] or not match["clock"]) for match in at)
    return Recognised(kind, title, "", zoned, _preview(names, rows))


def _is_day(text: str) -> bool:
    match = STAMP.fullmatch(text.strip())
    return bool(match and not match["clock"])


def _series_of(file: str, names: Sequence[str]) -> str:
    """By FRED's id or the table's name, as a column or in the name of the file."""
    identifiers = {*names[1:], *file.lower().replace(".", "_").replace("-", "_").split("_")}
    return next((row.name for row in series().values() if identifiers & {row.file.lower(), row.name.lower()}), "")


def _preview(names: Sequence[str], rows: Sequence[Sequence[str]]) -> pd.DataFrame:
    return pd.DataFrame(rows[:PREVIEW_ROWS], columns=list(names))


def _feed_preview(path: Path, text: str, max_bytes: int) -> pd.DataFrame:
    """The first headlines; of a feed that cannot be read its first lines."""
    try:
        first = headlines.headlines_of(path, max_bytes=max_bytes).frame.head(PREVIEW_ROWS)
    except BadRequest:
        return pd.DataFrame(dict(beginning=[line[:160] for line in text.splitlines()[:PREVIEW_ROWS]]))
    return first.assign(ts=first["ts"].dt.strftime("%Y-%m-%d %H:%M UTC"))


def _releases_preview(path: Path, text: str, max_bytes: int) -> pd.DataFrame:
    """The first releases; of a file that cannot be read its first lines, as the import reports the reason."""
    try:
        first = releases.read_releases(path, max_bytes=max_bytes).frame.head(PREVIEW_ROWS)
    except BadRequest:
        return pd.DataFrame(dict(beginning=[line[:160] for line in text.splitlines()[:PREVIEW_ROWS]]))
    return first.assign(ts=first["ts"].dt.strftime("%Y-%m-%d %H:%M UTC"))
