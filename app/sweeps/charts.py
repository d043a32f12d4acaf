"""Charts of sweeps, walk-forwards and searches: frame in, Altair chart out, in the style of app/kit/charts.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from app.kit.charts import Picture, days_format, unit, utc
from app.kit.theme import LEFT, SCALE, at, by_role, tip_time
from app.kit.window import taller

END: dict[str, Any] = dict(titleAnchor="end", titleOpacity=0.75, titlePadding=2)
WRITTEN = (14, 16)      # columns, rows, up to which a figure stands in every cell
DRAWN = 1_400           # points of a scatter


def _above(name: str, **more: Any) -> alt.Axis:
    """A y axis with its title at the top left."""
    return alt.Axis(title=name, titleAngle=0, titleAlign="left", titleAnchor="end", titleX=-LEFT, titleY=-10, titleOpacity=0.75, **more)


def heat(cells: pd.DataFrame, of: str, x: str, y: str, title: str, form: str, marked: tuple[Any, Any] | None = None, height: int = 300) -> Picture:
    """A metric over two parameters. ``cells``: x, y, value, plateau, points, best (whether the highest plateau); ``of``: which of value and plateau is shown.

    The best plateau is outlined; ``marked`` is the cell that was clicked. Colours part at zero where there is anything below it.
    """
    shown = cells.assign(shown=cells[of], z=_height(cells[of])).astype({name: np.float32 for name in ("value", "plateau", "shown", "z")})
    low, high = float(shown["shown"].min()), float(shown["shown"].max())
    parted = low < 0
    colours = alt.Scale(domain=[min(low, -high / 4), 0, max(high, -low / 4)], range="diverging") if parted else alt.Scale(domain=[low, max(high, low + 1e-12)], range="ramp")
    base = alt.Chart(shown).encode(
        x=alt.X("x:O", axis=alt.Axis(title=x, labelAngle=0, labelOverlap=True, format="~g" if cells["x"].dtype.kind in "if" else "", domain=False, **END)),
        y=alt.Y("y:O", sort="descending", axis=_above(y, labelOverlap=True, grid=False, format="~g" if cells["y"].dtype.kind in "if" else "")),
    )
    tips = [alt.Tooltip("x:N", title=x), alt.Tooltip("y:N", title=y), alt.Tooltip("value:Q", format=form, title=title), alt.Tooltip("plateau:Q", format=form, title="plateau"), alt.Tooltip("points:Q", format=",", title="combinations")]
    pick = alt.selection_point(name="cell", fields=["x", "y"])
    layers = [base.mark_rect().encode(color=alt.Color("shown:Q", scale=colours, legend=None), tooltip=tips).add_params(pick)]
    if cells["x"].nunique() <= WRITTEN[0] and cells["y"].nunique() <= WRITTEN[1]:
        layers.append(_written(base, form, parted, cells["x"].nunique()))
    layers += _outline(base, "datum.best", "ink")
    if marked is not None:
        layers += _outline(base, (alt.datum.x == marked[0]) & (alt.datum.y == marked[1]), "other")
    return alt.layer(*layers).resolve_scale(color="independent", stroke="independent").properties(height=taller(height))


def _height(values: pd.Series) -> pd.Series:
    spread = float(values.max() - values.min())
    return (values - values.min()) / spread if spread > 0 else values * 0.0


def _written(base: alt.Chart, form: str, parted: bool, columns: int) -> alt.Chart:
    """The figure in its cell; on the dark end of the ramp in the ramp's own first colour, which is light where it is
    dark."""
    text = base.transform_filter("isValid(datum.shown)").mark_text(fontSize=11 if columns <= 9 else 9).encode(text=alt.Text("shown:Q", format=form.replace("+", "").replace(".3f", ".2f").replace(".1%", ".0%") if columns > 7 else form))
    if parted:
        return text.transform_calculate(role="'ink'").encode(color=by_role())
    return text.transform_calculate(ink="datum.z > 0.6 ? 0 : 1").encode(color=alt.Color("ink:Q", scale=alt.Scale(domain=[0, 1], range="ramp"), legend=None))


def _outline(base: alt.Chart, which: Any, role: str) -> list[alt.Chart]:
    """A frame that is seen on light and dark cells: its line in the background's colour, then in its own."""
    marks = base.transform_filter(which)
    edge = alt.Stroke("edge:Q", scale=alt.Scale(domain=[0, 1], range="ramp"), legend=None)
    return [
        marks.transform_calculate(edge="0").mark_rect(filled=False, strokeWidth=4.5).encode(stroke=edge),
        marks.transform_calculate(role=f"'{role}'").mark_rect(filled=False, strokeWidth=2).encode(stroke=alt.Stroke("role:N", scale=SCALE, legend=None)),
    ]


