"""The trading journal of backtests: notes on trades; and the tags and favourites of runs."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Response
from pydantic import Field

from app.api.paging import Cursor, Limit, before_of, cursor_of, json_of, utc
from app.api.plain import plain
from app.api.runs import shown
from app.api.shapes import Body, Listed, Time
from app.api.submission import Here
from worker.desk import TradeFilter

router = APIRouter(prefix="/v1/backtests", tags=["backtests"])
Trade = Annotated[int, Path(ge=1, le=2**31 - 1)]
Order = Literal["trade_id", "entry_ts", "exit_ts", "pnl", "r", "pips", "mae_r", "mfe_r", "hours", "spread", "slippage", "commission", "swap", "lots"]


class NoteBody(Body):
    """A note and labels, over what was there. Both empty: the note is removed."""

    note: str = Field(default="", max_length=2_000)
    labels: list[str] = Field(default=[], max_length=10, examples=[["news", "late entry"]])


class TagsBody(Body):
    """The tags of a result from now on."""

    tags: list[str] = Field(max_length=20, examples=[["candidate"]])


class FavouriteBody(Body):
    """Whether a result is one of your favourites."""

    favourite: bool


@router.get("/search", response_model=Listed)
def search(desk: Here, text: Annotated[str, Query(max_length=200)] = "", tag: Annotated[list[str], Query(max_length=20)] = [], favourites: bool = False, limit: Limit = 100, cursor: Cursor = "") -> Any:  # noqa: B006
    """Backtests with all these words in title, name, note or id and all these tags; of your favourites only, where requested. Newest first."""
    page = desk.run_list.find(text, tag, favourites, limit, before_of(cursor))
    items = [dict(shown(run, "backtests"), tags=list(page.tags.get(run.id, ())), favourite=run.id in page.favourites) for run in page.runs]
    return dict(items=items, next=cursor_of(page.last[0].isoformat(), page.last[1]) if page.last else None, altered=dict(page.altered))


@router.get("/tags")
def tags(desk: Here) -> Response:
    """Every tag in use, with the number of results."""
    return json_of(dict(desk.run_list.tags()))


@router.get("/{run_id}/tags")
def tags_of(desk: Here, run_id: str) -> Response:
    """The tags of a result, and whether it is one of your favourites."""
    desk.listing.run(run_id, "backtest")
    return json_of(dict(tags=desk.run_list.tags_of(run_id), favourite=desk.run_list.is_favourite(run_id)))


@router.put("/{run_id}/tags")
def set_tags(desk: Here, run_id: str, body: TagsBody) -> Response:
    """Set the tags of a result."""
    desk.listing.run(run_id, "backtest")
    return json_of(dict(tags=desk.run_list.set_tags(run_id, body.tags)))


@router.put("/{run_id}/favourite")
def set_favourite(desk: Here, run_id: str, body: FavouriteBody) -> Response:
    """Mark a result as one of your favourites, or no longer."""
    desk.listing.run(run_id, "backtest")
    desk.run_list.set_favourite(run_id, body.favourite)
    return json_of(dict(favourite=body.favourite))


@router.get("/{run_id}/notes")
def notes(desk: Here, run_id: str) -> Response:
    """All notes on the trades of a result, by trade. `elsewhere`: of the same settings and bars, on trades that this result does not have."""
    written = desk.journal.of(run_id)
    return json_of(dict(notes={str(trade): plain(note) for trade, note in written.on.items()}, elsewhere=plain(written.elsewhere), labels=written.labels))


@router.put("/{run_id}/notes/{trade}")
def write_note(desk: Here, run_id: str, trade: Trade, body: NoteBody) -> Response:
    """Write a note and labels on a trade. They are kept with settings and bars: the same backtest run again has them too."""
    return json_of(plain(desk.journal.save(run_id, trade, body.note, body.labels)))


@router.get("/{run_id}/journal")
def journal(
    desk: Here, run_id: str, side: Annotated[list[Literal["long", "short"]], Query()] = [], instrument: Annotated[list[str], Query()] = [], reason: Annotated[list[str], Query()] = [],  # noqa: B006
    tag: Annotated[list[str], Query()] = [], label: Annotated[list[str], Query()] = [], entered_from: Time | None = None, entered_until: Time | None = None, net_from: float | None = None,  # noqa: B006
    net_to: float | None = None, r_from: float | None = None, r_to: float | None = None, text: Annotated[str, Query(max_length=200)] = "", order: Order = "trade_id", descending: bool = False,
    page: Annotated[int, Query(ge=1, le=1_000_000)] = 1, size: Annotated[int, Query(ge=1, le=1_000)] = 100,
) -> Response:  # fmt: skip
    """Trades that fit all of it, with pips, costs by kind, excursions in R and money, cumulative net, labels and note. `count`, `net` and `won` are of all that fit, `total` of the result."""
    desk.listing.run(run_id, "backtest")
    chosen = TradeFilter(side, instrument, reason, tag, label, utc(entered_from), utc(entered_until), net_from, net_to, r_from, r_to, text)
    return json_of(plain(desk.trade_list.find(run_id, chosen, order, descending, page, size)))
