"""How a regime model is fitted walk-forward: parameters of form, terminal and job."""

from __future__ import annotations

from dataclasses import dataclass

from domain.errors import BadRequest
from domain.features.regimes.base import FEWEST, KINDS, MOST
from domain.params import param

BY_BIC = "by BIC"
UNITS = ("bars", "days")


@dataclass(frozen=True)
class FitConfig:
    kind: str = param("hmm", choices=KINDS, title="Model", help="hmm: hidden Markov model, filtered. mixture: Gaussian mixture, no transitions between bars.")
    states: str = param("3", choices=(*(str(number) for number in range(FEWEST, MOST + 1)), BY_BIC), help="Number of states; by BIC: chosen from 2 to 6 by the lowest BIC on the first window.")
    train: int = param(5_000, low=2, high=10_000_000, title="Training window", help="Length of the window that each model is fitted on.")
    step: int = param(2_500, low=1, high=10_000_000, title="Refit interval", help="Length of data that each model labels after its window, before the next is fitted.")
    unit: str = param("bars", choices=UNITS, title="Window unit", help="Calendar days are converted by the mean number of bars per day.")
    restarts: int = param(5, low=1, high=50, title="EM restarts", help="Number of random EM restarts; the best is kept.")
    seed: int = param(0, low=0, high=2**31 - 1, help="The same data and seed give the same model.")
    anchored: bool = param(False, title="Keep all earlier bars", help="Each window starts at the first bar (anchored) instead of rolling.")

    @property
    def number(self) -> int | None:
        """How many states; None where BIC is to choose."""
        return None if self.states == BY_BIC else int(self.states)

    def rows(self, bars: int, days: float) -> tuple[int, int]:
        """The window and the step in bars, of ``bars`` that span so many ``days``; or a sentence that they leave nothing to label.

        >>> FitConfig(train=60, step=30, unit="days").rows(9_600, 400.0), FitConfig(train=500, step=100).rows(9_600, 400.0)
        ((1440, 720), (500, 100))
        """
        a_day = bars / days if self.unit == "days" and days > 0 else 1.0
        train, step = max(round(self.train * a_day), FEWEST), max(round(self.step * a_day), 1)
        if train >= bars:
            raise BadRequest(f"a model is to be trained on {train:,} bars, and there are {bars:,}; train on fewer, or choose a longer date range")
        return train, step

    def refits(self, bars: int, days: float) -> int:
        """How many models will be fitted.

        >>> FitConfig(train=500, step=100).refits(1_001, 10.0)
        6
        """
        train, step = self.rows(bars, days)
        return -(-(bars - train) // step)
