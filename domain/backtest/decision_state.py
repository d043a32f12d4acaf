"""The account as it was at one instant of a run: the kernel, run up to there and stopped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from domain.backtest.decision_size import expected_entry
from domain.backtest.prepare import MarketInputs, prepare_market, with_signals
from domain.backtest.simulator import AT_ONCE, Simulation
from domain.trading.rules import Rules
from domain.trading.task import Rate, Task


class Position(NamedTuple):
    """An open position. ``notional``: account currency, as of its fill. ``at_stop``: what it loses from its last close to its stop, account currency; NaN without one."""

    instrument: str
    side: int
    notional: float
    trade: int
    entered: int
    signal: int         # number of its signal in its task, from 0
    at_stop: float


@dataclass(frozen=True)
class AccountState:
    """``equity``: balance and open positions at last known closes; ``used``: margin; ``day_start``, ``peak``: what loss limits measure from.
    ``results``: for each task the R of its last ended trades, where ``es95`` reads them."""

    equity: float
    used: float
    day_start: float
    peak: float
    halted: bool
    positions: tuple[Position, ...]
    results: tuple[tuple[float, ...], ...] = ()


class Rerun:
    """A prepared run that can be stopped after any instant. Called with later instants, it goes on from where it stands."""

    def __init__(self, tasks: Sequence[Task], rules: Rules, rates: Sequence[Rate] = ()) -> None:
        self.tasks, self.rules = tasks, rules
        self.market: MarketInputs = prepare_market(tasks, rules, rates)
        self.prepared = with_signals(self.market, tasks)
        self._simulation = Simulation(self.prepared, rules.account)

    def after(self, instant: int) -> AccountState:
        """The account after everything that happens at ``instant`` (ns UTC): bars that end then, decisions, openings."""
        wanted = int(np.searchsorted(self.market.instants, instant, side="right"))
        while (done := int(self._account["instant"])) < wanted and self._simulation.step(min(AT_ONCE, wanted - done)):
            pass
        account, every = self._account, self._simulation.arrays["positions"]
        held = [p for p in every[: int(account["positions"])] if not p["gone"]]
        marks = sum(float(p["mark"]) for p in held)
        return AccountState(float(account["balance"]) + marks, float(account["used"]), float(account["day_start"]), float(account["peak"]), bool(account["halted"]), tuple(self._position(p) for p in held), self._results())

    def rate(self, task: int, instant: int) -> float:
        """Quote to account currency, as known at ``instant``."""
        if not self.market.converts:
            return 1.0
        row = self.market.currencies.index(self.tasks[task].instrument.quote)
        at = int(np.searchsorted(self.market.instants, instant, side="right")) - 1
        return abs(float(self.market.inputs["rate"][row, at]))

    @property
    def _account(self) -> np.void:
        return self._simulation.arrays["account"][0]

    def _position(self, p: np.void) -> Position:
        number = int(self.prepared.inputs["signals"]["number"][int(p["signal"])])
        return Position(self.tasks[int(p["task"])].instrument.name, int(p["side"]), float(p["notional"]), int(p["trade"]), int(p["entry_ts"]), number, self._at_stop(p))

    def _at_stop(self, p: np.void) -> float:
        k, side = int(p["task"]), int(p["side"])
        last = int(self._simulation.arrays["cursors"]["bar"][k]) - 1
        price = float(p["price"])
        if last >= int(p["entry_bar"]):
            price = expected_entry(self.tasks[k].side, -side, float(self.market.inputs["close"][last]), float(self.market.inputs["spread"][last]))
        distance = side * (price - float(p["stop"]))
        return distance if np.isnan(distance) else max(distance, 0.0) * float(p["value"]) * float(p["lots"])

    def _results(self) -> tuple[tuple[float, ...], ...]:
        """Not in the order in which they ended."""
        if not self.rules.limits.es95:
            return tuple(() for _ in self.tasks)
        rings = self._simulation.arrays["tails"].reshape(len(self.tasks), -1)
        return tuple(tuple(ring[1 : 1 + min(int(ring[0]), len(ring) - 1)].tolist()) for ring in rings)
