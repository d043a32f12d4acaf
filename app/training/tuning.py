"""Tuning: ranges of a learner's parameters, the job, its trials and heat maps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import streamlit as st

from app.kit.address import address_value, missing
from app.kit.draw import draw_chart
from app.kit.figures import number, plural
from app.kit.forms import fields, label
from app.kit.text import literal
from app.kit.widgets import attempt, download, figures, job_panel, section, table
from app.sweeps import charts
from app.training.addresses import open_view
from worker.desk import Desk, TrainingRequest

ABOUT = "Trials are judged on the validation parts alone, and each counts as one trial. What is taken is the trial whose five nearest are best on average, not the luckiest."
FACTOR = 4          # times the default, and its share, that a range begins with
LATEST = 4          # tunings that are offered


def ranges(desk: Desk, key: str, learner: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The space to search, empty while no parameter is chosen, and how it is searched."""
    with st.expander("Tune: search parameters on the validation parts", icon=":material/tune:"):
        st.caption(ABOUT)
        params = {name: param for name, param in desk.tuning.tunable(learner).items() if param.type in (int, float)}
        names = st.multiselect("Parameters to search", list(params), key=f"{key}-names", format_func=lambda name: label(name, params[name].unit, params[name].title), placeholder="none: the values above are trained")
        space = {name: _range(params[name], f"{key}-{name}") for name in names}
        how = fields(desk.tuning.options(), f"{key}-how") if names else {}
    return space, how


def _range(param: Any, key: str) -> dict[str, Any]:
    """From, to, and whether by ratio."""
    low, high, log = st.columns([1, 1, 1], vertical_alignment="bottom")
    start, end = first_range(param)
    kind: Any = int if param.type is int else float
    bounds: dict[str, Any] = dict(min_value=kind(param.low) if param.low is not None else None, max_value=kind(param.high) if param.high is not None else None)
    form: dict[str, Any] = {} if kind is int else dict(format="%g")
    name = label(param.name, param.unit, param.title)
    first = low.number_input(f"{name}: from", value=kind(start), key=f"{key}-low", **bounds, **form)
    last = high.number_input(f"{name}: to", value=kind(end), key=f"{key}-high", **bounds, **form)
    by_ratio = log.toggle("Log scale", kind is float and start > 0, key=f"{key}-log", help="Suggests values by ratio; for parameters whose size is unknown.")
    return dict(low=first, high=last, log=bool(by_ratio))


def first_range(param: Any) -> tuple[float, float]:
    """A range about the default, within the parameter's bounds.

    >>> from types import SimpleNamespace
    >>> first_range(SimpleNamespace(default=8, low=2, high=20)), first_range(SimpleNamespace(default=0.0, low=0.0, high=None))
    ((2.0, 20), (0.0, 1.0))
    """
    low, high = (param.default / FACTOR, param.default * FACTOR) if param.default else (0.0, 1.0)
    return max(low, param.low) if param.low is not None else low, min(high, param.high) if param.high is not None else high


def submit(desk: Desk, request: TrainingRequest, space: Mapping[str, Any], how: Mapping[str, Any]) -> None:
    """Submit, and show the job, or the identical one."""
    submitted = attempt(lambda: desk.tuning.submit(replace(request, register=""), space, how))
    if submitted is not None:
        open_view("train", tuning=submitted.job.id)


def panel(desk: Desk) -> None:
    """The tuning that the address names; without one, the way to the latest."""
    wanted = address_value("tuning")
    if not wanted:
        for run in desk.tuning.latest(LATEST):
            if st.button(f"{literal(run.title)}: {plural(run.summary['trials'], 'trial')}", icon=":material/tune:", key=f"tuning-{run.id}", type="tertiary"):
                open_view("train", tuning=run.job_id)
        return
    job = job_of_address(desk)
    if job is None:
        return missing("tuning", wanted, "Choose one below the form.")
    if not job_panel(desk, job):
        result(desk, job.result["run"])


def job_of_address(desk: Desk) -> Any:
    """The tuning that the address names, None where there is none."""
    job = desk.jobs.get(address_value("tuning")) if address_value("tuning") else None
    return job if job is not None and job.kind == "tune" else None


