"""The share of each class in training, whatever the columns say."""

from __future__ import annotations

from dataclasses import dataclass

from domain.models.base import Samples, Watch, learner
from domain.models.constant import Constant, load_constant
from domain.models.files import Files
from domain.models.rows import needs, outputs_of, shares


@learner("prior", targets=("fake", "win", "above", "barrier", "direction"))
@dataclass(frozen=True)
class Prior:
    """Baseline: the weighted share of each class among the training samples."""

    def fit(self, train: Samples, validation: Samples, seed: int, watch: Watch) -> Constant:
        needs(train, 1, "prior")
        watch(0.0, None)
        return Constant.of("prior", outputs_of(train), shares(train), len(train.columns))


def load(files: Files) -> Constant:
    return load_constant("prior", files)
