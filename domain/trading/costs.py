"""Trading costs: spread, slippage, commission and swap."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from domain.errors import BadRequest, listed, unknown
from domain.params import build, param, params_of, values_of

if TYPE_CHECKING:
    from domain.market.instrument import Instrument

SLIPPAGE = ("fixed", "atr", "random")
COMMISSION = ("per_lot", "per_million", "bps")
UNITS = ("price", "pips")
OTHER_WORDS = {"lot": "per_lot", "million": "per_million", "basis_points": "bps"}
OTHER_UNITS = {"pip": "pips", "price_units": "price", "price units": "price"}


@dataclass(frozen=True)
class OwnCosts:
    """Costs of one instrument where they differ from the common ones; empty: as common."""

    spread: float | None = param(None, low=0.0, high=1e6, unit="price units or pips", help="for bars that carry none")
    slippage: float | None = param(None, low=0.0, high=1e6, unit="by kind", help="always adverse")
    commission_per_lot: float | None = param(None, low=0.0, high=1e6, unit="by kind", help="booked at each fill")
    swap_long: float | None = param(None, low=-1e6, high=1e6, unit="quote currency per lot and night", help="negative is paid")
    swap_short: float | None = param(None, low=-1e6, high=1e6, unit="quote currency per lot and night", help="negative is paid")


class InstrumentCosts(NamedTuple):
    """Costs of one instrument. Spread, and slippage that is no multiple of ATR, in its price units."""

    spread: float
    slippage: float
    commission_per_lot: float
    swap_long: float
    swap_short: float


class OwnByInstrument(dict[str, dict[str, float]]):
    """Instrument -> its own costs, as plain values. Hashable; it does not change once it is built."""

    word = 'table like {"EURUSD": {"spread": 0.8}}'

    def __init__(self, values: Mapping[str, Any] | str = {}) -> None:
        given = dict(json.loads(values) if isinstance(values, str) else values)
        super().__init__({name: _own(name, given[name]) for name in sorted(given)})

    def __hash__(self) -> int:      # type: ignore[override]
        return hash(tuple((name, tuple(own.items())) for name, own in self.items()))

    def _fixed(self, *_: object, **__: object) -> NoReturn:
        raise TypeError("the costs of instruments are fixed once they are built; build new ones")

    __setitem__ = __delitem__ = update = pop = popitem = clear = setdefault = __ior__ = _fixed

    def __reduce__(self) -> tuple[type, tuple[dict[str, dict[str, float]]]]:
        return OwnByInstrument, (dict(self),)


@dataclass(frozen=True)
class Costs:
    """Spread, slippage, commission and swap, of all instruments and of single ones. Spread and swap left empty come from the bars and from the instrument.

    >>> costs = build(Costs, {"unit": "pips", "slippage": 0.2, "USDJPY": {"slippage": 0.5}})
    >>> from domain.market.instrument import instrument
    >>> costs.of(instrument("EURUSD")).slippage, costs.of(instrument("USDJPY")).slippage
    (2e-05, 0.005)
    """

    spread: float | None = param(None, low=0.0, high=1e6, unit="price units or pips", help="for bars that carry none; empty: the instrument's default")
    slippage: float = param(0.0, low=0.0, high=1e6, unit="by kind", help="always adverse; a multiple of ATR, or the maximum if random")
    slippage_kind: str = param("fixed", choices=SLIPPAGE, unit="", help="fixed, a multiple of ATR, or random up to the amount")
    slippage_window: int = param(14, low=1, high=10_000, unit="bars", help="ATR length for slippage of kind atr")
    seed: int = param(0, low=0, high=2**53 - 1, unit="", help="seed of random slippage")
    commission_per_lot: float = param(0.0, low=0.0, high=1e6, unit="by kind", help="booked at each fill")
    commission_kind: str = param("per_lot", choices=COMMISSION, aliases=OTHER_WORDS, unit="", help="account currency per lot and side, per million of notional, or basis points of notional")
    swap_long: float | None = param(None, low=-1e6, high=1e6, unit="quote currency per lot and night", help="negative is paid; empty: the instrument's")
    swap_short: float | None = param(None, low=-1e6, high=1e6, unit="quote currency per lot and night", help="negative is paid; empty: the instrument's")
    unit: str = param("price", choices=UNITS, aliases=OTHER_UNITS, unit="", help="unit of spread and of fixed or random slippage: price units, or pips of each instrument")
    instruments: OwnByInstrument = param(OwnByInstrument(), unit="", help="costs of single instruments, as [costs.EURUSD]")

    @classmethod
    def arranged(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        """``[costs.EURUSD]`` and the like gathered under ``instruments``."""
        own = {name: value for name, value in values.items() if isinstance(value, Mapping) and name != "instruments"}
        rest = {name: value for name, value in values.items() if name not in own}
        return {**rest, "instruments": {**(rest.get("instruments") or {}), **own}} if own else rest

    def value_for(self, name: str, instrument: str) -> Any:
        """The value of ``name`` that holds for this instrument, in its unit: its own, else that of all."""
        own = self.instruments.get(instrument, {})
        return own.get(name, getattr(self, name))

    def of(self, instrument: Instrument) -> InstrumentCosts:
        """The costs of one instrument; an empty spread or swap is its default."""
        spread, slippage = self.value_for("spread", instrument.name), self.value_for("slippage", instrument.name)
        return InstrumentCosts(
            instrument.spread if spread is None else self._in_price(spread, instrument),
            slippage if self.slippage_kind == "atr" else self._in_price(slippage, instrument),
            self.value_for("commission_per_lot", instrument.name),
            _or(self.value_for("swap_long", instrument.name), instrument.swap_long), _or(self.value_for("swap_short", instrument.name), instrument.swap_short),
        )  # fmt: skip

    def _in_price(self, value: float, instrument: Instrument) -> float:
        return round(value * instrument.pip * 1e9) / 1e9 if self.unit == "pips" else value

    def check(self, instruments: Iterable[Instrument]) -> None:
        """Refuse one number of price units for instruments whose pips differ."""
        traded = {instrument.name: instrument for instrument in instruments}
        for name in ("spread", "slippage"):
            sharing = [item for item in traded.values() if name not in self.instruments.get(item.name, {})]
            value = getattr(self, name)
            if self.unit == "price" and value and len({item.pip for item in sharing}) > 1 and not (name == "slippage" and self.slippage_kind == "atr"):
                pips = listed([f"{item.name} ({_plain(item.pip)})" for item in sharing], 8)
                raise BadRequest(
                    f'[costs] {name} is {_plain(value)} price units for instruments whose pips differ: {pips}. Set unit = "pips" and give it in pips, or give each instrument its own, '
                    f"such as [costs.{sharing[-1].name}] {name} = …"
                )

    def check_names(self, instruments: Iterable[str]) -> None:
        """Refuse costs of an instrument that there is not."""
        names = tuple(instruments)
        for name in self.instruments:
            if name not in names:
                raise unknown("instrument of [costs]", name, names)

    def changed(self, instruments: Iterable[Instrument], name: str, change: Callable[[float, Instrument], float]) -> Costs:
        """These costs with ``name`` changed for each instrument; ``change`` gets its value in the unit of these costs."""
        own = {key: dict(value) for key, value in self.instruments.items()}
        for instrument in instruments:
            own.setdefault(instrument.name, {})[name] = change(self.value_for(name, instrument.name), instrument)
        return replace(self, instruments=OwnByInstrument(own))


def _own(instrument: str, values: Any) -> dict[str, float]:
    if not isinstance(values, Mapping):
        raise BadRequest(f"[costs] {instrument} is {values!r}; it must be a section, [costs.{instrument}]")
    for name in values:
        if name in {param.name for param in params_of(Costs)} - {own.name for own in params_of(OwnCosts)}:
            raise BadRequest(f"[costs.{instrument}] {name} holds for all instruments; set it in [costs]")
    try:
        return {name: value for name, value in values_of(build(OwnCosts, values)).items() if value is not None}
    except BadRequest as error:
        raise type(error)(f"[costs.{instrument}] {error}") from None


def _or(value: float | None, default: float) -> float:
    return default if value is None else value


def _plain(value: float) -> str:
    """
    >>> _plain(0.00002)
    '0.00002'
    """
    return f"{value:.10f}".rstrip("0").rstrip(".")
