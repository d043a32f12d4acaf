"""Stored external data as features and limits read it, and as a session's source names it: each value from when it was known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from domain.errors import BadRequest
from domain.market.instrument import Instrument
from domain.outside.releases import concerning
from domain.outside.series import known_of
from domain.outside.timed_values import TimedValues
from worker.store import Store
from worker.store.former_names import SERIES, current
from worker.store.frames import Frames
from worker.store.outside import Outside


def context_of(versions: Mapping[str, Any], store: Store) -> Callable[[Instrument], dict[str, Any]]:
    """The part of an instrument's ``Context`` that these versions give: series and headlines by when they were known, and instants of its own releases.
    ``versions``: ``series`` by name, ``headlines``, ``releases`` and their least ``impact``, as the ``outside`` of a spec."""
    macro = {name: known_of(_frame(version, name, store)) for name, version in versions.get("series", {}).items()}
    shared: dict[str, Any] = dict(macro=macro) if macro else {}
    if "headlines" in versions:
        headlines = _frame(versions["headlines"], "headlines", store)
        shared["headlines"] = TimedValues(headlines["ts"].dt.as_unit("ns").astype("int64").to_numpy(), headlines["score"].to_numpy(float, copy=True))
    releases = _frame(versions["releases"], "releases", store) if "releases" in versions else None
    return lambda instrument: shared if releases is None else shared | dict(releases=concerning(releases, instrument, versions["impact"]))


def entries_of(frames: Frames, series: str, context: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Store what one series reads beside its bars; what a session's source names it by. ``context``: ``macro``, ``headlines`` and ``releases`` as of ``Context``."""
    entries = [dict(kind="macro", series=series, name=name, frame=frames.put(_timed(values))) for name, values in context.get("macro", {}).items()]
    if (headlines := context.get("headlines")) is not None and len(headlines.times):
        entries.append(dict(kind="headlines", series=series, frame=frames.put(_timed(headlines))))
    if (releases := context.get("releases")) is not None and len(releases):
        entries.append(dict(kind="releases", series=series, frame=frames.put(pd.DataFrame(dict(known=releases)))))
    return entries


def _timed(values: TimedValues) -> pd.DataFrame:
    return pd.DataFrame(dict(known=values.times, value=values.values))


def _frame(version: str, what: str, store: Store) -> pd.DataFrame:
    with store.read() as unit:
        outside: Outside | None = unit.outside.get(version)
    if outside is None:
        raise BadRequest(f"the external data {what} with version {version[:8]}… is no longer here; run it again to use the newest, or import it again")
    return current(store.frames.get(outside.frame), SERIES)
