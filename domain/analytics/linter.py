"""Caveats of a result, in sentences. One check, one function; each reads the evidence that it needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pandas as pd

from domain.analytics.daily import account_calendar
from domain.analytics.groups import group_table
from domain.analytics.guards import size_of
from domain.analytics.metrics import measure
from domain.registry import Registry
from domain.rounding import ROUNDING

LEVELS = ("note", "warning", "severe")


@dataclass(frozen=True)
class Remark:
    """``figure`` is the number the sentence speaks of: a count, or a share."""

    level: str
    key: str
    sentence: str
    figure: float


@dataclass(frozen=True)
class Evidence:
    """The input of the checks. A check whose input is missing finds nothing."""

    trades: pd.DataFrame
    fills: pd.DataFrame
    equity: pd.DataFrame
    start: float                                                    # balance before the first row
    counts: Mapping[str, int] = field(default_factory=dict)
    signals: int = 0                                                # entry signals
    ambiguous: int = 0
    rules: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)    # account, costs, execution, sizing as plain values
    instruments: Mapping[str, Any] = field(default_factory=dict)    # name -> Instrument
    bars: Mapping[str, pd.DataFrame] = field(default_factory=dict)  # instrument name -> bars
    band: tuple[float, float] | None = None                         # net return with ambiguous bars decided pessimistically, optimistically
    out_of_sample: bool | None = None                               # part of the data was unseen when the parameters were chosen; None: unknown
    metrics: Mapping[str, float | None] = field(default_factory=dict)       # those of ``measure``, computed here if not given

    @cached_property
    def figures(self) -> Mapping[str, float | None]:
        return self.metrics or measure(self.trades, self.fills, self.equity, self.start, market=account_calendar(instrument.calendar for instrument in self.instruments.values()))

    @cached_property
    def years(self) -> pd.DataFrame:
        return group_table(self.trades, "year")

    @property
    def net(self) -> float:
        """Sum of the trades' results; 0 where it is nothing but rounding."""
        net = float(self.trades["pnl"].sum())
        return net if abs(net) > ROUNDING * size_of(self.trades["pnl"]) else 0.0

    @property
    def days(self) -> float:
        """From the first row of equity to the last."""
        return float((self.equity["ts"].iloc[-1] - self.equity["ts"].iloc[0]) / pd.Timedelta(days=1)) if len(self.equity) else 0.0


Finding = tuple[str, str, float] | None        # level, sentence, figure


@dataclass(frozen=True)
class Check:
    """``needs_trades``: skipped where nothing was traded."""

    key: str
    definition: str
    find: Callable[[Evidence], Finding]
    needs_trades: bool = True


CHECKS: Registry[Check] = Registry("check")


def check(definition: str, needs_trades: bool = True) -> Callable:
    def register(function: Callable[[Evidence], Finding]) -> Callable[[Evidence], Finding]:
        CHECKS.add(function.__name__, Check(function.__name__, definition, function, needs_trades))
        return function

    return register


def lint(evidence: Evidence) -> tuple[Remark, ...]:
    """Every remark that applies, severest first."""
    checks = [check for check in CHECKS.values() if len(evidence.trades) or not check.needs_trades]
    findings = [(check.key, check.find(evidence)) for check in checks]
    remarks = [Remark(finding[0], key, finding[1], float(finding[2])) for key, finding in findings if finding]
    return tuple(sorted(remarks, key=lambda remark: -LEVELS.index(remark.level)))


def worst(remarks: tuple[Remark, ...] | list[Remark]) -> str:
    """
    >>> worst([Remark("note", "a", "A.", 1.0), Remark("severe", "b", "B.", 1.0)]), worst([])
    ('severe', 'none')
    """
    return max((remark.level for remark in remarks), key=LEVELS.index, default="none")


def percent(share: float, digits: int = 0) -> str:
    """
    >>> percent(0.424), percent(0.004), percent(0.0)
    ('42 %', '0.4 %', '0 %')
    """
    return f"{100 * share:,.{1 if 0 < abs(share) < 0.01 else digits}f} %"


def signed(share: float) -> str:
    """
    >>> signed(-0.0312), signed(0.2)
    ('-3.1 %', '+20.0 %')
    """
    return f"{100 * share:+,.1f} %"


def number_of(count: float, singular: str, plural: str = "") -> str:
    """
    >>> number_of(1, "trade"), number_of(2000, "trade")
    ('1 trade', '2,000 trades')
    """
    return f"{count:,.0f} {singular if count == 1 else plural or singular + 's'}"
