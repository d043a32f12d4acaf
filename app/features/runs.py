"""What the views share around a run: the one that the address names, its question in a line, earlier ones, asking for another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from app.kit.figures import clock, plural
from app.kit.text import literal
from app.kit.widgets import asked, go, job_panel, nothing, section, table
from worker.desk import Desk

PAGE = "features"


def current(desk: Desk, view: str, kind: str) -> tuple[Any, Any]:
    """The run of this kind that the address names, and the job; a job that is done gives way to its run."""
    job = desk.jobs.get(st.query_params.get("job", ""))
    if job and job.state == "done":
        st.query_params.from_dict({"view": view, "run": job.result["run"]})
    run = next((one for one in desk.features.latest(kind) if one.id == st.query_params.get("run")), None)
    return run, job if job and job.state != "done" else None


def send(view: str, submit: Callable[[], Any]) -> None:
    """Ask the desk, and show the job, or the run that answered the same question before."""
    submitted = asked(submit)
    if submitted is None:
        return
    if not submitted.new and submitted.job.state == "done":
        st.toast(f"Exactly this was asked before: run {submitted.job.result['run']}.", icon=":material/info:")
        go(PAGE, view=view, run=submitted.job.result["run"])
    go(PAGE, view=view, job=submitted.job.id)


def sentence(run: Any) -> str:
    """The question of a run in one line: the closed form."""
    spec = run.spec
    names = ", ".join(one["instrument"] for one in run.manifest["spec"]["data"])
    return f"**{run.title.partition(' · ')[0]}** · {names} {spec['timeframe']} · {spec['start'][:10]} to {spec['end'][:10]}"


def body(desk: Desk, run: Any, job: Any, result: Callable[[Any], None], kind: str, empty: tuple[str, str]) -> None:
    """The job while it is open, the run once it is there; what belongs here while there is none of that kind."""
    if job:
        if job_panel(desk, job) and job.open:
            for height in (60, 300):
                st.skeleton(height)
    elif run:
        result(run)
    elif "run" in st.query_params:
        st.warning(f"There is no such run {literal(st.query_params['run'])}. It may have been deleted; choose one below.", icon=":material/warning:")
    elif not desk.features.latest(kind, 1):
        nothing(*empty)


def no_bars(sentence: str) -> None:
    nothing("No bars yet", sentence, _import)


def _import() -> None:
    if st.button("Import a file", type="primary"):
        go("data", do="import")


def earlier(desk: Desk, view: str, runs: Sequence[Any], run: Any, worth: Callable[[Any], str], title: str = "Found") -> None:
    """Earlier runs of this view's kind; ``worth``: the one thing to tell each by."""
    others = [one for one in runs if run is None or one.id != run.id]
    if not others:
        return
    section("Earlier", "newest first; choose one to open it")
    rows = [
        dict(run=one.id, name=one.name or one.title, bars=["synthetic"] if one.synthetic else [], extent=plural(sum(part["bars"] for part in one.manifest["spec"]["data"]), "bar"), worth=worth(one), made=clock(one.created_at), actor=one.actor)
        for one in others
    ]  # fmt: skip
    config = st.column_config
    columns = {
        "run": config.TextColumn("Run", width=66),
        "name": config.TextColumn("What", width=300),
        "bars": config.MultiselectColumn("Bars", width=84, options=["synthetic"], color=["violet"]),
        "extent": config.TextColumn("Extent", width=110),
        "worth": config.TextColumn(title, width=180),
        "made": config.TextColumn("Made, UTC", width=120),
    }
    row = table(pd.DataFrame(rows), columns, "Earlier runs", key=f"earlier-{view}-{run.id if run else ''}", pick=True)
    if row is not None:
        go(PAGE, view=view, run=others[row].id)


@st.dialog("Delete this run?")
def delete(desk: Desk, view: str, run: Any) -> None:
    st.markdown(f"**{literal(run.name or run.title)}** `{run.id}` is removed. Its audit events stay, and name the hashes of its results.")
    if st.button("Delete run", type="primary", icon=":material/delete:"):
        desk.features.delete(run.id)
        go(PAGE, view=view)
