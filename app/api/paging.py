"""Lists and tables in parts: a cursor says where the next part begins, and means the same however much has come since."""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, overload

import pandas as pd
from fastapi import Depends, Query, Request
from starlette.responses import JSONResponse, Response

from app.api.plain import plain, rows
from app.api.problem import Problem
from app.api.shapes import Time
from app.api.submission import Here
from worker.desk.export import with_former

EARLIEST, LATEST = 1700, 2200       # years that times of 64 bits of nanoseconds hold
ARROW = "application/vnd.apache.arrow.stream"
QUALITY = re.compile(r"(?:^|;)\s*q\s*=\s*([01](?:\.\d{0,3})?)\s*(?:;|$)", re.IGNORECASE)
Limit = Annotated[int, Query(ge=1, le=1_000, description="how many at most")]
Cursor = Annotated[str, Query(max_length=500, description="`next` of the part before")]
Since = Annotated[Time | None, Query(description="from this time on; RFC 3339, without a zone UTC")]
Until = Annotated[Time | None, Query(description="before this time")]


def cursor_of(*place: Any) -> str:
    """
    >>> place_of(cursor_of("2024-05-01T00:00:00+00:00", "a1"))
    ['2024-05-01T00:00:00+00:00', 'a1']
    """
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")


def place_of(cursor: str) -> list[Any]:
    try:
        place = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
    except (ValueError, RecursionError):
        place = None
    if not isinstance(place, list):
        raise Problem(422, f"the cursor {cursor[:40]!r} is none of ours; give `next` of the part before, or leave it out")
    return place


def number_of(cursor: str) -> int:
    """The one whole number of a cursor; 0 where there is none."""
    if not cursor:
        return 0
    place = place_of(cursor)
    if len(place) != 1 or type(place[0]) is not int or not 0 <= place[0] < 2**62:
        raise Problem(422, f"the cursor {cursor[:40]!r} belongs to another list")
    return place[0]


def before_of(cursor: str) -> tuple[datetime, str] | None:
    """The last item of the part before, by its time and id."""
    if not cursor:
        return None
    place = place_of(cursor)
    try:
        at, name = place
        if not name.isprintable():
            raise ValueError
        return utc(datetime.fromisoformat(at)), name
    except (AttributeError, TypeError, ValueError):
        raise Problem(422, f"the cursor {cursor[:40]!r} belongs to another list") from None


def listed(items: Sequence[Any], limit: int, shown: Callable[[Any], Any], place: Callable[[Any], str]) -> dict[str, Any]:
    """A part of a list of which one more than ``limit`` were read."""
    part = items[:limit]
    return dict(items=[shown(item) for item in part], next=place(part[-1]) if len(items) > limit else None)


@overload
def utc(at: datetime) -> datetime: ...
@overload
def utc(at: None) -> None: ...
def utc(at: datetime | None) -> datetime | None:
    """A time without a zone is UTC."""
    if at is not None and not EARLIEST <= at.year <= LATEST:
        raise Problem(422, f"the year {at.year} cannot be meant; give a time between {EARLIEST} and {LATEST}")
    return at if at is None or at.tzinfo else at.replace(tzinfo=UTC)


class Wanted:
    """The rows of a table that a request wants."""

    def __init__(
        self, request: Request, desk: Here, limit: Annotated[int, Query(ge=1, le=100_000, description="rows at most")] = 1_000, cursor: Cursor = "", since: Since = None, until: Until = None,
        fields: Annotated[str, Query(max_length=2_000, description="columns, separated by commas; all where it is left out")] = "",
    ) -> None:  # fmt: skip
        self._limit, self._start, self._since, self._until = limit, number_of(cursor), utc(since), utc(until)
        self._fields, self._arrow = [each.strip() for each in fields.split(",") if each.strip()], wants_arrow(request.headers.get("accept", ""))
        self._address, self._desk = request.url, desk

    def of(self, frame: pd.DataFrame, time: str = "ts") -> Response:
        """JSON, or with ``Accept: application/vnd.apache.arrow.stream`` an Arrow stream. ``time``: the column that ``since`` and ``until`` are about."""
        chosen = self._columns(self._span(with_former(frame), time))
        part = chosen.iloc[self._start : self._start + self._limit]
        end = self._start + len(part)
        following = cursor_of(end) if end < len(chosen) else None
        if self._arrow:
            link = {"link": f'<?{self._address.include_query_params(cursor=following).query}>; rel="next"'} if following else {}
            return Response(arrow(part), headers=self._desk.checkpoints.header() | link, media_type=ARROW)
        return JSONResponse(dict(columns=[str(name) for name in part.columns], rows=rows(part), total=len(chosen), next=following), headers=self._desk.checkpoints.header())

    def _span(self, frame: pd.DataFrame, time: str) -> pd.DataFrame:
        if self._since is None and self._until is None:
            return frame
        if time not in frame:
            raise Problem(422, "this table has no times, so `since` and `until` mean nothing for it; leave them out")
        at = pd.to_datetime(frame[time], utc=True)
        first, last = (pd.Timestamp(each) if each else None for each in (self._since, self._until))
        return frame[(at >= first if first is not None else True) & (at < last if last is not None else pd.Series(True, frame.index))]

    def _columns(self, frame: pd.DataFrame) -> pd.DataFrame:
        for name in self._fields:
            if name not in frame:
                raise Problem(422, f"there is no column {name[:40]!r}; there are {', '.join(map(str, frame.columns))}")
            if self._fields.count(name) > 1:
                raise Problem(422, f"the column {name[:40]!r} is requested {self._fields.count(name)} times; name it once")
        return frame[self._fields] if self._fields else frame


Rows = Annotated[Wanted, Depends(Wanted)]


def wants_arrow(accept: str) -> bool:
    """Whether a client names Arrow, and nothing that it likes better.

    >>> wants_arrow(ARROW), wants_arrow(f"application/json, {ARROW}; q=0.5"), wants_arrow(f"{ARROW};q=0"), wants_arrow(f"{ARROW}, */*;q=0.1"), wants_arrow("*/*")
    (True, False, False, True, False)
    """
    wishes = {name.strip().lower(): QUALITY.search(more) for name, _, more in (each.partition(";") for each in accept.split(","))}
    liked = {name: float(match[1]) if match else 1.0 for name, match in wishes.items()}
    return liked.get(ARROW, 0.0) > 0 and liked[ARROW] >= liked.get("application/json", 0.0)


def arrow(frame: pd.DataFrame) -> bytes:
    import pyarrow as pa

    table = pa.Table.from_pandas(frame, preserve_index=False)
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def json_of(value: Any, status: int = 200) -> JSONResponse:
    return JSONResponse(plain(value), status)


def named(items: Iterable[Any], *fields: str) -> list[dict[str, Any]]:
    """Some fields of each item."""
    return [{field: plain(getattr(item, field)) for field in fields} for item in items]
