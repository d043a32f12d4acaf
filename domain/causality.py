"""The look-ahead check: features, regimes and signals must have the same values in the past whether or not later bars are present.

Columns, regimes and signals are computed once from every bar and again from the bars up to a cut, at random cuts, right after signals and before the
last bar; data of other instruments and external series is cut at the same instant. A value that differs uses data that was not available.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from domain.features import Context, Use, compute
from domain.market.bars import ts_of
from domain.strategies.base import Strategy, decide, uses_of

CUTS, SEED = 8, 11
TOLERANCE = 1e-12   # as a share of a column's scale: smaller differences are rounding

Make = Callable[[pd.DataFrame, Context], pd.DataFrame]
Watch = Callable[[float], None]


@dataclass(frozen=True)
class Leak:
    """A column that has look-ahead bias: the bar and instant at which it differs most, by how much (NaN where one of the two is no number),
    with and without the bars after ``cut``, and at how many bars it differs."""

    column: str
    bar: int
    ts: str
    size: float
    seen: str
    unseen: str
    cut: int
    bars: int

    def __str__(self) -> str:
        by = f"by {self.size:.6g}" if np.isfinite(self.size) else "altogether"
        return f"{self.column} has look-ahead bias: at bar {self.bar} ({self.ts}) it is {self.seen}, and {self.unseen} when the bars from {self.cut} on are taken away; it moves {by}, and at {self.bars:,} bar{'s' if self.bars != 1 else ''}"


@dataclass(frozen=True)
class LookAheadVerdict:
    """``checked``: columns that were recomputed. Green where none of them leaks."""

    checked: tuple[str, ...]
    cuts: tuple[int, ...]
    bars: int
    leaks: tuple[Leak, ...] = ()

    @property
    def green(self) -> bool:
        return bool(self.checked) and not self.leaks


def check_features(bars: pd.DataFrame, uses: Iterable[Use], context: Context = Context(), cuts: int = CUTS, seed: int = SEED, watch: Watch = lambda share: None) -> LookAheadVerdict:
    """Each column by itself.

    >>> from domain.features import use
    >>> bars = pd.DataFrame({"close": np.arange(50.0)})
    >>> check_features(bars, [use("sma", window=3)]).green
    True
    """
    uses = tuple(uses)
    names = [use.column for use in uses]
    return check(bars, lambda part, cut_context: compute(part, uses, cut_context)[names], context, cuts, seed, watch)


def check_strategy(bars: pd.DataFrame, strategy: Strategy, context: Context, cuts: int = CUTS, seed: int = SEED, watch: Watch = lambda share: None) -> LookAheadVerdict:
    """Its features, its trailing prices, and every column of its signals."""
    uses = uses_of(strategy)
    columns = check_features(bars, uses, context, cuts, seed, lambda share: watch(share / 2))
    signals = check(bars, lambda part, cut_context: decide(strategy, part, cut_context, part=len(part) < len(bars)).table, context, cuts, seed, lambda share: watch(0.5 + share / 2))
    trail = getattr(strategy, "trail_price", None)
    prices = check(bars, lambda part, cut_context: pd.DataFrame(dict(trail_price=np.asarray(trail(compute(part, uses, cut_context))))), context, cuts, seed) if trail else None
    verdicts = [columns, signals, *([prices] if prices else [])]
    checked, leaks = (tuple(item for verdict in verdicts for item in getattr(verdict, name)) for name in ("checked", "leaks"))
    return LookAheadVerdict(checked, columns.cuts, len(bars), leaks)


def check(bars: pd.DataFrame, make: Make, context: Context = Context(), cuts: int = CUTS, seed: int = SEED, watch: Watch = lambda share: None) -> LookAheadVerdict:
    """The check of any table that ``make`` computes from bars: one row per bar, or ordered rows with ``ts``.

    >>> bars = pd.DataFrame({"close": [1.0, 2.0, 4.0, 8.0]})
    >>> z = check(bars, lambda part, context: pd.DataFrame({"z": part["close"] - part["close"].mean()}))
    >>> z.green, z.leaks[0].column, z.leaks[0].bar
    (False, 'z', 0)
    """
    full = make(bars, context)
    places = _places(bars, full, cuts, seed)
    leaks: dict[str, Leak] = {}
    for k, cut in enumerate(places):
        watch(k / len(places))
        cut_frame = make(bars.iloc[:cut], _known_at(context, bars, cut))
        for leak in _differences(bars, full, cut_frame, cut):
            if leak.column not in leaks or _worse(leak, leaks[leak.column]):
                leaks[leak.column] = leak
    return LookAheadVerdict(tuple(str(name) for name in full), tuple(places), len(bars), tuple(leaks.values()))


def _places(bars: pd.DataFrame, full: pd.DataFrame, cuts: int, seed: int) -> list[int]:
    """Random cuts in each part of the bars, the one that takes only the last bar away, and for rows with ``ts`` right after some of them:
    what was decided there may know nothing of the next bar."""
    edges = np.linspace(0, len(bars), max(cuts, 1)).astype(int)
    rng = np.random.default_rng(seed)
    cuts_drawn = [int(rng.integers(low, high)) for low, high in itertools.pairwise(edges) if high > low]
    if "ts" in full and len(full):
        chosen = rng.choice(len(full), min(cuts, len(full)), replace=False)
        cuts_drawn += (np.searchsorted(ts_of(bars), ts_of(full.iloc[np.sort(chosen)])) + 1).tolist()
    return sorted({place for place in (*cuts_drawn, len(bars) - 1) if 0 < place < len(bars)})


def _known_at(context: Context, bars: pd.DataFrame, cut: int) -> Context:
    if context.timeframe is None or "ts" not in bars:
        return context
    return context.until(int(context.ends(bars.iloc[:cut])[-1]))


def _differences(bars: pd.DataFrame, full: pd.DataFrame, cut_frame: pd.DataFrame, cut: int) -> list[Leak]:
    if "ts" in full:
        expected = full[(full["ts"] <= bars["ts"].iloc[cut - 1]).to_numpy(bool)]
        if len(expected) != len(cut_frame):
            return [_missing(bars, expected, cut_frame, cut)]
        rows = np.searchsorted(ts_of(bars), ts_of(cut_frame)) if len(cut_frame) else np.zeros(0, int)
    else:
        expected, rows = full.iloc[:cut], np.arange(cut)
    leaks = []
    for name in full:
        with_all, without = (frame[name].to_numpy() for frame in (expected, cut_frame))
        moved, size = _moved(with_all, without)
        if moved.any():
            worst = int(np.argmax(np.where(moved, np.nan_to_num(size, nan=-1.0), -2.0)))
            leaks.append(Leak(str(name), int(rows[worst]), _when(bars, int(rows[worst])), float(size[worst]), _text(with_all[worst]), _text(without[worst]), cut, int(moved.sum())))
    return leaks


def _moved(seen: np.ndarray, unseen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where two columns differ, and by how much."""
    if seen.dtype.kind not in "fiub":
        unlike = np.array([a != b and not (a != a and b != b) for a, b in zip(seen, unseen, strict=True)], bool)
        return unlike, np.full(len(seen), np.nan)
    a, b = seen.astype(np.float64), unseen.astype(np.float64)
    finite = np.abs(a[np.isfinite(a)])
    with np.errstate(invalid="ignore"):
        size = np.abs(a - b)
        size[a == b] = 0.0
    return (np.isnan(a) != np.isnan(b)) | (size > TOLERANCE * (float(finite.max()) if len(finite) else 1.0)), size


def _missing(bars: pd.DataFrame, expected: pd.DataFrame, cut_frame: pd.DataFrame, cut: int) -> Leak:
    """Rows that only one of the two has."""
    a, b = (ts_of(table) if len(table) else np.zeros(0, np.int64) for table in (expected, cut_frame))
    alone = np.setxor1d(a, b)
    first = int(np.searchsorted(ts_of(bars), alone[0])) if len(alone) else cut - 1
    return Leak("signals", first, _when(bars, first), float("nan"), f"{len(expected)} rows", f"{len(cut_frame)} rows", cut, max(len(alone), 1))


def _worse(leak: Leak, other: Leak) -> bool:
    return bool(np.nan_to_num(leak.size, nan=-1.0) > np.nan_to_num(other.size, nan=-1.0))


def _when(bars: pd.DataFrame, row: int) -> str:
    return f"{bars['ts'].iloc[row]:%Y-%m-%d %H:%M} UTC" if "ts" in bars else "no time"


def _text(value: Any) -> str:
    if isinstance(value, (float, np.floating)):
        return "nothing" if np.isnan(value) else f"{value:.6g}"
    return str(value)


