"""Statements that are one table of separated text, a row a trade: where the header is, and its rows as a statement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from domain.compliance.histories.amounts import decimal_of
from domain.compliance.histories.base import TRADE, Change, HistoryLimits, StatedTrade, Statement
from domain.compliance.histories.columns import PENDING, SIDES, Cells, Layout, booking_of, layout_of
from domain.compliance.histories.rows import Row, separator_of, text_of, text_rows
from domain.compliance.histories.stamps import order_of
from domain.errors import BadRequest

HEADER_WITHIN = 40  # rows, in which titles may stand before the header
Names = Mapping[str, str]


def header_in(head: str, required: Sequence[str]) -> Layout | None:
    """The layout of the first line that has all of these columns."""
    lines = head.split("\n")[:HEADER_WITHIN]
    separator = separator_of(lines)
    rows = text_rows("\n".join(line.replace('"', "") for line in lines), "the file", HistoryLimits(), separator)
    return next((layout for row in rows if set(required) <= set((layout := layout_of(row)).places)), None)


def table_of(path: Path, limits: HistoryLimits, names: Names, usual: str = "", net: bool = False) -> Statement:
    """``names``: what is needed of a row (kind, opened, closed, open price, close price) -> the column it stands in.
    ``usual``: the order of days and months that the vendor writes. ``net``: profit is net of commission and swap.
    """
    rows = list(text_rows(text_of(path, limits), path.name, limits))
    start, layout = _header(rows, names, path.name)
    decimal = decimal_of((text for row in rows[start + 1 :] for text in row.texts), path.name)
    columns = [names["opened"], names["closed"]]
    order, note = order_of(
        (layout.text(row, column) for row in rows[start + 1 :] for column in columns), path.name, usual
    )
    cells = Cells(path.name, decimal, order)
    result = _Taken(cells, layout, names, net)
    for row in rows[start + 1 :]:
        if not result.take(row):
            break
    return Statement(
        trades=tuple(result.trades),
        changes=tuple(sorted(result.changes, key=lambda change: change.at)),
        cancelled=result.cancelled,
        notes=(note,) if note else (),
    )


def _header(rows: Sequence[Row], names: Names, file: str) -> tuple[int, Layout]:
    for place, row in enumerate(rows[:HEADER_WITHIN]):
        layout = layout_of(row)
        if all(name in layout for name in names.values()):
            return place, layout
    raise BadRequest(f"{file} has no header with {', '.join(names.values())}; export it again in English")


class _Taken:
    """What the rows of a table held so far."""

    def __init__(self, cells: Cells, layout: Layout, names: Names, net: bool) -> None:
        self.cells, self.layout, self.names, self.net = cells, layout, names, net
        self.trades: list[StatedTrade] = []
        self.changes: list[Change] = []
        self.cancelled = 0

    def take(self, row: Row) -> bool:
        """False where the table ends: at a row that is a title, such as Open Trades, or a total."""
        kind = self.layout.text(row, self.names["kind"]).lower()
        if kind in SIDES:
            self._trade(row)
        elif PENDING.fullmatch(kind):
            self.cancelled += 1
        elif booking := booking_of(kind):
            amount = self.cells.number(row, self.layout.text(row, "profit") or row.texts[-1], "amount")
            at = self.cells.time(row, self.layout.text(row, self.names["opened"]), "time")
            self.changes.append(Change(at, amount, booking, self.layout.text(row, "comment"), row.line))
        elif kind:
            raise self.cells.refused(row, "type", kind, "a trade, order or booking")
        else:
            return not (len(row.texts) == 1 and row.texts[0].replace(" ", "").isalpha())
        return True

    def _trade(self, row: Row) -> None:
        times = [
            self.cells.time(row, self.layout.text(row, self.names[name]), f"{name} time")
            for name in ("opened", "closed")
        ]
        prices = (self.layout.text(row, self.names["open price"]), self.layout.text(row, self.names["close price"]))
        trade = self.cells.trade(row, self.layout, times[0], times[1], prices)
        if self.net:
            trade = replace(trade, profit=trade.profit - trade.commission - trade.taxes - trade.swap)
        self.trades.append(trade)
        self.changes.append(Change(trade.closed, trade.net, TRADE, trade.comment, row.line))
