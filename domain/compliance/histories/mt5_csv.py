"""MetaTrader 5's history report as separated text: its Excel form saved as CSV, with the same sections."""

from __future__ import annotations

from pathlib import Path

from domain.compliance.histories.amounts import decimal_of
from domain.compliance.histories.base import HISTORY_READERS, HistoryLimits, HistoryReader, Statement
from domain.compliance.histories.columns import Cells, word
from domain.compliance.histories.mt5_report import DEALS, POSITIONS, statement_of
from domain.compliance.histories.rows import text_of, text_rows


class MetaTrader5Csv(HistoryReader):
    """Times are the broker's server's: the report does not say which clock that is."""

    key = "mt5_csv"
    title = "MetaTrader 5 history report (CSV)"

    def recognise(self, head: str, name: str) -> str:
        if "<" in head[:2_000]:
            return ""
        lines = [word(line.strip(',;\t \r"\ufeff')) for line in head.split("\n")[:400]]
        section = next((line for line in lines if line in (POSITIONS, DEALS, "trade history report")), "")
        return f"its line {section.capitalize()}" if section else ""

    def read(self, path: Path, limits: HistoryLimits) -> Statement:
        rows = list(text_rows(text_of(path, limits), path.name, limits))
        decimal = decimal_of((text for row in rows for text in row.texts), path.name)
        return statement_of(rows, Cells(path.name, decimal))


HISTORY_READERS.add(MetaTrader5Csv.key, MetaTrader5Csv())
