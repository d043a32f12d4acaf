"""Tables of a training as its charts need them: stretches of each fold, and how many samples each part has."""

from __future__ import annotations

import numpy as np
import pandas as pd

PARTS = ("train", "validation", "calibration", "test", "purged", "embargoed")
FINEST = 500            # a gap of fewer samples than one of so many does not part a stretch


def spans(samples: pd.DataFrame, folds: pd.DataFrame) -> pd.DataFrame:
    """``fold, part, first, last, samples``: stretches of time that a fold uses for the same part, by the samples in them; gaps that no chart could
    show are not parted.

    ``samples``: sample, start, end; ``folds``: fold, sample, part.

    >>> day = pd.to_datetime(["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-04"], utc=True)
    >>> samples = pd.DataFrame(dict(sample=range(4), start=day, end=day))
    >>> folds = pd.DataFrame(dict(fold=1, sample=range(4), part=["train", "train", "purged", "test"]))
    >>> table = spans(samples, folds)
    >>> list(zip(table["part"], table["first"].dt.day, table["last"].dt.day, table["samples"], strict=True))
    [('train', 1, 2, 2), ('purged', 3, 3, 1), ('test', 4, 4, 1)]
    """
    ordered = samples.sort_values("start", kind="stable")
    place = pd.Series(np.arange(len(ordered)), index=ordered["sample"].to_numpy())
    rows = pd.DataFrame(dict(fold=folds["fold"].to_numpy(), part=folds["part"].astype(str).to_numpy(), place=place.reindex(folds["sample"]).to_numpy()))
    rows = rows.sort_values(["fold", "part", "place"], kind="stable", ignore_index=True)
    apart = max(1, len(ordered) // FINEST)
    begins = rows["fold"].ne(rows["fold"].shift()) | rows["part"].ne(rows["part"].shift()) | (rows["place"].diff() > apart)
    where = rows["place"].to_numpy().astype(np.int64)
    table = rows[["fold", "part"]].assign(number=begins.cumsum(), start=ordered["start"].array[where], end=ordered["end"].array[where])
    spans = table.groupby("number", sort=True).agg(fold=("fold", "first"), part=("part", "first"), first=("start", "min"), last=("end", "max"), samples=("start", "size"))
    return spans.sort_values(["fold", "first", "part"], kind="stable", ignore_index=True)


def sizes(spans_: pd.DataFrame) -> pd.DataFrame:
    """A row a fold: ``fold, first, last`` (of its test), and the samples of each part."""
    counts = spans_.pivot_table(index="fold", columns="part", values="samples", aggfunc="sum", fill_value=0).reindex(columns=list(PARTS), fill_value=0)
    test = spans_[spans_["part"] == "test"].groupby("fold").agg(first=("first", "min"), last=("last", "max"))
    return test.join(counts.astype(np.int64), how="right").reset_index()


def paths(predictions: pd.DataFrame, samples: pd.DataFrame, budget: int = 400) -> pd.DataFrame:
    """``ts, path, value``: cumulative R of what the filter takes, of each path, at the end of days; at most ``budget`` days.

    ``predictions``: path, sample, end, taken and size; ``r`` there, or in ``samples``.

    >>> day = pd.to_datetime(["2024-01-01", "2024-01-02", "2024-01-02"], utc=True)
    >>> table = paths(pd.DataFrame(dict(path=[1, 1, 2], sample=[0, 1, 1], end=day, taken=[True, False, True], r=[1.0, -1.0, -1.0])), pd.DataFrame())
    >>> list(zip(table["path"], table["ts"].dt.day, table["value"], strict=True))
    [(1, 1, 1.0), (1, 2, 1.0), (2, 1, 0.0), (2, 2, -1.0)]
    """
    if "taken" not in predictions:
        return pd.DataFrame(dict(ts=pd.to_datetime([], utc=True), path=[], value=[]))
    r = predictions["r"] if "r" in predictions else predictions["sample"].map(samples.set_index("sample")["r"])
    size = predictions.get("size", 1.0)
    known = pd.DataFrame(dict(path=predictions["path"], ts=predictions["end"].dt.floor("D"), value=(r * size).where(predictions["taken"].astype(bool), 0.0).fillna(0.0)))
    by_day = known.pivot_table(index="ts", columns="path", values="value", aggfunc="sum", fill_value=0.0).cumsum()
    where = np.unique(np.linspace(0, len(by_day) - 1, min(budget, len(by_day))).round().astype(int))
    return by_day.iloc[where].melt(ignore_index=False, value_name="value").reset_index()[["ts", "path", "value"]].sort_values(["path", "ts"], ignore_index=True)
