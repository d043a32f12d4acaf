"""What a session has done at one instant, and how it stands: what a store keeps and a page shows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from domain.live.tape import TapeBar
from domain.trading.task import EQUITY, FILLS, TRADES

Row = Mapping[str, Any]
VERDICTS = ("placed", "proposed", "approved", "expired", "refused", "shrunk", "capped")
DECISIONS = ("order_id", "ts", "bar_ts", "series", "strategy", "side", "order", "price", "stop_loss", "tag", "verdict", "reason", "lots_requested", "lots_given", "value", "allowed", "buffer")


@dataclass(frozen=True, slots=True)
class Decision:
    """A signal of a strategy, or what became of it: ``verdict`` is one of VERDICTS, ``reason`` a count of docs/execution.md such as ``no_margin``;
    lots are NaN where none were requested yet. ``value``: what a limit found, and ``allowed`` less ``buffer``, how much of it may be; NaN where it has no number. ``order_id``: its number among the signals of its strategy on its series, from 1."""

    order_id: int
    ts: int
    bar_ts: int
    series: str
    strategy: str
    side: str
    order: str
    price: float
    stop_loss: float
    tag: str
    verdict: str
    reason: str = ""
    lots_requested: float = float("nan")
    lots_given: float = float("nan")
    value: float = float("nan")
    allowed: float = float("nan")
    buffer: float = float("nan")

    def plain(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in DECISIONS}


@dataclass(slots=True)
class Worked:
    """One instant of a session. ``bars``: that ended at it, as they go onto the tape. ``fills`` and ``trades``: rows with the columns of fills.csv and
    trades.csv, times in nanoseconds UTC. ``row``: that of equity.csv, None where no bar ended. ``commands``: worked after it. ``remarks``: sentences for the log,
    such as a bar that was dropped. ``ended``: nothing comes after it."""

    ts: int
    bars: tuple[TapeBar, ...] = ()
    fills: tuple[Row, ...] = ()
    trades: tuple[Row, ...] = ()
    decisions: tuple[Decision, ...] = ()
    row: Row | None = None
    commands: tuple[Any, ...] = ()
    remarks: tuple[str, ...] = ()
    ended: bool = False


@dataclass(slots=True)
class View:
    """A session between two instants. ``opened``: per series the bar that has opened and not ended. ``dropped``: per reason how many bars were.
    ``positions``, ``orders``, ``proposals``: plain rows. ``counts``: as of a backtest, those
    that are not 0."""

    ts: int
    state: str                              # waiting, running, paused, halted, finished
    bars: int
    balance: float
    equity: float
    positions: tuple[Row, ...] = ()
    orders: tuple[Row, ...] = ()
    proposals: tuple[Row, ...] = ()
    opened: Mapping[str, Row] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    dropped: Mapping[str, int] = field(default_factory=dict)
    strategies: tuple[Row, ...] = ()        # name, strategy (in the catalogue), params, series, enabled


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables of a whole session, as a backtest writes them."""

    trades: pd.DataFrame
    fills: pd.DataFrame
    equity: pd.DataFrame
    decisions: pd.DataFrame


def tables(worked: Iterable[Worked]) -> Tables:
    """All that was worked as trades.csv, fills.csv, equity.csv and decisions.csv hold it. A later row of an instant replaces an earlier one, as the end
    of the data does."""
    every = list(worked)
    rows = {row["ts"]: row for each in every if (row := each.row) is not None}
    trades = sorted((row for each in every for row in each.trades), key=lambda row: row["trade_id"])
    fills = [row for each in every for row in each.fills]
    decisions = [decision.plain() for each in every for decision in each.decisions]
    return Tables(_frame(trades, TRADES), _frame(fills, FILLS), _frame(list(rows.values()), EQUITY), _frame(decisions, DECISIONS))


def _frame(rows: Sequence[Row], columns: tuple[str, ...]) -> pd.DataFrame:
    table = pd.DataFrame.from_records([tuple(row[name] for name in columns) for row in rows], columns=list(columns))
    times = {name: pd.to_datetime(table[name].astype("int64"), utc=True) for name in columns if name == "ts" or name.endswith("_ts")}
    return table.assign(**times)
