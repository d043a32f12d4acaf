"""Exports of a run: reports and data."""

from __future__ import annotations

from functools import partial
from typing import Any

import streamlit as st

from app.kit.widgets import download
from worker.desk import Desk

REPORTS = {"html": ("Report, HTML", "text/html"), "txt": ("Report, text", "text/plain"), "equity.svg": ("Equity, SVG", "image/svg+xml"), "drawdown.svg": ("Drawdown, SVG", "image/svg+xml")}
TABLES = ("trades", "fills", "equity")
FORMS = {"csv": ("CSV", "text/csv"), "parquet": ("Parquet", "application/octet-stream")}


def export(desk: Desk, run: Any) -> None:
    """Draw the export menu. Each file is created on request; a download leaves an audit event."""
    name = f"{run.id}_{run.spec['strategy']}"
    left, right = st.columns(2, gap="medium")
    with left:
        st.caption("Reports")
        for form, definition in desk.compare.forms().items():
            label, mime = REPORTS[form]
            download(label, f"{name}_{form}" if form.endswith("svg") else f"{name}_report.{form}", mime, partial(desk.compare.report, run.id, form), f"export-report-{form}", about=definition)
        download("Manifest, JSON", f"{name}_manifest.json", "application/json", partial(desk.backtests.download, run.id, "manifest", "json"), "export-manifest-json", about="Settings, data, engine version, libraries and all metrics.")
    with right:
        st.caption("Data")
        for what in TABLES:
            for form, (label, mime) in FORMS.items():
                download(f"{what.capitalize()}, {label}", f"{name}_{what}.{form}", mime, partial(desk.backtests.download, run.id, what, form), f"export-{what}-{form}")
        download("Metrics, CSV", f"{name}_metrics.csv", "text/csv", partial(desk.run_tables.download, run.id, "metrics"), "export-metrics")
