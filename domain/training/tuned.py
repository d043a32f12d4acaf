"""What a tuning found: the table of its trials, the one that is taken, and heat maps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd

from domain.errors import BadRequest
from domain.optimise import Dimension, heat

NEAREST = 5             # trials, itself among them, whose mean loss stands for a trial
LEVELS = 8              # of an axis of a heat map


class Result(Protocol):
    """``values``: the loss with its sign changed, None where the trial did not run to the end."""

    @property
    def number(self) -> int: ...
    @property
    def values(self) -> tuple[float, ...] | None: ...
    @property
    def given_up(self) -> bool: ...
    @property
    def refused(self) -> str: ...
    @property
    def figures(self) -> Mapping[str, float | None]: ...


@dataclass(frozen=True)
class Tuned:
    """``table``: a row a trial: ``number``, parameters, ``loss`` (mean over folds, NaN: given up or infeasible), ``nearest`` (mean loss of the 5 nearest trials),
    ``folds`` (fitted), ``given_up``, ``infeasible``, ``chosen``. ``params``: of the chosen trial. ``refused``: why combinations were infeasible, with their number."""

    table: pd.DataFrame
    params: Mapping[str, Any]
    space: tuple[Dimension, ...]
    refused: Mapping[str, int]

    def maps(self) -> dict[tuple[str, str], pd.DataFrame]:
        return maps_of(self.table, self.space)


def tuned(points: Sequence[Mapping[str, Any]], results: Sequence[Result], space: Sequence[Dimension]) -> Tuned:
    """The table of all trials, and the one that is taken. Raises BadRequest where none ran to the end."""
    ordered = sorted(results, key=lambda result: result.number)
    refused: dict[str, int] = {}
    for result in ordered:
        if result.refused:
            refused[result.refused] = refused.get(result.refused, 0) + 1
    loss = np.array([np.nan if result.values is None else -result.values[0] for result in ordered])
    if np.isnan(loss).all():
        raise BadRequest(f"no combination could be tried: {next(iter(refused))}" if refused else "no trial ran to the end")
    nearest = smoothed(places(points, space), loss)
    best = int(np.nanargmin(nearest))
    rows = [dict(number=result.number, **points[result.number]) for result in ordered]
    figures = dict(
        loss=loss, nearest=nearest, folds=[int(result.figures.get("folds") or 0) for result in ordered], given_up=[result.given_up for result in ordered],
        infeasible=[bool(result.refused) for result in ordered], chosen=np.arange(len(ordered)) == best,
    )  # fmt: skip
    return Tuned(pd.DataFrame(rows).assign(**figures), dict(points[ordered[best].number]), tuple(space), refused)


def places(points: Sequence[Mapping[str, Any]], space: Sequence[Dimension]) -> np.ndarray:
    """trials × places: a number between 0 and 1 on each axis, by logarithm where it is searched so; a choice is a place of its own, half of √2 from any other.

    >>> places([{"a": 1}, {"a": 100}, {"a": 10}], [Dimension("a", 1, 100, log=True)]).ravel().tolist()
    [0.0, 1.0, 0.5]
    """
    axes: list[np.ndarray] = []
    for dimension in space:
        given = [point[dimension.name] for point in points]
        if dimension.choices:
            axes += [0.5 * np.array([value == choice for value in given], float) for choice in dimension.choices]
            continue
        scale = np.log if dimension.log else np.asarray
        low, high, at = (np.asarray(scale(np.asarray(value, float))) for value in (dimension.low, dimension.high, given))
        axes.append((at - low) / (high - low))
    return np.column_stack(axes)


def smoothed(at: np.ndarray, loss: np.ndarray) -> np.ndarray:
    """For each trial with a loss the mean loss of the 5 such trials that are nearest to it, itself among them; of equally near ones the earlier.

    >>> smoothed(np.arange(6.0)[:, None], np.array([9.0, 1.0, 9.0, 2.0, 2.0, np.nan])).round(1).tolist()
    [4.6, 4.6, 4.6, 4.6, 4.6, nan]
    """
    known = np.flatnonzero(~np.isnan(loss))
    out = np.full(len(loss), np.nan)
    for row in known:
        far = ((at[known] - at[row]) ** 2).sum(axis=1)
        far[known == row] = -1.0
        out[row] = loss[known[np.argsort(far, kind="stable")[:NEAREST]]].mean()
    return out


def maps_of(table: pd.DataFrame, space: Sequence[Dimension]) -> dict[tuple[str, str], pd.DataFrame]:
    """A heat map of each pair of parameters, as ``optimise.heat`` makes them, of ``score``, the loss with its sign changed: higher is better. An axis with more than
    eight values is cut into eight of equal width (equal ratio where it is searched by logarithm), each shown at its middle."""
    shown = table[table["loss"].notna()].assign(score=-table["loss"])
    for dimension in space:
        shown[dimension.name] = _levels(shown[dimension.name], dimension)
    names = [dimension.name for dimension in space]
    return {(x, y): heat(shown, x, y, "score") for k, x in enumerate(names) for y in names[k + 1 :]}


def _levels(values: pd.Series, dimension: Dimension) -> pd.Series:
    if dimension.choices or values.nunique() <= LEVELS:
        return values
    low, high = float(dimension.low or 0.0), float(dimension.high or 0.0)
    edges = np.geomspace(low, high, LEVELS + 1) if dimension.log else np.linspace(low, high, LEVELS + 1)
    level = np.clip(np.searchsorted(edges, values.to_numpy(float), side="right") - 1, 0, LEVELS - 1)
    middle = np.sqrt(edges[:-1] * edges[1:]) if dimension.log else (edges[:-1] + edges[1:]) / 2
    return pd.Series(middle[level], values.index)