def result(desk: Desk, run_id: str) -> None:
    """What was chosen, every trial, and a heat map of two parameters."""
    run = attempt(lambda: desk.tuning.get(run_id))
    if run is None:
        return
    summary = run.summary
    section("Tuning", f"{literal(run.title)}")
    figures([
        ("Trials", number(summary["trials"]), "", f"{summary['given_up']:,} pruned, {summary['infeasible']:,} infeasible"), ("Validation loss", number(summary["loss"], 5), "", "of the selected trial, mean over folds"),
        ("Mean of nearest", number(summary["nearest"], 5), "", "of the five nearest trials; the selection goes by it"), ("Lowest loss", number(summary["best"], 5), "", "of a single trial, which may be chance"),
    ])  # fmt: skip
    st.markdown("**Selected** " + ", ".join(f"{literal(name)} {value:.5g}" if isinstance(value, float) else f"{literal(name)} {literal(str(value))}" for name, value in summary["params"].items()))
    with st.container(horizontal=True):
        if st.button("Train with these", type="primary", icon=":material/model_training:", key=f"tuned-{run_id}"):
            _train(desk, run)
        download("Trials, CSV", f"tuning-{run_id}.csv", "text/csv", lambda: desk.tuning.download(run_id), f"trials-{run_id}")
    left, right = st.columns([3, 2], gap="medium")
    with left:
        _trials(desk, run)
    with right:
        _heat(desk, run)
    for note in summary["notes"]:
        st.caption(literal(note))


def _train(desk: Desk, run: Any) -> None:
    request = attempt(lambda: desk.training.request_from(run.spec))
    submitted = attempt(lambda: desk.training.submit(replace(request, params=desk.tuning.params(run.id)))) if request else None
    if submitted is not None:
        open_view("train", job=submitted.job.id)


def _trials(desk: Desk, run: Any) -> None:
    rows = desk.tuning.table(run.id).sort_values(["nearest", "number"], kind="stable", na_position="last")
    state = ["selected" if row.chosen else "pruned" if row.given_up else "infeasible" if row.infeasible else "" for row in rows.itertuples()]
    config = st.column_config
    names = [dimension["name"] for dimension in run.summary["space"]]
    columns: dict[str, Any] = {
        "number": config.NumberColumn("Trial", width=56), **{name: config.NumberColumn(name, format="%.5g") if rows[name].dtype.kind in "if" else config.TextColumn(name) for name in names},
        "loss": config.NumberColumn("Loss", format="%.5f", help="Mean over the validation parts; empty where it was pruned."), "nearest": config.NumberColumn("Mean of nearest", format="%.5f", help="Mean loss of the five nearest trials."),
        "folds": config.NumberColumn("Folds", width=56, help="Folds that were fitted."), "state": config.TextColumn("", width=72),
    }  # fmt: skip
    table(rows.assign(state=state), columns, f"{plural(len(rows), 'trial')} of a tuning", row_height=26, height="auto" if len(rows) <= 12 else 340)


def _heat(desk: Desk, run: Any) -> None:
    """How far the loss of each cell lies below that of the worst: higher is better."""
    pairs = [tuple(pair) for pair in run.summary["maps"]]
    if not pairs:
        st.caption("One parameter was searched, so there is no map of two.")
        return
    x, y = st.selectbox("Heat map", pairs, format_func=lambda pair: f"{pair[0]} × {pair[1]}", key=f"heat-{run.id}") if len(pairs) > 1 else pairs[0]
    cells = desk.tuning.heat(run.id, x, y)
    worst = cells["value"].min()
    drawn = cells.assign(best=cells["value"] == cells["value"].max(), value=cells["value"] - worst, plateau=cells["plateau"] - worst)
    draw_chart(charts.heat(drawn, "value", x, y, "loss below the worst", ".4f"), alt=f"How far the validation loss lies below the worst cell's, over {x} and {y}")
    st.caption("Loss below that of the worst cell; the best is framed.")
