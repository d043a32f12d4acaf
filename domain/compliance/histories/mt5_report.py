"""MetaTrader 5's trade history report: its sections Positions, Orders, Deals and Open Positions, and its totals.

The deals are what moved the balance, each at its time and mostly with the balance after it; the positions are the round
trips. A report without positions (of netting accounts before 2020) has its trades put together from the deals.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from domain.compliance.histories.base import CREDIT, TRADE, Change, StatedTrade, Statement
from domain.compliance.histories.columns import SIDES, Cells, Layout, booking_of, layout_of, stated_of, word
from domain.compliance.histories.legs import legs_of
from domain.compliance.histories.matching import Deal, matched
from domain.compliance.histories.rows import Row
from domain.errors import BadRequest

POSITIONS, ORDERS, DEALS, OPEN = "positions", "orders", "deals", "open positions"
SECTIONS = (POSITIONS, ORDERS, DEALS, OPEN, "working orders", "results", "summary")
REQUIRED = {
    POSITIONS: ("time", "symbol", "type", "volume", "price", "time 2", "price 2", "profit"),
    DEALS: ("time", "deal", "symbol", "type", "direction", "volume", "price", "profit"),
    ORDERS: ("type", "state"),
    OPEN: ("time", "symbol", "type", "volume", "price", "profit"),
}
LOGIN = re.compile(r"(\d{3,})(?:\s*\(([^)]*)\))?")
CODE = re.compile(r"[A-Z]{3}")
CANCELLED = ("canceled", "cancelled", "expired", "rejected")


@dataclass
class Sections:
    top: list[Row] = field(default_factory=list)
    rows: dict[str, list[Row]] = field(default_factory=dict)
    rest: list[Row] = field(default_factory=list)


def sections_of(rows: Iterable[Row]) -> Sections:
    """Rows by section: one begins with its name alone in a row. What follows the last section's rows are the totals."""
    sections, current = Sections(), None
    for row in rows:
        texts = row.texts
        name = word(texts[0]) if len(texts) == 1 else ""
        if name in SECTIONS:
            current = sections.rows.setdefault(name, [])
        elif current is None:
            sections.top.append(row)
        elif row.first.endswith(":") or (row.texts and row.texts[0].endswith(":")):
            sections.rest.append(row)
        else:
            current.append(row)
    return sections


def statement_of(rows: Iterable[Row], cells: Cells) -> Statement:
    sections = sections_of(rows)
    if not {POSITIONS, DEALS} & set(sections.rows):
        raise BadRequest(
            f"{cells.file} has neither positions nor deals; save the report of MetaTrader 5's History again"
        )
    account, currency, company = _account(sections.top)
    deals = _section(sections, DEALS, cells)
    changes = [_change(row, layout, cells) for row, layout in deals]
    trades = [_position(row, layout, cells) for row, layout in _section(sections, POSITIONS, cells)]
    by_deals = not trades and bool(deals)
    traded = [deal for row, layout in deals if (deal := _deal(row, layout, cells))]
    legs = [] if by_deals else legs_of(trades, traded) if deals else trades
    if by_deals:
        trades = matched(traded)
        legs = [replace(trade, commission=0.0) for trade in trades]
    if not deals:
        changes = [Change(trade.closed, trade.net, TRADE, trade.comment, trade.line) for trade in trades]
    return Statement(
        trades=tuple(trades),
        changes=tuple(changes),
        legs=tuple(legs),
        currency=currency,
        account=account,
        company=company,
        open_trades=tuple(_open(row, layout, cells) for row, layout in _section(sections, OPEN, cells)),
        cancelled=sum(
            layout.text(row, "state").lower() in CANCELLED for row, layout in _section(sections, ORDERS, cells)
        ),
        stated=stated_of(sections.rest, cells.file),
        matched=by_deals and bool(trades),
        notes=_notes(bool(deals)),
    )


def _notes(deals: bool) -> tuple[str, ...]:
    return (
        ()
        if deals
        else (
            "The file has no deals, so deposits and withdrawals are not known, and a partial close counts when its "
            "position closed.",
        )
    )


