"""Numbers and times as the report writes them: comma thousands, a true minus, a narrow space before the unit, UTC."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

import pandas as pd

from domain.formatting import DASH as DASH
from domain.formatting import MINUS as MINUS
from domain.formatting import THIN as THIN
from domain.formatting import bare_money as bare_money
from domain.formatting import money as money
from domain.formatting import multiple as multiple
from domain.formatting import number as number
from domain.formatting import percent as percent
from domain.formatting import plural as plural
from domain.formatting import trimmed
from domain.formatting import unit as unit

RATIOS_WITH_THREE = ("expectancy_r",)
COUNTED_UNITS = ("trades", "bars", "days")


def monies(values: Sequence[float], sign: bool = False) -> list[str]:
    """A column of money: without cents where one of them is 1,000 or more.

    >>> monies([1200.4, -3.5])
    ['1,200', '\u22124']
    """
    places = 0 if any(abs(value) >= 1_000 for value in values if math.isfinite(value)) else 2
    return [number(value, places, sign) for value in values]


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
    return trimmed(parsed)


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


def typeset(sentence: str) -> str:
    """A sentence with true minus signs.

    >>> typeset("Nets -3.1 % on EUR-USD.")
    'Nets \u22123.1 % on EUR-USD.'
    """
    return re.sub(r"(?<!\w)-(?=\d)", MINUS, sentence)


def plain(text: str) -> str:
    """For text files: ordinary spaces in place of the narrow and the unbreakable."""
    return text.replace(THIN, " ").replace("\u00a0", " ")
