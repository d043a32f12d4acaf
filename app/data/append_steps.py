"""A newer file appended to a dataset, step by step: choose it, compare it bar by bar, then keep, replace or cancel."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from app.data.bar_time_choice import bar_time_choice
from app.data.column_mapping import map_again, mapping_step, needs_mapping, saved_mappings
from app.data.file_input import choose_ask_file, choose_file
from app.drawn import download_drawn
from app.kit.address import address_value, missing
from app.kit.figures import number, typeset
from app.kit.rights import allowed
from app.kit.tables import findings_frame
from app.kit.text import literal
from app.kit.widgets import attempt, figures, go, job_panel, section, table
from worker.desk import Desk

STAGED, ASKS = "append-staged", "append-asks"
AS_SERIES = "as the file says, else that of the series"
PRICES = ("open", "high", "low", "close")


def append_steps(desk: Desk) -> None:
    name = address_value("dataset")
    dataset = next((each for each in desk.data.catalogue() if name in (each.id, each.version)), None)
    if dataset is None:
        return missing("dataset", name, "Close this, and choose one in the table.")
    job = desk.jobs.get(st.query_params.get("job", ""))
    if job is not None and job.kind == "append" and _appending(desk, job):
        return
    with st.container(border=True):
        title = f"Append to {dataset.instrument} {dataset.timeframe}"
        section(title, f"{number(dataset.bars)} bars until {dataset.last_ts:%Y-%m-%d %H:%M} UTC. The result is a new version; this one stays, and runs keep what they used.")
        staged = choose_file(desk, desk.data, "a newer file of the same series, in any format that Import reads", "/data/EURUSD_M5_new.csv", STAGED, unmapped=True)
        saved_mappings(desk)
        if staged and needs_mapping(staged):
            return _map(desk, staged)
        if staged is None:
            return
        clock, bar_time, asks = _choices(desk, staged)
        if job is not None and job.kind == "append_check" and not job_panel(desk, job):
            _report(desk, dataset, staged, asks, (clock, bar_time), job)


def _map(desk: Desk, staged: Any) -> None:
    if mapped := mapping_step(desk, staged):
        st.session_state[STAGED] = mapped
        st.query_params.pop("job", None)
        st.rerun()


def _choices(desk: Desk, staged: Any) -> tuple[str, str, Any]:
    """Time zone, time stamp and asks of the file, and the button that compares it."""
    section("2  Compare", f"{staged.name}: {staged.recognised.title}. {staged.recognised.evidence}")
    asks = choose_ask_file(desk, f"{ASKS}-{staged.file[:8]}", staged.mapping)
    map_again(staged)
    clocks = {"": AS_SERIES, **desk.data.clocks()}
    with st.form("append", border=False):
        left, right = st.columns(2)
        clock = left.selectbox("Time zone", list(clocks), format_func=lambda key: clocks.get(key, key), accept_new_options=True, key=f"append-clock-{staged.file[:8]}", help="Time zone of its timestamps. One like Europe/Prague or UTC+2 can be typed.") or ""
        bar_time = bar_time_choice(right, str((staged.mapping or {}).get("bar_time", "")), f"append-bar-time-{staged.file[:8]}")
        sent = st.form_submit_button("Compare", type="primary", **allowed(desk, "data.compare"))
    if sent:
        submitted = attempt(lambda: desk.data.compare(address_value("dataset"), staged, clock, asks, bar_time))
        if submitted is not None:
            st.query_params["job"] = submitted.job.id
            st.rerun()
    return clock, bar_time, asks


def _report(desk: Desk, dataset: Any, staged: Any, asks: Any, times: tuple[str, str], job: Any) -> None:
    """Step 3: what both have, what differs, and the decision."""
    result, report = job.result, job.result["report"]
    section("3  Overlap", f"{report['start'][:10]} to {report['end'][:10]}, {number(report['rows_read'])} rows")
    mapped = staged.mapping or {}
    if (job.spec["file"], job.spec["clock"], job.spec.get("bar_time", ""), job.spec["dataset"]) != (staged.file, times[0] or str(mapped.get("clock", "")), times[1] or str(mapped.get("bar_time", "")), dataset.id):
        st.caption(":orange[:material/warning:] The choices above have changed. Compare the file again.")
        return
    digits = desk.data.instruments()[dataset.instrument].digits
    largest = f"{result['largest']:.{digits}f}" if result["largest"] < 1e12 else "volume or spread"
    figures([
        ("Bars in both", number(result["both"]), "", "Bars of the same time in the series and in the file."), ("Differ", number(result["differing"]), "", "Bars in both with another price, volume or spread."),
        ("Largest, price units", largest if result["differing"] else "–", "", "The largest difference of a price."), ("New", number(result["added"]), f"{number(result['inside'])} inside" if result["inside"] else "", "Bars that only the file has."),
        ("Not in the file", number(result["absent"]), "", "Bars of the series in the span of the file that the file lacks. They stay."),
    ])  # fmt: skip
    st.markdown(f"{':orange[:material/warning:]' if result['differing'] else ':green[:material/check:]'} {literal(typeset(result['sentence']))}")
    if result["rows"]:
        _differences(result, digits)
    _quality(desk, report)
    _decide(desk, dataset, staged, asks, times, result)


def _differences(result: dict[str, Any], digits: int) -> None:
    rows, config = pd.DataFrame(result["rows"]), st.column_config
    price = f"%.{digits}f"
    names = [name for name in (*PRICES, "volume", "spread") if f"{name}_before" in rows]
    columns: dict[str, Any] = {"ts": config.TextColumn("Bar, UTC", width=160), "largest": config.NumberColumn("Largest", format=price, width=76)}
    names.sort(key=lambda name: not (rows[f"{name}_before"] != rows[f"{name}_after"]).any())       # what differs first
    for name in names:
        for when, word in (("before", "stored"), ("after", "file")):
            columns[f"{name}_{when}"] = config.NumberColumn(f"{name.capitalize()}, {word}", format=None if name == "volume" else price, width=104)
    table(rows, columns, "Bars that differ: as stored and as in the file", key="append-differences", row_height=26, height=34 + 26 * min(len(rows), 9))
    if len(rows) < result["differing"]:
        st.caption(f"The first {number(len(rows))} of {number(result['differing'])}.")
    download_drawn("Differences, CSV", "differences.csv", rows, "append-differences-csv", f"dataset:{result['dataset']}")


def _quality(desk: Desk, report: dict[str, Any]) -> None:
    config = st.column_config
    columns = {"check": config.TextColumn("Check", width=260), "count": config.NumberColumn("Count", format="localized", width=70), "example": config.TextColumn("First occurrence", width=300)}
    with st.popover("Checks of the file", icon=":material/checklist:", type="tertiary"):
        table(findings_frame(report["findings"], desk.data.check_titles()), columns, "Every check of the file with its count and first occurrence", row_height=26)
    for note in report["notes"]:
        st.caption(f":material/info: {literal(typeset(note))}")
    if report["verdict"] != "clean":
        st.markdown(f":orange[:material/warning:] {literal(typeset(report['sentence']))}")


def _decide(desk: Desk, dataset: Any, staged: Any, asks: Any, times: tuple[str, str], result: dict[str, Any]) -> None:
    report = result["report"]
    if report["verdict"] == "refused":
        return
    repair, verb = report["verdict"] == "repairable", "Repair and append" if report["verdict"] == "repairable" else "Append"
    ways = [("keep", f"{verb}, keep stored bars"), ("replace", f"{verb}, take the file's")] if result["differing"] else [("", verb)] if result["added"] else []
    with st.container(horizontal=True):
        for overlap, label in ways:
            if overlap == "keep" and not result["added"]:
                continue
            if st.button(label, type="primary" if overlap != "replace" else "secondary", key=f"append-{overlap}", **allowed(desk, "data.append")):
                submitted = attempt(lambda overlap=overlap: desk.data.append(dataset.id, staged, overlap, times[0], asks, repair, times[1]))     # type: ignore[misc]
                if submitted is not None:
                    st.query_params["job"] = submitted.job.id
                    st.rerun()
        if st.button("Cancel", help="Nothing is stored.", key="append-cancel"):
            desk.data.discard(staged)
            st.session_state.pop(STAGED, None)
            go("data", dataset=dataset.id)


def _appending(desk: Desk, job: Any) -> bool:
    """The last step, while it runs and when it is done; False if it failed, so that the earlier steps are shown again."""
    if job_panel(desk, job):
        return job.open
    dataset = desk.data.get(job.result["dataset"])
    st.success(f"{dataset.instrument} {dataset.timeframe}: a new version of {number(dataset.bars)} bars until {dataset.last_ts:%Y-%m-%d %H:%M} UTC. The old version stays until it is deleted.", icon=":material/check:")
    st.session_state.pop(STAGED, None)
    if st.button("View dataset", type="primary"):
        go("data", dataset=dataset.id)
    return True