def _account(top: Sequence[Row]) -> tuple[str, str, str]:
    """Number, currency and company; the owner's name is not read."""
    values = {word(row.texts[0]): row.texts[1] for row in top if len(row.texts) > 1}
    match = LOGIN.search(values.get("account", ""))
    parts = [part.strip() for part in (match[2] or "").split(",")] if match else []
    currency = next((part for part in parts if CODE.fullmatch(part)), "")
    return match[1] if match else "", currency, values.get("company", "")


def _section(sections: Sections, name: str, cells: Cells) -> list[tuple[Row, Layout]]:
    """The rows of a section that are records, each with the section's layout."""
    rows = sections.rows.get(name, [])
    if not rows:
        return []
    layout = layout_of(rows[0])
    missing = [column for column in REQUIRED[name] if column not in layout]
    if missing:
        raise BadRequest(
            f"{cells.file} has no column {missing[0]!r} in its section {name}, but {', '.join(rows[0].texts[:4])!r}: "
            "only reports in English can be read. "
            "Switch the terminal to English (View, Languages) and save the report again"
        )
    records = [row for row in rows[1:] if row.first]
    for row in records:
        if not layout.text(row, "type"):
            raise BadRequest(f"{cells.file}, row {row.line:,} of its section {name} has no type; export the file again")
    return [(row, layout) for row in records]


def _position(row: Row, layout: Layout, cells: Cells) -> StatedTrade:
    _checked_side(row, layout, cells)
    opened, closed = (cells.time(row, layout.text(row, name), name) for name in ("time", "time 2"))
    return cells.trade(row, layout, opened, closed, (layout.text(row, "price"), layout.text(row, "price 2")))


def _open(row: Row, layout: Layout, cells: Cells) -> StatedTrade:
    _checked_side(row, layout, cells)
    return cells.trade(
        row,
        layout,
        cells.time(row, layout.text(row, "time"), "time"),
        -1,
        (layout.text(row, "price"), layout.text(row, "market price")),
    )


def _checked_side(row: Row, layout: Layout, cells: Cells) -> None:
    kind = layout.text(row, "type").lower()
    if kind not in SIDES:
        raise BadRequest(
            f"{cells.file}, row {row.line:,}: its type is {kind[:40]!r}, not buy or sell; save the report in English "
            "and import it again"
        )


def _change(row: Row, layout: Layout, cells: Cells) -> Change:
    kind = layout.text(row, "type").lower()
    booking = TRADE if kind in SIDES else booking_of(kind)
    if not booking:
        raise BadRequest(
            f"{cells.file}, row {row.line:,}: its type is {kind[:40]!r}, which is no deal or booking; export the "
            "file again"
        )
    amount = math.fsum(
        cells.number(row, layout.text(row, name), name, 0.0) for name in ("commission", "fee", "swap", "profit")
    )
    balance = cells.number(row, layout.text(row, "balance"), "balance", math.nan) if booking != CREDIT else math.nan
    return Change(
        cells.time(row, layout.text(row, "time"), "time"),
        amount,
        booking,
        layout.text(row, "comment"),
        row.line,
        balance,
    )


def _deal(row: Row, layout: Layout, cells: Cells) -> Deal | None:
    kind = layout.text(row, "type").lower()
    if kind not in SIDES:
        return None
    money = {
        name: cells.number(row, layout.text(row, name), name, 0.0) for name in ("commission", "fee", "swap", "profit")
    }
    return Deal(
        ticket=layout.text(row, "deal"),
        at=cells.time(row, layout.text(row, "time"), "time"),
        symbol=layout.text(row, "symbol"),
        side=SIDES[kind],
        direction=layout.text(row, "direction").lower(),
        lots=cells.lots(row, layout.text(row, "volume")),
        price=cells.number(row, layout.text(row, "price"), "price"),
        commission=money["commission"] + money["fee"],
        swap=money["swap"],
        profit=money["profit"],
        comment=layout.text(row, "comment"),
        line=row.line,
    )
