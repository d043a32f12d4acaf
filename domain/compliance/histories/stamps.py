"""Times as statements write them, as nanoseconds on their wall clock."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

from domain.errors import BadRequest

SECOND = 1_000_000_000
EPOCH = datetime(1970, 1, 1)
_TIME = r"(?:[T ,]\s*(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?\s*([AaPp][Mm])?)?"
YEAR_FIRST = re.compile(r"(\d{4})[.\-/](\d{1,2})[.\-/](\d{1,2})" + _TIME)
YEAR_LAST = re.compile(r"(\d{1,2})[.\-/](\d{1,2})[.\-/](\d{4})" + _TIME)
DAY_FIRST, MONTH_FIRST = "day first", "month first"


def stamp(text: str, order: str = "") -> int | None:
    """The wall time in a cell; None where there is none. ``order`` says how dates are read whose year comes last.

    >>> (stamp("2024.01.08 01:00:30") or 0) // SECOND, stamp("01/02/2024 10:00") is None
    (1704675630, True)
    >>> stamp("02/01/2024 00:00", DAY_FIRST) == stamp("2024-01-02") == stamp("1/2/2024 12:00 am", MONTH_FIRST)
    True
    >>> stamp("2024.02.30 10:00") is None
    True
    """
    text = text.strip()
    if match := YEAR_FIRST.fullmatch(text):
        year, month, day = match[1], match[2], match[3]
    elif order and (match := YEAR_LAST.fullmatch(text)):
        day, month, year = (match[1], match[2], match[3]) if order == DAY_FIRST else (match[2], match[1], match[3])
    else:
        return None
    hour, minute, second, half = int(match[4] or 0), int(match[5] or 0), int(match[6] or 0), (match[8] or "").lower()
    if half:
        hour = hour % 12 + (12 if half == "pm" else 0)
    try:
        at = datetime(int(year), int(month), int(day), hour, minute, second)
    except ValueError:
        return None
    since = at - EPOCH
    return (since.days * 86_400 + since.seconds) * SECOND + int((match[7] or "").ljust(9, "0") or 0)


def order_of(texts: Iterable[str], name: str, usual: str = "") -> tuple[str, str]:
    """How dates are read whose year comes last, and a note on why; ``usual``: what the vendor writes where all are
    ambiguous.

    >>> order_of(["13/02/2024", "01/02/2024"], "x.csv")[0], order_of(["2024.01.02"], "x.csv")
    ('day first', ('', ''))
    >>> order_of(["01/02/2024"], "x.csv")
    Traceback (most recent call last):
    ...
    domain.errors.BadRequest: x.csv writes dates like 01/02/2024, and no number above 12 in it tells days from months; \
write them as 2024-02-01 and import again
    """
    days, months, first = False, False, ""
    for text in texts:
        if match := YEAR_LAST.fullmatch(text.strip()):
            first = first or text.strip()
            days, months = days or int(match[1]) > 12, months or int(match[2]) > 12
    if not first:
        return "", ""
    if days and months:
        raise BadRequest(
            f"{name} writes some dates with the day first and others with the month first; export it again"
        )
    if not days and not months and not usual:
        raise BadRequest(
            f"{name} writes dates like {first[:10]}, and no number above 12 in it tells days from months; "
            "write them as 2024-02-01 and import again"
        )
    order = DAY_FIRST if days else MONTH_FIRST if months else usual
    why = "" if days or months else ", as its vendor writes them: no number above 12 shows it"
    return order, f"Dates such as {first[:10]} are read with the {order}{why}."
