"""Drift of a model: its columns against training's, coverage and Brier score of what came since; an alarm offers retraining."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from app.features.panels import measured
from app.kit.address import address_value, missing
from app.kit.figures import clock, number, plural, typeset
from app.kit.text import literal
from app.kit.widgets import attempt, download, figures, job_panel, nothing, table
from app.training import charts, curves
from app.training.addresses import open_view
from app.training.question import show
from worker.desk import Desk

PSI, Q = 0.25, 0.01         # from which PSI, and up to which q of KS, a column has drifted: both are asked
DRAWN = 16                  # columns of the chart
FIGURES = {
    "coverage": ("Coverage", "share of outcomes inside the interval, by window, with the 99 % band in which chance alone moves it, UTC"),
    "brier": ("Brier z", "standard errors between the Brier score of a window and what the probabilities themselves expect, UTC"),
    "expected_brier": ("Expected Brier", "from the probabilities alone, before any outcome is known; it rises when the model becomes unsure, UTC"),
}  # fmt: skip


def render(desk: Desk) -> None:
    """The check of one model."""
    models = [model for model in desk.models.all() if model.stage.stage != "retired"]
    if not models:
        return nothing("No model to watch", "A registered model is checked daily on the bars that come after its training.", _results)
    wanted = address_value("model")
    shown = next((model for model in models if wanted in (model.title, model.name)), None)
    if wanted and shown is None:
        missing("model", wanted, "Choose one below.")
    model = shown or next((model for model in models if model.stage.stage == "production"), models[0])
    chosen = st.selectbox("Model", models, index=models.index(model), key=f"drift-{model.id}", format_func=lambda each: f"{each.title} · {each.stage.stage}", width=300)
    if chosen.id != model.id:
        open_view("drift", model=chosen.title)
    check, job = desk.drifts.of(model.title), desk.drifts.job(model.title)
    if job is not None and (check is None or job.open):
        job_panel(desk, job)
        return
    if check is None:
        return nothing("Not checked yet", f"{model.title} is checked daily; the first check can be run now.", lambda: _check(desk, model, True))
    _verdict(desk, model, check)
    figures(headline(check), width=130)
    _columns(desk, check)
    _outcomes(desk, check)


def _results() -> None:
    if st.button("Open the results", type="primary", icon=":material/model_training:"):
        open_view("result")


def _check(desk: Desk, model: Any, first: bool = False) -> None:
    if st.button("Check now", icon=":material/monitoring:", type="primary" if first else "secondary", key=f"check-{model.id}") and attempt(lambda: desk.drifts.submit(model.title)) is not None:
        st.rerun()


def _verdict(desk: Desk, model: Any, check: Any) -> None:
    summary = check.summary
    alarms = summary.get("alarms") or []
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.badge("Drift" if alarms else "No drift", color="yellow" if alarms else "green", icon=":material/warning:" if alarms else ":material/check:")
        if check.synthetic:
            st.badge("synthetic", color="violet")
        st.markdown(literal(typeset(str(summary["sentence"]))), width="stretch")
        _check(desk, model)
        if alarms and st.button("Retrain…", type="primary", icon=":material/model_training:", key=f"retrain-{model.id}"):
            retrain(desk, model, summary)
    st.caption(literal(f"Checked {clock(check.created_at)} UTC on {plural(int(summary['recent']), 'sample')} from {summary['first'][:10]} to {summary['last'][:10]}, after its training."))
    for alarm in alarms:
        st.caption(f":yellow[:material/warning:] {literal(typeset(str(alarm)))}")


def headline(check: Any) -> list[tuple[str, str, str, str]]:
    """The figures of a check."""
    s = check.summary
    rows = [
        ("Columns drifted", f"{int(s['drifted']):,} of {int(s['columns']):,}", f"PSI ≥ {PSI:g} and q ≤ {Q:g}", "Columns whose recent values are distributed differently than in training; both must hold, on effective counts."),
        ("Recent samples", number(s["recent"]), f"{number(s.get('labelled'))} with an outcome", "Samples after the model's training; an outcome is known once its label's end has passed."),
    ]
    if s.get("coverage") is not None:
        rows.append(("Coverage", f"{100 * s['coverage']:.1f}\u202f%", f"promised {100 * s['nominal']:.0f}\u202f%", "Share of outcomes inside the widest interval since training."))
    if s.get("brier_z") is not None:
        rows.append(("Brier z", number(s["brier_z"], 2, True), "alarm beyond ±3", "Standard errors between the Brier score and what the probabilities expect."))
    if s.get("expected_brier") is not None:
        rows.append(("Expected Brier", number(s["expected_brier"], 4), "before outcomes", "From the probabilities alone."))
    return rows


def _headed(desk: Desk, check: Any, title: str, note: str, name: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.markdown(f"**{literal(title)}**", width="content")
        st.caption(literal(note), width="content")
        st.space("stretch")
        download("CSV", f"{check.id}_{name}.csv", "text/csv", partial(desk.drifts.download, check.id, name), f"take-{name}-{title}-{check.id}")


@st.cache_data(max_entries=16, show_spinner=False)
def _table(_desk: Desk, check: str, name: str) -> pd.DataFrame:
    return _desk.drifts.table(check, name)


def _columns(desk: Desk, check: Any) -> None:
    every = _table(desk, check.id, "columns").sort_values("psi", ascending=False, na_position="last", ignore_index=True)
    left, right = st.columns(2, gap="medium")
    with left:
        _headed(desk, check, "PSI of each column", "recent against training", "columns")
        top = every.dropna(subset=["psi"]).head(DRAWN)
        drawn = pd.DataFrame(dict(name=top["column"], value=top["psi"], role=["warn" if alarm else "line" for alarm in top["alarm"]]))
        if len(drawn):
            st.altair_chart(charts.bars(drawn, "PSI", ".3f", rules=[(PSI, f"strong drift from {PSI:g}", "warn")]), width="stretch", alt=f"PSI of {plural(len(drawn), 'column')}; largest {top['column'].iloc[0]} {top['psi'].iloc[0]:.3f}")
    with right:
        _headed(desk, check, "Columns", "PSI and KS on effective counts", "columns")
        config = st.column_config
        shown = {
            "psi": measured(every["psi"], "PSI", 3, 60), "ks": measured(every["ks"], "KS", 3, 60, help="Largest distance of the two distribution functions."),
            "q": measured(every["q"], "q", 4, 66, help="False discovery rate at which this KS is just significant, over all columns, on effective counts."),
        }  # fmt: skip
        rows = pd.DataFrame(dict(column=every["column"], level=[["drift" if alarm else "none"] for alarm in every["alarm"]], **{name: values for name, (values, _) in shown.items()}))
        columns = {"column": config.TextColumn("Column", width=170), "level": config.MultiselectColumn("Drift", width=66, options=["none", "drift"], color=["gray", "yellow"]), **{name: how for name, (_, how) in shown.items()}}
        table(rows, columns, f"PSI and KS of {plural(len(rows), 'column')}", row_height=26, height=min(38 + 26 * len(rows), 360))


def _outcomes(desk: Desk, check: Any) -> None:
    rows = _table(desk, check.id, "outcomes")
    for name, part in rows.groupby("figure", sort=False):
        title, note = FIGURES.get(str(name), (str(name), "UTC"))
        _headed(desk, check, title, note, "outcomes")
        alt = f"{title} over {plural(len(part), 'window')}; {plural(int(part['alarm'].sum()), 'alarm')}"
        if name == "coverage":
            st.altair_chart(curves.coverage(part), width="stretch", alt=alt)
        else:
            st.altair_chart(curves.over_time(part, title, (-3.0, 3.0) if name == "brier" else ()), width="stretch", alt=alt)


@st.dialog("Retrain the model")
def retrain(desk: Desk, model: Any, summary: Any) -> None:
    st.markdown(f"The question of **{literal(model.title)}** is asked again with data up to {literal(str(summary['last'])[:10])}. The result is a **candidate** under the same name: nothing in production changes until someone promotes it.")
    if st.button("Retrain", type="primary", icon=":material/model_training:"):
        request = desk.training.request_of(model.run)
        end = pd.Timestamp(summary["last"]).to_pydatetime()
        show(attempt(lambda: desk.training.submit(replace(request, end=max(request.end, end), datasets=summary.get("datasets") or request.datasets, register=model.name))))
