"""The inputs shared by all features of an analysis: the target, its ranks, bootstrap draws, groups and windows; computed once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from domain.errors import BadRequest, listed, unknown
from domain.laboratory.information import View, all_rows
from domain.laboratory.quantiles import Blocks, blocks
from domain.laboratory.ranks import Ranked, rank, within_instruments
from domain.laboratory.stability import labels_of, sessions, windows, years
from domain.laboratory.targets import Target, instrument_rows
from domain.market.bars import ts_of
from domain.params import param

LEAST = 100     # values of the target


@dataclass(frozen=True)
class StudyConfig:
    """Settings of a feature analysis."""

    quantiles: int = param(10, low=3, high=100, unit="quantiles", help="groups of equal size by the feature's value")
    resamples: int = param(500, low=100, high=10_000, unit="draws", help="resamples of the block bootstrap")
    block: int = param(0, low=0, high=1_000_000, unit="values", help="length of a block, at least the overlap of the target; 0: twice the overlap, or the cube root of the number of values")
    confidence: float = param(0.95, low=0.5, high=0.999, unit="share", help="confidence level of the intervals")
    tried: int = param(0, low=0, high=1_000_000, unit="features", help="number of features tried on this target in total, if more than shown")
    window: int = param(0, low=0, high=10_000_000, unit="values", help="length of a rolling window; 0: a twelfth of the target's values, at least 250")
    recent: float = param(0.2, low=0.01, high=0.9, unit="share", title="Recent share", help="share of the latest bars that are compared with earlier ones, for drift")
    seed: int = param(0, low=0, high=2**53 - 1, unit="", help="the same seed draws the same blocks and turns")


@dataclass(frozen=True)
class StudyRequest:
    """A target on the rows of a frame. ``place``: the number of each row's moment; ``moments``: the ts of each; ``instruments``: the number of each row's, where
    there are several; ``all_rows``, ``horizons`` (bars -> the same over others), ``labels``, ``windows``: the target in all rows, and in the groups of the stability analysis;
    ``recent``: the rows compared with those before."""

    ts: np.ndarray
    instruments: np.ndarray | None
    place: np.ndarray
    target: Target
    ranked: Ranked
    all_rows: View
    horizons: Mapping[int, View]
    labels: Mapping[str, tuple[View, tuple[str, ...]]]
    windows: Sequence[tuple[View, np.ndarray]]
    blocks: Blocks
    moments: np.ndarray
    recent: np.ndarray
    plan: StudyConfig

    def rank(self, values: np.ndarray) -> Ranked:
        """Ranks of a column; of several instruments each within its own."""
        return rank(values if self.instruments is None else within_instruments(values, self.instruments))

    @property
    def months(self) -> np.ndarray:
        return self.ts.view("datetime64[ns]").astype("datetime64[M]").astype(np.int64)

    @classmethod
    def of(cls, frame: pd.DataFrame, columns: Sequence[str], target: Target, labels: Mapping[str, np.ndarray | pd.Series], plan: StudyConfig) -> StudyRequest:
        _check(frame, columns, target, labels)
        ts = ts_of(frame)
        instruments = _numbers(frame) if "instrument" in frame else None
        moments, place = np.unique(ts, return_inverse=True)
        recent = ts > moments[int((len(moments) - 1) * (1 - plan.recent))]

        shared = None if instruments is None else place

        def ranked(values: np.ndarray) -> Ranked:
            return rank(values if instruments is None else within_instruments(values, instruments))

        own = ranked(target.values)

        def view_of(group: np.ndarray, count: int) -> View:
            return View(own, group, count, target.overlap, shared)

        named = {"year": years(ts), **({"session": sessions(ts)} if _within_a_day(moments) else {}), **{name: labels_of(label) for name, label in labels.items()}}
        length = plan.window or max(len(own.order) // 12, 250)
        return cls(
            ts=ts, instruments=instruments, place=place, target=target, ranked=own, all_rows=all_rows(own, target.overlap, shared),
            horizons={bars: all_rows(ranked(values), bars, shared) for bars, values in target.others.items()},
            labels={name: (view_of(label_set.group, len(label_set.names)), label_set.names) for name, label_set in named.items()},
            windows=[(view_of(group, len(last)), last) for group, last in windows(place, own, length)],
            blocks=blocks(target.values, target.overlap, plan.resamples, plan.seed, plan.block, shared), moments=moments, recent=recent, plan=plan,
        )  # fmt: skip


def _check(frame: pd.DataFrame, columns: Sequence[str], target: Target, labels: Mapping[str, np.ndarray | pd.Series]) -> None:
    for name in columns:
        if name not in frame:
            raise unknown("column", name, [str(column) for column in frame.columns])
    if not len(columns) or len(set(columns)) < len(columns):
        raise BadRequest(f"{len(columns)} columns were given ({listed(columns)}); name at least one, and each once")
    if "ts" not in frame:
        raise BadRequest("the frame has no column ts; the laboratory needs the time of each bar")
    for name, values in {"the target": target.values, **labels}.items():
        if len(values) != len(frame):
            raise BadRequest(f"{name} has {len(values)} values for {len(frame)} rows; make it from this frame")
    count = int(np.isfinite(target.values).sum())
    if count < LEAST:
        raise BadRequest(f"the target has {count} values; at least {LEAST} are needed for an analysis; use a longer date range or a shorter horizon")
    for rows in instrument_rows(frame):
        if not (np.diff(ts_of(frame.iloc[rows])) > 0).all():
            raise BadRequest("the rows are not in the order of time; sort the frame by instrument and time")


def _numbers(frame: pd.DataFrame) -> np.ndarray:
    return np.asarray(pd.factorize(frame["instrument"])[0], np.int64)


def _within_a_day(moments: np.ndarray) -> bool:
    return len(moments) > 1 and float(np.median(np.diff(moments))) < 86_400_000_000_000 / 2
