"""Names of kinds, parameters and metrics, and how their values are shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from app.kit.figures import THIN, exact, valued
from app.kit.forms import label
from worker.desk import Desk

KINDS = {"sweep": "Grid search", "walk_forward": "Walk-forward", "optimise": "Bayesian search"}
ALIASES = {"Sweep": "Grid search", "Optimise": "Bayesian search", "sweep": "Grid search", "walk_forward": "Walk-forward", "optimise": "Bayesian search"}     # kinds by their earlier names in addresses
ABOUT = {
    "sweep": "Every combination of the values below, on the whole date range. Shows whether the optimum is a plateau or an isolated peak.",
    "walk_forward": "Optimises the combinations in sample, trades the best one out of sample, and rolls forward. Shows what selecting this way would have earned.",
    "optimise": "Sequential search (TPE, NSGA-II, random): fewer trials than a grid search, less of the parameter landscape.",
}
FIGURES = ("sharpe", "net_return", "annual_return", "max_drawdown", "calmar", "profit_factor", "expectancy_r", "win_rate", "trades")
OBJECTIVES = {"sharpe": "sharpe", "net": "net_return", "calmar": "calmar", "expectancy": "expectancy_r"}      # key of an objective -> its metric
FORMATS = {"share": "+.1%", "R": "+.3f", "ratio": ".2f"}


def declared(desk: Desk, strategy: str) -> dict[str, Any]:
    """Parameters that may be varied, by their full name: ``lookback``, ``costs.slippage``."""
    return {name: replace(choice, name=name) for name, choice in desk.sweeps.choices(strategy).items()}


def named(param: Any) -> str:
    """A parameter with its unit, and of a rule its section: ``Slippage (costs), by kind``."""
    section, dot, name = param.name.rpartition(".")
    text = label(name, param.unit, param.title)
    head, comma, unit = text.partition(", ")
    return f"{head}{f' ({section})' if dot else ''}{comma}{unit}"


def plain(param: Any) -> str:
    """The name of a parameter without its unit, as in a sentence."""
    section, dot, name = param.name.rpartition(".")
    text = label(name, param.unit, param.title).split(",")[0].split(" (")[0] + (f" ({section})" if dot else "")
    return text if text[:2].isupper() else text[0].lower() + text[1:]


def point(parameters: Mapping[str, Any], values: Mapping[str, Any]) -> str:
    """Parameters with their values: ``lookback 48 bars · stop 2 ATR``."""
    return " · ".join(f"{plain(parameters[name])} {rounded(value)} {parameters[name].unit}".rstrip() if name in parameters else f"{name} {value}" for name, value in values.items())


def rounded(value: Any) -> str:
    """A value with four significant digits where it is no integer.

    >>> rounded(4.415054667), rounded(158), rounded("fixed"), rounded(0.00002)
    ('4.415', '158', 'fixed', '0.00002')
    """
    if isinstance(value, float) and not value.is_integer():
        return exact(float(f"{value:.4g}"))
    return exact(value.item() if hasattr(value, "item") else value)


def ranges(parameters: Mapping[str, Any], grid: Mapping[str, Sequence[Any]]) -> str:
    """The varied parameters in a line: ``lookback 8 to 168 (11)``."""
    return " · ".join(f"{plain(parameters[name]) if name in parameters else name} {_ends(list(given))}" for name, given in grid.items())


def _ends(given: list[Any]) -> str:
    numbers = all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in given)
    return f"{rounded(min(given))} to {rounded(max(given))} ({len(given)})" if numbers and len(given) > 1 else ", ".join(rounded(value) for value in given)


def metric_text(metric: Any, value: float | None, currency: str = "USD") -> str:
    """A metric with its unit; a change has its sign."""
    return valued(None if value is None or pd.isna(value) else float(value), metric.unit, currency, metric.key in ("net_return", "annual_return", "net_profit"))


def with_unit(metric: Any) -> str:
    unit = {"share": "%", "R": "R"}.get(metric.unit, "")
    return f"{metric.title}, {unit}" if unit else metric.title


def form(metric: Any) -> str:
    """The Vega format of a metric."""
    if metric.key in ("win_rate", "max_drawdown"):
        return ".1%"
    return FORMATS.get(metric.unit, ",.0f")


def risk(spec: Mapping[str, Any]) -> str:
    sized = spec["sizing"]
    return f"risk {exact(sized['value'] * 100)}{THIN}%" if sized["kind"] == "fraction_at_risk" else f"{sized['kind'].replace('_', ' ')} {exact(sized['value'])}"
