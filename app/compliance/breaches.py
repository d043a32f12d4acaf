"""Breaches of a judgement: rule, clause, instant, value against floor, and the trades behind each."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from app.compliance.saving import csv_button
from app.compliance.verdict import amount
from app.kit.figures import clock, plural
from app.kit.text import literal
from app.kit.widgets import go, section
from worker.desk import Desk

SHOWN = 6           # rules whose first breach is drawn; the file has every breach
LINKS = 4           # trades of a breach that get a button


def breaches(desk: Desk, judged: Any) -> None:
    """The first breach of each rule with its trades."""
    run, table = judged.run, _breaches(desk, judged.run.id)
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        section("Breaches", f"{run.summary['path']['title']} against {run.summary['rule_set']['title']}, UTC")
        st.space("stretch")
        if len(table):
            csv_button(desk, run, "breaches")
    if not len(table):
        st.caption(":green[:material/check:] No rule was broken." if judged.complete else "No rule that could be judged was broken.")
        return
    firsts = table.drop_duplicates("title").head(SHOWN)
    for place, breach in enumerate(firsts.itertuples()):
        _breach(run, breach, place)
    if len(table) > len(firsts):
        st.caption(f"The first of each rule; {plural(len(table) - len(firsts), 'later breach', 'later breaches')} in the file.")


def _breach(run: Any, breach: Any, place: int) -> None:
    currency, path = run.summary["currency"], run.summary["path"]
    with st.container(border=True, gap="xxsmall"):
        st.markdown(f":red[:material/cancel:] **{literal(breach.title)}** · {clock(breach.ts)} UTC{_figures(breach, currency)}")
        st.caption(literal(breach.sentence))
        trades = list(breach.trades)
        if not trades:
            st.caption("No trade was open or closed at that instant.")
            return
        with st.container(horizontal=True, vertical_alignment="center", gap="xxsmall"):
            st.caption(f"{plural(len(trades), 'trade')} behind it:", width="content")
            for trade in trades[:LINKS]:
                if path["kind"] == "run":
                    if st.button(f"Trade {trade}", key=f"breach-{run.id}-{place}-{trade}", type="tertiary", icon=":material/candlestick_chart:"):
                        go("backtest", run=path["id"], view="Trades", trade=str(trade))
                else:
                    st.caption(f"{trade}", width="content")
            if len(trades) > LINKS:
                st.caption(f"and {len(trades) - LINKS} more", width="content")


def _figures(breach: Any, currency: str) -> str:
    """Value against floor; nothing of a rule on what was done, such as news, which has neither."""
    if pd.isna(breach.value) and pd.isna(breach.floor):
        return ""
    value, floor = (literal(amount(figure, breach.unit, currency)) for figure in (breach.value, breach.floor))
    return f" · **{value}** against **{floor}**"


@st.cache_data(max_entries=16, show_spinner=False)
def _breaches(_desk: Desk, run_id: str) -> pd.DataFrame:
    return _desk.compliance.breaches(run_id)
