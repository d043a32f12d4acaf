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
from app.kit.address import asked_for, missing
from app.kit.figures import DASH, clock, exact, plural, typeset
from app.kit.text import literal
from app.kit.widgets import asked, go, job_panel, section, table
from worker.desk import Desk, FeatureRequest

ALL = "All families"
DRAWN = 2_000       # bars of the small chart
JOB = "drawing"     # of the address


def render(desk: Desk) -> None:
    every = desk.features.catalogue()
    families = list(dict.fromkeys(one.family for one in every))
    a, b, _ = st.columns([2, 1, 2], vertical_alignment="bottom")
    words = a.text_input("Search", placeholder="name, description, source", key="catalogue-words", label_visibility="collapsed", icon=":material/search:").lower().split()
    family = b.selectbox("Family", [ALL, *families], key="catalogue-family", label_visibility="collapsed")
    shown = [one for one in every if family in (ALL, one.family) and all(word in _text(one) for word in words)]
    section("Features", f"{len(shown):,} of {len(every):,}, {plural(len({one.family for one in shown}), 'family', 'families')}; select one for details")
    chosen = _table(shown, f"{family}-{'-'.join(words)}") if shown else None
    if not shown:
        st.caption("No match. Use fewer words, or all families.")
    one = chosen or next((one for one in every if one.name == asked_for("feature")), None)
    if asked_for("feature") and one is None:
        missing("feature", asked_for("feature"), "Choose one in the table.")
    if one:
        _one(desk, one)
    _recipes(desk)


def _text(one: Any) -> str:
    return f"{one.name} {one.family} {one.about} {one.source} {one.unit}".lower()


def _table(shown: list[Any], key: str) -> Any:
    rows = [dict(name=one.name, family=one.family, unit=one.unit, warm_up=one.warm_up, range=bounds(one.low, one.high), help=one.help.replace("``", ""), source=one.source) for one in shown]
    config = st.column_config
    columns = {
        "name": config.TextColumn("Feature", width=172),
        "family": config.TextColumn("Family", width=76),
        "help": config.TextColumn("Description", width=262),
        "unit": config.TextColumn("Unit", width=84),
        "range": config.TextColumn("Range", width=60),
        "warm_up": config.NumberColumn("Warm-up, bars", format="localized", width=92, help="Bars that pass before its first value, by its defaults, inputs included."),
        "source": config.TextColumn("Source", width=160),
    }
    row = table(pd.DataFrame(rows), columns, "Every feature with family, unit, range, warm-up and source", key=f"catalogue-{key}", pick=True, row_height=26, height="auto" if len(rows) <= 12 else 350)
    return shown[row] if row is not None else None


# -- one feature


def _one(desk: Desk, one: Any) -> None:
    if st.query_params.get("feature") != one.name:
        st.query_params.from_dict({"feature": one.name})
    left, right = st.columns([6, 5], gap="medium")
    with left:
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
            st.subheader(one.name, anchor=False, width="content")
            st.badge(one.family, color="gray")
            st.badge(one.unit, color="blue")
        st.markdown(_escaped(one.about))
        st.markdown(_facts(one))
    with right:
        _drawing(desk, one)


def _escaped(about: str) -> str:
    """Lines of a docstring as they stand; its backquotes mark code, and nothing else in it is markup."""
    text = about.replace("``", "`")
    parts = text.split("`")
    for k in range(0, len(parts), 2):
        for mark in "*_$[]~|<>#":
            parts[k] = parts[k].replace(mark, f"\\{mark}")
    return "`".join(parts).replace("\n\n", "\0").replace("\n", "  \n").replace("\0", "\n\n")


def _facts(one: Any) -> str:
    rows = {
        "Syntax": f"`{one.written}`, on a longer timeframe `{one.written}@H1`",
        "Inputs": ", ".join(f"`{name}`" for name in one.inputs),
        "Parameters": ", ".join(f"`{name}` {exact(value)}" for name, value in one.parameters.items()) or "none",
        "Range": bounds(one.low, one.high),
        "Warm-up": plural(one.warm_up, "bar"),
        "Source": one.source,
    }
    return "  \n".join(f":gray[{name}]\u2003{text}" for name, text in rows.items())


