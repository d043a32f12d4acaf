"""The kernel's arrays for a live account: state and outputs of one instant, the tables of the rules, and their addresses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from domain.backtest import kernel
from domain.backtest.floor_table import gate_of, rule_table, start_table
from domain.backtest.frames import MEASURES
from domain.backtest.kernel import codes
from domain.backtest.live_fields import reader
from domain.backtest.live_records import LiveSeries
from domain.backtest.live_window import Window
from domain.backtest.memory import address_of
from domain.backtest.prepare import rules_as_numbers, task_table
from domain.backtest.simulator import remembered
from domain.backtest.state import ACCOUNT, CANDIDATE, CURSOR, FILL, MOVE, POSITION, REVIEW, TRADE, WAITING, in_context, numbers_of
from domain.errors import BadRequest
from domain.risk.limits import Limits
from domain.trading.rules import Rules

ROWS = ("row_ts", "row_balance", "row_equity", "row_equity_low", "row_used_margin")
PLACES = 4              # positions and orders, at first
PLACE = {name: ACCOUNT.fields[name][1] // 8 for name in ACCOUNT.names or ()}     # type: ignore[index]     # of a number of the account among its words of 8 bytes
IN_HAND = reader(ACCOUNT, ("positions", "pending", "waiting"))
NEVER = int(codes.NEVER)
NUMBERED = {"time_bar": NEVER, "entry_bar": None, "part_bar": -1, "add_from": None}      # of a position: bars by their number, and what names none
EXPIRES = {"expires": NEVER}


class LiveAccount:
    """``rate``, ``day``: of the present instant, in tables of one column; ``numbers``: the account as words of 8 bytes."""

    def __init__(self, series: Sequence[LiveSeries], rules: Rules, window: Window) -> None:
        self.window = window
        self.currencies = sorted({each.instrument.quote for each in series})
        self.converts = self.currencies != [rules.account.currency]
        self.rate, self.day, self.floor_day = np.ones((len(self.currencies), 1)), np.zeros(1, np.int64), np.zeros(1, np.int64)
        self.floor_rules = rule_table(gate_of(rules))
        quotes = [codes.MID if each.side == "mid" else codes.LONG_BID for each in series]
        self.tasks = task_table(series, np.arange(len(series) + 1) * window.places, rules, self.currencies, quotes)
        self.tasks["count"], self.tasks["open_ended"] = 0, 1
        self.currency = [int(row) for row in self.tasks["currency"]]
        self.final_rate = np.ones(len(series))
        tables = dict(tasks=self.tasks, rho=window.columns["rho"].reshape(-1, window.bars), ts=window.flat("ts"))
        self._context = rules_as_numbers(rules, self.converts, tables, 1)
        self.state = _state(len(series), rules, self._context) | dict(floors=start_table(self.floor_rules, rules.account.balance))
        self.numbers: np.ndarray = self.state["account"].view(np.int64)
        self.cursors, self.recent = self.state["cursors"], self.state["recent"]
        self.bar_of, self.inside_of, self.counts = self.cursors["bar"], self.cursors["inside"], self.tasks["count"]      # of each series; a field of a record is looked up once
        self.bar_of[:] = [window.first(k) for k in range(len(series))]
        self.finer = {name: np.zeros(1) for name in ("open", "high", "low", "close", "spread")}
        self.rows = np.zeros((len(ROWS), 2))        # the last one, and a new one; the first column of a row holds a time
        self.outputs = {**{name: row.view(np.int64) if name == "row_ts" else row for name, row in zip(ROWS, self.rows, strict=True)}, "moves": np.zeros(1, MOVE)}
        self._grow(PLACES)
        self._tell_all()

    def positions(self) -> np.ndarray:
        return self.state["positions"][: self.numbers[PLACE["positions"]]]

    def pending(self) -> np.ndarray:
        return self.state["pending"][: self.numbers[PLACE["pending"]]]

    def waiting(self) -> np.ndarray:
        return self.state["waiting"][: self.numbers[PLACE["waiting"]]]

    @property
    def orders(self) -> int:
        """How many positions and orders there are."""
        return sum(IN_HAND(self.state["account"], 0))

    def step(self) -> None:
        """Works the nearest instant that lies in the window. There must be one, and space for it."""
        if kernel.run(self._context, 1) != 1:
            raise RuntimeError("the kernel did not work an instant that is due")
        self.numbers[PLACE["instant"]] = 0

    def finish(self) -> None:
        kernel.finish(self._context, self.final_rate)

    def kill(self) -> None:
        kernel.kill(self._context)

    @property
    def context(self) -> np.ndarray:
        """What entries of the kernel take. Make space first: ``make_space(0)``."""
        return self._context

    def make_space(self, coming: int) -> None:
        """For as many more orders."""
        orders = coming + self.orders
        if orders > len(self.state["positions"]):
            self._grow(2 * orders)

    def tell(self, **arrays: np.ndarray) -> None:
        """These arrays lie elsewhere now."""
        for name, array in arrays.items():
            self._context[name] = address_of(array)

    def tell_window(self) -> None:
        window = self.window
        self.tasks["first"] = [window.first(k) for k in range(window.series)]
        self._context["bars"] = self._context["rho_days"] = window.bars
        self.tell(**{name: window.flat(name) for name in window.columns}, rho_day=(places := np.arange(window.bars)))
        self._places = places

    def tell_finer(self) -> None:
        self.tell(**{f"finer_{name}": column for name, column in self.finer.items()})

    def load(self, state: dict[str, np.ndarray]) -> None:
        """State from elsewhere, with few places: it is copied into arrays of enough."""
        self.state["account"][:], self.state["cursors"][:] = state["account"], state["cursors"]
        self._grow(2 * max(PLACES, *(len(state[name]) for name in ("positions", "pending", "waiting"))))
        for name in ("positions", "pending", "waiting", "recent", "entered", "tails", "floors"):
            self.state[name][: len(state[name])] = state[name]

    def renumber(self, k: int, by: int) -> None:
        """The bars of a series have moved by so many places."""
        self.bar_of[k] += by
        _shift(self.positions(), k, by, NUMBERED)
        for orders in (self.pending(), self.waiting()):
            _shift(orders, k, by, EXPIRES)

    def change(self, rules: Rules) -> None:
        """Other limits, from the next instant on."""
        tables = dict(tasks=self.tasks, rho=self.window.columns["rho"].reshape(-1, self.window.bars), ts=self.window.flat("ts"))
        new = rules_as_numbers(rules, self.converts, tables, 1)
        if any(len(array) != len(self.state[name]) for name, array in remembered(new[0], len(self.tasks)).items()):
            raise BadRequest("how many entries and trades the limits rate and es95 look at is fixed while an account runs; leave rate, es95 and es95_trades as they are")
        for name in (*map(in_context, numbers_of(Limits)), "limited", "watched"):
            self._context[name] = new[name]

    def _grow(self, places: int) -> None:
        for name, kind in (("positions", POSITION), ("pending", WAITING), ("waiting", WAITING)):
            grown = np.zeros(places, kind)
            grown[: len(self.state[name])] = self.state[name]
            self.state[name] = grown
        self.outputs["candidates"] = np.zeros(2 * places, CANDIDATE)
        self.outputs |= {name: np.zeros(8 * places + 16, kind) for name, kind in (("fills", FILL), ("trades", TRADE), ("reviews", REVIEW))}
        self._context["position_places"] = self._context["order_places"] = places
        self._context["fill_places"] = 8 * places + 16
        self.tell(**self.state, **self.outputs)

    def _tell_all(self) -> None:
        self.tell(tasks=self.tasks, rate=self.rate, day=self.day, brief=self.day, floor_day=self.floor_day, floor_rules=self.floor_rules, **self.state, **self.outputs)
        self.tell_window()
        self.tell_finer()


def _state(series: int, rules: Rules, context: np.ndarray) -> dict[str, np.ndarray]:
    account = np.zeros(1, ACCOUNT)
    account["balance"] = account["equity"] = account["peak"] = rules.account.balance
    for name in MEASURES:
        account[name] = np.nan
    empty = dict(positions=np.zeros(0, POSITION), pending=np.zeros(0, WAITING), waiting=np.zeros(0, WAITING))
    return dict(account=account, cursors=np.zeros(series, CURSOR), **empty, recent=np.zeros(int(context["kelly_window"][0])), **remembered(context[0], series))


def _shift(records: np.ndarray, k: int, by: int, names: Mapping[str, int | None]) -> None:
    """Of one position or order after another: there are few, and a loop is then several times as fast as a mask."""
    for each in records:
        if each["task"] == k:
            for name, nothing in names.items():
                if each[name] != nothing:
                    each[name] += by
