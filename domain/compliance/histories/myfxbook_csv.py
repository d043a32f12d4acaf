"""Myfxbook's CSV export: Open Date, Close Date, Symbol, Action, Units/Lots, …, newest first, deposits among the trades.

Its dates have the month first. Its profit is net of commission and swap: of a published row, 0.20 lots of GBPUSD from
1.30377 to 1.30451 are 14.80, the commission is -1.51, and the profit column has 13.29.
"""

from __future__ import annotations

from pathlib import Path

from domain.compliance.histories.base import HISTORY_READERS, HistoryLimits, HistoryReader, Statement
from domain.compliance.histories.stamps import MONTH_FIRST
from domain.compliance.histories.tables import header_in, table_of

NAMES = {
    "kind": "action",
    "opened": "open date",
    "closed": "close date",
    "open price": "open price",
    "close price": "close price",
}


class MyfxbookCsv(HistoryReader):
    """Times are those that the owner set Myfxbook to show, mostly the broker's server's; the file does not say."""

    key = "myfxbook_csv"
    title = "Myfxbook export (CSV)"

    def recognise(self, head: str, name: str) -> str:
        layout = header_in(head, (*NAMES.values(), "symbol", "profit"))
        return "its columns Open Date, Close Date, Symbol, Action" if layout else ""

    def read(self, path: Path, limits: HistoryLimits) -> Statement:
        return table_of(path, limits, NAMES, MONTH_FIRST, net=True)


HISTORY_READERS.add(MyfxbookCsv.key, MyfxbookCsv())
