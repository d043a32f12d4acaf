"""Analogues: past bars similar to a chosen one, and their forward returns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from domain.errors import BadRequest, unknown
from domain.laboratory.targets import forward_return, instrument_rows
from domain.market.bars import ts_of
from domain.rounding import ROUNDING

CLIP = 5.0      # standard deviations beyond which a value counts no more, so that one wild column does not decide
Find = Callable[[np.ndarray, np.ndarray, int], tuple[np.ndarray, np.ndarray]]      # past, now, count -> places and distances, nearest first
LEAST = 50      # moments of the past
BINS = 20
SHARES = {"q05": 0.05, "q25": 0.25, "median": 0.5, "q75": 0.75, "q95": 0.95}


@dataclass(frozen=True)
class Moments:
    """``matches``: ``rank, row, ts, (instrument,) distance, followed`` from the nearest; ``paths``: ``rank, step, value``, log price against the close of the match, steps
    from before to after it, rank 0 the chosen bar itself up to now. ``followed``: figures of the log returns after the matches, and beside them after all moments
    they were taken from; ``distribution``: ``low, high, matches, all`` (shares). ``columns``: those the distance is made of. ``notes``: sentences."""

    matches: pd.DataFrame
    paths: pd.DataFrame
    followed: pd.DataFrame
    distribution: pd.DataFrame
    columns: tuple[str, ...]
    notes: tuple[str, ...]


def similar(
    frame: pd.DataFrame, columns: Sequence[str], horizon: int, chosen: int = -1, count: int = 50, start: str = "open", before: int = 32, method: str = "auto",
) -> Moments:  # fmt: skip
    """The ``count`` nearest moments to row ``chosen`` of ``frame`` and the returns over ``horizon`` bars after them (see ``forward_return``).

    A moment may be a match if all that followed it, ``horizon`` bars, had happened by the close of the chosen bar: row ≤ chosen − horizon on the same instrument, the same by the
    clock on others. Distance: Euclid's over ``columns``, each less its mean and in units of its standard deviation over those moments alone, cut at ±5: nothing after
    the chosen bar has a part in it. Of moments less than ``horizon`` bars apart, on whichever instrument, only the nearest stays: they are one moment. Columns
    unknown at the chosen bar, or that never vary, are left out, then moments with an unknown value. ``method``: faiss, sklearn or auto (faiss where it is installed); both are exact.
    """
    if not 0 <= (chosen + len(frame) if chosen < 0 else chosen) < len(frame):
        raise BadRequest(f"row {chosen} was chosen; the frame has {len(frame)} rows")
    chosen = chosen % len(frame)
    for name in columns:
        if name not in frame:
            raise unknown("column", name, [str(column) for column in frame.columns])
    ts, over = ts_of(frame), _over(frame, horizon)
    vectors = frame[list(columns)].to_numpy(np.float32)
    allowed = np.flatnonzero(over <= ts[chosen])
    used = np.flatnonzero(np.isfinite(vectors[chosen]) & _varies(vectors[allowed]))
    allowed = allowed[np.isfinite(vectors[np.ix_(allowed, used)]).all(axis=1)]
    if len(allowed) < LEAST or not len(used):
        raise BadRequest(f"{len(allowed)} moments before row {chosen} have all of {len(used)} columns and {horizon} bars after them; at least {LEAST} are needed. Choose a later bar, fewer columns or a shorter horizon")
    past, now = _standardised(vectors[np.ix_(allowed, used)], vectors[chosen, used])
    places, distances = _separate(past, now, ts[allowed], over[allowed], count, _finder(method))
    rows = allowed[places]
    outcome = forward_return(frame, horizon, start, ()).values
    moments = pd.DatetimeIndex(ts[rows].view("datetime64[ns]"), tz="UTC")
    matches = pd.DataFrame(dict(rank=np.arange(1, len(rows) + 1), row=rows, ts=moments, distance=distances, followed=outcome[rows]))
    if "instrument" in frame:
        matches.insert(3, "instrument", frame["instrument"].to_numpy()[rows])
    names = tuple(columns[int(k)] for k in used)
    return Moments(matches, _paths(frame, chosen, rows, before, horizon), _figures(outcome[rows], outcome[allowed]), _distribution(outcome[rows], outcome[allowed]), names, _notes(names, columns, len(rows), count, len(allowed), horizon, distances, past, now))


def _over(frame: pd.DataFrame, horizon: int) -> np.ndarray:
    """The open of the last bar of each row's forward return; the maximum where the bars end first."""
    if horizon < 1:
        raise BadRequest(f"the horizon is {horizon} bars; it must be at least 1")
    ts = ts_of(frame)
    over = np.full(len(ts), np.iinfo(np.int64).max)
    for rows in instrument_rows(frame):
        own = ts[rows]
        over[rows][: max(len(own) - horizon, 0)] = own[horizon:]
    return over


def _varies(past: np.ndarray) -> np.ndarray:
    if not len(past):
        return np.zeros(past.shape[1], bool)
    finite = np.isfinite(past)
    low, high = np.where(finite, past, np.inf).min(axis=0), np.where(finite, past, -np.inf).max(axis=0)
    return low < high


