"""What these calls share: names, times and numbers of other systems in ours."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from app.api.paging import utc
from app.api.problem import Problem
from worker.desk import Desk

TIMEFRAMES = {
    "1M": "M1", "5M": "M5", "15M": "M15", "30M": "M30", "1H": "H1", "4H": "H4", "1D": "D1", "1m": "M1", "5m": "M5", "15m": "M15", "30m": "M30", "60m": "H1", "1h": "H1", "4h": "H4", "1d": "D1",
}  # fmt: skip
USUAL, WARM = 2_300, 0.85         # days that our usual windows need, a warm-up of features included; share of a span that is left behind such a warm-up
Name = Annotated[str, BeforeValidator(lambda value: str(value) if isinstance(value, int) and not isinstance(value, bool) else value), Field(max_length=200)]      # ids of other systems may be whole numbers


def exact(number: float) -> str:
    """A number of other systems as the text that it was written as.

    >>> exact(0.1), exact(1e-05), exact(2000.5)
    ('0.1', '0.00001', '2000.5')
    """
    return format(Decimal(repr(number)), "f")


def timeframe_of(text: str) -> str:
    """
    >>> timeframe_of("15M"), timeframe_of("1d"), timeframe_of("H4")
    ('M15', 'D1', 'H4')
    """
    return TIMEFRAMES.get(text.strip(), text.strip())


def minutes_of(timeframe: str) -> int:
    """
    >>> minutes_of("M15"), minutes_of("H4"), minutes_of("D1")
    (15, 240, 1440)
    """
    return {"M": 1, "H": 60, "D": 1_440, "W": 10_080}[timeframe[0]] * int(timeframe[1:])


def word_of(text: str) -> str:
    """A name of ours from one that has other letters.

    >>> word_of("CL Oil Trading"), word_of("CL=F-quantile_regression")
    ('CL-Oil-Trading', 'CL-F-quantile_regression')
    """
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", text).strip("-_.")[:64]


def first_of(day: str) -> datetime:
    """The begin of a day, or a time, UTC."""
    return _moment(day)


def end_of(day: str) -> datetime:
    """The end of a day that is named as the last; a time is the end itself."""
    at = _moment(day)
    return at + timedelta(days=1) if len(day.strip()) == 10 else at


def windows_of(first: datetime, last: datetime) -> dict[str, int]:
    """Windows of a walk-forward that fit a span shorter than our usual ones need, in days, for those systems name a span and no windows; nothing where the usual ones fit.

    >>> windows_of(datetime(2024, 1, 1), datetime(2025, 1, 1)), windows_of(datetime(2010, 1, 1), datetime(2025, 1, 1))
    ({'train': 192, 'validation': 19, 'calibration': 38, 'test': 62}, {})
    """
    days = int((last - first).days * WARM)
    if days >= USUAL:
        return {}
    parts = dict(validation=days // 16, calibration=days // 8, test=days // 5)
    return dict(train=max(1, days - sum(parts.values())), **parts)


def horizon_of(desk: Desk, model: str, timeframe: str) -> dict[str, int]:
    """The horizon of a model as a parameter of the strategies that read its quantiles: those systems name it once, when they train."""
    target = desk.models.get(model).manifest.get("question", {}).get("target_params", {})
    if "horizon" not in target:
        return {}
    return dict(horizon=int(target["horizon"]) // (minutes_of(timeframe) if target.get("unit") == "minutes" else 1))


def newest(desk: Desk, symbol: str, timeframe: str = "") -> Any:
    """The newest bars that are stored of a symbol."""
    datasets = [each for each in desk.data.catalogue() if each.instrument == symbol and timeframe in ("", each.timeframe)]
    if not datasets:
        beside = f" in {timeframe}" if timeframe else ""
        raise Problem(422, f"no bars of {symbol[:40]}{beside} are stored; import or download some first")
    return max(datasets, key=lambda each: (each.last_ts, each.created_at))


def all_newest(desk: Desk, symbols: Iterable[str]) -> list[Any]:
    return [newest(desk, symbol) for symbol in symbols]


def chosen(name: str, choices: dict[str, str], what: str) -> str:
    """One of the words of another system; ours are taken, too."""
    if name in choices:
        return choices[name]
    if name in choices.values():
        return name
    raise Problem(422, f"there is no {what} {name[:40]!r}; there are {', '.join(choices)}")


def _moment(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        raise Problem(422, f"{text[:40]!r} is not a date; write it like 2024-01-31") from None
    return utc(at)
