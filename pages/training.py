"""Training: a model trained on a question, its result out of sample, comparisons, the registry of models, drift."""

from __future__ import annotations

import streamlit as st

from app.kit.address import address_value, missing
from app.kit.page import Page
from app.kit.widgets import go, head
from app.training import compare, drift, models, result, train

PAGE = Page("Training", "Research", 25, "model_training")
VIEWS = {"train": ("Train", train), "result": ("Result", result), "compare": ("Compare", compare), "models": ("Models", models), "drift": ("Drift", drift)}
FIRST = "train"


def render(desk) -> None:
    wanted = address_value("view") or FIRST
    start = wanted if wanted in VIEWS else FIRST
    head("Training", "judged out of sample, net of costs and of all that was tried")
    chosen = st.segmented_control("View", list(VIEWS), default=start, required=True, key=f"training-{start}", format_func=lambda name: VIEWS[name][0], label_visibility="collapsed")
    if chosen != start:
        go("training", **({} if chosen == FIRST else {"view": str(chosen)}))
    if wanted not in VIEWS:
        missing("view", wanted, "Choose one above.")
    VIEWS[start][1].render(desk)
