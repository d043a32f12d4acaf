"""Account history with MetaTrader 4's columns as separated text: Ticket, Open Time, Type, Size, Item, Price, Close
Time, Price, Profit;
and that of MQL5's signals, which begins with Time, Type, Volume, Symbol, Price.
"""

from __future__ import annotations

from pathlib import Path

from domain.compliance.histories.base import HISTORY_READERS, HistoryLimits, HistoryReader, Statement
from domain.compliance.histories.tables import header_in, table_of

NAMES = {"kind": "type", "opened": "open time", "closed": "close time", "open price": "price", "close price": "price 2"}
CLOSE_PRICE = {**NAMES, "open price": "open price", "close price": "close price"}
SIGNALS = {**NAMES, "opened": "time", "closed": "time 2"}
TICKET = ("open time", "type", "close time", "profit")
SIGNAL = ("time", "type", "volume", "symbol", "price", "time 2", "price 2", "profit")


class MetaTrader4Csv(HistoryReader):
    """Times are the broker's server's: the file does not say which clock that is."""

    key = "mt4_csv"
    title = "MetaTrader 4 account history (CSV)"

    def recognise(self, head: str, name: str) -> str:
        layout = None if "<" in head[:2_000] else header_in(head, TICKET)
        return (
            "its columns Open Time, Type, Close Time and Profit"
            if layout and ("price 2" in layout or "close price" in layout)
            else ""
        )

    def read(self, path: Path, limits: HistoryLimits) -> Statement:
        from domain.compliance.histories.rows import text_of

        layout = header_in(text_of(path, limits)[:65_536], TICKET)
        return table_of(
            path, limits, CLOSE_PRICE if layout and "close price" in layout and "open price" in layout else NAMES
        )


class SignalsCsv(HistoryReader):
    """Times are the broker's server's: the file does not say which clock that is."""

    key = "mql5_signal_csv"
    title = "MQL5 signal history (CSV)"

    def recognise(self, head: str, name: str) -> str:
        layout = None if "<" in head[:2_000] else header_in(head, SIGNAL)
        return (
            "its columns Time, Type, Volume, Symbol, Price"
            if layout and "position" not in layout and "deal" not in layout
            else ""
        )

    def read(self, path: Path, limits: HistoryLimits) -> Statement:
        return table_of(path, limits, SIGNALS)


HISTORY_READERS.add(MetaTrader4Csv.key, MetaTrader4Csv())
HISTORY_READERS.add(SignalsCsv.key, SignalsCsv())
