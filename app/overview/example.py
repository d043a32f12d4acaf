"""The example: one strategy on two synthetic markets."""

from __future__ import annotations

import streamlit as st

from app.backtest.summary import equity
from app.kit.figures import percent
from worker.desk import Desk


def example_pair(desk: Desk) -> None:
    """The strategy on a market with memory, and on one without, side by side."""
    regimes, gbm = desk.house.example_runs()
    if not regimes:
        st.skeleton(294)
        st.caption("The example is being made: bars, then a backtest on them. The kernel compiles once, on the first start.")
        return
    run, other = desk.backtests.get(regimes), desk.backtests.get(gbm) if gbm else None
    equity(desk, run, other, height=190)
    said = f"Solid: bars that switch between calm, trend and panic, net {percent(run.summary['metrics']['net_return'], 1, True)}."
    if other:
        said += f" Dashed: the same rules on driftless random bars, net {percent(other.summary['metrics']['net_return'], 1, True)}; nothing there can be more than luck."
    st.caption(said + " Both are made up: no promise for any market.")
