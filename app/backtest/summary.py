"""A run in one line and in one chart, as several pages show it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pandas as pd
import streamlit as st

from app.kit import charts
from app.kit.draw import draw_chart
from app.kit.figures import THIN, exact, percent
from app.kit.forms import stated
from app.kit.text import literal
from worker.desk import Desk


def equity(desk: Desk, run: Any, other: Any = None, height: int = 216) -> None:
    curve, currency = _curve(desk, run.id), run.summary["currency"]
    beside = _curve(desk, other.id) if other is not None else None
    net = run.summary["metrics"]["net_return"]
    about = f"Equity of run {run.id}, net {percent(net, 1, True)}, with its drawdown beneath"
    draw_chart(charts.equity_pair(curve, currency, beside, height), alt=about)


@st.cache_data(max_entries=32, show_spinner=False)
def _curve(_desk: Desk, run_id: str) -> pd.DataFrame:
    return _desk.backtests.equity(run_id)


def sentence(desk: Desk, run: Any) -> str:
    """The settings of a run in one line: the closed form."""
    spec = run.spec
    declared = {param.name: param for param in desk.backtests.params(spec["strategy"])}
    changed = " · ".join(stated(declared[name], value) for name, value in spec["params"].items() if name in declared)
    names = ", ".join(dataset["instrument"] for dataset in run.manifest["spec"]["data"])
    limits = [stated(param, spec["limits"][param.name]) for param in desk.backtests.rule_params("limits") if not param.default and spec.get("limits", {}).get(param.name)]
    return " · ".join(filter(None, [f"**{literal(name_of(spec))}**", f"{names} {spec['timeframe']}", f"{dates(spec)}", changed, _size(spec["sizing"]), *limits]))


def name_of(spec: Any) -> str:
    """What decided a run: the strategy, or the file of signals."""
    return f"signals of {spec['signals']['name']}" if "signals" in spec else str(spec["strategy"])


def dates(spec: Any) -> str:
    """First and last day, both inclusive.

    >>> dates({"start": "2019-01-01T00:00:00+00:00", "end": "2022-01-01T00:00:00+00:00"})
    '2019-01-01 to 2021-12-31'
    """
    last = datetime.fromisoformat(spec["end"]) - timedelta(microseconds=1)
    return f"{spec['start'][:10]} to {last:%Y-%m-%d}"


def _size(sized: dict) -> str:
    value = f"{exact(sized['value'] * 100)}{THIN}%"
    return {"fraction_at_risk": f"risk {value}", "kelly": f"{value} of Kelly", "kelly_entropy": f"{value} of Kelly, shrunk by entropy", "volatility": f"volatility target {value} p.a.", "notional": f"notional {value} of equity"}.get(sized["kind"], f"{exact(sized['value'])} {'lot' if sized['value'] == 1 else 'lots'}")
