"""A person's commands (docs/paper-commands.md), sentence by sentence: what each does between two instants."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from domain.errors import BadRequest
from domain.risk.sizing import Sizing
from domain.trading.command import Command
from tests.reference.bars import on_grid
from tests.reference.ledger import Ledger
from tests.reference.limits import halt, refused_at_decision
from tests.reference.orders import Order, Position, Series, Signal, TargetOrder
from tests.reference.sizes import lots_of


class Person:
    """The commands still to come, on an account."""

    def __init__(self, ledger: Ledger, every_series: list[Series], strategies: Sequence[str], sizing: Sizing, commands: list[Command]) -> None:
        self.ledger, self.every_series, self.strategies, self.sizing = ledger, every_series, strategies, sizing
        self.commands, self.tickets = commands, 0
        self.last: int | None = None
        self.stopped = False

    @property
    def is_over(self) -> bool:
        """After a stop, as soon as no position is open and no bar that has a fill."""
        return self.stopped and not self.ledger.open and not any(series.opened is not series.closed and series.filled == series.opened.number for series in self.every_series)

    def work_before(self, instant: int | None) -> None:
        """A command is worked after the last instant at or before its ``ts``: before the first that is later."""
        while self.commands and not self.is_over and (instant is None or self.commands[0].ts < instant):
            command = self.commands.pop(0)
            getattr(self, command.command.replace("-", "_") + "_")(command.payload, command.ts)
        self.last = instant

    # --- halts

    def pause_(self, request: Any, now: int) -> None:
        self._halt("paused", now)

    def continue_(self, request: Any, now: int) -> None:
        self.ledger.held_back.discard("paused")

    def halt_(self, request: Any, now: int) -> None:
        if not request.limit:
            return self._halt("killed", now, request.strategy, flatten=not request.keep)
        self.ledger.halted_today |= request.limit == "daily_loss"
        self.ledger.halted_for_good |= request.limit == "max_drawdown"
        halt(self.ledger, self.every_series, now, not request.keep)

    def release_(self, request: Any, now: int) -> None:
        self._lift("killed", request.strategy)

    def disable_(self, request: Any, now: int) -> None:
        self._halt("paused", now, request.strategy or self.strategies[0])

    def enable_(self, request: Any, now: int) -> None:
        self._lift("paused", request.strategy or self.strategies[0])

    def stop_(self, request: Any, now: int) -> None:
        if request.close or not self.ledger.open:
            self.stopped = True
            self._halt("stopped", now)
            self.close_all_(request, now)

    def _halt(self, why: str, now: int, strategy: str = "", flatten: bool = False) -> None:
        halted = self._of(strategy) if strategy else self.every_series
        for held_back in [series.held_back for series in halted] if strategy else [self.ledger.held_back]:
            held_back.add(why)
        halt(self.ledger, halted, now, flatten)

    def _lift(self, why: str, strategy: str) -> None:
        for held_back in [series.held_back for series in self._of(strategy)] if strategy else [self.ledger.held_back]:
            held_back.discard(why)

    def _of(self, strategy: str) -> list[Series]:
        return [series for series in self.every_series if self.strategies[series.number] == strategy]

    # --- exits

    def close_(self, request: Any, now: int) -> None:
        for position in self.ledger.open.values():
            if self._is_meant(request, position):
                position.leaves_by_hand += request.share

    def close_all_(self, request: Any, now: int) -> None:
        for position in self.ledger.open.values():
            position.leaves_by_hand += 1.0

    def _is_meant(self, request: Any, position: Position) -> bool:
        series, side = position.series, {1: "long", -1: "short"}[position.side]
        if request.instrument and series.instrument.name != request.instrument:
            return False
        if request.series and named(series) != request.series:
            return False
        if request.strategy and self.strategies[series.number] != request.strategy:
            return False
        if request.side and side != request.side:
            return False
        if request.tag is not None and position.signal.tag != request.tag:
            return False
        return not request.trade or position.trade_id == request.trade

    # --- entries

    def order_(self, request: Any, now: int) -> None:
        """Decided on the last ended bar of its series, and on the equity of the last row."""
        self.tickets += 1
        ledger, series = self.ledger, self._series_of(request)
        side = 1 if request.side == "long" else -1
        if series.closed is None:
            return
        if not self._knows_rate(series):
            return
        targets = () if request.target is None else (TargetOrder("target_1", on_grid(request.target), None, 1.0),)
        signal = Signal(
            number=-self.tickets - 1, bar=-1, order="market", side=side, price=None, valid_bars=None,
            stop_loss=None if request.stop is None else on_grid(request.stop), targets=targets, break_even_r=None, break_even_offset=0.0,
            trail_kind="", trail_value=None, trail_window=None, trail_start_r=0.0, max_bars=None, flat_by="",
            tag=request.tag or f"ticket {self.tickets}", oco="", grid=None, lots=request.lots,
        )  # fmt: skip
        met = series.positions.get(signal.tag)
        if ledger.execution.reverse_on_opposite and met is not None and met.side != side:
            met.leaves_by_opposite = True
        refusal = "halted" if ledger.halted or series.held_back else refused_at_decision(ledger, series, series.closed)
        if refusal:
            ledger.refuse(series, signal, now, refusal, float("nan"))
            return
        lots = lots_of(ledger, series, None, signal, self.sizing, ledger.last_equity, now)
        if lots is not None:
            series.market.append(Order(signal, "market", side, lots, None, 0, None))

    def _knows_rate(self, series: Series) -> bool:
        try:
            self.ledger.rate(series, self.last, counted=False)
        except BadRequest:
            return False
        return True

    def _series_of(self, request: Any) -> Series:
        """The series that is named, or the finest of the instrument; of equals the first."""
        if request.series:
            return next(series for series in self.every_series if named(series) == request.series)
        own = [series for series in self.every_series if series.instrument.name == request.instrument]
        return min(own, key=lambda series: series.task.timeframe.minutes)

    def approve_(self, request: Any, now: int) -> None:
        series = next(series for series in self._of(request.strategy) if request.series in ("", named(series)))
        for order in series.market:
            if order.proposed and order.signal.number == request.order - 1:
                order.proposed = False

    def blackout_(self, request: Any, now: int) -> None:
        windows = [window.strip() for window in self.ledger.limits.blackout.split(";") if window.strip()]
        for window in [window.strip() for window in (request.add or request.remove).split(";")]:
            if request.add and window not in windows:
                windows.append(window)
            elif request.remove and window in windows:
                windows.remove(window)
        self.ledger.limits = dataclasses.replace(self.ledger.limits, blackout="; ".join(windows))


def named(series: Series) -> str:
    return f"{series.instrument.name} {series.task.timeframe}"


def expire_proposals(ledger: Ledger, series: Series) -> None:
    """A proposal that nobody approved before the bar after it ended."""
    for order in [order for order in series.market if order.proposed]:
        series.market.remove(order)
        ledger.counts["expired"] += 1
