"""A live account whose orders a broker fills: what of them may go out, what is due to leave, and the broker's fills booked at its prices and costs."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from domain.backtest import kernel
from domain.backtest.kernel.codes import BY_KILL, BY_MANUAL, BY_OPPOSITE, BY_SIGNAL
from domain.backtest.live import LiveSimulation
from domain.backtest.live_account import PLACE
from domain.backtest.live_records import Booked, Held, Resting
from domain.backtest.state import REASON
from domain.trading.outcomes import REASONS
from domain.trading.signal_row import Row

LEAVES = ((BY_SIGNAL, "signal"), (BY_OPPOSITE, "opposite"), (BY_KILL, "kill_switch"), (BY_MANUAL, "manual"))


class Leaving(NamedTuple):
    """A position that is to leave. ``share``: of its lots."""

    trade: int
    share: float
    reason: str


class OutsideAccount:
    """``live``: its own fills, swaps and stop-outs end with this. Numbers of orders are as decisions have them; below 0: tickets."""

    def __init__(self, live: LiveSimulation) -> None:
        self.live = live
        for k in range(len(live.series)):
            live.outside(k, True)
        live.account.tasks["swaps"] = 0
        live.account.context["stop_out"] = 0.0

    def resting(self) -> tuple[Resting, ...]:
        return self.live.present().resting

    def held(self) -> tuple[Held, ...]:
        return self.live.present().held

    def open_bar(self, k: int) -> tuple[int, int] | None:
        """Open and end of the bar of a task that is open; None between two bars."""
        bar, inside, *_ = self.live.account.cursors.tolist()[k]
        window = self.live.bars.window
        b = bar - window.first(k)
        return (int(window.columns["ts"][k, b]), int(window.columns["end"][k, b])) if inside else None

    def expected(self, k: int, row: Row) -> float:
        """The price at which an order fills that goes out now: that of the bar that is open, or its own."""
        if row["order"] != "market":
            return float(row["price"])
        side, opened, spread = row["side"], *(self._column(k, name) for name in ("open", "spread"))
        return opened + side * spread / 2 if self.live.series[k].side == "mid" else opened + (spread if side > 0 else 0.0)

    def last_price(self, k: int) -> float:
        """The open of the bar that is open, or between two bars the last close."""
        return self._column(k, "open") if self.open_bar(k) is not None else self._column(k, "close", -1)

    def targets(self, trade: int) -> list[float]:
        """Of a position, NaN for those that it has not."""
        p = self._position(trade)
        return [math.nan] * 4 if p is None else [float(price) for price in p["target"]]

    def review(self, k: int, order_id: int) -> float:
        """Lots that may go out now, with a bar open; 0 where none may."""
        at = self._signal(k, order_id)
        return 0.0 if at < 0 else max(float(self.live.between(kernel.review_entry, k, at)), 0.0)

    def stands_at(self, balance: float, equity: float) -> None:
        """The broker's account as it was last looked at: the floors of a rule set lie under it, not under this one."""
        account, positions = self.live.account.state["account"][0], self.live.account.positions()
        account["more_balance"] = balance - account["balance"]
        account["more_equity"] = equity - account["balance"] - float(positions["mark"].sum())

    def drop(self, k: int, order_id: int) -> None:
        """An order that came to nothing."""
        at, account = self._signal(k, order_id), self.live.account
        for name in ("waiting", "pending") if at >= 0 else ():
            orders = account.state[name][: account.numbers[PLACE[name]]]
            kept = orders[(orders["signal"] != at) | (orders["task"] != k)].copy()
            orders[: len(kept)] = kept
            account.numbers[PLACE[name]] = len(kept)

    def enter(self, k: int, order_id: int, row: Row, lots: float, price: float, commission: float, ts: int, reason: str) -> int:
        """A fill of an order, the whole or the next part of it; its trade. ``row``: the order's signal, for the case that the account has let it go."""
        at = self._signal(k, order_id)
        return int(self.live.between(kernel.book_entry, k, self._added(k, order_id, row) if at < 0 else at, lots, price, math.nan, commission, ts, REASON[reason]))

    def leave(self, trade: int, lots: float, price: float, commission: float, swap: float, ts: int, reason: str) -> bool:
        """A fill that closes lots of a trade; False where it is not open. ``swap``: negative is paid."""
        if swap:
            self.live.between(kernel.book_financing, trade, swap)
        p = self._position(trade)
        if p is not None and reason == "stop_loss":
            reason = REASONS[int(p["stop_reason"])]
        left = bool(self.live.between(kernel.book_exit, trade, lots, price, math.nan, commission, ts, REASON[reason]))
        if (p := self._position(trade)) is not None:
            if reason == "manual":
                p["leaves"], p["leave_share"] = p["leaves"] & ~BY_MANUAL, 0.0
            if reason.startswith("target_"):
                p["reached"] |= 1 << (int(reason[-1]) - 1)
        return left

    def leaving(self) -> list[Leaving]:
        """Positions that a signal, a person, the kill switch or the time closes."""
        return [Leaving(int(p["trade"]), *why) for p in self.live.account.positions() if (why := self._why(p)) is not None]

    def stay(self, trade: int) -> None:
        """A person's exit of a share that is too small to be closed."""
        if (p := self._position(trade)) is not None:
            p["leaves"], p["leave_share"] = p["leaves"] & ~BY_MANUAL, 0.0

    def booked(self, ts: int) -> list[Booked]:
        """What was booked since the last call."""
        return [each._replace(ts=ts) for each in self.live.taken()]

    def _why(self, p: np.void) -> tuple[float, str] | None:
        k, leaves = int(p["task"]), int(p["leaves"])
        bar, inside, *_ = self.live.account.cursors.tolist()[k]
        opened = self.open_bar(k)
        if inside and bar >= int(p["time_bar"]):
            return 1.0, "time"
        if (opened is not None and opened[0] >= int(p["flat_at"])) or self.live.now >= int(p["shut_at"]):
            return 1.0, "session"
        whole = next((word for bit, word in LEAVES[:3] if leaves & bit), "")
        return (1.0, whole) if whole else (min(float(p["leave_share"]), 1.0), "manual") if leaves & BY_MANUAL else None

    def _column(self, k: int, name: str, by: int = 0) -> float:
        window = self.live.bars.window
        return float(window.columns[name][k, int(self.live.account.cursors["bar"][k]) - window.first(k) + by])

    def _position(self, trade: int) -> np.void | None:
        positions = self.live.account.positions()
        rows = np.flatnonzero(positions["trade"] == trade)
        return positions[int(rows[0])] if len(rows) else None

    def _signal(self, k: int, order_id: int) -> int:
        """The place of the signal of an order that a position or an order names; -1 if none does."""
        account, numbers = self.live.account, self.live.signals.table["number"]
        for holders in (account.positions(), account.waiting(), account.pending()):
            for each in holders:
                if int(each["task"]) == k and int(numbers[each["signal"]]) == order_id - 1:
                    return int(each["signal"])
        return -1

    def _added(self, k: int, order_id: int, row: Row) -> int:
        live = self.live
        if live.signals.is_full(1):
            live.clear(1)
        live.signals.add(k, row, live.windows_of, order_id - 1)
        live.account.tell(signals=live.signals.table, protections=live.signals.protection_table)
        return live.signals.count - 1
