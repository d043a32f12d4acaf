"""The nouns of trading: account, costs, execution, rules, signals, and the result of a simulation.

Account, costs and execution rules are plain; what needs pandas is imported when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from domain.trading.account import Account as Account
from domain.trading.costs import Costs as Costs
from domain.trading.execution import Execution as Execution
from domain.trading.rules import Rules as Rules

if TYPE_CHECKING:
    from domain.trading.signals import SIGNAL_COLUMNS as SIGNAL_COLUMNS
    from domain.trading.signals import read_signals as read_signals
    from domain.trading.task import COUNTS as COUNTS
    from domain.trading.task import DROPS as DROPS
    from domain.trading.task import EQUITY as EQUITY
    from domain.trading.task import FILLS as FILLS
    from domain.trading.task import TRADES as TRADES
    from domain.trading.task import Outcome as Outcome
    from domain.trading.task import Rate as Rate
    from domain.trading.task import Task as Task

_SIGNALS = ("SIGNAL_COLUMNS", "read_signals")
_TASK = ("COUNTS", "DROPS", "EQUITY", "FILLS", "TRADES", "Outcome", "Rate", "Task")


def __getattr__(name: str) -> Any:
    for module, names in (("signals", _SIGNALS), ("task", _TASK)):
        if name in names:
            return getattr(import_module(f"domain.trading.{module}"), name)
    raise AttributeError(f"module 'domain.trading' has no attribute {name!r}")
