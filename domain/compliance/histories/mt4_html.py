"""MetaTrader 4's statement as HTML: Account History, Save as (Detailed) Report. Sections Closed Transactions, Open
Trades, Working Orders and Summary; deposits, withdrawals and credit stand among the closed transactions.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from domain.compliance.histories.base import (
    HISTORY_READERS,
    TRADE,
    Change,
    HistoryLimits,
    HistoryReader,
    StatedTrade,
    Statement,
)
from domain.compliance.histories.columns import PENDING, SIDES, Cells, Layout, booking_of, layout_of, stated_of, word
from domain.compliance.histories.rows import Row, html_rows, text_of
from domain.errors import BadRequest

CLOSED, OPEN, WORKING, SUMMARY = "closed transactions", "open trades", "working orders", "summary"
SECTIONS = (CLOSED, OPEN, WORKING, SUMMARY, "details")
REQUIRED = ("ticket", "open time", "type", "price", "close time", "price 2", "profit")
ACCOUNT = re.compile(r"(?:account|a/c no)\s*:\s*(\w+)", re.IGNORECASE)
CURRENCY = re.compile(r"currency:\s*([A-Za-z]{3})\b", re.IGNORECASE)


class MetaTrader4Html(HistoryReader):
    """Times are the broker's server's: the statement does not say which clock that is."""

    key = "mt4_html"
    title = "MetaTrader 4 statement (HTML)"

    def recognise(self, head: str, name: str) -> str:
        start = head.lower()
        if "<tr" not in start and "<table" not in start:
            return ""
        return "its section Closed Transactions" if "closed transactions:" in start else ""

    def read(self, path: Path, limits: HistoryLimits) -> Statement:
        sections = sections_of(html_rows(text_of(path, limits), path.name, limits))
        if CLOSED not in sections.rows:
            raise BadRequest(
                f"{path.name} has no section Closed Transactions; save the report of MetaTrader 4's Account History "
                "again"
            )
        top = "\n".join(text for row in sections.top for text in row.texts)
        account, currency = ACCOUNT.search(top), CURRENCY.search(top)
        closed = transactions(sections.rows[CLOSED], Cells(path.name))
        opened = transactions(sections.rows.get(OPEN, []), Cells(path.name), closed=False)
        return Statement(
            trades=tuple(closed.trades),
            changes=tuple(closed.changes),
            open_trades=tuple(opened.trades),
            cancelled=closed.cancelled,
            stated=stated_of(sections.rows.get(SUMMARY, []), path.name),
            currency=currency[1].upper() if currency else "",
            account=account[1] if account else "",
        )


@dataclass
class Sections:
    """Rows before the first section, and of each section."""

    top: list[Row] = field(default_factory=list)
    rows: dict[str, list[Row]] = field(default_factory=dict)


@dataclass
class Transactions:
    trades: list[StatedTrade] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    cancelled: int = 0


def sections_of(rows: Iterable[Row]) -> Sections:
    """Rows by section: one begins with a row of a single cell, its name and a colon."""
    sections, current = Sections(), None
    for row in rows:
        texts = row.texts
        name = word(texts[0]) if len(texts) == 1 and texts[0].endswith(":") else ""
        if name in SECTIONS:
            current = sections.rows.setdefault(name, [])
        else:
            (sections.top if current is None else current).append(row)
    return sections


def transactions(rows: Sequence[Row], cells: Cells, closed: bool = True) -> Transactions:
    """Trades, bookings and cancelled orders of a section. A row that is none of them is refused."""
    result = Transactions()
    layout: Layout | None = None
    for row in rows:
        if layout is None:
            layout = header(row, cells, closed)
        elif row.first:
            if row.first.endswith(":"):
                break
            _take(result, row, layout, cells, closed)
    return result


def header(row: Row, cells: Cells, closed: bool) -> Layout:
    layout = layout_of(row)
    missing = [name for name in REQUIRED if name not in layout and (closed or name != "close time")]
    if missing:
        raise BadRequest(
            f"{cells.file} has no column {missing[0]!r} over its transactions, but {', '.join(row.texts[:4])!r}: "
            "only statements in English can be read. "
            "Switch the terminal to English (View, Languages) and save the report again"
        )
    return layout


def _take(result: Transactions, row: Row, layout: Layout, cells: Cells, closed: bool) -> None:
    kind = layout.text(row, "type").lower()
    if kind in SIDES:
        times = [
            cells.time(row, layout.text(row, name), name) for name in ("open time", *(["close time"] if closed else []))
        ]
        trade = cells.trade(
            row, layout, times[0], times[1] if closed else -1, (layout.text(row, "price"), layout.text(row, "price 2"))
        )
        result.trades.append(trade)
        if closed:
            result.changes.append(Change(trade.closed, trade.net, TRADE, trade.comment, row.line))
    elif PENDING.fullmatch(kind):
        result.cancelled += 1
    elif booking := booking_of(kind):
        amount = cells.number(row, layout.text(row, "profit") or row.texts[-1], "amount")
        at = cells.time(row, layout.text(row, "open time"), "time")
        result.changes.append(
            Change(at, amount, booking, row.title or (row.texts[3] if len(row.texts) > 4 else ""), row.line)
        )
    elif len(row.texts) > 1:
        raise BadRequest(
            f"{cells.file}, row {row.line:,}: its type is {kind[:40]!r}, which is no trade, order or booking; export "
            "the file again"
        )


HISTORY_READERS.add(MetaTrader4Html.key, MetaTrader4Html())