def _standardised(past: np.ndarray, now: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    mean, spread = past.mean(axis=0, dtype=float), past.std(axis=0, dtype=float)
    spread = np.where(spread > ROUNDING * np.abs(mean), spread, 1.0)
    past, now = (np.clip((values - mean) / spread, -CLIP, CLIP).astype(np.float32) for values in (past, now))
    return past, now


def _separate(past: np.ndarray, now: np.ndarray, begins: np.ndarray, ends: np.ndarray, count: int, find: Find) -> tuple[np.ndarray, np.ndarray]:
    """The nearest matches whose periods, from the match to the end of its forward return, do not overlap."""
    wanted = min(4 * count, len(past))
    while True:
        near, distances = find(past, now, wanted)
        places: list[int] = []
        for place in near:
            if all(ends[place] <= begins[other] or ends[other] <= begins[place] for other in places):
                places.append(int(place))
                if len(places) == count:
                    break
        if len(places) == count or wanted == len(past):
            at = {int(place): k for k, place in enumerate(near)}
            return np.array(places, np.int64), distances[[at[place] for place in places]]
        wanted = min(4 * wanted, len(past))


def _finder(method: str) -> Find:
    if method not in ("auto", "faiss", "sklearn"):
        raise unknown("method", method, ("auto", "faiss", "sklearn"))
    if method == "sklearn":
        return _by_sklearn
    from importlib.util import find_spec

    if find_spec("faiss"):
        return _by_faiss
    if method == "faiss":
        raise BadRequest("faiss is not installed here; install faiss-cpu, or ask for sklearn or auto, which find the same")
    return _by_sklearn


def _by_sklearn(past: np.ndarray, now: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    from sklearn.neighbors import NearestNeighbors

    distances, near = NearestNeighbors(n_neighbors=count, algorithm="brute").fit(past).kneighbors(now[None])
    return near[0], distances[0].astype(float)


def _by_faiss(past: np.ndarray, now: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    import faiss

    index = faiss.IndexFlatL2(past.shape[1])
    index.add(np.ascontiguousarray(past))
    squares, near = index.search(now[None], count)
    return near[0], np.sqrt(np.maximum(squares[0].astype(float), 0.0))


def _paths(frame: pd.DataFrame, chosen: int, rows: np.ndarray, before: int, horizon: int) -> pd.DataFrame:
    with np.errstate(divide="ignore", invalid="ignore"):
        price = np.log(frame["close"].to_numpy(float))
    first, last = np.zeros(len(frame), np.int64), np.zeros(len(frame), np.int64)
    for own in instrument_rows(frame):
        first[own], last[own] = own.start, own.stop - 1
    paths = []
    for number, row in enumerate((chosen, *rows)):
        at = np.arange(max(row - before, first[row]), (row if number == 0 else min(row + horizon, last[row])) + 1)
        paths.append(pd.DataFrame(dict(rank=number, step=at - row, value=price[at] - price[row])))
    return pd.concat(paths, ignore_index=True)


def _figures(followed: np.ndarray, everything: np.ndarray) -> pd.DataFrame:
    """``figure, matches, all``."""

    def of(values: np.ndarray) -> dict[str, float]:
        values = values[np.isfinite(values)]
        if not len(values):
            return {}
        cuts = dict(zip(SHARES, np.quantile(values, list(SHARES.values())), strict=True))
        return {"count": float(len(values)), "mean": float(values.mean()), "deviation": float(values.std()), "share_up": float((values > 0).mean()), **{name: float(cut) for name, cut in cuts.items()}}

    sides = of(followed), of(everything)
    names = ("count", "mean", "deviation", "share_up", *SHARES)
    return pd.DataFrame(dict(figure=names, **{side: [figures.get(name, np.nan) for name in names] for side, figures in zip(("matches", "all"), sides, strict=True)}))


def _distribution(followed: np.ndarray, everything: np.ndarray) -> pd.DataFrame:
    finite = [values[np.isfinite(values)] for values in (followed, everything)]
    reach = max(float(np.quantile(np.abs(finite[1]), 0.99)) if len(finite[1]) else 0.0, 1e-12)
    edges = np.linspace(-reach, reach, BINS + 1)
    shares = [np.histogram(np.clip(values, -reach, reach), edges)[0] / max(len(values), 1) for values in finite]
    return pd.DataFrame(dict(low=edges[:-1], high=edges[1:], matches=shares[0], all=shares[1]))


def _notes(names: Sequence[str], requested: Sequence[str], matches: int, count: int, moments: int, horizon: int, distances: np.ndarray, past: np.ndarray, now: np.ndarray) -> tuple[str, ...]:
    usual = float(np.median(np.sqrt(((past[:: max(len(past) // 5_000, 1)] - now) ** 2).sum(axis=1))))
    notes = [f"Taken from {moments:,} moments whose next {horizon:,} bars had passed by the chosen bar; the farthest match is at {distances[-1]:.2f}, half of all within {usual:.2f}."]
    if matches < count:
        notes.append(f"{matches:,} of {count:,} matches could be found that share no time.")
    omitted = [name for name in requested if name not in names]
    if omitted:
        notes.append(f"Left out, unknown at the chosen bar or never varying: {', '.join(omitted)}.")
    return tuple(notes)
