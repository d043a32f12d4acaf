"""What the views read of a finished run, cached: it never changes. The count of trials does, so it is read each time."""

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
    """Of a sweep: the best by Sharpe against all trials that there are by now."""
    return _luck(desk, run.id, desk.sweeps.trials(run.id))


@st.cache_data(max_entries=32, show_spinner=False)
def _luck(_desk: Desk, run_id: str, trials: int) -> Luck:
    return _desk.sweeps.luck(run_id, trials)


def luck_of_search(desk: Desk, run: Any) -> Luck:
    """What chance reaches among the trials of these bars."""
    return desk.sweeps.luck(run.id, desk.sweeps.trials(run.id))
