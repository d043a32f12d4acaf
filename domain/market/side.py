"""The quote side of bars: that of the file is used, requested or refused, never replaced."""

from __future__ import annotations

from domain.errors import BadRequest, unknown

QUOTED = ("bid", "mid")  # sides that a backtest fills on
SIDES = (*QUOTED, "ask")
MEANINGS = {"bid": "the bid", "mid": "the middle between bid and ask", "ask": "the ask"}


def resolve_side(requested: str | None, recognised: str | None, name: str = "the file") -> str:
    """``bid`` or ``mid``: the side of the bars of the file ``name``.

    ``requested`` is what a person says ("" or None: as the file says), ``recognised`` what its reader saw (None:
    nothing). Without either the bars are taken for the bid. Bars of asks alone are refused, and so are two that
    contradict each other.

    >>> resolve_side("", "mid"), resolve_side("mid", None), resolve_side("", None)
    ('mid', 'mid', 'bid')
    >>> resolve_side("bid", "ask", "a.csv")
    Traceback (most recent call last):
    ...
    domain.errors.BadRequest: a.csv quotes the ask, not bid; leave the side out, or rename the file if the name is wrong
    """
    if requested and requested not in SIDES:
        raise unknown("side", requested, SIDES)
    if requested and recognised and requested != recognised:
        raise BadRequest(
            f"{name} quotes {MEANINGS.get(recognised, recognised)}, not {requested}; "
            "leave the side out, or rename the file if the name is wrong"
        )
    side = requested or recognised or "bid"
    if side not in QUOTED:
        raise BadRequest(
            f"{name} quotes the ask, and orders are filled on the bid and its spread, "
            "so asks alone cannot be used. Import the file with the bids of the same "
            "bars and add this one as its asks: tidemark data import BID.csv --ask ASK.csv, or on the page Data, Import. "
            "If only the name says ask, rename the file"
        )
    return side


def check_pair(bid: str | None, ask: str | None, bid_name: str, ask_name: str) -> None:
    """Refuses two files to be joined that do not quote the bid and the ask, as far as they say."""
    if bid == "ask" and ask == "bid":
        raise BadRequest(f"{bid_name} quotes the ask and {ask_name} the bid; give them the other way round")
    if bid not in (None, "bid"):
        raise BadRequest(
            f"{bid_name} quotes {MEANINGS.get(bid, bid)}; the bids come first, and the asks are added to them"
        )
    if ask not in (None, "ask"):
        raise BadRequest(f"{ask_name} quotes {MEANINGS.get(ask, ask)}; give the file with the asks of the same bars")
