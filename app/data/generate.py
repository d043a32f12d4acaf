"""Synthetic bars from a form: a model, its parameters, a date range and a seed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import streamlit as st

from app.kit.forms import fields
from app.kit.rights import allowed
from app.kit.widgets import attempt, go, job_panel, section
from worker.desk import Desk

NAMES = {"regimes": "Regime switching: calm, trend and panic", "gbm": "Geometric Brownian motion (random walk)"}


def generate(desk: Desk) -> None:
    models = desk.data.models()
    with st.container(border=True):
        section("Generate synthetic data", "for testing, and as a no-edge benchmark; marked synthetic everywhere")
        model = st.segmented_control("Model", list(reversed(models)), default="regimes", required=True, format_func=lambda name: NAMES.get(name, name))
        with st.form(f"generate-{model}", border=False):
            a, b, c, d = st.columns(4)
            instruments, frames = list(desk.data.instruments()), desk.data.timeframes()
            instrument = a.selectbox("Instrument", instruments)
            frame = b.selectbox("Timeframe", frames, index=frames.index("M15"))
            span = c.date_input("Date range, UTC", (date(2022, 1, 3), date(2023, 12, 29)))
            seed = d.number_input("Seed", 0, 2**31 - 1, 1, help="The same seed gives the same bars.")
            params = fields(models[model], f"generate-{model}")
            sent = st.form_submit_button("Generate", type="primary", **allowed(desk, "data.generate"))
        if sent and isinstance(span, tuple) and len(span) == 2:
            start, end = (datetime(day.year, day.month, day.day, tzinfo=UTC) for day in span)
            submitted = attempt(lambda: desk.data.generate(model, params, instrument, frame, start, end + timedelta(days=1), int(seed)))
            if submitted is not None:
                st.query_params["job"] = submitted.job.id
        job = desk.jobs.get(st.query_params.get("job", ""))
        if job is not None and job.kind == "generate" and not job_panel(desk, job):
            go("data", dataset=job.result["dataset"])
