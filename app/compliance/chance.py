"""Will it pass? Probabilities with their intervals, days to the target, risk per trade, payouts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from app.compliance import charts
from app.compliance.pickers import Choice
from app.compliance.saving import csv_button
from app.compliance.showing import job_of
from app.kit.draw import draw_chart
from app.kit.figures import THIN, number, percent, plural, typeset
from app.kit.forms import field
from app.kit.rights import allowed
from app.kit.text import literal
from app.kit.widgets import attempt, figures, nothing, section
from worker.desk import Desk

MEANT = "Share of paths of resampled days that {what}, with its 95 % interval over resampled histories."


def will_it_pass(desk: Desk, choice: Choice) -> None:
    """The newest estimate, a form for another, its job while it runs."""
    estimated = desk.chances.of(choice.subject, choice.rules.name, choice.phase)
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        section("Will it pass?", _note(estimated))
        st.space("stretch")
        if estimated:
            with st.popover("Settings…", icon=":material/tune:"):
                _form(desk, choice, estimated.run.summary)
    job = desk.chances.job(choice.subject, choice.rules.name, choice.phase)
    if job_of(desk, "chance", job, 180):
        return
    if estimated is None:
        nothing("Not estimated yet", "The days of this path are resampled in blocks, and each resampled path is judged. It takes some seconds.", lambda: _ask(desk, choice))
        return
    if estimated.stale:
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
            st.badge("older version", color="gray", help=literal(estimated.stale))
            _ask(desk, choice, "Estimate again")
    _result(desk, estimated.run)


def _note(estimated: Any) -> str:
    if estimated is None:
        return "chance of passing, from this path's own days"
    summary = estimated.run.summary
    risk = f"{percent(summary['risk'], 2)} at risk a trade" if summary["risk"] else "risk as traded"
    return f"{number(summary['config']['paths'])} block-bootstrap paths of {plural(summary['days'], 'day')}, {summary['config']['horizon']} trading days, {risk}"


def _ask(desk: Desk, choice: Choice, label: str = "Estimate") -> None:
    if st.button(label, icon=":material/casino:", key="ask-chance", **allowed(desk, "chances.submit")):
        submitted = attempt(lambda: desk.chances.submit(choice.subject, choice.rules.name, choice.phase))
        if submitted is not None:
            st.rerun()


def _form(desk: Desk, choice: Choice, summary: Mapping[str, Any]) -> None:
    with st.form(f"chance-{choice.subject.id}-{choice.rules.name}", border=False):
        config = {param.name: field(param, f"chance-{param.name}", summary["config"][param.name]) for param in desk.chances.params()}
        risk = st.number_input("Risk a trade, % of equity", 0.0, 100.0, 100.0 * summary["risk"] or None, 0.05, placeholder="as traded", key="chance-risk", help="Left out: as the path traded. All sizes are taken in proportion.")
        st.caption("Payouts in the funded phase")
        payout = {param.name: field(param, f"payout-{param.name}", param.default) for param in desk.chances.payout_params()}
        if st.form_submit_button("Estimate", type="primary", **allowed(desk, "chances.submit")):
            submitted = attempt(lambda: desk.chances.submit(choice.subject, choice.rules.name, choice.phase, config, (risk or 0.0) / 100.0, payout))
            if submitted is not None:
                st.rerun()


def _result(desk: Desk, run: Any) -> None:
    summary = run.summary
    if summary["failed"] is None:
        st.caption(f":material/help: {literal(typeset(summary['sentence']))}")
        return
    figures(_rows(summary), width=132)
    if summary["days_to_target"]:
        bins = _bins(desk, run.id)
        median = summary["days_to_target"]["q50"]
        draw_chart(charts.days_to_target(bins, median), alt=f"Trading days to the target of the paths that pass; median {median:,.0f}")
        st.caption(f"{percent(summary['open']['value'], 0)} of the paths are still open after {summary['config']['horizon']} trading days. Median of those that pass: {median:,.0f} days (90\u202f%: {summary['days_to_target']['q05']:,.0f} to {summary['days_to_target']['q95']:,.0f}).")
    else:
        st.caption(literal(typeset(summary["sentence"])))
    for name, needs in summary["not_judged"].items():
        st.caption(f":material/help: {literal(f'{name}: not judged, needs {needs}.')}")
    _sizing(desk, run)
    _payouts(run)
    with st.expander("Method and doubts", icon=":material/info:"):
        st.caption(f"Whole days with their lows and highs, drawn in blocks of {number(summary['block'], 1)} days on average (stationary bootstrap); an account compounds. A gap can jump any floor, and days that never happened are not drawn.")
        for sentence in summary["notes"]:
            st.caption(literal(typeset(sentence)))


def _rows(summary: Mapping[str, Any]) -> list[tuple[str, str, str, str]]:
    rows = [("Passes", *_share(summary["passed"]), MEANT.format(what="reach every goal before a breach that ends the account"))] if summary["passed"] else []
    for row in summary["breaches"]:
        ends = row["effect"] == "FAIL"
        what = "are ended by this rule first" if ends else "break this rule on at least one day"
        rows.append((f"{row['title']} {'ends it' if ends else 'locks a day'}", percent(row["probability"], 0), _interval(row["low"], row["high"]), MEANT.format(what=what)))
    return [*rows, ("Still open", *_share(summary["open"]), MEANT.format(what="neither passed nor failed"))]


def _share(estimate: Mapping[str, float]) -> tuple[str, str]:
    return percent(estimate["value"], 0), _interval(estimate["low"], estimate["high"])


def _interval(low: float, high: float) -> str:
    return f"{number(100 * low)} … {number(100 * high)}{THIN}%"


def _sizing(desk: Desk, run: Any) -> None:
    summary, sizing = run.summary, run.summary["sizing"]
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        section("Risk per trade", "chance of passing, 95\u202f% band")
        st.space("stretch")
        if sizing["best"]:
            csv_button(desk, run, "sizing")
    if sizing["best"]:
        curve = _curve(desk, run.id)
        best, own = 100 * sizing["best"]["value"], 100 * (summary["risk"] or summary["usual"])
        draw_chart(charts.sizing(curve, best, own if own <= curve["risk"].max() else None), alt=f"Chance of passing by the risk per trade; highest at {best:.2g} %")
    st.caption(literal(typeset(sizing["sentence"])))


def _payouts(run: Any) -> None:
    paid = run.summary["payouts"]
    section("Payouts", f"phase {paid['phase']}, {run.summary['currency']}")
    st.caption(literal(typeset(paid["sentence"])))


@st.cache_data(max_entries=16, show_spinner=False)
def _bins(_desk: Desk, run_id: str) -> pd.DataFrame:
    return _desk.chances.days_to_target(run_id)


@st.cache_data(max_entries=16, show_spinner=False)
def _curve(_desk: Desk, run_id: str) -> pd.DataFrame:
    return _desk.chances.sizing(run_id)
