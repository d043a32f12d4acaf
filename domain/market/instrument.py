"""What is traded, and the arithmetic its venue imposes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from domain.errors import BadRequest, unknown
from domain.parsing import toml_of

TABLE = Path(__file__).with_name("instruments.toml")
TRIPLE_DAYS = {"wednesday": 2, "friday": 4, "none": -1}


@dataclass(frozen=True)
class Instrument:
    """One row of the instrument table. Prices are in ``quote`` per unit of ``base``; one lot is ``contract`` units.

    >>> eurusd = instruments()["EURUSD"]
    >>> eurusd.digits, eurusd.pip, eurusd.contract
    (5, 0.0001, 100000.0)
    """

    name: str
    title: str
    kind: str                   # fx, metal, index, future
    base: str                   # what one unit is: EUR, XAU, an index, a barrel
    quote: str                  # the currency of its prices, and of profit and loss
    tick: float                 # smallest price step, price units
    pip: float                  # the step people quote spreads in, price units
    lot_step: float             # sizes are whole multiples of this, lots
    min_lot: float              # lots
    max_lot: float              # lots
    contract: float             # units per lot
    margin_class: str           # key of the leverage table
    leverage: float             # the most this class allows, notional over margin
    spread: float               # used where bars carry none, price units
    swap_long: float            # quote currency per lot and night, negative is paid
    swap_short: float
    triple_day: str             # wednesday, friday or none
    calendar: str               # name of its session calendar
    source: str                 # where these numbers come from
    margin_per_lot: float = 0.0  # quote currency; 0: by leverage
    negative_prices: bool = False
    group: str = ""             # instruments that tend to move together; see ``group_of``

    @property
    def digits(self) -> int:
        """Decimals of a price, for people.

        >>> instruments()["ES=F"].digits
        2
        """
        return max(0, -int(Decimal(str(self.tick)).normalize().as_tuple().exponent))


@cache
def instruments(extra: str = "") -> Mapping[str, Instrument]:
    """Every instrument by name: the shipped table, then the rows of the file ``extra`` over it."""
    table = _rows(TABLE)
    if extra:
        table = {**table, **_rows(Path(extra), table)}
    return table


def instrument(name: str, extra: str = "") -> Instrument:
    """The instrument of that name; one without a specification is an error, never a guess.

    >>> instrument("EURUDS")
    Traceback (most recent call last):
    ...
    domain.errors.UnknownName: no instrument named 'EURUDS'; did you mean 'EURUSD'?
    """
    table = instruments(extra)
    if name not in table:
        raise unknown("instrument", name, table)
    return table[name]


def group_of(instrument: Instrument) -> str:
    """The group in which its positions are counted: its own, else of a currency pair whether the dollar is in it, else its kind.

    >>> [group_of(instruments()[name]) for name in ("EURUSD", "EURJPY", "XAUUSD", "GC=F", "US500")]
    ['fx_usd', 'fx_cross', 'metal', 'metal', 'index']
    """
    if instrument.group or instrument.kind != "fx":
        return instrument.group or instrument.kind
    return "fx_usd" if "USD" in (instrument.base, instrument.quote) else "fx_cross"


def _rows(path: Path, shipped: Mapping[str, Instrument] | None = None) -> dict[str, Instrument]:
    try:
        document = toml_of(path.read_text(encoding="utf-8"), f"the instrument table {path}")
    except OSError as error:
        raise BadRequest(f"the instrument table {path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise BadRequest(f"the instrument table {path} is not TOML: it is not UTF-8 text") from None
    classes = {**({i.margin_class: i.leverage for i in shipped.values()} if shipped else {}), **document.pop("leverage", {})}
    return {name: _instrument(path, name, row, classes) for name, row in document.items()}


def _instrument(path: Path, name: str, row: Mapping[str, Any], classes: Mapping[str, float]) -> Instrument:
    required = {f.name for f in fields(Instrument)} - {"name", "leverage", "margin_per_lot", "negative_prices", "group"}
    if missing := sorted(required - set(row)):
        raise BadRequest(f"{path.name}: {name} has no {', '.join(missing)}; every instrument needs all of its numbers")
    for key in row:
        if key not in {f.name for f in fields(Instrument)}:
            raise unknown(f"column of {path.name}", key, [f.name for f in fields(Instrument)])
    if row["margin_class"] not in classes:
        raise unknown(f"margin class in [leverage] of {path.name}", row["margin_class"], classes)
    if row["triple_day"] not in TRIPLE_DAYS:
        raise unknown("triple_day", row["triple_day"], TRIPLE_DAYS)
    numbers = {f.name: float(row[f.name]) for f in fields(Instrument) if f.type == "float" and f.name in row}
    return Instrument(**{**row, **numbers, "name": name, "leverage": float(row.get("leverage", classes[row["margin_class"]]))})
