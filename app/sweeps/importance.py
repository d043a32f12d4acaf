"""Which parameters move the metric."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from app.drawn import download_drawn
from app.kit.charts import Picture
from app.kit.draw import draw_chart
from app.kit.figures import number
from app.kit.theme import by_role
from app.kit.widgets import section
from app.sweeps.names import named

EXPLAINED = 0.3     # R² on held-out combinations below which the parameters explain little


def importance(run: Any, parameters: Mapping[str, Any], metric: str) -> None:
    """Draw what the worker computed with the run; runs of earlier versions have none."""
    summary = run.summary.get("importance")
    if not summary:
        return
    rows = pd.DataFrame(summary["parameters"]).assign(parameter=lambda frame: [named(parameters[name]) if name in parameters else name for name in frame["name"]])
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        section("Parameter importance", f"fall of R² of {metric} when shuffled")
        st.space("stretch")
        download_drawn("CSV", f"{run.id}_importance.csv", rows[["name", "mean", "deviation"]], f"importance-{run.id}", f"run:{run.id}")
    draw_chart(bars(rows), alt=f"Importance of each parameter for {metric}")
    weak = " The parameters explain little of it here, so do not read much into the order." if summary["r2"] < EXPLAINED else ""
    st.caption(f"Permutation importance of a random forest on held-out combinations, R² {number(summary['r2'], 2)}; lines: one standard deviation of 10 shuffles.{weak} Source: Breiman (2001).")


def bars(rows: pd.DataFrame) -> Picture:
    base = alt.Chart(rows.assign(role="line", low=rows["mean"] - rows["deviation"], high=rows["mean"] + rows["deviation"])).encode(y=alt.Y("parameter:N", sort="-x", axis=alt.Axis(title=None, labelLimit=220)))
    tips = [alt.Tooltip("parameter:N"), alt.Tooltip("mean:Q", format=".3f", title="fall of R²"), alt.Tooltip("deviation:Q", format=".3f", title="standard deviation")]
    bar = base.mark_bar(height=12).encode(x=alt.X("mean:Q", axis=alt.Axis(title="fall of R² on held-out combinations")), color=by_role(), tooltip=tips)
    line = base.mark_rule(strokeWidth=1.5).transform_calculate(role="'ink'").encode(x="low:Q", x2="high:Q", color=by_role(), tooltip=tips)
    return alt.layer(bar, line).properties(height=alt.Step(26))
