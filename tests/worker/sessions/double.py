"""A small account in place of the engine's: it trades on nothing but prices, and what it does next hangs on all that it did before."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from domain.live.command import Command
from domain.live.tape import TapeBar
from domain.live.worked import Decision, Worked

MINUTE = 60_000_000_000
PLAN = {"series": ["EURUSD M1", "EURUSD M5"], "strategies": [{"name": "momentum", "params": {}}]}
SERIES = dict(zip(PLAN["series"], (1, 5), strict=True))


def bars(minutes: int) -> dict[str, list[TapeBar]]:
    """Whole bars of both series, with prices that never repeat."""
    return {name: [bar(name, start, length) for start in range(0, minutes - minutes % 5, length)] for name, length in SERIES.items()}


def bar(name: str, start: int, length: int) -> TapeBar:
    price = 1.1 + (start * 7919 % 1_000) / 1e5
    return TapeBar(name, start * MINUTE, (start + length) * MINUTE, price, price + 0.001, price - 0.001, price + 0.0005, 1.0, 0.0001)


@dataclass(frozen=True)
class Shown:
    state: str
    equity: float


class Double:
    """Stands in for ``domain.live.session.Session``."""

    def __init__(self) -> None:
        self.ts, self.equity, self.fills, self.paused = 0, 10_000.0, 0, ""
        self.open: dict[str, list[Any]] = {}
        self.ended: list[TapeBar] = []
        self.commands: list[Command] = []
        self.stopped = False

    @classmethod
    def start(cls, plan: Any, history: Iterable[TapeBar], tape: Any) -> Double:
        return cls()

    @classmethod
    def restore(cls, plan: Any, stored: bytes, tape: Any, commands: Iterable[Command], booked: Any) -> Double:
        created = cls()
        created.ts, created.equity, created.fills, created.paused, created.open = json.loads(stored)
        return created

    def store(self) -> bytes:
        return json.dumps([self.ts, self.equity, self.fills, self.paused, self.open]).encode()

    def view(self) -> Shown:
        return Shown("halted" if self.paused == "halt" else "paused" if self.paused else "running", self.equity)

    def open_bar(self, series: str, ts: int, open: float, spread: float = 0.0, end: int | None = None) -> bool:
        self.open[series] = [ts, open, spread, end]
        return True

    def end_bar(self, series: str, high: float, low: float, close: float, volume: float = 0.0, recovered: bool = False, last: bool = False) -> bool:
        ts, open_, spread, end = self.open.pop(series)
        if open_ < 0:
            raise ZeroDivisionError("a bug")
        self.ended.append(TapeBar(series, ts, end, open_, high, low, close, volume, spread, recovered))
        return True

    def bar(self, bar: TapeBar) -> bool:
        return False

    def command(self, command: Command) -> None:
        self.commands.append(command)

    def work(self, until: int) -> list[Worked]:
        worked = [self._instant(until)] if until > self.ts or self.ended else []
        reported, self.commands = tuple(self.commands), []
        for command in reported:
            self.paused = {"pause": "pause", "halt": "halt"}.get(command.command, "")
            self.stopped |= command.command == "stop"
        return [*worked, Worked(self.ts, commands=reported, ended=self.stopped)] if reported else worked

    def _instant(self, until: int) -> Worked:
        self.ts, ended, self.ended = until, tuple(self.ended), []
        fills = []
        for each in ended:
            self.equity = self.equity * 0.999 + each.close
            if not self.paused and self.ts // MINUTE % 7 == 0:
                self.fills += 1
                fills.append(dict(fill_id=self.fills, ts=self.ts, instrument="EURUSD", side="buy", lots=0.1, price=each.close, reason="entry"))
        decided = tuple(Decision(row["fill_id"], self.ts, self.ts, "EURUSD M1", "momentum", "long", "market", float("nan"), 1.0, "", "placed") for row in fills)
        return Worked(self.ts, ended, tuple(fills), (), decided, dict(ts=self.ts, balance=self.equity, equity=self.equity, equity_low=self.equity) if ended else None)

    def finish(self) -> list[Worked]:
        return [Worked(self.ts, row=dict(ts=self.ts, balance=self.equity, equity=self.equity + 1, equity_low=self.equity)), Worked(self.ts, ended=True)]
