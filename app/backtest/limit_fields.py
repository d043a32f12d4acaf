"""The fields of risk limits in groups; what is stored as a share is entered in per cent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import streamlit as st

from app.kit.forms import fields
from worker.desk import Desk

GROUPS = {
    "Exposure": ("max_leverage", "max_positions", "max_per_symbol", "max_currency", "sector", "max_correlation", "correlation_days", "rate"),
    "Losses": ("daily_loss", "day_reset", "daily_gate", "max_drawdown", "flatten", "open_risk", "es95", "es95_trades"),
    "Market and time": ("spread_spike", "volatility_spike", "spike_window", "blackout", "news", "session", "drift"),
}
OTHER = "Other limits"
SHARE = "share of "     # begins the unit of a share


def limits_fields(desk: Desk, key: str, start: dict[str, Any], limited: bool) -> dict[str, Any]:
    """The entered limits; all off where limits are off, whatever config.toml sets."""
    params = desk.backtests.rule_params("limits")
    if not limited:
        return {param.name: param.default for param in params}
    entered = dict[str, Any]()
    for title, group in grouped(params):
        st.caption(title)
        before = {param.name: shown_value(param, start["limits"].get(param.name, param.default)) for param in group}
        shown = fields([in_percent(param) for param in group], f"{key}-limit", before, off=True)
        entered |= {param.name: stored_value(param, shown[param.name]) for param in group}
    return {param.name: entered[param.name] for param in params}


def shown_value(param: Any, value: Any) -> Any:
    """
    >>> from domain.params import params_of
    >>> from domain.risk.limits import Limits
    >>> limits = {param.name: param for param in params_of(Limits)}
    >>> shown_value(limits["daily_loss"], 0.07), stored_value(limits["daily_loss"], 7.0), shown_value(limits["rate"], 3)
    (7.0, 0.07, 3)
    >>> sorted({param.name for _, group in grouped(list(limits.values())) for param in group} ^ set(limits))
    []
    """
    return round(value * 100.0, 10) if is_share(param) and value else value


def stored_value(param: Any, value: Any) -> Any:
    return round(value / 100.0, 12) if is_share(param) and value else value


def grouped(params: Sequence[Any]) -> Iterator[tuple[str, list[Any]]]:
    """Each group with its parameters; those of none last."""
    named = {param.name: param for param in params}
    for title, names in GROUPS.items():
        yield title, [named.pop(name) for name in names if name in named]
    if named:
        yield OTHER, list(named.values())


def is_share(param: Any) -> bool:
    return bool(param.unit.startswith(SHARE))


def in_percent(param: Any) -> Any:
    """The parameter as it is entered."""
    if not is_share(param):
        return replace(param, unit="") if param.unit == "correlation" else param
    return replace(param, unit=f"% of {param.unit.removeprefix(SHARE)}", low=None if param.low is None else param.low * 100.0, high=None if param.high is None else param.high * 100.0)
