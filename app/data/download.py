"""Download of bars from a vendor: what it cannot give is named before any request is sent, and named when it is done."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import streamlit as st

from app.data.download_record import missing_table, notes_of
from app.kit.figures import number, plural, typeset
from app.kit.rights import allowed
from app.kit.text import literal
from app.kit.widgets import attempt, go, job_panel, section
from worker.desk import Desk


def download(desk: Desk) -> None:
    with st.container(border=True):
        section("Download bars", "from a vendor; bars that an earlier download has stored are not requested again")
        choice = _choice(desk)
        if choice is not None and st.button("Download", type="primary", icon=":material/download:", **allowed(desk, "downloads.submit")):
            submitted = attempt(lambda: desk.downloads.submit(**choice))
            if submitted is not None:
                st.query_params["job"] = submitted.job.id
                st.rerun()
        job = desk.jobs.get(st.query_params.get("job", ""))
        if job is not None and job.kind == "download" and not job_panel(desk, job):
            _done(desk, job)


def _choice(desk: Desk) -> dict[str, Any] | None:
    """What to download; None while it cannot be had. Not a form: the limits follow each choice."""
    sources = desk.downloads.sources()
    vendors = {vendor.name: vendor for vendor in desk.downloads.vendors()}
    a, b, c, d = st.columns(4)
    source = a.selectbox("Vendor", list(sources), format_func=sources.__getitem__, key="download-source")
    instrument = b.selectbox("Instrument", list(desk.data.instruments()), key="download-instrument")
    frames = desk.data.timeframes()
    frame = c.selectbox("Timeframe", frames, index=frames.index("H1"), key="download-frame")
    today = desk.jobs.now().date()
    span = d.date_input("Date range, UTC", (today - timedelta(days=28), today - timedelta(days=1)), max_value=today, key="download-span")
    vendor = vendors[source]
    if vendor.double:
        st.badge(f"Local double at {vendor.double}", icon=":material/science:", color="orange", help="A server on this machine answers in the vendor's place: these are not the vendor's data.")
    st.caption(literal(typeset(vendor.gives)))
    if not vendor.ready:
        sentence = f"{vendor.title} is {vendor.state} in the environment, and start Tidemark again." if vendor.state.startswith("not ready") else vendor.state
        st.warning(literal(typeset(sentence)), icon=":material/key_off:")
        return None
    if not (isinstance(span, tuple) and len(span) == 2):
        st.caption("Choose the last day as well.")
        return None
    choice: dict[str, Any] = dict(source=source, instrument_=instrument, timeframe=frame, start=_midnight(span[0]), end=_midnight(span[1]) + timedelta(days=1))
    sentences = attempt(lambda: desk.downloads.beforehand(**choice))
    for sentence in sentences or ():
        st.caption(f":orange[:material/warning:] {literal(typeset(sentence))}.")
    return None if sentences is None else choice


def _done(desk: Desk, job: Any) -> None:
    result = job.result
    dataset = desk.data.get(result["dataset"])
    what = f"{number(dataset.bars)} bars of {dataset.instrument} {dataset.timeframe} from {dataset.source}"
    came = f"{plural(result['pages'], 'page')} requested, {number(result['cached'])} answered from this machine."
    if result["missing"]:
        st.warning(literal(f"{what}. Not all of it could be had: see below. {came}"), title="Partly downloaded", icon=":material/rule:")
        missing_table(result["missing"])
    else:
        st.success(literal(f"{what}. {came}{'' if result['new'] else ' An identical dataset already exists.'}"), icon=":material/check:")
    notes_of(result["notes"])
    with st.container(horizontal=True):
        if st.button("View dataset", type="secondary" if result["missing"] else "primary"):
            go("data", dataset=dataset.id)
        if st.button("Backtest", icon=":material/candlestick_chart:"):
            go("backtest", data=dataset.id)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
