"""Numbers, times and names as pages show them, in one place so that every page agrees."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from math import isnan

from worker.desk.formatting import DASH as DASH
from worker.desk.formatting import MINUS as MINUS
from worker.desk.formatting import THIN as THIN
from worker.desk.formatting import money as money
from worker.desk.formatting import multiple as multiple
from worker.desk.formatting import number as number
from worker.desk.formatting import percent as percent
from worker.desk.formatting import plural as plural
from worker.desk.formatting import short as short
from worker.desk.formatting import trimmed


def printed(value: float | None, format: str, integer: bool = False) -> str:
    """A number by the format of a table's column, with a true minus: printf's, or ``localized`` for comma thousands, ``integer`` without decimals. Zero has no sign.

    >>> printed(-1.25, "%+.1f"), printed(-0.001, "%+.2f"), printed(-1234.6, "localized", integer=True), printed(None, "%.1f")
    ('\u22121.2', '0.00', '\u22121,235', '')
    """
    if value is None or isnan(value):
        return ""
    text = exact(float(round(value) if integer else value)) if format == "localized" else format % value
    return text.replace("-", MINUS) if any(digit in text for digit in "123456789") else text.lstrip("+-")


def plain(value: float | None) -> str:
    """A number of a column without a format, as tables write it: up to four decimals and no more than it has.

    >>> plain(3.0), plain(-0.25), plain(1234.56789), plain(None)
    ('3', '\u22120.25', '1234.5679', '')
    """
    if value is None or isnan(value):
        return ""
    return f"{value:.4f}".rstrip("0").rstrip(".").replace("-", MINUS)


def exact(value: object) -> str:
    """A setting as it is, without noise: no trailing zeros, no exponent.

    >>> exact(100000.0), exact(2e-05), exact(0.5), exact("fixed")
    ('100,000', '0.00002', '0.5', 'fixed')
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    return trimmed(value)


def pips(price: float | None, pip: float, places: int = 1) -> str:
    """
    >>> pips(0.00013, 0.0001)
    '1.3\u202fpips'
    """
    return DASH if price is None or isnan(price) else f"{number(price / pip, places)}{THIN}pips"


def size(count: float) -> str:
    """A size in bytes with its unit.

    >>> size(532), size(61_300_000)
    ('532\u202fB', '61\u202fMB')
    """
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= scale:
            return f"{count / scale:,.{0 if count >= 10 * scale else 1}f}{THIN}{unit}"
    return f"{count:.0f}{THIN}B"


def clock(at: datetime | None, seconds: bool = False) -> str:
    """UTC, to the minute; the header or note beside it has the zone."""
    return DASH if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}" if seconds else f"{at.astimezone(UTC):%Y-%m-%d %H:%M}"


def lasted(seconds: float | None) -> str:
    """
    >>> lasted(0.4), lasted(49), lasted(151), lasted(7_260)
    ('0.4\u202fs', '49\u202fs', '2:31\u202fmin', '2:01\u202fh')
    """
    if seconds is None:
        return DASH
    if seconds < 60:
        return f"{seconds:.{0 if seconds >= 10 else 1}f}{THIN}s"
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}:{rest:02d}{THIN}min" if minutes < 60 else f"{minutes // 60}:{minutes % 60:02d}{THIN}h"


def ago(seconds: float) -> str:
    """
    >>> ago(7), ago(190)
    ('7\u202fs ago', '3\u202fmin ago')
    """
    for length, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= length:
            return f"{seconds // length:.0f}{THIN}{unit} ago"
    return f"{max(seconds, 0):.0f}{THIN}s ago"


def valued(value: float | None, unit: str, currency: str = "USD", sign: bool = False) -> str:
    """A metric by the unit of its definition.

    >>> valued(0.0321, "share"), valued(-1.5, "R"), valued(12.0, "trades"), valued(0.00013, "price")
    ('3.2\u202f%', '\u22121.500\u202fR', '12', '0.00013')
    """
    if unit == "share":
        return percent(value, 1, sign)
    if unit == "money":
        return money(value, currency, sign)
    if unit == "R":
        return multiple(value, 3)
    if unit == "price":
        return DASH if value is None or isnan(value) else exact(round(value, 7))
    return number(value, {"ratio": 2, "days": 1, "bars": 1}.get(unit, 0), sign)


def minus(text: str) -> str:
    """A text with true minus signs before numbers.

    >>> minus("from -1 to x-1")
    'from \u22121 to x-1'
    """
    return re.sub(r"(?<![\w-])-(?=\d)", MINUS, text)


def typeset(sentence: str) -> str:
    """A sentence as pages show it: a capital first, a full stop last, a true minus, thin spaces before per cent signs. A name with digits, underscores or brackets keeps its first letter.

    >>> typeset("nets -3.1 % in 2019-2021"), typeset("no feature named 'x'; did you mean 'y'?"), typeset("stop_atr is 0")
    ('Nets \u22123.1\u202f% in 2019-2021.', "No feature named 'x'; did you mean 'y'?", 'stop_atr is 0.')
    """
    text = minus(sentence.strip()).replace(" %", f"{THIN}%")
    first = text[:1].upper() + text[1:] if re.match(r"[a-z][a-z'’-]*(?![\w(@])", text) else text
    return first if not first or first.endswith((".", "?", "!", "…", ":")) else f"{first}."
