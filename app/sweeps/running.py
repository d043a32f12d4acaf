"""An optimization while it runs: the best so far, and how it grew over the finished combinations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from app.kit.draw import draw_chart
from app.kit.figures import number, plural
from app.kit.text import literal
from app.kit.widgets import figures, section, table
from app.sweeps import charts
from app.sweeps.names import declared, form, metric_text, point, with_unit
from worker.desk import Desk

EVERY = 2.0         # seconds between two looks at the finished parts
NOUNS = {"sweep": "combination", "walk_forward": "fit", "optimise": "trial"}
FIGURES = ("net_return", "max_drawdown", "trades")


def best_so_far(desk: Desk, job: Any) -> None:
    """Draw it until the job ends; the page is redrawn then."""
    st.fragment(_live, run_every=EVERY)(desk, job.id, job.kind, job.spec["strategy"])


def _live(desk: Desk, job_id: str, kind: str, strategy: str) -> None:
    progress = desk.sweeps.progress(job_id)
    metric, parameters = desk.backtests.metrics()[progress.figure], declared(desk, strategy)
    section("Best so far", f"{progress.done:,} of {plural(progress.total, NOUNS[kind])} finished; the result may still change" if progress.total else "no part is finished yet")
    if kind == "walk_forward":
        return _folds(progress.folds, metric, parameters)
    if not progress.done:
        return _waiting()
    if progress.best is None:
        st.caption(f"None of the finished ones has {metric.title}: too few trades, or too few days.")
        return None
    _best(desk, progress.best, metric, parameters, NOUNS[kind])
    draw_chart(charts.history(progress.curve, with_unit(metric), form(metric), noun=f"finished {NOUNS[kind]}s"), alt=f"{metric.title} of what was finished, and the best so far: {metric_text(metric, progress.best['value'])}")
    return None


def _waiting() -> None:
    for height in (60, 240):
        st.skeleton(height)


def _best(desk: Desk, best: Mapping[str, Any], metric: Any, parameters: Mapping[str, Any], noun: str) -> None:
    metrics = desk.backtests.metrics()
    st.markdown(f"**{literal(point(parameters, best['point']))}** :gray[· {noun} {number(best['number'])}]")
    shown = [key for key in FIGURES if key != metric.key and best["figures"].get(key) is not None]
    figures([(metric.title, metric_text(metric, best["value"]), "best so far", metric.definition), *((metrics[key].title, metric_text(metrics[key], best["figures"][key]), "", metrics[key].definition) for key in shown)])


def _folds(folds: Any, metric: Any, parameters: Mapping[str, Any]) -> None:
    if not folds:
        return _waiting()
    config = st.column_config
    shown = pd.DataFrame([dict(fold=row["fold"], value=metric_text(metric, row["value"]), point=point(parameters, row["point"])) for row in folds])
    columns = {"fold": config.NumberColumn("Fold", width=52), "value": config.TextColumn(f"{metric.title}, in sample", width=120), "point": config.TextColumn("Best combination so far", width="large")}
    table(shown, columns, f"The best combination so far of {plural(len(shown), 'fold')}", row_height=26)
    return None
