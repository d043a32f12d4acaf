"""Finished folds of a training as rows, from what their parts left."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from worker.store.chunks import Chunk

PARTS = ("train", "validation", "calibration", "test", "purged", "embargoed")


def rows_of(parts: Sequence[Chunk]) -> pd.DataFrame:
    """A row a finished fold, by number: ``fold start end``, the samples of each of PARTS, ``crossed``, and its scores. Controls are none."""
    done = [part.result for part in parts if part.done_at is not None and part.result and not part.result["control"]]
    return pd.DataFrame([
        dict(fold=about["fold"], start=about["start"], end=about["end"], **{part: about["sizes"].get(part) for part in PARTS}, crossed=about["crossed"], **about["scores"])
        for about in sorted(done, key=lambda about: about["fold"])
    ])  # fmt: skip
