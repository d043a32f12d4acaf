"""Numbers as pages, reports and sentences write them: comma thousands, a true minus, a narrow space before the unit."""

from __future__ import annotations

import math

MINUS, THIN, DASH = "\u2212", "\u202f", "\u2014"


def number(value: float | None, places: int = 0, sign: bool = False) -> str:
    """An em dash where there is no value; zero has no sign.

    >>> number(-1234.5, 2), number(None), number(-0.001, 2, sign=True), number(float("inf"))
    ('\u22121,234.50', '\u2014', '0.00', '\u2014')
    """
    if value is None or not math.isfinite(value):
        return DASH
    text = f"{abs(value):,.{places}f}"
    zero = not any(digit in text for digit in "123456789")
    return ("" if zero else MINUS if value < 0 else "+" if sign else "") + text


def unit(text: str, name: str) -> str:
    """A formatted number with its unit; a dash has none."""
    return text if text == DASH else f"{text}{THIN}{name}"


def bare_money(value: float | None, sign: bool = False) -> str:
    """``money`` for a column that names its currency."""
    return number(value, 0 if value is not None and abs(value) >= 1_000 else 2, sign)


def money(value: float | None, currency: str = "USD", sign: bool = False) -> str:
    """An amount with its currency, without cents from 1,000 on.

    >>> money(999.5), money(-3880.2, sign=True)
    ('999.50\u202fUSD', '\u22123,880\u202fUSD')
    """
    return unit(bare_money(value, sign), currency)


def percent(share: float | None, places: int = 1, sign: bool = False) -> str:
    """
    >>> percent(0.316), percent(None)
    ('31.6\u202f%', '\u2014')
    """
    return unit(number(None if share is None else share * 100, places, sign), "%")


def multiple(value: float | None, places: int = 2) -> str:
    """A result in R, signed."""
    return unit(number(value, places, True), "R")


def trimmed(value: float) -> str:
    """A finite number as it is: no trailing zeros, no exponent.

    >>> trimmed(100000.0), trimmed(2e-05), trimmed(-0.5)
    ('100,000', '0.00002', '\u22120.5')
    """
    return f"{value:,.10f}".rstrip("0").rstrip(".").replace("-", MINUS)


def short(name: str) -> str:
    """The first and last characters of a hash.

    >>> short("3f9c00d1e271"), short("nothing")
    ('3f9c…71', 'nothing')
    """
    return name if len(name) <= 8 else f"{name[:4]}…{name[-2:]}"


def plural(count: float, singular: str, many: str = "") -> str:
    """
    >>> plural(1, "run"), plural(1200, "dataset"), plural(2, "entry", "entries")
    ('1 run', '1,200 datasets', '2 entries')
    """
    return f"{count:,.0f} {singular if count == 1 else many or singular + 's'}"


def label(name: str, unit: str, title: str = "") -> str:
    """A parameter's title with its unit.

    >>> label("stop_atr", "ATR"), label("max_bars", "bars", "Time stop"), label("seed", "")
    ('Stop, ATR', 'Time stop, bars', 'Seed')
    >>> label("stop_atr", "ATR", "Stop loss (× ATR)")
    'Stop loss (× ATR)'
    >>> label("fewest_trades", "trades", "Min. trades")
    'Min. trades'
    """
    if title.endswith(")") or (unit and unit.lower() in title.lower()):         # the title has its unit already
        return title
    words = name.split("_")
    if len(words) > 1 and words[-1].lower() == unit.lower():
        words = words[:-1]
    text = title or " ".join(words).capitalize()
    return f"{text}, {unit}" if unit else text
