"""Distribution of trade returns, MAE and MFE, and other stops and targets in hindsight."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app.backtest import charts as pictures
from app.backtest.panels import headed, read
from app.kit import charts
from app.kit.draw import draw_chart
from app.kit.figures import multiple, number
from worker.desk import Desk


def view(desk: Desk, run: Any) -> None:
    points = read(desk, "excursions", run.id)
    if points.empty:
        st.caption("No trade has an initial stop, so there is no R to measure in.")
        return
    mean = run.summary["metrics"]["expectancy_r"]
    left, right = st.columns(2, gap="medium")
    with left:
        headed(desk, run, "Trade return distribution", "R, bins of 0.25; dashed: mean", "results")
        draw_chart(charts.histogram(read(desk, "results", run.id), mean, height=250), alt="Number of trades by result in R")
    with right:
        headed(desk, run, "MAE vs MFE", f"{number(len(points))} of {number(run.summary['metrics']['trades'])} trades; dashed: initial stop", "excursions")
        draw_chart(pictures.excursions(points), alt="Largest excursion of each trade against and for its side, in R")
    _surface(desk, run, mean)


def _surface(desk: Desk, run: Any, mean: float | None) -> None:
    table = read(desk, "surface", run.id)
    best = table.loc[table["expectancy_r"].idxmax()]
    left, right = st.columns([3, 2], gap="medium")
    with left:
        headed(desk, run, "Stop/target grid (hindsight)", "mean R per trade; the best cell is outlined", "surface")
        draw_chart(pictures.surface(table), alt="Mean result in R for each pair of stop and target")
    with right:
        st.markdown(f"As traded {multiple(mean, 3)}. Ex post, the best pair is a stop at {number(best['stop'], 1)}{chr(0x202F)}R and a target at {number(best['target'], 2)}{chr(0x202F)}R: {multiple(best['expectancy_r'], 3)}.")
        st.caption("Computed from MAE and MFE. A trade that reached both counts as stopped. Beyond a trade's own stop and exit nothing is known, so its own result is used there.")
        st.caption(f":orange[:material/warning:] The best of {len(table):,} pairs on the same trades is selected in hindsight. Look for a plateau, not for a cell, and test it as a new run.")
