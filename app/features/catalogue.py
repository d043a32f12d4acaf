"""Catalogue: every feature by family with description and source; and named feature sets."""

from __future__ import annotations

from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from app.backtest import form as backtest
from app.features import charts, runs
from app.features.compute import drawn
from app.features.values import bounds, spread_of
from app.kit.address import address_value, missing
from app.kit.draw import draw_chart
from app.kit.figures import DASH, clock, exact, plural, typeset
from app.kit.rights import allowed
from app.kit.text import literal
from app.kit.widgets import attempt, go, job_panel, section, table
from worker.desk import Desk, FeatureRequest

ALL = "All families"
DRAWN = 2_000       # bars of the small chart
JOB = "drawing"     # query parameter: the job that draws a feature


def render(desk: Desk) -> None:
    every = desk.features.catalogue()
    families = list(dict.fromkeys(feature.family for feature in every))
    a, b, _ = st.columns([2, 1, 2], vertical_alignment="bottom")
    words = a.text_input("Search", placeholder="name, description, source", key="catalogue-words", label_visibility="collapsed", icon=":material/search:").lower().split()
    family = b.selectbox("Family", [ALL, *families], key="catalogue-family", label_visibility="collapsed")
    shown = [feature for feature in every if family in (ALL, feature.family) and all(word in _text(feature) for word in words)]
    section("Features", f"{len(shown):,} of {len(every):,}, {plural(len({feature.family for feature in shown}), 'family', 'families')}; select one for details")
    chosen = _table(shown, f"{family}-{'-'.join(words)}") if shown else None
    if not shown:
        st.caption("No match. Use fewer words, or all families.")
    feature = chosen or next((feature for feature in every if feature.name == address_value("feature")), None)
    if address_value("feature") and feature is None:
        missing("feature", address_value("feature"), "Choose one in the table.")
    if feature:
        _feature(desk, feature)
    _feature_sets(desk)


def _text(feature: Any) -> str:
    return f"{feature.name} {feature.family} {feature.about} {feature.source} {feature.unit}".lower()


def _table(shown: list[Any], key: str) -> Any:
    rows = [dict(name=feature.name, family=feature.family, unit=feature.unit, warm_up=feature.warm_up, range=bounds(feature.low, feature.high), help=feature.help.replace("``", ""), source=feature.source) for feature in shown]
    config = st.column_config
    columns = {
        "name": config.TextColumn("Feature", width=152),
        "family": config.TextColumn("Family", width=72),
        "help": config.TextColumn("Description", width=244),
        "unit": config.TextColumn("Unit", width=114),
        "range": config.TextColumn("Range", width=76),
        "warm_up": config.NumberColumn("Warm-up, bars", format="localized", width=92, help="Bars that pass before its first value, by its defaults, inputs included."),
        "source": config.TextColumn("Source", width=150),
    }
    row = table(pd.DataFrame(rows), columns, "Every feature with family, unit, range, warm-up and source", key=f"catalogue-{key}", pick=True, row_height=26, height="auto" if len(rows) <= 12 else 350)
    return shown[row] if row is not None else None


# -- one feature


def _feature(desk: Desk, feature: Any) -> None:
    if st.query_params.get("feature") != feature.name:
        st.query_params.from_dict({"feature": feature.name})
    left, right = st.columns([6, 5], gap="medium")
    with left:
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
            st.header(feature.name, anchor=False, width="content")
            st.badge(feature.family, color="gray")
            st.badge(feature.unit, color="blue")
        st.markdown(_escaped(feature.about))
        st.markdown(_facts(feature))
    with right:
        _drawing(desk, feature)


def _escaped(about: str) -> str:
    """A docstring as Markdown: its lines stay, its backquotes mark code, and nothing else in it is markup."""
    text = about.replace("``", "`")
    parts = text.split("`")
    for k in range(0, len(parts), 2):
        for mark in "*_$[]~|<>#":
            parts[k] = parts[k].replace(mark, f"\\{mark}")
    return "`".join(parts).replace("\n\n", "\0").replace("\n", "  \n").replace("\0", "\n\n")


def _facts(feature: Any) -> str:
    rows = {
        "Syntax": f"`{feature.written}`, on a longer timeframe `{feature.written}@H1`",
        "Inputs": ", ".join(f"`{name}`" for name in feature.inputs),
        "Parameters": ", ".join(f"`{name}` {exact(value)}" for name, value in feature.parameters.items()) or "none",
        "Range": bounds(feature.low, feature.high),
        "Warm-up": plural(feature.warm_up, "bar"),
        "Source": feature.source,
    }
    return "  \n".join(f":gray[{name}]\u2003{text}" for name, text in rows.items())


def _drawing(desk: Desk, feature: Any) -> None:
    """The feature on the latest bars of a dataset, computed by a worker on request."""
    datasets = desk.data.catalogue()
    if not datasets:
        st.caption("Import prices to draw it here.")
        return
    job = desk.jobs.get(st.query_params.get(JOB, ""))
    start = backtest.bars_before(datasets, {})[0]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox("Data", datasets, datasets.index(start), key="catalogue-bars", format_func=backtest.bars_name, label_visibility="collapsed")
        if st.button("Draw", icon=":material/show_chart:", help=f"On the last {DRAWN:,} bars."):
            submitted = attempt(partial(desk.features.submit_columns, _latest(chosen, feature.written)))
            if submitted:
                st.query_params[JOB] = submitted.job.id
                st.rerun()
    if job and not job_panel(desk, job) and feature.written in job.spec["columns"]:
        _drawn(desk, desk.features.get(job.result["run"]), feature)


