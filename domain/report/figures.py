"""Numbers and times as the report writes them: comma thousands, a true minus, a narrow space before the unit, UTC."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

import pandas as pd

MINUS, THIN, DASH = "\u2212", "\u202f", "\u2014"
RATIOS_WITH_THREE = ("expectancy_r",)
COUNTED_UNITS = ("trades", "bars", "days")


def number(value: float | None, places: int = 0, sign: bool = False) -> str:
    """An em dash where there is no value; zero has no sign.

    >>> number(-1234.5, 2), number(None), number(-0.001, 2, sign=True)
    ('\u22121,234.50', '\u2014', '0.00')
    """
    if value is None or not math.isfinite(value):
        return DASH
    text = f"{abs(value):,.{places}f}"
    zero = not any(digit in text for digit in "123456789")
    return ("" if zero else MINUS if value < 0 else "+" if sign else "") + text


def money(value: float | None, currency: str, sign: bool = False) -> str:
    """Without cents from 1,000 on.

    >>> money(-3880.2, "USD", sign=True)
    '\u22123,880\u202fUSD'
    """
    return unit(bare_money(value, sign), currency)


def bare_money(value: float | None, sign: bool = False) -> str:
    """``money`` for a column that names its currency."""
    return number(value, 0 if value is not None and abs(value) >= 1_000 else 2, sign)


def monies(values: Sequence[float], sign: bool = False) -> list[str]:
    """A column of money: without cents where one of them is 1,000 or more.

    >>> monies([1200.4, -3.5])
    ['1,200', '\u22124']
    """
    places = 0 if any(abs(value) >= 1_000 for value in values if math.isfinite(value)) else 2
    return [number(value, places, sign) for value in values]


def percent(share: float | None, places: int = 1, sign: bool = False) -> str:
    """
    >>> percent(0.316), percent(None)
    ('31.6\u202f%', '\u2014')
    """
    return unit(number(None if share is None else share * 100, places, sign), "%")


def multiple(value: float | None, places: int = 2) -> str:
    """A result in R, signed."""
    return unit(number(value, places, True), "R")


def unit(text: str, name: str) -> str:
    return text if text == DASH else f"{text}{THIN}{name}"


def shown(key: str, kind: str, value: float | None, currency: str, pip: float | None = None) -> str:
    """A metric by its unit; prices in pips where ``pip`` is known.

    >>> shown("win_rate", "share", 0.5, "USD"), shown("mean_spread", "price", 0.00013, "USD", 0.0001)
    ('50.0\u202f%', '1.30\u202fpip')
    """
    if kind == "share":
        return percent(value, 1, key.endswith(("return", "_day", "at_risk", "shortfall")))
    if kind == "money":
        return money(value, currency, key in ("net_profit", "average_trade", "swap", "gross_at_mid"))
    if kind == "R":
        return multiple(value, 3 if key in RATIOS_WITH_THREE else 2)
    if kind == "price":
        return price(value, pip)
    return unit(number(value, 0 if kind == "trades" or (kind in COUNTED_UNITS and abs(value or 0.0) >= 100) else 1), kind) if kind in COUNTED_UNITS else number(value, 2)


def price(value: float | None, pip: float | None) -> str:
    """
    >>> price(0.00013, None), price(0.00013, 0.0001)
    ('0.00013', '1.30\u202fpip')
    """
    if value is None or not math.isfinite(value):
        return DASH
    return unit(number(value / pip, 2), "pip") if pip else exact(value)


def exact(value: Any) -> str:
    """A setting as it is, without noise.

    >>> exact("100000.0"), exact(2e-05), exact(None), exact(True), exact("fixed_lots"), exact("")
    ('100,000', '0.00002', '\u2014', 'yes', 'fixed lots', '\u2014')
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    try:
        parsed = float(value)
    except (TypeError, ValueError):
        return str(value).replace("_", " ") if value else DASH
    if not math.isfinite(parsed):
        return str(value)
    return f"{parsed:,.10f}".rstrip("0").rstrip(".").replace("-", MINUS)


def clock(at: Any) -> str:
    """UTC to the minute; the text beside it names UTC.

    >>> clock("2024-01-02T10:05:00.000000Z"), clock(pd.NaT)
    ('2024-01-02 10:05', '\u2014')
    """
    stamp = pd.Timestamp(at) if at is not None else pd.NaT
    return DASH if stamp is pd.NaT else f"{stamp:%Y-%m-%d %H:%M}"


def words(name: str) -> str:
    """
    >>> words("stop_loss")
    'stop loss'
    """
    return name.replace("_", " ")


def plural(count: float, singular: str, many: str = "") -> str:
    """
    >>> plural(1, "trade"), plural(1200, "bar")
    ('1 trade', '1,200 bars')
    """
    return f"{count:,.0f} {singular if count == 1 else many or singular + 's'}"


def typeset(sentence: str) -> str:
    """A sentence with true minus signs.

    >>> typeset("Nets -3.1 % on EUR-USD.")
    'Nets \u22123.1 % on EUR-USD.'
    """
    return re.sub(r"(?<!\w)-(?=\d)", MINUS, sentence)


def plain(text: str) -> str:
    """For text files: ordinary spaces in place of the narrow and the unbreakable."""
    return text.replace(THIN, " ").replace("\u00a0", " ")
