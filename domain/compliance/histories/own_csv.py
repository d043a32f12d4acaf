"""Our own files: an equity curve (``ts balance equity [equity_low] [equity_high]``, UTC), and the trades of a
backtest."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd

from domain.compliance.histories.base import (
    BOUGHT,
    FLOW,
    HISTORY_READERS,
    SOLD,
    TRADE,
    Change,
    HistoryLimits,
    HistoryReader,
    StatedTrade,
    Statement,
)
from domain.compliance.histories.columns import Cells
from domain.compliance.histories.rows import Row, separator_of, text_of, text_rows
from domain.errors import BadRequest
from domain.market.zones import SECOND

CURVE = ("ts", "balance", "equity")
MORE = ("equity_low", "equity_high")
TRADES = ("instrument", "side", "lots", "entry_ts", "entry_price", "exit_ts", "exit_price", "pnl")


def columns_in(head: str) -> dict[str, int]:
    """Name -> place of the columns of the first line."""
    line = head.lstrip("\ufeff").split("\n", 1)[0]
    names = [name.strip().strip('"') for name in line.split(separator_of([line]))]
    return {name: place for place, name in enumerate(names)}


class EquityCsv(HistoryReader):
    """Times are UTC; a time with another zone is refused."""

    key = "tidemark_equity"
    title = "Tidemark equity curve (CSV)"
    server_clock = False

    def recognise(self, head: str, name: str) -> str:
        return "its columns ts, balance and equity" if set(CURVE) <= set(columns_in(head)) else ""

    def read(self, path: Path, limits: HistoryLimits) -> Statement:
        text = text_of(path, limits)
        places, cells = columns_in(text), Cells(path.name)
        names = [name for name in (*CURVE, *MORE) if name in places]
        if len(places) < len(names):
            raise BadRequest(f"{path.name} names a column twice; name each once")
        rows = list(text_rows(text, path.name, limits))[1:]
        if not rows:
            raise BadRequest(f"{path.name} has no row below its header; export it again")
        points = {"local_ns": np.array([utc(cells, row, row[places["ts"]], "ts") for row in rows], np.int64)}
        for name in names[1:]:
            points[name] = np.array([cells.number(row, row[places[name]], name) for row in rows])
        if (np.diff(points["local_ns"]) <= 0).any():
            at = int(np.flatnonzero(np.diff(points["local_ns"]) <= 0)[0]) + 1
            raise BadRequest(
                f"{path.name}, row {rows[at].line:,}: its time is not after that of the row before; sort the rows "
                "and keep each time once"
            )
        return Statement(clock="UTC", points=pd.DataFrame(points))


class TradesCsv(HistoryReader):
    """Times are UTC; a time with another zone is refused. ``currency`` and ``initial_balance``, the same in each row, may say the account's."""

    key = "tidemark_trades"
    title = "Tidemark trades (CSV)"
    server_clock = False

    def recognise(self, head: str, name: str) -> str:
        return "its columns entry_ts, exit_ts and pnl" if set(TRADES) <= set(columns_in(head)) else ""

    def read(self, path: Path, limits: HistoryLimits) -> Statement:
        text = text_of(path, limits)
        places, cells = columns_in(text), Cells(path.name)
        rows = list(text_rows(text, path.name, limits))[1:]
        trades = [_trade(row, places, cells) for row in rows]
        changes = [Change(trade.closed, trade.net, TRADE, trade.comment, trade.line) for trade in trades]
        if balance := _same(rows, places, "initial_balance", path.name):
            first = min(trades, key=lambda trade: trade.opened)
            changes.append(Change(first.opened - SECOND, cells.number(rows[0], balance, "initial_balance"), FLOW, "balance at the start", rows[0].line))
        return Statement(
            trades=tuple(trades),
            changes=tuple(sorted(changes, key=lambda change: change.at)),
            currency=_same(rows, places, "currency", path.name),
            clock="UTC",
            first_stops=True,
        )


def _same(rows: list[Row], places: dict[str, int], name: str, file: str) -> str:
    """The one value of a column that says something of the account; empty where there is none."""
    values = {row[places[name]].strip() for row in rows} if name in places else set()
    if len(values) > 1:
        raise BadRequest(f"{file} has different values in its column {name}; it is of the account, so write the same in each row")
    return values.pop() if values else ""


def _trade(row: Row, places: dict[str, int], cells: Cells) -> StatedTrade:
    def text(name: str) -> str:
        return row[places[name]] if name in places else ""

    side = text("side")
    if side not in (BOUGHT, SOLD):
        raise cells.refused(row, "side", side, "long or short")
    costs, swap = cells.number(row, text("costs"), "costs", 0.0), cells.number(row, text("swap"), "swap", 0.0)
    pnl = cells.number(row, text("pnl"), "pnl")
    return StatedTrade(
        text("trade_id") or str(row.line),
        text("instrument"),
        side,
        cells.lots(row, text("lots")),
        utc(cells, row, text("entry_ts"), "entry_ts"),
        cells.number(row, text("entry_price"), "entry_price"),
        utc(cells, row, text("exit_ts"), "exit_ts"),
        cells.number(row, text("exit_price"), "exit_price"),
        cells.number(row, text("stop_loss").replace("nan", ""), "stop_loss", math.nan),
        -costs,
        0.0,
        swap,
        pnl + costs - swap,
        text("exit_reason"),
        row.line,
    )


def utc(cells: Cells, row: Row, text: str, what: str) -> int:
    """The instant in a cell, in nanoseconds since 1970."""
    plain = text.removesuffix("Z").removesuffix("+00:00")
    return cells.time(row, plain, what)


HISTORY_READERS.add(EquityCsv.key, EquityCsv())
HISTORY_READERS.add(TradesCsv.key, TradesCsv())
