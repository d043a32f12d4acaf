"""Orders that did not go as asked: what sizing, margin and limits refused, shrank or capped, and every other reason."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from app.backtest.panels import headed, read
from app.kit.figures import number, plural
from app.kit.widgets import table
from worker.desk import Desk


def view(desk: Desk, run: Any) -> None:
    by_reason, first = read(desk, "refusals", run.id)
    total = int(by_reason["orders"].sum())
    left, right = st.columns([2, 3], gap="medium")
    with left:
        headed(desk, run, "Counts", f"of {number(run.summary['signals'])} signals on {number(run.summary['bars'])} bars")
        counts = [dict(what=key.replace("_", " "), times=count) for key, count in sorted(run.summary["counts"].items(), key=lambda item: -item[1]) if count]
        if counts:
            table(pd.DataFrame(counts), {"what": st.column_config.TextColumn("What happened", width=180), "times": st.column_config.NumberColumn("Times", format="localized", width=80)}, "Counts of what happened to signals")
        else:
            st.caption("Every signal became a trade.")
    with right:
        headed(desk, run, "Reviewed", "orders that sizing, margin or limits refused, shrank or capped, UTC", "refused" if total else "")
        if not total:
            st.caption("None was refused or made smaller." if "reviews" in run.frames else "An older version made this run: it did not keep them.")
            return
        st.caption(" · ".join(f"{row.verdict}: {str(row.reason).replace('_', ' ')} {number(row.orders)}" for row in by_reason.itertuples()))
        shown = first.assign(ts=first["ts"].dt.strftime("%Y-%m-%d %H:%M"), reason=first["reason"].str.replace("_", " "))
        table(shown, _columns(), "Orders that were refused or made smaller, oldest first", row_height=26, height=320)
        if total > len(first):
            st.caption(f"The first {len(first):,} of {plural(total, 'order')}; the CSV has all.")


def _columns() -> dict[str, Any]:
    config = st.column_config
    return {
        "order_id": config.NumberColumn("Order", format="%d", width=56),
        "ts": config.TextColumn("UTC", width=112),
        "instrument": config.TextColumn("Instrument", width=80),
        "verdict": config.TextColumn("Verdict", width=62),
        "reason": config.TextColumn("Reason", width=106),
        "lots_asked": config.NumberColumn("Asked, lots", format="%.2f", width=76),
        "lots_given": config.NumberColumn("Given", format="%.2f", width=50),
    }
