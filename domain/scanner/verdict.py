"""The verdict over many combinations: at most three proposals, and one reason for each of the others."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from domain.scanner import reasons
from domain.scanner.criteria import NAMES, PROPOSED, Criteria, grades
from domain.scanner.quality import Quality, TradeStatistics, quality, shortfall, trade_statistics

Limit = Callable[[int, Sequence[int]], str]     # of a combination, given those proposed before it: why the account may not trade it, or nothing
LAST_PROPOSED = NAMES.index(PROPOSED[-1])


@dataclass(frozen=True)
class Candidates:
    """Combinations side by side, one entry each. ``instrument``: its number. ``side``: 1 long, -1 short, 0 no signal. ``ready``: the bars reach the warm-up.
    ``r``: net of costs, a row each, as ``side_by_side`` gives them. Spreads and ``stop_distance`` in price units, ``at_risk`` in account currency; NaN where there is none.
    ``probability``: of a win, by a classifier; NaN where there is none."""

    instrument: np.ndarray
    side: np.ndarray
    ready: np.ndarray
    r: np.ndarray
    spread: np.ndarray
    spread_at_entries: np.ndarray
    stop_distance: np.ndarray
    at_risk: np.ndarray
    probability: np.ndarray


@dataclass(frozen=True)
class Book:
    """What is open: ``positions`` as (number of the instrument, side). ``rho``: correlation of every two instruments, NaN where it is unknown.
    An instrument has the correlation 1 with itself, whatever the table holds."""

    equity: float
    rho: np.ndarray
    positions: Sequence[tuple[int, int]] = ()
    limit: Limit = lambda k, proposed: ""


@dataclass(frozen=True)
class Verdicts:
    """One entry a combination. ``es95``: per 1,000 of equity, NaN without a signal. ``correlation``: the highest signed one with an open position or an earlier proposal, NaN where
    it was not reached, unknown, or there is none; ``unknown``: a correlation that counts is not known. ``partner``: with which of the positions, then the proposals before it, counted from 0; -1 for none. ``reason``: number in REASONS, -1 for a proposal. ``rank``: of the proposals
    from 1, else 0. ``limits``: the sentences of the reason limit."""

    statistics: TradeStatistics
    quality: Quality
    grade: np.ndarray
    es95: np.ndarray
    correlation: np.ndarray
    unknown: np.ndarray
    partner: np.ndarray
    reason: np.ndarray
    rank: np.ndarray
    limits: Mapping[int, str]

    @property
    def proposals(self) -> list[int]:
        """The numbers of the proposed combinations, the best first."""
        return sorted(np.flatnonzero(self.rank).tolist(), key=lambda k: int(self.rank[k]))


def judge(candidates: Candidates, book: Book, criteria: Criteria = Criteria(), statistics: TradeStatistics | None = None) -> Verdicts:
    """Grade all, then propose by falling Q*, equal ones in their order. ``statistics``: of ``candidates.r``, where they are computed already."""
    c, s = candidates, trade_statistics(candidates.r) if statistics is None else statistics
    worth = quality(s, c.spread, c.spread_at_entries, c.stop_distance, c.probability)
    grade = np.where(s.n < criteria.fewest, -1, grades(worth.q)).astype(np.int8)
    es95 = np.where(c.side != 0, shortfall(s.tail, c.at_risk, book.equity), np.nan)
    reason = np.select(
        [~c.ready, c.side == 0, s.n < criteria.fewest, (grade < 0) | (grade > LAST_PROPOSED), ~(es95 <= criteria.es95)],
        [reasons.WARM_UP, reasons.NO_SIGNAL, reasons.FEW_TRADES, reasons.GRADE, reasons.ES95], reasons.PROPOSED,
    ).astype(np.int8)  # fmt: skip
    correlation, unknown, rank = np.full(len(reason), np.nan), np.zeros(len(reason), bool), np.zeros(len(reason), np.int64)
    partner = np.full(len(reason), -1)
    limits: dict[int, str] = {}
    left = np.flatnonzero(reason == reasons.PROPOSED)
    proposed: list[int] = []
    for k in left[np.argsort(-worth.q[left], kind="stable")].tolist():
        held = [*book.positions, *((int(c.instrument[j]), int(c.side[j])) for j in proposed)]
        correlation[k], unknown[k], partner[k] = highest_correlation(int(c.instrument[k]), int(c.side[k]), held, book.rho)
        if unknown[k] or correlation[k] > criteria.correlation:
            reason[k] = reasons.CORRELATION
        elif sentence := book.limit(k, proposed):
            reason[k], limits[k] = reasons.LIMIT, sentence
        elif len(proposed) == criteria.proposals:
            reason[k] = reasons.RANK
        else:
            proposed.append(k)
            rank[k] = len(proposed)
    return Verdicts(s, worth, grade, es95, correlation, unknown, partner, reason, rank, limits)


def highest_correlation(instrument: int, side: int, held: Sequence[tuple[int, int]], rho: np.ndarray) -> tuple[float, bool, int]:
    """The highest ``side * other side * rho`` with what is held, NaN where nothing known is held; whether one is unknown; which one it is: the first unknown, else the highest.

    >>> highest_correlation(0, -1, [(2, 1), (1, 1)], np.array([[1.0, -0.8, 0.1], [-0.8, 1.0, 0.2], [0.1, 0.2, 1.0]]))
    (0.8, False, 1)
    """
    signed = [side * other_side * (1.0 if other == instrument else float(rho[instrument, other])) for other, other_side in held]
    unknown = [k for k, value in enumerate(signed) if value != value]
    highest = max((value for value in signed if value == value), default=float("nan"))
    which = unknown[0] if unknown else signed.index(highest) if signed else -1
    return highest, bool(unknown), which
