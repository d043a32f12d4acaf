"""Costs of each instrument (section 5): its own, else the common ones; pips converted to price units."""

from __future__ import annotations

from collections.abc import Sequence

from domain.errors import BadRequest
from domain.market.instrument import Instrument
from domain.trading.costs import Costs
from tests.reference.bars import on_grid

IN_PRICES = ("spread", "slippage")


def given(costs: Costs, instrument: Instrument, name: str) -> float | None:
    """As it was written."""
    own = costs.instruments.get(instrument.name, {})
    return own[name] if name in own else getattr(costs, name)


def in_price_units(costs: Costs, instrument: Instrument, name: str) -> float | None:
    """Spread, or slippage that is no multiple of ATR."""
    value = given(costs, instrument, name)
    return value if value is None or costs.unit == "price" else on_grid(value * instrument.pip)


def refuse_mixed_pips(costs: Costs, traded: Sequence[Instrument]) -> None:
    """One number of price units for instruments that differ in their pip is refused."""
    for name in IN_PRICES:
        if costs.unit == "pips" or not getattr(costs, name) or (name == "slippage" and costs.slippage_kind == "atr"):
            continue
        pips = {instrument.pip for instrument in traded if name not in costs.instruments.get(instrument.name, {})}
        if len(pips) > 1:
            raise BadRequest(f"{name} in price units, and pips of {sorted(pips)}")


def spread_of(costs: Costs, instrument: Instrument) -> float:
    """Of bars that carry none."""
    spread = in_price_units(costs, instrument, "spread")
    return instrument.spread if spread is None else spread
