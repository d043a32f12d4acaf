"""Files that are account histories but cannot be read as they are: workbooks, and reports in another language."""

from __future__ import annotations

import re
from pathlib import Path

from domain.compliance.histories.base import HistoryLimits
from domain.compliance.histories.rows import html_rows
from domain.errors import BadRequest

WORKBOOKS = {b"PK\x03\x04": (".xlsx", ".xlsm"), b"\xd0\xcf\x11\xe0": (".xls",)}
STAMP = re.compile(r"\d{4}\.\d{2}\.\d{2} \d{2}:\d{2}(:\d{2})?")


def workbook(path: Path) -> None:
    """Refuses a workbook by its name: MetaTrader 5 writes its report as one too."""
    if path.suffix.lower() in (".xlsx", ".xlsm", ".xls", ".ods"):
        raise BadRequest(
            f"{path.name} is a workbook, which is not read; in MetaTrader 5 save the report as HTML (History, "
            "Report, HTML), or save the workbook as CSV and import that"
        )


def another_language(head: str, name: str) -> None:
    """Refuses a MetaTrader report whose headings are not English: its rows show by times and the words buy and sell."""
    if "<tr" not in head.lower():
        return
    if "strategy tester" in head.lower():
        raise BadRequest(
            f"{name} is a report of MetaTrader's strategy tester, not of an account; run the strategy here, or save "
            "the report of an account's history"
        )
    rows = list(html_rows(head, name, HistoryLimits()))
    traded = [
        row
        for row in rows
        if {"buy", "sell"} & {text.lower() for text in row.texts} and any(STAMP.fullmatch(text) for text in row.texts)
    ]
    if traded:
        header = next((row for row in reversed(rows) if row.line < traded[0].line and len(row.texts) > 5), None)
        words = f" (its columns are called {', '.join(header.texts[:4])!r})" if header else ""
        raise BadRequest(
            f"{name} is a MetaTrader report in another language{words}; switch the terminal to English (View, "
            "Languages), save the report again and import that"
        )
