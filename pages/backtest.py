"""Backtest: settings, submit, watch, read."""

from __future__ import annotations

import streamlit as st

from app.backtest import batches, compare, runs, summary
from app.backtest.export import export
from app.backtest.form import form
from app.backtest.record import delete_run
from app.backtest.tabs import views
from app.backtest.verdict import first_screen
from app.kit.address import address_value, missing
from app.kit.altered import altered_runs
from app.kit.figures import clock
from app.kit.folded import folded
from app.kit.naming import name_run
from app.kit.page import Page
from app.kit.rights import allowed
from app.kit.text import literal
from app.kit.widgets import go, head, job_panel, nothing

PAGE = Page("Backtest", "Research", 40, "candlestick_chart")


def render(desk) -> None:
    job = desk.jobs.get(address_value("job"))     # read first, so that its run is among the runs
    if job and job.state == "done" and job.result.get("run"):
        st.query_params.from_dict({"run": job.result["run"]})
    batch = next((batch for batch in desk.batches.latest(200) if batch.id == address_value("batch")), None)
    run, beside = desk.backtests.find(address_value("run")), [name.strip() for name in address_value(compare.OTHER).split(",") if name.strip()]
    if run:
        st.set_page_config(page_title=f"{run.name or run.title} · Tidemark")
    head("Backtest", run.name if run else "", (lambda: actions(desk, run)) if run else None)
    if run:
        st.caption(f"Run {run.id} · {clock(run.created_at)} UTC by {literal(run.actor)}")
    not_there(job, batch, run)
    others = [name for name in beside if there(desk, name)]
    shown = next((each.id for each in (run, job, batch) if each), "new")
    folded(summary.sentence(desk, run) if run else "Backtest settings", f"backtest-{shown}", lambda: form(desk, run), shown == "new")
    if job and job.state != "done":
        if job_panel(desk, job) and job.open:
            for height in (60, 294):
                st.skeleton(height)
    elif batch:
        batches.view(desk, batch)
    elif run and others:
        compare.view(desk, [run.id, *others])
    elif run:
        evidence = desk.robustness.of(run.id)
        first_screen(desk, run, evidence)
        views(desk, run, evidence)
    elif not desk.run_list.count():
        nothing("No backtests yet", "Choose a strategy, data and a date range above. Once the engine is compiled, a year of M5 bars takes about a second.")
    altered_runs(desk, "backtest", "batch")
    batches.earlier(desk, batch.id if batch else "")
    runs.view(desk, run)


def not_there(job, batch, run) -> None:
    """Warn of each id in the address that names nothing."""
    for name, what, named in (("run", "run", run), ("batch", "batch", batch), ("job", "job", job or run)):
        if address_value(name) and named is None:
            missing(what, address_value(name), "Choose one below.")


def there(desk, name: str) -> bool:
    """Whether a run to compare with exists; a warning where not."""
    if desk.backtests.find(name) is None:
        missing("run", name, "Choose one below.")
        return False
    return True


def actions(desk, run) -> None:
    if st.button("New", icon=":material/add:", help="A new backtest; this run stays in the list."):
        go("backtest")
    with st.popover("Compare…", icon=":material/compare_arrows:"):
        compare.picker(desk, run)
    with st.popover("Export", icon=":material/download:"):
        export(desk, run)
    runs.marks(desk, run)
    if st.button("Name…", icon=":material/label:", **allowed(desk, "backtests.rename")):
        name_run(desk, run)
    if st.button("Delete…", icon=":material/delete:", type="tertiary", **allowed(desk, "backtests.delete")):
        delete_run(desk, run)
