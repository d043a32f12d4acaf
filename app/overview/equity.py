"""Equity of several backtests in one chart: the favourites, else the newest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from app.backtest.compare import ICONS, LETTERS, MOST, OTHER, curves_chart
from app.kit.draw import draw_chart
from app.kit.figures import percent
from app.kit.text import literal
from app.kit.widgets import attempt, go, section
from worker.desk import Desk

NEWEST = 4          # of them where nothing is a favourite


def recent_equity(desk: Desk, runs: Sequence[Any]) -> None:
    """Draw them; nothing while there are fewer than two backtests of one's own."""
    own = [run for run in runs if not run.example]
    if len(own) < 2:
        return
    favourites = list(desk.run_list.find(favourites=True, limit=MOST).runs)
    shown = favourites if len(favourites) > 1 else own[:NEWEST]
    curves = attempt(lambda: _curves(desk, tuple(run.id for run in shown)))
    if curves is None:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        section("Equity", f"{'your favourites' if shown is favourites else 'the newest backtests'}, change since the start, %, UTC")
        st.space("stretch")
        if st.button("Compare", type="tertiary", key="compare-recent"):
            go("backtest", run=shown[0].id, **{OTHER: ",".join(run.id for run in shown[1:])})
    draw_chart(curves_chart(curves, shown, 220), alt="Equity of several backtests over their starts")
    st.caption("  \n".join(f":{colour}[**{letter}**] {literal(run.name or run.title)} `{run.id}` {percent(run.summary['metrics']['net_return'], 1, True)}" for letter, colour, run in zip(LETTERS, ICONS, shown, strict=False)))


@st.cache_data(max_entries=8, show_spinner=False)
def _curves(_desk: Desk, run_ids: tuple[str, ...]) -> pd.DataFrame:
    return _desk.compare.curves(run_ids, 300)
