"""What bars lack that a strategy cannot do without, in a sentence."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from domain.errors import BadRequest
from domain.features import FEATURES, Use, use, warm_up_of

if TYPE_CHECKING:
    from domain.outside.timed_values import TimedValues
    from domain.strategies.base import Strategy

SENTENCES = dict(
    forecasts="needs forecasts, and there is none at these bars; name a model of quantiles with --model NAME or on the form, or give --forecasts FILE",
    volume="needs volume, and these bars have none; use bars with volume, or another strategy",
    headlines="needs headlines, and none is known by the end of these bars; import headlines, or use another strategy",
    others="needs bars of another instrument, and there are none beside these; add an instrument to the run, or use another strategy",
    macro="needs an external series that has no value by the end of these bars; import it, or use another strategy",
)


def refuse_lacking(name: str, strategy: Strategy, bars: pd.DataFrame, frame: pd.DataFrame, others: Mapping[str, TimedValues] | None = None) -> None:
    """Raises BadRequest where a feature that the strategy names in ``required`` has no value on any bar because there is nothing it could be made of.
    ``others``: the closes of other instruments, one of which may have none yet; None where they are not given."""
    unborn = {"others"} if others is not None and not all(len(values.times) for values in others.values()) else set()
    for feature in strategy.features():
        if feature.name not in getattr(strategy, "required", ()) or not len(bars):
            continue
        kinds = inputs_of(feature)
        if others is not None and without_others(feature, others):
            raise BadRequest(f"{name} reads {feature.column}, which {SENTENCES['others']}")
        if "volume" in kinds and not has_values(bars, "volume"):
            raise BadRequest(f"{name} reads {feature.column}, which {SENTENCES['volume']}")
        if len(bars) > warm_up_of(feature) and np.isnan(frame[feature.column].to_numpy()).all():
            for kind in kinds & set(SENTENCES) - {"volume"} - unborn:
                raise BadRequest(f"{name} reads {feature.column}, which {SENTENCES[kind]}")


def without_others(feature: Use, others: Collection[str]) -> bool:
    """Whether it reads another instrument that is not among these.

    >>> without_others(use("spread_zscore", other="GBPUSD"), ["USDJPY"]), without_others(use("spread_zscore"), ["USDJPY"]), without_others(use("sma"), [])
    (True, False, False)
    """
    other = dict(feature.params).get("other", "first")
    return "others" in inputs_of(feature) and not (others if other == "first" else other in others)


def inputs_of(feature: Use) -> set[str]:
    """The names of all that a feature is made of, down to the columns of the bars.

    >>> sorted(inputs_of(use("atr_ratio")))
    ['close', 'high', 'low', 'tick', 'true_range']
    """
    names = set(FEATURES[feature.name].inputs)
    return names.union(*(inputs_of(use(name)) for name in names if name in FEATURES))


def has_values(bars: pd.DataFrame, name: str) -> bool:
    """Whether the bars have that column and a value in it; of volume one above 0.

    >>> bars = pd.DataFrame(dict(volume=[0.0, 0.0], spread=[0.0, np.nan]))
    >>> has_values(bars, "volume"), has_values(bars, "spread"), has_values(bars, "none")
    (False, True, False)
    """
    values = bars[name].to_numpy(np.float64) if name in bars else np.zeros(0)
    return bool((values > 0).any() if name == "volume" else np.isfinite(values).any())
