"""The heat map of a scan: Q* of every combination."""

from __future__ import annotations

import altair as alt
import pandas as pd

from app.kit.theme import by_role

WRITTEN = 14        # columns, up to which the figure stands in its cell
LEVEL = 6           # columns, up to which their names are written level


def heat_map(table: pd.DataFrame, height: int = 26) -> alt.LayerChart:
    """Instrument and timeframe down, strategies across, Q* in the cell; proposals are outlined. ``table``: verdicts of a scan."""
    shown = table.assign(row=table["instrument"] + " " + table["timeframe"], proposed=table["rank"] > 0)
    low, high = min(float(shown["q_star"].min()), -0.05), max(float(shown["q_star"].max()), 0.05)
    shown = shown[["row", "strategy", "q_star", "grade", "reason", "detail", "trades", "proposed"]]
    base = alt.Chart(shown).encode(
        x=alt.X("strategy:N", sort=None, axis=alt.Axis(title=None, orient="top", labelAngle=0 if shown["strategy"].nunique() <= LEVEL else -35, domain=False, ticks=False, labelOverlap=False)),
        y=alt.Y("row:N", sort=None, axis=alt.Axis(minExtent=110, maxExtent=150, title=None, domain=False, ticks=False, labelOverlap=False, grid=False)),
    )  # fmt: skip
    tips = [alt.Tooltip("row:N", title="instrument"), alt.Tooltip("strategy:N"), alt.Tooltip("q_star:Q", title="Q*, R", format="+.3f"), alt.Tooltip("grade:N"), alt.Tooltip("trades:Q", format=","), alt.Tooltip("reason:N"), alt.Tooltip("detail:N")]
    scale = alt.Scale(domain=[low, 0, high], range="diverging")
    layers = [base.mark_rect().encode(color=alt.condition("isValid(datum.q_star)", alt.Color("q_star:Q", scale=scale, legend=None), alt.value("transparent")), tooltip=tips)]
    if shown["strategy"].nunique() <= WRITTEN:
        layers.append(base.transform_calculate(role="'ink'").mark_text(fontSize=11).encode(text=alt.condition("isValid(datum.q_star)", alt.Text("q_star:Q", format="+.2f"), alt.value("—")), color=by_role(), tooltip=tips))
    layers.append(base.transform_filter("datum.proposed").transform_calculate(role="'line'").mark_rect(filled=False, strokeWidth=2).encode(stroke=alt.Stroke("role:N", scale=by_role()["scale"], legend=None)))
    return alt.layer(*layers).resolve_scale(color="independent", stroke="independent").properties(height=height * max(shown["row"].nunique(), 1) + (36 if shown["strategy"].nunique() <= LEVEL else 96))    # with room for the names above
