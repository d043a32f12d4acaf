"""The risk monitor: what the positions open at an instant could lose."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, time
from typing import Any

import pandas as pd
import streamlit as st

from app.compliance import charts
from app.compliance.pickers import Choice
from app.compliance.saving import csv_button
from app.compliance.showing import job_of
from app.kit.draw import draw_chart
from app.kit.figures import DASH, clock, lasted, money, number, percent, plural
from app.kit.forms import fields
from app.kit.rights import allowed
from app.kit.text import literal
from app.kit.widgets import attempt, figures, nothing, section, table
from worker.desk import Desk

HISTORICAL = "Past returns of all instruments together, applied to the positions as they are"
FILTERED = "The same returns, each scaled to the volatility at that instant (RiskMetrics, decay 0.94)"


def monitor(desk: Desk, choice: Choice) -> None:
    """A form for the instant, and the newest measurement."""
    if choice.subject is None:
        return nothing("Nothing to measure yet", "Choose a run, a session or an imported account above.")
    measured = desk.risks.of(choice.subject)
    busiest = desk.risks.busiest(choice.subject)
    if busiest is None:
        return nothing("No trades", "The trades of this path are not known, so its open positions are not.")
    _form(desk, choice, measured, busiest)
    if job_of(desk, "risk", desk.risks.job(choice.subject), 240):
        return
    if measured is None:
        return nothing("Not measured yet", "Choose an instant above: the one offered is when the most positions were open.")
    if measured.stale:
        st.badge("older version", color="gray", help=literal(measured.stale))
    _result(desk, measured.run)


def _form(desk: Desk, choice: Choice, measured: Any, busiest: datetime) -> None:
    at = datetime.fromisoformat(measured.run.summary["at"]) if measured else busiest
    key = f"risk-{choice.subject.id}"
    with st.form(key, border=False):
        a, b, _ = st.columns([1, 1, 2], vertical_alignment="bottom")
        day = a.date_input("Day, UTC", at.date(), min_value=None, key=f"{key}-day")
        hour = b.time_input("Time, UTC", time(at.hour, at.minute), step=60, key=f"{key}-time")
        stresses = fields(desk.risks.params(), f"{key}-stress")
        if st.form_submit_button("Measure risk", type="primary", icon=":material/speed:", **allowed(desk, "risks.submit")):
            instant = datetime.combine(day, hour, UTC)
            submitted = attempt(lambda: desk.risks.submit(choice.subject, instant, stresses))
            if submitted is not None:
                st.rerun()


def _result(desk: Desk, run: Any) -> None:
    summary = run.summary
    instant = clock(datetime.fromisoformat(summary["at"]))
    if note := summary["path"].get("note"):
        st.caption(literal(note))
    if not summary["positions"]:
        st.caption(literal(f"No position was open at {instant} UTC."))
        return
    st.markdown(literal(_sentence(summary, instant)))
    figures(_rows(summary), width=120)
    left, right = st.columns(2, gap="medium")
    with left:
        _exposures(desk, run)
        _correlations(desk, run)
    with right:
        _stresses(desk, run)
        _contributions(desk, run)


def _sentence(summary: Mapping[str, Any], instant: str) -> str:
    es = money(summary["es_filtered"], summary["currency"])
    largest = f" {percent(summary['largest_share'], 0)} of it is {summary['largest']}." if summary["largest"] else ""
    return f"{plural(summary['positions'], 'position')} open at {instant} UTC: in the worst 5 of 100 {_bars(summary)} the mean loss is {es}.{largest} A gap can jump any stop."


def _bars(summary: Mapping[str, Any]) -> str:
    return "days" if summary["bar"] >= 86_000 else f"bars of {lasted(summary['bar'])}"


def _rows(summary: Mapping[str, Any]) -> list[tuple[str, str, str, str]]:
    equity, currency = summary["equity"], summary["currency"]

    def row(label: str, name: str, about: str) -> tuple[str, str, str, str]:
        return label, money(summary[name], currency), percent(summary[name] / equity, 2), about

    stops = f"{plural(summary['without_stop'], 'position')} without a stop" if summary["without_stop"] else "every position has a stop"
    return [
        row("VaR 95, historical", "var_historical", f"{HISTORICAL}: the loss that 95 of 100 do not exceed. {number(summary['scenarios'])} returns."),
        row("ES 95, historical", "es_historical", f"{HISTORICAL}: the mean of the worst 5 of 100."),
        row("VaR 95, filtered", "var_filtered", f"{FILTERED}: the loss that 95 of 100 do not exceed."),
        row("ES 95, filtered", "es_filtered", f"{FILTERED}: the mean of the worst 5 of 100."),
        ("Loss to the stops", money(summary["to_stops"], currency), stops, "If every stop fills at its price. A gap fills beyond it."),
        ("Equity", money(equity, currency), f"bars of {summary['timeframe']}", "Of the account at that instant; the percentages are of it."),
    ]


def _head(desk: Desk, run: Any, title: str, note: str, name: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        section(title, note)
        st.space("stretch")
        csv_button(desk, run, name)


def _exposures(desk: Desk, run: Any) -> None:
    currency, rows = run.summary["currency"], _table(desk, run.id, "exposures")
    _head(desk, run, "Exposure by currency leg", f"net, {currency}", "exposures")
    shown = rows.assign(written=[f"{number(row.net, 0, True)} ({percent(row.share_of_equity, 0, True)} of equity)" for row in rows.itertuples()])
    draw_chart(charts.signed_bars(shown, "currency", "net", currency, "currency"), alt=f"Net exposure of {plural(len(rows), 'currency', 'currencies')}; largest {rows['currency'].iloc[0]}")


def _correlations(desk: Desk, run: Any) -> None:
    rows = _table(desk, run.id, "correlation")
    _head(desk, run, "Correlation of open positions", "of their results: 1 gains and loses together", "correlation")
    if rows["a"].nunique() < 2:
        st.caption("One instrument is held, so nothing offsets it.")
        return
    draw_chart(charts.correlations(rows), alt=f"Correlation of the results of {rows['a'].nunique()} instruments")


def _stresses(desk: Desk, run: Any) -> None:
    currency, rows = run.summary["currency"], _table(desk, run.id, "stresses")
    _head(desk, run, "Stress", f"loss, {currency}", "stresses")
    config = st.column_config
    shown = rows.assign(share=100 * rows["share_of_equity"], largest=[f"{row.largest} {percent(row.largest_share, 0)}" if row.largest else DASH for row in rows.itertuples()])
    columns = {
        "stress": config.TextColumn("Stress", width=166), "loss": config.NumberColumn(f"Loss, {currency}", format="localized", step=1, width=66),
        "share": config.NumberColumn("% of equity", format="%.2f", width=66), "largest": config.TextColumn("Largest part", width=84), "stops_reached": config.NumberColumn("Stops hit", width=54, help="Positions whose stop lies within the move."),
    }  # fmt: skip
    table(shown, columns, f"Losses under {plural(len(rows), 'stress', 'stresses')}; the worst is {rows['loss'].max():,.0f} {currency}")


def _contributions(desk: Desk, run: Any) -> None:
    currency, rows = run.summary["currency"], _table(desk, run.id, "contributions")
    _head(desk, run, "Contribution to ES", f"filtered, {currency}; a negative part hedges", "contributions")
    shown = rows.assign(written=[f"{number(row.es_part, 0, True)} ({percent(row.es_share, 0)})" for row in rows.itertuples()])
    draw_chart(charts.signed_bars(shown, "instrument", "es_part", f"loss, {currency}", "instrument", loss=True), alt=f"Parts of the expected shortfall; largest {rows['instrument'].iloc[0]}")


@st.cache_data(max_entries=32, show_spinner=False)
def _table(_desk: Desk, run_id: str, name: str) -> pd.DataFrame:
    return _desk.risks.table(run_id, name)
