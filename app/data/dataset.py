"""The catalogue, and the chosen dataset: its chart, its quality, its time zone."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from app.backtest.chosen import choose_in_table, table_key
from app.data.download_record import download_record
from app.data.series_chart import series_chart
from app.drawn import download_drawn
from app.kit import charts
from app.kit.address import address_value, missing
from app.kit.draw import draw_chart
from app.kit.figures import clock, number, pips, plural, short, typeset
from app.kit.grid import Column, grid, right
from app.kit.rights import allowed
from app.kit.tables import datasets_frame, findings_frame
from app.kit.text import literal
from app.kit.widgets import download, download_file, go, section, table
from worker.desk import Desk

COLUMNS: dict[str, Column] = {
    "instrument": ("Instrument", dict(width=98)),
    "timeframe": ("Timeframe", dict(width=84)),
    "source": ("Source", dict(width=126)),
    "kind": ("Type", dict(width=78, cellClassRules={"synthetic": "x == 'synthetic'"})),
    "quality": ("Quality", dict(width=78)),
    "first": ("From", dict(width=88)),
    "last": ("To", dict(width=88)),
    "bars": ("Bars", right(0, width=76)),
    "gaps": ("Gaps", right(0, width=60)),
    "spread": ("Spread, pips", right(1, width=92)),
    "version": ("Version", dict(minWidth=76, flex=1, cellClass="mute")),
}


def catalogue(desk: Desk, datasets: list) -> Any:
    """Draw the table; the chosen dataset, else that of the address, else the first. None where the address names one
    that does not exist."""
    table_of = {name: instrument.pip for name, instrument in desk.data.instruments().items()}
    frame = datasets_frame(datasets, table_of, desk.data.quality_word)
    wanted = address_value("dataset")
    place = next((k for k, dataset in enumerate(datasets) if wanted in (dataset.id, dataset.version)), None if wanted else 0)
    if place is None:
        missing("dataset", wanted, "Choose one in the table.")
    before = datasets[place].id if place is not None else None
    key = table_key("catalogue", before if wanted else None)
    row = grid(frame[list(COLUMNS)].assign(id=frame["id"]), {**COLUMNS, "id": ("Id", dict(hide=True))}, f"{key}-{wanted}" if place is None else key, rows=8, pick=True, chosen=place)
    download_drawn("Catalogue, CSV", "catalogue.csv", frame.drop(columns="id"), "catalogue-csv")
    chosen = choose_in_table("catalogue", row["id"] if row is not None else None, before, "dataset")
    return next((dataset for dataset in datasets if dataset.id == chosen), None)


def chosen_dataset(desk: Desk, dataset: Any) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.header(f"{dataset.instrument} {dataset.timeframe}", anchor=False, width="content")
        st.badge("synthetic" if dataset.synthetic else "real", color="violet" if dataset.synthetic else "gray")
        st.badge(f"version {short(dataset.version)}", color="gray", icon=":material/tag:", help=dataset.version)
        st.space("stretch")
        _actions(desk, dataset)
    st.caption(f"{dataset.side.capitalize()} · time zone {literal(desk.data.clock_name(dataset.clock))} · {literal(dataset.source)} · imported {clock(dataset.created_at)} UTC by {literal(dataset.actor)}")
    evidence = str(dataset.provenance.get("clock_evidence", ""))
    if evidence and not dataset.synthetic:
        st.caption(f":material/schedule: {literal(typeset(evidence))}")
    _lineage(desk, dataset)
    download_record(dataset)
    left, right_ = st.columns([5, 2], gap="medium")
    with left:
        series_chart(desk, dataset)
    with right_:
        _quality(desk, dataset)


def _lineage(desk: Desk, dataset: Any) -> None:
    """The version that this one was appended to, and what was done where both had bars."""
    before, overlap = dataset.provenance.get("appended_to"), dataset.provenance.get("overlap", {})
    if not before:
        return
    chosen = {"keep": "The stored bars were kept.", "replace": "Those of the file were taken."}.get(str(overlap.get("choice")), "") if overlap.get("differing") else ""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(f":material/playlist_add: {literal(dataset.provenance.get('name', 'A file'))} appended to version {short(before['version'])} ({number(before['bars'])} bars until {before['last'][:10]}). {literal(typeset(str(overlap.get('sentence', ''))))} {chosen}".rstrip(), width="content")
        old = next((each for each in desk.data.catalogue() if each.version == before["version"]), None)       # it may have been deleted, and imported again
        if old and st.button("Old version", type="tertiary", key="old-version"):
            go("data", dataset=old.id)


def _actions(desk: Desk, dataset: Any) -> None:
    name = f"{dataset.instrument}_{dataset.timeframe}_{dataset.first_ts:%Y%m%d}_{dataset.last_ts:%Y%m%d}_{dataset.version[:8]}".replace("=", "-")
    with st.popover("Download", icon=":material/download:", type="tertiary"):
        download_file("Bars, CSV", f"{name}.csv", "text/csv", lambda path: desk.data.write_download(dataset.id, "csv", path), "bars-csv")
        download_file("Bars, Parquet", f"{name}.parquet", "application/octet-stream", lambda path: desk.data.write_download(dataset.id, "parquet", path), "bars-parquet")
        if dataset.ledger:
            download("Repairs, CSV", f"{name}_repairs.csv", "text/csv", lambda: desk.data.download_repairs(dataset.id), "repairs-csv")
    if st.button("Backtest", icon=":material/candlestick_chart:", type="tertiary", help="Opens the form of a backtest with this dataset."):
        go("backtest", data=dataset.id)
    if not dataset.synthetic and st.button("Append…", icon=":material/playlist_add:", type="tertiary", **allowed(desk, "data.append", help="Append a newer file of the same series.")):
        go("data", do="append", dataset=dataset.id)
    if st.button("Delete…", icon=":material/delete:", type="tertiary", **allowed(desk, "data.delete")):
        _delete(desk, dataset)


@st.dialog("Delete dataset?")
def _delete(desk: Desk, dataset: Any) -> None:
    runs = desk.data.used_by(dataset.id)
    label = "Delete dataset" + (f" and {plural(len(runs), 'run')}" if runs else "")
    st.markdown(f"**{literal(dataset.instrument)} {dataset.timeframe}**, {number(dataset.bars)} bars from {dataset.first_ts:%Y-%m-%d} to {dataset.last_ts:%Y-%m-%d}, is removed" + (f", and with it {plural(len(runs), 'run')} made on it: {', '.join(runs[:8])}." if runs else "."))
    st.caption("The audit trail keeps the version of the bars and the hashes of the results.")
    if st.button(label, type="primary", icon=":material/delete:", **allowed(desk, "data.delete")):
        desk.data.delete(dataset.id)
        go("data")


@st.cache_data(max_entries=16, show_spinner=False)
def _gaps(_desk: Desk, dataset: str) -> pd.DataFrame:
    return _desk.data.gap_map(dataset)


def _quality(desk: Desk, dataset: Any) -> None:
    section("Quality report")
    findings, titles = dataset.quality["findings"], desk.data.check_titles()
    failed = findings_frame(findings, titles, all_of_them=False)
    st.caption(f"{plural(len(findings), 'check')} at import. {literal(typeset(str(dataset.quality['sentence'])))}")
    for note in dataset.quality.get("notes", ()):
        st.caption(f":material/info: {literal(typeset(str(note)))}")
    config = st.column_config
    columns = {"check": config.TextColumn("Check", width=136), "count": config.NumberColumn("Count", format="localized", width=56), "did": config.TextColumn("Action", width=64), "example": config.TextColumn("First occurrence", width=200)}
    if len(failed):
        table(failed, columns, "Checks that found something: count, action and first occurrence", row_height=26)
    with st.popover("All checks", type="tertiary", icon=":material/checklist:"):
        table(findings_frame(findings, titles), {**columns, "check": config.TextColumn("Check", width=260)}, "Every check with count, action and first occurrence", row_height=26)
    missing = _gaps(desk, dataset.id)
    section("Missing bars", f"{number(missing['missing'].sum())} in total, by weekday and hour, UTC; stronger colour: more bars")
    draw_chart(charts.gap_map(missing), alt="Missing bars by weekday and hour of UTC")
    if dataset.spread is not None:
        st.caption(f"Median spread: {pips(dataset.spread, desk.data.instruments()[dataset.instrument].pip)}.")
