"""Datasets that carry on where another one ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from domain.errors import BadRequest
from worker.store.datasets import Dataset


def newest_of(stored: Sequence[Dataset], version: str, described: Mapping[str, Any]) -> Dataset:
    """The dataset with the latest bars of the same instrument, timeframe, side and origin as the one of that version; of several the one that begins first.

    ``described``: instrument, timeframe and side, by which one is found where that version was deleted. Raises BadRequest where there is none.
    """
    own = next((dataset for dataset in stored if dataset.version == version), None)
    wanted = (own.instrument, own.timeframe, own.side, own.synthetic) if own else None
    alike = [
        dataset for dataset in stored
        if (_kind(dataset) == wanted if wanted else _kind(dataset)[:3] == (described["instrument"], described["timeframe"], described["side"]) and not dataset.synthetic)
    ]  # fmt: skip
    if not alike:
        raise BadRequest(f"there are no bars of {described['instrument']} {described['timeframe']} ({described['side']}) in the workspace; import them")
    return min(alike, key=lambda dataset: (-dataset.last_ts.timestamp(), dataset.first_ts, dataset.version))


def _kind(dataset: Dataset) -> tuple[str, str, str, bool]:
    return dataset.instrument, dataset.timeframe, dataset.side, dataset.synthetic
