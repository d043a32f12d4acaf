"""Stability of a feature: rolling, and by year, session and regime."""

from __future__ import annotations

from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from app.features.panels import END, above, headed, plain, read, rule
from app.kit.charts import Picture, days_format, utc
from app.kit.draw import draw_chart
from app.kit.figures import plural
from app.kit.theme import at, by_role, tip_time
from app.kit.window import taller
from worker.desk import Desk

ROW = 17        # pixels of a group


def through_time(desk: Desk, run: Any, feature: str) -> None:
    headed(desk, run, "Rolling IC", "each window at its last bar; band: 95 %", "rolling")
    table = read(desk, "rolling", run.id, feature)
    if table.empty:
        st.caption("The bars are too few for a rolling window.")
        return
    draw_chart(rolling(table), alt=f"Rank correlation of {feature} in rolling windows")


def by_group(desk: Desk, run: Any, feature: str) -> None:
    headed(desk, run, "By year, session and regime", "IC within each group, re-ranked per group; lines: 95 %", "periods")
    table = read(desk, "periods", run.id, feature).dropna(subset=["ic"])
    if table.empty:
        st.caption("No group has ten values of both.")
        return
    draw_chart(groups(table), alt=f"Rank correlation of {feature} by {', '.join(dict.fromkeys(table['label']))}")
    row = read(desk, "ranking", run.id).set_index("feature").loc[feature]
    years = int(row["years"])
    consistency = f"Same sign as the whole in {int(row['agreeing'])} of {plural(years, 'year')} with at least 100 values and changes {plural(int(row['sign_changes']), 'time')}. " if years else ""
    st.caption(f"{consistency}Volatility and trend are regimes by rule; sessions are by UTC hour.{_fitted(run)}")


def _fitted(run: Any) -> str:
    """Source of the regime labels."""
    sources = [f"run {source['run']} for {source['instrument']}" for source in run.spec.get("regimes", [])]
    if sources:
        return f" Regimes: {' and '.join(sources)}, as known at each bar's close."
    if "regime_model" in run.spec:
        return " Regimes come from a fitted model, which may have been trained on these bars: see Notes."
    return ""


def rolling(table: pd.DataFrame, height: int = 200) -> Picture:
    """``table``: ts, count, ic, low, high."""
    x = at(**utc(days_format(table["ts"]), tickCount=6))
    tips = [tip_time("ts", "window to, UTC"), *(alt.Tooltip(f"{name}:Q", format="+.4f", title=title) for name, title in (("ic", "IC"), ("low", "from"), ("high", "to"))), alt.Tooltip("count:Q", format=",", title="values")]
    base = alt.Chart(table)
    band = base.transform_calculate(role="'line'").mark_area(opacity=0.16).encode(x=x, y=alt.Y("low:Q", axis=above("IC", **plain(True, ".2~f"))), y2="high:Q", color=by_role())
    line = base.transform_calculate(role="'line'").mark_line(point=alt.OverlayMarkDef(size=18)).encode(x=x, y="ic:Q", color=by_role(), tooltip=tips)
    return alt.layer(band, rule(0.0, "no correlation"), line).properties(height=taller(height))


def groups(table: pd.DataFrame) -> alt.VConcatChart:
    """A strip a label, a row a group. ``table``: label, group, count, ic, low, high, p, q."""
    low, high = float(table[["low", "ic"]].min().min()), float(table[["high", "ic"]].max().max())
    reach = 0.05 * max(high - low, 1e-6)
    scale = alt.Scale(domain=[min(low - reach, 0.0), max(high + reach, 0.0)], nice=False)
    labels = list(dict.fromkeys(table["label"]))
    strips = [_strip(table[table["label"] == label], label, scale, last=label == labels[-1]) for label in labels]
    return alt.vconcat(*strips, spacing=20).resolve_scale(x="shared", color="shared").properties(autosize=alt.AutoSizeParams(type="fit-x", contains="padding"))


def _strip(table: pd.DataFrame, label: str, scale: alt.Scale, last: bool) -> Picture:
    shown = table.assign(role=np.where(table["ic"] >= 0, "up", "down"))
    x = alt.X("ic:Q", scale=scale, axis=alt.Axis(**plain(True, ".3~f"), title="IC" if last else None, labels=last, grid=False, **END))
    y = alt.Y("group:N", sort=None, axis=above(label, grid=False, labelOverlap=False, labelLimit=108, minExtent=112, maxExtent=112))
    tips = [alt.Tooltip("group:N", title=label), *(alt.Tooltip(f"{name}:Q", format="+.4f", title=title) for name, title in (("ic", "IC"), ("low", "from"), ("high", "to"))), alt.Tooltip("q:Q", format=".3f"), alt.Tooltip("count:Q", format=",", title="values")]
    base = alt.Chart(shown)
    lines = base.mark_rule(strokeWidth=1.4).encode(x=alt.X("low:Q", scale=scale), x2="high:Q", y=y, color=by_role(), tooltip=tips)
    dots = base.mark_point(filled=True, size=46, opacity=1).encode(x=x, y=y, color=by_role(), tooltip=tips)
    zero = alt.Chart(pd.DataFrame({"at": [0.0]})).transform_calculate(role="'quiet'").mark_rule(strokeDash=[3, 2]).encode(x=alt.X("at:Q", scale=scale), color=by_role())
    return alt.layer(zero, lines, dots).properties(height=ROW * shown["group"].nunique())
