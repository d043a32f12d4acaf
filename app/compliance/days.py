"""Trading days of a judgement, by the rule set's own clock."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from app.compliance import charts
from app.compliance.saving import csv_button
from app.kit.draw import draw_chart
from app.kit.figures import plural
from app.kit.widgets import section
from worker.desk import Desk

WEEKS = 26          # squares across at most


def days(desk: Desk, judged: Any) -> None:
    """The calendar of a span; without a choice the one with the first breach, else the last."""
    summary = judged.run.summary
    calendar = _calendar(desk, judged.run.id)
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        section("Days", f"change of equity, % of the start; {summary['rule_set']['day']}")
        st.space("stretch")
        csv_button(desk, judged.run, "days")
    if calendar.empty:
        st.caption("No day is complete yet.")
        return
    spans = spans_of(calendar["day"])
    at = 0
    if len(spans) > 1:
        start = place_of(spans, calendar)
        at = st.segmented_control(
            "Span", range(len(spans)), default=start, required=True, key=f"days-{judged.run.id}", label_visibility="collapsed",
            format_func=lambda k: f"{spans[k][0]:%Y-%m} … {spans[k][1]:%Y-%m}",
        )  # fmt: skip
    first, last = spans[at]
    shown = calendar[(calendar["day"] >= first) & (calendar["day"] <= last)]
    worst = shown.loc[shown["share"].idxmin()]
    broken = int(((shown["breach"] != "") & ~shown["after"]).sum())
    takeaway = f"{plural(len(shown), 'day')}; the worst is {worst['day']:%Y-%m-%d} with {worst['share']:+.2f} %; {plural(broken, 'day')} with a breach"
    draw_chart(charts.days(shown, summary["currency"]), alt=takeaway)
    notes = [":red[:material/cancel:] Outlined: a day with a breach."] if broken else []
    notes += ["Faint: days after the account had failed."] if shown["after"].any() else []
    if notes:
        st.caption(" ".join(notes))


def spans_of(days_: pd.Series) -> list[tuple[pd.Timestamp, pd.Timestamp]]:
    """Spans of at most 26 weeks that cover all days, each from a Monday, of about the same length.

    >>> days = pd.Series(pd.date_range("2024-01-01", "2024-12-29", tz="UTC"))
    >>> [f"{first:%m-%d} {last:%m-%d}" for first, last in spans_of(days)]
    ['01-01 06-30', '07-01 12-29']
    """
    first = days_.iloc[0] - pd.Timedelta(days=days_.iloc[0].weekday())
    weeks = int((days_.iloc[-1] - first).days // 7) + 1
    count = -(-weeks // WEEKS)
    edges = [first + pd.Timedelta(weeks=round(k * weeks / count)) for k in range(count + 1)]
    ends = [edge - pd.Timedelta(days=1) for edge in edges[1:-1]] + [days_.iloc[-1]]
    return list(zip(edges[:-1], ends, strict=True))


def place_of(spans: list[tuple[pd.Timestamp, pd.Timestamp]], calendar: pd.DataFrame) -> int:
    """The span with the first breach, else the last."""
    broken = calendar.loc[calendar["breach"] != "", "day"]
    return next((k for k, (_, last) in enumerate(spans) if len(broken) and broken.iloc[0] <= last), len(spans) - 1)


@st.cache_data(max_entries=16, show_spinner=False)
def _calendar(_desk: Desk, run_id: str) -> pd.DataFrame:
    return _desk.compliance.days(run_id)