def walked(curve: pd.DataFrame, folds: pd.DataFrame, currency: str, height: int = 190) -> alt.VConcatChart:
    """Equity of the tests, one after the other, over its drawdown. ``curve``: ts, equity, drawdown; ``folds``: number,
    start, end, chosen of each test."""
    bands = alt.Chart(folds.assign(role="quiet", odd=folds["number"] % 2))
    tips = [alt.Tooltip("number:Q", title="fold"), tip_time("start", "test from, UTC"), tip_time("end", "to, UTC"), alt.Tooltip("chosen:N"), alt.Tooltip("net:Q", format="+.2%", title="net")]
    band = bands.mark_rect().encode(x=at("start"), x2="end:T", color=by_role(), opacity=alt.Opacity("odd:Q", scale=alt.Scale(domain=[0, 1], range=[0.05, 0.2]), legend=None), tooltip=tips)
    named = bands.transform_calculate(mid="(+datum.start + +datum.end) / 2", role="'ink'").mark_text(fontSize=10, baseline="top", opacity=0.7).encode(x=at("mid"), y=alt.value(2), text="number:N", color=by_role())
    y = alt.Y("equity:Q", scale=alt.Scale(zero=False, nice=True), axis=unit(currency, format=",f"))
    line = alt.Chart(curve).transform_calculate(role="'line'").mark_line().encode(
        x=at(labels=False), y=y, color=by_role(), tooltip=[tip_time(), alt.Tooltip("equity:Q", format=",.2f", title=f"equity, {currency}"), alt.Tooltip("fold:Q"), alt.Tooltip("drawdown:Q", format=".2%")]
    )  # fmt: skip
    axis = utc(days_format(curve["ts"]), tickCount=6)
    under = alt.Chart(curve).transform_calculate(role="'down'").mark_area(opacity=0.35, line=dict(strokeWidth=1)).encode(
        x=at(**axis), y=alt.Y("drawdown:Q", axis=unit("", format="%", tickCount=3)), color=by_role(), tooltip=[tip_time(), alt.Tooltip("drawdown:Q", format=".2%")]
    )  # fmt: skip
    pair = alt.vconcat(alt.layer(band, *([named] if len(folds) <= 40 else []), line).properties(height=taller(height)), under.properties(height=taller(70)), spacing=4)
    return pair.resolve_scale(x="shared", color="shared").properties(autosize=alt.AutoSizeParams(type="fit-x", contains="padding"))


