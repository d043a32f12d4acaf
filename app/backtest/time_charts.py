"""Charts of a run over time: equity beside its benchmark with a brush, rolling figures, exposure, a calendar of days, results by hour and duration."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from app.kit.bands import behind as bands_behind
from app.kit.charts import DAYS, MONTHS, Picture, days_format, thousands, unit, utc
from app.kit.theme import SCALE, at, by_role, tip_time
from app.kit.window import taller

END: dict[str, Any] = dict(titleAnchor="end", titleOpacity=0.75, titlePadding=6)
FIT = alt.AutoSizeParams(type="fit-x", contains="padding")
FIRST_WEEKS = [0, 4, 9, 13, 17, 22, 26, 30, 35, 39, 44, 48]     # of the months, in the calendar of a year


def equity(
    curve: pd.DataFrame, falls: pd.DataFrame, currency: str, held: pd.DataFrame | None = None, log: bool = False, behind: tuple[pd.DataFrame, Sequence[str]] | None = None, height: int = 210
) -> alt.VConcatChart:  # fmt: skip
    """A curve with its benchmark (dashed), its drawdown beneath, and the whole span as a strip on which a part is brushed. ``curve`` and ``held``: ts, value, share; ``falls``: the largest, to be labelled.
    ``behind``: episodes of regimes and the names of all. ``log``: only where every value is above 0."""
    span = alt.selection_interval(encodings=["x"], name="span")
    near = alt.selection_point(fields=["ts"], nearest=True, on="pointermove", empty=False, name="near")
    shown = _beside(curve, held)
    tips = [tip_time(), alt.Tooltip("value:Q", format=",.2f", title=currency), *([alt.Tooltip("held:Q", format=",.2f", title="buy and hold")] if "held" in shown else []), alt.Tooltip("share:Q", format=".2%", title="drawdown")]
    scale = alt.Scale(type="utc", nice=False, padding=0, domain=span)
    when = alt.X("ts:T", scale=scale, axis=alt.Axis(labels=False))
    value = _logarithmic(shown, currency) if log else alt.Y("value:Q", scale=alt.Scale(zero=False, nice=True), axis=unit(currency, format=",f"))
    layers: list[Any] = [] if behind is None or not len(behind[0]) else [bands_behind(*behind, alt.X("start:T", scale=scale, axis=alt.Axis(labels=False)), "start", "end")]
    if "held" in shown:
        layers.append(alt.Chart(shown).transform_calculate(role="'other'").mark_line(strokeDash=[4, 3], strokeWidth=1.2, clip=True).encode(x=when, y=alt.Y("held:Q"), color=by_role()))
    layers.append(alt.Chart(shown).transform_calculate(role="'line'").mark_line(clip=True).encode(x=when, y=value, color=by_role()))
    cross = alt.Chart(shown).transform_calculate(role="'ink'").mark_rule(clip=True).encode(x=when, color=by_role(), opacity=alt.condition(near, alt.value(0.6), alt.value(0)), tooltip=tips).add_params(near)
    above = alt.layer(*layers, cross).properties(height=taller(height))
    pair = alt.vconcat(above, _drawdown(shown, falls, span, tips), _strip(shown, span), spacing=6)
    return pair.resolve_scale(color="shared").properties(autosize=FIT)


def _logarithmic(shown: pd.DataFrame, currency: str) -> alt.Y:
    """A logarithmic scale over what is drawn; of its own Vega takes whole powers of ten, in which the curve is a flat line."""
    drawn = shown[[name for name in ("value", "held") if name in shown]].to_numpy()
    low, high = float(np.nanmin(drawn)), float(np.nanmax(drawn))
    axis = unit(currency, values=log_ticks(low, high), labelExpr="format(datum.value, ',')")
    return alt.Y("value:Q", scale=alt.Scale(type="log", domain=[low * 0.98, high * 1.02], nice=False), axis=axis)


def log_ticks(low: float, high: float) -> list[float]:
    """Round numbers between two ends of a logarithmic scale: evenly apart over a short one, else 1, 2 and 5 of each power of ten.

    >>> log_ticks(8_300, 16_200), log_ticks(900, 52_000)
    ([10000.0, 12000.0, 14000.0, 16000.0], [1000.0, 2000.0, 5000.0, 10000.0, 20000.0, 50000.0])
    """
    if high / low >= 10:
        powers = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
        return [digit * 10.0**power for power in powers for digit in (1, 2, 5) if low <= digit * 10.0**power <= high]
    size = 10.0 ** np.floor(np.log10((high - low) / 4 or low))
    step = next(digit * size for digit in (1, 2, 5, 10) if (high - low) / (digit * size) <= 6)
    return [float(value) for value in np.arange(np.ceil(low / step), np.floor(high / step) + 1) * step]


def _beside(curve: pd.DataFrame, held: pd.DataFrame | None) -> pd.DataFrame:
    """The curve with the benchmark's last value at each of its rows; both have a row where either has one."""
    curve = curve.assign(ts=curve["ts"].astype("datetime64[ns, UTC]"))
    if held is None or held.empty:
        return curve
    held = held.assign(ts=held["ts"].astype("datetime64[ns, UTC]"))
    rows = curve.merge(held.rename(columns=dict(value="held"))[["ts", "held"]], on="ts", how="outer").sort_values("ts", ignore_index=True)
    return rows.assign(**{name: rows[name].ffill() for name in ("value", "share", "held")})


