"""Which outside data a set of features needs: the versions in use, and what is not there."""

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

LATE = timedelta(days=10)       # by which outside data may begin after bars or end before them without a word: lags, weekends, holidays
TITLES = {"headlines": "Headlines", "releases": "A calendar of releases"}


@dataclass(frozen=True)
class Lack:
    """Outside data that ``columns`` need. ``why``: empty where there is none of it, else how what is there falls short of the span."""

    kind: str
    name: str
    title: str
    columns: tuple[str, ...]
    why: str = ""


def resolved(unit: Unit, uses: Sequence[Use], instruments: Sequence[Instrument], impact: str) -> dict[str, Any]:
    """``outside`` for a spec: the versions in use of what the uses need, as far as there are some; nothing where they need nothing."""
    needed = needs(uses, instruments)
    known = {name: one.version for name in needed.series if (one := unit.outside.newest("series", name))}
    found: dict[str, Any] = dict(series=known) if known else {}
    if needed.headlines and (told := unit.outside.newest("headlines")):
        found["headlines"] = told.version
    if needed.releases and (calendar := unit.outside.newest("releases")):
        found |= dict(releases=calendar.version, impact=impact)
    return dict(outside=found) if found else {}


def lacks(unit: Unit, uses: Sequence[Use], instruments: Sequence[Instrument], span: tuple[datetime, datetime] | None = None) -> list[Lack]:
    """What of the outside data that the uses need is not there, or does not reach over ``span``."""
    wanted: dict[tuple[str, str], list[str]] = {}
    for use in uses:
        needed = needs([use], instruments)
        for kind, name in [*(("series", name) for name in needed.series), *((kind, "") for kind in TITLES if getattr(needed, kind))]:
            wanted.setdefault((kind, name), []).append(use.column)
    found = []
    for (kind, name), columns in wanted.items():
        held = unit.outside.newest(kind, name)
        why = _short_of(held, span) if held and span else ""
        if held is None or why:
            found.append(Lack(kind, name or TITLES[kind], titled(kind, name), tuple(dict.fromkeys(columns)), why))
    return found


def titled(kind: str, name: str) -> str:
    """What people call it."""
    if kind != "series":
        return TITLES[kind]
    return f"{name} ({series()[name].title})" if name in series() else f"{name} (the table of series has none of that name)"


def _short_of(held: Outside, span: tuple[datetime, datetime]) -> str:
    start, end = span
    if held.first_ts > start + LATE or held.first_ts >= end:
        return f"there from {held.first_ts:%Y-%m-%d} only"
    return f"there to {held.last_ts:%Y-%m-%d} only" if held.last_ts < end - LATE else ""
