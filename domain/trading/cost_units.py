"""Costs from one unit to another: overrides of settings, values for a form, and values stored before there was a unit."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from domain.params import build, values_of
from domain.trading.costs import OTHER_UNITS, Costs, OwnByInstrument

if TYPE_CHECKING:
    from domain.market.instrument import Instrument

IN_UNIT = ("spread", "slippage")        # what the unit is of; slippage as a multiple of ATR has none


def overlaid(base: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Costs with some values changed. Where that changes the unit, spread and slippage of the old one do not carry over.

    >>> overlaid({"unit": "price", "slippage": 0.0001, "seed": 3}, {"unit": "pips", "spread": 0.8})
    {'unit': 'pips', 'seed': 3, 'spread': 0.8}
    """
    values = Costs.arranged(values)
    unit = OTHER_UNITS.get(values.get("unit", ""), values.get("unit", base.get("unit")))
    old = base if unit == base.get("unit") else {name: value for name, value in base.items() if name not in (*IN_UNIT, "instruments")}
    own = {**old.get("instruments", {}), **values["instruments"]} if isinstance(values.get("instruments"), Mapping) else None
    return {**old, **values, **({} if own is None else {"instruments": own})}


def in_pips(values: Mapping[str, Any], instruments: Sequence[Instrument]) -> dict[str, Any]:
    """Costs of these instruments with spread and slippage in pips, those of the first for all and what differs as the others' own."""
    built = build(Costs, without_unit(values, [instrument.name for instrument in instruments]))
    if built.unit == "pips" or not instruments:
        return values_of(built)
    names = IN_UNIT[:1] if built.slippage_kind == "atr" else IN_UNIT
    by_name = {instrument.name: instrument for instrument in instruments}
    pips = {symbol: {name: _or_none(built.value_for(name, symbol), by_name[symbol].pip) for name in names} for symbol in by_name}
    common, own = pips[instruments[0].name], dict[str, dict[str, float]]()
    for symbol in by_name:
        rest = {name: value for name, value in built.instruments.get(symbol, {}).items() if name not in names}
        own[symbol] = rest | {name: value for name, value in pips[symbol].items() if value != common[name] and value is not None}
    return {**values_of(built), **common, "unit": "pips", "instruments": OwnByInstrument({symbol: values for symbol, values in own.items() if values})}


def _or_none(value: float | None, pip: float) -> float | None:
    return None if value is None else round(value / pip, 9)


def without_unit(values: Mapping[str, Any], instruments: Sequence[str], varied: Collection[str] = ()) -> dict[str, Any]:
    """Costs with the unit that they had before it was written down: price units, of several instruments each the same number.
    A sweep may vary ``costs.slippage`` or ``costs.spread``; what is ``varied`` stays one number for all.

    >>> without_unit({"slippage": 0.1, "spread": None}, ["EURUSD", "USDJPY"])
    {'slippage': 0.1, 'spread': None, 'unit': 'price', 'instruments': {'EURUSD': {'slippage': 0.1}, 'USDJPY': {'slippage': 0.1}}}
    >>> without_unit({"slippage": 0.1, "unit": "pips"}, ["EURUSD"])
    {'slippage': 0.1, 'unit': 'pips'}
    """
    if "unit" in values:
        return dict(values)
    own = {name: values[name] for name in IN_UNIT if values.get(name) and f"costs.{name}" not in varied and len(instruments) > 1}
    return {**values, "unit": "price", **({"instruments": {name: dict(own) for name in instruments}} if own else {})}


def space_in_pips(space: Mapping[str, Any], costs: Mapping[str, Any], pips: Sequence[float]) -> dict[str, Any]:
    """A grid, or a space to search, with its spreads and slippages in pips where ``costs`` are in price units. ``pips``: of the instruments.

    >>> space_in_pips({"fast": [5], "costs.slippage": [0.0001, 0.0002]}, {"slippage_kind": "fixed"}, [0.0001])
    {'fast': [5], 'costs.slippage': [1.0, 2.0]}
    """
    names = [f"costs.{name}" for name in IN_UNIT if name == "spread" or costs.get("slippage_kind", "fixed") != "atr"]
    if costs.get("unit", "price") == "pips" or not pips:
        return dict(space)
    return {name: _scaled(given, pips[0]) if name in names else given for name, given in space.items()}


def _scaled(given: Any, pip: float) -> Any:
    if isinstance(given, Mapping):
        return {name: _scaled(value, pip) for name, value in given.items()}
    if isinstance(given, (list, tuple)):
        return [_scaled(value, pip) for value in given]
    return round(given / pip, 9) if isinstance(given, (int, float)) and not isinstance(given, bool) else given
