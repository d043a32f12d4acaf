"""Target by quantiles of a feature: mean, share above zero, distribution."""

from __future__ import annotations

from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from app.features.panels import END, above, headed, plain, read, rule, scale
from app.features.values import small
from app.kit.charts import Picture
from app.kit.draw import draw_chart
from app.kit.figures import number, percent
from app.kit.theme import by_role
from app.kit.window import taller
from worker.desk import Desk

HEIGHT = 190
X = alt.X("quantile:O", axis=alt.Axis(title="quantile of the feature, 1 the lowest values", labelAngle=0, labelOverlap=True, **END))


def view(desk: Desk, run: Any, feature: str) -> None:
    factor, unit = scale(run)
    table, outcomes = read(desk, "table", run.id, "quantiles", feature), read(desk, "table", run.id, "outcomes", feature)
    level = percent(run.spec["plan"]["confidence"], 0)
    a, b, c = st.columns(3, gap="small")
    with a:
        headed(desk, run, "Expectancy", f"mean target, {unit}", "quantiles")
        draw_chart(expectancy(table, factor, unit), alt=f"Mean target in each quantile of {feature}, with {level} intervals")
    with b:
        headed(desk, run, "Win rate", "share above zero; dashed: all", "quantiles")
        draw_chart(win_rate(table), alt=f"Share above zero in each quantile of {feature}, with {level} intervals")
    with c:
        headed(desk, run, "Distribution", f"target, {unit}", "outcomes")
        draw_chart(distribution(outcomes, factor, unit), alt=f"5, 25, 50, 75 and 95 % of the target in each quantile of {feature}")
    st.caption(_note(run, read(desk, "table", run.id, "monotonicity", feature).iloc[0], factor, unit, level))


def _note(run: Any, row: pd.Series, factor: float, unit: str, level: str) -> str:
    difference = "The outer quantiles cannot be compared." if np.isnan(row["spread"]) else (
        f"Highest less lowest quantile: {number(factor * row['spread'], 2, True)} {unit} ({level}: {number(factor * row['spread_low'], 2)} … {number(factor * row['spread_high'], 2)}; q {small(row['spread_q'])}). "
        f"Monotonicity {number(row['monotonicity'], 2, True)}: 1 rises from quantile to quantile, \u22121 falls."
    )  # fmt: skip
    basis = " 1 bp is a log return of 0.0001; before costs." if unit == "bp" else " R is net of costs, which weigh more where the stop is near: features of volatility reflect that, too."
    return f"{difference} Lines: {level} intervals of {run.spec['plan']['resamples']:,} draws of blocks. In the distribution: 5 to 95 %, a quarter to three quarters, median.{basis}"


def expectancy(table: pd.DataFrame, factor: float, unit: str, height: int = HEIGHT) -> Picture:
    """A bar a quantile with its interval. ``table``: quantile, low, high, count, mean, mean_low, mean_high."""
    shown = table.dropna(subset=["mean"]).assign(role=lambda frame: np.where(frame["mean"] >= 0, "up", "down"), **{name: factor * table[name] for name in ("mean", "mean_low", "mean_high")})
    tips = [*_tips(), alt.Tooltip("mean:Q", format="+,.3f", title=f"mean, {unit}"), alt.Tooltip("mean_low:Q", format="+,.3f", title="from"), alt.Tooltip("mean_high:Q", format="+,.3f", title="to")]
    base = alt.Chart(shown)
    bars = base.mark_bar(opacity=0.8).encode(x=X, y=alt.Y("mean:Q", axis=above(unit, **plain())), color=by_role(), tooltip=tips)
    lines = base.transform_calculate(role="'ink'").mark_rule(strokeWidth=1.2).encode(x=X, y="mean_low:Q", y2="mean_high:Q", color=by_role(), tooltip=tips)
    return alt.layer(bars, lines).properties(height=taller(height))


def win_rate(table: pd.DataFrame, height: int = HEIGHT) -> Picture:
    shown = table.dropna(subset=["win_rate"])
    tips = [*_tips(), *(alt.Tooltip(f"{name}:Q", format=".1%", title=title) for name, title in (("win_rate", "above zero"), ("win_low", "from"), ("win_high", "to")))]
    base = alt.Chart(shown).transform_calculate(role="'line'")
    y = alt.Y("win_rate:Q", scale=alt.Scale(zero=False, nice=True), axis=above("above zero", format=".0%"))
    lines = base.mark_rule(strokeWidth=1.2).encode(x=X, y=alt.Y("win_low:Q", scale=alt.Scale(zero=False)), y2="win_high:Q", color=by_role(), tooltip=tips)
    dots = base.mark_point(filled=True, size=46, opacity=1).encode(x=X, y=y, color=by_role(), tooltip=tips)
    total = max(float(shown["count"].sum()), 1.0)
    overall = float((shown["win_rate"] * shown["count"]).sum() / total)
    return alt.layer(rule(overall, "of all"), lines, dots).properties(height=taller(height))


def distribution(table: pd.DataFrame, factor: float, unit: str, height: int = HEIGHT) -> Picture:
    """``table``: quantile, q05, q25, median, q75, q95."""
    names = ("q05", "q25", "median", "q75", "q95")
    shown = table.dropna(subset=["median"]).assign(**{name: factor * table[name] for name in names})
    tips = [alt.Tooltip("quantile:O"), alt.Tooltip("count:Q", format=",", title="values"), *(alt.Tooltip(f"{name}:Q", format="+,.2f", title=f"{title}, {unit}") for name, title in zip(names, ("5 %", "25 %", "median", "75 %", "95 %"), strict=True))]
    base = alt.Chart(shown)
    y = alt.Y("q05:Q", axis=above(unit, **plain()))
    whiskers = base.transform_calculate(role="'quiet'").mark_rule().encode(x=X, y=y, y2="q95:Q", color=by_role(), tooltip=tips)
    box = base.transform_calculate(role="'line'").mark_bar(opacity=0.45).encode(x=X, y="q25:Q", y2="q75:Q", color=by_role(), tooltip=tips)
    middle = base.transform_calculate(role="'ink'").mark_tick(thickness=2).encode(x=X, y="median:Q", color=by_role(), tooltip=tips)
    return alt.layer(whiskers, box, middle).properties(height=taller(height))


def _tips() -> list[alt.Tooltip]:
    return [alt.Tooltip("quantile:O"), alt.Tooltip("low:Q", format=".4~g", title="feature from"), alt.Tooltip("high:Q", format=".4~g", title="to"), alt.Tooltip("count:Q", format=",", title="values")]
