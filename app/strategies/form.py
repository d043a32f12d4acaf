"""The form of a written strategy: what it is for, its conditions with what each says in plain words, its risk."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app.kit.figures import typeset
from app.kit.forms import fields
from app.kit.text import literal
from worker.desk import Desk

CONDITIONS = ("long", "short", "exit_long", "exit_short")
EXAMPLES = dict(long="cross_above(close, sma(50)) and rsi(14) < 70", short="", exit_long="close < lowest(lag(low, 1), 10)", exit_short="")
ANY = "any"


def form(desk: Desk, key: str, start: dict[str, Any]) -> dict[str, Any]:
    """Draw the form; the entered values by their fields in the JSON of a strategy."""
    a, b, c, d = st.columns([2, 2, 1, 2], vertical_alignment="bottom")
    values: dict[str, Any] = dict(name=a.text_input("Name", start.get("name", ""), key=f"{key}-name", max_chars=64), type=b.text_input("Type", start.get("type", ""), key=f"{key}-type", max_chars=40, help="A word of your own, such as breakout."))
    frames = ["", *desk.data.timeframes()]
    values["timeframe"] = c.selectbox("Timeframe", frames, index=frames.index(start.get("timeframe", "")), key=f"{key}-frame", format_func=lambda name: name or ANY, help="What it is written for; on others it runs, too.")
    values["pairs"] = d.text_input("Pairs", ", ".join(start.get("pairs", ())), key=f"{key}-pairs", placeholder=ANY, help="Instruments it is written for, separated by commas.")
    declared = {param.name: param for param in desk.strategies.fields()}
    left, right = st.columns(2, gap="medium")
    for name in CONDITIONS:
        with left if name.endswith("long") else right:
            values[name] = _condition(desk, declared[name], f"{key}-{name}", start.get(name, ""), values["timeframe"])
    values |= fields([param for name, param in declared.items() if name not in CONDITIONS], key, start)
    with st.expander("Functions of conditions", icon=":material/function:"):
        st.caption("Columns open, high, low, close, volume, spread; every feature of the catalogue, as in sma(50) or atr@H4; and, or, not; + − * /; < <= > >= == !=. What is unknown is neither true nor false.")
        st.markdown("\n".join(f"- `{call}` {literal(about)}" for call, about in desk.strategies.functions().items()))
    return values


def _condition(desk: Desk, param: Any, key: str, value: str, timeframe: str) -> str:
    text = st.text_area(param.title, value, key=key, height=68, max_chars=500, help=typeset(param.help), placeholder=EXAMPLES[param.name] or "none")
    words, fault = desk.strategies.read(text, timeframe)
    if fault:
        st.error(literal(typeset(fault)), icon=":material/error:")
    elif words:
        st.caption(f":material/check: {literal(typeset(words))}")
    return str(text)
