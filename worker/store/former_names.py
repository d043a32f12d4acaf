"""Columns of tables that have another name now. Stored tables keep the one that their hashes were recorded under."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

PROVENANCE = {"requested": "asked"}           # of downloads, in datasets of earlier releases
STORED = {"lots_requested": "lots_asked"}      # name -> the one in stored tables
SERIES = {"published": "known"}                # the same of external series: when a value was published


def stored(frame: pd.DataFrame, names: Mapping[str, str] = STORED) -> pd.DataFrame:
    """The table under the names that it is stored with.

    >>> stored(pd.DataFrame({"lots_requested": [1.0]})).columns.tolist(), current(pd.DataFrame({"lots_asked": [1.0]})).columns.tolist()
    (['lots_asked'], ['lots_requested'])
    """
    return frame.rename(columns=dict(names))


def current(frame: pd.DataFrame, names: Mapping[str, str] = STORED) -> pd.DataFrame:
    """A stored table under the names of today."""
    return frame.rename(columns={former: name for name, former in names.items()})


def with_former(frame: pd.DataFrame) -> pd.DataFrame:
    """The table with the former names at its end, for programs that read them: one release.

    >>> with_former(pd.DataFrame({"lots_requested": [1.0], "lots_given": [0.5]})).columns.tolist()
    ['lots_requested', 'lots_given', 'lots_asked']
    """
    return frame.assign(**{former: frame[name] for name, former in STORED.items() if name in frame})


def both_named(provenance: Mapping[str, Any]) -> dict[str, Any]:
    """A provenance with the names of today and, for one release, the former ones.

    >>> both_named({"asked": ["2024-01-01", "2024-02-01"]})["requested"]
    ['2024-01-01', '2024-02-01']
    """
    spans = {name: provenance[have] for pair in PROVENANCE.items() for have in pair if have in provenance for name in pair}
    return dict(provenance) | spans
