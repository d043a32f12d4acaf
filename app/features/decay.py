"""Decay: rank correlation of a feature by horizon."""

from __future__ import annotations

from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from app.features.panels import END, above, headed, plain, read, rule
from app.kit.charts import Picture
from app.kit.draw import draw_chart
from app.kit.theme import by_role
from app.kit.window import taller
from worker.desk import Desk


def view(desk: Desk, run: Any, feature: str) -> None:
    headed(desk, run, "Decay", "IC by horizon, 95 % intervals", "decay")
    table = read(desk, "decay", run.id, feature).dropna(subset=["ic"])
    if table.empty:
        st.caption("Trade outcomes have no horizon to vary, or the feature has no value.")
        return
    draw_chart(decay(table, run.spec["target"].get("horizon", 0)), alt=f"Rank correlation of {feature} with the return over each horizon")


def decay(table: pd.DataFrame, horizon: int, height: int = 200) -> Picture:
    """``table``: horizon, count, ic, low, high, q; the requested horizon is marked."""
    shown = table.sort_values("horizon").assign(role=np.where(table.sort_values("horizon")["horizon"] == horizon, "line", "quiet"))
    x = alt.X("horizon:O", sort=None, axis=alt.Axis(title="horizon, bars", labelAngle=0, **END))
    tips = [alt.Tooltip("horizon:O", title="horizon, bars"), *(alt.Tooltip(f"{name}:Q", format="+.4f", title=title) for name, title in (("ic", "IC"), ("low", "from"), ("high", "to"))), alt.Tooltip("q:Q", format=".3f"), alt.Tooltip("count:Q", format=",", title="values")]
    base = alt.Chart(shown)
    course = base.transform_calculate(role="'quiet'").mark_line(strokeWidth=1.2).encode(x=x, y="ic:Q", color=by_role())
    lines = base.mark_rule(strokeWidth=1.4).encode(x=x, y=alt.Y("low:Q", axis=above("IC", **plain(True, ".2~f"))), y2="high:Q", color=by_role(), tooltip=tips)
    dots = base.mark_point(filled=True, size=50, opacity=1).encode(x=x, y="ic:Q", color=by_role(), tooltip=tips)
    return alt.layer(rule(0.0, "no correlation"), course, lines, dots).properties(height=taller(height))
