"""Edits of an instrument: what may change, what is refused, the differences, and the table as a file."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from domain.errors import BadRequest, unknown
from domain.market.calendar import CALENDARS
from domain.market.instrument import TRIPLE_DAYS, Instrument

KINDS = ("fx", "metal", "index", "future")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9=._-]{0,31}")
CURRENCY = re.compile(r"[A-Z]{3}")
LONGEST = 500           # letters of a text
ABOVE_ZERO = ("tick", "pip", "lot_step", "min_lot", "max_lot", "contract", "leverage")
NOT_NEGATIVE = ("spread", "margin_per_lot")
TITLES = {
    "title": "Title", "kind": "Kind", "base": "Base", "quote": "Currency of prices and P&L", "tick": "Tick, price units", "pip": "Pip, price units", "lot_step": "Lot step, lots", "min_lot": "Min. lot, lots",
    "max_lot": "Max. lot, lots", "contract": "Contract size, units per lot", "margin_class": "Margin class", "leverage": "Leverage", "margin_per_lot": "Margin per lot, quote currency", "spread": "Default spread, price units",
    "swap_long": "Swap long, per lot and night", "swap_short": "Swap short, per lot and night", "triple_day": "Triple swap day", "calendar": "Session calendar",
    "negative_prices": "Negative prices", "group": "Group", "source": "Source",
}  # fmt: skip
TYPES = {field.name: field.type for field in fields(Instrument)}


def edited(before: Instrument, changes: Mapping[str, Any]) -> Instrument:
    """The instrument with ``changes``, checked.

    >>> from domain.market.instrument import instrument
    >>> edited(instrument("EURUSD"), {"swap_long": "-6.5", "source": "broker, 2026-11"}).swap_long
    -6.5
    >>> edited(instrument("EURUSD"), {"pip": 0})
    Traceback (most recent call last):
    ...
    domain.errors.BadRequest: the pip of EURUSD is 0; give a number above 0
    """
    for key in changes:
        if key not in TITLES:
            raise unknown("field of an instrument", key, TITLES)
    after = Instrument(**{**asdict(before), **{key: _value(before.name, key, value) for key, value in changes.items()}})
    check(after)
    return after


def differences(before: Instrument, after: Instrument) -> dict[str, tuple[Any, Any]]:
    """Field -> the value before and after, of those that differ.

    >>> from domain.market.instrument import instrument
    >>> differences(instrument("EURUSD"), edited(instrument("EURUSD"), {"swap_long": -6.5}))
    {'swap_long': (0.0, -6.5)}
    """
    first, second = asdict(before), asdict(after)
    return {name: (first[name], second[name]) for name in TITLES if first[name] != second[name]}


def check(instrument: Instrument) -> None:
    """Refuses numbers that no venue has."""
    name = instrument.name
    if not NAME.fullmatch(name):
        raise BadRequest(f"the name of an instrument is {name!r}; give 1 to 32 letters and digits, as in EURUSD")
    for key in (*ABOVE_ZERO, *NOT_NEGATIVE, "swap_long", "swap_short"):
        _check_number(name, key, getattr(instrument, key))
    _check_sizes(instrument)
    for key, choices in (("kind", KINDS), ("triple_day", tuple(TRIPLE_DAYS)), ("calendar", tuple(CALENDARS))):
        if getattr(instrument, key) not in choices:
            raise unknown(f"{key.replace('_', ' ')} of an instrument", getattr(instrument, key), choices)
    if not CURRENCY.fullmatch(instrument.quote):
        raise BadRequest(f"the currency of {name} is {instrument.quote!r}; give three capital letters, as in USD")
    if not instrument.source.strip():
        raise BadRequest(f"{name} has no source; say where its numbers come from")


def table_text(table: Mapping[str, Instrument]) -> str:
    """A table of instruments as TOML, as ``instruments`` reads it.

    >>> from domain.market.instrument import instrument
    >>> table_text({"ES=F": instrument("ES=F")}).splitlines()[3:5]
    ['["ES=F"]', 'title = "E-mini S&P 500 future"']
    """
    classes = {row.margin_class: row.leverage for row in table.values()}
    lines = ["[leverage]", *(f"{json.dumps(name)} = {value!r}" for name, value in sorted(classes.items()))]
    for name, row in sorted(table.items()):
        lines += ["", f"[{json.dumps(name)}]", *(f"{key} = {_toml(getattr(row, key))}" for key in TITLES)]
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(float(value))


def _value(name: str, key: str, value: Any) -> Any:
    """A value as entered, of the type of its field."""
    if TYPES[key] == "str":
        text = str(value).strip()
        if len(text) > LONGEST or not text.isprintable():
            raise BadRequest(f"the {key.replace('_', ' ')} of {name} is {text[:40]!r}; give at most {LONGEST} printable letters")
        return text
    if TYPES[key] == "bool":
        if str(value).lower() not in ("true", "false"):
            raise BadRequest(f"{key.replace('_', ' ')} of {name} is {value!r}; give true or false")
        return str(value).lower() == "true"
    try:
        return float(value)
    except (TypeError, ValueError):
        raise BadRequest(f"the {key.replace('_', ' ')} of {name} is {value!r}; give a number") from None


def _check_number(name: str, key: str, value: float) -> None:
    word = key.replace("_", " ")
    if not math.isfinite(value) or abs(value) > 1e12:
        raise BadRequest(f"the {word} of {name} is {value:g}; give a number up to a million million")
    if key in ABOVE_ZERO and value <= 0:
        raise BadRequest(f"the {word} of {name} is {value:g}; give a number above 0")
    if key in NOT_NEGATIVE and value < 0:
        raise BadRequest(f"the {word} of {name} is {value:g}; give 0 or more")


def _check_sizes(row: Instrument) -> None:
    """Lots and prices must be whole multiples of their steps."""
    for key, whole, step in (("pip", row.pip, row.tick), ("min. lot", row.min_lot, row.lot_step), ("max. lot", row.max_lot, row.lot_step)):
        if abs(whole / step - round(whole / step)) > 1e-6 or whole < step * (1 - 1e-9):
            raise BadRequest(f"the {key} of {row.name} is {whole:g}, which is no whole multiple of its {'tick' if key == 'pip' else 'lot step'}, {step:g}; change one of them")
    if row.max_lot < row.min_lot:
        raise BadRequest(f"the max. lot of {row.name} is {row.max_lot:g}, below its min. lot, {row.min_lot:g}; change one of them")
