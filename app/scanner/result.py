"""A finished scan: what it proposes, the heat map, and the reason of each other combination."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from app.kit.draw import draw_chart
from app.kit.figures import DASH, clock, exact, money, number, plural
from app.kit.text import literal
from app.kit.widgets import download, section, table
from app.scanner.charts import heat_map
from worker.desk import Desk

ROWS = 400      # of the table; the download has all
GRADES: dict[str, Any] = {"A+": "green", "A": "green", "B": "blue", "C": "gray", "D": "gray"}
ALL = "All"


def result(desk: Desk, run: Any) -> None:
    summary, verdicts = run.summary, _table(desk, run.id)
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        if run.synthetic:
            st.badge("synthetic", color="violet")
        st.markdown(literal(verdict(summary)), width="stretch")
    _proposals(summary)
    left, right = st.columns([5, 2], gap="medium")
    with left:
        section("Q* of every combination", "R a trade after costs, noise and today's spread; without a signal at the usual stop distance")
        draw_chart(heat_map(verdicts.sort_values(["instrument", "timeframe", "strategy"])), alt=_best(verdicts))
    with right:
        _reasons(desk, summary)
    _verdicts(desk, run, verdicts)


def verdict(summary: Mapping[str, Any]) -> str:
    """The answer in a sentence."""
    count = len(summary["proposals"])
    at = clock(datetime.fromisoformat(summary["at"]))
    least = next((key for key, _ in sorted(summary["reasons"].items(), key=lambda item: -item[1])), "")
    most = f" Most often the reason is {least.replace('_', ' ')}." if summary["combinations"] > count and least else ""
    return f"{plural(summary['combinations'], 'combination')} at {at} UTC: {plural(count, 'proposal') if count else 'no proposal'}.{most}"


def _proposals(summary: Mapping[str, Any]) -> None:
    """A card for each, the best first."""
    if not summary["proposals"]:
        return
    for column, row in zip(st.columns(3, gap="small"), summary["proposals"], strict=False):
        with column, st.container(border=True, gap="xsmall"):
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(f"**{literal(row['instrument'])} {row['side']}**", width="content")
                st.badge(row["grade"], color=GRADES[row["grade"]])
                st.space("stretch")
                st.caption(literal(f"{row['strategy']} · {row['timeframe']}"), width="content")
            st.metric("Q*", f"{number(row['q_star'], 3, True)} R", f"{plural(row['trades'], 'trade')}, win rate {number(100 * row['p'], 0)}\u202f%", delta_color="off", delta_arrow="off", help=literal(row["detail"]))
            st.caption(literal(_order(row, summary["currency"])))


def _order(row: Mapping[str, Any], currency: str) -> str:
    target = f", target {exact(row['target'])}" if row["target"] is not None else ""
    correlation = f" Correlation {number(row['correlation'], 2, True)} with {row['correlated_with']}." if row["correlation"] is not None else ""
    return (
        f"{row['order'].capitalize()} {number(row['lots'], 2)} lots about {exact(row['entry'])}, stop {exact(row['stop_loss'])}{target}. At risk {money(row['at_risk'], currency)}; "
        f"expected shortfall {number(row['es95'], 2)} per 1,000 of equity.{correlation}"
    )


def _reasons(desk: Desk, summary: Mapping[str, Any]) -> None:
    section("Rejected combinations", "each with one reason")
    titles = desk.scanner.reasons()
    shown = pd.DataFrame([dict(reason=title, count=summary["reasons"][key], meaning=sentence) for key, (title, sentence) in titles.items()])
    config = st.column_config
    columns = {"reason": config.TextColumn("Reason", width=104), "count": config.NumberColumn("Count", format="localized", width=54), "meaning": config.TextColumn("Meaning", width=220)}
    table(shown, columns, f"Reasons of {summary['combinations']} combinations")


def _verdicts(desk: Desk, run: Any, verdicts: pd.DataFrame) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        section("Verdicts", "one row a combination; prices in price units, ES per 1,000 of equity")
        st.space("stretch")
        for what, form, label in (("verdicts", "csv", "Verdicts, CSV"), ("trades", "csv", "Trades, CSV"), ("correlations", "csv", "Correlations, CSV"), ("scan", "json", "Scan, JSON")):
            download(label, f"scan_{run.id}_{what}.{form}", "application/json" if form == "json" else "text/csv", partial(desk.scanner.download, run.id, what, form), f"scan-{what}", "From verdicts and trades every number can be computed again; docs/scanner.md says how.")
    present = [key for key in ("proposal", *desk.scanner.reasons()) if (verdicts["reason"] == key).any()]
    titles = {key: title for key, (title, _) in desk.scanner.reasons().items()} | {"proposal": "Proposal", ALL: ALL}
    only = st.segmented_control("Reason", [ALL, *present], default=ALL, required=True, key=f"reason-{run.id}", format_func=lambda key: titles[key], label_visibility="collapsed")
    shown = verdicts if only == ALL else verdicts[verdicts["reason"] == only]
    shown = shown.head(ROWS).assign(reason=[titles[key] for key in shown["reason"].head(ROWS)], grade=shown["grade"].replace("", DASH))
    table(shown, _columns(), f"{len(shown)} verdicts", key=f"verdicts-{run.id}-{only}", height=min(30 + 28 * (len(shown) + 1), 460))
    if len(verdicts) > ROWS:
        st.caption(f"The first {ROWS:,} of {len(verdicts):,}; the download has all.")


def _columns() -> dict[str, Any]:
    config = st.column_config
    return {
        "instrument": config.TextColumn("Instrument", width=84), "strategy": config.TextColumn("Strategy", width=108), "timeframe": config.TextColumn("TF", width=44), "reason": config.TextColumn("Reason", width=96),
        "grade": config.TextColumn("Grade", width=52), "q_star": config.NumberColumn("Q*, R", format="%+.3f", width=66), "trades": config.NumberColumn("Trades", width=56),
        "p": config.NumberColumn("p", format="%.2f", width=46, help="Chance of a win: (wins + 1) / (trades + 2), or a classifier's."), "es95": config.NumberColumn("ES 95", format="%.2f", width=56),
        "correlation": config.NumberColumn("Corr.", format="%+.2f", width=54), "detail": config.TextColumn("Detail", width=320),
    }  # fmt: skip


def _best(verdicts: pd.DataFrame) -> str:
    known = verdicts.dropna(subset=["q_star"])
    if known.empty:
        return "No combination has a Q*."
    best = known.loc[known["q_star"].idxmax()]
    return f"Q* of {len(known)} combinations; the highest is {best['q_star']:.2f} R: {best['instrument']} {best['timeframe']}, {best['strategy']}"


@st.cache_data(max_entries=16, show_spinner=False)
def _table(_desk: Desk, run_id: str) -> pd.DataFrame:
    return _desk.scanner.table(run_id)
