"""Numbers as statements write them: thousands apart by spaces, points or commas, a minus apart from its digits."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

from domain.errors import BadRequest

SPACES = re.compile(r"[\s\u00a0\u2007\u2009\u202f'’]+")
NUMBER = re.compile(r"[+-]?(\d+|\d{1,3}(,\d{3})+)(\.\d*)?|[+-]?\.\d+")
CONTINENTAL = re.compile(r"[+-]?(\d+|\d{1,3}(\.\d{3})+)(,\d*)?")
MINUSES = str.maketrans({"−": "-", "–": "-"})
CURRENCY = re.compile(r"^[$€£¥]|[$€£¥]$")
BRACKETS = re.compile(r"\((.+)\)")
POINT, COMMA = ".", ","
LARGEST = 1e15


def amount(text: str, decimal: str = POINT) -> float:
    """The number in a cell; NaN where there is none.

    >>> amount("1\\u00a0234.50"), amount("- 2.50"), amount("(320.00)"), amount("−1,204.5"), amount("$88.10")
    (1234.5, -2.5, -320.0, -1204.5, 88.1)
    >>> amount("1.234,56", ","), amount("0,10", ","), amount("n/a"), amount("")
    (1234.56, 0.1, nan, nan)
    """
    cleaned = _cleaned(text)
    if not (NUMBER if decimal == POINT else CONTINENTAL).fullmatch(cleaned):
        return math.nan
    plain = cleaned.replace(",", "") if decimal == POINT else cleaned.replace(".", "").replace(",", ".")
    value = float(plain)
    return value if abs(value) <= LARGEST else math.nan


def decimal_of(cells: Iterable[str], name: str) -> str:
    """Whether the numbers of a file have a decimal point or comma; a file with both is refused.

    >>> decimal_of(["1,204.50", "0.10"], "x.csv"), decimal_of(["0,10", "1.204,50"], "x.csv"), decimal_of(["7"], "x.csv")
    ('.', ',', '.')
    """
    point = comma = ""
    for cell in cells:
        text = _cleaned(cell)
        if not re.fullmatch(r"[+-]?[\d.,]+", text):
            continue
        last = max(text.rfind("."), text.rfind(","))
        if last < 0:
            continue
        decides = text[last] not in text[:last] and (
            len(text) - last - 1 != 3 or ("." in text and "," in text) or text.lstrip("+-")[:2] in ("0.", "0,")
        )
        if decides and text[last] == ".":
            point = point or cell.strip()
        elif decides:
            comma = comma or cell.strip()
    if point and comma:
        raise BadRequest(
            f"{name} writes {point!r} and {comma!r}: one has a decimal point and the other a decimal comma; "
            "export it again with decimal points"
        )
    return COMMA if comma else POINT


def _cleaned(text: str) -> str:
    text = CURRENCY.sub("", SPACES.sub("", text.translate(MINUSES)))
    if bracketed := BRACKETS.fullmatch(text):
        text = "-" + CURRENCY.sub("", bracketed[1])
    return text
