"""Stored external data as features and limits read them: each value by when it was known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from domain.errors import BadRequest
from domain.market.instrument import Instrument
from domain.outside.releases import concerning
from domain.outside.series import known_of
from domain.outside.timed_values import TimedValues
from worker.store.unit import Store


def known_by(store: Store, versions: Mapping[str, Any]) -> Callable[[Instrument], dict[str, Any]]:
    """The part of an instrument's ``Context`` that the ``versions`` of a spec's ``outside`` give: series and headlines by when they were known, and
    instants of its own releases."""
    macro = {name: known_of(_frame(store, version, name)) for name, version in versions.get("series", {}).items()}
    shared: dict[str, Any] = dict(macro=macro) if macro else {}
    if "headlines" in versions:
        headlines = _frame(store, versions["headlines"], "headlines")
        shared["headlines"] = TimedValues(headlines["ts"].dt.as_unit("ns").astype("int64").to_numpy(), headlines["score"].to_numpy(float, copy=True))
    releases = _frame(store, versions["releases"], "releases") if "releases" in versions else None
    return lambda instrument: shared if releases is None else shared | dict(releases=concerning(releases, instrument, versions["impact"]))


def _frame(store: Store, version: str, what: str) -> pd.DataFrame:
    with store.read() as unit:
        outside = unit.outside.get(version)
    if outside is None:
        raise BadRequest(f"the external data {what} with version {version[:8]}… is no longer here; run it again to use the newest, or import it again")
    return store.frames.get(outside.frame)