def _drawdown(shown: pd.DataFrame, falls: pd.DataFrame, span: Any, tips: list[Any]) -> Picture:
    when = alt.X("ts:T", scale=alt.Scale(type="utc", nice=False, padding=0, domain=span), axis=alt.Axis(**utc(days_format(shown["ts"]), tickCount=6)))
    share = alt.Y("share:Q", scale=alt.Scale(domain=[1.2 * min(float(shown["share"].min()), -1e-4), 0.0], nice=False), axis=unit("", format="%", tickCount=4))
    area = alt.Chart(shown).transform_calculate(role="'down'").mark_area(opacity=0.35, line=dict(strokeWidth=1), clip=True).encode(x=when, y=share, color=by_role(), tooltip=tips)
    deep = falls[falls["share"] <= 0.25 * falls["share"].min()]
    named = deep.assign(text=[f"{100 * row.share:.1f} %, {row.days:,.0f} days".replace("-", "\u2212") for row in deep.itertuples()])
    label = alt.Chart(named).transform_calculate(role="'ink'").mark_text(dy=9, clip=True).encode(x=alt.X("trough_ts:T", scale=alt.Scale(type="utc", domain=span)), y="share:Q", text="text:N", color=by_role())
    return alt.layer(area, label).properties(height=taller(110))


def _strip(shown: pd.DataFrame, span: Any) -> alt.Chart:
    axis = alt.Axis(title="", labels=False, grid=False)
    chart = alt.Chart(shown).transform_calculate(role="'quiet'").mark_line(strokeWidth=1.2)
    return chart.encode(x=at(labels=False), y=alt.Y("value:Q", scale=alt.Scale(zero=False, nice=False), axis=axis), color=by_role()).properties(height=34).add_params(span)


def rolling(table: pd.DataFrame, height: int = 150) -> alt.VConcatChart:
    """Rolling Sharpe above, rolling volatility beneath. ``table``: day, sharpe, volatility."""
    tips = [alt.Tooltip("utcyearmonthdate(day):T", title="day", format="%Y-%m-%d"), alt.Tooltip("sharpe:Q", format="+.2f"), alt.Tooltip("volatility:Q", format=".1%")]
    zero = alt.Chart(pd.DataFrame(dict(y=[0.0]))).transform_calculate(role="'quiet'").mark_rule().encode(y="y:Q", color=by_role())
    base = alt.Chart(table).transform_calculate(role="'line'")
    above = alt.layer(zero, base.mark_line().encode(x=at("day", labels=False), y=alt.Y("sharpe:Q", axis=unit("Sharpe", format=",.1f")), color=by_role(), tooltip=tips))
    axis = utc(days_format(table["day"]), tickCount=6)
    below = base.mark_line().encode(x=at("day", **axis), y=alt.Y("volatility:Q", scale=alt.Scale(zero=True), axis=unit("volatility", format="%")), color=by_role(), tooltip=tips)
    return alt.vconcat(above.properties(height=taller(height)), below.properties(height=taller(height)), spacing=12).resolve_scale(x="shared", color="shared").properties(autosize=FIT)


def exposure(table: pd.DataFrame, height: int = 150) -> alt.VConcatChart:
    """Leverage above, net exposure beneath: mean of each span as a line, its extremes as a band. ``table``: as ``exposure_spans`` returns it."""
    titles = dict(mean="mean leverage, ×", highest="highest", net_mean="mean net, ×", net_low="lowest net", net_high="highest net")
    tips = [tip_time(), alt.Tooltip("bars:Q", format=",", title="bars"), *(alt.Tooltip(f"{name}:Q", format=".2f", title=title) for name, title in titles.items())]
    base = alt.Chart(table.assign(zero=0.0)).transform_calculate(role="'line'")
    above = _banded(base, at(labels=False), "zero", "highest", "mean", unit("leverage, ×", format=",.1f"), tips)
    below = _banded(base, at(**utc(days_format(table["ts"]), tickCount=6)), "net_low", "net_high", "net_mean", unit("net, ×", format="+,.1f"), tips)
    return alt.vconcat(above.properties(height=taller(height)), below.properties(height=taller(height)), spacing=12).resolve_scale(x="shared", color="shared").properties(autosize=FIT)


def _banded(base: alt.Chart, x: alt.X, low: str, high: str, middle: str, axis: alt.Axis, tips: list[Any]) -> Picture:
    band = base.mark_area(opacity=0.25, interpolate="step-after").encode(x=x, y=alt.Y(f"{low}:Q", axis=axis), y2=f"{high}:Q", color=by_role(), tooltip=tips)
    return alt.layer(band, base.mark_line(interpolate="step-after").encode(x=x, y=alt.Y(f"{middle}:Q", axis=axis), color=by_role(), tooltip=tips))


