"""The parameters of a strategy in rows, each with one value or a range."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice, product
from typing import Any

import streamlit as st

from app.kit.figures import typeset
from app.kit.forms import choice, index_of, step
from app.sweeps.names import declared, named, plain
from app.sweeps.ranges import even, listed, range_around, values
from worker.desk import Desk

WIDTHS = [2.5, 0.6, 1.3, 1.3, 1.3, 1.1]
WIDE = [2.5, 0.6, 4.215, 1.1]        # where one field takes the place of Min, Max and Step
HEADS = {"optimise": ("Parameter", "Vary", "Value / Min", "Max", "Step (0 = continuous)", "Log scale")}


@dataclass
class Varied:
    """The entered parameters: values of a grid, a space to search, fixed values, and errors."""

    grid: dict[str, list[Any]] = field(default_factory=dict)
    space: dict[str, Any] = field(default_factory=dict)
    fixed: dict[str, Any] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def corners(self) -> list[dict[str, Any]]:
        """Some combinations at the corners of the grid or space."""
        ends = {name: (given[0], given[-1]) for name, given in self.grid.items()} or {name: _ends(given) for name, given in self.space.items()}
        return [dict(zip(ends, point, strict=True)) for point in islice(product(*ends.values()), 32)]


def parameters(desk: Desk, key: str, kind: str, strategy: str, before: Mapping[str, Any], rules: Mapping[str, Any]) -> Varied:
    params = declared(desk, strategy)
    same = before if before.get("strategy") == strategy else {}
    given = same.get("space") or same.get("grid") or {}
    given = given if isinstance(given, Mapping) else {}
    own = [param for name, param in params.items() if "." not in name]
    at_first = set(given) or _first(own)
    varied = Varied()
    with st.container(gap="xxsmall", key=f"varied-{kind}"):
        with st.container(key="varied-head"):
            for column, head in zip(st.columns(WIDTHS), HEADS.get(kind, ("Parameter", "Vary", "Value / Min", "Max", "Step", "Values")), strict=True):
                column.caption(head)
        for param in own:
            _row(param, kind, f"{key}.{param.name}", same.get("params", {}).get(param.name, param.default), given.get(param.name), param.name in at_first, varied)
    settings = {name: param for name, param in params.items() if "." in name and (param.choices or param.type in (int, float, bool))}
    more = st.multiselect("Also vary cost, sizing or limit settings", list(settings), [name for name in given if name in settings], key=f"{key}-rules", format_func=lambda name: named(settings[name]), placeholder="costs, sizes, limits …", help="Each combination is then a strategy with its costs, sizing or limits.")
    for name in more:
        section, _, rule = name.partition(".")
        _row(settings[name], kind, f"{key}.{name}", rules.get(section, {}).get(rule, settings[name].default), given.get(name), None, varied)
    return varied


def _first(own: Sequence[Any]) -> set[str]:
    """Parameters that a new form varies: the first, and the stop or else the second, so that there is a map."""
    stops = [param.name for param in own[1:] if param.name.startswith("stop")]
    return {own[0].name, *(stops[:1] or [param.name for param in own[1:2]])} if own else set()


def _row(param: Any, kind: str, key: str, value: Any, given: Any, vary: bool | None, varied: Varied) -> None:
    """One parameter. ``vary`` None: it is always varied."""
    uneven = kind != "optimise" and isinstance(given, Sequence) and bool(given) and param.type in (int, float) and even(given) is None
    picked = st.session_state.get(f"{key}-vary", vary is None or vary)
    wide = picked and (uneven or bool(param.choices) or param.type is bool)
    cells = st.columns(WIDE if wide else WIDTHS, vertical_alignment="center")
    cells[0].markdown(named(param), help=typeset(param.help) or None)
    chosen = True if vary is None else cells[1].checkbox(f"Vary {plain(param)}", vary, key=f"{key}-vary", label_visibility="collapsed")
    if not chosen:
        with cells[2]:
            varied.fixed[param.name] = _bare(param, f"{key}-value", value)
    elif param.choices or param.type is bool:
        _words(param, cells[2], key, given, varied)
    elif uneven:
        _listed(param, cells[2:], key, given, varied)
    elif kind == "optimise":
        _searched(param, cells[2:], key, value, given, varied)
    else:
        _ranged(param, cells[2:], key, value, given, varied)


def _bare(param: Any, key: str, value: Any) -> Any:
    if param.choices or param.type in (bool, str):
        return _word(param, key, value)
    return _number(f"{_first_upper(param)}, value", param, key, value)


def _word(param: Any, key: str, value: Any) -> Any:
    """One value of a choice, a switch or a text, beside the name of its parameter."""
    text = f"{_first_upper(param)}, value"
    if param.choices:
        return st.selectbox(text, list(param.choices), index_of(list(param.choices), value), key=key, label_visibility="collapsed", format_func=choice)
    if param.type is bool:
        return st.toggle(text, value, key=key, label_visibility="collapsed")
    return st.text_input(text, value, key=key, label_visibility="collapsed")


def _number(text: str, param: Any, key: str, value: Any, low: float | None = None, free: bool = False) -> Any:
    integer = param.type is int
    bounds = (None, None) if free else (param.low, param.high)
    kind: Any = int if integer else float
    least, most = (None if end is None else kind(end) for end in (low if low is not None else bounds[0], bounds[1]))
    start: Any = None if value is None else kind(value)
    size: dict[str, Any] = dict(step=1) if integer else dict(step=step(value), format="%g")
    return st.number_input(text, least, most, start, key=key, label_visibility="collapsed", **size)


def _words(param: Any, cell: Any, key: str, given: Any, varied: Varied) -> None:
    options = list(param.choices) if param.choices else [False, True]
    before = given.get("choices") if isinstance(given, Mapping) else given
    start = [value for value in before if value in options] if isinstance(before, Sequence) else options
    picked = cell.multiselect(plain(param), options, start, key=f"{key}-words", label_visibility="collapsed", format_func=choice)
    if not picked:
        varied.faults.append(f"{named(param)} has no value. Choose at least one.")
    varied.grid[param.name], varied.space[param.name] = picked, dict(choices=picked)


def _listed(param: Any, cells: Sequence[Any], key: str, given: Sequence[Any], varied: Varied) -> None:
    """Unevenly spaced values, as from a run or the terminal."""
    text = cells[0].text_input(f"{_first_upper(param)}, values", ", ".join(f"{value:g}" for value in given), key=f"{key}-list", label_visibility="collapsed", help=None)
    numbers, fault = listed(text, param.type is int)
    cells[1].caption(":red[:material/error: see below]" if fault else f"{len(numbers):,}")
    if fault:
        varied.faults.append(f"{named(param).split(',')[0]}: {fault}")
    varied.grid[param.name] = numbers


def _ranged(param: Any, cells: Sequence[Any], key: str, value: Any, given: Any, varied: Varied) -> None:
    before = even(given) if isinstance(given, Sequence) and given else None
    low, high, increment = _three(param, cells, key, before or range_around(value, param.low, param.high, param.type is int))
    numbers, fault = values(low, high, increment, param.type is int)
    cells[3].caption(":red[:material/error: see below]" if fault else f"{len(numbers):,}")
    if fault:
        varied.faults.append(f"{named(param).split(',')[0]}: {fault}")
    varied.grid[param.name] = numbers


def _searched(param: Any, cells: Sequence[Any], key: str, value: Any, given: Any, varied: Varied) -> None:
    before = _range_of(given) or range_around(value, param.low, param.high, param.type is int)
    low, high, increment = _three(param, cells, key, (before[0], before[1], (1 if param.type is int else 0.0) if len(before) < 4 else before[2]))
    log = cells[3].checkbox(f"{plain(param)}, logarithmic", bool(before[3]) if len(before) > 3 else False, key=f"{key}-log", label_visibility="collapsed", help="Small values are tried as often as large ones. Min must be above 0, and Step 0 or 1.")
    if None in (low, high, increment):
        varied.faults.append(f"{named(param).split(',')[0]}: Min, Max and Step must each have a number.")
    elif not low < high:
        varied.faults.append(f"{named(param).split(',')[0]}: Min is {low:g} and Max {high:g}. Make Min the smaller one.")
    varied.space[param.name] = dict(low=low, high=high, step=0 if log or (param.type is int and increment == 1) else increment, log=log)


def _three(param: Any, cells: Sequence[Any], key: str, start: Sequence[float]) -> tuple[Any, Any, Any]:
    entered = []
    for cell, word, value in zip(cells, ("min", "max", "step"), start, strict=False):
        with cell:
            entered.append(_number(f"{_first_upper(param)}, {word}", param, f"{key}-{word}", value, 0 if word == "step" else None, word == "step"))
    return entered[0], entered[1], entered[2]


def _first_upper(param: Any) -> str:
    name = plain(param)
    return name[:1].upper() + name[1:]


def _range_of(given: Any) -> tuple[Any, ...] | None:
    if isinstance(given, Mapping) and "low" in given:
        return given["low"], given["high"], given.get("step", 0), given.get("log", False)
    if isinstance(given, Sequence) and len(given) > 1 and all(isinstance(value, (int, float)) for value in given):
        return min(given), max(given)
    return None


def _ends(given: Mapping[str, Any]) -> tuple[Any, Any]:
    return (given["choices"][0], given["choices"][-1]) if "choices" in given else (given["low"], given["high"])
