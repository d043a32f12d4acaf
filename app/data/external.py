"""External data: the catalogue, and the chosen import with its chart or latest rows, notes and versions."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from app.data import external_charts
from app.data.external_download import download_steps
from app.data.external_steps import import_steps
from app.kit.address import address_value, missing
from app.kit.draw import draw_chart
from app.kit.figures import clock, number, plural, short, size
from app.kit.rights import allowed
from app.kit.text import literal
from app.kit.widgets import download, go, head, nothing, section, table
from worker.desk import Desk

WHY = "Macro series, news headlines and economic calendars used by features: import a file, or download them."
LATE = "When a value becomes known, at 22:00 UTC: late rather than early. Headlines and releases count from their own time."
REVISED = "Whether values were revised after publication (not point-in-time): a backtest would then know numbers that nobody had."
LATEST = 200        # rows of headlines or of a calendar that are shown


def external_view(desk: Desk, doing: str, switch: Any) -> None:
    """Draw the view; ``switch`` draws the control that leads to prices."""
    imports = desk.outside.catalogue()
    head("Data", f"{plural(len(imports), 'external source')}, {number(sum(imported.rows for imported in imports))} rows, {size(sum(imported.bytes for imported in imports))}" if imports else "", lambda: _actions(desk, doing))
    switch()
    if doing == "import":
        return import_steps(desk)
    if doing == "download":
        return download_steps(desk)
    if not imports:
        if wanted := address_value("external") or address_value("outside"):
            missing("import", wanted, "Import it again.")
        nothing("No external data yet", WHY, lambda: _actions(desk, doing, "empty"))
    else:
        chosen = _catalogue(desk, imports)
        if chosen is not None:
            _chosen(desk, chosen)
    _sources(desk, not imports)


def _actions(desk: Desk, doing: str, key: str = "head") -> None:
    if st.button("Download…", icon=":material/download:", key=f"{key}-outside-download", **allowed(desk, "outside_downloads.submit", disabled=doing == "download")):
        go("data", view="external", do="download")
    if st.button("Import…", icon=":material/upload:", type="secondary" if doing else "primary", key=f"{key}-outside-import", **allowed(desk, "outside.import_", disabled=doing == "import")):
        go("data", view="external", do="import")
    if doing and key == "head" and st.button("Close", icon=":material/close:", type="tertiary"):
        go("data", view="external")


def _catalogue(desk: Desk, imports: list) -> Any:
    """Draw the table; the chosen import, else that of the address, else the first. None where the address names one
    that does not exist."""
    rows = [
        dict(
            kind=desk.outside.kinds()[imported.kind], name=imported.name, unit=about.unit if (about := desk.outside.about(imported)) else "score" if imported.kind == "headlines" else "events", first=f"{imported.first_ts:%Y-%m-%d}", last=f"{imported.last_ts:%Y-%m-%d}",
            rows=imported.rows, lag=_lag(about), revised="yes" if about and about.revised else "no", source=imported.source,
        )
        for imported in imports
    ]  # fmt: skip
    wanted = address_value("external") or address_value("outside")      # the name of earlier versions
    place = next((k for k, imported in enumerate(imports) if imported.id == wanted), None if wanted else 0)
    config = st.column_config
    columns = {
        "kind": config.TextColumn("Kind", width=84),
        "name": config.TextColumn("Name", width=116),
        "unit": config.TextColumn("Unit", width=128),
        "first": config.TextColumn("From", width=84),
        "last": config.TextColumn("To", width=84),
        "rows": config.NumberColumn("Rows", format="localized", width=66),
        "lag": config.TextColumn("Publication lag", width=104, help=LATE),
        "revised": config.TextColumn("Revised", width=66, help=REVISED),
        "source": config.TextColumn("File", width=236),
    }
    row = table(pd.DataFrame(rows), columns, "External data: kind, name, unit, range, rows, publication lag, revised, file", key="outside-catalogue", pick=True, row_height=26, chosen=place)
    if row is not None:
        st.query_params["external"] = imports[row].id
        wanted = imports[row].id
    chosen = next((imported for imported in desk.outside.every() if imported.id == wanted), None if wanted else imports[0])
    if chosen is None:
        missing("import", wanted, "Choose one in the table.")
    return chosen


def _lag(about: Any) -> str:
    return about.lag.removeprefix("known ").partition(" at ")[0] if about else "none"


def _chosen(desk: Desk, imported: Any) -> None:
    about, used, versions = desk.outside.about(imported), desk.outside.is_used(imported), desk.outside.versions(imported)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.header(literal(imported.name), anchor=False, width="content")
        st.badge("in use" if used else "older version", color="gray", icon=":material/check:" if used else ":material/history:", help="Features use the newest import of a series, and the newest headlines and calendar of all names." if used else "A newer import has replaced it; runs that use this one keep it.")
        if about and about.revised:
            st.badge("revised", color="yellow", help="Not point-in-time: the file has the last revised values, not those known at the time.")
        st.badge(f"version {short(imported.version)}", color="gray", icon=":material/tag:", help=imported.version)
        st.space("stretch")
        download("Download, CSV", f"{imported.name}_{imported.first_ts:%Y%m%d}_{imported.last_ts:%Y%m%d}_{imported.version[:8]}.csv", "text/csv", lambda: desk.outside.download(imported.id), f"outside-csv-{imported.id}")
        if st.button("Delete…", icon=":material/delete:", type="tertiary", **allowed(desk, "outside.remove")):
            _delete(desk, imported)
    text = f"{about.title}. {about.source} A value is {about.lag}." if about else f"Scored by {imported.scorer}: from −1 (negative) to +1 (positive); each known from its own time." if imported.scorer else "The time of a release is known in advance, its value is not."
    st.caption(f"{text} {number(imported.rows)} rows from {literal(imported.source)}, imported {clock(imported.created_at)} UTC by {literal(imported.actor)}.")
    if imported.notes:
        st.caption(f":material/info: {literal(' '.join(imported.notes))}")
    _picture(desk, imported, about)
    if len(versions) > 1:
        _versions(desk, versions, imported)


def _picture(desk: Desk, imported: Any, about: Any) -> None:
    if about:
        _line(desk, imported, about)
    else:
        _latest(desk, imported)


def _line(desk: Desk, imported: Any, about: Any) -> None:
    shown = desk.outside.line(imported.id)
    section(about.title, f"{about.unit}, {imported.first_ts:%Y-%m-%d} to {imported.last_ts:%Y-%m-%d}, by date")
    draw_chart(external_charts.line(shown, about.unit, about.title), alt=f"{about.title} from {imported.first_ts:%Y-%m-%d} to {imported.last_ts:%Y-%m-%d}, between {shown['value'].min():g} and {shown['value'].max():g} {about.unit}")
    st.caption(f"{plural(len(shown), 'point')} drawn from {plural(imported.rows, 'row')}; extremes are kept.")


def _latest(desk: Desk, imported: Any) -> None:
    latest = desk.outside.latest(imported.id, LATEST)
    shown = latest.assign(ts=latest["ts"].dt.strftime("%Y-%m-%d %H:%M"))
    config = st.column_config
    columns: dict[str, Any] = {"ts": config.TextColumn("UTC", width=124)}
    if imported.kind == "headlines":
        columns |= {"score": config.NumberColumn("Score", format="%+.2f", width=70, help="From −1 (negative) to +1 (positive)."), "headline": config.TextColumn("Headline", width=640)}
    else:
        st.caption(_by_impact(desk, imported))
        columns |= {"currency": config.TextColumn("Currency", width=80), "impact": config.TextColumn("Impact", width=76), "title": config.TextColumn("Release", width=560)}
    section("Latest", f"{plural(len(shown), 'row')} of {number(imported.rows)}, newest first")
    table(shown, columns, f"The latest rows of {imported.name}", row_height=26, height=min(38 + 26 * len(shown), 376))


def _by_impact(desk: Desk, imported: Any) -> str:
    least = desk.settings.outside.release_impact
    counts = ", ".join(f"{number(count)} {level}" for level, count in desk.outside.tally(imported.id).items())
    return f"By impact: {counts}. Features count minutes to those of {least} impact{'' if least == 'high' else ' or more'} that concern an instrument's own currencies."


def _versions(desk: Desk, versions: list, imported: Any) -> None:
    section("Imports under this name", "newest first; select one to view it")
    rows = [dict(created=clock(version.created_at), version=short(version.version), rows=version.rows, first=f"{version.first_ts:%Y-%m-%d}", last=f"{version.last_ts:%Y-%m-%d}", source=version.source, actor=version.actor, runs=len(desk.outside.used_by(version.id)), shown="●" if version.id == imported.id else "") for version in versions]
    config = st.column_config
    columns = {
        "shown": config.TextColumn("", width=28), "created": config.TextColumn("Imported, UTC", width=130), "version": config.TextColumn("Version", width=76), "rows": config.NumberColumn("Rows", format="localized", width=70), "first": config.TextColumn("From", width=88),
        "last": config.TextColumn("To", width=88), "source": config.TextColumn("File", width=220), "actor": config.TextColumn("User", width=80), "runs": config.NumberColumn("Runs", width=56, help="Runs that use this version and keep it."),
    }  # fmt: skip
    row = table(pd.DataFrame(rows), columns, "Imports under this name", key=f"outside-versions-{imported.id}", pick=True, row_height=26)
    if row is not None and versions[row].id != imported.id:
        go("data", view="external", external=versions[row].id)


@st.dialog("Delete import?")
def _delete(desk: Desk, imported: Any) -> None:
    runs = desk.outside.used_by(imported.id)
    st.markdown(f"**{literal(imported.name)}**, {number(imported.rows)} rows from {literal(imported.source)}, imported {clock(imported.created_at)} UTC, {'cannot be deleted' if runs else 'is deleted'}.")
    if runs:
        st.caption(f":material/lock: It is used by {plural(len(runs), 'run')}, which could not be reproduced without it: {', '.join(runs[:8])}{' …' if len(runs) > 8 else ''}. Delete {'it' if len(runs) == 1 else 'them'} first.")
    else:
        st.caption("The audit trail keeps the version and the name of the file.")
    if st.button("Delete import", type="primary", icon=":material/delete:", **allowed(desk, "outside.remove", disabled=bool(runs))):
        desk.outside.remove(imported.id)
        go("data", view="external")


def _sources(desk: Desk, opened: bool) -> None:
    """Draw the supported series, file formats, and sources."""
    with st.expander("Supported series and file formats", expanded=opened, icon=":material/help:"):
        rows = [dict(name=choice.about.name, title=choice.about.title, unit=choice.about.unit, here=f"to {choice.newest.last_ts:%Y-%m-%d}" if choice.newest else "", file=choice.about.file, lag=_lag(choice.about), revised="yes" if choice.about.revised else "no") for choice in desk.outside.choices()]
        config = st.column_config
        columns = {
            "name": config.TextColumn("Name", width=124), "title": config.TextColumn("Series", width=244), "unit": config.TextColumn("Unit", width=136), "here": config.TextColumn("Loaded", width=92),
            "file": config.TextColumn("Source ID", width=130), "lag": config.TextColumn("Publication lag", width=100, help=LATE), "revised": config.TextColumn("Revised", width=64, help=REVISED),
        }  # fmt: skip
        table(pd.DataFrame(rows), columns, "Series that features can use", row_height=26, height=38 + 26 * len(rows))
        st.markdown(
            "**Series**: a date and a value per row. FRED gives most of them as CSV by id: `https://fred.stlouisfed.org/graph/fredgraph.csv?id=VIXCLS`  \n"
            "**Headlines**: CSV with `time` (or `ts`, `datetime`, `published`) and `headline` (or `title`, `text`): `2024-07-11T12:30:00Z,Dollar slides`; or a feed (RSS, Atom)  \n"
            "**Releases**: CSV with `time`, `event`, `country`, `impact` (low, medium, high), or ForexFactory's week as JSON or XML: `2024-07-11T12:30:00Z,CPI,US,high`"
        )
        st.caption("Naive timestamps are refused unless you treat them as UTC. Policy rates of a pair are those of its two currencies: EURUSD uses EU_RATE and US_RATE.")
