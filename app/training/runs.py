"""Runs of training: the list of them, registering a model of one, deleting one."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from app.kit.figures import clock
from app.kit.rights import allowed
from app.kit.tables import kind_column, kind_of
from app.kit.text import literal
from app.kit.widgets import attempt, section, table
from app.training.addresses import open_view
from app.training.result_words import title_of, word_of
from worker.desk import Desk


def earlier(runs: list[Any], run: Any) -> None:
    """Other runs, newest first."""
    others = [other for other in runs if run is None or other.id != run.id]
    if not others:
        return
    section("Runs", "newest first; select one to open it")
    config = st.column_config
    columns = {
        "run": config.TextColumn("Run", width=66), "name": config.TextColumn("Question", width=330), "data": kind_column(), "state": config.TextColumn("Verdict", width=160),
        "created": config.TextColumn("Created, UTC", width=120),
    }  # fmt: skip
    row = table(pd.DataFrame([row_of(other) for other in others]), columns, "Runs of training", key=f"training-runs-{run.id if run else ''}", pick=True)
    if row is not None:
        open_view("result", run=others[row].id)


def row_of(run: Any) -> dict[str, Any]:
    """A run in a list."""
    return dict(run=run.id, name=title_of(run), data=kind_of(run.synthetic), state=word_of(run), created=clock(run.created_at))


@st.dialog("Register as a candidate")
def register(desk: Desk, run: Any) -> None:
    st.markdown("The model of the fold that would come next becomes the next version under a name. It filters nothing until it is promoted.")
    name = st.text_input("Name", max_chars=64, placeholder="fake-breakout")
    if st.button("Register", type="primary", icon=":material/bookmark_add:", **allowed(desk, "models.register")):
        model = attempt(lambda: desk.models.register(run.id, name.strip()))
        if model is not None:
            open_view("models", model=model.title)


@st.dialog("Delete this run?")
def delete(desk: Desk, run: Any) -> None:
    st.markdown(f"**{literal(title_of(run))}** `{run.id}` with its samples, folds and predictions is removed. Its trials stay counted, its audit events stay.")
    if st.button("Delete run", type="primary", icon=":material/delete:", **allowed(desk, "training.delete")) and attempt(lambda: desk.training.delete(run.id)) is not None:
        open_view("result")