def _drawing(desk: Desk, one: Any) -> None:
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
            submitted = asked(partial(desk.features.submit_columns, _latest(chosen, one.written)))
            if submitted:
                st.query_params[JOB] = submitted.job.id
                st.rerun()
    if job and not job_panel(desk, job) and one.written in job.spec["columns"]:
        _drawn(desk, desk.features.get(job.result["run"]), one)


def _latest(dataset: Any, written: str) -> FeatureRequest:
    """About the last bars, by share of time."""
    whole = dataset.last_ts - dataset.first_ts
    start = dataset.last_ts - whole * min(DRAWN / max(dataset.bars, 1), 1.0)
    first, last = backtest.whole_days(start.date(), dataset.last_ts.date())
    return FeatureRequest([dataset.id], dataset.timeframe, first, last, [written])


def _drawn(desk: Desk, run: Any, one: Any) -> None:
    member = run.summary["members"][0]
    about = next(each for each in member["columns"] if each["column"] == one.written)
    quote = desk.data.instruments()[member["instrument"]]
    frame, bars = drawn(desk, run.id, member["instrument"], one.written, 0)
    told = f"{one.written}, {spread_of(about)}"
    st.altair_chart(charts.beneath(frame, one.written, about["unit"], quote.quote, quote.digits, about["first"] or 0, height=110), width="stretch", alt=told)
    st.caption(f"{one.written} of {member['instrument']} {member['timeframe']} on {plural(bars, 'bar')}: {spread_of(about)}.")


# -- sets by name


def _recipes(desk: Desk) -> None:
    every = desk.features.recipes()
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        section("Feature sets", "your sets first; select one to see its features")
        st.space("stretch")
        if st.button("New feature set…", icon=":material/add:", type="tertiary"):
            _save(desk, None)
    rows = [dict(name=one.name, owner=["you"] if one.own else ["built-in"], count=len(one.columns), note=one.note, columns=", ".join(one.columns), made=clock(one.created_at) if one.created_at else DASH) for one in every]
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
        _recipe(desk, every[row])


def _recipe(desk: Desk, one: Any) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        section(one.name, plural(len(one.columns), "feature") + (f", saved by {one.actor} {clock(one.created_at)} UTC" if one.own else ", built-in"))
        st.space("stretch")
        if st.button("Change…" if one.own else "Copy…", icon=":material/edit:" if one.own else ":material/content_copy:", type="tertiary"):
            _save(desk, one)
        if one.own and st.button("Delete…", icon=":material/delete:", type="tertiary"):
            _delete(desk, one)
    units = desk.features.units(one.columns)
    st.markdown(" ".join(f"`{name}`\u00a0:gray[{units[name]}]" for name in one.columns))


@st.dialog("Save feature set", width="large")
def _save(desk: Desk, one: Any) -> None:
    name = st.text_input("Name", one.name if one and one.own else "", max_chars=64)
    note = st.text_input("Purpose", one.note if one and one.own else "", max_chars=200)
    start = list(one.columns) if one else []
    every = list(dict.fromkeys([*start, *(each.written for each in desk.features.catalogue())]))
    columns = st.multiselect("Features", every, start, accept_new_options=True, filter_mode="contains", select_all=False, wrap=True, placeholder="atr(14), rsi(window=7), atr(14)@H1", help="Type one that is not in the list and press Enter.")
    faults = desk.features.faults(columns)
    for fault in faults.values():
        st.caption(f":red[{literal(typeset(fault))}]")
    known = name.strip() in {each.name for each in desk.features.recipes() if each.own} and (one is None or name.strip() != one.name)
    if known:
        st.caption(f"A feature set {name.strip()} exists; saving replaces it.")
    if st.button("Save feature set", type="primary", disabled=not columns or bool(faults) or not name.strip()) and asked(partial(desk.features.save_recipe, name, columns, note)) is not None:
        go(runs.PAGE)


@st.dialog("Delete this feature set?")
def _delete(desk: Desk, one: Any) -> None:
    st.markdown(f"**{one.name}** with {plural(len(one.columns), 'feature')} is removed. Results computed with it keep their columns, and the audit trail keeps its definition.")
    if st.button("Delete feature set", type="primary", icon=":material/delete:"):
        desk.features.delete_recipe(one.name)
        go(runs.PAGE)