def calendar(days: pd.DataFrame, currency: str) -> alt.VConcatChart:
    """A square a trading day, a strip a year, weeks across. ``days``: day, net, share, year, week, weekday."""
    limit = max(float(days["share"].abs().quantile(0.98)), 1e-6)
    tips = [alt.Tooltip("utcyearmonthdate(day):T", title="day", format="%Y-%m-%d"), alt.Tooltip("net:Q", format="+,.2f", title=f"net, {currency}"), alt.Tooltip("share:Q", format="+.2%", title="return")]
    last = sorted(days["weekday"].unique())[-1]
    names = "[" + ",".join(f"'{name}'" for name in DAYS) + "][datum.value]"
    months = "{" + ",".join(f"{week}:'{name}'" for week, name in zip(FIRST_WEEKS, MONTHS[:12], strict=True)) + "}[datum.value]"
    strips = []
    for year, own in days.groupby("year", sort=True):
        strips.append(
            alt.Chart(own).mark_rect(stroke=None).encode(
                x=alt.X("week:O", scale=alt.Scale(domain=list(range(54)), paddingInner=0.12), axis=alt.Axis(values=FIRST_WEEKS, labelExpr=months, labelAngle=0, labelAlign="left", domain=False, orient="top", title=None, labelOverlap=True)),
                y=alt.Y("weekday:O", scale=alt.Scale(domain=list(range(last + 1)), paddingInner=0.12), axis=unit(str(year), labelExpr=names, values=list(range(last + 1)))),
                color=alt.Color("share:Q", scale=alt.Scale(domain=[-limit, 0, limit], range="diverging", clamp=True), legend=None), tooltip=tips,
            ).properties(height=15 * (last + 1))
        )  # fmt: skip
    return alt.vconcat(*strips, spacing=10).resolve_scale(color="shared").properties(autosize=FIT)


def durations(points: pd.DataFrame, currency: str, height: int = 250) -> Picture:
    """Net of each trade by how long it was held; coloured by its result. ``points``: trade_id, hours, pnl, r, won."""
    shown = points.assign(role=np.where(points["won"], "up", "down"), hours=points["hours"].clip(lower=1 / 60))
    dots = alt.Chart(shown).mark_point(filled=True, size=16, opacity=0.5).encode(
        x=alt.X("hours:Q", scale=alt.Scale(type="log"), axis=alt.Axis(title="held, hours", format=",.3~f", grid=True, gridOpacity=0.4, tickCount=6, labelOverlap=True, **END)),
        y=alt.Y("pnl:Q", axis=unit(f"net, {currency}", **thousands())), color=by_role(),
        tooltip=[alt.Tooltip("trade_id:Q", title="trade"), alt.Tooltip("hours:Q", format=",.2f", title="held, hours"), alt.Tooltip("pnl:Q", format="+,.2f", title=f"net, {currency}"), alt.Tooltip("r:Q", format="+.2f", title="R")],
    )  # fmt: skip
    zero = alt.Chart(pd.DataFrame(dict(y=[0.0]))).transform_calculate(role="'quiet'").mark_rule().encode(y="y:Q", color=by_role())
    return alt.layer(zero, dots).properties(height=taller(height))


def hours(boxes: pd.DataFrame, currency: str, height: int = 250) -> Picture:
    """Net of the trades by hour of entry: line 5–95 %, box the middle half, tick the median. ``boxes``: as ``hour_boxes`` returns them."""
    shown = boxes.assign(role=np.where(boxes["net"] >= 0, "up", "down"))
    titles = dict(q95="95 %", q75="75 %", q50="median", q25="25 %", q05="5 %", low="lowest", high="highest", net="sum")
    tips = [alt.Tooltip("hour:O", title="hour, UTC"), alt.Tooltip("trades:Q", format=","), *(alt.Tooltip(f"{name}:Q", format="+,.2f", title=title) for name, title in titles.items())]
    base = alt.Chart(shown).encode(x=alt.X("hour:O", scale=alt.Scale(domain=list(range(24))), axis=alt.Axis(title="hour of entry, UTC", labelAngle=0, labelOverlap=True, **END)), tooltip=tips)
    axis = unit(f"net, {currency}", **thousands())
    line = base.mark_rule().encode(y=alt.Y("q05:Q", axis=axis), y2="q95:Q", color=by_role())
    box = base.mark_bar(opacity=0.55).encode(y=alt.Y("q25:Q", axis=axis), y2="q75:Q", color=by_role())
    middle = base.transform_calculate(role="'ink'").mark_tick(thickness=2).encode(y=alt.Y("q50:Q", axis=axis), color=alt.Color("role:N", scale=SCALE, legend=None))
    return alt.layer(line, box, middle).properties(height=taller(height))
