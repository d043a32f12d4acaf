"""Charts of similar periods: frame in, Altair chart out, in the style of app/kit/charts.py."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from app.features.panels import BASIS_POINTS, END, above, plain, rule
from app.kit.charts import Picture
from app.kit.figures import number
from app.kit.theme import by_role
from app.kit.window import taller

GAP = 6         # steps between two panels of a row
NARROW = 640    # pixels, under which a panel is headed by its return alone


def fan(table: pd.DataFrame, height: int = 240) -> Picture:
    """``table``: step, q05, q25, median, q75, q95, now (log price against the close of the match)."""
    names = ("q05", "q25", "median", "q75", "q95", "now")
    shown = table.assign(**{name: BASIS_POINTS * table[name] for name in names})
    x = alt.X("step:Q", scale=alt.Scale(nice=False), axis=alt.Axis(title="bars after the match", **plain(True, ".0f"), **END))
    tips = [alt.Tooltip("step:Q", format="+,", title="bars after"), *(alt.Tooltip(f"{name}:Q", format="+,.1f", title=f"{title}, bp") for name, title in zip(names, ("5 %", "25 %", "median", "75 %", "95 %", "reference bar"), strict=True))]
    base = alt.Chart(shown)
    wide = base.transform_calculate(role="'quiet'").mark_area(opacity=0.18).encode(x=x, y=alt.Y("q05:Q", axis=above("bp", **plain(True))), y2="q95:Q", color=by_role())
    half = base.transform_calculate(role="'quiet'").mark_area(opacity=0.32).encode(x=x, y="q25:Q", y2="q75:Q", color=by_role(), tooltip=tips)
    middle = base.transform_calculate(role="'quiet'").mark_line().encode(x=x, y="median:Q", color=by_role(), tooltip=tips)
    now = base.transform_filter("isValid(datum.now)").transform_calculate(role="'line'").mark_line(strokeWidth=2).encode(x=x, y="now:Q", color=by_role(), tooltip=tips)
    return alt.layer(wide, half, middle, rule(0.0, "the match", "x", "ink"), now).properties(height=taller(height))


def distribution(bins: pd.DataFrame, figures: Mapping[str, Any], height: int = 240) -> Picture:
    """``bins``: low, high, matches, all (shares); ``figures``: q25, median, q75 of the matches."""
    shown = bins.assign(low=BASIS_POINTS * bins["low"], high=BASIS_POINTS * bins["high"], role=np.where(bins["low"] >= -1e-12, "up", "down"))
    x = alt.X("low:Q", bin="binned", axis=alt.Axis(title="forward return, bp", **plain(True), tickCount=6, **END))
    tips = [alt.Tooltip("low:Q", format="+,.1f", title="from, bp"), alt.Tooltip("high:Q", format="+,.1f", title="to, bp"), alt.Tooltip("matches:Q", format=".1%", title="of the matches"), alt.Tooltip("all:Q", format=".1%", title="of all bars")]
    bars = alt.Chart(shown).mark_bar(opacity=0.75).encode(x=x, x2="high:Q", y=alt.Y("matches:Q", axis=above("share", format=".0%")), color=by_role(), tooltip=tips)
    edges = pd.DataFrame(dict(at=np.append(shown["low"], shown["high"].iloc[-1]), all=np.append(shown["all"], shown["all"].iloc[-1])))
    every = alt.Chart(edges).transform_calculate(role="'ink'").mark_line(interpolate="step-after", strokeWidth=1.3).encode(x="at:Q", y="all:Q", color=by_role())
    cuts = [rule(BASIS_POINTS * figures[name], f"{title} of the matches, bp: {BASIS_POINTS * figures[name]:+,.1f}", "x", "line", dash) for name, title, dash in (("q25", "25 %", (2, 3)), ("median", "median", (6, 2)), ("q75", "75 %", (2, 3))) if figures[name] is not None]
    return alt.layer(bars, every, *cuts).properties(height=taller(height))


def panels(paths: pd.DataFrame, matches: pd.DataFrame, in_a_row: int = 6, height: int = 104) -> alt.VConcatChart:
    """One small chart per match, ``in_a_row`` beside each other, all on one scale. ``paths``: rank, step, value;
    ``matches``: rank, ts, followed."""
    paths = paths[paths["rank"] > 0]
    first, last = int(paths["step"].min()), int(paths["step"].max())
    width = last - first + GAP
    place = (paths["rank"] - 1) % in_a_row
    roles = matches.set_index("rank")["followed"].map(lambda value: "quiet" if pd.isna(value) else "up" if value >= 0 else "down")
    shown = paths.assign(x=place * width + paths["step"] - first, bp=BASIS_POINTS * paths["value"], role=np.where(paths["step"] <= 0, "quiet", paths["rank"].map(roles)), line=(paths["rank"] - 1) // in_a_row)
    knots = shown[shown["step"] == 0].assign(role=shown.loc[shown["step"] == 0, "rank"].map(roles))      # the path after begins at the match
    shown = pd.concat([shown, knots])
    heads = matches.assign(
        x=((matches["rank"] - 1) % in_a_row) * width, line=(matches["rank"] - 1) // in_a_row, zero=((matches["rank"] - 1) % in_a_row) * width - first,
        text=[_head(row) for row in matches.to_dict("records")], brief=[number(BASIS_POINTS * value, 0, True) for value in matches["followed"]],
    )  # fmt: skip
    reach = [float(shown["bp"].min()), float(shown["bp"].max())]
    y = alt.Scale(domain=[reach[0], reach[1] + 0.22 * (reach[1] - reach[0])], nice=False)
    rows = [_row(shown[shown["line"] == line], heads[heads["line"] == line], y, in_a_row * width - GAP, height) for line in sorted(heads["line"].unique())]
    return alt.vconcat(*rows, spacing=4).resolve_scale(x="shared", color="shared").properties(autosize=alt.AutoSizeParams(type="fit-x", contains="padding"))


def _head(row: Mapping[str, Any]) -> str:
    return f"{row['ts']:%y-%m-%d %H:%M}  {number(BASIS_POINTS * row['followed'], 0, True)}"


def _row(shown: pd.DataFrame, heads: pd.DataFrame, y: alt.Scale, wide: int, height: int) -> Picture:
    x = alt.X("x:Q", scale=alt.Scale(domain=[0, wide], nice=False), axis=None)
    tips = [alt.Tooltip("rank:Q", title="match"), alt.Tooltip("step:Q", format="+,", title="bars after"), alt.Tooltip("bp:Q", format="+,.1f", title="bp")]
    lines = alt.Chart(shown[["rank", "step", "x", "bp", "role"]]).mark_line(strokeWidth=1.2).encode(x=x, y=alt.Y("bp:Q", scale=y, axis=above("bp", **plain(True), tickCount=3)), detail="rank:N", color=by_role(), tooltip=tips)
    at = alt.Chart(heads[["x", "zero", "text", "brief"]])
    rules = at.transform_calculate(role="'quiet'").mark_rule(strokeDash=[2, 2]).encode(x=alt.X("zero:Q", axis=None), color=by_role(), tooltip=alt.value("the match"))
    words = at.transform_calculate(role="'ink'", head=f"width < {NARROW} ? datum.brief : datum.text").mark_text(align="left", baseline="top", fontSize=10).encode(x=alt.X("x:Q", axis=None), y=alt.value(0), text="head:N", color=by_role())
    return alt.layer(rules, lines, words).properties(height=taller(height))
