"""A parameter class drawn as form fields: defaults, bounds, units and help come from its declaration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from app.figures import exact
from app.text import literal

WIDE = 4        # fields a row


def label(name: str, unit: str, title: str = "") -> str:
    """
    >>> label("stop_atr", "ATR"), label("max_bars", "bars", "Leave after"), label("seed", "")
    ('Stop, ATR', 'Leave after, bars', 'Seed')
    """
    words = name.split("_")
    if len(words) > 1 and words[-1].lower() == unit.lower():
        words = words[:-1]
    text = title or " ".join(words).capitalize()
    return f"{text}, {unit}" if unit else text


def told(one: Any, value: Any) -> str:
    """One parameter in a sentence: what it is called, its value, its unit."""
    name = label(one.name, one.unit, one.title).split(",")[0]
    words = name if name[:2].isupper() else name[0].lower() + name[1:]
    return f"{words} {exact(value)} {one.unit}".rstrip()


def fields(params: Sequence[Any], key: str, values: Mapping[str, Any] | None = None, faults: Mapping[str, str] | None = None, off: bool = False) -> dict[str, Any]:
    """Draw ``params`` (domain parameters, as the desk hands them out), four a row; what the person entered. With ``off`` a default of 0 or of
    no text is shown as off."""
    entered = {}
    for first in range(0, len(params), WIDE):
        for column, one in zip(st.columns(WIDE, vertical_alignment="bottom"), params[first : first + WIDE], strict=False):
            with column:
                entered[one.name] = field(one, f"{key}.{one.name}", (values or {}).get(one.name, one.default), off)
                if faults and one.name in faults:
                    st.caption(f":red[{literal(faults[one.name])}]")
    return entered


def field(one: Any, key: str, value: Any, off: bool = False) -> Any:
    """One field by the type of its parameter."""
    text, told = label(one.name, one.unit, one.title), one.help or None
    if off and one.type is not bool and not one.choices and not one.default:
        return _may_be_off(one, key, value, text, told)
    if one.choices:
        return st.selectbox(text, list(one.choices), index=list(one.choices).index(value), key=key, help=told, format_func=lambda word: word.replace("_", " "))
    if one.type is bool:
        return st.toggle(text, value, key=key, help=told)
    if one.type is str:
        return st.text_input(text, value, key=key, help=told)
    if one.type is int:
        return st.number_input(text, _whole(one.low), _whole(one.high), None if value is None else int(value), 1, key=key, help=told)
    return st.number_input(text, one.low, one.high, value, step(value), key=key, help=told, format="%g" if value is None or abs(value) < 0.01 else "%.4g")


def _may_be_off(one: Any, key: str, value: Any, text: str, told: str | None) -> Any:
    if one.type is str:
        return st.text_input(text, value, key=key, help=told, placeholder="off")
    whole = one.type is int
    low, high = (_whole(one.low), _whole(one.high)) if whole else (one.low, one.high)
    entered = st.number_input(text, low, high, value or None, 1 if whole else step(value or None), key=key, help=told, placeholder="off", format=None if whole else "%g")
    return one.default if entered is None else entered


def step(value: float | None) -> float:
    """
    >>> step(2.0), step(0.09), step(None)
    (0.1, 0.01, 0.1)
    """
    size = abs(value) if value else 1.0
    return 0.1 if 0.5 <= size < 20 else 1.0 if size >= 20 else 0.01 if size >= 0.01 else 0.00001


def _whole(bound: float | None) -> int | None:
    return None if bound is None else int(bound)
