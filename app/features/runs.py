"""Runs, as every view has them: that of the address, its settings in a line, earlier runs, a new submission."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from app.backtest.summary import dates
from app.kit.address import address_value, missing
from app.kit.altered import altered_runs
from app.kit.figures import clock, plural
from app.kit.folded import folded
from app.kit.rights import allowed
from app.kit.tables import kind_column, kind_of
from app.kit.text import literal
from app.kit.widgets import attempt, go, job_panel, nothing, section, table
from worker.desk import Desk

PAGE = "features"


def current(desk: Desk, view: str, kind: str) -> tuple[Any, Any]:
    """The run of this kind that the address names, and the job; a job that is done gives way to its run."""
    job = desk.jobs.get(address_value("job"))
    if job and job.state == "done" and job.result.get("run"):
        st.query_params.from_dict({"view": view, "run": job.result["run"]})
    elif address_value("job") and job is None:
        missing("job", address_value("job"), "Choose a run below.")
    run = next((run for run in desk.features.latest(kind) if run.id == address_value("run")), None)
    return run, job if job and job.state != "done" else None


def send(view: str, submit: Callable[[], Any]) -> None:
    """Submit, and show the job, or the identical run."""
    submitted = attempt(submit)
    if submitted is None:
        return
    if not submitted.new and submitted.job.state == "done":
        st.toast(f"Identical request found; showing its result, run {submitted.job.result['run']}.", icon=":material/info:")
        go(PAGE, view=view, run=submitted.job.result["run"])
    go(PAGE, view=view, job=submitted.job.id)


def sentence(run: Any) -> str:
    """The settings of a run in one line: the closed form."""
    spec = run.spec
    names = ", ".join(dataset["instrument"] for dataset in run.manifest["spec"]["data"])
    return f"**{run.title.partition(' · ')[0]}** · {names} {spec['timeframe']} · {dates(spec)}"


def settings(closed: str, view: str, run: Any, job: Any, form: Callable[[], None]) -> None:
    """The form of a view, open where nothing is shown yet."""
    shown = next((each.id for each in (run, job) if each), "new")
    folded(closed, f"{view}-{shown}", form, shown == "new")


def body(desk: Desk, run: Any, job: Any, result: Callable[[Any], None], kind: str, empty: tuple[str, str]) -> None:
    """Draw the job while it is open, then its run, or an empty state where there is no run of that kind."""
    if job:
        if job_panel(desk, job) and job.open:
            for height in (60, 300):
                st.skeleton(height)
    elif run:
        result(run)
    elif "run" in st.query_params:
        missing("run", address_value("run"), "Choose one below.")
    elif not desk.features.latest(kind, 1):
        nothing(*empty)
    altered_runs(desk, kind)


def no_bars(sentence: str) -> None:
    nothing("No data yet", sentence, _import)


def _import() -> None:
    if st.button("Import a file", type="primary"):
        go("data", do="import")


def earlier(desk: Desk, view: str, runs: Sequence[Any], run: Any, worth: Callable[[Any], str], title: str = "Result") -> None:
    """Earlier runs of this view's kind; ``worth``: the one result shown of each."""
    others = [other for other in runs if run is None or other.id != run.id]
    if not others:
        return
    section("Earlier runs", "newest first; select one to open it")
    rows = [
        dict(run=other.id, name=other.name or other.title, data=kind_of(other.synthetic), extent=plural(sum(part["bars"] for part in other.manifest["spec"]["data"]), "bar"), worth=worth(other), created=clock(other.created_at), actor=other.actor)
        for other in others
    ]  # fmt: skip
    config = st.column_config
    columns = {
        "run": config.TextColumn("Run", width=66),
        "name": config.TextColumn("Description", width=300),
        "data": kind_column(),
        "extent": config.TextColumn("Size", width=110),
        "worth": config.TextColumn(title, width=180),
        "created": config.TextColumn("Created, UTC", width=120),
    }
    row = table(pd.DataFrame(rows), columns, "Earlier runs", key=f"earlier-{view}-{run.id if run else ''}", pick=True)
    if row is not None:
        go(PAGE, view=view, run=others[row].id)


@st.dialog("Delete this run?")
def delete(desk: Desk, view: str, run: Any) -> None:
    st.markdown(f"**{literal(run.name or run.title)}** `{run.id}` is removed. Its audit events stay, with the hashes of its results.")
    if st.button("Delete run", type="primary", icon=":material/delete:", **allowed(desk, "features.delete")):
        desk.features.delete(run.id)
        go(PAGE, view=view)
