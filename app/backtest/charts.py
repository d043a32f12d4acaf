"""Charts of a run: frame in, Altair chart out, in the style of app/kit/charts.py."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from app.kit.charts import Picture, days_format, thousands, unit, utc
from app.kit.theme import SCALE, at, by_role, tip_time
from app.kit.window import taller

END: dict[str, Any] = dict(titleAnchor="end", titleOpacity=0.75, titlePadding=6)
WORDS: dict[str, Any] = dict(domain=False, ticks=False, grid=False, labelLimit=150)


def excursions(points: pd.DataFrame, height: int = 250) -> Picture:
    """MAE and MFE of each trade, in R; coloured by its result."""
    shown = points.assign(role=np.where(points["won"], "up", "down"), ended=np.where(points["won"], "won", "lost"))
    dots = alt.Chart(shown).mark_point(filled=True, size=16, opacity=0.5).encode(
        x=alt.X("mae_r:Q", axis=alt.Axis(title="MAE, R", format="f", grid=True, gridOpacity=0.4, **END)),
        y=alt.Y("mfe_r:Q", axis=unit("MFE, R", format="f")), color=by_role(),
        tooltip=[alt.Tooltip("trade_id:Q", title="trade"), "ended:N", *(alt.Tooltip(f"{name}:Q", format="+.2f", title=title) for name, title in (("r", "result, R"), ("mae_r", "MAE, R"), ("mfe_r", "MFE, R")))],
    )  # fmt: skip
    stop = alt.Chart(pd.DataFrame(dict(x=[1.0]))).transform_calculate(role="'quiet'").mark_rule(strokeDash=[3, 2]).encode(x="x:Q", color=by_role(), tooltip=alt.value("initial stop"))
    return alt.layer(dots, stop).properties(height=taller(height))


def surface(table: pd.DataFrame, height: int = 250) -> Picture:
    """Mean R by stop and target; the best cell outlined."""
    limit = max(float(table["expectancy_r"].abs().max()), 1e-9)
    base = alt.Chart(table).encode(
        x=alt.X("target:O", axis=alt.Axis(title="target, R", format=".2~f", labelAngle=0, labelOverlap=True, domain=False, **END)),
        y=alt.Y("stop:O", sort="descending", axis=unit("stop, R", format=".1f", labelOverlap=True)),
    )  # fmt: skip
    tips = [alt.Tooltip("stop:Q", title="stop, R"), alt.Tooltip("target:Q", title="target, R"), alt.Tooltip("expectancy_r:Q", format="+.3f", title="mean, R"), alt.Tooltip("optimistic_r:Q", format="+.3f", title="mean at best, R")]
    tips += [alt.Tooltip(f"{name}:Q", format=".0%") for name in ("stopped", "reached", "both", "kept")]
    cell = base.mark_rect().encode(color=alt.Color("expectancy_r:Q", scale=alt.Scale(domain=[-limit, 0, limit], range="diverging"), legend=None), tooltip=tips)
    best = base.transform_filter(f"datum.expectancy_r >= {float(table['expectancy_r'].max())!r}").transform_calculate(role="'ink'").mark_rect(filled=False, strokeWidth=1.6).encode(stroke=alt.Stroke("role:N", scale=SCALE, legend=None))
    return alt.layer(cell, best).resolve_scale(color="independent").properties(height=taller(height))


def group_bars(table: pd.DataFrame, currency: str) -> alt.Chart:
    """Net of each group, in the order of the table."""
    shown = table.assign(role=np.where(table["net"] >= 0, "up", "down"))
    tips = [alt.Tooltip("group:N"), alt.Tooltip("trades:Q", format=","), alt.Tooltip("net:Q", format="+,.0f", title=f"net PnL, {currency}"), alt.Tooltip("r_mean:Q", format="+.3f", title="mean, R"), alt.Tooltip("win_rate:Q", format=".0%", title="win rate")]
    return (
        alt.Chart(shown)
        .mark_bar(size=14 if len(shown) <= 12 else 9)
        .encode(
            x=alt.X("net:Q", axis=alt.Axis(**thousands(tickCount=5), grid=True, gridOpacity=0.5, title=f"net PnL, {currency}", **END)),
            y=alt.Y("group:N", sort=None, axis=alt.Axis(title=None, minExtent=86, maxExtent=120, labelOverlap=False, **WORDS)), color=by_role(), tooltip=tips,
        )
        .properties(height=max(24 * len(shown) if len(shown) <= 12 else 15 * len(shown), 60) + 30)
    )  # fmt: skip


def equity_rows(curves: pd.DataFrame, order: Sequence[str], currency: str, height: int = 52) -> alt.VConcatChart:
    """Equity of each regime alone, one row each, on one scale. ``curves``: ts, regime, value."""
    low, high = min(float(curves["value"].min()), 0.0), max(float(curves["value"].max()), 0.0)
    axis, rows = utc(days_format(curves["ts"].sort_values()), tickCount=6), []
    for k, name in enumerate(order):
        own = curves[curves["regime"] == name]
        role = "up" if own["value"].iloc[-1] >= 0 else "down"
        value = alt.Y("value:Q", scale=alt.Scale(domain=[low, high if high > low else low + 1.0], nice=False), axis=unit(name, **thousands(tickCount=3), titleLimit=150))
        line = alt.Chart(own).transform_calculate(role=f"'{role}'").mark_area(opacity=0.25, line=dict(strokeWidth=1.2)).encode(
            x=at("ts", **axis) if k == len(order) - 1 else at("ts", labels=False), y=value, color=by_role(),
            tooltip=[tip_time(), alt.Tooltip("regime:N"), alt.Tooltip("value:Q", format="+,.0f", title=currency)],
        )  # fmt: skip
        rows.append(line.properties(height=taller(height)))
    return alt.vconcat(*rows, spacing=16).resolve_scale(x="shared", color="shared").properties(autosize=alt.AutoSizeParams(type="fit-x", contains="padding"))


def late_rows(late: pd.DataFrame, order: Sequence[str], currency: str, height: int = 52) -> alt.VConcatChart:
    """Net PnL of each regime's trades by the delay with which it is known, one row each, on one scale. ``late``:
    regime, late, trades, net, win_rate."""
    low, high = min(float(late["net"].min()), 0.0), max(float(late["net"].max()), 0.0)
    shown, rows = late.assign(role=np.where(late["net"] >= 0, "up", "down")), []
    tips = [alt.Tooltip("regime:N"), alt.Tooltip("late:O", title="delay, bars"), alt.Tooltip("trades:Q", format=","), alt.Tooltip("net:Q", format="+,.0f", title=f"net PnL, {currency}"), alt.Tooltip("win_rate:Q", format=".0%", title="win rate")]
    for k, name in enumerate(order):
        own = shown[shown["regime"] == name]
        last = alt.Axis(title="delay, bars", labelAngle=0, **END) if k == len(order) - 1 else alt.Axis(labels=False, title=None)
        value = alt.Y("net:Q", scale=alt.Scale(domain=[low, high if high > low else low + 1.0], nice=False), axis=unit(name, **thousands(tickCount=3), titleLimit=150))
        rows.append(alt.Chart(own).mark_bar(size=16).encode(x=alt.X("late:O", axis=last, scale=alt.Scale(domain=sorted(late["late"].unique().tolist()))), y=value, color=by_role(), tooltip=tips).properties(height=taller(height)))
    return alt.vconcat(*rows, spacing=16).resolve_scale(x="shared", color="shared").properties(autosize=alt.AutoSizeParams(type="fit-x", contains="padding"))


def fan(table: pd.DataFrame, name: str, drawn: str, height: int = 220) -> Picture:
    """Quantiles of the resampled paths after so many steps: 50 % in the dark band, 90 % in the light one."""
    steps = alt.X("step:Q", scale=alt.Scale(nice=False), axis=alt.Axis(title=drawn, format=",.0f", tickMinStep=1, tickCount=6, **END))
    tips = [alt.Tooltip("step:Q", format=",", title=drawn), *(alt.Tooltip(f"{q}:Q", format="+,.1f" if name == "R" else "+.1%", title=title) for q, title in (("q95", "95th percentile"), ("q50", "median"), ("q05", "5th percentile")))]
    axis = unit(name if name == "R" else "", format=",f" if name == "R" else "%")
    base = alt.Chart(table).transform_calculate(role="'line'")
    return alt.layer(
        base.mark_area(opacity=0.16).encode(x=steps, y=alt.Y("q05:Q", axis=axis), y2="q95:Q", color=by_role(), tooltip=tips),
        base.mark_area(opacity=0.28).encode(x=steps, y=alt.Y("q25:Q", axis=axis), y2="q75:Q", color=by_role(), tooltip=tips),
        base.mark_line().encode(x=steps, y=alt.Y("q50:Q", axis=axis), color=by_role(), tooltip=tips),
        alt.Chart(pd.DataFrame(dict(y=[0.0]))).transform_calculate(role="'quiet'").mark_rule().encode(y="y:Q", color=by_role()),
    ).properties(height=taller(height))  # fmt: skip


def falls(table: pd.DataFrame, seen: float, name: str, height: int = 220) -> Picture:
    """Distribution of the maximum drawdown of the paths; the line is the run itself. ``table``: low, high, paths."""
    shape = ",.0f" if name == "R" else ".0%"
    bars = alt.Chart(table).transform_calculate(role="'down'").mark_bar(opacity=0.55).encode(
        x=alt.X("low:Q", bin="binned", axis=alt.Axis(title=f"max. drawdown{', R' if name == 'R' else ''}", format="%" if name != "R" else ",f", tickCount=6, **END)), x2="high:Q",
        y=alt.Y("paths:Q", axis=unit("paths", format=",.0f", tickMinStep=1)), color=by_role(),
        tooltip=[alt.Tooltip("low:Q", format=shape, title="from"), alt.Tooltip("high:Q", format=shape, title="to"), alt.Tooltip("paths:Q", format=",", title="paths")],
    )  # fmt: skip
    line = alt.Chart(pd.DataFrame(dict(x=[seen]))).transform_calculate(role="'ink'").mark_rule(strokeWidth=1.6).encode(x="x:Q", color=by_role(), tooltip=[alt.Tooltip("x:Q", format=shape, title="this run")])
    return alt.layer(bars, line).properties(height=taller(height))


def stressed(table: pd.DataFrame, base: float, height: int = 0) -> Picture:
    """Net return of each scenario; the dashed line is the run itself. ``table``: title, net_return, definition."""
    shown = table.assign(role=np.where(table["net_return"] >= 0, "up", "down"))
    bars = alt.Chart(shown).mark_bar(size=12).encode(
        x=alt.X("net_return:Q", axis=alt.Axis(format="%", tickCount=5, grid=True, gridOpacity=0.5, title="net", **END)),
        y=alt.Y("title:N", sort=None, axis=alt.Axis(title=None, minExtent=110, maxExtent=130, **WORDS)), color=by_role(),
        tooltip=[alt.Tooltip("title:N", title="scenario"), alt.Tooltip("net_return:Q", format="+.2%", title="net"), alt.Tooltip("max_drawdown:Q", format=".1%", title="drawdown"), alt.Tooltip("sharpe:Q", format=".2f"), alt.Tooltip("definition:N", title="definition")],
    )  # fmt: skip
    line = alt.Chart(pd.DataFrame(dict(x=[base]))).transform_calculate(role="'ink'").mark_rule(strokeDash=[3, 2]).encode(x="x:Q", color=by_role(), tooltip=[alt.Tooltip("x:Q", format="+.2%", title="this run")])
    return alt.layer(bars, line).properties(height=height or 22 * len(shown) + 20)
