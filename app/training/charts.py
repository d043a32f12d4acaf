"""Charts of training, scores and paths: frame in, Altair chart out, in the style of app/kit/charts.py."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import altair as alt
import pandas as pd

from app.features.panels import END, above
from app.kit.charts import Picture, days_format, unit, utc
from app.kit.theme import SCALE, at, by_role, tip_time
from app.kit.window import taller

PARTS = {
    "train": ("quiet", "train"), "validation": ("storm", "validation"), "calibration": ("range", "calibration"), "test": ("line", "test"),
    "purged": ("breach", "purged"), "embargoed": ("warn", "embargoed"),
}  # fmt: skip
REMOVED = ("purged", "embargoed")
KEYS = 3            # of the legend side by side: they fit a phone
ROW = 22            # pixels of a fold
TALLEST = 420       # pixels of all of them
FRAME = 62          # pixels of key and axis, which are inside the height


def gantt(spans: pd.DataFrame) -> Picture:
    """One row a fold: what each stretch of time is used for. ``spans``: fold, part, first, last, samples. Purged and embargoed
    stretches are drawn at least two pixels wide, since a day of ten years is less than one."""
    shown = spans.assign(role=[PARTS[part][0] for part in spans["part"]])
    names = {PARTS[part][0]: PARTS[part][1] for part in PARTS if part in set(spans["part"])}
    key = alt.Legend(values=list(names), labelExpr=f"({json.dumps(names)})[datum.label]", symbolType="square", symbolSize=90, columns=KEYS, symbolStrokeWidth=0)
    count = int(spans["fold"].nunique())
    row = max(min(ROW, TALLEST // max(count, 1)), 6)
    y = alt.Y("fold:O", axis=alt.Axis(title="fold", titleAngle=0, titleAnchor="end", titleX=-6, titleY=-8, titleAlign="right", titleOpacity=0.75, labelOverlap=row < 12, grid=False), scale=alt.Scale(paddingInner=0.25))
    tips = [
        alt.Tooltip("fold:O"), alt.Tooltip("part:N"), alt.Tooltip("samples:Q", format=",", title="samples"), tip_time("first", "from, UTC"), tip_time("last", "to, UTC"),
    ]  # fmt: skip
    x = at("first", **utc(days_format(spans["first"].sort_values()), tickCount=8))
    fill = alt.Fill("role:N", scale=SCALE, legend=key)
    used = alt.Chart(shown[~shown["part"].isin(REMOVED)]).mark_rect(strokeWidth=0).encode(x=x, x2="last:T", y=y, fill=fill, tooltip=tips)
    layers = [used]
    for part in REMOVED:
        gone = alt.Chart(shown[shown["part"] == part]).mark_rect(strokeWidth=2)
        layers.append(gone.encode(x=x, x2="last:T", y=y, fill=fill, stroke=alt.Stroke("role:N", scale=SCALE, legend=None), tooltip=tips))
    return alt.layer(*layers).properties(height=row * count + FRAME)


def fan(paths: pd.DataFrame, what: str, name: str, height: int = 220) -> Picture:
    """Every path through the test blocks, and their median. ``paths``: ts, path, value; ``what``: unit of the value; ``name``: what it is."""
    middle = paths.groupby("ts", as_index=False)["value"].median() if paths["path"].nunique() > 2 else paths.iloc[:0]
    x = at(**utc(days_format(paths["ts"].sort_values()), tickCount=6))
    y = alt.Y("value:Q", scale=alt.Scale(zero=False, nice=True), axis=unit(what, format=",.6~g"))
    tips = [tip_time(), alt.Tooltip("path:O"), alt.Tooltip("value:Q", format="+,.2f", title=f"{name}, {what}" if what else name)]
    every = alt.Chart(paths).transform_calculate(role="'line'").mark_line(strokeWidth=1.0, opacity=0.55).encode(x=x, y=y, detail="path:N", color=by_role(), tooltip=tips)
    median = alt.Chart(middle).transform_calculate(role="'ink'", path="'median'").mark_line(strokeWidth=2.0).encode(x=x, y=y, color=by_role(), tooltip=[tip_time(), alt.Tooltip("value:Q", format="+,.2f", title=f"median, {what}")])
    return alt.layer(every, median).properties(height=taller(height))


def with_and_without(curves: pd.DataFrame, what: str, height: int = 220) -> Picture:
    """Cumulative result with the filter (line) and without it (dashed). ``curves``: ts, with_filter, without, and taken (trades so far)."""
    x = at(**utc(days_format(curves["ts"]), tickCount=6))
    tips = [tip_time(), alt.Tooltip("with_filter:Q", format="+,.2f", title=f"with the filter, {what}"), alt.Tooltip("without:Q", format="+,.2f", title=f"without, {what}")]
    base = alt.Chart(curves)
    axis = unit(what, format=",.6~g")
    other = base.transform_calculate(role="'other'").mark_line(strokeDash=[4, 3], strokeWidth=1.3).encode(x=x, y=alt.Y("without:Q", axis=axis), color=by_role(), tooltip=tips)
    own = base.transform_calculate(role="'line'").mark_line(strokeWidth=1.7).encode(x=x, y=alt.Y("with_filter:Q", axis=axis), color=by_role(), tooltip=tips)
    zero = alt.Chart(pd.DataFrame(dict(zero=[0.0]))).transform_calculate(role="'ink'").mark_rule(opacity=0.5).encode(y="zero:Q", color=by_role())
    return alt.layer(zero, other, own).properties(height=taller(height))


def groups(rows: pd.DataFrame, title: str, axis_title: str, reference: float | None, places: str = ".3f", height: int = 200) -> Picture:
    """A score of each group as a point, with its 95 % interval where it has one. ``rows``: group, value, low, high, count; ``reference``: the value of no skill."""
    order = list(dict.fromkeys(rows["group"]))
    x = alt.X("group:N", sort=order, axis=alt.Axis(title=axis_title, labelAngle=0, labelOverlap=True, labelLimit=90, **END))
    y = alt.Y("value:Q", scale=alt.Scale(zero=False, padding=10), axis=above(title, format=".6~g"))
    tips = [
        alt.Tooltip("group:N", title=axis_title), alt.Tooltip("value:Q", format=places, title=title), alt.Tooltip("low:Q", format=places, title="95 %, from"), alt.Tooltip("high:Q", format=places, title="to"),
        alt.Tooltip("count:Q", format=",", title="samples"),
    ]  # fmt: skip
    base = alt.Chart(rows)
    layers: list[Any] = []
    if reference is not None:
        layers.append(line_at(reference, "no skill"))
    layers.append(base.transform_filter("isValid(datum.low)").transform_calculate(role="'line'").mark_rule(strokeWidth=1.4).encode(x=x, y=alt.Y("low:Q"), y2="high:Q", color=by_role(), tooltip=tips))
    layers.append(base.transform_calculate(role="'line'").mark_point(filled=True, size=52, opacity=1).encode(x=x, y=y, color=by_role(), tooltip=tips))
    return alt.layer(*layers).properties(height=taller(height))


def line_at(value: float, text: str, role: str = "ink", dash: tuple[int, int] = (3, 3), encoding: str = "y") -> alt.Chart:
    """A dashed line across the chart at a value, with its meaning as tooltip."""
    marks = alt.Chart(pd.DataFrame(dict(at=[value]))).transform_calculate(role=f"'{role}'").mark_rule(strokeDash=list(dash), opacity=0.8)
    return marks.encode(color=by_role(), tooltip=alt.value(text), **{encoding: alt.Y("at:Q") if encoding == "y" else alt.X("at:Q")})


def losses(curve: pd.DataFrame, title: str, height: int = 170) -> Picture:
    """Loss on the validation part over the fit of each fold; the latest fold is the strong line. A line each model of a fold that has several, with its name
    at its end. ``curve``: fold, share (0 to 1), loss, of (the model, empty where there is one)."""
    latest = int(curve["fold"].max())
    shown = curve.assign(role=["line" if fold == latest else "quiet" for fold in curve["fold"]])
    x = alt.X("share:Q", scale=alt.Scale(domain=[0, 1], nice=False), axis=alt.Axis(format="%", title="of the fit", tickCount=5, **END))
    y = alt.Y("loss:Q", scale=alt.Scale(zero=False, nice=True), axis=above(title, format=".4~g"))
    several = bool(curve["of"].any())
    tips = [alt.Tooltip("fold:Q"), *([alt.Tooltip("of:N", title="model")] if several else []), alt.Tooltip("share:Q", format=".0%", title="of the fit"), alt.Tooltip("loss:Q", format=".4~g", title=title)]
    lines = alt.Chart(shown).mark_line(strokeWidth=1.4, point=alt.OverlayMarkDef(size=14)).encode(x=x, y=y, detail=["fold:N", "of:N"], color=by_role(), tooltip=tips)
    ends = shown[shown["fold"] == latest].groupby("of", sort=False).tail(1).assign(role="ink")
    names = alt.Chart(ends).mark_text(align="right", baseline="bottom", dx=-2, dy=-4, fontSize=11).encode(x=x, y=y, text="of:N", color=by_role())
    return alt.layer(lines, names).properties(height=taller(height))


def intervals(rows: pd.DataFrame, axis_title: str, value_title: str, places: str = "+.4f", zero: str = "no difference", width: int = 130) -> Picture:
    """One horizontal interval a row, against zero; ``up`` where all of it is on the good side, ``down`` on the bad one, else quiet.
    ``rows``: name, value, low, high, role, written."""
    order = rows["name"].tolist()
    y = alt.Y("name:N", sort=order, axis=alt.Axis(minExtent=width, maxExtent=width, labelLimit=width - 4, grid=False, title=None, labelOverlap=False))
    x = alt.X("low:Q", scale=alt.Scale(zero=True, nice=True, padding=8), axis=alt.Axis(title=axis_title, format=".4~g", tickCount=5, grid=True, gridOpacity=0.5, **END))
    tips = [alt.Tooltip("name:N", title="against"), alt.Tooltip("value:Q", format=places, title=value_title), alt.Tooltip("low:Q", format=places, title="95 %, from"), alt.Tooltip("high:Q", format=places, title="to")]
    base = alt.Chart(rows).encode(y=y, tooltip=tips)
    return alt.layer(
        line_at(0.0, zero, encoding="x"),
        base.transform_filter("isValid(datum.low)").mark_rule(strokeWidth=2).encode(x=x, x2="high:Q", color=by_role()),
        base.mark_point(filled=True, size=64, opacity=1).encode(x="value:Q", color=by_role()),
    ).properties(height=30 * len(rows) + 40)  # fmt: skip


def bars(rows: pd.DataFrame, title: str, form: str, role: str = "line", rules: Sequence[tuple[float, str, str]] = (), width: int = 150, name: str = "column") -> Picture:
    """Horizontal bars from zero with an optional interval. ``rows``: name, value, low, high (may be NaN), role (or ``role`` for all); ``rules``: value, meaning, role of a line across."""
    shown = rows if "role" in rows else rows.assign(role=role)
    y = alt.Y("name:N", sort=shown["name"].tolist(), axis=alt.Axis(minExtent=width, maxExtent=width, labelLimit=width - 4, grid=False, title=None, labelOverlap=False))
    x = alt.X("value:Q", scale=alt.Scale(zero=True, nice=True), axis=alt.Axis(title=title, format=".4~g", tickCount=5, grid=True, gridOpacity=0.5, **END))
    tips = [alt.Tooltip("name:N", title=name), alt.Tooltip("value:Q", format=form, title=title)]
    if "low" in shown:
        tips += [alt.Tooltip("low:Q", format=form, title="95 %, from"), alt.Tooltip("high:Q", format=form, title="to")]
    base = alt.Chart(shown).encode(y=y, tooltip=tips)
    layers: list[Any] = [base.mark_bar(size=11).encode(x=x, color=by_role())]
    if "low" in shown:
        layers.append(base.transform_filter("isValid(datum.low)").transform_calculate(role="'ink'").mark_rule(strokeWidth=1.2).encode(x="low:Q", x2="high:Q", color=by_role()))
    layers += [line_at(value, text, rule_role, encoding="x") for value, text, rule_role in rules]
    return alt.layer(*layers).properties(height=20 * len(shown) + 40)
