"""Rejected and resized orders: by sizing, margin, limits, and every other reason."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from app.backtest.panels import headed, read
from app.kit.figures import number, plural
from app.kit.widgets import table
from worker.desk import Desk
from worker.desk.outcomes import label


def view(desk: Desk, run: Any) -> None:
    by_reason, first = read(desk, "refusals", run.id)
    total = int(by_reason["orders"].sum())
    left, right = st.columns([2, 3], gap="medium")
    with left:
        headed(desk, run, "Counts", f"of {number(run.summary['signals'])} signals on {number(run.summary['bars'])} bars")
        counts = [dict(what=label(key), times=count) for key, count in sorted(run.summary["counts"].items(), key=lambda item: -item[1]) if count]
        if counts:
            table(pd.DataFrame(counts), {"what": st.column_config.TextColumn("Outcome", width=180), "times": st.column_config.NumberColumn("Times", format="localized", width=80)}, "Outcomes of signals with their counts")
        else:
            st.caption("Every signal led to a trade.")
    with right:
        headed(desk, run, "Order checks", "rejected or resized by sizing, margin or limits, UTC", "refused" if total else "")
        if not total:
            st.caption("No order was rejected or resized." if "reviews" in run.frames else "This run was created by an older version, which did not record them.")
            return
        st.caption(" · ".join(f"{_reason(label(row.verdict), label(row.reason))} {number(row.orders)}" for row in by_reason.itertuples()))
        shown = first.assign(ts=first["ts"].dt.strftime("%Y-%m-%d %H:%M"), reason=first["reason"].map(label), verdict=first["verdict"].map(label))
        table(shown, _columns(), "Rejected and resized orders, oldest first", row_height=26, height=320)
        if total > len(first):
            st.caption(f"The first {len(first):,} of {plural(total, 'order')}; the CSV has all.")


def _reason(verdict: str, reason: str) -> str:
    """
    >>> _reason("Reduced", "Reduced to leverage limit"), _reason("Rejected", "Insufficient margin")
    ('Reduced to leverage limit', 'Rejected: Insufficient margin')
    """
    return reason if reason.startswith(verdict) else f"{verdict}: {reason}"


def _columns() -> dict[str, Any]:
    config = st.column_config
    return {
        "order_id": config.NumberColumn("Order", format="%d", width=56),
        "ts": config.TextColumn("UTC", width=112),
        "instrument": config.TextColumn("Instrument", width=80),
        "verdict": config.TextColumn("Verdict", width=62),
        "reason": config.TextColumn("Reason", width=106),
        "lots_requested": config.NumberColumn("Requested, lots", format="%.2f", width=96),
        "lots_given": config.NumberColumn("Filled", format="%.2f", width=50),
    }
