"""The floors of a rule set as the kernel reads them, and the days that they count by."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from domain.backtest.state import FLOOR, FLOOR_RULE
from domain.compliance.day import DayClock
from domain.compliance.floors import Floors, floors_of
from domain.trading.rules import Rules


def gate_of(rules: Rules) -> Floors | None:
    """The floors of these rules; None where they have no rule set."""
    return _read(rules.gate, rules.account.balance, rules.account.currency) if rules.gate else None


_read = lru_cache(64)(floors_of)


def rule_table(floors: Floors | None) -> np.ndarray:
    """At least one place, so that it has an address."""
    return np.array([tuple(rule) for rule in floors.rules] if floors else [(0,) * len(FLOOR_RULE.names or ())], FLOOR_RULE)


def start_table(rules: np.ndarray, initial: float) -> np.ndarray:
    """The floors before the first row."""
    table = np.zeros(len(rules), FLOOR)
    table["peak"] = table["balance"] = table["equity"] = initial
    table["day"] = -1
    table["line"] = np.minimum(initial - (rules["money"] + rules["percent"] * initial / 100.0), rules["lock"])
    return table


def day_codes(clock: DayClock, instants: np.ndarray) -> np.ndarray:
    """Twice the number of the day of each instant, and 1 more right at its reset."""
    days = np.asarray(clock.day_of(instants), np.int64)
    return 2 * days + (clock.resets.at[days] == instants)
