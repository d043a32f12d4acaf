"""Scheduled releases: calendars of economic news as they stand in files, and the instants that concern an instrument."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from domain.errors import BadRequest, listed, unknown
from domain.market.instrument import Instrument
from domain.market.readers.base import MAX_BYTES, MAX_ROWS
from domain.market.readers.files import content, head_of
from domain.outside.rows import ReadTable, counted, in_order, instant, instants, rows_of, text_of, times
from domain.parsing import json_of

TABLE = Path(__file__).with_name("currencies.toml")
IMPACTS = ("low", "medium", "high")
NO_RELEASE = ("holiday", "non-economic", "none", "")    # what calendars write as the impact of a day off
EVERY = "ALL"                                           # the currency of what moves all of them
TIMES, TITLES = ("datetime_utc", "ts", "datetime", "time", "date"), ("event", "title", "name")
COUNTRIES, IMPACT = ("country", "currency"), ("impact",)
UTC_BY_NAME = "datetime_utc"


@cache
def currencies() -> Mapping[str, str]:
    """Name or code in small letters -> currency.

    >>> currencies()["germany"], currencies()["gb"], currencies()["nzd"], currencies()["all"]
    ('EUR', 'GBP', 'NZD', 'ALL')
    """
    table = tomllib.loads(TABLE.read_text(encoding="utf-8"))["names"]
    return {name: currency for currency, names in table.items() for name in (currency.lower(), *names)}


def read_releases(path: Path, utc: bool = False, max_bytes: int = MAX_BYTES, max_rows: int = MAX_ROWS) -> ReadTable:
    """``ts, title, currency, impact`` of a calendar: CSV, or the week of ForexFactory as JSON or XML, whose times are in GMT.

    A time without a zone is refused unless ``utc`` is set. What has no time of day, is no release or is of no currency in the table is left out and counted.
    """
    beginning = head_of(path, max_bytes).lstrip()
    parse = _json if beginning.startswith((b"[", b"{")) else _xml if beginning.startswith(b"<") else _csv
    return _releases(path.name, *parse(path, utc, max_bytes, max_rows))


def own_currencies(instrument: Instrument) -> tuple[str, ...]:
    """Whose releases concern an instrument: of a pair both, of all else that of its prices.

    >>> from domain.market.instrument import instrument
    >>> own_currencies(instrument("EURUSD")), own_currencies(instrument("XAUUSD"))
    (('EUR', 'USD'), ('USD',))
    """
    return (instrument.base, instrument.quote) if instrument.kind == "fx" else (instrument.quote,)


def concerning(releases: pd.DataFrame, instrument: Instrument, impact: str = "high") -> np.ndarray:
    """Instants of the releases of an instrument's own currencies with that impact or more, each once, in order: nanoseconds UTC.

    >>> from domain.market.instrument import instrument
    >>> week = pd.DataFrame(dict(ts=pd.to_datetime(["2024-07-11T12:30Z"] * 3), title=["CPI"] * 3, currency=["USD", "JPY", "ALL"], impact=["high", "high", "low"]))
    >>> [len(concerning(week, instrument("EURUSD"), impact)) for impact in ("high", "low")], len(concerning(week.iloc[1:2], instrument("EURUSD")))
    ([1, 1], 0)
    """
    if impact not in IMPACTS:
        raise unknown("impact of a release", impact, IMPACTS)
    wanted = releases["currency"].isin([*own_currencies(instrument), EVERY]) & releases["impact"].isin(IMPACTS[IMPACTS.index(impact) :])
    return np.unique(releases.loc[wanted, "ts"].dt.as_unit("ns").astype("int64").to_numpy())


# -- three shapes of file: rows of (where it stands, instant, title, country, impact)

Event = tuple[str, int | None, str, str, str]


def _csv(path: Path, utc: bool, max_bytes: int, max_rows: int) -> tuple[Sequence[Event], str]:
    rows = rows_of(path, max_bytes, max_rows)
    column, title = rows.needed(TIMES, "the time of each release"), rows.needed(TITLES, "what is released")
    country, impact = rows.needed(COUNTRIES, "whose it is"), rows.needed(IMPACT, "how much it moves, low, medium or high")
    at = instants(rows, column, utc or column == UTC_BY_NAME)
    return [(f"row {line}", *row) for line, row in zip(rows.lines, zip(at, *(rows.cells[name] for name in (title, country, impact)), strict=True), strict=True)], "row"


def _json(path: Path, utc: bool, max_bytes: int, max_rows: int) -> tuple[Sequence[Event], str]:
    week = json_of(text_of(path, max_bytes), path.name)
    if not isinstance(week, list) or not all(isinstance(item, dict) for item in week):
        raise BadRequest(f"{path.name} is JSON, but no list of releases; it must be like ForexFactory's week: a list of objects with title, country, date and impact")
    return [_of_json(item, f"event {k}", path.name, utc) for k, item in enumerate(week[: max_rows + 1], 1)], "event"


def _of_json(item: Mapping[str, Any], where: str, file: str, utc: bool) -> Event:
    missing = [name for name in ("title", "country", "date", "impact") if not isinstance(item.get(name), str)]
    if missing:
        raise BadRequest(f"{where} of {file} has no {listed(missing)}; it needs title, country, date and impact, each a text")
    try:
        return where, instant(item["date"], utc), item["title"], item["country"], item["impact"]
    except ValueError as error:
        raise BadRequest(f"{where} of {file} has the date {item['date']!r}{error}") from None


def _xml(path: Path, utc: bool, max_bytes: int, max_rows: int) -> tuple[Sequence[Event], str]:
    from domain.outside.weekly_xml import events_of

    return [_of_xml(event, f"event {k}", path.name) for k, event in enumerate(events_of(path.name, content(path, max_bytes), max_rows), 1)], "event"


def _of_xml(item: Mapping[str, str], where: str, file: str) -> Event:
    missing = [name for name in ("title", "country", "date", "time", "impact") if name not in item]
    if missing:
        raise BadRequest(f"{where} of {file} has no {listed(missing)}; it needs title, country, date, time and impact")
    if ":" not in item["time"]:      # All Day, Tentative, Day 1, 19th-24th
        return where, None, item["title"], item["country"], item["impact"]
    try:
        at = datetime.strptime(f"{item['date']} {item['time']}", "%m-%d-%Y %I:%M%p")
    except ValueError:
        raise BadRequest(f"{where} of {file} is at {item['date']!r} {item['time']!r}; it must be like 12-31-2024 1:30pm") from None
    return where, instant(f"{at:%Y-%m-%dT%H:%M}Z"), item["title"], item["country"], item["impact"]


# -- events to a table of releases


def _releases(file: str, events: Iterable[Event], noun: str) -> ReadTable:
    releases, without_clock, days_off, strangers = [], 0, 0, []
    for where, at, title, country, impact in events:
        level = impact.strip().lower()
        if level in NO_RELEASE:
            days_off += 1
        elif level not in IMPACTS:
            raise BadRequest(f"{where} of {file} has the impact {impact!r}; it must be low, medium or high")
        elif at is None:
            without_clock += 1
        elif country.strip().lower() not in currencies():
            strangers.append(country.strip() or "none")
        else:
            releases.append((at, title.strip(), currencies()[country.strip().lower()], level))
    notes = [
        *([counted(without_clock, f"{noun} has", f"{noun}s have", "no time of day, such as All Day or Tentative, and is left out." if without_clock == 1 else "no time of day, such as All Day or Tentative, and are left out.")] if without_clock else []),
        *([counted(days_off, f"{noun} is", f"{noun}s are", "no release, such as a holiday, and is left out." if days_off == 1 else "no release, such as a holiday, and are left out.")] if days_off else []),
        *([counted(len(strangers), f"{noun} is", f"{noun}s are", f"of no known currency and left out: {listed(dict.fromkeys(strangers))}.")] if strangers else []),
    ]
    if not releases:
        raise BadRequest(f"{file} holds no release with a time of day and a currency. {' '.join(notes)}".strip())
    frame = pd.DataFrame(releases, columns=["ts", "title", "currency", "impact"])
    ordered = in_order(frame.assign(ts=times(frame["ts"].tolist())), "releases")
    return ReadTable(ordered.frame, (*notes, *ordered.notes))
