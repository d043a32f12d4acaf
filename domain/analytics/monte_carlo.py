"""Monte Carlo paths of the same trades: resampled in blocks, or with some of them left out.

Always on R per trade or on returns in shares, never on money: money of a late trade depends on the account at that time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from domain.block_length import automatic_block
from domain.errors import BadRequest, unknown
from domain.params import param

METHODS = ("bootstrap", "skip")
KINDS = ("trades", "days")
QUANTILES = {"q05": 0.05, "q25": 0.25, "q50": 0.5, "q75": 0.75, "q95": 0.95}
POINTS = 200        # of a path that are stored for its bands
LOOK = 16           # paths between two words on how far the drawing is


@dataclass(frozen=True)
class MonteCarloConfig:
    """Settings of a Monte Carlo simulation."""

    method: str = param("bootstrap", choices=METHODS, unit="", help="resample blocks with replacement, or leave trades out at random")
    paths: int = param(1_000, low=10, high=100_000, unit="paths", help="number of Monte Carlo paths")
    block: float = param(0.0, low=0.0, high=100_000.0, unit="steps", help="mean block length; 0: automatic, from the autocorrelation (Politis & White)")
    skip: float = param(0.1, low=0.0, high=0.99, unit="share", help="probability that a trade is left out (method skip)")
    risk: float = param(0.0, low=0.0, high=1.0, unit="share", help="fraction of equity risked per R, compounded; 0: R is added up")
    seed: int = param(0, low=0, high=2**53 - 1, unit="", help="random seed; the same seed draws the same paths")


@dataclass(frozen=True)
class MonteCarlo:
    """Figures over all paths. ``unit`` is R or share; drawdowns are negative."""

    method: str
    sample: str                             # trades, days
    unit: str
    paths: int
    steps: int
    block: float                            # mean length used, steps; 0 for the method skip
    seed: int
    final: dict[str, float]                 # q05 q25 q50 q75 q95 and mean
    max_drawdown: dict[str, float]          # the same; q05 is the worst
    chance_of_loss: float                   # share of paths that end below the start
    observed_final: float
    observed_drawdown: float


def draw(sample: np.ndarray, plan: MonteCarloConfig, kind: str = "trades", part: int = 0, parts: int = 1, watch: Callable[[float], None] = lambda share: None) -> pd.DataFrame:
    """Part ``part`` of ``parts`` of the paths: ``path, final, max_drawdown, p000 …`` (the path at up to POINTS steps, its start first).

    ``kind``: ``trades`` (``results_in_r``: R of the trades, in the order in which they ended) or ``days`` (daily returns, shares). ``final`` and the points
    count from 0 at the start; ``max_drawdown`` is 0 or below, the start counting as a high. In R where R are added up, else in shares of the
    start and of the high. Path i comes from (seed, i) alone, so it is the same in whichever part it is drawn. ``watch`` is called with the fraction that is
    drawn and may raise to stop.
    """
    steps, grows = _steps(sample, plan, kind)
    block = _block(sample, plan)
    at = _points(len(steps))
    paths = np.arange(part * plan.paths // parts, (part + 1) * plan.paths // parts)
    values, deepest = np.empty((len(paths), len(at))), np.empty(len(paths))
    for row, path in enumerate(paths):
        if not row % LOOK:
            watch(row / len(paths))
        chance = np.random.Generator(np.random.Philox(key=plan.seed, counter=[0, 0, 0, int(path)]))
        drawn = _blocks(steps, block, chance) if plan.method == "bootstrap" else np.where(chance.random(len(steps)) < plan.skip, 0.0, steps)
        line = np.concatenate(([0.0], np.cumsum(drawn)))
        values[row], deepest[row] = line[at], _deepest(line)
    if grows:
        values, deepest = np.expm1(values), np.expm1(deepest)
    points = {f"p{place:03d}": values[:, place] for place in range(len(at))}
    return pd.DataFrame(dict(path=paths, final=values[:, -1], max_drawdown=deepest, **points))


def _blocks(steps: np.ndarray, block: float, chance: np.random.Generator) -> np.ndarray:
    """Blocks from random places, of geometric length with mean ``block``, around the end to the start (Politis & Romano 1994)."""
    n = len(steps)
    if block <= 1.0:
        return steps[chance.integers(0, n, n)]
    lengths = np.zeros(0, np.int64)
    while lengths.sum() < n:
        lengths = np.concatenate((lengths, chance.geometric(1.0 / block, int(n / block) + 10)))
    first = np.cumsum(lengths) - lengths
    lengths, first = lengths[first < n], first[first < n]
    places = np.repeat(chance.integers(0, n, len(first)) - first, lengths)[:n] + np.arange(n)
    return np.take(steps, places, mode="wrap")


def _deepest(line: np.ndarray) -> float:
    with np.errstate(invalid="ignore"):     # below −∞, where all was lost, nothing is deeper
        return float(np.nanmin(line - np.maximum.accumulate(line)))


def merge(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Parts in any order as one frame, by path: the same bytes as if drawn at once."""
    paths = pd.concat(parts).sort_values("path", kind="stable").reset_index(drop=True)
    if not np.array_equal(paths["path"].to_numpy(), np.arange(len(paths))):
        raise BadRequest(f"the parts hold {len(paths)} paths and do not make up all of them; draw each part once")
    return paths


