"""What a MetaTrader broker calls an instrument, and what it says of it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from domain.errors import BadRequest, listed
from domain.market.instrument import Instrument, instruments
from domain.venues.metatrader_link import Link

BID_BARS = 0                            # chart_mode: bars of the bid; else of the last price
FOK, IOC, RETURN = 0, 1, 2              # type_filling
FOK_FLAG, IOC_FLAG = 1, 2               # filling_mode
MARKET_EXECUTION = 2


@dataclass(frozen=True)
class Specification:
    """A symbol as its broker specifies it: prices in quote currency, sizes in lots, swaps in the broker's own unit."""

    symbol: str
    digits: int
    point: Decimal                      # smallest step of its prices
    contract: Decimal                   # units a lot
    lot_step: Decimal
    min_lot: Decimal
    max_lot: Decimal
    stops_level: int                    # points between the price and the nearest stop that is accepted
    fillings: tuple[int, ...]           # type_filling of orders at the market, the one that fills in part first
    bid_bars: bool
    swap_long: Decimal
    swap_short: Decimal
    swap_mode: int

    @classmethod
    def of(cls, info: Any) -> Specification:
        """From a ``SymbolInfo``."""
        modes = [IOC] * bool(info.filling_mode & IOC_FLAG) + [FOK] * bool(info.filling_mode & FOK_FLAG)
        if info.trade_exemode != MARKET_EXECUTION:
            modes = [IOC, FOK, RETURN]
        return cls(
            info.name, int(info.digits), exact(info.point), exact(info.trade_contract_size), exact(info.volume_step), exact(info.volume_min),
            exact(info.volume_max), int(info.trade_stops_level), tuple(modes or [RETURN]), info.chart_mode == BID_BARS,
            exact(info.swap_long), exact(info.swap_short), int(info.swap_mode),
        )  # fmt: skip

    def price(self, value: Decimal | float) -> Decimal:
        """A price as the broker quotes it, rounded to its digits.

        >>> from types import SimpleNamespace
        >>> yen = Specification("USDJPY", 3, Decimal("0.001"), *(Decimal(1),) * 4, 0, (1,), True, *(Decimal(0),) * 2, 0)
        >>> yen.price(Decimal("151.2345678")), yen.price(149.0)
        (Decimal('151.235'), Decimal('149.000'))
        """
        return Decimal(str(value)).quantize(Decimal(1).scaleb(-self.digits), ROUND_HALF_EVEN)

    def check_lots(self, lots: Decimal) -> None:
        """BadRequest for a size that the broker never takes, however much money there is."""
        if lots < self.min_lot or lots % self.lot_step:
            raise BadRequest(f"{self.symbol} is traded in steps of {self.lot_step:f} lots from {self.min_lot:f} at this broker, not in {lots:f}; round the lots down")


def find_symbol(link: Link, instrument: Instrument) -> Specification:
    """The broker's symbol for an instrument: of that name, or the only one of its currencies whose name begins with it (EURUSDm, EURUSD.a)."""
    info = link.ask("symbol_info", instrument.name, absent=None)
    if not info:
        alike = [each for each in link.ask("symbols_get", group=f"{instrument.name}*") if _is(each, instrument)]
        if len(alike) != 1:
            reason = f"it has {listed(each.name for each in alike)} and does not say which is meant" if alike else "it has none whose name begins so"
            raise BadRequest(f"this MetaTrader broker has no symbol {instrument.name}; {reason}. Choose an instrument that it offers")
        info = alike[0]
    if not info.visible:
        link.ask("symbol_select", info.name, True)
    return Specification.of(info)


def instrument_of(symbol: str) -> str:
    """Our name of a broker's symbol: the longest name of an instrument with which it begins; itself where there is none.

    >>> instrument_of("EURUSDm"), instrument_of("BTCUSD")
    ('EURUSD', 'BTCUSD')
    """
    names = [name for name in instruments() if symbol.startswith(name)]
    return max(names, key=len, default=symbol)


def exact(value: float) -> Decimal:
    """A number of the package as the decimal that it stands for.

    >>> exact(0.1), exact(100000.0)
    (Decimal('0.1'), Decimal('1E+5'))
    """
    return Decimal(str(float(value))).normalize()


def _is(info: Any, instrument: Instrument) -> bool:
    return info.currency_base == instrument.base and info.currency_profit == instrument.quote
