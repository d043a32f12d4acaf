"""The trial ledger: every combination ever tried on a dataset counts in the significance of the best, also after its run was deleted."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, and_, func, or_, select

from worker.store.schema import trial_datasets, trials
from worker.store.seals import Seals, digest_of_trials

KINDS = ("run", "sweep", "optuna", "walk_forward", "terminal", "train", "tune", "scan")


def data_of(versions: Iterable[str]) -> str:
    """Key of a set of datasets in the ledger: a hash of their versions, independent of their order.

    >>> data_of(["b", "a"]) == data_of(["a", "b", "a"]), len(data_of(["a"]))
    (True, 64)
    """
    return hashlib.sha256("\n".join(sorted(set(versions))).encode()).hexdigest()


class Trials:
    """``datasets`` are versions. A trial counts for every dataset that it touched, whatever others stood beside. Trials with the same data, strategy, parameters,
    span and rules are one trial, however often they ran."""

    def __init__(self, connection: Connection, seals: Seals) -> None:
        self._c, self._seals = connection, seals

    def add(self, rows: Sequence[Mapping[str, Any]], *, kind: str, datasets: Iterable[str], job_id: str, actor: str, at: datetime) -> None:
        """``rows``: strategy, params, spec (hashes), sharpe (daily, None: unknown), days."""
        versions = sorted(set(datasets))
        same = dict(kind=kind, data=data_of(versions), job_id=job_id, actor=actor, at=at)
        if rows:
            adding = sa.insert(trials).returning(trials.c.seq)
            seqs = sorted(self._c.scalars(adding, [{**row, **same} for row in rows]))
            self._c.execute(sa.insert(trial_datasets), [dict(seq=seq, version=version) for seq in seqs for version in versions])
            self._seal(seqs)

    def _seal(self, seqs: Sequence[int]) -> None:
        for first, last in ranges(seqs):
            self._seals.put_hash(f"trials:{first}-{last}", digest_of_trials(self.between(first, last)))

    def between(self, first: int, last: int) -> list[dict[str, Any]]:
        """Rows of the ledger by number, both ends included."""
        query = select(trials).where(trials.c.seq.between(first, last)).order_by(trials.c.seq)
        return [dict(row) for row in self._c.execute(query).mappings()]

    def count(self, datasets: Iterable[str], strategy: str = "") -> int:
        """Distinct trials that touched any of these datasets; with ``strategy``, of that family alone."""
        return self._c.scalar(select(func.count(sa.distinct(trials.c.spec))).where(*_where(datasets, strategy))) or 0

    def sharpes(self, datasets: Iterable[str], strategy: str = "") -> list[float]:
        """Daily Sharpe ratios of the distinct trials that have one, oldest first; the first result where one ran twice.

        Only of trials at least half as long as the longest: the ratio of a short window scatters by its shortness alone, and
        would pass for a spread among variants.
        """
        where = _where(datasets, strategy)
        longest = select(func.max(trials.c.days)).where(*where).scalar_subquery()
        long_enough = and_(trials.c.sharpe.is_not(None), trials.c.days * 2 >= longest)
        firsts = select(func.min(trials.c.seq)).where(*where, long_enough).group_by(trials.c.spec)
        return list(self._c.scalars(select(trials.c.sharpe).where(trials.c.seq.in_(firsts)).order_by(trials.c.seq)))

    def count_of_job(self, job_id: str) -> int:
        """Number of ledger rows of a job."""
        return self._c.scalar(select(func.count()).select_from(trials).where(trials.c.job_id == job_id)) or 0

    def known(self, job_id: str, specs: Iterable[str]) -> set[str]:
        """Those of the hashes that the job has a row of already."""
        query = select(trials.c.spec).where(trials.c.job_id == job_id, trials.c.spec.in_(sorted(set(specs))))
        return set(self._c.scalars(query))

    def rows(self, datasets: Iterable[str] = (), job_id: str = "") -> list[dict[str, Any]]:
        """Rows of the ledger, oldest first; those of exactly these datasets, where some are named."""
        query, versions = select(trials).order_by(trials.c.seq), sorted(set(datasets))
        query = query.where(trials.c.data == data_of(versions)) if versions else query
        query = query.where(trials.c.job_id == job_id) if job_id else query
        return [dict(row) for row in self._c.execute(query).mappings()]


def ranges(numbers: Sequence[int]) -> list[tuple[int, int]]:
    """Sorted numbers as ranges without a gap, both ends included.

    >>> ranges([1, 2, 3, 7, 9, 10])
    [(1, 3), (7, 7), (9, 10)]
    """
    firsts = [k for k, number in enumerate(numbers) if k == 0 or number != numbers[k - 1] + 1]
    return [(numbers[first], numbers[end - 1]) for first, end in zip(firsts, [*firsts[1:], len(numbers)], strict=True)]


def _where(datasets: Iterable[str], strategy: str) -> list[Any]:
    """Any dataset in common; or exactly this set, for trials of before the datasets of each were kept."""
    versions = sorted(set(datasets))
    touched = trials.c.seq.in_(select(trial_datasets.c.seq).where(trial_datasets.c.version.in_(versions)))
    return [or_(touched, trials.c.data == data_of(versions)), *([trials.c.strategy == strategy] if strategy else [])]
