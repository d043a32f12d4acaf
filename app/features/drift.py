"""Drift: whether a feature's recent values are distributed as before."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from app.features.panels import above, headed, measured, read, rule
from app.kit.charts import Picture, days_format, utc
from app.kit.draw import draw_chart
from app.kit.figures import percent
from app.kit.theme import at, by_role
from app.kit.widgets import table
from app.kit.window import taller
from worker.desk import Desk

SOME, STRONG = 0.1, 0.25        # PSI from which a drift is called so
COLOURS = {"none": "green", "some": "yellow", "strong": "orange", "unknown": "gray"}


def view(desk: Desk, run: Any) -> None:
    every = read(desk, "table", run.id, "drift").sort_values("psi", ascending=False, na_position="last", ignore_index=True)
    left, right = st.columns(2, gap="medium")
    with left:
        headed(desk, run, "Drift", f"the recent {percent(run.spec['plan']['recent'], 0)} of the bars against those before; select one", "drift")
        row = _table(every, run.id)
    feature = str(every["feature"].iloc[row or 0])
    with right:
        headed(desk, run, feature, "PSI of each month against the reference, UTC", "drift_history")
        months = read(desk, "table", run.id, "drift_history", feature).dropna(subset=["psi"])
        if months.empty:
            st.caption("No month has 50 values.")
        else:
            draw_chart(history(months), alt=f"Population stability index of {feature} by month")
    st.caption("PSI: below 0.1 none, below 0.25 some, else strong. KS: largest distance of the two distribution functions; p allows for autocorrelation. PSI of single months is larger than of years: look for a trend, not for a level.")


def _table(every: pd.DataFrame, key: str) -> int | None:
    config = st.column_config
    shown = {
        "psi": measured(every["psi"], "PSI", 3, 56),
        "ks": measured(every["ks"], "KS", 3, 56),
        "p_effective": measured(every["p_effective"], "p", 4, 60, help="Of a KS this large by chance, with the effective number of independent bars."),
    }
    rows = pd.DataFrame(dict(feature=every["feature"], level=[[word] for word in every["drift"]], **{name: values for name, (values, _) in shown.items()}))
    columns = {
        "feature": config.TextColumn("Feature", width=160),
        "level": config.MultiselectColumn("Drift", width=74, options=list(COLOURS), color=list(COLOURS.values())),
        **{name: how for name, (_, how) in shown.items()},
    }
    return table(rows, columns, "Each feature's PSI and KS, recent against before", key=f"drift-{key}", pick=True, row_height=26, height="auto" if len(rows) < 10 else 324)


def history(months: pd.DataFrame, height: int = 270) -> Picture:
    """``months``: month (yyyy-mm), count, psi, ks."""
    shown = months.assign(ts=pd.to_datetime(months["month"], utc=True))
    tips = [alt.Tooltip("month:N"), alt.Tooltip("psi:Q", format=".3f", title="PSI"), alt.Tooltip("ks:Q", format=".3f", title="KS"), alt.Tooltip("count:Q", format=",", title="values")]
    line = alt.Chart(shown).transform_calculate(role="'line'").mark_line(point=alt.OverlayMarkDef(size=20)).encode(
        x=at(**utc(days_format(shown["ts"]), tickCount=6)), y=alt.Y("psi:Q", scale=alt.Scale(domainMin=0), axis=above("PSI", format=".2~f")), color=by_role(), tooltip=tips
    )  # fmt: skip
    return alt.layer(rule(SOME, "some drift from here", role="quiet"), rule(STRONG, "strong drift from here", role="warn"), line).properties(height=taller(height))
