"""Bringing in outside data, step by step: a file, what it is, and keeping it."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app.data.file_input import take_in
from app.kit.figures import number, plural, size
from app.kit.text import literal
from app.kit.widgets import asked, go, job_panel, section
from worker.desk import Desk

STAGED = "outside-staged"
KINDS = "series, headlines or releases"


def import_steps(desk: Desk) -> None:
    job = desk.jobs.get(st.query_params.get("job", ""))
    if job is not None and job.kind == "import_outside" and _importing(desk, job):
        return
    with st.container(border=True):
        brought = take_in(desk, desk.outside, KINDS, "/data/VIXCLS.csv", STAGED)
        if brought is not None:
            _choices(desk, brought)


def _importing(desk: Desk, job: Any) -> bool:
    """The last step, while it runs and when it is done; False if it failed and the steps before are wanted again."""
    if job_panel(desk, job):
        return job.open
    one = next((each for each in desk.outside.every() if each.id == job.result["outside"]), None)
    if one is None:
        return False
    st.success(f"{literal(one.name)}: {number(one.rows)} rows from {one.first_ts:%Y-%m-%d} to {one.last_ts:%Y-%m-%d} {'are in' if job.result['new'] else 'were here already, with exactly this content'}. {literal(' '.join(one.notes))}", icon=":material/check:")
    st.session_state.pop(STAGED, None)
    with st.container(horizontal=True):
        if st.button("See it", type="primary"):
            go("data", view="outside", outside=one.id)
        if st.button("Import another"):
            go("data", view="outside", do="import")
        if st.button("Compute features"):
            go("features", view="look")
    return True


def _choices(desk: Desk, brought: Any) -> None:
    """Step 2: what the file seems to be, for the person to confirm, and keeping it."""
    found, key = brought.found, brought.file[:8]
    section("2  Is this right?", f"{brought.name}, {size(brought.size)}: it looks like {found.title}")
    st.dataframe(found.preview, hide_index=True, row_height=26, height=36 + 26 * max(len(found.preview), 1), alt="The first rows of the file as they stand")
    kinds = desk.outside.kinds()
    a, b, c = st.columns([1, 2, 2], vertical_alignment="bottom")
    kind = a.selectbox("It holds", list(kinds), index=list(kinds).index(found.kind), key=f"outside-kind-{key}", format_func=kinds.__getitem__)
    name = _name(desk, b, kind, found, key)
    with c:
        utc, added = _how(desk, kind, name, found, key)
    with st.container(horizontal=True, vertical_alignment="center"):
        sent = st.button("Import", type="primary", icon=":material/download_done:", disabled=not name)
        if st.button("Refuse", help="Nothing is stored."):
            st.session_state.pop(STAGED, None)
            go("data", view="outside")
        st.caption(_consequence(desk, kind, name, added) if name else "The file does not say which series it is: choose it.")
    if sent:
        submitted = asked(lambda: desk.outside.import_(brought, kind, name, utc, added))
        if submitted is not None:
            st.query_params["job"] = submitted.job.id
            st.rerun()


def _name(desk: Desk, place: Any, kind: str, found: Any, key: str) -> str:
    if kind != "series":
        return str(place.text_input("Called", desk.outside.offered_name(kind), max_chars=64, key=f"outside-name-{kind}-{key}")).strip()
    table = {one.about.name: one.about for one in desk.outside.choices()}
    names = list(table)
    chosen = place.selectbox("Series", names, index=names.index(found.series) if found.series in names else None, placeholder="choose", key=f"outside-series-{key}", format_func=lambda name: f"{name} · {table[name].title}")
    return chosen or ""


def _how(desk: Desk, kind: str, name: str, found: Any, key: str) -> tuple[bool, bool]:
    """Are times without a zone in UTC, and is it added to what is there?"""
    with st.container(horizontal=True, vertical_alignment="center"):
        utc = st.toggle("Times without a zone are UTC", False, key=f"outside-utc-{key}", help="Only say so if you know it: a wrong clock lets features know of news before it was out.") if kind != "series" and (not found.zoned or kind != found.kind) else False
        there = _there(desk, kind, name)
        added = st.toggle("Add to what is there", kind != "series", key=f"outside-added-{kind}-{key}", help="Rows of both are kept, each once; of a date that both have the new value counts. Else the file takes its place.") if there else False
    return utc, added


def _there(desk: Desk, kind: str, name: str) -> Any:
    return next((one for one in desk.outside.catalogue() if (one.kind, one.name) == (kind, name)), None)


def _consequence(desk: Desk, kind: str, name: str, added: bool) -> str:
    there = _there(desk, kind, name)
    if there is None:
        return "Later computations look at it; runs that are made stay as they are."
    runs = desk.outside.used_by(there.id)
    kept = f" {plural(len(runs), 'run keeps', 'runs keep')} the one that {'it names' if len(runs) == 1 else 'they name'}." if runs else ""
    return f"{'Added to' if added else 'Takes the place of'} the {number(there.rows)} rows that are there.{kept}"
