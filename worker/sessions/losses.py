"""How much of the daily loss and of the drawdown limit an account has used, told to people at half, at four fifths and at all of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from domain.live.plan import Plan
from worker.store.messages import Message

LEVELS = ((1.0, "critical"), (0.8, "warning"), (0.5, "info"))
DAY = 86_400_000_000_000


class LossWatch:
    """Of one session. ``kept`` is what it stood at when it was stored: end of the day, equity at its start, peak, last equity, and what was told of each limit.

    >>> from domain.live.plan import StrategyPlan
    >>> from domain.trading.rules import rules_from
    >>> rules = rules_from({"account": {"balance": 1000.0}, "limits": {"daily_loss": 0.1}})
    >>> watch = LossWatch("gold", Plan(("EURUSD M5",), (StrategyPlan("momentum"),), rules))
    >>> [[message.text for message in watch.look(dict(ts=1, equity=low, equity_low=low))] for low in (960.0, 945.0, 944.0, 890.0)]
    [[], ['gold has used 55 % of its daily loss limit'], [], ['gold has used 110 % of its daily loss limit']]
    """

    def __init__(self, name: str, plan: Plan, kept: Sequence[Any] = ()) -> None:
        self._name, self._limits = name, plan.rules.limits
        balance = plan.rules.account.balance
        stood: Sequence[Any] = kept or (0, balance, balance, balance, {})
        self._until, self._told = int(stood[0]), dict[str, float](stood[4])
        self._begin, self._peak, self._last = (float(value) for value in stood[1:4])

    @property
    def kept(self) -> list[Any]:
        return [self._until, self._begin, self._peak, self._last, self._told]

    def look(self, row: Mapping[str, Any]) -> list[Message]:
        """What is to be told at this row of the equity curve."""
        if not self._limits.daily_loss and not self._limits.max_drawdown:
            return []
        if row["ts"] > self._until:
            self._next_day(int(row["ts"]))
        used = {"daily loss": self._used(self._limits.daily_loss, self._begin, row), "drawdown": self._used(self._limits.max_drawdown, self._peak, row)}
        self._last, self._peak = float(row["equity"]), max(self._peak, float(row["equity"]))
        return [message for limit, share in used.items() for message in self._said(limit, share)]

    def _next_day(self, ts: int) -> None:
        from domain.backtest.limit_tables import day_ends

        ends = day_ends(self._limits.day_reset, _days(ts))
        self._until, self._begin = int(min(end for end in ends if end >= ts)), self._last
        self._told = {limit: level for limit, level in self._told.items() if limit != "daily loss"}

    def _used(self, limit: float, of: float, row: Mapping[str, Any]) -> float:
        return (of - float(row["equity_low"])) / (limit * of) if limit else 0.0

    def _said(self, limit: str, share: float) -> Iterator[Message]:
        for level, severity in LEVELS:
            if share >= level:
                if self._told.get(limit, 0.0) < level:
                    self._told = self._told | {limit: level}
                    yield Message(f"{self._name}:{limit}:{level}:{self._until}", severity, f"{self._name} has used {100 * share:.0f} % of its {limit} limit", self._name)
                return


def _days(ts: int) -> Any:
    import numpy as np

    return np.arange(ts // DAY - 1, ts // DAY + 3)
