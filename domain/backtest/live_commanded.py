"""Verbs on a live account, between two instants: what a person's commands do to it (``verbs.CommandedAccount``), and what a broker fills."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from domain.backtest import kernel
from domain.backtest.live_account import LiveAccount
from domain.backtest.live_bars import LiveBars
from domain.backtest.live_carrying import Carrier
from domain.backtest.live_orders import Signals
from domain.backtest.live_records import Booked
from domain.backtest.verbs import Open, no_close, no_rate
from domain.trading.rules import Rules
from domain.trading.signal_row import Row


class LiveCommanded:
    """What verbs book waits in ``taken``, and comes with the next instant where nobody takes it."""

    rules: Rules
    now: int
    bars: LiveBars
    account: LiveAccount
    signals: Signals
    carrier: Carrier
    verbs_booked: list[Booked]
    asks = False                        # entries wait until a person approves them

    def between(self, verb: Callable[..., Any], *arguments: Any) -> Any:
        """What a verb of the kernel returns, worked between two instants."""
        self.account.make_space(1)
        answer = verb(self.account.context, *arguments)
        booked = self.carrier.booked(self.now)
        if booked.fills or booked.trades or booked.reviews:
            self.verbs_booked.append(booked)
        return answer

    def taken(self) -> list[Booked]:
        """What verbs have booked since the last call."""
        taken, self.verbs_booked = self.verbs_booked, []
        return taken

    def ask(self, ask: bool) -> None:
        """Whether entries wait until a person approves them."""
        self.asks = ask
        self.account.context["ask"] = ask

    def outside(self, k: int, outside: bool) -> None:
        """Whether a broker fills the orders of a series: then its fills are booked by ``between``, with ``kernel.book_entry`` and ``book_exit``."""
        self.account.tasks["outside"][k] = outside

    def halt(self, task: int, now: int, why: int, flatten: bool) -> None:
        self.between(kernel.halt_for, task, now, why, flatten)

    def lift(self, task: int, why: int) -> None:
        self.between(kernel.lift, task, why)

    def open_positions(self) -> Sequence[Open]:
        words, tags = self.signals.tags.words, self.signals.table["tag"]
        return [Open(int(p["trade"]), int(p["task"]), words[int(tags[p["signal"]])], int(p["side"])) for p in self.account.positions()]

    def leave(self, trade: int, share: float) -> bool:
        return bool(self.between(kernel.leave_share, trade, share))

    def ticket(self, task: int, number: int, row: Row, now: int) -> str:
        series = self.bars.series[task]
        if math.isnan(self.account.rate[self.account.currency[task], 0]):
            return no_rate(series.instrument, self.rules.account.currency)
        if self.signals.is_full(1):
            self.clear(1)
        self.signals.add(task, row, self.windows_of, -number - 1)
        self.account.tell(signals=self.signals.table, protections=self.signals.protection_table)
        return "" if self.between(kernel.place, task, self.signals.count - 1, now) else no_close(series.instrument, series.timeframe)

    def approve(self, task: int, order: int) -> bool:
        waiting = self.account.waiting()
        numbers = self.signals.table["number"][waiting["signal"]]
        rows = np.flatnonzero((waiting["task"] == task) & (numbers == order - 1))
        return len(rows) > 0 and bool(self.between(kernel.approve, int(waiting["signal"][rows[0]])))

    def limit(self, changes: Mapping[str, Any]) -> None:
        """Other limits, as if they had always been so."""
        self.rules = replace(self.rules, limits=replace(self.rules.limits, **changes))
        self.bars.change(self.rules)

    def clear(self, coming: int = 0) -> None:
        """Forget signals that no position and no order names."""
        account = self.account
        self.signals.clear([account.positions(), account.pending(), account.waiting()], account.positions(), coming)
        account.tell(signals=self.signals.table, protections=self.signals.protection_table)

    def windows_of(self, k: int, row: Row) -> tuple[int, int]:
        """The rows of the tables of ATR and of moments to be flat that a signal reads."""
        average = self.bars.average_row(int(row["trail_window"])) if row["trail_kind"] == "atr" else 0
        return average, self.bars.flat_row(k, row["flat_by"]) if row["flat_by"] else -1
