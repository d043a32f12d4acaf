"""How much of the daily loss and of the drawdown limit an account has used, reported to people at half, at four fifths and at all of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from domain.live.loss_limits import LossLimits, Use
from domain.live.plan import Plan
from worker.sessions.floor_watch import FloorWatch
from worker.sessions.levels import Levels
from worker.store.messages import Message


class EquityLosses:
    """Of one equity of a session, its own or a broker's. ``start``: before the first look; None: that of the first look. ``kept`` is what it stood at when it
    was stored: what ``LossLimits`` keeps, and what was reported. ``of``: whose equity it is, empty for the session's own."""

    def __init__(self, name: str, plan: Plan, start: float | None, kept: Sequence[Any] = (), of: str = "") -> None:
        self._name, self._of = name, of
        self._limits, self._levels = LossLimits(plan.account_rules.limits, start, kept[:4]), Levels(kept[4] if kept else None)

    @property
    def kept(self) -> list[Any]:
        return [*self._limits.kept, dict(self._levels.reached)]

    @property
    def day(self) -> int:
        """When the day of the last look ends."""
        return self._limits.until

    def look(self, ts: int, equity: float, low: float | None = None) -> tuple[tuple[Use, ...], list[Message]]:
        """What is used, and what is to be reported of it. A new day begins its level of the daily loss anew, a new peak that of the drawdown."""
        before, uses = self.day, self._limits.look(ts, equity, low)
        if self.day != before:
            self._levels.forget("daily_loss")
        return uses, [message for use in uses if (message := self._message(use)) is not None]

    def _message(self, use: Use) -> Message | None:
        if use.share <= 0:
            self._levels.forget(use.limit)
        passed = self._levels.passed(use.limit, 1.0 if use.reached else min(use.share, 0.999_999))
        whose = f" by the {self._of}'s equity" if self._of else ""
        text = f"{self._name} has used {100 * use.share:.0f} % of its {use.title} limit{whose}"
        return Message(f"{self._name}:{self._of}{use.limit}:{passed[0]}:{self.day}", passed[1], text, self._name) if passed else None


class LossWatch:
    """Of a session's own book, row by row of its equity curve: its limits, and the floors of the rule set that it was started with; those of one at a broker
    lie under the broker's equity.

    >>> from domain.live.plan import StrategyPlan
    >>> from domain.trading.rules import rules_from
    >>> rules = rules_from({"account": {"balance": 1000.0}, "limits": {"daily_loss": 0.1}})
    >>> watch = LossWatch("gold", Plan(("EURUSD M5",), (StrategyPlan("momentum"),), rules))
    >>> [[message.text for message in watch.look(dict(ts=1, equity=low, equity_low=low))] for low in (960.0, 945.0, 944.0, 890.0)]
    [[], ['gold has used 55 % of its daily loss limit'], [], ['gold has used 110 % of its daily loss limit']]
    """

    def __init__(self, name: str, plan: Plan, kept: Sequence[Any] = (), floors: FloorWatch | None = None) -> None:
        self._losses, self._floors = EquityLosses(name, plan, plan.rules.account.balance, kept), floors

    @property
    def kept(self) -> dict[str, Any]:
        """What stands in the session's view: ``losses``, and with a rule set its ``floors`` as they are and what was reported of them."""
        return dict(losses=self._losses.kept) | (self._floors.kept if self._floors else {})

    def look(self, row: Mapping[str, Any]) -> list[Message]:
        """What is to be reported at this row of the equity curve."""
        _, messages = self._losses.look(int(row["ts"]), float(row["equity"]), float(row["equity_low"]))
        return [*messages, *(self._floors.look(row) if self._floors else ())]
