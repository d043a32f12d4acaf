"""External data that a set of features needs: the versions in use, and what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from domain.features import Use
from domain.features.needs import needs
from domain.market.instrument import Instrument
from domain.outside.series import series
from worker.store import Outside, Unit

LATE = timedelta(days=10)       # by which external data may begin after bars or end before them without a word: lags, weekends, holidays
TITLES = {"headlines": "Headlines", "releases": "A calendar of releases"}


@dataclass(frozen=True)
class Lack:
    """External data that ``columns`` need. ``why``: empty where it is missing, else how it falls short of the span."""

    kind: str
    name: str
    title: str
    columns: tuple[str, ...]
    why: str = ""


def resolved(unit: Unit, uses: Sequence[Use], instruments: Sequence[Instrument], impact: str) -> dict[str, Any]:
    """``outside`` for a spec: the versions in use of the external data that the uses need; empty where they need none."""
    needed = needs(uses, instruments)
    versions = {name: series_.version for name in needed.series if (series_ := unit.outside.newest("series", name))}
    outside: dict[str, Any] = dict(series=versions) if versions else {}
    if needed.headlines and (headlines := unit.outside.newest("headlines")):
        outside["headlines"] = headlines.version
    if needed.releases and (calendar := unit.outside.newest("releases")):
        outside |= dict(releases=calendar.version, impact=impact)
    return dict(outside=outside) if outside else {}


def lacks(unit: Unit, uses: Sequence[Use], instruments: Sequence[Instrument], span: tuple[datetime, datetime] | None = None) -> list[Lack]:
    """External data that the uses need and that is missing or does not cover ``span``."""
    wanted: dict[tuple[str, str], list[str]] = {}
    for use in uses:
        needed = needs([use], instruments)
        for kind, name in [*(("series", name) for name in needed.series), *((kind, "") for kind in TITLES if getattr(needed, kind))]:
            wanted.setdefault((kind, name), []).append(use.column)
    lacking = []
    for (kind, name), columns in wanted.items():
        newest = unit.outside.newest(kind, name)
        why = _short_of(newest, span) if newest and span else ""
        if newest is None or why:
            lacking.append(Lack(kind, name or TITLES[kind], titled(kind, name), tuple(dict.fromkeys(columns)), why))
    return lacking


def titled(kind: str, name: str) -> str:
    """What people call it."""
    if kind != "series":
        return TITLES[kind]
    return f"{name} ({series()[name].title})" if name in series() else f"{name} (the table of series has none of that name)"


def _short_of(newest: Outside, span: tuple[datetime, datetime]) -> str:
    start, end = span
    if newest.first_ts > start + LATE or newest.first_ts >= end:
        return f"there from {newest.first_ts:%Y-%m-%d} only"
    return f"there to {newest.last_ts:%Y-%m-%d} only" if newest.last_ts < end - LATE else ""
