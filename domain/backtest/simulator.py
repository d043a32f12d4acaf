"""Runs the kernel over prepared arrays, in parts that report progress and can be stopped."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from domain.backtest import kernel
from domain.backtest.floor_table import start_table
from domain.backtest.frames import MEASURES, by_trade, columns_of, fills_frame, moves_frame, reviews_frame, times, trades_frame
from domain.backtest.memory import address_of
from domain.backtest.prepare import Prepared, prepare
from domain.backtest.state import ACCOUNT, CANDIDATE, CURSOR, FILL, MOVE, POSITION, REVIEW, STATE, TRADE, WAITING
from domain.risk.limits import Limits
from domain.risk.sizing import Sizing
from domain.trading.account import Account
from domain.trading.costs import Costs
from domain.trading.execution import Execution
from domain.trading.gate import Gate
from domain.trading.outcomes import COUNTS
from domain.trading.rules import Rules
from domain.trading.task import LaterFrame, Outcome, Rate, Task

AT_ONCE = 100_000       # instants between two calls of ``watch``
LONG_AGO = np.iinfo(np.int64).min // 2
BUFFER = 32_768         # fills, and trades, before the buffers are emptied

ROWS = ("row_ts", "row_balance", "row_equity", "row_equity_low", "row_used_margin")
BUFFERS = ("fills", "trades", "reviews", "moves")

Watch = Callable[[float], None]


def simulate(
    tasks: Sequence[Task],
    account: Account,
    costs: Costs,
    execution: Execution,
    sizing: Sizing,
    rates: Sequence[Rate] = (),
    watch: Watch = lambda share: None,
    limits: Limits = Limits(),
    gate: Gate = Gate(),
) -> Outcome:
    """``replay`` by the parts of its rules."""
    return replay(tasks, Rules(account, costs, execution, sizing, limits, gate), rates, watch)


def replay(tasks: Sequence[Task], rules: Rules, rates: Sequence[Rate] = (), watch: Watch = lambda share: None, moves: bool = False) -> Outcome:
    """The simulated outcome. ``watch`` gets the fraction done and may raise to stop; ``moves``: report every move of a stop too.

    Raises BadRequest for signals that name no bar, a missing conversion rate, or bars that cannot be traded.
    """
    run = Simulation(prepare(tasks, rules, rates), rules.account, moves)
    run.to_end(watch)
    return run.outcome(tasks)


@dataclass
class Simulation:
    """A run in progress: its arrays, and its results so far."""

    prepared: Prepared
    account: Account
    report_moves: bool = False
    arrays: dict[str, np.ndarray] = field(init=False)
    fills: list[np.ndarray] = field(default_factory=list)
    trades: list[np.ndarray] = field(default_factory=list)
    reviews: list[np.ndarray] = field(default_factory=list)
    moves: list[np.ndarray] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.arrays = {**_state(self.prepared, self.account), **_outputs(self.prepared.rows, self.report_moves)}
        self._context = self.prepared.context.copy()
        self._context["report_moves"] = self.report_moves
        self._at_once = int(np.diff(self.prepared.inputs["signal_first"]).max(initial=1))     # or the ticket of a person
        self._write_addresses(self.prepared.inputs)
        self._write_addresses(self.arrays)

    def store(self) -> bytes:
        """Everything that the rest of the run depends on, and its results so far, as bytes for ``resume``."""
        self._make_space()
        rows = int(self._account["rows"])
        parts = {name: self.arrays[name] for name in STATE}
        parts |= {name: self.arrays[name][:rows] for name in ROWS}
        parts |= {name: self._all(name) for name in BUFFERS}
        sink = io.BytesIO()
        np.savez(sink, **parts)     # type: ignore[arg-type]
        return sink.getvalue()

    @classmethod
    def resume(cls, prepared: Prepared, account: Account, stored: bytes, report_moves: bool = False) -> Simulation:
        """The run as it was when it was stored: on the same inputs it continues to the same bytes."""
        run = cls(prepared, account, report_moves)
        with np.load(io.BytesIO(stored)) as parts:
            run.arrays |= {name: parts[name] for name in STATE}
            for name in ROWS:
                run.arrays[name][: len(parts[name])] = parts[name]
            for name in BUFFERS:
                getattr(run, name).append(parts[name])
        run.arrays["candidates"] = _grown(run.arrays["candidates"], 2 * len(run.arrays["positions"]))
        run._write_addresses(run.arrays)
        return run

    def kill(self) -> None:
        """Manual kill switch: no entries from here on, and with ``flatten`` open positions are closed at the next open."""
        self._make_space()
        kernel.kill(self._context)

    def between(self, verb: Callable[..., Any], *arguments: Any) -> Any:
        """What a verb of the kernel returns, worked between two instants."""
        self._make_space()
        return verb(self._context, *arguments)

    def ask(self, ask: bool) -> None:
        """Whether entries wait until a person approves them."""
        self._context["ask"] = ask

    def change(self, inputs: Mapping[str, np.ndarray], numbers: Mapping[str, Any]) -> None:
        """Other inputs, and other numbers of the rules, from the next instant on."""
        self.prepared = self.prepared._replace(inputs={**self.prepared.inputs, **inputs})
        self._write_addresses(dict(inputs))
        for name, value in numbers.items():
            self._context[name] = value

    def to_end(self, watch: Watch = lambda share: None) -> None:
        while self.step(AT_ONCE):
            watch(self._account["rows"] / self.prepared.rows)
        self.finish()

    def step(self, most: int) -> bool:
        """Advances by up to ``most`` instants. False at the end of the data."""
        if kernel.run(self._context, most) < most:
            if kernel.ended(self._context):
                return False
            self._make_space()
        return True

    def finish(self) -> None:
        self._make_space()
        kernel.finish(self._context, self.prepared.final_rate)
        self._empty_buffers()

    def outcome(self, tasks: Sequence[Task]) -> Outcome:
        """The frame of the fills, and that of the moves of stops, are made when somebody looks at them."""
        p, fills, trades = self.prepared, columns_of(self.fills, FILL), by_trade(columns_of(self.trades, TRADE))
        counts = {name: int(n) for name, n in zip(COUNTS, self._account["counts"], strict=True)}
        extra = dict(signals=int((self.prepared.inputs["signals"]["order"] != 3).sum()), entries=int(self._account["trades"]))
        reviews, moves = (columns_of(getattr(self, name), kind) for name, kind in (("reviews", REVIEW), ("moves", MOVE)))
        return Outcome(
            fills=LaterFrame(partial(fills_frame, fills, trades, tasks, p), fills), trades=trades_frame(trades, tasks, p), equity=self._equity(), counts=counts, ambiguous=int(self._account["ambiguous"]), extra=extra,
            reviews=reviews_frame(reviews, tasks, p), moves=LaterFrame(partial(moves_frame, moves, p), moves),
        )  # fmt: skip

    @property
    def _account(self) -> np.void:
        return self.arrays["account"][0]

    def _write_addresses(self, arrays: dict[str, np.ndarray]) -> None:
        """Write the addresses of these arrays, and their capacities, into the context."""
        for name, array in arrays.items():
            self._context[name] = address_of(array)
        for places, name in (("position_places", "positions"), ("order_places", "pending"), ("fill_places", "fills")):
            if name in arrays:
                self._context[places] = len(arrays[name])

    def _all(self, name: str) -> np.ndarray:
        """The results emptied from the buffers, joined; as bytes, for field by field takes numpy ten times as long."""
        kind = self.arrays[name].dtype
        return np.concatenate([np.zeros(0, np.uint8), *(part.view(np.uint8) for part in getattr(self, name))]).view(kind)

    def _equity(self) -> pd.DataFrame:
        columns = {name: self.arrays[f"row_{name}"] for name in ("balance", "equity", "equity_low", "used_margin")}
        return pd.DataFrame(dict(ts=times(self.arrays["row_ts"]), **columns), copy=False)

    def _make_space(self) -> None:
        """Empty the result buffers, and grow the tables of orders and positions if they are too small."""
        self._empty_buffers()
        coming = self._at_once * len(self.prepared.inputs["tasks"])
        orders = coming + int(sum(self._account[name] for name in ("positions", "pending", "waiting")))
        if orders > len(self.arrays["positions"]):
            for name in ("positions", "pending", "waiting", "candidates"):
                self.arrays[name] = _grown(self.arrays[name], 2 * orders)
        if 8 * orders + 8 >= len(self.arrays["fills"]):
            self.arrays |= {name: np.zeros(32 * orders, kind) for name, kind in (("fills", FILL), ("trades", TRADE), ("reviews", REVIEW), ("moves", MOVE)) if name != "moves" or self.report_moves}
        self._write_addresses(self.arrays)

    def _empty_buffers(self) -> None:
        for name in BUFFERS:
            out, full = int(self._account[f"{name}_out"]), self.arrays[name]
            if out:
                getattr(self, name).append(full[:out])
                self.arrays[name] = np.empty_like(full)
            self._account[f"{name}_out"] = 0
        self._write_addresses({name: self.arrays[name] for name in BUFFERS})


def _state(p: Prepared, account: Account) -> dict[str, np.ndarray]:
    tasks = p.inputs["tasks"]
    start, cursors = np.zeros(1, ACCOUNT), np.zeros(len(tasks), CURSOR)
    start["balance"] = start["equity"] = start["peak"] = account.balance
    for name in MEASURES:
        start[name] = np.nan
    cursors["bar"] = tasks["first"]
    orders = {name: np.zeros(64, kind) for name, kind in (("positions", POSITION), ("pending", WAITING), ("waiting", WAITING))}
    return dict(account=start, cursors=cursors, floors=start_table(p.inputs["floor_rules"], account.balance), **orders, recent=np.zeros(int(p.context["kelly_window"][0])), **remembered(p.context[0], len(tasks)))


def remembered(context: np.void, tasks: int) -> dict[str, np.ndarray]:
    """What limits remember: the latest entries, and how many trades of each task have ended with an R, and the last of these."""
    entered = np.full(max(int(context["limit_rate"]), 1), LONG_AGO, np.int64)
    return dict(entered=entered, tails=np.zeros(tasks * (1 + int(context["es95_trades"])) if context["es95"] else 1))


def _outputs(rows: int, moves: bool) -> dict[str, np.ndarray]:
    lines = {f"row_{name}": np.empty(rows) for name in ("balance", "equity", "equity_low", "used_margin")}
    return dict(candidates=np.zeros(128, CANDIDATE), fills=np.empty(BUFFER, FILL), trades=np.empty(BUFFER, TRADE), reviews=np.empty(BUFFER, REVIEW), moves=np.empty(BUFFER if moves else 1, MOVE), row_ts=np.empty(rows, np.int64), **lines)


def _grown(array: np.ndarray, size: int) -> np.ndarray:
    grown = np.zeros(size, array.dtype)
    grown[: len(array)] = array
    return grown
