"""How a regime model is fitted walking forward: what a form, the terminal and a job ask alike."""

from __future__ import annotations

from dataclasses import dataclass

from domain.errors import BadRequest
from domain.features.regimes.base import FEWEST, KINDS, MOST
from domain.params import param

BY_BIC = "by BIC"
UNITS = ("bars", "days")


@dataclass(frozen=True)
class Plan:
    kind: str = param("hmm", choices=KINDS, title="Model", help="hmm: Gaussians whose states follow one another, each bar judged with those before it. mixture: Gaussians without memory, each bar judged alone.")
    states: str = param("3", choices=(*(str(number) for number in range(FEWEST, MOST + 1)), BY_BIC), help="By BIC: the number from 2 to 6 with the least BIC on the first window. It leans to many where columns overlap in time.")
    train: int = param(5_000, low=2, high=10_000_000, title="Train on", help="Length of the window each model is fitted on.")
    step: int = param(2_500, low=1, high=10_000_000, title="Refit every", help="Each model labels so much after its window, then a new one is fitted.")
    unit: str = param("bars", choices=UNITS, title="Counted in", help="Days of the calendar are turned into bars by how many bars a day has on average.")
    restarts: int = param(5, low=1, high=50, help="Beginnings of EM; the likeliest end is kept.")
    seed: int = param(0, low=0, high=2**31 - 1, help="The same bars and seed give the same model.")
    anchored: bool = param(False, title="Keep all earlier bars", help="Each window begins at the first bar instead of moving along.")

    @property
    def number(self) -> int | None:
        """How many states; None where BIC is to choose."""
        return None if self.states == BY_BIC else int(self.states)

    def rows(self, bars: int, days: float) -> tuple[int, int]:
        """The window and the step in bars, of ``bars`` that span so many ``days``; or a sentence that they leave nothing to label.

        >>> Plan(train=60, step=30, unit="days").rows(9_600, 400.0), Plan(train=500, step=100).rows(9_600, 400.0)
        ((1440, 720), (500, 100))
        """
        a_day = bars / days if self.unit == "days" and days > 0 else 1.0
        train, step = max(round(self.train * a_day), FEWEST), max(round(self.step * a_day), 1)
        if train >= bars:
            raise BadRequest(f"a model is to be trained on {train:,} bars, and there are {bars:,}; train on fewer, or choose a longer span")
        return train, step

    def refits(self, bars: int, days: float) -> int:
        """How many models will be fitted.

        >>> Plan(train=500, step=100).refits(1_001, 10.0)
        6
        """
        train, step = self.rows(bars, days)
        return -(-(bars - train) // step)
