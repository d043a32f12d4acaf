"""Could it be luck? The Sharpe ratio's own uncertainty, the best of many trials, and how often the best of a sweep fails later."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations, islice
from statistics import NormalDist

import numpy as np
import pandas as pd

from domain.analytics import returns as figures
from domain.analytics.guards import finite
from domain.errors import BadRequest

NORMAL = NormalDist()
EULER = 0.5772156649015329
CELLS = 1 << 16                 # splits × configurations computed together: what fits the cache, and bounds the memory of ``cscv``
SPLITS = ("split", "chosen", "in_sample", "out_of_sample", "rank", "logit")


@dataclass(frozen=True)
class Significance:
    """Statistics of one series of returns. Sharpe ratios are per period unless their name says a year; probabilities are shares. None: no value."""

    periods: int
    sharpe: float | None
    sharpe_year: float | None
    skew: float | None
    kurtosis: float | None          # 3 for a normal distribution
    psr: float | None               # probability that the true Sharpe is above 0
    trials: int                     # on this data, as given
    luck_year: float | None         # Sharpe a year that the best of so many trials without any edge reaches on average
    luck_beats: float | None        # how often the best of so many trials without any edge reaches at least this Sharpe
    dsr: float | None               # probability that the true Sharpe is above luck
    minimum_periods: float | None   # track record needed for psr to reach ``confidence``; None: never, at this Sharpe
    minimum_years: float | None
    confidence: float
    periods_a_year: float = figures.DAILY     # those of its yearly ratios; older runs did not store it and took 252


@dataclass(frozen=True)
class Overfitting:
    """Statistics of a sweep. ``pbo``: how often the best in one half of the time is no better than the median in the other."""

    pbo: float
    columns: int                    # configurations
    rows: int                       # periods used
    blocks: int
    splits: int
    slope: float | None             # of out-of-sample on in-sample Sharpe of the chosen; 1 would be no degradation
    intercept: float | None
    r_squared: float | None
    probability_of_loss: float      # how often the chosen loses out of sample
    median_logit: float


def expected_max(trials: int) -> float:
    """Expected largest of ``trials`` standard normal draws, approximately; 0 for one.

    (1 − γ) Φ⁻¹(1 − 1/N) + γ Φ⁻¹(1 − 1/(N e)), γ Euler's constant. Source: Bailey & López de Prado (2014), The Deflated Sharpe Ratio.

    >>> round(expected_max(100), 4)
    2.5306
    """
    if trials < 1:
        raise BadRequest(f"trials is {trials}; a result that exists took at least 1")
    if trials == 1:
        return 0.0
    return (1.0 - EULER) * NORMAL.inv_cdf(1.0 - 1.0 / trials) + EULER * NORMAL.inv_cdf(1.0 - 1.0 / (trials * math.e))


def probabilistic_sharpe(sharpe: float, periods: int, skew: float = 0.0, kurtosis: float = 3.0, benchmark: float = 0.0) -> float:
    """Probability that the true Sharpe is above ``benchmark``, both per period.

    Φ((SR − SR*) √(T − 1) ÷ √(1 − skew · SR + (kurtosis − 1) ÷ 4 · SR²)); kurtosis 3 is normal. NaN under two periods.
    Source: Bailey & López de Prado (2012), The Sharpe Ratio Efficient Frontier.

    >>> round(probabilistic_sharpe(1.585 / 12**0.5, 24, -2.448, 10.164), 4)
    0.9132
    """
    variance = _variance(sharpe, skew, kurtosis)
    if periods < 2 or not variance > 0:
        return math.nan
    return NORMAL.cdf((sharpe - benchmark) * math.sqrt(periods - 1) / math.sqrt(variance))


def deflated_sharpe(sharpe: float, periods: int, trials: int, variance: float | None = None, skew: float = 0.0, kurtosis: float = 3.0) -> float:
    """Probability that the true Sharpe is above what the best of ``trials`` without any edge reaches on average.

    ``probabilistic_sharpe`` against √variance · ``expected_max(trials)``. ``variance`` is that of the trials' Sharpe ratios (per period);
    where it is not known, 1 ÷ (T − 1), that of the Sharpe ratio of a series without edge. Source: Bailey & López de Prado (2014).

    >>> round(deflated_sharpe(2.5 / 250**0.5, 1250, 100, 0.5 / 250, -3, 10), 4)
    0.9004
    """
    return probabilistic_sharpe(sharpe, periods, skew, kurtosis, luck(periods, trials, variance))


def luck(periods: int, trials: int, variance: float | None = None) -> float:
    """Sharpe per period that the best of ``trials`` without any edge reaches on average.

    >>> luck(101, 1), round(luck(101, 100), 4)
    (0.0, 0.2531)
    """
    if periods < 2:
        return math.nan
    return math.sqrt(1.0 / (periods - 1) if variance is None else variance) * expected_max(trials)


def luck_beats(sharpe: float, periods: int, trials: int, variance: float | None = None) -> float:
    """How often the best of ``trials`` without any edge reaches at least this Sharpe (per period): 1 − Φ(SR ÷ √variance)^N.

    >>> round(luck_beats(0.0, 101, 1), 2), round(luck_beats(0.2, 101, 10), 2)
    (0.5, 0.21)
    """
    if periods < 2:
        return math.nan
    spread = math.sqrt(1.0 / (periods - 1) if variance is None else variance)
    return 1.0 - NORMAL.cdf(sharpe / spread) ** trials if spread > 0 else math.nan


def minimum_track_record(sharpe: float, skew: float = 0.0, kurtosis: float = 3.0, benchmark: float = 0.0, confidence: float = 0.95) -> float:
    """Periods needed until ``probabilistic_sharpe`` reaches ``confidence``; infinite where sharpe ≤ benchmark.

    1 + (1 − skew · SR + (kurtosis − 1) ÷ 4 · SR²) · (Φ⁻¹(confidence) ÷ (SR − SR*))². Source: Bailey & López de Prado (2012).

    >>> round(minimum_track_record(2 / 250**0.5, benchmark=1 / 250**0.5) / 250, 4)
    2.7312
    """
    if math.isnan(sharpe):
        return math.nan
    if sharpe <= benchmark:
        return math.inf
    return 1.0 + _variance(sharpe, skew, kurtosis) * (NORMAL.inv_cdf(confidence) / (sharpe - benchmark)) ** 2


def significance_of(returns: np.ndarray, trials: int = 1, variance: float | None = None, periods_a_year: float = figures.DAILY, confidence: float = 0.95) -> Significance:
    """All of the above for one series of period returns, of a run its daily ones.

    ``trials`` were run on this data, ``variance`` is that of their Sharpe ratios per period where it is known.
    """
    sample = np.asarray(returns, float)
    sample = sample[np.isfinite(sample)]
    n, year = len(sample), math.sqrt(periods_a_year)
    sharpe, skew, kurtosis = figures.excess_sharpe(sample), figures.skewness(sample), figures.kurtosis(sample)
    needed = minimum_track_record(sharpe, skew, kurtosis, confidence=confidence)
    return Significance(
        periods=n, sharpe=finite(sharpe), sharpe_year=finite(sharpe * year), skew=finite(skew), kurtosis=finite(kurtosis),
        psr=finite(probabilistic_sharpe(sharpe, n, skew, kurtosis)), trials=trials, luck_year=finite(luck(n, trials, variance) * year),
        luck_beats=finite(luck_beats(sharpe, n, trials, variance)) if math.isfinite(sharpe) else None,
        dsr=finite(deflated_sharpe(sharpe, n, trials, variance, skew, kurtosis)), minimum_periods=finite(needed),
        minimum_years=finite(needed / periods_a_year), confidence=confidence, periods_a_year=periods_a_year,
    )  # fmt: skip


def cscv(matrix: np.ndarray, blocks: int = 16, watch: Callable[[float], None] = lambda share: None) -> pd.DataFrame:
    """``split, chosen, in_sample, out_of_sample, rank, logit``: one row for each way to take half of the blocks of time.

    ``matrix``: periods × configurations, returns in shares (float32 is enough); the oldest periods that do not fill a block are left out.
    For each split the configuration with the highest Sharpe in sample is ``chosen``; both its Sharpe ratios are per period; ``rank`` is its
    place out of sample ÷ (configurations + 1), 1 the best, ties in the middle; ``logit`` ln(rank ÷ (1 − rank)). One whose returns do not
    vary has a Sharpe of 0. ``watch`` is called with the fraction that is done and may raise to stop. Source: Bailey, Borwein, López de Prado & Zhu (2017), The Probability of Backtest Overfitting.
    """
    _check(matrix, blocks)
    rows = len(matrix) // blocks
    sums, squares = _block_sums(matrix[len(matrix) - rows * blocks :], blocks, rows)
    half = math.comb(blocks, blocks // 2) // 2
    columns: dict[str, np.ndarray] = {name: np.zeros(2 * half, np.int64 if name == "chosen" else np.float64) for name in SPLITS[1:]}
    ways, at = combinations(range(blocks), blocks // 2), 0
    while at < half:        # the first half in this order are the complements of the second, backwards
        watch(at / half)
        inside = np.zeros((min(max(CELLS // matrix.shape[1], 1), half - at), blocks))
        for row, way in enumerate(islice(ways, len(inside))):
            inside[row, way] = 1.0
        here = np.arange(at, at + len(inside))
        first, second = (_sharpes(part @ sums, part @ squares, rows * blocks // 2) for part in (inside, 1.0 - inside))
        for splits, seen, unseen in ((here, first, second), (2 * half - 1 - here, second, first)):
            for name, values in _choose(seen, unseen).items():
                columns[name][splits] = values
        at += len(inside)
    return pd.DataFrame(dict(split=np.arange(2 * half), **columns))


def overfitting(splits: pd.DataFrame, rows: int, columns: int, blocks: int = 16) -> Overfitting:
    """The figures of ``cscv``; ``rows`` and ``columns`` are those of its matrix."""
    seen, unseen, logit = (splits[name].to_numpy(float) for name in ("in_sample", "out_of_sample", "logit"))
    apart = seen - seen.mean()
    square = float(apart @ apart)
    slope = float(apart @ unseen) / square if figures.deviation(seen) else math.nan
    left = unseen - unseen.mean()
    explained = slope * float(apart @ left) / float(left @ left) if figures.deviation(unseen) else math.nan
    return Overfitting(
        pbo=float((logit <= 0).mean()), columns=columns, rows=rows // blocks * blocks, blocks=blocks, splits=len(splits), slope=finite(slope),
        intercept=finite(float(unseen.mean()) - slope * float(seen.mean())), r_squared=finite(explained),
        probability_of_loss=float((unseen < 0).mean()), median_logit=float(np.median(logit)),
    )  # fmt: skip


def pbo(matrix: np.ndarray, blocks: int = 16, watch: Callable[[float], None] = lambda share: None) -> Overfitting:
    """Probability of backtest overfitting by combinatorially symmetric cross-validation: ``overfitting`` of ``cscv``."""
    rows, columns = np.shape(matrix)
    return overfitting(cscv(matrix, blocks, watch), rows, columns, blocks)


def trial_variance(matrix: np.ndarray) -> float:
    """Variance (n − 1) of the configurations' Sharpe ratios per period, for ``deflated_sharpe``. ``matrix`` as for ``cscv``."""
    sums, squares = _block_sums(matrix, 1, len(matrix))
    return float(_sharpes(sums, squares, len(matrix))[0].var(ddof=1))


