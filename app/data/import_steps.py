"""An import, step by step: choose a file, confirm its format, validate it, then import, repair or discard."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app.data.bar_time_choice import bar_time_choice
from app.data.column_mapping import map_again, mapping_step, needs_mapping, saved_mappings
from app.data.example_files import example_files
from app.data.file_input import choose_ask_file, choose_file
from app.kit.figures import number, size, typeset
from app.kit.rights import allowed
from app.kit.tables import findings_frame
from app.kit.text import literal
from app.kit.widgets import attempt, first_rows, go, job_panel, section, table
from worker.desk import Desk

INFER = MOST_ROWS = "auto-detect"
STAGED, ASKS = "import-staged", "import-asks"
SIDES = ("bid", "mid", "ask")
FROM = "from"       # query parameter: the date from which bars are imported


def import_steps(desk: Desk) -> None:
    job = desk.jobs.get(st.query_params.get("job", ""))
    if job is not None and job.kind == "import" and _importing(desk, job):
        return
    if job is not None and job.kind == "inspect":
        _after_a_reload(desk, job)
    with st.container(border=True):
        staged = choose_file(desk, desk.data, desk.data.known_formats(), "/data/EURUSD_M1.csv", STAGED, unmapped=True)
        with st.container(horizontal=True):
            example_files(desk)
            saved_mappings(desk)
        if staged and needs_mapping(staged):
            return _map(desk, staged)
        choice = _choices(desk, staged, choose_ask_file(desk, f"{ASKS}-{staged.file[:8]}", staged.mapping)) if staged else None
        if choice and job is not None and job.kind == "inspect" and not job_panel(desk, job):
            _report(desk, staged, choice, job)


def _after_a_reload(desk: Desk, job: Any) -> None:
    """The file and the choices of the check in the address, where this session has none: the page was loaded anew, or opened by its link."""
    if st.session_state.get(STAGED) is not None:
        return
    spec = job.spec
    staged = desk.data.staged_again(spec)
    if staged is None:
        st.info(f"{literal(spec['name'])} is no longer staged: it was imported or discarded, or a day has passed. Choose it again.", icon=":material/info:")
        st.query_params.pop("job", None)
        return
    short = staged.file[:8]
    st.session_state[STAGED] = staged
    st.session_state[f"{ASKS}-{short}"] = desk.data.staged_again(spec["ask"]) if "ask" in spec else None
    fields = dict(instrument=spec["instrument"], frame=spec["timeframe"] or MOST_ROWS, clock=spec["clock"] or INFER, bar_time=spec.get("bar_time", ""))
    st.session_state.update({f"import-{name}-{short}": value for name, value in fields.items()})


def _map(desk: Desk, staged: Any) -> None:
    """The columns of the file, until they are mapped; then the steps go on with it."""
    if mapped := mapping_step(desk, staged):
        st.session_state[STAGED] = mapped
        st.query_params.pop("job", None)
        st.rerun()


def _importing(desk: Desk, job: Any) -> bool:
    """The last step, while it runs and when it is done; False if it failed, so that the earlier steps are shown
    again."""
    if job_panel(desk, job):
        return job.open
    note = "" if job.result["new"] else " An identical dataset already exists."
    dataset = desk.data.get(job.result["dataset"])
    st.success(f"{dataset.instrument} {dataset.timeframe} imported.{note}", icon=":material/check:")
    _forget()
    with st.container(horizontal=True):
        if st.button("View dataset", type="primary"):
            go("data", dataset=job.result["dataset"])
        if st.button("Backtest", icon=":material/candlestick_chart:"):
            go("backtest", data=job.result["dataset"])
        if st.button("Import another"):
            go("data", do="import")
    return True


def _choices(desk: Desk, staged: Any, asks: Any) -> dict[str, Any] | None:
    """Step 2: the format as recognised, for the person to confirm."""
    recognised, names, frames = staged.recognised, list(desk.data.instruments()), desk.data.timeframes()
    section("2  Confirm the format", f"{staged.name}, {size(staged.size)}: {recognised.title}. {recognised.evidence}")
    first_rows(recognised.preview, "The first rows of the file", 30 + 26 * min(len(recognised.preview), 5))
    map_again(staged)
    with st.form("choices", border=False):
        a, b, c, d, e = st.columns(5)
        instrument = a.selectbox("Instrument", names, index=names.index(recognised.instrument) if recognised.instrument in names else None, placeholder="Choose", key=f"import-instrument-{staged.file[:8]}")
        frame = b.selectbox("Timeframe", [MOST_ROWS, *frames], key=f"import-frame-{staged.file[:8]}", help="Auto-detected by the distance of most rows, wherever they are in the file.")
        clocks, mapped = desk.data.clocks(), str((staged.mapping or {}).get("clock", ""))
        zones = list(dict.fromkeys([INFER, *clocks, *filter(None, [mapped])]))
        clock = c.selectbox("Time zone", zones, zones.index(mapped or INFER), format_func=lambda key: clocks.get(key, key), accept_new_options=True, key=f"import-clock-{staged.file[:8]}", help="Time zone of its timestamps, auto-detected from the weekly open. One like Europe/Prague or UTC+2 can be typed.")
        bar_time = bar_time_choice(d, str((staged.mapping or {}).get("bar_time", "")), f"import-bar_time-{staged.file[:8]}")
        side = e.selectbox("Price side", ["", *SIDES], key=f"import-side-{staged.file[:8]}", format_func=lambda name: name.capitalize() or f"{(recognised.side or 'bid').capitalize()} ({'as in the file' if recognised.side else 'assumed'})", help="Side of the market that the file quotes. Ask prices alone are refused: add them to the bid file of the same bars.")
        sent = st.form_submit_button("Validate", type="primary", **allowed(desk, "data.inspect"))
    if instrument is None:
        if sent:
            st.error("The instrument is not in the file. Choose it, then validate.", icon=":material/error:")
        else:
            st.caption("The instrument is not in the file. Choose it, then validate.")
        return None
    start = st.query_params.get(FROM, "")
    choice = dict(instrument=instrument, timeframe="" if frame == MOST_ROWS else frame, side=side, clock_key="" if clock == INFER else clock, ask=asks, start=start, bar_time=bar_time)
    if start:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.badge(f"Only bars from {start}", icon=":material/filter_alt:", color="blue")
            if st.button("All bars", type="tertiary"):
                st.query_params.pop(FROM)
                st.query_params.pop("job", None)
                st.rerun()
    if sent:
        _validate(desk, staged, choice)
    return choice


def _validate(desk: Desk, staged: Any, choice: dict[str, Any]) -> None:
    submitted = attempt(lambda: desk.data.inspect(staged, **choice))
    if submitted is not None:
        st.query_params["job"] = submitted.job.id
        st.rerun()


def _forget() -> None:
    st.session_state.pop(STAGED, None)


def _same_choice(job: Any, choice: dict[str, Any]) -> bool:
    """Whether the report belongs to the current choices."""
    spec, ask = job.spec, choice["ask"]
    files = (spec.get("ask", {}).get("file", ""), ask.file if ask else "")
    sides = spec["side"] == choice["side"] or not choice["side"]
    chosen = (spec["instrument"], spec["timeframe"], spec["clock"], spec.get("start", "")[:10], spec.get("bar_time", ""))
    return chosen == (choice["instrument"], choice["timeframe"], choice["clock_key"], choice["start"][:10], choice["bar_time"]) and files[0] == files[1] and sides


def _report(desk: Desk, staged: Any, choice: dict[str, Any], job: Any) -> None:
    """Step 3: the validation report, and the decision."""
    report, clocks = job.result["report"], job.result["clocks"]
    section("3  Validation report", f"{number(report['rows_read'])} rows of {report['instrument']} {report['timeframe']}, {report['start'][:10]} to {report['end'][:10]}")
    if not _same_choice(job, choice):
        st.caption(":orange[:material/warning:] The choices above have changed. Validate the file again.")
        return
    left, right = st.columns([3, 2], gap="medium")
    config = st.column_config
    with left:
        columns = {"check": config.TextColumn("Check", width=250), "count": config.NumberColumn("Count", format="localized", width=70), "example": config.TextColumn("First occurrence", width=270)}
        table(findings_frame(report["findings"], desk.data.check_titles()), columns, "Every check with its count and first occurrence", row_height=26, height=300)
    with right:
        section("Time zone", desk.data.clock_name(report["clock"]))
        for clock in clocks[:3]:
            mark = ":green[:material/check:]" if clock["clock"] == report["clock"] else ":gray[:material/schedule:]"
            st.caption(f"{mark} **{literal(clock['title'])}**: {literal(typeset(clock['sentence']))}")
        for note in report["notes"]:
            st.caption(f":material/info: {literal(typeset(note))}")
        if not clocks:
            st.caption("The time zone cannot be inferred: no weekly open in this file, or its bars are daily.")
    _decide(desk, staged, {**choice, "bar_time": choice["bar_time"] or _as_checked(job.result)}, report)


def _as_checked(result: dict[str, Any]) -> str:
    """Times that were checked as those of opens in doubt are imported as such; what the weeks show they show again."""
    return "open" if result.get("bar_time") == "open" else ""


def _decide(desk: Desk, staged: Any, choice: dict[str, Any], report: dict[str, Any]) -> None:
    if report["verdict"] == "refused":
        st.error(typeset(report["sentence"]), title="This file cannot be imported", icon=":material/error:")
        complete = report.get("complete_from", "")
        if complete and complete != choice["start"] and st.button(f"Validate from {complete}", type="primary", icon=":material/event_available:", help="Leaves out the bars before it; from then on the timeframe is complete."):
            st.query_params[FROM] = complete
            _validate(desk, staged, {**choice, "start": complete})
        return
    clean = report["verdict"] == "clean"
    st.markdown(f"{':green[:material/check:]' if clean else ':orange[:material/warning:] Errors found.'} {literal(typeset(report['sentence']))}")
    with st.container(horizontal=True):
        if st.button("Import" if clean else "Repair and import", type="primary", icon=":material/download_done:", **allowed(desk, "data.import_")):
            submitted = attempt(lambda: desk.data.import_(staged, **{**choice, "clock_key": report["clock"]}, repair=not clean))
            if submitted is not None:
                st.query_params["job"] = submitted.job.id
                st.rerun()
        if st.button("Discard", help="Nothing is stored."):
            desk.data.discard(staged)
            _forget()
            go("data")
    if not clean:
        st.caption("Repair drops, merges or corrects bad rows and logs every change.")
