"""A CSV of signals in the place of a strategy: uploaded, checked row by row, traded by the same kernel."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import streamlit as st

from app.kit.figures import number
from app.kit.spool import content
from app.kit.widgets import attempt
from worker.desk import Desk

SIGNALS = "signals"         # in the place of a strategy's name
TITLE = "Signals from a CSV"
ABOUT = "One row for each signal: ts (UTC, of the bar that decided it) and side; then instrument, order, stop_loss, target_1 and the other columns of tidemark backtest --signals. It is filled from the next bar on, as a strategy's signal is."


def signals_box(desk: Desk, key: str, before: Mapping[str, Any]) -> dict[str, Any]:
    """The chosen table as a request names it; empty before there is one. ``before``: of the run to start from."""
    kept = f"{key}-table"
    file = st.file_uploader("Signals", type=["csv", "txt"], key=f"{kept}-upload", max_upload_size=desk.settings.data.max_import_mb, help=ABOUT)
    if file is not None and st.session_state.get(f"{kept}-read") != file.file_id:
        st.session_state[f"{kept}-read"] = file.file_id
        staged = attempt(lambda: desk.signal_files.stage(file.name, content(file)))
        st.session_state[kept] = staged.plain if staged else {}
    return dict(st.session_state.get(kept) or before.get(SIGNALS) or {})


def counted(desk: Desk, request: Any) -> None:
    """How many signals lie in the period, or the sentence on the first row that is wrong."""
    if not request or not request.signals:
        return
    names = [desk.data.get(dataset).instrument for dataset in request.datasets]
    both = attempt(lambda: _counts(desk, request.signals, names, request.start, request.end))
    if both:
        inside, every = both
        left = f"; the other {number(every - inside)} are left out" if every > inside else ""
        st.caption(f"{request.signals['name']}: {number(inside)} of {number(every)} signals lie in the period{left}.")


def _counts(desk: Desk, signals: Mapping[str, Any], names: list[str], start: datetime, end: datetime) -> tuple[int, int]:
    return desk.signal_files.counted(signals, names, start, end)
