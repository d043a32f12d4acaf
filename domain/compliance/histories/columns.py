"""Columns of a statement by the words over them, and its cells as trades and bookings."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from domain.compliance.histories.amounts import POINT, amount
from domain.compliance.histories.base import BOUGHT, CHARGE, CREDIT, FLOW, SOLD, Stated, StatedTrade
from domain.compliance.histories.rows import Row
from domain.compliance.histories.stamps import stamp
from domain.errors import BadRequest

PLAIN = re.compile(r"[^a-z0-9/]+")
SIDES = {"buy": BOUGHT, "sell": SOLD, "long": BOUGHT, "short": SOLD}
PENDING = re.compile(r"(buy|sell)[ _](limit|stop|stop limit)", re.IGNORECASE)
PAIR = re.compile(
    r"((?:AUD|CAD|CHF|CNH|CZK|DKK|EUR|GBP|HKD|HUF|JPY|MXN|NOK|NZD|PLN|SEK|SGD|THB|TRY|USD|ZAR){2})[^A-Z].*"
)
FLOWS = ("balance", "deposit", "withdrawal", "transfer", "correction", "internal transfer")
CREDITS = ("credit", "bonus", "credit in", "credit out")
CHARGES = (
    "charge",
    "commission",
    "daily commission",
    "monthly commission",
    "commission daily",
    "commission monthly",
    "daily agent commission",
    "monthly agent commission",
    "agent commission",
    "agent",
    "interest",
    "interest rate",
    "dividend",
    "franked dividend",
    "tax",
    "buy canceled",
    "sell canceled",
    "so compensation",
    "stop out compensation",
)


@dataclass(frozen=True)
class Layout:
    """Which column is what: name -> place. Names that come twice, such as the two times and prices of a trade, are
    numbered: price, price 2.
    """

    places: Mapping[str, int]
    words: tuple[str, ...]

    def __contains__(self, name: str) -> bool:
        return name in self.places

    def text(self, row: Row, *names: str) -> str:
        """The cell of the first of these columns that there is."""
        return next((row[self.places[name]] for name in names if name in self.places), "")


def layout_of(row: Row) -> Layout:
    """
    >>> layout = layout_of(Row(1, {0: "Time", 1: "S / L", 2: "Time", 3: "Price"}))
    >>> dict(layout.places)
    {'time': 0, 's/l': 1, 'time 2': 2, 'price': 3}
    """
    places: dict[str, int] = {}
    words = tuple(word(text) for _, text in sorted(row.cells.items()))
    for place, text in sorted(row.cells.items()):
        name, count = word(text), 1
        while name and (numbered := name if count == 1 else f"{name} {count}") in places:
            count += 1
        if name:
            places[numbered] = place
    return Layout(places, words)


def word(text: str) -> str:
    """
    >>> word("S / L"), word("Units/Lots"), word("Close Time"), word("Duration (DD:HH:MM:SS)")
    ('s/l', 'units/lots', 'close time', 'duration dd hh mm ss')
    """
    return PLAIN.sub(" ", text.lower()).strip().replace(" / ", "/")


@dataclass(frozen=True)
class Cells:
    """Reads cells of one file: how its numbers and dates are written."""

    file: str
    decimal: str = POINT
    order: str = ""

    def time(self, row: Row, text: str, what: str) -> int:
        at = stamp(text, self.order)
        if at is None:
            raise self.refused(row, what, text, "a time")
        return at

    def number(self, row: Row, text: str, what: str, empty: float | None = None) -> float:
        """``empty``: the value of an empty cell; without it one is refused."""
        if not text.strip() and empty is not None:
            return empty
        value = amount(text, self.decimal)
        if math.isnan(value):
            raise self.refused(row, what, text, "a number")
        return value

    def refused(self, row: Row, what: str, text: str, wanted: str) -> BadRequest:
        return BadRequest(
            f"{self.file}, row {row.line:,}: its {what} is {text[:40]!r}, which is not {wanted}; export the file again"
        )

    def lots(self, row: Row, text: str) -> float:
        """The volume of a trade; of ``0.05 / 0.10`` the part that was filled."""
        lots = self.number(row, text.split("/")[0], "volume")
        if lots <= 0:
            raise self.refused(row, "volume", text, "above zero")
        return lots

    def stop(self, row: Row, text: str) -> float:
        """A stop's price; none is written as 0, as nothing or as a dash."""
        value = 0.0 if text.strip() in ("", "-", "–") else self.number(row, text, "stop loss")
        return value if value else math.nan

    def trade(self, row: Row, layout: Layout, opened: int, closed: int, prices: tuple[str, str]) -> StatedTrade:
        """A row with columns as every statement has them; ``prices``: the texts of entry and exit."""
        return StatedTrade(
            ticket=layout.text(row, "ticket", "position", "order", "deal"),
            symbol=layout.text(row, "item", "symbol"),
            side=SIDES[layout.text(row, "type", "action").lower()],
            lots=self.lots(row, layout.text(row, "size", "volume", "lots", "units/lots")),
            opened=opened,
            open_price=self.number(row, prices[0], "open price"),
            closed=closed,
            close_price=self.number(row, prices[1], "close price", math.nan if closed < 0 else None),
            stop_loss=self.stop(row, layout.text(row, "s/l", "sl", "stop loss")),
            commission=self.number(row, layout.text(row, "commission", "commis"), "commission", 0.0)
            + self.number(row, layout.text(row, "fee"), "fee", 0.0),
            taxes=self.number(row, layout.text(row, "taxes", "tax"), "taxes", 0.0),
            swap=self.number(row, layout.text(row, "swap", "r/o swap"), "swap", 0.0),
            profit=self.number(row, layout.text(row, "profit", "trade p/l"), "profit"),
            comment=layout.text(row, "comment") or row.hidden or row.title,
            line=row.line,
        )


