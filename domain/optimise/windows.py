"""Walk-forward: windows to fit on, each followed by one to be tested on, and the evaluation of the tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from domain.errors import BadRequest
from domain.params import param
from domain.rounding import ROUNDING

DAY = pd.Timedelta(days=1)
YEAR = 365.25       # calendar days


def step_param(length: str) -> Any:
    """How far the windows of the next fold lie on; ``length``: what 0 stands for."""
    return param(0, low=0, high=20_000, unit="days", help=f"from one fold to the next; 0: {length}, so that tests neither overlap nor leave gaps")


def anchored_param(window: str) -> Any:
    return param(False, unit="", help=f"every {window} window begins at the start of the data")


def refuse_overlap(step: int, test: int, name: str) -> None:
    """Raises BadRequest where tests would overlap; ``name``: of the parameter that is their length.

    >>> refuse_overlap(0, 90, "test"), refuse_overlap(120, 90, "test")
    (None, None)
    """
    if 0 < step < test:
        raise BadRequest(f"step is {step} days and {name} {test}: tests would overlap and count days twice. Make step 0, or at least as long as {name}")


@dataclass(frozen=True)
class Windows:
    """Lengths are calendar days."""

    in_sample: int = param(365, low=1, high=20_000, unit="days", title="In-sample (days)", help="length of the window that the choice is made on")
    out_of_sample: int = param(90, low=1, high=20_000, unit="days", title="Out-of-sample (days)", help="length of the window after it, in which the choice is traded")
    step: int = step_param("the out-of-sample length")
    anchored: bool = anchored_param("in-sample")
    embargo: int = param(0, low=0, high=1_000_000, unit="bars", help="bars left out between the in-sample and the out-of-sample window")

    def __post_init__(self) -> None:
        refuse_overlap(self.step, self.out_of_sample, "out_of_sample")


class Fold(NamedTuple):
    """Bars with ``start <= ts < end`` are fitted on, those with ``test_start <= ts < test_end`` are traded."""

    number: int
    start: pd.Timestamp
    end: pd.Timestamp
    test_start: pd.Timestamp
    test_end: pd.Timestamp


def folds(ts: Sequence[pd.Timestamp] | pd.Series, windows: Windows) -> list[Fold]:
    """The folds over bars that open at ``ts``; the last test may be cut short by the end of the data, by half at the most.

    >>> ts = pd.Series(pd.date_range("2024-01-01", periods=10, freq="D", tz="UTC"))
    >>> [(f"{fold.start:%d}-{fold.end:%d}", f"{fold.test_start:%d}-{fold.test_end:%d}") for fold in folds(ts, Windows(in_sample=4, out_of_sample=3, embargo=1))]
    [('01-05', '06-08'), ('04-08', '09-11')]
    """
    times = pd.DatetimeIndex(ts)
    first, last = times[0].floor("D"), times[-1].floor("D") + DAY
    result: list[Fold] = []
    while (end := first + DAY * (windows.in_sample + len(result) * (windows.step or windows.out_of_sample))) + DAY * (windows.out_of_sample / 2) <= last:
        opens = int(times.searchsorted(end)) + windows.embargo
        test_end = end + DAY * windows.out_of_sample
        if opens < len(times) and times[opens] < test_end:
            start = first if windows.anchored else end - DAY * windows.in_sample
            result.append(Fold(len(result), start, end, max(times[opens], end), min(test_end, last)))
        else:
            break
    if not result:
        raise BadRequest(f"the data spans {(last - first).days:,} days, and one fold needs {windows.in_sample + windows.out_of_sample:,}; take shorter windows or more data")
    return result


def yearly(share: pd.Series, days: pd.Series) -> pd.Series:
    """Net returns of so many days as a year's, compounded: never below -100 %.

    >>> yearly(pd.Series([0.1, -0.415, -1.2]), pd.Series([365.25, 90.0, 90.0])).round(4).tolist()
    [0.1, -0.8865, -1.0]
    """
    return np.maximum(1.0 + share, 0.0) ** (YEAR / days) - 1.0


def compared(table: pd.DataFrame) -> pd.DataFrame:
    """Columns of each fold: ``in_sample_yearly, out_of_sample_yearly`` (compounded) and ``kept``: the return of a day out of sample over that of a day in sample.
    ``kept`` is NaN where in sample nothing was earned: a loss after a loss keeps nothing. ``table`` as for ``efficiency``.

    >>> loss = pd.DataFrame(dict(in_sample_return=[0.2, -0.415], in_sample_days=[200.0, 365.0], out_of_sample_return=[0.05, -0.326], out_of_sample_days=[100.0, 90.0]))
    >>> compared(loss)["kept"].round(3).tolist()
    [0.5, nan]
    """
    fit, test = (table[f"{part}_return"] / table[f"{part}_days"] for part in ("in_sample", "out_of_sample"))
    retained = (test / fit).where(table["in_sample_return"] > ROUNDING)
    years = {f"{part}_yearly": yearly(table[f"{part}_return"], table[f"{part}_days"]) for part in ("in_sample", "out_of_sample")}
    return pd.DataFrame(dict(**years, kept=retained), index=table.index)


def efficiency(table: pd.DataFrame) -> float | None:
    """Mean yearly net return out of sample over that in sample, of the folds that traded; None where in sample nothing was earned.

    ``table``: in_sample_return, in_sample_days, out_of_sample_return, out_of_sample_days. Net returns are shares, made yearly
    by their days alone (not compounded: windows are short). 1: tests earned what fits promised. Source: Pardo (2008).

    >>> efficiency(pd.DataFrame(dict(in_sample_return=[0.2], in_sample_days=[365.25], out_of_sample_return=[0.02], out_of_sample_days=[73.05])))
    0.5
    """
    traded = table.dropna(subset=["in_sample_return", "out_of_sample_return"])
    fit, test = (float((traded[f"{part}_return"] / traded[f"{part}_days"] * YEAR).mean()) if len(traded) else np.nan for part in ("in_sample", "out_of_sample"))
    return round(test / fit, 12) if fit > ROUNDING else None


def drift(table: pd.DataFrame, values: dict[str, list[Any]]) -> dict[str, float | None]:
    """The drift of each parameter from fold to fold: mean change in steps of its grid, over the number of steps; 0 never moves, 1 from end to end each time.

    >>> drift(pd.DataFrame({"fast": [5, 10, 5]}), {"fast": [5, 10, 20]})
    {'fast': 0.5}
    """
    distances: dict[str, float | None] = {}
    for name, given in values.items():
        places = [given.index(value) for value in table[name].dropna()]
        distances[name] = float(np.abs(np.diff(places)).mean() / (len(given) - 1)) if len(places) > 1 and len(given) > 1 else None
    return distances
