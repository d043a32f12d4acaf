"""Charts of regimes: frame in, Altair chart out, in the style of app/kit/charts.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import pandas as pd

from app.kit.bands import behind
from app.kit.charts import Picture, clock_axis, unit
from app.kit.theme import by_role, tip_time
from app.kit.window import taller

ROW = 42        # pixels of one state's probability


def price(frame: pd.DataFrame, bands: pd.DataFrame, names: Sequence[str], states: Mapping[str, str], price_unit: str, digits: int, height: int = 190) -> alt.VConcatChart:
    """The price with a band for each episode of a regime, and under it the probability of each state. ``frame``: row,
    ts, close and the columns that ``states`` names."""
    axis = clock_axis(frame["ts"], rows=frame["row"].tolist())
    low, high = int(frame["row"].iloc[0]), int(frame["row"].iloc[-1])
    scale = alt.Scale(domain=[low, max(high, low + 1)], nice=False)
    bare = alt.Axis(values=axis["values"], labels=False, grid=False, title=None)

    def x(field: str, last: bool) -> alt.X:
        return alt.X(f"{field}:Q", scale=scale, axis=axis if last else bare)

    tips = [tip_time(), alt.Tooltip("close:Q", format=f".{digits}f", title=f"close, {price_unit}")]
    tips += [alt.Tooltip(f"{column}:Q", format=".0%", title=name) for name, column in states.items()]
    alone = not states
    line = alt.Chart(frame).transform_calculate(role="'line'").mark_line(strokeWidth=1.2).encode(
        x=x("row", alone), y=alt.Y("close:Q", scale=alt.Scale(zero=False, nice=False, padding=6), axis=unit(price_unit, format=f".{digits}f")), color=by_role(), tooltip=tips,
    )  # fmt: skip
    edges = bands.assign(first=bands["first"].clip(lower=low), last=(bands["last"] + 1).clip(upper=high))
    layers = [behind(edges, names, x("first", alone), "first", "last"), line] if len(edges) else [line]
    rows: list[Any] = [alt.layer(*layers).properties(height=taller(height))]
    for k, (name, column) in enumerate(states.items()):
        area = alt.Chart(frame).transform_calculate(role="'line'").mark_area(opacity=0.4, line=dict(strokeWidth=1), interpolate="step-after").encode(
            x=x("row", k == len(states) - 1), y=alt.Y(f"{column}:Q", scale=alt.Scale(domain=[0, 1]), axis=unit(name, format=".0%", values=[0, 1])), color=by_role(), tooltip=tips,
        )  # fmt: skip
        rows.append(area.properties(height=ROW))
    pair = alt.vconcat(*rows, spacing=14)
    return pair.resolve_scale(x="shared", color="shared", fill="independent").properties(autosize=alt.AutoSizeParams(type="fit-x", contains="padding"))


def transitions(matrix: Sequence[Sequence[float | None]], names: Sequence[str]) -> Picture:
    """From each state, down, to each at the next bar, across; the share written in every cell."""
    rows = [dict(before=a, after=b, share=share) for a, row in zip(names, matrix, strict=True) for b, share in zip(names, row, strict=True) if share is not None]
    shown = pd.DataFrame(rows, columns=["before", "after", "share"])
    base = alt.Chart(shown).encode(
        x=alt.X("after:N", sort=None, axis=alt.Axis(orient="top", labelAngle=-35 if len(names) > 4 else 0, labelOverlap=False, domain=False, title="next bar", titleAnchor="end", titleOpacity=0.75, labelLimit=90)),
        y=alt.Y("before:N", sort=None, axis=alt.Axis(minExtent=86, maxExtent=120, domain=False, grid=False, title=None, labelLimit=120, labelOverlap=False)),
    )
    cell = base.transform_calculate(role="'line'").mark_rect().encode(
        color=by_role(), opacity=alt.Opacity("share:Q", scale=alt.Scale(domain=[0, 1], range=[0.04, 0.5]), legend=None),
        tooltip=[alt.Tooltip("before:N", title="from"), alt.Tooltip("after:N", title="to"), alt.Tooltip("share:Q", format=".3%")],
    )  # fmt: skip
    places = ".1%" if len(names) <= 6 else ".0%"
    text = base.transform_calculate(role="'ink'").mark_text(fontSize=11 if len(names) <= 9 else 9).encode(text=alt.Text("share:Q", format=places), color=by_role())
    return alt.layer(cell, text).properties(height=(30 if len(names) <= 9 else 20) * len(names) + (96 if len(names) > 4 else 56))
