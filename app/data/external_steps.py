"""Import of external data, step by step: a file, its format, and the import."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app.data.file_input import choose_file
from app.kit.figures import number, plural, size
from app.kit.rights import allowed
from app.kit.text import literal
from app.kit.widgets import attempt, first_rows, go, job_panel, section
from worker.desk import Desk

STAGED = "outside-staged"
KINDS = "series, headlines or releases"


def import_steps(desk: Desk) -> None:
    job = desk.jobs.get(st.query_params.get("job", ""))
    if job is not None and job.kind == "import_outside" and _importing(desk, job):
        return
    with st.container(border=True):
        staged = choose_file(desk, desk.outside, KINDS, "/data/VIXCLS.csv", STAGED)
        if staged is not None:
            _choices(desk, staged)


def _importing(desk: Desk, job: Any) -> bool:
    """The last step, while it runs and when it is done; False if it failed, so that the earlier steps are shown
    again."""
    if job_panel(desk, job):
        return job.open
    imported = next((stored for stored in desk.outside.every() if stored.id == job.result["outside"]), None)
    if imported is None:
        return False
    st.success(f"{literal(imported.name)}: {number(imported.rows)} rows from {imported.first_ts:%Y-%m-%d} to {imported.last_ts:%Y-%m-%d} {'imported' if job.result['new'] else 'exist already, with identical content'}. {literal(' '.join(imported.notes))}", icon=":material/check:")
    st.session_state.pop(STAGED, None)
    with st.container(horizontal=True):
        if st.button("View", type="primary"):
            go("data", view="external", external=imported.id)
        if st.button("Import another"):
            go("data", view="external", do="import")
        if st.button("Compute features"):
            go("features", view="compute")
    return True


def _choices(desk: Desk, staged: Any) -> None:
    """Step 2: the format as recognised, for the person to confirm, and the import."""
    recognised, key = staged.recognised, staged.file[:8]
    section("2  Confirm the format", f"{staged.name}, {size(staged.size)}: recognised as {recognised.title}")
    first_rows(recognised.preview, "The first rows of the file", 36 + 26 * max(len(recognised.preview), 1))
    kinds = desk.outside.kinds()
    a, b, c = st.columns([1, 2, 2], vertical_alignment="bottom")
    kind = a.selectbox("Type", list(kinds), index=list(kinds).index(recognised.kind), key=f"outside-kind-{key}", format_func=kinds.__getitem__)
    name = _name(desk, b, kind, recognised, key)
    with c:
        utc, added = _how(desk, kind, name, recognised, key)
    with st.container(horizontal=True, vertical_alignment="center"):
        sent = st.button("Import", type="primary", icon=":material/download_done:", **allowed(desk, "outside.import_", disabled=not name))
        if st.button("Discard", help="Nothing is stored."):
            st.session_state.pop(STAGED, None)
            go("data", view="external")
        st.caption(_consequence(desk, kind, name, added) if name else "The series is not recognised: choose it.")
    if sent:
        submitted = attempt(lambda: desk.outside.import_(staged, kind, name, utc, added))
        if submitted is not None:
            st.query_params["job"] = submitted.job.id
            st.rerun()


def _name(desk: Desk, place: Any, kind: str, recognised: Any, key: str) -> str:
    if kind != "series":
        return str(place.text_input("Name", desk.outside.offered_name(kind), max_chars=64, key=f"outside-name-{kind}-{key}")).strip()
    table = {choice.about.name: choice.about for choice in desk.outside.choices()}
    names = list(table)
    chosen = place.selectbox("Series", names, index=names.index(recognised.series) if recognised.series in names else None, placeholder="Choose", key=f"outside-series-{key}", format_func=lambda name: f"{name} · {table[name].title}")
    return chosen or ""


def _how(desk: Desk, kind: str, name: str, recognised: Any, key: str) -> tuple[bool, bool]:
    """Whether naive timestamps are UTC, and whether to append to existing rows."""
    with st.container(horizontal=True, vertical_alignment="center"):
        utc = st.toggle("Treat naive timestamps as UTC", False, key=f"outside-utc-{key}", help="Only if you know it: with a wrong time zone, features would know of news before its release.") if kind != "series" and (not recognised.zoned or kind != recognised.kind) else False
        there = _there(desk, kind, name)
        added = st.toggle("Append to existing", kind != "series", key=f"outside-added-{kind}-{key}", help="Rows of both are kept, without duplicates; for dates in both, the new value counts. Otherwise the file replaces the existing rows.") if there else False
    return utc, added


def _there(desk: Desk, kind: str, name: str) -> Any:
    return next((imported for imported in desk.outside.catalogue() if (imported.kind, imported.name) == (kind, name)), None)


def _consequence(desk: Desk, kind: str, name: str, added: bool) -> str:
    there = _there(desk, kind, name)
    if there is None:
        return "Used by new computations; existing runs are unchanged."
    runs = desk.outside.used_by(there.id)
    unchanged = f" {plural(len(runs), 'run keeps', 'runs keep')} the version {'it uses' if len(runs) == 1 else 'they use'}." if runs else ""
    return f"{'Appends to' if added else 'Replaces'} the existing {number(there.rows)} rows.{unchanged}"
