"""How trades ended, how far they went either way, and what other stops and targets would have made of them."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app.backtest import charts as pictures
from app.backtest.panels import headed, read
from app.kit import charts
from app.kit.figures import multiple, number
from worker.desk import Desk


def view(desk: Desk, run: Any) -> None:
    points = read(desk, "excursions", run.id)
    if points.empty:
        st.caption("No trade has a first stop, so there is no R to measure it in.")
        return
    mean = run.summary["metrics"]["expectancy_r"]
    left, right = st.columns(2, gap="medium")
    with left:
        headed(desk, run, "Result of a trade", "R in quarter bins; dashed: the mean", "results")
        st.altair_chart(charts.histogram(read(desk, "results", run.id), mean, height=250), width="stretch", alt="How many trades ended with which result in R")
    with right:
        headed(desk, run, "How far they went", f"{number(len(points))} of {number(run.summary['metrics']['trades'])} trades; dashed: the first stop", "excursions")
        st.altair_chart(pictures.excursions(points), width="stretch", alt="Largest excursion of each trade against and for its side, in R")
    _surface(desk, run, mean)


def _surface(desk: Desk, run: Any, mean: float | None) -> None:
    table = read(desk, "surface", run.id)
    best = table.loc[table["expectancy_r"].idxmax()]
    left, right = st.columns([3, 2], gap="medium")
    with left:
        headed(desk, run, "Other stops and targets", "mean R of a trade by stop and target; the best cell outlined", "surface")
        st.altair_chart(pictures.surface(table), width="stretch", alt="Mean result in R for each pair of stop and target")
    with right:
        st.markdown(f"As traded {multiple(mean, 3)}. In hindsight the best pair is a stop at {number(best['stop'], 1)}{chr(0x202F)}R and a target at {number(best['target'], 2)}{chr(0x202F)}R: {multiple(best['expectancy_r'], 3)}.")
        st.caption("From how far each trade went while it lasted. A trade that reached both counts as stopped. Beyond a trade's own stop and exit nothing is known, so its own result stands there.")
        st.caption(f":orange[:material/warning:] The best of {len(table):,} pairs on the same trades is a choice by hindsight. Look for a region that holds, not for a cell, and test it as a new run.")
