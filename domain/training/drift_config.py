"""When drift of a model is called so."""

from __future__ import annotations

from dataclasses import dataclass

from domain.params import param


@dataclass(frozen=True)
class DriftConfig:
    """When drift is called so."""

    window: int = param(500, low=50, high=100_000, unit="bars", help="the last so many bars since training are compared with those of training")
    psi: float = param(0.25, low=0.0, high=10.0, unit="", title="PSI", help="population stability index from which a column may have drifted")
    q: float = param(0.01, low=0.0, high=1.0, unit="", title="KS q", help="false discovery rate of Kolmogorov and Smirnov up to which it has; both are needed")
    band: float = param(0.99, low=0.5, high=0.9999, unit="share", help="coverage of intervals outside this band around its nominal value is an alarm")
    brier: float = param(3.0, low=1.0, high=10.0, unit="deviations", help="Brier score so far above what the probabilities themselves promise is an alarm")
