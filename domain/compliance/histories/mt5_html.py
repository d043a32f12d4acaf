"""MetaTrader 5's history report as HTML (History, Report, HTML), which it writes in UTF-16."""

from __future__ import annotations

import re
from pathlib import Path

from domain.compliance.histories.base import HISTORY_READERS, HistoryLimits, HistoryReader, Statement
from domain.compliance.histories.columns import Cells
from domain.compliance.histories.mt5_report import statement_of
from domain.compliance.histories.rows import html_rows, text_of

BANNER = re.compile(r"<(?:b|th)[^>]*>\s*(?:<[^>]{1,200}>\s*){0,3}(Positions|Deals|Orders)\s*<", re.IGNORECASE)


class MetaTrader5Html(HistoryReader):
    """Times are the broker's server's: the report does not say which clock that is."""

    key = "mt5_html"
    title = "MetaTrader 5 history report (HTML)"

    def recognise(self, head: str, name: str) -> str:
        start = head.lower()
        if "<t" not in start or "closed transactions:" in start or "strategy tester report" in start:
            return ""
        if "trade history report" in start:
            return "its title Trade History Report"
        banner = BANNER.search(head)
        return f"its section {banner[1]}" if banner and re.search(r"\d{4}\.\d{2}\.\d{2} \d{2}:\d{2}", head) else ""

    def read(self, path: Path, limits: HistoryLimits) -> Statement:
        return statement_of(html_rows(text_of(path, limits), path.name, limits), Cells(path.name))


HISTORY_READERS.add(MetaTrader5Html.key, MetaTrader5Html())
