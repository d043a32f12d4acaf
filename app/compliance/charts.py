"""Charts of compliance: frame in, Altair chart out, in the style of app/kit/charts.py."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from app.kit.charts import DAYS, Picture, days_format, thousands, unit, utc
from app.kit.theme import SCALE, by_role, moment, tip_time
from app.kit.window import taller

END: dict[str, Any] = dict(titleAnchor="end", titleOpacity=0.75, titlePadding=4)
NAMES = 0.13        # of the width: room for the names of floors behind the last instant
ROOM = 1.42         # of the allowance: where a bullet's chart ends, so that what is left fits beside it


def headroom(rows: pd.DataFrame) -> Picture:
    """One bullet a rule: the share of the allowance that is used, a tick at the own buffer, what is left beside it.
    ``rows``: rule, used (0 to 1), buffer (a share, or nothing), left (text), role, floor and value (text)."""
    shown = rows.assign(bar=rows["used"].clip(0.0, 1.0))
    axis = alt.Axis(minExtent=124, maxExtent=124, grid=False, labelLimit=122, labelFontSize=12, domain=False, ticks=False, title=None)
    base = alt.Chart(shown).encode(y=alt.Y("rule:N", sort=None, axis=axis))
    x = alt.X("bar:Q", scale=alt.Scale(domain=[0, ROOM], nice=False), axis=alt.Axis(format=".0%", values=[0, 0.5, 1], grid=False, title="of the allowance used", **END))
    tips = [
        alt.Tooltip("rule:N"), alt.Tooltip("used:Q", format=".1%", title="used"), alt.Tooltip("left:N"),
        alt.Tooltip("value:N"), alt.Tooltip("floor:N"), alt.Tooltip("buffer:Q", format=".0%", title="own buffer at"),
    ]  # fmt: skip
    full_bar = base.transform_calculate(full="1", role="'quiet'")
    return alt.layer(
        full_bar.mark_bar(size=14, opacity=0.25).encode(x=alt.X("full:Q"), x2=alt.X2Datum(0), color=by_role(), tooltip=tips),
        base.mark_bar(size=14).encode(x=x, x2=alt.X2Datum(0), color=by_role(), tooltip=tips),
        base.transform_filter("isValid(datum.buffer)").transform_calculate(role="'ink'").mark_tick(size=20, thickness=2).encode(x="buffer:Q", color=by_role()),
        full_bar.transform_calculate(role="'ink'").mark_text(align="left", dx=8, fontWeight=600, fontSize=12).encode(x="full:Q", text="left:N", color=by_role()),
    ).properties(height=34 * len(shown) + 44)  # fmt: skip


def floors(curve: pd.DataFrame, lines: pd.DataFrame, currency: str, breach: pd.Timestamp | None = None, height: int = 236) -> Picture:
    """Equity against every floor, each named at its end; the target dashed. ``curve``: ts, equity; ``lines``: ts,
    floor (its name), value, role (``quiet`` is dashed)."""
    first, last = curve["ts"].iloc[0], curve["ts"].iloc[-1]
    span = max(last - first, pd.Timedelta(hours=1))
    scale = alt.Scale(type="utc", nice=False, domain=[moment(first), moment(last + NAMES * span)])
    x = alt.X("ts:T", scale=scale, axis=alt.Axis(tickCount=6, **utc(days_format(curve["ts"]))))
    y = alt.Y("value:Q", scale=alt.Scale(zero=False), axis=unit(currency, format=",f"))
    layers = [_equity(curve, x, currency)]
    if len(lines):
        tips = [tip_time(), alt.Tooltip("floor:N"), alt.Tooltip("value:Q", format=",.2f", title=currency)]
        dash = alt.condition("datum.role == 'quiet'", alt.value([3, 3]), alt.value([1, 0]))
        steps = alt.Chart(lines).mark_line(interpolate="step-after", strokeWidth=1.3)
        layers.insert(0, steps.encode(x=x, y=y, color=by_role(), detail="floor:N", strokeDash=dash, tooltip=tips))
        layers.append(alt.Chart(_ends(lines)).mark_text(align="left", dx=alt.expr("width < 420 ? 2 : 6"), fontSize=alt.expr("width < 420 ? 9 : 11")).encode(x=x, y="label:Q", text="floor:N", color=by_role()))
    if breach is not None:
        mark = alt.Chart(pd.DataFrame(dict(ts=[breach]))).transform_calculate(role="'breach'")
        layers.append(mark.mark_rule(strokeDash=[2, 3]).encode(x=x, color=by_role(), tooltip=[tip_time(title="first breach, UTC")]))
    return alt.layer(*layers).properties(height=taller(height))


def _equity(curve: pd.DataFrame, x: alt.X, currency: str) -> alt.Chart:
    tips = [tip_time(), alt.Tooltip("equity:Q", format=",.2f", title=f"equity, {currency}")]
    return alt.Chart(curve[["ts", "equity"]]).transform_calculate(role="'line'").mark_line(strokeWidth=1.6).encode(x=x, y="equity:Q", color=by_role(), tooltip=tips)


def _ends(lines: pd.DataFrame) -> pd.DataFrame:
    """The last point of each floor, with ``label``: where its name is written, so that no two names overlap."""
    ends = lines.sort_values("ts", kind="stable").groupby("floor", sort=False).tail(1).sort_values("value", kind="stable")
    apart = 0.062 * max(float(lines["value"].max() - lines["value"].min()), 1e-9)
    labels: list[float] = []
    for value in ends["value"]:
        labels.append(max(float(value), labels[-1] + apart) if labels else float(value))
    return ends.assign(label=labels, ts=lines["ts"].max())


FITS = 20       # pixels that the per cent of a day needs


def days(calendar: pd.DataFrame, currency: str) -> Picture:
    """Weekday down, week across: one square a day with its per cent, fainter after the end. ``calendar``: day, share (of
    the start, %), pnl, low, trades, breach (words, or nothing), after (the account had ended before)."""
    monday = calendar["day"] - pd.to_timedelta(calendar["day"].dt.day_of_week, unit="D")
    shown = calendar.assign(weekday=[DAYS[day] for day in calendar["day"].dt.day_of_week], week=monday.dt.strftime("%Y-%m-%d"))
    used = [name for name in DAYS if name in set(shown["weekday"]) or name in DAYS[:5]]
    weeks = alt.Axis(labelExpr="substring(datum.label, 5)", labelAngle=0, labelOverlap=True, title="week of, month-day", domain=False, ticks=False, **END)
    base = alt.Chart(shown).encode(
        x=alt.X("week:O", axis=weeks), y=alt.Y("weekday:O", sort=used, scale=alt.Scale(domain=used), axis=alt.Axis(minExtent=32, maxExtent=32, grid=False, labelOverlap=False, domain=False, ticks=False, title=None))
    )  # fmt: skip
    limit = max(float(shown["share"].abs().max()), 1e-9)
    tips = [
        alt.Tooltip("utcyearmonthdate(day):T", format="%a %d %b %Y", title="day"), alt.Tooltip("share:Q", format="+.2f", title="% of the start"), alt.Tooltip("pnl:Q", format="+,.2f", title=currency),
        alt.Tooltip("low:Q", format=",.2f", title="lowest equity"), alt.Tooltip("trades:Q", format=",", title="trades opened"), alt.Tooltip("breach:N", title="breach"),
    ]  # fmt: skip
    faint = alt.condition("datum.after", alt.value(0.3), alt.value(1.0))
    cell = base.mark_rect(cornerRadius=2, strokeWidth=2).encode(
        opacity=faint, color=alt.Color("share:Q", scale=alt.Scale(domain=[-limit, 0, limit], range="diverging", clamp=True), legend=None), tooltip=tips,
    )  # fmt: skip
    text = base.transform_calculate(role="'ink'").mark_text(fontSize=alt.expr(f"width < {FITS * shown['week'].nunique()} ? 0 : 10")).encode(text=alt.Text("share:Q", format="+.1f"), color=by_role(), opacity=faint, tooltip=tips)
    broken = base.transform_filter("datum.breach != '' && !datum.after").transform_calculate(role="'breach'")
    outline = broken.mark_rect(filled=False, strokeWidth=2, cornerRadius=2).encode(stroke=alt.Stroke("role:N", scale=SCALE, legend=None), tooltip=tips)
    return alt.layer(cell, text, outline).resolve_scale(color="independent").properties(height=26 * len(used) + 34)


def days_to_target(bins: pd.DataFrame, median: float | None, height: int = 128) -> Picture:
    """Trading days until the target of the paths that pass. ``bins``: low, high, paths."""
    bars = alt.Chart(bins).transform_calculate(role="'line'").mark_bar().encode(
        x=alt.X("low:Q", bin="binned", axis=alt.Axis(title="trading days to the target", tickCount=8, format=",.0f", tickMinStep=1, **END)), x2="high:Q",
        y=alt.Y("paths:Q", axis=unit("paths", tickCount=3, format=",.0f", tickMinStep=1)), color=by_role(),
        tooltip=[alt.Tooltip("low:Q", format=",.0f", title="from, days"), alt.Tooltip("high:Q", format=",.0f", title="to, days"), alt.Tooltip("paths:Q", format=",")],
    )  # fmt: skip
    if median is None:
        return alt.layer(bars).properties(height=taller(height))
    rule = alt.Chart(pd.DataFrame(dict(x=[median]))).transform_calculate(role="'ink'").mark_rule(strokeDash=[3, 2])
    return alt.layer(bars, rule.encode(x="x:Q", color=by_role(), tooltip=[alt.Tooltip("x:Q", format=",.0f", title="median, days")])).properties(height=taller(height))


def sizing(curve: pd.DataFrame, best: float, own: float | None, height: int = 180) -> Picture:
    """The chance of passing by the risk a trade, with its 95 % band. ``curve``: risk (%), passes, low, high."""
    x = alt.X("risk:Q", scale=alt.Scale(nice=False), axis=alt.Axis(title="risk a trade, % of the account", format=".2~f", tickCount=8, **END))
    tips = [
        alt.Tooltip("risk:Q", format=".2~f", title="risk a trade, %"), alt.Tooltip("passes:Q", format=".1%", title="passes"),
        alt.Tooltip("low:Q", format=".1%", title="95 %, from"), alt.Tooltip("high:Q", format=".1%", title="to"),
    ]  # fmt: skip
    base = alt.Chart(curve).transform_calculate(role="'line'")
    top = max(float(curve["high"].max()), 0.01)
    y = alt.Scale(domain=[0.0, min(1.0, 1.1 * top)], nice=True)
    layers = [
        base.mark_area(opacity=0.2).encode(x=x, y=alt.Y("low:Q", scale=y, axis=unit("passes", format="%", tickCount=4)), y2="high:Q", color=by_role(), tooltip=tips),
        base.mark_line(point=alt.OverlayMarkDef(size=26)).encode(x=x, y="passes:Q", color=by_role(), tooltip=tips),
    ]  # fmt: skip
    for value, role, words in ((best, "up", "highest chance, %"), (own, "ink", "as in this run, %")):
        if value is not None:
            rule = alt.Chart(pd.DataFrame(dict(x=[value]))).transform_calculate(role=f"'{role}'").mark_rule(strokeDash=[3, 2])
            layers.append(rule.encode(x="x:Q", color=by_role(), tooltip=[alt.Tooltip("x:Q", format=".2~f", title=words)]))
    return alt.layer(*layers).properties(height=taller(height))


def signed_bars(table: pd.DataFrame, name: str, value: str, title: str, words: str, loss: bool = False) -> Picture:
    """Horizontal bars from zero: ``up`` above it, ``down`` below (the other way round where the amounts are losses), the
    amount beside each. ``table``: ``name``, ``value`` and ``written`` (the amount as text)."""
    shown = table.assign(role=["up" if (amount >= 0) != loss else "down" for amount in table[value]], edge=table[value].clip(lower=0.0))
    axis = alt.Axis(minExtent=110, maxExtent=150, grid=False, labelLimit=150, title=None, domain=False, ticks=False, labelOverlap=False)
    base = alt.Chart(shown).encode(y=alt.Y(f"{name}:N", sort=None, axis=axis))
    x = alt.X(f"{value}:Q", scale=alt.Scale(padding=64, nice=False), axis=alt.Axis(**thousands(tickCount=5), grid=True, gridOpacity=0.5, title=title, **END))
    tips = [alt.Tooltip(f"{name}:N", title=words), alt.Tooltip("written:N", title=title)]
    return alt.layer(
        base.mark_bar(size=14).encode(x=x, color=by_role(), tooltip=tips),
        base.transform_calculate(role="'ink'").mark_text(align="left", dx=5).encode(x="edge:Q", text="written:N", color=by_role(), tooltip=tips),
    ).properties(height=30 * len(shown) + 48)  # fmt: skip


def correlations(table: pd.DataFrame) -> Picture:
    """Correlation of each two positions, the figure written in its cell. ``table``: a, b, correlation."""
    size = table["a"].nunique()
    base = alt.Chart(table).encode(
        x=alt.X("b:N", sort=None, axis=alt.Axis(labelAngle=0, title=None, domain=False, ticks=False, orient="top", labelOverlap=False)),
        y=alt.Y("a:N", sort=None, axis=alt.Axis(minExtent=64, maxExtent=110, title=None, domain=False, ticks=False, labelOverlap=False)),
    )  # fmt: skip
    tips = [alt.Tooltip("a:N", title="position"), alt.Tooltip("b:N", title="with"), alt.Tooltip("correlation:Q", format="+.2f")]
    cell = base.mark_rect().encode(color=alt.Color("correlation:Q", scale=alt.Scale(domain=[-1, 0, 1], range="diverging"), legend=None), tooltip=tips)
    text = base.transform_calculate(role="'ink'").mark_text(fontSize=11).encode(text=alt.Text("correlation:Q", format="+.2f"), color=by_role(), tooltip=tips)
    return alt.layer(cell, text).resolve_scale(color="independent").properties(height=28 * size + 30)
