"""What the views read of a finished run, remembered: it never changes. The count of trials does, so it is asked anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from worker.desk import Desk
from worker.desk.beliefs import deflated_sharpe, luck

YEAR = 252**0.5
FEWEST = 10     # known Sharpe ratios, under which their spread says nothing and that of pure chance is taken


@dataclass(frozen=True)
class Luck:
    """``trials`` on these bars with this strategy; ``sharpe``: what the best of them reaches on average without any edge, a year;
    ``dsr``: probability that the best one's true Sharpe ratio is above that. None: not known."""

    trials: int
    sharpe: float | None
    dsr: float | None


@st.cache_data(max_entries=8, show_spinner=False)
def table(_desk: Desk, run_id: str, by: str = "number") -> pd.DataFrame:
    return _desk.sweeps.table(run_id, by)


@st.cache_data(max_entries=32, show_spinner=False)
def heat(_desk: Desk, run_id: str, x: str, y: str, figure: str, held: tuple[tuple[str, Any], ...] = ()) -> pd.DataFrame:
    return _desk.sweeps.heat(run_id, x, y, figure, dict(held))


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
    trials, best = desk.sweeps.trials(run.id), run.summary["best"][:1]
    if not best or best[0]["sharpe_daily"] is None:
        return Luck(trials, None, None)
    return _luck(desk, run.id, best[0], trials)


@st.cache_data(max_entries=32, show_spinner=False)
def _luck(_desk: Desk, run_id: str, best: Mapping[str, Any], trials: int) -> Luck:
    daily, _ = _desk.sweeps.matrix(run_id)
    earned = pd.Series(daily[:, int(best["number"])].astype(float))
    returns = earned / (1.0 + earned.cumsum().shift(fill_value=0.0))
    against = (int(best["days"]), max(trials, 1), variance(_desk.sweeps.sharpes(run_id)))
    deflated = deflated_sharpe(float(best["sharpe_daily"]), *against, float(returns.skew()), float(returns.kurt()) + 3.0)
    return Luck(trials, _known(luck(*against) * YEAR), _known(deflated))


def luck_of_search(desk: Desk, run: Any) -> Luck:
    """What chance reaches among the trials of these bars; a search keeps no days to deflate its best one with."""
    trials, spread = desk.sweeps.trials(run.id), variance(desk.sweeps.sharpes(run.id))
    return Luck(trials, None if spread is None else _known(luck(2, max(trials, 1), spread) * YEAR), None)


def variance(sharpes: list[float]) -> float | None:
    return float(np.var(sharpes, ddof=1)) if len(sharpes) >= FEWEST else None


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
