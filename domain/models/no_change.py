"""Things stay as they are: the price where it is, volatility at its present level, classes as often as lately."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import numpy as np

from domain.errors import BadRequest, listed
from domain.models.base import Samples, Watch, learner
from domain.models.constant import Constant
from domain.models.files import Files, opened
from domain.models.levels import columns_of, levels_or_none, spread_of, weighted_quantiles
from domain.models.line import Line, line_from, standardisation
from domain.models.rows import needs, outputs_of, shares
from domain.params import param

PRESENT = ("realised_volatility", "realized_volatility", "deviation", "yang_zhang", "atr_share", "atr")   # columns that say how volatile it is now


@learner("no_change", targets=("r", "return", "volatility", "fake", "win", "above", "barrier", "direction"))
@dataclass(frozen=True)
class NoChange:
    """Baseline: a return of 0, volatility as a column has it now, and each class as often as among the last training samples."""

    levels: str = param("", title="Levels", help="levels of quantiles, ascending; empty forecasts one number. Returns lie evenly around 0")
    recent: int = param(100, low=10, high=100_000, unit="samples", title="Recent samples", help="how many of the last training samples say how often a class occurs")
    column: str = param("", title="Volatility column", help="the column of present volatility; empty takes the first column that is named for it")

    def __post_init__(self) -> None:
        levels_or_none(self.levels)

    def fit(self, train: Samples, validation: Samples, seed: int, watch: Watch) -> Constant | Line:
        needs(train, 1, "no_change")
        watch(0.0, None)
        if train.task != "number":
            lately = train.take(np.argsort(train.end, kind="stable")[-self.recent :])
            lately = replace(lately, weight=np.ones(len(lately)))
            return Constant.of("no_change", outputs_of(train), shares(lately, added=0.5), len(train.columns))
        column = self.present(train.columns) if (train.y >= 0).all() else None
        return self.around_zero(train) if column is None else self.as_now(train, column)

    def present(self, columns: tuple[str, ...]) -> int | None:
        """Place of the column of present volatility, None where there is none."""
        if self.column and self.column not in columns:
            raise BadRequest(f"there is no column {self.column!r} of present volatility; there are {listed(columns)}")
        names = [column if column == self.column else re.split(r"[(@]", column)[0] for column in columns]
        places = [names.index(name) for name in ((self.column,) if self.column else PRESENT) if name in names]
        return places[0] if places else None

    def around_zero(self, train: Samples) -> Constant:
        """0, and levels evenly around it: the share τ of labels nearest 0 lies between the levels (1 − τ)/2 and (1 + τ)/2."""
        levels = np.array(levels_or_none(self.levels) or (0.5,))
        width = weighted_quantiles(np.abs(train.y), train.weight, tuple(np.abs(2 * levels - 1)))
        values = np.sign(2 * levels - 1) * width
        if (train.y >= 0).all():        # volatility, and no column of it: its usual level
            values = weighted_quantiles(train.y, train.weight, tuple(levels))
        return Constant.of("no_change", columns_of(levels_or_none(self.levels)), values, len(train.columns), spread_of(train.y))

    def as_now(self, train: Samples, column: int) -> Line:
        """The label by the column alone: a level and a factor, by least squares, which undo any scaling of the column."""
        centre, scale = standardisation(train.rows())
        line = Line("no_change", columns_of(levels_or_none(self.levels)), centre, scale, np.zeros((1, len(centre))), np.zeros(1), "identity", spread_of(train.y))
        z = line.standard(train.rows())[:, column]
        mean, middle = np.average(train.y, weights=train.weight), np.average(z, weights=train.weight)
        variance = np.average((z - middle) ** 2, weights=train.weight)
        factor = np.average((z - middle) * (train.y - mean), weights=train.weight) / variance if variance > 0 else 0.0
        levels = levels_or_none(self.levels)
        level = mean - factor * middle
        bias = level + weighted_quantiles(train.y - level - factor * z, train.weight, levels) if levels else np.array([level])
        coefficients = np.zeros((len(bias), len(centre)))
        coefficients[:, column] = factor
        return replace(line, coefficients=coefficients, bias=bias)


def load(files: Files) -> Constant | Line:
    facts = opened(files, "no_change")
    if facts["form"] == "line":
        return line_from("no_change", facts)
    return Constant.of("no_change", tuple(facts["outputs"]), facts["values"], facts["columns"], facts["spread"])
