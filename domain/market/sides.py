"""Which side of the market prices quote: what a person said, and what a reader recognised."""

from __future__ import annotations

from domain.errors import BadRequest, unknown

USABLE = ("bid", "mid")


def resolve_side(requested: str, recognised: str | None, name: str) -> str:
    """The side of the prices of the file ``name``: as recognised where nothing is requested, bid where nothing is known either.

    A file that says another side than the requested one is refused, and so are prices that are neither bid nor mid.

    >>> resolve_side("", "mid", "a.csv"), resolve_side("", None, "a.csv"), resolve_side("mid", None, "a.csv")
    ('mid', 'bid', 'mid')
    >>> resolve_side("", "ask", "EURUSD_ask.csv")
    Traceback (most recent call last):
    ...
    domain.errors.BadRequest: EURUSD_ask.csv holds ask prices, and bars quote the bid or the mid. Import it together with the file of bid prices; if only its name says ask, rename the file
    """
    if requested and requested not in USABLE:
        raise unknown("side", requested, USABLE)
    if recognised == "ask":
        raise BadRequest(
            f"{name} holds ask prices, and bars quote the bid or the mid. Import it together with the file of bid prices; "
            "if only its name says ask, rename the file"
        )
    if requested and recognised in USABLE and recognised != requested:
        raise BadRequest(f"{name} holds {recognised} prices, and {requested} was asked for; leave the side out, or give {recognised}")
    if not requested and recognised not in (None, *USABLE):
        raise BadRequest(f"{name} holds {recognised} prices, and bars quote the bid or the mid; choose which of them these stand for")
    return requested or recognised or USABLE[0]
