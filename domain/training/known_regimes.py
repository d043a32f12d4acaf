"""The regime that was known at each sample, by which scores are grouped."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from domain.features.regimes import Regimes
from domain.features.regimes.labels import by_rule
from domain.training.inputs import Inputs
from domain.training.samples import SampleSet

RULE = "volatility_regime"      # calm, normal or volatile, of bars up to the deciding one


def regimes_of(inputs: Sequence[Inputs], sampled: SampleSet) -> list[str | None]:
    """A name a sample, by the rule of volatility; None where it is not known yet."""
    words = np.full(len(sampled), None, object)
    for number, part in enumerate(inputs):
        bars = part.series.seen
        known = Regimes(part.context.ends(bars), by_rule(bars, RULE, part.context))
        own = sampled.samples.instrument == number
        labels = np.asarray(known.at(sampled.samples.start[own]).astype(object), object)
        words[own] = [label if isinstance(label, str) else None for label in labels]
    return list(words)
