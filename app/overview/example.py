"""The example: one strategy on two synthetic markets."""

from __future__ import annotations

import streamlit as st

from app.backtest.summary import equity
from app.kit.figures import percent
from worker.desk import Desk


def example_pair(desk: Desk) -> None:
    """The strategy on regime-switching prices, and on a random walk, side by side."""
    regimes, gbm = desk.system.example_runs()
    if not regimes:
        st.skeleton(294)
        st.caption("The example is being generated: prices, then a backtest on them. The engine is compiled once, on the first start.")
        return
    run, other = desk.backtests.get(regimes), desk.backtests.get(gbm) if gbm else None
    equity(desk, run, other, height=190)
    text = f"Solid: regime-switching synthetic prices, net return {percent(run.summary['metrics']['net_return'], 1, True)}."
    if other:
        text += f" Dashed: same rules on a driftless random walk, net return {percent(other.summary['metrics']['net_return'], 1, True)}; any profit there is luck."
    st.caption(text + " Simulated data, not indicative of any market.")
