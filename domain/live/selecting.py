"""What decides which signals of a session are traded, beside the strategies themselves: a model's filter, or a scanner's verdicts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from domain.features import Context
from domain.features.stream import Earlier
from domain.live.tape import TapeBar
from domain.trading.signal_row import Row

if TYPE_CHECKING:
    from domain.backtest.study import Series
    from domain.live.command import Command
    from domain.live.plan import Plan
    from domain.trading.task import Outcome


@dataclass(slots=True)
class Selected:
    """``taken``: by number of the pair in ``Plan.decided``, the signals that are traded, each with its size. ``left``: the others, each with its reason."""

    taken: Mapping[int, list[Row]] = field(default_factory=dict)
    left: Mapping[int, list[tuple[Row, str]]] = field(default_factory=dict)


class Selector(Protocol):
    """It hears of every bar that ends, and of all signals of an instant together. It stores nothing: its state follows from the bars."""

    def ended(self, bar: TapeBar, others: Mapping[str, float], macro: Mapping[str, float], earlier: Earlier) -> None:
        """A bar has ended. ``others``: closes of other instruments, ``macro``: external series, as known now; ``earlier``: both as known at an instant before."""

    def select(self, at: int, decided: Mapping[int, list[Row]]) -> Selected:
        """``decided``: of each pair whose bar ended at the instant ``at``, its signals, in their order."""


@dataclass(frozen=True)
class Market:
    """What a selector is made from. ``context``: by series, what features read beside its bars; ``seen``: by series, its bars that have ended."""

    plan: Plan
    context: Callable[[str], Context]
    seen: Callable[[str], Sequence[TapeBar]]


class Selection(Protocol):
    """What a session is given: it makes the selector of its bars, and runs the backtest that the session must equal."""

    def live(self, market: Market) -> Selector: ...

    def backtested(self, plan: Plan, series: Mapping[str, Series], commands: Sequence[Command]) -> Outcome:
        """``series``: of the plan, by name, with their bars and history."""
