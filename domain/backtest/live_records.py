"""What leaves a live account at an instant: fills, trades, reviews and the equity row, as small records with the columns of the tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

from domain.market.instrument import Instrument
from domain.market.timeframe import Timeframe


class LiveSeries(NamedTuple):
    """A series that is traded, or read for conversion. ``finer_timeframe``: of the finer bars that ``magnify`` reads, if any come.
    ``releases``: those of the instrument's currencies, nanoseconds UTC, in order, for the limit ``news``."""

    instrument: Instrument
    timeframe: Timeframe
    side: str = "bid"
    finer_timeframe: Timeframe | None = None
    releases: np.ndarray | None = None

    @property
    def name(self) -> str:
        """
        >>> from domain.market.instrument import instrument
        >>> LiveSeries(instrument("EURUSD"), Timeframe.named("M5")).name
        'EURUSD M5'
        """
        return f"{self.instrument.name} {self.timeframe}"


class Fill(NamedTuple):
    """The columns of fills, and the number of the series. Times in nanoseconds UTC."""

    fill_id: int
    order_id: int
    trade_id: int
    ts: int
    bar_ts: int
    instrument: str
    side: str
    lots: float
    price: float
    spread_cost: float
    slippage_cost: float
    commission: float
    reason: str
    series: int


class Trade(NamedTuple):
    """The columns of trades, and the number of the series and of the order that opened it. Trades come as they end; the table is by ``trade_id``."""

    trade_id: int
    tag: str
    instrument: str
    side: str
    lots: float
    entry_ts: int
    entry_price: float
    exit_ts: int
    exit_price: float
    stop_loss: float
    pnl_gross: float
    costs: float
    swap: float
    pnl: float
    r: float
    mae_r: float
    mfe_r: float
    bars_held: int
    exit_reason: str
    regime: str
    series: int
    order_id: int


class Review(NamedTuple):
    """The columns of reviews, and the number of the series. ``value``: what the review found, ``allowed``: how much of it is; NaN where it has no number."""

    order_id: int
    ts: int
    instrument: str
    verdict: str
    reason: str
    lots_requested: float
    lots_given: float
    value: float
    allowed: float
    buffer: float
    series: int


class EquityRow(NamedTuple):
    ts: int
    balance: float
    equity: float
    equity_low: float
    used_margin: float


class Booked(NamedTuple):
    """All that one instant booked. ``row``: nothing where no bar ended. The row of ``finish`` stands in place of the last one."""

    ts: int
    fills: tuple[Fill, ...] = ()
    trades: tuple[Trade, ...] = ()
    reviews: tuple[Review, ...] = ()
    row: EquityRow | None = None


class Held(NamedTuple):
    """An open position. ``mark``: its floating profit at the last known close; ``risk``: what it loses from there to its stop, NaN without one; ``leaves``: it leaves at the next open."""

    trade_id: int
    order_id: int
    series: int
    instrument: str
    tag: str
    side: int
    lots: float
    price: float
    stop_loss: float
    targets: tuple[float, ...]
    entry_ts: int
    mark: float
    risk: float
    swap: float
    margin: float
    leaves: bool


class Resting(NamedTuple):
    """An order that has not filled: ``market`` fills at the next open, others wait for their price; ``held``: for a person's approval."""

    order_id: int
    series: int
    instrument: str
    tag: str
    side: int
    order: str
    lots: float
    price: float
    stop_loss: float
    targets: tuple[float, ...]
    oco: str
    held: bool


class Present(NamedTuple):
    """The account after the last instant. ``equity``: of the last row; ``halted``: bits of a halt, 0 for none."""

    balance: float
    equity: float
    used: float
    day_start: float
    peak: float
    halted: int
    entries: int
    ambiguous: int
    counts: Mapping[str, int]
    held: tuple[Held, ...]
    resting: tuple[Resting, ...]


def joined(booked: Iterable[Booked]) -> dict[str, list[Any]]:
    """All of several instants: ``fills``, ``trades`` by their number, ``reviews`` and ``equity``, of which the row of ``finish`` replaces the last.

    >>> rows = [EquityRow(1, 10.0, 10.0, 9.0, 0.0), EquityRow(2, 10.0, 11.0, 9.5, 0.0), EquityRow(2, 11.0, 11.0, 9.5, 0.0)]
    >>> [row.balance for row in joined(Booked(row.ts, row=row) for row in rows)["equity"]]
    [10.0, 11.0]
    """
    out: dict[str, list[Any]] = dict(fills=[], trades=[], reviews=[], equity=[])
    for each in booked:
        out["fills"] += each.fills
        out["trades"] += each.trades
        out["reviews"] += each.reviews
        if each.row is not None:
            if out["equity"] and out["equity"][-1].ts == each.row.ts:
                out["equity"].pop()
            out["equity"].append(each.row)
    out["trades"].sort(key=lambda trade: trade.trade_id)
    return out
