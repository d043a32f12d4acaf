"""Earlier optimizations: open, name, export, delete."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from app.backtest.summary import dates
from app.kit.figures import clock, number, plural, short
from app.kit.forms import choice
from app.kit.naming import name_run
from app.kit.rights import allowed
from app.kit.tables import kind_column, kind_of
from app.kit.text import literal
from app.kit.widgets import download, go, section, table
from app.sweeps.names import KINDS, declared, ranges, risk
from worker.desk import Desk

EXPORTS = {
    "sweep": (("table", "csv", "Combinations"), ("table", "parquet", "Combinations"), ("matrix", "parquet", "Daily PnL of every combination")),
    "walk_forward": (("folds", "csv", "Folds"), ("fits", "csv", "All fits"), ("equity", "csv", "Out-of-sample equity"), ("trades", "csv", "Out-of-sample trades")),
    "optimise": (("table", "csv", "Trials"), ("table", "parquet", "Trials")),
}
MIME = {"csv": "text/csv", "parquet": "application/octet-stream", "json": "application/json"}


def runs(desk: Desk) -> list[Any]:
    """Optimizations, newest first; stress tests belong to the Backtest page."""
    return sorted((run for kind in KINDS for run in desk.sweeps.latest(kind)), key=lambda run: run.created_at, reverse=True)


def sentence(desk: Desk, run: Any) -> str:
    """The settings of a run in one line: the closed form."""
    spec, parameters = run.spec, declared(desk, run.spec["strategy"])
    names = ", ".join(dataset["instrument"] for dataset in run.manifest["spec"]["data"])
    varied = ranges(parameters, run.summary["grid"]) if "grid" in run.summary else " · ".join(_space(parameters, name, given) for name, given in spec["space"].items())
    windows = f" · {spec['windows']['in_sample']} days in sample, {spec['windows']['out_of_sample']} out of sample" if run.kind == "walk_forward" else ""
    return f"**{KINDS[run.kind]}: {spec['strategy']}** · {names} {spec['timeframe']} · {dates(spec)} · {varied}{windows} · {risk(spec)}"


def _space(parameters: Any, name: str, given: Any) -> str:
    ends = given.get("choices") or [given["low"], given["high"]] if isinstance(given, dict) else given[:2]
    return ranges(parameters, {name: ends}).replace(f" ({len(ends)})", "")


def actions(desk: Desk, run: Any) -> None:
    if st.button("New", icon=":material/add:", help="A new optimization; this run stays in the list."):
        go("sweeps")
    with st.popover("Export", icon=":material/download:"):
        for what, form, label in (*EXPORTS[run.kind], ("manifest", "json", "Manifest")):
            name = f"{run.id}_{run.spec['strategy']}_{what}.{form}"
            download(f"{label}, {form.upper() if form != 'parquet' else 'Parquet'}", name, MIME[form], partial(desk.backtests.download, run.id, what, form), f"export-{what}-{form}")
    if st.button("Name…", icon=":material/label:"):
        name_run(desk, run)
    if st.button("Delete…", icon=":material/delete:", type="tertiary", **allowed(desk, "sweeps.delete")):
        _delete(desk, run)


@st.dialog("Delete this run?")
def _delete(desk: Desk, run: Any) -> None:
    hashes = ", ".join(short(name) for name in run.frames.values())
    st.markdown(f"**{literal(run.name or run.title)}** `{run.id}` with {_extent(run)} is removed. Its trials stay counted; its audit events stay, with the hashes of its results: {hashes}.")
    if st.button("Delete run", type="primary", icon=":material/delete:", **allowed(desk, "sweeps.delete")):
        desk.sweeps.delete(run.id)
        go("sweeps")


def _extent(run: Any) -> str:
    if run.kind == "walk_forward":
        return f"{plural(run.summary['folds'], 'fold')} of {plural(run.summary['combinations'], 'combination')}"
    return plural(run.summary["combinations"], "combination") if run.kind == "sweep" else plural(run.summary["trials"], "trial")


def _worth(run: Any) -> str:
    """The one metric shown of each."""
    if run.kind == "walk_forward":
        return f"WFE {number(run.summary['efficiency'], 2)}"
    best = run.summary["best"]
    if run.kind == "optimise":
        return f"{choice(run.summary['objectives'][0])} {number(best[0]['values'][0], 2)}" if best else "no result"
    return f"Sharpe {number(best[0]['sharpe'], 2)}" if best else "no result"


def earlier(desk: Desk, every: Sequence[Any], run: Any) -> None:
    others = [other for other in every if run is None or other.id != run.id]
    if not others:
        return
    section("Earlier runs", "newest first; select one to open it")
    rows = [
        dict(run=other.id, kind=KINDS[other.kind], name=other.name or other.title.partition(": ")[2], data=kind_of(other.synthetic), extent=_extent(other), worth=_worth(other), created=clock(other.created_at), actor=other.actor)
        for other in others
    ]  # fmt: skip
    config = st.column_config
    columns = {
        "run": config.TextColumn("Run", width=66),
        "kind": config.TextColumn("Kind", width=96),
        "name": config.TextColumn("Strategy", width=236),
        "data": kind_column(),
        "extent": config.TextColumn("Size", width=172),
        "worth": config.TextColumn("Best", width=106, help="Of a grid or Bayesian search the best metric; of a walk-forward its efficiency (WFE)."),
        "created": config.TextColumn("Created, UTC", width=120),
    }
    row = table(pd.DataFrame(rows), columns, "Earlier optimizations", key=f"earlier-sweeps-{run.id if run else ''}", pick=True)
    if row is not None:
        go("sweeps", run=others[row].id)



