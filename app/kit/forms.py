"""A parameter class drawn as form fields: defaults, bounds, units and help come from its declaration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from app.kit.figures import THIN, exact, typeset
from app.kit.text import literal
from worker.desk.formatting import label as label

WIDE = 4        # fields a row
CHOICES = {
    "tpe": "TPE", "nsga2": "NSGA-II", "nsgaii": "NSGA-II", "gp": "Gaussian process", "cmaes": "CMA-ES", "atr": "ATR",
    "hmm": "hidden Markov model", "mixture": "Gaussian mixture", "bic": "BIC",
    "sharpe": "Sharpe", "net": "Net return", "calmar": "Calmar", "expectancy": "Expectancy", "net_return": "Net return", "profit_factor": "Profit factor",
    "diag": "diagonal", "bps": "basis points of notional", "per_million": "per million of notional", "per_lot": "per lot",
}  # fmt: skip


def stated(param: Any, value: Any) -> str:
    """A parameter in a sentence: its name, value and unit; of one that is on, its name. A share is written in per cent.

    >>> from domain.params import params_of
    >>> from domain.risk.limits import Limits
    >>> limits = {param.name: param for param in params_of(Limits)}
    >>> stated(limits["daily_loss"], 0.01), stated(limits["max_positions"], 2)
    ("daily loss 1\u202f% of the day's start", 'max open positions 2')
    """
    name = label(param.name, param.unit, param.title).split(",")[0].split(" (")[0]
    words = name if name[:2].isupper() else name[0].lower() + name[1:]
    if value is True:
        return words
    if param.unit.startswith("share of ") and isinstance(value, (int, float)):
        return f"{words} {exact(round(value * 100, 6))}{THIN}% of {param.unit.removeprefix('share of ')}"
    return f"{words} {exact(value)} {'' if param.unit in words else param.unit}".rstrip()


def fields(params: Sequence[Any], key: str, values: Mapping[str, Any] | None = None, faults: Mapping[str, str] | None = None, off: bool = False) -> dict[str, Any]:
    """Draw ``params`` (domain parameters of the desk), four a row; the entered values. With ``off`` a default of 0 or of
    no text is shown as off."""
    entered = {}
    for first in range(0, len(params), WIDE):
        for column, param in zip(st.columns(WIDE, vertical_alignment="bottom"), params[first : first + WIDE], strict=False):
            with column:
                entered[param.name] = field(param, f"{key}.{param.name}", (values or {}).get(param.name, param.default), off)
                if faults and param.name in faults:
                    st.markdown(f":small[:red[{literal(faults[param.name])}]]")
    return entered


def field(param: Any, key: str, value: Any, off: bool = False) -> Any:
    """One field by the type of its parameter."""
    text, about = label(param.name, param.unit, param.title), typeset(param.help) or None
    if off and param.type is not bool and not param.choices and not param.default:
        return _may_be_off(param, key, value, text, about)
    if param.choices:
        return st.selectbox(text, list(param.choices), index=list(param.choices).index(value), key=key, help=about, format_func=choice)
    if param.type is bool:
        return st.toggle(text, value, key=key, help=about)
    if param.type is str:
        return st.text_input(text, value, key=key, help=about)
    if param.type is int:
        return st.number_input(text, _integer(param.low), _integer(param.high), None if value is None else int(value), 1, key=key, help=about)
    return st.number_input(text, param.low, param.high, value, step(value), key=key, help=about, format="%g" if value is None or abs(value) < 0.01 else "%.4g")


def _may_be_off(param: Any, key: str, value: Any, text: str, about: str | None) -> Any:
    if param.type is str:
        return st.text_input(text, value, key=key, help=about, placeholder="off")
    integer = param.type is int
    low, high = (_integer(param.low), _integer(param.high)) if integer else (param.low, param.high)
    entered = st.number_input(text, low, high, value or None, 1 if integer else step(value or None), key=key, help=about, placeholder="off", format=None if integer else "%g")
    return param.default if entered is None else entered


def choice(word: Any) -> str:
    """A choice as forms show it: abbreviations in capitals, words with spaces.

    >>> choice("tpe"), choice("nsga2"), choice("fixed_lots"), choice("per_million"), choice(True)
    ('TPE', 'NSGA-II', 'fixed lots', 'per million of notional', 'on')
    """
    if isinstance(word, bool):
        return "on" if word else "off"
    return CHOICES.get(str(word), str(word).replace("_", " "))


def step(value: float | None) -> float:
    """
    >>> step(2.0), step(0.09), step(None)
    (0.1, 0.01, 0.1)
    """
    size = abs(value) if value else 1.0
    return 0.1 if 0.5 <= size < 20 else 1.0 if size >= 20 else 0.01 if size >= 0.01 else 0.00001


def _integer(bound: float | None) -> int | None:
    return None if bound is None else int(bound)


def index_of(options: list, value: Any) -> int:
    return options.index(value) if value in options else 0
