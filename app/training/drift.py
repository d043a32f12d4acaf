"""Drift of a model: its columns against training's, coverage and Brier score of what came since; an alarm offers retraining."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from app.features.panels import measured
from app.kit.address import address_value, missing
from app.kit.draw import draw_chart
from app.kit.figures import clock, number, percent, plural, typeset
from app.kit.rights import allowed
from app.kit.text import literal
from app.kit.widgets import attempt, figures, job_panel, nothing, table
from app.training import charts, drift_history
from app.training.addresses import open_view, to_results
from app.training.drift_history import BRIER, COLOURS, headed
from app.training.question import show
from worker.desk import Desk

KIND = "watch_models"
PSI, Q = 0.25, 0.01         # alarms by default: PSI and q of KS together
DRAWN = 16                  # columns of the chart
STATES: dict[str, tuple[Any, str, str]] = {"alarm": ("yellow", ":material/warning:", "Drift"), "calm": ("green", ":material/check:", "No drift"), "unknown": ("gray", ":material/help:", "Not judged")}


def render(desk: Desk) -> None:
    """The checks of one model."""
    models = [model for model in desk.models.all() if model.stage.stage != "retired"]
    if not models:
        return nothing("No model to watch", "A registered model is checked daily on the bars that come after its training.", lambda: to_results(desk))
    wanted = address_value("model")
    shown = next((model for model in models if wanted in (model.title, model.name)), None)
    if wanted and shown is None:
        missing("model", wanted, "Choose one below.")
    model = shown or next((model for model in models if model.stage.stage == "production"), models[0])
    titles = [each.title for each in models]
    chosen = st.selectbox("Model", titles, index=titles.index(model.title), key=f"drift-{model.id}", width=300)
    if chosen != model.title:
        open_view("drift", model=str(chosen))
    job = _job(desk)
    if job is not None:
        job_panel(desk, job)
        if job.open:
            st.skeleton(200)
            return
    checks = desk.drift.checks(model.title)
    if not checks:
        return nothing("Not checked yet", f"{model.title} is checked daily while it is in production; a check can be run now.", lambda: _check(desk, model, "primary"))
    latest = checks[0]
    _verdict(desk, model, latest)
    figures(headline(latest), width=130)
    _columns(desk, latest)
    drift_history.view(checks)


def _job(desk: Desk) -> Any:
    """The job of the address, where it has not succeeded."""
    wanted = address_value("job")
    job = desk.jobs.get(wanted) if wanted else None
    if wanted and (job is None or job.kind != KIND):
        missing("job", wanted, "Check the model again.")
        return None
    return job if job is not None and job.state != "done" else None


def _check(desk: Desk, model: Any, kind: Any = "secondary") -> None:
    if st.button("Check now", icon=":material/monitoring:", type=kind, key=f"check-{model.id}", **allowed(desk, "drift.submit")):
        submitted = attempt(lambda: desk.drift.submit(model.title))
        if submitted is not None:
            open_view("drift", model=model.title, job=submitted.job.id)


def _verdict(desk: Desk, model: Any, check: Any) -> None:
    colour, icon, word = STATES[check.state]
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.badge(word, color=colour, icon=icon)
        if model.synthetic:
            st.badge("synthetic", color="violet")
        st.markdown(literal(typeset(check.sentence)), width="stretch")
        _check(desk, model)
        if check.state == "alarm" and st.button("Retrain…", type="primary", icon=":material/model_training:", key=f"retrain-{model.id}", **allowed(desk, "drift.retrain")):
            retrain(desk, model)
    for alarm in check.alarms[1:]:
        st.caption(f":yellow[:material/warning:] {literal(typeset(alarm))}")
    until = str(check.facts.get("until") or "")[:16].replace("T", " ")
    st.caption(literal(f"Checked {clock(check.at)} UTC{f', on what came after {until} UTC, the last label that it learnt from' if until else ''}."))


def headline(check: Any) -> list[tuple[str, str, str, str]]:
    """The figures of a check."""
    facts = check.facts
    bars = sum((facts.get("bars") or {}).values())
    rows = [
        ("New bars", number(bars), "since training", "Bars that ended after the last label that the model learnt from; the newest window of them is checked."),
        ("New samples", number(facts.get("samples")), f"{number(facts.get('labelled'))} with an outcome", "An outcome is known once its label's end has passed."),
    ]
    for row in facts.get("coverage") or []:
        if row.get("coverage") is not None:
            rows.append((f"Coverage of {percent(row['nominal'], 0)}", percent(row["coverage"]), f"band: {percent(row['low'])} … {percent(row['high'])}", "Share of outcomes inside the interval; outside the 99 % band it is an alarm."))
    for row in facts.get("brier") or []:
        if row.get("z") is not None:
            rows.append((f"Brier score, {row['output']}", number(row["brier"], 4), f"promised {number(row['expected'], 4)}, z {number(row['z'], 1, True)}", f"An alarm from {BRIER:g} deviations above what the probabilities themselves promise."))
    if facts.get("expected_brier") is not None:
        rows.append(("Expected Brier score", number(facts["expected_brier"], 4), f"of its tests: {number(facts.get('learnt_brier'), 4)}", "From the probabilities alone, before outcomes are known."))
    return rows


@st.cache_data(max_entries=16, show_spinner=False)
def _table(_desk: Desk, run: str, model: str) -> pd.DataFrame:
    return _desk.drift.table(run, model)


def _columns(desk: Desk, check: Any) -> None:
    every = _table(desk, check.run, check.model).sort_values("psi", ascending=False, na_position="last", ignore_index=True)
    if every.empty:
        return
    several = every["instrument"].nunique() > 1
    every = every.assign(name=[f"{row.column}, {row.instrument}" if several else row.column for row in every.itertuples()])
    left, right = st.columns([2, 3], gap="medium")
    with left:
        headed("PSI", "recent against training", every.drop(columns="name"), f"{check.run}_columns")
        top = every.dropna(subset=["psi"]).head(DRAWN)
        drawn = pd.DataFrame(dict(name=top["name"], value=top["psi"], role=["warn" if state == "alarm" else "line" if state == "calm" else "quiet" for state in top["state"]]))
        if len(drawn):
            draw_chart(charts.bars(drawn, "PSI", ".3f", rules=[(PSI, f"may have drifted from {PSI:g}", "warn")]), alt=f"PSI of {plural(len(drawn), 'column')}; largest {top['name'].iloc[0]} {top['psi'].iloc[0]:.3f}")
        st.caption("Beyond the line a column may have drifted; it is an alarm where KS says so, too. Grey: too slow to be judged.")
    with right:
        headed("Columns", "PSI and KS on effective counts", every.drop(columns="name"), f"{check.run}_statistics")
        _statistics(every)


def _statistics(every: pd.DataFrame) -> None:
    config = st.column_config
    shown = {
        "psi": measured(every["psi"], "PSI", 3, 58), "ks": measured(every["ks"], "KS", 3, 56, help="Largest distance of the two distribution functions."),
        "q": measured(every["q"], "q", 4, 62, help=f"False discovery rate at which this KS is just significant, over all columns, on effective counts; an alarm up to {Q:g} where PSI is {PSI:g} or more."),
        "effective": measured(every["effective"], "Effective", 0, 66, help="Independent values among the recent ones."),
    }  # fmt: skip
    rows = pd.DataFrame(dict(name=every["name"], state=[[state] for state in every["state"]], **{name: values for name, (values, _) in shown.items()}, reason=[typeset(str(reason)) for reason in every["reason"]]))
    columns = {
        "name": config.TextColumn("Column", width=142), "state": config.MultiselectColumn("State", width=78, options=list(COLOURS), color=list(COLOURS.values())), **{name: how for name, (_, how) in shown.items()},
        "reason": config.TextColumn("Reason", width=260),
    }  # fmt: skip
    table(rows, columns, f"PSI and KS of {plural(len(rows), 'column')}", row_height=26, height=min(38 + 26 * len(rows), 360))


@st.dialog("Retrain the model")
def retrain(desk: Desk, model: Any) -> None:
    request = attempt(lambda: desk.drift.retraining(model.title))
    if request is None:
        return
    st.markdown(f"The question of **{literal(model.title)}** is run again on bars up to {request.end:%Y-%m-%d}. The result is a **candidate** under the same name: nothing in production changes until someone promotes it.")
    if st.button("Retrain", type="primary", icon=":material/model_training:", **allowed(desk, "drift.retrain")):
        show(attempt(lambda: desk.drift.retrain(model.title)))
