"""What of a learner can be tuned, and how it is searched; read by forms, so nothing heavy is imported here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from domain.models import LEARNERS
from domain.optimise import Dimension, Search, dimensions_of
from domain.params import Param, param, params_of
from domain.training.question import Fitting

FITTING = ("weights", "half_life")       # of what is fitted around a learner, that its validation loss depends on
SAMPLERS = ("tpe", "random")


@dataclass(frozen=True)
class Tuning:
    """How parameters are searched. The same seed on the same data makes the same trials, however many workers share them."""

    trials: int = param(40, low=1, high=2_000, unit="trials", help="combinations to try; each counts as one trial")
    batch: int = param(4, low=1, high=64, unit="trials", help="trials suggested at once and fitted in parallel")
    sampler: str = param("tpe", choices=SAMPLERS, help="tree-structured Parzen estimator, or random")
    prune: bool = param(True, title="Early stopping", help="gives a trial up after a fold where it is worse than the median of those run to the end")
    seed: int = param(0, low=0, high=2**31 - 1, help="of the sampler")

    @property
    def search(self) -> Search:
        return Search(self.trials, self.batch, self.sampler, prune=self.prune, seed=self.seed)


def tunable(learner: str) -> dict[str, Param]:
    """What may be searched, by name: the learner's own parameters, weights and half-life."""
    fitting = {p.name: p for p in params_of(Fitting) if p.name in FITTING}
    return fitting | {p.name: p for p in params_of(LEARNERS[learner])}


def space_of(learner: str, space: Mapping[str, Any]) -> tuple[Dimension, ...]:
    """Raises BadRequest for a parameter that the learner does not have, and for a range that leaves its bounds."""
    return tuple(dimensions_of(tunable(learner), space))
