"""Bringing in a file, step by step: take it in, see what it is, have it checked, then refuse or repair."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app.figures import number, size
from app.tables import findings_frame
from app.taking_in import take_in
from app.text import literal
from app.widgets import asked, go, job_panel, section, table
from worker.desk import Desk

INFER = "infer from the weekly open"
STAGED = "import-staged"


def import_steps(desk: Desk) -> None:
    job = desk.jobs.get(st.query_params.get("job", ""))
    if job is not None and job.kind == "import" and _importing(desk, job):
        return
    with st.container(border=True):
        staged = take_in(desk, desk.data, "; ".join(desk.data.formats().values()), "/data/EURUSD_M1.csv", STAGED)
        choice = _choices(desk, staged) if staged else None
        if choice and job is not None and job.kind == "inspect" and not job_panel(desk, job):
            _report(desk, staged, choice, job)


def _importing(desk: Desk, job: Any) -> bool:
    """The last step, while it runs and when it is done; False if it failed and the steps before are wanted again."""
    if job_panel(desk, job):
        return job.open
    known = "" if job.result["new"] else " Exactly these bars were here already."
    st.success(f"{literal(job.spec['instrument'])} {job.spec['timeframe']} is in the catalogue.{known}", icon=":material/check:")
    st.session_state.pop(STAGED, None)
    with st.container(horizontal=True):
        if st.button("See the bars", type="primary"):
            go("data", dataset=job.result["dataset"])
        if st.button("Import another"):
            go("data", do="import")
    return True


def _choices(desk: Desk, staged: Any) -> dict[str, Any] | None:
    """Step 2: what the file seems to be, for the person to confirm."""
    found, names, frames = staged.found, list(desk.data.instruments()), desk.data.timeframes()
    section("2  Is this right?", f"{staged.name}, {size(staged.size)}: {found.title}. {found.evidence}")
    st.dataframe(found.preview, hide_index=True, row_height=26, height=30 + 26 * min(len(found.preview), 5), alt="The first rows of the file as they stand")
    with st.form("choices", border=False):
        a, b, c, d = st.columns(4)
        instrument = a.selectbox("Instrument", names, index=names.index(found.instrument) if found.instrument in names else None, placeholder="choose", key=f"import-instrument-{staged.file[:8]}")
        frame = b.selectbox("Timeframe", frames, index=frames.index(found.timeframe) if found.timeframe in frames else None, placeholder="choose", key=f"import-frame-{staged.file[:8]}")
        clocks = desk.data.clocks()
        clock = c.selectbox("Clock", [INFER, *clocks], format_func=lambda key: clocks.get(key, key), accept_new_options=True, key=f"import-clock-{staged.file[:8]}", help="What its times mean. A zone like Europe/Prague or UTC+2 can be typed.")
        side = d.selectbox("Prices are", ["bid", "mid"], index=1 if found.side == "mid" else 0, key=f"import-side-{staged.file[:8]}", help="Which side of the market the file quotes.")
        sent = st.form_submit_button("Check the file", type="primary")
    if instrument is None or frame is None:
        st.caption("The file does not say its instrument or its timeframe: choose them.")
        return None
    choice = dict(instrument=instrument, timeframe=frame, side=side, clock_key="" if clock == INFER else clock)
    if sent:
        submitted = asked(lambda: desk.data.inspect(staged, **choice))
        if submitted is not None:
            st.query_params["job"] = submitted.job.id
            st.rerun()
    return choice


def _report(desk: Desk, staged: Any, choice: dict[str, Any], job: Any) -> None:
    """Step 3: what was found, and the decision."""
    report, clocks = job.result["report"], job.result["clocks"]
    asked_for = {name: job.spec[name] for name in ("instrument", "timeframe", "side")} | dict(clock_key=job.spec["clock"])
    section("3  What was found", f"{number(report['rows_read'])} rows of {report['instrument']} {report['timeframe']}, {report['start'][:10]} to {report['end'][:10]}")
    if asked_for != choice:
        st.caption(":orange[:material/warning:] You changed the choices above since: check the file again.")
        return
    left, right = st.columns([3, 2], gap="medium")
    config = st.column_config
    with left:
        columns = {"check": config.TextColumn("Check", width=250), "found": config.NumberColumn("Found", format="localized", width=70), "example": config.TextColumn("First example", width=270)}
        table(findings_frame(report["findings"]), columns, "Every check with how often it was found and one example", row_height=26, height=300)
    with right:
        section("Clock", report["clock"])
        for one in clocks[:3]:
            mark = ":green[:material/check:]" if one["clock"] == report["clock"] else ":gray[:material/schedule:]"
            st.caption(f"{mark} **{literal(one['title'])}**: {literal(one['sentence'])}")
        if not clocks:
            st.caption("No week begins in this file, or its bars are daily: the clock cannot be told from it.")
    _decide(desk, staged, choice, report)


def _decide(desk: Desk, staged: Any, choice: dict[str, Any], report: dict[str, Any]) -> None:
    if report["verdict"] == "refused":
        st.error(literal(report["sentence"]), title="These bars cannot be used", icon=":material/error:")
        return
    clean = report["verdict"] == "clean"
    st.markdown(f"{':green[:material/check:] Clean.' if clean else ':orange[:material/warning:] Not clean.'} {literal(report['sentence'])}")
    with st.container(horizontal=True):
        if st.button("Import" if clean else "Repair and import", type="primary", icon=":material/download_done:"):
            submitted = asked(lambda: desk.data.import_(staged, **{**choice, "clock_key": report["clock"]}, repair=not clean))
            if submitted is not None:
                st.query_params["job"] = submitted.job.id
                st.rerun()
        if st.button("Refuse", help="Nothing is stored."):
            st.session_state.pop(STAGED, None)
            go("data")
    if not clean:
        st.caption("Repair drops, merges and mends what is broken, and keeps a list of every row it touched.")
