"""Frame in, Altair chart out. Axes carry their unit at the end, times are UTC, colours are roles (theme.py)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from app.kit.figures import number
from app.kit.theme import SCALE, at, by_role, moment, tip_time
from app.kit.window import taller

Picture = alt.LayerChart | alt.FacetChart

MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec", "Year"]
NARROW = 560        # pixels under which the cells of a table of months have room for whole per cents only
DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]


def unit(name: str, **more: Any) -> alt.Axis:
    """A y axis with its unit above its labels. A ``format`` without a precision, as ``%`` or ``,f``, takes that of the ticks, so that no two of them are labelled alike."""
    return alt.Axis(title=name, titleAngle=0, titleAlign="right", titleAnchor="end", titleX=-6, titleY=-8, titleOpacity=0.75, **more)


def thousands(**more: Any) -> dict[str, Any]:
    """Options of an axis of amounts, in thousands and millions where they are large: 0, −1k, 2.5M. A zero has no such letter."""
    return dict(format="~s", labelExpr="abs(datum.value) < 1e-9 ? '0' : datum.label", **more)


def utc(format: str, **more: Any) -> dict[str, Any]:
    """A time axis with its time zone at the end."""
    return dict(format=format, title="UTC", titleAnchor="end", titleOpacity=0.75, titlePadding=0, **more)


def days_format(ts: pd.Series) -> str:
    """The format of a time axis, fine enough that no two of its labels are alike.

    >>> ts = pd.Series(pd.to_datetime(["2024-05-01T10:00", "2024-05-01T10:02", "2024-05-01T12:00", "2024-05-04", "2024-06-04", "2025-06-04"], utc=True, format="ISO8601"))
    >>> [days_format(ts[:last]) for last in (2, 3, 4, 5, 6)]
    ['%H:%M:%S', '%H:%M', '%d %b %H:%M', '%d %b', '%b %Y']
    """
    days = (ts.iloc[-1] - ts.iloc[0]).total_seconds() / 86_400
    return "%b %Y" if days > 150 else "%d %b" if days > 6 else "%d %b %H:%M" if days > 1 else "%H:%M" if days > 10 / 1440 else "%H:%M:%S"


def flat(values: pd.Series, low: float = 0.0, high: float = 0.0) -> dict[str, Any]:
    """The domain of a y scale for values that are all one, around which an axis would have nothing to count by; nothing for others.

    >>> flat(pd.Series([100.0, 100.0]), -0.25, 0.25), flat(pd.Series([0.0]), -1.0), flat(pd.Series([1.0, 2.0]), -1.0)
    ({'domain': [75.0, 125.0]}, {'domain': [-1.0, 0.0]}, {})
    """
    value = float(values.iloc[0]) if len(values) and values.min() == values.max() else None
    return {} if value is None else {"domain": [value + low * (abs(value) or 1.0), value + high * (abs(value) or 1.0)]}


def equity_pair(curve: pd.DataFrame, currency: str, other: pd.DataFrame | None = None, height: int = 216) -> alt.VConcatChart:
    """Equity above, its drawdown below, on one clock. ``other`` is a second run, dashed."""
    y = alt.Y("equity:Q", scale=alt.Scale(zero=False, nice=True, **(flat(curve["equity"], -0.01, 0.01) if other is None else {})), axis=unit(currency, format=",f"))
    tips = [tip_time(), alt.Tooltip("equity:Q", format=",.2f", title=f"equity, {currency}"), alt.Tooltip("drawdown:Q", format=".2%")]
    layers = []
    if other is not None:
        beside = alt.Chart(other[["ts", "equity", "drawdown"]]).transform_calculate(role="'other'")
        layers.append(beside.mark_line(strokeDash=[4, 3], strokeWidth=1.2).encode(x=at(), y=y, color=by_role(), tooltip=tips))
    line = alt.Chart(curve[["ts", "equity", "drawdown"]]).transform_calculate(role="'line'")
    layers.append(line.mark_line().encode(x=at(labels=False), y=y, color=by_role(), tooltip=tips))
    below: Picture | alt.Chart = (
        alt.Chart(curve[["ts", "drawdown"]])
        .transform_calculate(role="'down'")
        .mark_area(opacity=0.35, line=dict(strokeWidth=1))
        .encode(x=at(**utc(days_format(curve["ts"]), tickCount=6)), y=alt.Y("drawdown:Q", scale=alt.Scale(**(flat(curve["drawdown"], -0.01) if other is None else {})), axis=unit("", format="%", tickCount=3)), color=by_role(), tooltip=[tip_time(), alt.Tooltip("drawdown:Q", format=".2%")])
    )
    if other is not None:
        under = alt.Chart(other[["ts", "drawdown"]]).transform_calculate(role="'other'")
        below = alt.layer(below, under.mark_line(strokeDash=[4, 3], strokeWidth=1).encode(x=at(), y="drawdown:Q", color=by_role()))
    pair = alt.vconcat(alt.layer(*layers).properties(height=taller(height)), below.properties(height=taller(78)), spacing=4)
    return pair.resolve_scale(x="shared", color="shared").properties(autosize=alt.AutoSizeParams(type="fit-x", contains="padding"))


def clock_axis(ts: pd.Series, ticks: int = 7, rows: Sequence[int] | None = None) -> alt.Axis:
    """Labels for a numbered axis, on which weekends take no space: the time, and the day where it changes. ``rows``:
    the number of each, where they are not one after the other."""
    where = np.unique(np.linspace(0, len(ts) - 1, ticks + 2).astype(int)[1:-1])
    mornings = np.flatnonzero(ts.dt.date.ne(ts.dt.date.shift()).to_numpy())[1:]
    where = mornings if 3 <= len(mornings) <= 10 else where
    days = (ts.iloc[-1] - ts.iloc[0]).days
    labels, before = {}, None
    for k in where:
        moment = ts.iloc[k]
        labels[int(k if rows is None else rows[k])] = f"{moment:%Y-%m}" if days > 400 else f"{moment:%d %b}" if days > 6 or f"{moment:%d}" != before else f"{moment:%H:%M}"
        before = f"{moment:%d}"
    return alt.Axis(values=list(labels), labelExpr=f"({json.dumps(labels)})[datum.value]", grid=False, title="UTC", titleAnchor="end", titleOpacity=0.75, titlePadding=0)


def candles(merged: pd.DataFrame, digits: int, unit_name: str, height: int = 300) -> Picture:
    """Rising candles hollow, falling filled: readable without colour."""
    shown = merged.assign(role=np.where(merged["close"] >= merged["open"], "up", "down"), i=np.arange(len(merged)), a=np.arange(len(merged)) - 0.36, b=np.arange(len(merged)) + 0.36)
    scale, axis = alt.Scale(domain=[-1, len(shown)], nice=False), clock_axis(shown["ts"])

    def x(field: str) -> alt.X:
        return alt.X(f"{field}:Q", scale=scale, axis=axis)

    price = alt.Y("low:Q", scale=alt.Scale(zero=False, nice=False, padding=8), axis=unit(unit_name, format=f".{digits}f", tickCount=6))
    tips = [tip_time(), *(alt.Tooltip(f"{k}:Q", format=f".{digits}f") for k in ("open", "high", "low", "close"))]
    base = alt.Chart(shown)
    wick = base.mark_rule(strokeWidth=1).encode(x=x("i"), y=price, y2="high:Q", color=by_role(), tooltip=tips)
    body = base.mark_rect(strokeWidth=1).encode(
        x=x("a"), x2="b:Q", y="open:Q", y2="close:Q", color=by_role(), tooltip=tips,
        fillOpacity=alt.condition("datum.role == 'up'", alt.value(0.12), alt.value(1.0)), stroke=alt.Stroke("role:N", scale=SCALE, legend=None),
    )  # fmt: skip
    return alt.layer(wick, body).properties(height=taller(height))


def months(table: pd.DataFrame) -> Picture:
    """Years down, months across, the net return written in every cell. ``table``: year, month (0 the whole year),
    share."""
    shown = table.assign(year=table["year"].astype(str), month=[MONTHS[m - 1] if m else "Year" for m in table["month"]])
    limit = max(float(shown.loc[shown["month"] != "Year", "share"].abs().max()), 1e-9)
    base = alt.Chart(shown).encode(
        x=alt.X("month:O", sort=MONTHS, axis=alt.Axis(orient="top", labelAngle=0, domain=False, labelExpr=f"width < {NARROW} ? slice(datum.label, 0, 1) : datum.label", labelOverlap=False)),
        y=alt.Y("year:O", axis=alt.Axis(minExtent=36, maxExtent=36)),
    )
    cell = base.mark_rect().encode(
        color=alt.Color("share:Q", scale=alt.Scale(domain=[-limit, 0, limit], range="diverging", clamp=True), legend=None),
        tooltip=["year", "month", alt.Tooltip("share:Q", format="+.2%", title="net return")],
    )
    written = base.transform_calculate(role="'ink'", whole="format(100 * datum.share, '+.0f')")
    text = written.mark_text(fontSize=11, opacity=alt.expr(f"width < {NARROW} ? 0 : 1")).encode(text=alt.Text("share:Q", format="+.1%"), color=by_role())
    short = written.mark_text(fontSize=9, opacity=alt.expr(f"width < {NARROW} ? 1 : 0")).encode(text="whole:N", color=by_role())
    return alt.layer(cell, text, short).resolve_scale(color="independent").properties(height=28 * shown["year"].nunique() + 34)


def histogram(bins: pd.DataFrame, mean: float | None, height: int = 220) -> Picture:
    """Results of trades in R. ``bins``: low, high, trades, of which the outer two hold the tails; the dashed line is
    ``mean``."""
    width = float((bins["high"] - bins["low"]).median())
    shown = bins.assign(a=bins["low"].clip(lower=bins["high"].iloc[0] - width), b=bins["high"].clip(upper=bins["low"].iloc[-1] + width), role=np.where(bins["low"] >= 0, "up", "down"))
    bars = alt.Chart(shown).mark_bar().encode(
        x=alt.X("a:Q", bin="binned", axis=alt.Axis(labelExpr="datum.value == 0 ? '0' : datum.label", format="+.0f", tickCount=8, title="R; the outer bins hold the tails", titleAnchor="end", titleOpacity=0.75)), x2="b:Q",
        y=alt.Y("trades:Q", axis=unit("trades", format=",.0f", tickMinStep=1)), color=by_role(),
        tooltip=[alt.Tooltip("low:Q", format="+.2f", title="from, R"), alt.Tooltip("high:Q", format="+.2f", title="to, R"), alt.Tooltip("trades:Q", format=",")],
    )  # fmt: skip
    line = alt.Chart(pd.DataFrame(dict(x=[0.0 if mean is None else mean]))).transform_calculate(role="'ink'")
    rule = line.mark_rule(strokeDash=[3, 2]).encode(x="x:Q", color=by_role(), tooltip=[alt.Tooltip("x:Q", format="+.3f", title="mean, R")])
    return alt.layer(bars, rule).properties(height=taller(height))


def waterfall(steps: Sequence[tuple[str, float]], currency: str, height: int = 200) -> Picture:
    """From gross to net; the first and the last bar stand on zero."""
    frame = pd.DataFrame(steps, columns=["name", "amount"])
    end = frame["amount"].cumsum()
    frame = frame.assign(a=end - frame["amount"], b=end, written=[number(amount, 0, True) for amount in frame["amount"]], role=np.where(frame["amount"] >= 0, "up", "down"))
    frame.loc[frame.index[[0, -1]], "role"] = "line"
    frame.loc[frame.index[-1], ["a", "b"]] = [0.0, frame["amount"].iloc[-1]]
    base = alt.Chart(frame).encode(y=alt.Y("name:N", sort=None, axis=alt.Axis(minExtent=86, maxExtent=86, grid=False)))
    tip = [alt.Tooltip("name:N", title="part"), alt.Tooltip("amount:Q", format="+,.2f", title=currency)]
    return (
        alt.layer(
            base.mark_bar(size=14).encode(x=alt.X("a:Q", scale=alt.Scale(padding=56, nice=False), axis=alt.Axis(**thousands(tickCount=5), grid=True, gridOpacity=0.5, title=currency, titleAnchor="end", titleOpacity=0.75)), x2="b:Q", color=by_role(), tooltip=tip),
            base.transform_calculate(right="max(datum.a, datum.b)", role="'ink'").mark_text(align="left", dx=5).encode(x="right:Q", text=alt.Text("written:N"), color=by_role()),
        )
        .properties(height=taller(height))
    )  # fmt: skip


def timeline(events: pd.DataFrame, roles: Mapping[str, str], span: tuple[Any, Any], daily: bool = False, pick: str = "", height: int = 116) -> alt.Chart:
    """Events an hour, or a day, stacked by what they are about. ``events``: hour, subject, events; ``span``: the axis, UTC.
    ``pick``: name of a selection of one bar, by hour and subject."""
    shown = events.assign(role=[roles.get(subject, "quiet") for subject in events["subject"]])
    bars = (span[1] - span[0]).total_seconds() / (86_400 if daily else 3_600)
    scale = alt.Scale(type="utc", nice=False, padding=8, domain=[moment(edge) for edge in span])
    x = alt.X("hour:T", scale=scale, axis=alt.Axis(**utc("%d %b" if daily else "%d %b %H:%M", tickCount=6, labelFlush=True)))
    chart = (
        alt.Chart(shown)
        .mark_bar(width=min(max(int(400 / bars), 2), 12), cursor="pointer" if pick else alt.Undefined)
        .encode(
            x=x, y=alt.Y("events:Q", axis=unit("events", tickCount=2, format=",.0f", tickMinStep=1), stack=True), color=by_role(), order=alt.Order("subject:N"),
            tooltip=[tip_time("hour"), alt.Tooltip("subject:N", title="about"), alt.Tooltip("events:Q", format=",")],
        )
        .properties(height=taller(height))
    )  # fmt: skip
    return chart.add_params(alt.selection_point(name=pick, fields=["hour", "subject"])) if pick else chart


def gap_map(table: pd.DataFrame, height: int = 150) -> alt.Chart:
    """Missing bars by weekday and hour of UTC, on a logarithmic scale. ``table``: weekday, hour, bars, missing."""
    used = table[(table["bars"] > 0) | (table["missing"] > 0)]
    shown = used.assign(day=[DAYS[d] for d in used["weekday"]], depth=np.log1p(used["missing"]))
    return (
        alt.Chart(shown)
        .mark_rect()
        .encode(
            x=alt.X("hour:O", axis=alt.Axis(labelAngle=0, title="hour, UTC", labelOverlap=True)),
            y=alt.Y("day:O", sort=DAYS, axis=alt.Axis(minExtent=32, maxExtent=32, grid=False, labelOverlap=False)),
            color=alt.Color("depth:Q", scale=alt.Scale(range="ramp", domain=[0, max(float(shown["depth"].max()), 1.0)]), legend=None),
            tooltip=[alt.Tooltip("day:N", title="weekday"), alt.Tooltip("hour:O", title="hour, UTC"), alt.Tooltip("missing:Q", format=",", title="missing bars"), alt.Tooltip("bars:Q", format=",", title="bars")],
        )
        .properties(height=taller(height))
    )  # fmt: skip
