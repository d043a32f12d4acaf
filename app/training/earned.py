"""What a filter earns in R, with and without it; the fan of paths of a CPCV; scores of forecasts through time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from app.kit.draw import draw_chart
from app.kit.figures import multiple, number, percent, plural, typeset
from app.kit.text import literal
from app.training import charts, groups
from app.training.panels import over
from worker.desk import Desk
from worker.desk.training_tables import paths

CURVE = {"with": "with_filter"}
YEARS = 3           # fewer are no picture: folds are drawn


def view(desk: Desk, run: Any, scores: Mapping[str, Any]) -> None:
    """Equity in R of a walk-forward; the fan of a CPCV; by year where samples are no trades."""
    equity, filtered = scores.get("equity"), scores.get("filter")
    if equity:
        return _equity(run, equity, filtered or {})
    if filtered:
        return _fan(desk, run, filtered)
    groups.picture(run, scores, "year" if len(scores.get("year") or []) >= YEARS else "fold", height=230)


def _equity(run: Any, equity: Mapping[str, Any], filtered: Mapping[str, Any]) -> None:
    curve = pd.DataFrame(equity["curve"]).rename(columns=CURVE)
    curve["ts"] = pd.to_datetime(curve["day"], utc=True)
    over(run, "With and without the filter", "cumulative R, test parts, UTC; dashed: all signals", curve[["day", "with_filter", "without"]], "equity")
    own, every = equity["with"], equity["without"]
    takeaway = f"{multiple(own['sum_r'], 1)} with the filter, {multiple(every['sum_r'], 1)} without"
    draw_chart(charts.with_and_without(curve, "R"), alt=takeaway)
    st.caption(literal(f"{takeaway}; largest drawdown {number(own['max_drawdown_r'], 1)} R and {number(every['max_drawdown_r'], 1)} R. {_gain(filtered)}"))


def _gain(filtered: Mapping[str, Any]) -> str:
    if filtered.get("gain") is None:
        return typeset(str(filtered.get("reason") or ""))
    interval = f" (95 %: {number(filtered['low'], 3, True)} … {number(filtered['high'], 3, True)})" if filtered.get("low") is not None else ""
    return f"The filter changes the mean result of a signal by {multiple(filtered['gain'], 3)}{interval}."


def _fan(desk: Desk, run: Any, filtered: Mapping[str, Any]) -> None:
    drawn = fan(desk, run.id)
    sums = filtered["spread"]["sum_r_taken"]
    over(run, "Paths", "cumulative R with the filter, UTC; bold: the median", drawn, "paths")
    if drawn.empty:
        st.caption("No path has a trade.")
        return
    takeaway = f"{plural(int(drawn['path'].nunique()), 'path')} end between {multiple(sums['low'], 1)} and {multiple(sums['high'], 1)}, median {multiple(sums['median'], 1)}"
    draw_chart(charts.fan(drawn, "R", "cumulative R"), alt=takeaway)
    st.caption(literal(f"{takeaway}. Paths show spread: half of their training lies after the test, so none of them says what would have been earned. {_gain(filtered)}"))


@st.cache_data(max_entries=16, show_spinner=False)
def fan(_desk: Desk, run_id: str) -> pd.DataFrame:
    return paths(_desk.training.table(run_id, "predictions"), _desk.training.table(run_id, "samples"))


def headline(scores: Mapping[str, Any]) -> list[tuple[str, str, str, str]]:
    """Figures of decisions: R a signal with the filter and without it, and how many are taken."""
    every = scores.get("all") or {}
    if every.get("signals") is None:
        return []
    taken = every["taken"] / every["signals"] if every["signals"] else None
    return [
        ("Mean R, filtered", multiple(every["mean_r_taken"], 3), f"all signals: {multiple(every['mean_r'], 3)}", "Mean result of what the filter takes, net of costs, for each unit risked."),
        ("Taken", percent(taken, 0), f"{number(every['taken'])} of {number(every['signals'])}", "Signals that the filter takes on test parts."),
    ]