def _variance(sharpe: float, skew: float, kurtosis: float) -> float:
    return 1.0 - skew * sharpe + (kurtosis - 1.0) / 4.0 * sharpe**2


def _check(matrix: np.ndarray, blocks: int) -> None:
    if blocks < 2 or blocks % 2 or blocks > 20:
        raise BadRequest(f"blocks is {blocks}; it must be an even number from 2 to 20")
    if np.ndim(matrix) != 2 or matrix.shape[1] < 2:
        raise BadRequest(f"the matrix has the shape {np.shape(matrix)}; overfitting needs periods × at least 2 configurations")
    if len(matrix) < 2 * blocks:
        raise BadRequest(f"there are {len(matrix)} periods for {blocks} blocks; at least {2 * blocks} are needed, or fewer blocks")


def _block_sums(matrix: np.ndarray, blocks: int, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Sums and sums of squares of each configuration in each block, in float64, one block in memory at a time."""
    sums, squares = np.empty((blocks, matrix.shape[1])), np.empty((blocks, matrix.shape[1]))
    for block in range(blocks):
        part = matrix[block * rows : (block + 1) * rows].astype(np.float64)
        sums[block], squares[block] = part.sum(axis=0), np.einsum("tn,tn->n", part, part)
    if not np.isfinite(squares).all():
        raise BadRequest(f"the returns of {int((~np.isfinite(squares)).any(axis=0).sum())} configurations are not finite; leave these out")
    return sums, squares


def _sharpes(sums: np.ndarray, squares: np.ndarray, rows: int) -> np.ndarray:
    mean = sums / rows
    variance = squares / rows - mean * mean
    flat = variance <= 1e-12 * squares / rows
    np.maximum(variance, 1e-300, out=variance)
    sharpe = mean / np.sqrt(variance * (rows / (rows - 1)))
    sharpe[flat] = 0.0
    return sharpe


def _choose(seen: np.ndarray, unseen: np.ndarray) -> dict[str, np.ndarray]:
    """The out-of-sample rank of the best in sample, for each row."""
    chosen, rows = seen.argmax(axis=1), np.arange(len(seen))
    value = unseen[rows, chosen]
    below = np.count_nonzero(unseen < value[:, None], axis=1)
    same = np.count_nonzero(unseen == value[:, None], axis=1)
    rank = (below + (same + 1) / 2) / (seen.shape[1] + 1)
    return dict(chosen=chosen, in_sample=seen[rows, chosen], out_of_sample=value, rank=rank, logit=np.log(rank / (1.0 - rank)))