def windows(folds: pd.DataFrame) -> Picture:
    """A bar a fold, in sample and out of sample after each other. ``folds``: fold, start, test_start, test_end."""
    fitted = pd.DataFrame(dict(fold=folds["fold"], start=folds["start"], end=folds["test_start"], role="quiet", part="in sample"))
    tested = pd.DataFrame(dict(fold=folds["fold"], start=folds["test_start"], end=folds["test_end"], role="line", part="out of sample"))
    tips = [alt.Tooltip("fold:Q"), alt.Tooltip("part:N", title="window"), tip_time("start", "from, UTC"), tip_time("end", "to, UTC")]
    y = alt.Y("fold:O", axis=_above("fold", labelOverlap=True, grid=False))
    step = max(min(14, 420 // max(len(folds), 1)), 3)
    base = alt.Chart(pd.concat([fitted, tested], ignore_index=True)).encode(y=y, x=at("start", **utc(days_format(folds["test_end"]), tickCount=6)), x2="end:T", color=by_role(), tooltip=tips)
    return alt.layer(base.mark_bar(height=max(step - 3, 2))).properties(height=alt.Step(step))


def in_and_out_of_sample(folds: pd.DataFrame, height: int = 190) -> Picture:
    """Net return p.a. of each fit (tick) and of its test (bars). ``folds``: fold, fitted, tested, both net per year."""
    x = alt.X("fold:O", axis=alt.Axis(title="fold", labelAngle=0, labelOverlap=True, **END))
    tips = [alt.Tooltip("fold:Q"), alt.Tooltip("fitted:Q", format="+.1%", title="in sample, p.a."), alt.Tooltip("tested:Q", format="+.1%", title="out of sample, p.a.")]
    shown = folds.assign(role=np.where(folds["tested"] >= 0, "up", "down"))
    bars = alt.Chart(shown).mark_bar(size=max(min(14, 240 // max(len(folds), 1)), 2)).encode(x=x, y=alt.Y("tested:Q", axis=unit("a year", format="+%")), color=by_role(), tooltip=tips)
    dots = alt.Chart(shown).transform_calculate(role="'ink'").mark_tick(size=max(min(18, 300 // max(len(folds), 1)), 4), thickness=2).encode(x=x, y="fitted:Q", color=by_role(), tooltip=tips)
    return alt.layer(bars, dots).properties(height=taller(height))


def drift(folds: pd.DataFrame, names: Mapping[str, str], height: int = 64) -> alt.VConcatChart:
    """Selected value from fold to fold, a strip a parameter. ``names``: column of ``folds`` -> title."""
    strips = []
    for k, (name, title) in enumerate(names.items()):
        last = k == len(names) - 1
        numeric = pd.api.types.is_numeric_dtype(folds[name]) and not pd.api.types.is_bool_dtype(folds[name])
        shown = pd.DataFrame(dict(fold=folds["fold"], value=folds[name] if numeric else folds[name].astype(str)))
        y = alt.Y(f"value:{'Q' if numeric else 'N'}", scale=alt.Scale(zero=False, padding=8) if numeric else alt.Undefined, axis=_above(title, tickCount=3, format=".5~g" if numeric else ""))
        base = alt.Chart(shown).transform_calculate(role="'line'").encode(
            x=alt.X("fold:Q", scale=alt.Scale(nice=False, padding=12), axis=alt.Axis(title="fold" if last else None, labels=last, tickMinStep=1, format=".0f", **END)), y=y, color=by_role(),
            tooltip=[alt.Tooltip("fold:Q"), alt.Tooltip("value:N", title=title)],
        )  # fmt: skip
        strips.append(alt.layer(base.mark_line(interpolate="step", strokeWidth=1.2), base.mark_point(filled=True, size=36, opacity=1)).properties(height=taller(height)))
    return alt.vconcat(*strips, spacing=18).resolve_scale(x="shared").properties(autosize=alt.AutoSizeParams(type="fit-x", contains="padding"))


def history(trials: pd.DataFrame, title: str, form: str, height: int = 240, noun: str = "trial") -> Picture:
    """Each trial by its number, and the best so far as a line. ``trials``: number, value, best, and, where there are any, chosen (its parameters)."""
    x = alt.X("number:Q", scale=alt.Scale(nice=False), axis=alt.Axis(title=noun, format=",.0f", tickMinStep=1, **END))
    tips = [alt.Tooltip("number:Q", format=",", title=noun), alt.Tooltip("value:Q", format=form, title=title), *([alt.Tooltip("chosen:N")] if "chosen" in trials else [])]
    dots = alt.Chart(_few(trials.dropna(subset=["value"]), "value")).transform_calculate(role="'quiet'").mark_point(filled=True, size=22, opacity=0.75).encode(
        x=x, y=alt.Y("value:Q", scale=alt.Scale(zero=False), axis=_above(title, format=form)), color=by_role(), tooltip=tips
    )  # fmt: skip
    line = alt.Chart(_few(trials.dropna(subset=["best"]), "best")).transform_calculate(role="'line'").mark_line(interpolate="step-after").encode(
        x=x, y="best:Q", color=by_role(), tooltip=[alt.Tooltip("number:Q", format=",", title=noun), alt.Tooltip("best:Q", format=form, title="best so far")]
    )  # fmt: skip
    return alt.layer(dots, line).properties(height=taller(height))


def front(trials: pd.DataFrame, titles: Sequence[str], forms: Sequence[str], height: int = 240) -> Picture:
    """Two objectives against each other. ``trials``: number, a, b, best (nothing beats it in both), chosen."""
    shown = pd.concat([_few(trials[~trials["best"]], "a"), trials[trials["best"]]]).dropna(subset=["a", "b"])
    shown = shown.assign(role=np.where(shown["best"], "line", "quiet"))
    x = alt.X("a:Q", scale=alt.Scale(zero=False), axis=alt.Axis(title=titles[0], format=forms[0], grid=True, gridOpacity=0.4, **END))
    y = alt.Y("b:Q", scale=alt.Scale(zero=False), axis=_above(titles[1], format=forms[1]))
    tips = [alt.Tooltip("number:Q", format=",", title="trial"), alt.Tooltip("a:Q", format=forms[0], title=titles[0]), alt.Tooltip("b:Q", format=forms[1], title=titles[1]), alt.Tooltip("chosen:N")]
    dots = alt.Chart(shown).mark_point(filled=True, opacity=0.9).encode(x=x, y=y, color=by_role(), size=alt.condition("datum.best", alt.value(70), alt.value(20)), tooltip=tips)
    line = alt.Chart(trials[trials["best"]].sort_values("a")).transform_calculate(role="'line'").mark_line(strokeDash=[4, 3], interpolate="step-before", strokeWidth=1.2).encode(x=x, y=y, color=by_role())
    return alt.layer(line, dots).properties(height=taller(height))


def slice_of(trials: pd.DataFrame, parameter: str, title: str, form: str, height: int = 240) -> Picture:
    """The objective over one parameter, whatever the others were. ``trials``: number, x, value, best, chosen."""
    shown = _few(trials.dropna(subset=["value"]), "value").assign(role=lambda frame: np.where(frame["best"], "line", "quiet"))
    words = shown["x"].dtype.kind not in "if"
    x = alt.X(f"x:{'N' if words else 'Q'}", scale=alt.Undefined if words else alt.Scale(zero=False), axis=alt.Axis(title=parameter, grid=not words, gridOpacity=0.4, labelAngle=0, format=alt.Undefined if words else ",.6~g", **END))
    tips = [alt.Tooltip("number:Q", format=",", title="trial"), alt.Tooltip("value:Q", format=form, title=title), alt.Tooltip("chosen:N")]
    dots = alt.Chart(shown).mark_point(filled=True, opacity=0.85)
    return dots.encode(x=x, y=alt.Y("value:Q", scale=alt.Scale(zero=False), axis=_above(title, format=form)), color=by_role(), size=alt.condition("datum.best", alt.value(80), alt.value(22)), tooltip=tips).properties(height=taller(height))


def _few(frame: pd.DataFrame, by: str) -> pd.DataFrame:
    """At most as many rows as are drawn, the highest among them."""
    if len(frame) <= DRAWN:
        return frame
    every = frame.iloc[:: -(-len(frame) // DRAWN)]
    return pd.concat([every, frame.nlargest(40, by)]).sort_index().drop_duplicates("number")
