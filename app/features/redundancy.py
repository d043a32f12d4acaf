"""Redundancy: the correlation matrix, clusters, and variance inflation."""

from __future__ import annotations

from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from app.features.panels import headed, read
from app.kit.draw import draw_chart
from app.kit.figures import DASH, number, plural
from app.kit.theme import by_role
from app.kit.widgets import table
from app.kit.window import taller
from worker.desk import Desk

WRITTEN = 14        # features, up to which the figure stands in every cell
NAMED = 32          # features, up to which both sides carry names


def view(desk: Desk, run: Any) -> None:
    pairs, ranking = read(desk, "alike", run.id), read(desk, "ranking", run.id)
    shown = pairs["first"].nunique()
    left, right = st.columns([3, 2], gap="medium")
    with left:
        note = "Spearman's rho, ordered by cluster" + (f"; the first {shown} of {len(ranking)}" if shown < len(ranking) else "")
        headed(desk, run, "Correlation matrix", note, "correlation")
        draw_chart(heat(pairs), alt=f"Rank correlations of {shown} features in the order of their clusters")
    with right:
        headed(desk, run, "Clusters", "and variance inflation", "redundancy")
        _table(read(desk, "table", run.id, "redundancy"), read(desk, "table", run.id, "proposal"))
    rules = run.spec["rules"]
    st.caption(f"{plural(run.summary['clusters'], 'cluster')}: features whose mean |rho| is at least {number(rules['correlation'], 2)} are redundant, and the strongest of them is kept. VIF = 1 ÷ (1 \u2212 R²): above {number(rules['inflation'], 0)} a feature is a combination of others.")


def _table(redundancy: pd.DataFrame, proposal: pd.DataFrame) -> None:
    joined = redundancy.merge(proposal, on="feature").sort_values("place")
    rows = pd.DataFrame(dict(feature=joined["feature"], cluster=joined["cluster"], vif=["∞" if np.isinf(value) else number(value, 1) for value in joined["inflation"]], like=[word or DASH for word in joined["with"]]))
    config = st.column_config
    columns = {
        "feature": config.TextColumn("Feature", width=132),
        "cluster": config.NumberColumn("Cluster", width=54),
        "vif": config.TextColumn("VIF", width=56, alignment="right", help="Variance inflation factor of its ranks; ∞: an exact combination of others."),
        "like": config.TextColumn("Redundant with", width=112, help="The kept feature of its cluster."),
    }
    table(rows, columns, "Each feature's cluster, inflation, and the feature it is redundant with", row_height=26, height="auto" if len(rows) < 10 else 430)


def heat(pairs: pd.DataFrame, height: int = 0) -> Any:
    """``pairs``: first, second, rho, in the order in which they are drawn."""
    names = list(dict.fromkeys(pairs["first"]))
    size, many = len(names), len(names) > NAMED
    shown = pairs.assign(rho=pairs["rho"].astype(np.float32))
    font = 9 if size > 20 else 11
    base = alt.Chart(shown).encode(
        x=alt.X("second:N", sort=names, axis=alt.Axis(labels=not many, labelAngle=-60, labelLimit=110, labelFontSize=font, labelOverlap=False, domain=False, title=None)),
        y=alt.Y("first:N", sort=names, axis=alt.Axis(minExtent=120, maxExtent=120, labelLimit=116, labelFontSize=font, labelOverlap=False, grid=False, title=None)),
    )
    tips = [alt.Tooltip("first:N", title="feature"), alt.Tooltip("second:N", title="and"), alt.Tooltip("rho:Q", format="+.2f", title="rho")]
    faint = alt.Opacity("depth:Q", scale=alt.Scale(domain=[0, 0.25], range=[0.1, 1], clamp=True), legend=None)
    cells = base.transform_calculate(depth="abs(datum.rho)").mark_rect().encode(color=alt.Color("rho:Q", scale=alt.Scale(domain=[-1, 0, 1], range="diverging"), legend=None), opacity=faint, tooltip=tips)
    height = height or max(min(11 * size + (20 if many else 90), 560), 160)
    if size > WRITTEN:
        return cells.properties(height=taller(height))
    text = base.transform_calculate(role="'ink'").mark_text(fontSize=10).encode(text=alt.Text("rho:Q", format=".1f"), color=by_role())
    return alt.layer(cells, text).resolve_scale(color="independent").properties(height=max(22 * size + 90, 160))
