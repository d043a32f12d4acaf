"""The baselines that every model is compared with."""

from __future__ import annotations

from typing import Any

from domain.models.base import LEARNERS
from domain.params import params_of

BASELINES = ("prior", "climatology", "no_change", "linear")


def baselines(target: str, learner: Any) -> dict[str, Any]:
    """The baselines of a target by name, made to forecast what ``learner`` forecasts: the same levels of quantiles, or one number.

    >>> from domain.models.climatology import Climatology
    >>> sorted(baselines("return", Climatology(levels="0.2,0.8")))
    ['climatology', 'linear', 'no_change']
    >>> baselines("return", Climatology(levels="0.2,0.8"))["linear"].levels
    '0.2,0.8'
    >>> sorted(baselines("win", None))
    ['linear', 'no_change', 'prior']
    """
    learners: dict[str, Any] = {name: LEARNERS[name] for name in BASELINES}
    fitting = {name: cls for name, cls in learners.items() if target in cls.targets}
    levels = dict(levels=getattr(learner, "levels", ""))
    return {name: cls(**levels if "levels" in {param.name for param in params_of(cls)} else {}) for name, cls in fitting.items()}
