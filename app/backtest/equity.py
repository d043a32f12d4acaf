"""Equity beside buy and hold, rolling figures, exposure, days, and trades by duration and hour; one part at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import streamlit as st

from app.backtest import regimes
from app.backtest import time_charts as pictures
from app.backtest.panels import headed, read
from app.kit.draw import draw_chart
from app.kit.figures import DASH, multiple, number, percent
from app.kit.widgets import figures, table
from worker.desk import Desk

CURVES = {"equity": "Equity", "balance": "Balance", "equity_low": "Equity low (worst intrabar)"}
NAMED = 3       # largest drawdowns that the chart names
YEARS = 4       # of the calendar that are drawn at once
BUDGET = 1_000  # points of a curve


def view(desk: Desk, run: Any) -> None:
    part = st.segmented_control("Part", list(PARTS), default="Curve", key="equity-part", label_visibility="collapsed", required=True)
    PARTS[str(part)](desk, run)


def _curve(desk: Desk, run: Any) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        curve = st.segmented_control("Curve", list(CURVES), default="equity", format_func=CURVES.__getitem__, key="curve", label_visibility="collapsed", required=True)
        log = st.toggle("Logarithmic", key="equity-log")
        st.space("stretch")
        chosen = regimes.pick(desk, run, "bands_by", none="No regime shading")
    behind = regimes.bands(desk, run, chosen)
    falls, rows, held = read(desk, "drawdowns", run.id, curve), read(desk, "curve", run.id, curve, BUDGET), read(desk, "benchmark", run.id, BUDGET)
    log = log and _may_be_logarithmic(rows, held)
    headed(desk, run, CURVES[curve], f"{run.summary['currency']}. {desk.run_tables.curves()[curve]}")
    draw_chart(pictures.equity(rows, falls.head(NAMED), run.summary["currency"], held, log, behind and behind[:2]), alt=f"{CURVES[curve]} with buy and hold, its drawdown, and the whole span to choose a part of")
    benchmark = run.summary.get("benchmark") or {}
    dashed = f"Dashed: buy and hold, {benchmark['sentence']}" if len(held) else benchmark.get("sentence") or "Buy and hold: this run is older than the benchmark; run the backtest again to compute it."
    st.caption(f"{dashed} Drag on the strip to zoom, double-click it to see all. {len(rows):,} points of {run.summary['bars']:,} bars are drawn; each keeps the lowest and the highest of its stretch.")
    if behind:
        st.caption(behind[2])
    headed(desk, run, "Largest drawdowns", "largest first, UTC", "drawdowns" if curve == "equity" else "")
    table(_shown(falls), _columns(run.summary["currency"]), "The largest drawdowns with dates, depth and length")


def _may_be_logarithmic(rows: pd.DataFrame, held: pd.DataFrame) -> bool:
    """Whether every value is above 0; says so where not."""
    least = min([float(part["value"].min()) for part in (rows, held) if len(part)], default=0.0)
    if least <= 0:
        st.info(f"A logarithmic scale has no place for 0 or less, and this curve falls to {number(least)}. The scale stays linear.", icon=":material/info:")
    return least > 0


def _rolling(desk: Desk, run: Any) -> None:
    windows = desk.run_tables.windows()
    window = st.segmented_control("Window", list(windows), default=63, format_func=lambda days: f"{windows[days]} ({days} days)", key="rolling-window", label_visibility="collapsed", required=True)
    rows = read(desk, "rolling", run.id, window)
    headed(desk, run, "Rolling Sharpe and volatility", f"windows of {window} trading days, annualised", f"rolling_{window}")
    if rows.empty:
        st.caption(f"The run has fewer than {window} trading days on which equity moved. Choose a shorter window.")
        return
    draw_chart(pictures.rolling(rows), alt="Rolling Sharpe ratio, and rolling volatility beneath")
    st.caption(desk.run_tables.notes()["rolling"])


def _exposure(desk: Desk, run: Any) -> None:
    rows = read(desk, "exposure", run.id)
    headed(desk, run, "Exposure and leverage", "notional over equity, UTC", "exposure")
    if rows.empty or not run.summary["metrics"]["trades"]:
        st.caption("No position was open.")
        return
    note = desk.run_tables.notes()["exposure"]
    figures([
        ("Highest leverage", f"{number(rows['highest'].max(), 2)} ×", "at a bar close", note),
        ("Net exposure", f"{number(rows['net_low'].min(), 2, True)} … {number(rows['net_high'].max(), 2, True)} ×", "lowest, highest", note),
        ("Time in market", percent(run.summary["metrics"]["exposure"], 1), "of calendar time", desk.backtests.metrics()["exposure"].definition),
    ])  # fmt: skip
    draw_chart(pictures.exposure(rows), alt="Leverage over time, and net exposure beneath")
    bars = int(rows['bars'].max())
    each = f" Each point is {bars:,} bars: the line is their mean, the light band their extremes." if bars > 1 else ""
    st.caption(f"{note}{each}")


def _days(desk: Desk, run: Any) -> None:
    days = read(desk, "days", run.id)
    headed(desk, run, "Results by day", "trading days, net; point at a day for its amount", "days")
    years = sorted(days["year"].unique().tolist(), reverse=True)
    chosen = years
    if len(years) > YEARS:
        first = st.segmented_control("Years", years[::YEARS], default=years[0], format_func=lambda year: _span(years, year), key=f"calendar-{run.id}", label_visibility="collapsed", required=True)
        chosen = years[years.index(first) : years.index(first) + YEARS]
    draw_chart(pictures.calendar(days[days["year"].isin(chosen)], run.summary["currency"]), alt="Net return of each trading day, a strip a year")
    moved, currency = days[days["net"] != 0], run.summary["currency"]
    best, worst = (days.loc[getattr(days["net"], edge)()] for edge in ("idxmax", "idxmin"))
    figures([
        ("Winning days", f"{int((moved['net'] > 0).sum())} of {len(moved)}", "days on which equity moved", ""),
        ("Best day", f"{number(best['net'], 0, True)} {currency}", f"{best['day']:%Y-%m-%d}, {percent(best['share'], 2, True)}", ""),
        ("Worst day", f"{number(worst['net'], 0, True)} {currency}", f"{worst['day']:%Y-%m-%d}, {percent(worst['share'], 2, True)}", ""),
    ])  # fmt: skip


def _span(years: list[int], first: int) -> str:
    last = years[min(years.index(first) + YEARS - 1, len(years) - 1)]
    return f"{last}–{first}" if last != first else str(first)


def _trades(desk: Desk, run: Any) -> None:
    if not run.summary["metrics"]["trades"]:
        st.caption("No trades.")
        return
    points, boxes, currency = read(desk, "durations", run.id), read(desk, "hours", run.id), run.summary["currency"]
    left, right = st.columns(2, gap="medium")
    with left:
        headed(desk, run, "Duration", f"net of each trade, {currency}", "durations")
        draw_chart(pictures.durations(points, currency), alt="Net of each trade by how long it was held")
        st.caption(f"{len(points):,} of {int(run.summary['metrics']['trades']):,} trades are drawn, the extremes always. Mean R {multiple(run.summary['metrics']['expectancy_r'], 3)}.")
    with right:
        headed(desk, run, "Hour of entry", f"net, {currency}, UTC", "hours")
        draw_chart(pictures.hours(boxes, currency), alt="Distribution of the net of trades by hour of entry")
        st.caption("Of all trades: line from 5 % to 95 %, box the middle half, tick the median; coloured by the sum of the hour.")


PARTS: dict[str, Callable[[Desk, Any], None]] = {"Curve": _curve, "Rolling": _rolling, "Exposure": _exposure, "Calendar": _days, "Duration and hour": _trades}


def _shown(falls: pd.DataFrame) -> pd.DataFrame:
    days = {name: falls[name].dt.strftime("%Y-%m-%d").fillna(DASH) for name in ("peak_ts", "trough_ts", "recovery_ts")}
    return falls.assign(**days, depth=falls["share"] * 100)


def _columns(currency: str) -> dict[str, Any]:
    config = st.column_config
    return {
        "depth": config.NumberColumn("Depth, %", format="%.1f", width=70),
        "money": config.NumberColumn(currency, format="localized", width=80, step=1),
        "peak_ts": config.TextColumn("Peak", width=90),
        "trough_ts": config.TextColumn("Trough", width=90),
        "recovery_ts": config.TextColumn("Recovered", width=90, help="— where the peak was not reached again."),
        "days": config.NumberColumn("Days", format="%.0f", width=60, help="From the peak until it was reached again, or to the end."),
    }
