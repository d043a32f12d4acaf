"""The views of a run, one tab each; only the open one is drawn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from app.backtest import costs, distribution, equity, groups, months, rejected, robustness, statistics, trades
from app.backtest.record import audit_view, manifest_view
from app.kit.address import address_value, missing
from worker.desk import Desk

ROBUSTNESS = "Robustness"
VIEWS: dict[str, Callable[[Desk, Any], None]] = {
    "Trades": trades.view,
    "Statistics": statistics.view,
    "Equity": equity.view,
    "Monthly returns": months.view,
    "Distribution": distribution.view,
    "Breakdown": groups.view,
    "Costs": costs.view,
    "Rejected orders": rejected.view,
    "Reproducibility": manifest_view,
    "Audit trail": audit_view,
}
NAMES = [*list(VIEWS)[:7], ROBUSTNESS, *list(VIEWS)[7:]]
TAB = "run-tab"     # key of the open tab
ALIASES = {"Months": "Monthly returns", "Groups": "Breakdown", "Believe": ROBUSTNESS, "Refused": "Rejected orders", "Manifest": "Reproducibility"}     # names in addresses of earlier versions
BY_LETTERS = {name.casefold(): name for name in NAMES} | {former.casefold(): name for former, name in ALIASES.items()}


def _opened() -> None:
    """Write the open tab into the address, as a step that the browser's Back undoes; the first tab leaves it clean."""
    name = st.session_state[TAB]
    if name == NAMES[0]:
        st.query_params.pop("view", None)
    else:
        st.query_params["view"] = name


def views(desk: Desk, run: Any, evidence: Any) -> None:
    """Draw the open tab. ``evidence``: results of the robustness checks."""
    wanted = address_value("view")
    if wanted not in NAMES and (name := BY_LETTERS.get(wanted.casefold())):
        st.query_params["view"] = name
        st.rerun()
    elif wanted and wanted not in NAMES:
        missing("view", wanted, "Choose one below.")
    st.session_state[TAB] = wanted if wanted in NAMES else NAMES[0]
    for tab, name in zip(st.tabs(NAMES, key=TAB, on_change=_opened), NAMES, strict=True):
        if tab.open:
            with tab:
                if name == ROBUSTNESS:
                    robustness.view(desk, run, evidence)
                else:
                    VIEWS[name](desk, run)
