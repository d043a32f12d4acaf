"""Drawn paths: one large set of them for the figures, and smaller ones of resampled histories for their intervals."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from domain.block_length import automatic_block
from domain.compliance.day_rules import DayRule
from domain.compliance.outcomes import Outcomes, joined, outcomes_of
from domain.compliance.resampling import resampled_days, resampled_histories
from domain.compliance.rule import Terms
from domain.compliance.run_days import RunDays
from domain.params import param

ENDS = (0.025, 0.975)  # quantiles that an interval of 95 % goes from and to
CHUNK = 10_000  # paths that are judged side by side
Watch = Callable[[float], None]


def unwatched(share: float) -> None:
    """For those who do not ask how far it is."""


@dataclass(frozen=True)
class ChanceConfig:
    """Settings of an estimate. The same seed gives the same numbers."""

    paths: int = param(10_000, low=100, high=1_000_000, unit="paths", help="Number of sampled paths.")
    horizon: int = param(
        60, low=1, high=1_000, unit="trading days", help="Trading days after which a path counts as open."
    )
    seed: int = param(0, low=0, high=2**53 - 1, unit="", help="Random seed; the same seed draws the same paths.")
    block: float = param(
        0.0, low=0.0, high=10_000.0, unit="days", help="Mean block length; 0: automatic (Politis & White)."
    )
    histories: int = param(200, low=20, high=5_000, unit="histories", help="Resampled histories behind the intervals.")
    inner: int = param(500, low=50, high=100_000, unit="paths", help="Sampled paths of each resampled history.")

    def block_of(self, days: RunDays) -> float:
        """The mean block length for these days."""
        return self.block or automatic_block(days.change)


@dataclass(frozen=True)
class Estimate:
    """A figure and its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Drawn:
    """Outcomes of the paths, and of those of the histories, ``inner`` after each other."""

    paths: Outcomes
    repeated: Outcomes
    inner: int

    def share(self, which: Callable[[Outcomes], np.ndarray]) -> Estimate:
        """The share of paths for which ``which`` is true. The interval is widened to hold the figure itself."""
        by_history = which(self.repeated).reshape(-1, self.inner).mean(axis=1)
        return estimate(float(which(self.paths).mean()), by_history)


def estimate(value: float, repeated: np.ndarray) -> Estimate:
    """The percentile interval of the repeated figures (NaN ones left out).

    >>> estimate(50.0, np.arange(101.0))
    Estimate(value=50.0, low=2.5, high=97.5)
    """
    repeated = repeated[np.isfinite(repeated)]
    if not len(repeated):
        return Estimate(value, float("nan"), float("nan"))
    low, high = np.quantile(repeated, ENDS)
    return Estimate(value, float(min(low, value)), float(max(high, value)))


def draws(days: RunDays, config: ChanceConfig) -> Iterator[tuple[bool, np.ndarray]]:
    """Chunks of drawn days, ``(horizon, paths)``, and whether they belong to the histories. The same for every rule
    set and risk, so that differences between these are not luck of the draw."""
    block, streams = config.block_of(days), np.random.SeedSequence(config.seed).spawn(3)
    paths, histories, inner = (np.random.Generator(np.random.PCG64(stream)) for stream in streams)
    for first in range(0, config.paths, CHUNK):
        yield False, resampled_days(len(days), min(CHUNK, config.paths - first), config.horizon, block, paths)
    history = resampled_histories(len(days), config.histories, block, histories)
    at_once = max(CHUNK // config.inner, 1)
    for first in range(0, config.histories, at_once):
        some = history[first : first + at_once]
        chosen = resampled_days(len(days), len(some) * config.inner, config.horizon, block, inner)
        yield True, some[np.repeat(np.arange(len(some)), config.inner), chosen]


def drawn(
    days: RunDays,
    rules: Sequence[DayRule],
    terms: Terms,
    config: ChanceConfig,
    factor: float = 1.0,
    watch: Watch = unwatched,
) -> Drawn:
    """Outcomes of all draws; ``days`` in shares, times ``factor``."""
    parts: tuple[list[Outcomes], list[Outcomes]] = ([], [])
    done, total = 0, config.paths + config.histories * config.inner
    for repeated, chosen in draws(days, config):
        watch(done / total)
        parts[repeated].append(outcomes_of(days, chosen, rules, terms, factor))
        done += chosen.shape[1]
    return Drawn(joined(parts[0]), joined(parts[1]), config.inner)
