"""A newer file of a series joined to its stored bars: what differs where both have bars, and the bars of both."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from domain.errors import BadRequest
from domain.market.bars import OPTIONAL, PRICES

KEEP, REPLACE = "keep", "replace"
SAME = 1e-9         # of the price: differences that are nothing but rounding
MOST_BARS = 0.5     # of the overlap that differ: perhaps another clock, side or instrument


@dataclass(frozen=True)
class Overlap:
    """Bars of the same times, compared. ``differences``: ``ts``, each price before and after, ``largest`` of a bar in price units, and volume and spread where both have them.

    ``added``: bars of the file that the series has not, after its end and inside it (``inside``); ``absent``: bars of the series, in the span of the file, that the file has not.
    """

    bars: int
    added: int
    inside: int
    absent: int
    differences: pd.DataFrame

    @property
    def largest(self) -> float:
        """The largest difference of a price, price units."""
        return float(self.differences["largest"].max()) if len(self.differences) else 0.0

    def sentence(self, digits: int) -> str:
        """
        >>> old = pd.DataFrame(dict(ts=pd.to_datetime([0, 60, 120], unit="s", utc=True), open=1.0, high=1.0, low=1.0, close=[1.0, 1.0, 1.1]))
        >>> new = pd.DataFrame(dict(ts=pd.to_datetime([120, 180], unit="s", utc=True), open=1.0, high=1.0, low=1.0, close=1.0))
        >>> overlap(old, new).sentence(5)
        '1 bar is in both, and 1 of them differs, by at most 0.10000, at 1970-01-01 00:02; 1 bar is new. Most of the bars in both differ: check the time zone, the price side and the instrument of the file.'
        """
        new = f"{_bars(self.added)} new" + (f", {self.inside:,} of them inside the series" if self.inside else "")
        if not self.bars:
            return f"No bar is in both; {new}."
        count = len(self.differences)
        differing = "and they agree" if not count else f"and {count:,} of them {'differs' if count == 1 else 'differ'}, {self._most(digits)}"
        lost = f"; {self.absent:,} of the series, in the span of the file, {'is' if self.absent == 1 else 'are'} not in the file and stay" if self.absent else ""
        doubt = " Most of the bars in both differ: check the time zone, the price side and the instrument of the file." if count > MOST_BARS * self.bars else ""
        return f"{_bars(self.bars)} in both, {differing}; {new}{lost}.{doubt}"

    def _most(self, digits: int) -> str:
        worst = self.differences.loc[self.differences["largest"].idxmax()]
        return f"by at most {worst['largest']:.{digits}f}, at {worst['ts']:%Y-%m-%d %H:%M}" if worst["largest"] > 0 else "in volume or spread only"


def overlap(old: pd.DataFrame, new: pd.DataFrame) -> Overlap:
    """The bars of ``new`` compared with those of ``old``, both in order of time."""
    both = old.merge(new, on="ts", suffixes=("_before", "_after"))
    names = [name for name in (*PRICES, *OPTIONAL) if name in old and name in new]
    deltas = {name: _delta(both[f"{name}_before"], both[f"{name}_after"]) for name in names}
    largest = np.max([deltas[name] for name in PRICES], axis=0) if len(both) else np.empty(0)
    differ = np.any([delta > 0 for delta in deltas.values()], axis=0) if len(both) else np.empty(0, bool)
    columns = ["ts", *(f"{name}_{when}" for name in names for when in ("before", "after"))]
    differences = both.assign(largest=largest)[differ][[*columns, "largest"]].reset_index(drop=True)
    added = ~new["ts"].isin(old["ts"])
    inside = int((added & (new["ts"] > old["ts"].iloc[0]) & (new["ts"] < old["ts"].iloc[-1])).sum())
    in_span = (old["ts"] >= new["ts"].iloc[0]) & (old["ts"] <= new["ts"].iloc[-1])
    return Overlap(len(both), int(added.sum()), inside, int(in_span.sum()) - len(both), differences)


def joined(old: pd.DataFrame, new: pd.DataFrame, which: str) -> pd.DataFrame:
    """The bars of both, in order of time; where both have one, that of the series (``keep``) or of the file (``replace``). A column that only one has is unknown for the other."""
    if which not in (KEEP, REPLACE):
        raise BadRequest(f"the overlap is {which!r}; give keep (the stored bars) or replace (those of the file)")
    first, second = (old, new) if which == KEEP else (new, old)
    bars = pd.concat([first, second[~second["ts"].isin(first["ts"])]], ignore_index=True)
    columns = ["ts", *PRICES, *(name for name in OPTIONAL if name in bars)]
    return bars[columns].sort_values("ts", kind="stable", ignore_index=True)


def _delta(before: pd.Series, after: pd.Series) -> np.ndarray:
    """Absolute differences; 0 for nothing but rounding or where both are unknown, infinite where one is."""
    first, second = before.to_numpy(np.float64), after.to_numpy(np.float64)
    delta = np.abs(first - second)
    delta[delta <= SAME * np.maximum(1.0, np.abs(first))] = 0.0
    unknown = np.isnan(first), np.isnan(second)
    return np.where(unknown[0] & unknown[1], 0.0, np.where(unknown[0] | unknown[1], np.inf, delta))


def _bars(count: int) -> str:
    return f"{count:,} bar{' is' if count == 1 else 's are'}"
