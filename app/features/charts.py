"""Charts of the Features page: frame in, Altair chart out, in the style of app/kit/charts.py."""

from __future__ import annotations

import altair as alt
import pandas as pd

from app.kit.charts import Picture, clock_axis, unit
from app.kit.theme import by_role, tip_time
from app.kit.window import taller


def beneath(frame: pd.DataFrame, column: str, column_unit: str, price_unit: str, digits: int, warm_up: int = 0, height: int = 170) -> alt.VConcatChart:
    """Price above, a feature under it, on one axis of bars. ``frame``: row, ts, close, value. ``warm_up``: rows that
    pass before the first value, marked where they are in sight."""
    axis = clock_axis(frame["ts"], rows=frame["row"].tolist())
    low, high = int(frame["row"].iloc[0]), int(frame["row"].iloc[-1])
    scale = alt.Scale(domain=[low, max(high, low + 1)], nice=False)
    tips = [tip_time(), alt.Tooltip("close:Q", format=f".{digits}f", title=f"close, {price_unit}"), alt.Tooltip("value:Q", format=",.6~g", title=f"{column}, {column_unit}")]
    base = alt.Chart(frame)
    price = base.transform_calculate(role="'quiet'").mark_line().encode(
        x=alt.X("row:Q", scale=scale, axis=alt.Axis(values=axis["values"], labels=False, grid=False, title=None)),
        y=alt.Y("close:Q", scale=alt.Scale(zero=False, nice=False, padding=6), axis=unit(price_unit, format=f".{digits}f")), color=by_role(), tooltip=tips,
    )  # fmt: skip
    value = base.transform_calculate(role="'line'").mark_line().encode(
        x=alt.X("row:Q", scale=scale, axis=axis), y=alt.Y("value:Q", scale=alt.Scale(zero=False, nice=True), axis=unit("")), color=by_role(), tooltip=tips,
    )  # fmt: skip
    under: Picture | alt.Chart = value
    if low < warm_up <= high:
        mark = alt.Chart(pd.DataFrame(dict(row=[warm_up]))).transform_calculate(role="'quiet'").mark_rule(strokeDash=[3, 2]).encode(x=alt.X("row:Q", scale=scale, axis=axis), color=by_role(), tooltip=alt.value("the first value"))
        under = alt.layer(value, mark)
    pair = alt.vconcat(price.properties(height=taller(height)), under.properties(height=taller(height)), spacing=6)
    return pair.resolve_scale(x="shared", color="shared").properties(autosize=alt.AutoSizeParams(type="fit-x", contains="padding"))
