"""Number of feature tests on a dataset: each counts in the multiple-testing correction, also after its run was deleted."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from domain.audit import canonical, plain
from worker.store.trials import data_of
from worker.store.unit import Unit

IDENTITY = ("timeframe", "start", "end", "target")     # keys of a spec that make a test of a feature a different one


def tries_of(columns: Iterable[str], spec: Mapping[str, Any]) -> set[str]:
    """A short id for each test: a feature on a timeframe and span against a target. An identical test has the same id.

    >>> four, eight = (dict(timeframe="H1", start="2024", end="2025", target=dict(horizon=horizon)) for horizon in (4, 8))
    >>> len(tries_of(["atr(14)", "rsi(14)"], four) | tries_of(["atr(14)"], eight) | tries_of(["atr(14)"], four))
    3
    """
    decisive = {name: spec[name] for name in IDENTITY}
    return {hashlib.sha256(canonical(plain(dict(column=column, **decisive)))).hexdigest()[:10] for column in columns}


def tried_on(unit: Unit, versions: Iterable[str]) -> set[str]:
    """All tests so far on these datasets."""
    return set(unit.fact(_fact(versions)) or ())


def count_tries(unit: Unit, versions: Iterable[str], tries: set[str]) -> None:
    """Add tests to those so far."""
    versions = list(versions)
    unit.alone_with(_fact(versions))
    unit.remember(_fact(versions), sorted(tried_on(unit, versions) | tries))


def _fact(versions: Iterable[str]) -> str:
    return f"tries {data_of(versions)[:48]}"
