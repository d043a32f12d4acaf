"""Download of external data: a series from FRED, a calendar, or a feed of headlines."""

from __future__ import annotations

from datetime import date
from typing import Any

import streamlit as st

from app.kit.figures import number
from app.kit.rights import allowed
from app.kit.text import literal
from app.kit.widgets import attempt, go, job_panel, section
from worker.desk import Desk

FIRST = date(1950, 1, 1)


def download_steps(desk: Desk) -> None:
    job = desk.jobs.get(st.query_params.get("job", ""))
    if job is not None and job.kind == "download_outside" and _downloading(desk, job):
        return
    with st.container(border=True):
        _form(desk)


def _downloading(desk: Desk, job: Any) -> bool:
    """While it runs and when it is done; False if it failed, so that the form is shown again."""
    if job_panel(desk, job):
        return job.open
    stored = next((each for each in desk.outside.every() if each.id == job.result["outside"]), None)
    if stored is None:
        return False
    news = "" if job.result["new"] else " Nothing in it is new."
    st.success(f"{literal(stored.name)}: {number(stored.rows)} rows from {stored.first_ts:%Y-%m-%d} to {stored.last_ts:%Y-%m-%d}.{news} {literal(' '.join(stored.notes))}", icon=":material/check:")
    with st.container(horizontal=True):
        if st.button("View", type="primary"):
            go("data", view="external", external=stored.id)
        if st.button("Download another"):
            go("data", view="external", do="download")
    return True


def _form(desk: Desk) -> None:
    sources = desk.outside_downloads.sources()
    section("Download external data", "keys come from the environment; the page Settings says what each vendor needs")
    source = st.segmented_control("Vendor", list(sources), default="fred", required=True, format_func=sources.__getitem__, key="outside-download-source")
    gives = desk.outside_downloads.gives(source)
    st.caption(f"{gives[0].upper()}{gives[1:]}")
    with st.form("outside-download", border=False):
        request = _series(desk) if desk.outside_downloads.kind(source) == "series" else _document(desk, source)
        sent = st.form_submit_button("Download", type="primary", icon=":material/download:", **allowed(desk, "outside_downloads.submit"))
    if sent:
        submitted = attempt(lambda: desk.outside_downloads.submit(source, **request))
        if submitted is not None:
            st.query_params["job"] = submitted.job.id
            st.rerun()


def _series(desk: Desk) -> dict[str, Any]:
    titles = desk.outside_downloads.series()
    a, b = st.columns([2, 1])
    name = a.selectbox("Series", list(titles), key="outside-download-series", format_func=lambda name: f"{name} · {titles[name]}")
    start = b.date_input("First observation", None, FIRST, key="outside-download-start", help="Empty: all, or of a stored series what is newer than its last date.")
    return dict(name=name or "", start=start)


def _document(desk: Desk, source: str) -> dict[str, Any]:
    kind = desk.outside_downloads.kind(source)
    a, b, c = st.columns([3, 1, 1], vertical_alignment="bottom")
    url = a.text_input("Address", desk.outside_downloads.offered_url(source), placeholder="https://example.com/feed.xml", max_chars=2_000, key=f"outside-download-url-{source}")
    name = b.text_input("Name", desk.outside.offered_name(kind), max_chars=64, key=f"outside-download-name-{source}")
    utc = c.toggle("Treat naive timestamps as UTC", False, key=f"outside-download-utc-{source}", help="Only if you know it: with a wrong time zone, features would know of news before its release.")
    if desk.outside_downloads.own_address_only():
        st.caption("This page is reached from other machines: addresses of your own are for the terminal (tidemark data outside download).")
    return dict(url=url, name=name, utc=utc)