def bands(draws: pd.DataFrame, steps: int) -> pd.DataFrame:
    """``step, q05, q25, q50, q75, q95``: quantiles over the paths of where they stand after the steps that ``draws`` holds; ``steps`` is the
    sample's length."""
    points = draws.filter(regex=r"^p\d+$")
    values = np.quantile(points.to_numpy(), list(QUANTILES.values()), axis=0)
    return pd.DataFrame(dict(step=_points(steps)[[int(name[1:]) for name in points]], **dict(zip(QUANTILES, values, strict=True))))


def histogram(values: pd.Series, bins: int = 40) -> pd.DataFrame:
    """``low, high, paths`` of the column final or max_drawdown.

    >>> histogram(pd.Series([0.0, 0.1, 1.0]), bins=2)["paths"].tolist()
    [2, 1]
    """
    counts, edges = np.histogram(values.to_numpy(float), bins)
    return pd.DataFrame(dict(low=edges[:-1], high=edges[1:], paths=counts))


def summarise(draws: pd.DataFrame, sample: np.ndarray, plan: MonteCarloConfig, kind: str = "trades") -> MonteCarlo:
    """The figures of all draws."""
    steps, grows = _steps(sample, plan, kind)
    line = np.concatenate(([0.0], np.cumsum(steps)))
    observed = [float(np.expm1(value)) if grows else float(value) for value in (line[-1], _deepest(line))]
    return MonteCarlo(
        method=plan.method, sample=kind, unit="share" if grows else "R", paths=len(draws), steps=len(steps),
        block=_block(sample, plan) if plan.method == "bootstrap" else 0.0, seed=plan.seed, final=_spread(draws["final"]),
        max_drawdown=_spread(draws["max_drawdown"]), chance_of_loss=float((draws["final"] < 0).mean()), observed_final=observed[0], observed_drawdown=observed[1],
    )  # fmt: skip


def monte_carlo_of(sample: np.ndarray, plan: MonteCarloConfig = MonteCarloConfig(), kind: str = "trades") -> MonteCarlo:
    """Draw and summarise in one go.

    >>> monte_carlo_of(np.array([1.0, 1.0]), MonteCarloConfig(paths=10)).final["q05"]
    2.0
    """
    return summarise(draw(sample, plan, kind), sample, plan, kind)


def _steps(sample: np.ndarray, plan: MonteCarloConfig, kind: str) -> tuple[np.ndarray, bool]:
    """The increment of each step, and whether it is a logarithm of growth."""
    sample = np.asarray(sample, float)
    if kind not in KINDS:
        raise unknown("kind of sample", kind, KINDS)
    if not len(sample) or not np.isfinite(sample).all():
        raise BadRequest(f"{int((~np.isfinite(sample)).sum())} of {len(sample)} {kind} have no number; give only those that have one, and at least one")
    share = plan.risk if kind == "trades" else 1.0
    if not share:
        return sample, False
    with np.errstate(divide="ignore"):
        return np.log(np.maximum(1.0 + share * sample, 0.0)), True


def _block(sample: np.ndarray, plan: MonteCarloConfig) -> float:
    return plan.block or automatic_block(sample)


def _points(steps: int) -> np.ndarray:
    return np.unique(np.rint(np.linspace(0, steps, POINTS + 1)).astype(np.int64))


def _spread(values: pd.Series) -> dict[str, float]:
    quantiles = np.quantile(values.to_numpy(float), list(QUANTILES.values()))
    return {**{name: float(value) for name, value in zip(QUANTILES, quantiles, strict=True)}, "mean": float(values.mean())}
