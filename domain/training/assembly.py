"""From the samples of each instrument to one set, in the order of time, over one matrix."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from domain.errors import BadRequest
from domain.models.base import Samples
from domain.trading.task import Rate
from domain.training.columns import Matrix
from domain.training.inputs import Inputs
from domain.training.sample_set import NEVER, SampleSet
from domain.training.targets import Target
from domain.training.weights import uniqueness

if TYPE_CHECKING:
    from domain.backtest.series import Bars

NOT_OPENED = "not_opened"       # of a signal; the kernel says why, in numbers for all of them


@dataclass(frozen=True)
class Draft:
    """Samples of one instrument. ``at``: row of ``Series.seen``. ``end``: int64 ns UTC, NEVER where no label is known; ``why``: the reason then, else empty.
    ``own``: columns that belong to the sample and not to its bar. ``table``: of ``SampleSet.signals``."""

    at: np.ndarray
    y: np.ndarray
    end: np.ndarray
    why: np.ndarray
    r: np.ndarray
    own: Mapping[str, np.ndarray] = field(default_factory=dict)
    beside: Mapping[str, np.ndarray] = field(default_factory=dict)
    table: pd.DataFrame | None = None

    def take(self, rows: np.ndarray) -> Draft:
        own, beside = ({name: values[rows] for name, values in columns.items()} for columns in (self.own, self.beside))
        return Draft(self.at[rows], self.y[rows], self.end[rows], self.why[rows], self.r[rows], own, beside, None if self.table is None else self.table.iloc[rows])


def traded_bars(inputs: Inputs) -> Bars:
    from domain.backtest.series import bars_of

    series = inputs.series
    return bars_of(Rate(series.instrument, series.timeframe, series.bars, series.side), inputs.rules.costs)


def assembled(inputs: Sequence[Inputs], target: Target, matrix: Matrix, drafts: Sequence[Draft], never_opened: Mapping[str, int], labelled: bool) -> SampleSet:
    """``never_opened``: how many signals never opened, by the kernel's reason. Raises BadRequest where no sample is left."""
    warm = [draft.at >= bars for draft, bars in zip(drafts, matrix.warm_up, strict=True)]
    reasons = Counter(str(why) for draft, late in zip(drafts, warm, strict=True) for why in draft.why[late] if why not in ("", NOT_OPENED)) + Counter(never_opened)
    left_out = sum(int((~late).sum()) for late in warm)
    kept = [draft.take(np.flatnonzero(late & ((draft.why == "") | (not labelled)))) for draft, late in zip(drafts, warm, strict=True)]
    if labelled and not any(len(draft.at) for draft in kept):
        raise BadRequest(_nothing(target, reasons, left_out, matrix))
    ends = [each.context.ends(each.series.seen) for each in inputs]
    rows, first = _placed(matrix, kept)
    start = np.concatenate([own[draft.at] for own, draft in zip(ends, kept, strict=True)])
    instrument = np.repeat(np.arange(len(kept)), [len(draft.at) for draft in kept])
    order = np.lexsort((instrument, start))
    joined = {name: np.concatenate([getattr(draft, name) for draft in kept])[order] for name in ("y", "end", "r")}
    beside = {name: np.concatenate([draft.beside[name] for draft in kept])[order] for name in (kept[0].beside if kept else ())}
    samples = Samples(
        matrix.values, matrix.columns, rows[order], joined["y"], start[order], joined["end"], np.ones(len(order)), instrument[order], first[order], target.task, target.classes, beside
    )  # fmt: skip
    unique = np.concatenate([_uniqueness(draft, own) for draft, own in zip(kept, ends, strict=True)])[order]
    tables = [draft.table for draft in kept if draft.table is not None]
    table = pd.concat(tables, ignore_index=True).iloc[order].reset_index(drop=True) if tables else None
    return SampleSet(samples, joined["r"], unique, tuple(each.series.instrument.name for each in inputs), dict(sorted(reasons.items())), left_out, target.name, table, matrix.dropped)


def _placed(matrix: Matrix, drafts: Sequence[Draft]) -> tuple[np.ndarray, np.ndarray]:
    """The matrix's row of each sample, and the first row of its history. A sample's own columns stand in its bar's row; where a bar has several, the further
    ones get a copy of that row below all bars, without a history."""
    rows, firsts, free = [], [], int(matrix.first[-1])
    places = [matrix.columns.index(name) for name in (drafts[0].own if drafts else ())]
    for draft, first in zip(drafts, matrix.first[:-1], strict=True):
        row, history = draft.at + first, np.full(len(draft.at), first)
        if places:
            further = np.setdiff1d(np.arange(len(row)), np.unique(row, return_index=True)[1])
            copies = np.arange(free, free + len(further))
            matrix.values[copies] = matrix.values[row[further]]
            row[further] = history[further] = copies
            free += len(further)
            for place, values in zip(places, draft.own.values(), strict=True):
                matrix.values[row, place] = values
        rows.append(row)
        firsts.append(history)
    return np.concatenate(rows).astype(np.int64), np.concatenate(firsts).astype(np.int64)


def _uniqueness(draft: Draft, ends: np.ndarray) -> np.ndarray:
    """Over the bars that end in (start, end]; NaN where the end is not known."""
    known, unique = draft.end != NEVER, np.full(len(draft.at), np.nan)
    unique[known] = uniqueness(draft.at[known] + 1, np.searchsorted(ends, draft.end[known]))
    return unique


def _nothing(target: Target, reasons: Mapping[str, int], left_out: int, matrix: Matrix) -> str:
    if not reasons and not left_out:
        return f"there are no {target.on} among these data, so there is no label for {target.name}; take more data, or another strategy"
    counted = "; ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in sorted(reasons.items()))
    warm = f"; {left_out:,} lie in the warm-up of the columns, {int(matrix.warm_up.max()):,} bars" if left_out else ""
    return f"none of the {target.on} has a label for {target.name}{f' ({counted})' if counted else ''}{warm}; take more data, or another strategy or target"
