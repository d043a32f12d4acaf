"""Charts of external data: frame in, Altair chart out, in the style of app/kit/charts.py."""

from __future__ import annotations

import altair as alt
import pandas as pd

from app.kit.charts import days_format, unit, utc
from app.kit.theme import at, by_role, tip_time
from app.kit.window import taller


def line(frame: pd.DataFrame, unit_name: str, title: str, height: int = 260) -> alt.Chart:
    """A series by date. ``frame``: date, value, published."""
    tips = [alt.Tooltip("utcyearmonthdate(date):T", title="date", format="%Y-%m-%d"), alt.Tooltip("value:Q", format=",.6~g", title=f"{title}, {unit_name}"), tip_time("published", "published, UTC")]
    return (
        alt.Chart(frame[["date", "value", "published"]])
        .transform_calculate(role="'line'")
        .mark_line()
        .encode(x=at("date", **utc(days_format(frame["date"]), tickCount=8)), y=alt.Y("value:Q", scale=alt.Scale(zero=False, nice=True), axis=unit(unit_name)), color=by_role(), tooltip=tips)
        .properties(height=taller(height))
    )
