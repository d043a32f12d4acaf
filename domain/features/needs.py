"""Which external data a set of features needs."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from domain.features.base import Use, inputs_of, spec_of
from domain.market.instrument import Instrument
from domain.outside.series import series


@dataclass(frozen=True)
class Needs:
    """``series``: names of external series. ``headlines``, ``releases``: whether they are needed."""

    series: tuple[str, ...] = ()
    headlines: bool = False
    releases: bool = False

    @property
    def any(self) -> bool:
        return bool(self.series or self.headlines or self.releases)


def needs(uses: Iterable[Use], instruments: Sequence[Instrument | None]) -> Needs:
    """The external data that the uses and their inputs read on bars of these instruments.

    >>> from domain.features import parse
    >>> from domain.market.instrument import instrument
    >>> needs([parse("rate_differential_zscore(60)"), parse("vix_zscore@H4")], [instrument("EURUSD")])
    Needs(series=('EU_RATE', 'US_RATE', 'VIX'), headlines=False, releases=False)
    >>> needs([parse("minutes_to_release"), parse("atr(14)")], [None]).releases, needs([parse("atr(14)")], [None]).any
    (True, False)
    """
    inputs_used: set[str] = set()
    names: set[str] = set()
    waiting, visited = list(uses), set()
    while waiting:
        current = waiting.pop()
        if current.column in visited:
            continue
        visited.add(current.column)
        inputs = spec_of(current.name).inputs
        inputs_used.update(inputs)
        if "macro" in inputs:
            names.update(name for instrument in instruments for name in _series_read(current, instrument))
        waiting += inputs_of(current)
    return Needs(tuple(sorted(names)), "headlines" in inputs_used, "releases" in inputs_used)


def _series_read(use: Use, instrument: Instrument | None) -> Iterable[str]:
    """The external series of one feature; one that declares none may read any."""
    series_of = spec_of(use.name).series
    if series_of is None:
        return series()
    arguments: dict[str, Any] = dict(use.params) | dict(instrument=instrument)
    return series_of(*(arguments[name] for name in inspect.signature(series_of).parameters))
