"""External data: the catalogue, and the chosen import with its chart or latest rows, notes and versions."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from app.data import external_charts
from app.data.external_steps import import_steps
from app.kit.address import asked_for, missing
from app.kit.figures import clock, number, plural, short, size
from app.kit.text import literal
from app.kit.widgets import download, go, head, nothing, section, table
from worker.desk import Desk

WHY = "Macro series, news headlines and economic calendars used by features. Import from file; no download."
LATE = "When a value becomes known, at 22:00 UTC: late rather than early. Headlines and releases count from their own time."
REVISED = "Whether values were revised after publication (not point-in-time): a backtest would then know numbers that nobody had."
LATEST = 200        # rows of headlines or of a calendar that are shown


def external_view(desk: Desk, doing: str, switch: Any) -> None:
    """The whole view; ``switch`` draws the way back to prices."""
    held = desk.outside.catalogue()
    head("Data", f"{plural(len(held), 'external source')}, {number(sum(one.rows for one in held))} rows, {size(sum(one.bytes for one in held))}" if held else "", lambda: _actions(doing))
    switch()
    if doing == "import":
        return import_steps(desk)
    if not held:
        if wanted := asked_for("external") or asked_for("outside"):
            missing("import", wanted, "Import it again.")
        nothing("No external data yet", WHY, lambda: _actions(doing, "empty"))
    else:
        chosen = _catalogue(desk, held)
        if chosen is not None:
            _chosen(desk, chosen)
    _sources(desk, not held)


def _actions(doing: str, key: str = "head") -> None:
    if st.button("Import…", icon=":material/upload:", type="secondary" if doing else "primary", key=f"{key}-outside-import", disabled=doing == "import"):
        go("data", view="external", do="import")
    if doing and key == "head" and st.button("Close", icon=":material/close:", type="tertiary"):
        go("data", view="external")


def _catalogue(desk: Desk, held: list) -> Any:
    """The table; the chosen import, else that of the address, else the first. None where the address names one that is not there."""
    rows = [
        dict(
            kind=desk.outside.kinds()[one.kind], name=one.name, unit=about.unit if (about := desk.outside.about(one)) else "score" if one.kind == "headlines" else "events", first=f"{one.first_ts:%Y-%m-%d}", last=f"{one.last_ts:%Y-%m-%d}",
            rows=one.rows, known=_known(about), revised="yes" if about and about.revised else "no", source=one.source,
        )
        for one in held
    ]  # fmt: skip
    config = st.column_config
    columns = {
        "kind": config.TextColumn("Kind", width=84),
        "name": config.TextColumn("Name", width=116),
        "unit": config.TextColumn("Unit", width=128),
        "first": config.TextColumn("From", width=84),
        "last": config.TextColumn("To", width=84),
        "rows": config.NumberColumn("Rows", format="localized", width=66),
        "known": config.TextColumn("Publication lag", width=104, help=LATE),
        "revised": config.TextColumn("Revised", width=66, help=REVISED),
        "source": config.TextColumn("File", width=236),
    }
    row = table(pd.DataFrame(rows), columns, "External data: kind, name, unit, range, rows, publication lag, revised, file", key="outside-catalogue", pick=True, row_height=26)
    if row is not None:
        st.query_params["external"] = held[row].id
    wanted = asked_for("external") or asked_for("outside")      # the name of earlier versions
    chosen = next((one for one in desk.outside.every() if one.id == wanted), None if wanted else held[0])
    if chosen is None:
        missing("import", wanted, "Choose one in the table.")
    return chosen


def _known(about: Any) -> str:
    return about.lag.removeprefix("known ").partition(" at ")[0] if about else "none"


def _chosen(desk: Desk, one: Any) -> None:
    about, used, versions = desk.outside.about(one), desk.outside.is_used(one), desk.outside.versions(one)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.subheader(one.name, anchor=False, width="content")
        st.badge("in use" if used else "older version", color="gray", icon=":material/check:" if used else ":material/history:", help="Features use the newest import of a series, and the newest headlines and calendar of all names." if used else "A newer import has replaced it; runs that use this one keep it.")
        if about and about.revised:
            st.badge("revised", color="yellow", help="Not point-in-time: the file has the last revised values, not those known at the time.")
        st.badge(f"version {short(one.version)}", color="gray", icon=":material/tag:", help=one.version)
        st.space("stretch")
        download("Download, CSV", f"{one.name}_{one.first_ts:%Y%m%d}_{one.last_ts:%Y%m%d}_{one.version[:8]}.csv", "text/csv", lambda: desk.outside.download(one.id), f"outside-csv-{one.id}")
        if st.button("Delete…", icon=":material/delete:", type="tertiary"):
            _delete(desk, one)
    text = f"{about.title}. {about.source} A value is {about.lag}." if about else f"Scored by {one.scorer}: from −1 (negative) to +1 (positive); each known from its own time." if one.scorer else "The time of a release is known in advance, its value is not."
    st.caption(f"{text} {number(one.rows)} rows from {literal(one.source)}, imported {clock(one.created_at)} UTC by {literal(one.actor)}.")
    if one.notes:
        st.caption(f":material/info: {literal(' '.join(one.notes))}")
    _picture(desk, one, about)
    if len(versions) > 1:
        _versions(desk, versions, one)


def _picture(desk: Desk, one: Any, about: Any) -> None:
    if about:
        _line(desk, one, about)
    else:
        _latest(desk, one)


def _line(desk: Desk, one: Any, about: Any) -> None:
    shown = desk.outside.line(one.id)
    section(about.title, f"{about.unit}, {one.first_ts:%Y-%m-%d} to {one.last_ts:%Y-%m-%d}, by date")
    st.altair_chart(external_charts.line(shown, about.unit, about.title), width="stretch", alt=f"{about.title} from {one.first_ts:%Y-%m-%d} to {one.last_ts:%Y-%m-%d}, between {shown['value'].min():g} and {shown['value'].max():g} {about.unit}")
    st.caption(f"{plural(len(shown), 'point')} drawn from {plural(one.rows, 'row')}; extremes are kept.")


def _latest(desk: Desk, one: Any) -> None:
    latest = desk.outside.latest(one.id, LATEST)
    shown = latest.assign(ts=latest["ts"].dt.strftime("%Y-%m-%d %H:%M"))
    config = st.column_config
    columns: dict[str, Any] = {"ts": config.TextColumn("UTC", width=124)}
    if one.kind == "headlines":
        columns |= {"score": config.NumberColumn("Score", format="%+.2f", width=70, help="From −1 (negative) to +1 (positive)."), "headline": config.TextColumn("Headline", width=640)}
    else:
        st.caption(_by_impact(desk, one))
        columns |= {"currency": config.TextColumn("Currency", width=80), "impact": config.TextColumn("Impact", width=76), "title": config.TextColumn("Release", width=560)}
    section("Latest", f"{plural(len(shown), 'row')} of {number(one.rows)}, newest first")
    table(shown, columns, f"The latest rows of {one.name}", row_height=26, height=min(38 + 26 * len(shown), 376))


def _by_impact(desk: Desk, one: Any) -> str:
    least = desk.settings.outside.release_impact
    counts = ", ".join(f"{number(count)} {level}" for level, count in desk.outside.tally(one.id).items())
    return f"By impact: {counts}. Features count minutes to those of {least} impact{'' if least == 'high' else ' or more'} that concern an instrument's own currencies."


def _versions(desk: Desk, versions: list, one: Any) -> None:
    section("Imports under this name", "newest first; select one to view it")
    rows = [dict(made=clock(each.created_at), version=short(each.version), rows=each.rows, first=f"{each.first_ts:%Y-%m-%d}", last=f"{each.last_ts:%Y-%m-%d}", source=each.source, actor=each.actor, runs=len(desk.outside.used_by(each.id)), shown="●" if each.id == one.id else "") for each in versions]
    config = st.column_config
    columns = {
        "shown": config.TextColumn("", width=28), "made": config.TextColumn("Imported, UTC", width=130), "version": config.TextColumn("Version", width=76), "rows": config.NumberColumn("Rows", format="localized", width=70), "first": config.TextColumn("From", width=88),
        "last": config.TextColumn("To", width=88), "source": config.TextColumn("File", width=220), "actor": config.TextColumn("User", width=80), "runs": config.NumberColumn("Runs", width=56, help="Runs that use this version and keep it."),
    }  # fmt: skip
    row = table(pd.DataFrame(rows), columns, "Imports under this name", key=f"outside-versions-{one.id}", pick=True, row_height=26)
    if row is not None and versions[row].id != one.id:
        go("data", view="external", external=versions[row].id)


@st.dialog("Delete import?")
def _delete(desk: Desk, one: Any) -> None:
    runs = desk.outside.used_by(one.id)
    st.markdown(f"**{literal(one.name)}**, {number(one.rows)} rows from {literal(one.source)}, imported {clock(one.created_at)} UTC, {'cannot be deleted' if runs else 'is deleted'}.")
    if runs:
        st.caption(f":material/lock: It is used by {plural(len(runs), 'run')}, which could not be reproduced without it: {', '.join(runs[:8])}{' …' if len(runs) > 8 else ''}. Delete {'it' if len(runs) == 1 else 'them'} first.")
    else:
        st.caption("The audit trail keeps the version and the name of the file.")
    if st.button("Delete import", type="primary", icon=":material/delete:", disabled=bool(runs)):
        desk.outside.remove(one.id)
        go("data", view="external")


def _sources(desk: Desk, opened: bool) -> None:
    """Supported series, file formats, and sources."""
    with st.expander("Supported series and file formats", expanded=opened, icon=":material/help:"):
        rows = [dict(name=one.about.name, title=one.about.title, unit=one.about.unit, here=f"to {one.newest.last_ts:%Y-%m-%d}" if one.newest else "", file=one.about.file, known=_known(one.about), revised="yes" if one.about.revised else "no") for one in desk.outside.choices()]
        config = st.column_config
        columns = {
            "name": config.TextColumn("Name", width=124), "title": config.TextColumn("Series", width=244), "unit": config.TextColumn("Unit", width=136), "here": config.TextColumn("Loaded", width=92),
            "file": config.TextColumn("Source ID", width=130), "known": config.TextColumn("Publication lag", width=100, help=LATE), "revised": config.TextColumn("Revised", width=64, help=REVISED),
        }  # fmt: skip
        table(pd.DataFrame(rows), columns, "Series that features can use", row_height=26, height=38 + 26 * len(rows))
        st.markdown(
            "**Series**: a date and a value per row. FRED gives most of them as CSV by id: `https://fred.stlouisfed.org/graph/fredgraph.csv?id=VIXCLS`  \n"
            "**Headlines**: CSV with `time` (or `ts`, `datetime`, `published`) and `headline` (or `title`, `text`): `2024-07-11T12:30:00Z,Dollar slides`  \n"
            "**Releases**: CSV with `time`, `event`, `country`, `impact` (low, medium, high), or ForexFactory's week as JSON or XML: `2024-07-11T12:30:00Z,CPI,US,high`"
        )
        st.caption("Naive timestamps are refused unless you treat them as UTC. Policy rates of a pair are those of its two currencies: EURUSD uses EU_RATE and US_RATE.")
