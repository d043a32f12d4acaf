"""Charts of calibration, drift and explanation: frame in, Altair chart out, in the style of app/kit/charts.py."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from app.features.panels import END, above
from app.kit.charts import Picture, days_format, utc
from app.kit.theme import at, by_role, tip_time
from app.kit.window import taller
from app.training.charts import line_at


def reliability(bins: pd.DataFrame, title: str, height: int = 220) -> Picture:
    """Observed share against predicted probability, with 95 % intervals; on the diagonal the model is calibrated.
    ``bins``: predicted, observed, low, high, count."""
    axis = alt.Axis(title=title, format="%", tickCount=6, grid=True, gridOpacity=0.4, **END)
    domain = _axis(bins[["predicted", "observed"]])
    x = alt.X("predicted:Q", scale=alt.Scale(domain=domain, nice=False), axis=axis)
    y = alt.Y("observed:Q", scale=alt.Scale(domain=domain, nice=False), axis=above("observed share", format="%"))
    tips = [
        alt.Tooltip("predicted:Q", format=".1%", title=title), alt.Tooltip("observed:Q", format=".1%", title="observed share"), alt.Tooltip("low:Q", format=".1%", title="95 %, from"),
        alt.Tooltip("high:Q", format=".1%", title="to"), alt.Tooltip("count:Q", format=",", title="samples"),
    ]  # fmt: skip
    ends = pd.DataFrame(dict(predicted=domain, observed=domain))
    diagonal = alt.Chart(ends).transform_calculate(role="'ink'").mark_line(strokeDash=[2, 3], strokeWidth=1, opacity=0.7).encode(x=x, y=y, color=by_role())
    base = alt.Chart(bins).transform_calculate(role="'line'")
    layers: list[Any] = [
        diagonal,
        base.transform_filter("isValid(datum.low)").mark_rule(strokeWidth=1.2, clip=True).encode(x=x, y=alt.Y("low:Q", scale=alt.Scale(domain=domain)), y2="high:Q", color=by_role(), tooltip=tips),
        base.mark_line(point=alt.OverlayMarkDef(size=34)).encode(x=x, y=y, color=by_role(), tooltip=tips),
    ]
    return alt.layer(*layers).properties(height=taller(height))


def _axis(values: pd.DataFrame) -> list[float]:
    """A domain for both axes, a little wider than the values, inside 0 to 1."""
    low, high = float(values.min().min()), float(values.max().max())
    margin = max(0.05 * (high - low), 0.02)
    return [max(0.0, low - margin), min(1.0, high + margin)]


def coverage(rows: pd.DataFrame, height: int = 220) -> Picture:
    """Share of outcomes inside an interval over time, against what it promises. ``rows``: ts, value, low, high (of the band in which it may move),
    count; ``nominal``, one value."""
    nominal = float(rows["nominal"].iloc[0])
    x = at(**utc(days_format(rows["ts"]), tickCount=6))
    y = alt.Y("value:Q", scale=alt.Scale(zero=False, padding=10), axis=above("coverage", format="%"))
    tips = [tip_time(), alt.Tooltip("value:Q", format=".1%", title="coverage"), alt.Tooltip("low:Q", format=".1%", title="99 % band, from"), alt.Tooltip("high:Q", format=".1%", title="to"), alt.Tooltip("count:Q", format=",", title="samples")]
    base = alt.Chart(rows)
    band = base.transform_filter("isValid(datum.low)").transform_calculate(role="'quiet'").mark_area(opacity=0.22).encode(x=x, y=alt.Y("low:Q", scale=alt.Scale(zero=False)), y2="high:Q", color=by_role())
    own = base.transform_calculate(role="'line'").mark_line(point=alt.OverlayMarkDef(size=22)).encode(x=x, y=y, color=by_role(), tooltip=tips)
    return alt.layer(band, line_at(nominal, f"promised: {nominal:.0%}"), own).properties(height=taller(height))


def over_time(rows: pd.DataFrame, title: str, limits: tuple[float, ...] = (), words: str = "alarm from here", places: str = ".3f", height: int = 190) -> Picture:
    """A figure over time, with its limits dashed; points past an alarm are in the colour of a warning. ``rows``: ts, value, alarm, and maybe count."""
    shown = rows.assign(role=["warn" if alarm else "line" for alarm in rows["alarm"]])
    x = at(**utc(days_format(rows["ts"]), tickCount=6))
    y = alt.Y("value:Q", scale=alt.Scale(zero=False, padding=10), axis=above(title, format=".4~g"))
    tips = [tip_time(), alt.Tooltip("value:Q", format=places, title=title)] + ([alt.Tooltip("count:Q", format=",", title="samples")] if "count" in rows else [])
    line = alt.Chart(shown).transform_calculate(role="'line'").mark_line().encode(x=x, y=y, color=by_role(), tooltip=tips)
    dots = alt.Chart(shown).mark_point(filled=True, size=30, opacity=1).encode(x=x, y=y, color=by_role(), tooltip=tips)
    return alt.layer(*(line_at(limit, words, "warn") for limit in limits), line, dots).properties(height=taller(height))


def partial_dependence(rows: pd.DataFrame, column: str, output: str, height: int = 220) -> Picture:
    """Mean prediction by the value of one column, all else as it is. ``rows``: value, prediction, and low, high (10 % and 90 % over samples) where there are any."""
    x = alt.X("value:Q", scale=alt.Scale(zero=False, nice=False), axis=alt.Axis(title=column, format=".4~g", tickCount=6, **END))
    y = alt.Y("prediction:Q", scale=alt.Scale(zero=False, padding=8), axis=above(output, format=".4~g"))
    tips = [alt.Tooltip("value:Q", format=".4~g", title=column), alt.Tooltip("prediction:Q", format=".4~g", title=f"mean {output}")]
    base = alt.Chart(rows)
    layers: list[Any] = []
    if "low" in rows:
        layers.append(base.transform_calculate(role="'quiet'").mark_area(opacity=0.25).encode(x=x, y=alt.Y("low:Q", scale=alt.Scale(zero=False)), y2="high:Q", color=by_role()))
    layers.append(base.transform_calculate(role="'line'").mark_line(point=alt.OverlayMarkDef(size=16)).encode(x=x, y=y, color=by_role(), tooltip=tips))
    return alt.layer(*layers).properties(height=taller(height))


def boundary(cells: pd.DataFrame, first: str, second: str, output: str, middle: float | None, height: int = 280) -> Picture:
    """Mean prediction over two columns, all else as it is. ``cells``: x, y (centres), prediction, x0, x1, y0, y1 (edges); ``middle``: where colours part."""
    low, high = float(cells["prediction"].min()), float(cells["prediction"].max())
    span = max(high - middle, middle - low, 1e-12) if middle is not None else 0.0
    scale = alt.Scale(domain=[low, max(high, low + 1e-12)], range="ramp") if middle is None else alt.Scale(domain=[middle - span, middle, middle + span], range="diverging")
    x = alt.X("x0:Q", scale=alt.Scale(zero=False, nice=False), axis=alt.Axis(title=first, format=".4~g", tickCount=6, **END))
    y = alt.Y("y0:Q", scale=alt.Scale(zero=False, nice=False), axis=above(second, format=".4~g", grid=False))
    tips = [alt.Tooltip("x:Q", format=".4~g", title=first), alt.Tooltip("y:Q", format=".4~g", title=second), alt.Tooltip("prediction:Q", format=".4~g", title=output)]
    legend = alt.Legend(title=output, titleFontWeight="normal", titleOpacity=0.75, gradientLength=160, gradientThickness=8, format=".3~g", orient="bottom")
    cell = alt.Chart(cells).mark_rect(strokeWidth=0).encode(x=x, x2="x1:Q", y=y, y2="y1:Q", color=alt.Color("prediction:Q", scale=scale, legend=legend), tooltip=tips)
    return alt.layer(cell).properties(height=taller(height))


def contributions(rows: pd.DataFrame, title: str, width: int = 190) -> Picture:
    """What moves a score from the average to a trade's. ``rows``: name (column = value), amount, written; ``base`` first and ``score`` last have role ``quiet``."""
    shown = rows.assign(b=rows["amount"].cumsum().where(rows["role"] != "quiet", rows["amount"]))
    shown = shown.assign(a=(shown["b"] - rows["amount"]).where(rows["role"] != "quiet", 0.0))
    y = alt.Y("name:N", sort=shown["name"].tolist(), axis=alt.Axis(minExtent=width, maxExtent=width, labelLimit=width - 4, grid=False, title=None, labelOverlap=False))
    x = alt.X("a:Q", scale=alt.Scale(zero=False, padding=56, nice=False), axis=alt.Axis(title=title, format=".3~g", tickCount=5, grid=True, gridOpacity=0.5, **END))
    base = alt.Chart(shown).encode(y=y, tooltip=[alt.Tooltip("name:N", title="column"), alt.Tooltip("amount:Q", format="+.4~g", title=title)])
    return alt.layer(
        base.mark_bar(size=13).encode(x=x, x2="b:Q", color=by_role()),
        base.transform_calculate(right="max(datum.a, datum.b)", role="'ink'").mark_text(align="left", dx=5).encode(x="right:Q", text="written:N", color=by_role()),
    ).properties(height=22 * len(shown) + 40)  # fmt: skip