def _latest(dataset: Any, written: str) -> FeatureRequest:
    """A request for about the last ``DRAWN`` bars, by share of time."""
    length = dataset.last_ts - dataset.first_ts
    start = dataset.last_ts - length * min(DRAWN / max(dataset.bars, 1), 1.0)
    first, last = backtest.whole_days(start.date(), dataset.last_ts.date())
    return FeatureRequest([dataset.id], dataset.timeframe, first, last, [written])


def _drawn(desk: Desk, run: Any, feature: Any) -> None:
    member = run.summary["members"][0]
    about = next(column for column in member["columns"] if column["column"] == feature.written)
    quote = desk.data.instruments()[member["instrument"]]
    frame, bars = drawn(desk, run.id, member["instrument"], feature.written, 0)
    description = f"{feature.written}, {spread_of(about)}"
    draw_chart(charts.beneath(frame, feature.written, about["unit"], quote.quote, quote.digits, about["first"] or 0, height=110), alt=description)
    st.caption(f"{feature.written} of {member['instrument']} {member['timeframe']} on {plural(bars, 'bar')}: {spread_of(about)}.")


# -- feature sets


def _feature_sets(desk: Desk) -> None:
    every = desk.features.recipes()
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        section("Feature sets", "your sets first; select one to see its features")
        st.space("stretch")
        if st.button("New feature set…", icon=":material/add:", type="tertiary", **allowed(desk, "features.save_recipe")):
            _save(desk, None)
    rows = [dict(name=feature_set.name, owner=["you"] if feature_set.own else ["built-in"], count=len(feature_set.columns), note=feature_set.note, columns=", ".join(feature_set.columns), created=clock(feature_set.created_at) if feature_set.created_at else DASH) for feature_set in every]
    config = st.column_config
    columns = {
        "name": config.TextColumn("Feature set", width=130),
        "owner": config.MultiselectColumn("Owner", width=72, options=["you", "built-in"], color=["blue", "gray"]),
        "count": config.NumberColumn("Features", format="localized", width=68),
        "note": config.TextColumn("Purpose", width=260),
        "columns": config.TextColumn("Names", width=370),
    }
    row = table(pd.DataFrame(rows), columns, "Feature sets with their features", key=f"recipes-{len(every)}", pick=True, row_height=26, height="auto" if len(rows) <= 9 else 272)
    if row is not None:
        _feature_set(desk, every[row])


def _feature_set(desk: Desk, feature_set: Any) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        section(feature_set.name, plural(len(feature_set.columns), "feature") + (f", saved by {feature_set.actor} {clock(feature_set.created_at)} UTC" if feature_set.own else ", built-in"))
        st.space("stretch")
        if st.button("Change…" if feature_set.own else "Copy…", icon=":material/edit:" if feature_set.own else ":material/content_copy:", type="tertiary", **allowed(desk, "features.save_recipe")):
            _save(desk, feature_set)
        if feature_set.own and st.button("Delete…", icon=":material/delete:", type="tertiary", **allowed(desk, "features.delete_recipe")):
            _delete(desk, feature_set)
    units = desk.features.units(feature_set.columns)
    st.markdown(" ".join(f"`{name}`\u00a0:gray[{units[name]}]" for name in feature_set.columns))


@st.dialog("Save feature set", width="large")
def _save(desk: Desk, feature_set: Any) -> None:
    name = st.text_input("Name", feature_set.name if feature_set and feature_set.own else "", max_chars=64)
    note = st.text_input("Purpose", feature_set.note if feature_set and feature_set.own else "", max_chars=200)
    start = list(feature_set.columns) if feature_set else []
    every = list(dict.fromkeys([*start, *(feature.written for feature in desk.features.catalogue())]))
    columns = st.multiselect("Features", every, start, accept_new_options=True, filter_mode="contains", select_all=False, wrap=True, placeholder="atr(14), rsi(window=7), atr(14)@H1", help="Type one that is not in the list and press Enter.")
    faults = desk.features.faults(columns)
    for fault in faults.values():
        st.markdown(f":small[:red[{literal(typeset(fault))}]]")
    exists = name.strip() in {own.name for own in desk.features.recipes() if own.own} and (feature_set is None or name.strip() != feature_set.name)
    if exists:
        st.caption(f"A feature set {name.strip()} exists; saving replaces it.")
    if st.button("Save feature set", type="primary", **allowed(desk, "features.save_recipe", disabled=not columns or bool(faults) or not name.strip())) and attempt(partial(desk.features.save_recipe, name, columns, note)) is not None:
        go(runs.PAGE)


@st.dialog("Delete this feature set?")
def _delete(desk: Desk, feature_set: Any) -> None:
    st.markdown(f"**{feature_set.name}** with {plural(len(feature_set.columns), 'feature')} is removed. Results computed with it keep their columns, and the audit trail keeps its definition.")
    if st.button("Delete feature set", type="primary", icon=":material/delete:", **allowed(desk, "features.delete_recipe")):
        desk.features.delete_recipe(feature_set.name)
        go(runs.PAGE)