def booking_of(kind: str) -> str:
    """Whether a row of this type is a cash flow, credit or a charge; empty: it is none of them.

    >>> booking_of("balance"), booking_of("Credit"), booking_of("commission daily"), booking_of("buy")
    ('flow', 'credit', 'charge', '')
    """
    kind = word(kind)
    return FLOW if kind in FLOWS else CREDIT if kind in CREDITS else CHARGE if kind in CHARGES else ""


def stated_of(rows: Sequence[Row], file: str) -> Stated:
    """The totals among the rows: a cell ``Balance:`` is followed by its value."""
    labels: dict[str, float] = {}
    for row in rows:
        texts = row.texts
        for label, value in itertools.pairwise(texts):
            if label.endswith(":") and not math.isnan(number := amount(value)):
                labels.setdefault(word(label), number)
    nan = math.nan
    return Stated(
        labels.get("balance", nan),
        labels.get("equity", nan),
        labels.get("credit facility", nan),
        labels.get("floating p/l", nan),
    )


def instrument_of(symbol: str, known: Mapping[str, object]) -> str:
    """The instrument that a broker's symbol names: without its suffix where that is one we know, else in capitals.

    >>> table = {"EURUSD": 1, "XAUUSD": 1, "US500": 1}
    >>> [instrument_of(symbol, table) for symbol in ("eurusd.p", "XAUUSDm", "EURUSD_ecn", "US500.cash", "BTCUSD")]
    ['EURUSD', 'XAUUSD', 'EURUSD', 'US500', 'BTCUSD']
    >>> instrument_of("AUDJPY.", table), instrument_of("USDMXN-2", table)
    ('AUDJPY', 'USDMXN')
    """
    name = symbol.upper()
    if name in known:
        return name
    longest = max(
        (key for key in known if len(key) >= 5 and name.startswith(key.upper()) and len(name) - len(key) <= 6),
        key=len,
        default="",
    )
    if longest:
        return longest
    pair = PAIR.match(name)
    return pair[1] if pair else name
