"""FRED, the economic data of the Federal Reserve Bank of St. Louis: each observation as it was first published, and when.

``/fred/series/vintagedates`` lists the days on which a series was published. ``/fred/series/observations`` with a real-time period gives the values
that stood in that period, each with the day from which it did (``realtime_start``): the first of them is its publication. One request may span 2,000
days of publication at most.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from domain.errors import BadRequest, listed
from domain.outside.rows import ReadTable, counted
from domain.outside.series import EconomicSeries, series
from domain.outside.source import OUTSIDE_SOURCES, OutsideRequest
from domain.venues.http import Connection, Refused, Transient
from domain.venues.vendor import VENDORS, Need, Vendor

if TYPE_CHECKING:
    from requests import Session

KEY = "TIDEMARK_FRED_KEY"
OBSERVATIONS, PUBLICATIONS = "/fred/series/observations", "/fred/series/vintagedates"
OURS = re.compile(r"[A-Z0-9]+")         # ids of FRED's series; those of others have a dash or a dot
END = "9999-12-31"                      # FRED's last real-time date
PAGE = 1_500                            # publications of a request
LIMITS = {OBSERVATIONS: 100_000, PUBLICATIONS: 10_000}      # rows of an answer

FRED = VENDORS.add("fred", Vendor(
    "fred", "FRED", "economic series: each observation as first published, with the date of its publication.", "https://api.stlouisfed.org", "TIDEMARK_FRED_URL",
    (Need(KEY, "a key", "at fred.stlouisfed.org, My Account, API Keys (free)"),), pace=(2, 1.0), kind="series",
))  # fmt: skip


class Observation(NamedTuple):
    """The value of ``day`` as it was first published, and the day of that."""

    day: date
    published: date
    value: float


class Fred:
    """A value counts from the day of its publication, at the time of day of its row in the table of series."""

    name, title, kind = "fred", "FRED", "series"

    def check(self, request: OutsideRequest) -> None:
        about = series().get(request.name)
        if about is None or not OURS.fullmatch(about.file):
            ours = [name for name, row in series().items() if OURS.fullmatch(row.file)]
            raise BadRequest(f"FRED has no series {request.name!r} of our table; it has {listed(ours, 20)}")
        if request.start and request.end and request.start > request.end:
            raise BadRequest(f"the period ends on {request.end}, before it starts on {request.start}; choose a later end")

    def fetch(self, request: OutsideRequest, connection: Connection) -> ReadTable:
        self.check(request)
        about = series()[request.name]
        query = dict(series_id=about.file, file_type="json", sort_order="asc")
        publications = [date.fromisoformat(day) for day in _rows(connection, PUBLICATIONS, query, "vintage_dates")]
        span = {name: day.isoformat() for name, day in (("observation_start", request.start), ("observation_end", request.end)) if day}
        first: dict[date, Observation] = {}
        for at in range(0, len(publications), PAGE):
            after = publications[at + PAGE : at + PAGE + 1]
            period = dict(realtime_start=publications[at].isoformat(), realtime_end=(after[0] - timedelta(days=1)).isoformat() if after else END)
            rows = [_observation(row) for row in _rows(connection, OBSERVATIONS, {**query, **span, **period}, "observations")]
            for each in sorted((row for row in rows if row), key=lambda row: row.published):
                first.setdefault(each.day, each)        # one that stood at a period's begin was published in an earlier one
        if len(first) > request.max_rows:
            raise BadRequest(f"FRED has {len(first):,} observations of {request.name}, which is more than the limit; choose a shorter period")
        return _table(about, [first[day] for day in sorted(first)], publications[0] if publications else None)


def _rows(connection: Connection, path: str, params: dict[str, str], key: str) -> list[Any]:
    """All rows of an answer, page by page."""
    rows: list[Any] = []
    session, count = connection.session(), 1
    while len(rows) < count:
        page = {**params, "limit": str(LIMITS[path]), "offset": str(len(rows))}
        answer = connection.call(lambda page=page: _answer(session, connection, path, page, key), deadline=connection.timeout)      # type: ignore[misc]
        rows += answer[key]
        count = int(answer.get("count", 0)) if answer[key] else 0
    return rows


def _answer(session: Session, connection: Connection, path: str, params: dict[str, str], key: str) -> Any:
    """A whole answer; what FRED says of a bad request, without the key."""
    response = session.get(connection.url + path, params={**params, "api_key": connection.keys[KEY]})
    try:
        answer = response.json()
    except ValueError:
        raise Transient("its answer is incomplete JSON") from None
    if response.status_code >= 400:
        raise Refused(_refusal(response.status_code, answer, params["series_id"]))
    if not isinstance(answer, dict) or not isinstance(answer.get(key), list):
        raise Transient(f"its answer has no {key}")
    return answer


def _refusal(status: int, answer: Any, series_id: str) -> str:
    """What a refused request means: FRED answers 400 to a bad key too."""
    message = str(answer.get("error_message", "")) if isinstance(answer, dict) else ""
    if "api_key" in message:
        return f"FRED does not take the key; check {KEY}"
    if "does not exist" in message:
        return f"FRED has no series {series_id}, or keeps no archive of its publications; import its CSV instead: https://fred.stlouisfed.org/graph/fredgraph.csv?id={series_id}"
    return f"FRED answered {status} for {series_id}: it does not take this request"


def _observation(row: Any) -> Observation | None:
    """None where FRED writes a dot: no value on that day."""
    try:
        if row["value"] == ".":
            return None
        return Observation(date.fromisoformat(row["date"]), date.fromisoformat(row["realtime_start"]), float(row["value"]))
    except (KeyError, TypeError, ValueError):
        raise Refused(f"FRED gave an observation that cannot be read: {str(row)[:120]}") from None


def _table(about: EconomicSeries, observations: list[Observation], archived: date | None) -> ReadTable:
    """``date, value, published``. Publications are archived from some day on only: what stood on it already counts by the series' own lag, and is stated."""
    if not observations:
        raise BadRequest(f"FRED has no observation of {about.name} in that period; choose an earlier start")
    days, published = (np.array([getattr(each, name) for each in observations], "datetime64[D]") for name in ("day", "published"))
    usual = about.known_at(days)
    clock = about.known_at(np.array(["2024-07-12"], "datetime64[D]"))[0] % 86_400_000_000_000
    known = published.astype("datetime64[ns]").astype(np.int64) + clock
    old = (published == np.datetime64(archived or days[0], "D")) & (usual < known)
    known = np.maximum.accumulate(np.where(old, usual, known))          # never known before an older date's value
    frame = pd.DataFrame(dict(
        date=pd.Series(pd.to_datetime(days.astype("datetime64[ns]"), utc=True)).dt.as_unit("ns"), value=[each.value for each in observations],
        published=pd.Series(pd.to_datetime(known, utc=True)).dt.as_unit("ns"),
    ))  # fmt: skip
    notes = ["Each value is the first that was published, known from the day of its publication."]
    if old.any():
        notes.append(counted(int(old.sum()), "value was", "values were", f"published before FRED's archive of publications begins on {archived}: {'it is' if old.sum() == 1 else 'they are'} as of that day, known by the usual lag ({about.lag})."))
    return ReadTable(frame, tuple(notes))


OUTSIDE_SOURCES.add(Fred.name, Fred())
