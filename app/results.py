"""A run in one line and in one picture: what other pages show of it."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from app import charts
from app.figures import THIN, exact, percent
from app.forms import told
from app.text import literal
from worker.desk import Desk


def equity(desk: Desk, run: Any, other: Any = None, height: int = 216) -> None:
    curve, currency = _curve(desk, run.id), run.summary["currency"]
    beside = _curve(desk, other.id) if other is not None else None
    net = run.summary["metrics"]["net_return"]
    told = f"Equity of run {run.id}, net {percent(net, 1, True)}, with its drawdown beneath"
    st.altair_chart(charts.equity_pair(curve, currency, beside, height), width="stretch", alt=told)


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


@st.cache_data(max_entries=32, show_spinner=False)
def _curve(_desk: Desk, run_id: str) -> pd.DataFrame:
    return _desk.backtests.equity(run_id)


def sentence(desk: Desk, run: Any) -> str:
    """The question of a run in one line: the closed form."""
    spec = run.spec
    declared = {one.name: one for one in desk.backtests.params(spec["strategy"])}
    changed = " · ".join(told(declared[name], value) for name, value in spec["params"].items() if name in declared)
    names = ", ".join(one["instrument"] for one in run.manifest["spec"]["data"])
    limits = [told(one, spec["limits"][one.name]) for one in desk.backtests.rule_params("limits") if not one.default and spec.get("limits", {}).get(one.name)]
    return " · ".join([f"**{literal(spec['strategy'])}**", literal(f"{names} {spec['timeframe']}"), f"{spec['start'][:10]} to {spec['end'][:10]}", literal(changed), _size(spec["sizing"]), *map(literal, limits)])


def _size(sized: dict) -> str:
    value = f"{exact(sized['value'] * 100)}{THIN}%"
    return {"fraction_at_risk": f"risk {value}", "kelly": f"{value} of Kelly", "volatility": f"volatility {value} a year", "notional": f"notional {value}"}.get(sized["kind"], f"{exact(sized['value'])} lots")
