"""The views of a run, one tab each; only the open one is drawn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from app.backtest import costs, distribution, equity, groups, months, rejected, robustness, trades
from app.backtest.record import audit_view, manifest_view
from worker.desk import Desk

VIEWS: dict[str, Callable[[Desk, Any], None]] = {
    "Trades": trades.view,
    "Equity": equity.view,
    "Months": months.view,
    "Distribution": distribution.view,
    "Groups": groups.view,
    "Costs": costs.view,
    "Refused": rejected.view,
    "Manifest": manifest_view,
    "Audit trail": audit_view,
}
NAMES = [*list(VIEWS)[:6], "Believe", *list(VIEWS)[6:]]


def views(desk: Desk, run: Any, believed: Any) -> None:
    for tab, name in zip(st.tabs(NAMES, key="view", bind="query-params"), NAMES, strict=True):
        if tab.open:
            with tab:
                if name == "Believe":
                    robustness.view(desk, run, believed)
                else:
                    VIEWS[name](desk, run)
