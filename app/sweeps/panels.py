"""Tables of a finished run, cached as they never change; the count of trials does, so it is read each time."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from worker.desk import Desk
from worker.desk.luck import Luck


@st.cache_data(max_entries=8, show_spinner=False)
def table(_desk: Desk, run_id: str, by: str = "number") -> pd.DataFrame:
    return _desk.sweeps.table(run_id, by)


@st.cache_data(max_entries=32, show_spinner=False)
def heat(_desk: Desk, run_id: str, x: str, y: str, figure: str, fixed: tuple[tuple[str, Any], ...] = ()) -> pd.DataFrame:
    return _desk.sweeps.heat(run_id, x, y, figure, dict(fixed))


@st.cache_data(max_entries=16, show_spinner=False)
def folds(_desk: Desk, run_id: str) -> pd.DataFrame:
    return _desk.sweeps.folds(run_id)


@st.cache_data(max_entries=16, show_spinner=False)
def walked(_desk: Desk, run_id: str, balance: float) -> pd.DataFrame:
    """``ts, equity, drawdown, fold`` of the tests."""
    curve = _desk.sweeps.equity(run_id)
    return curve.assign(drawdown=curve["equity"] / curve["equity"].cummax().clip(lower=balance) - 1.0)


def luck_of_best(desk: Desk, run: Any) -> Luck:
    """Significance of the best combination of a grid search by Sharpe, given all trials so far."""
    return _luck(desk, run.id, desk.sweeps.trials(run.id))


@st.cache_data(max_entries=32, show_spinner=False)
def _luck(_desk: Desk, run_id: str, trials: int) -> Luck:
    return _desk.sweeps.luck(run_id, trials)


def luck_of_search(desk: Desk, run: Any) -> Luck:
    """Expected maximum Sharpe by chance, given all trials on this data."""
    return desk.sweeps.luck(run.id, desk.sweeps.trials(run.id))
