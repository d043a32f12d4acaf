"""First in, first out: which lots an order closes, and which closes of a path were out of that order."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, NamedTuple

import numpy as np

from domain.compliance.exposure import open_at
from domain.compliance.stretch import Stretch
from domain.compliance.trades import OPEN, Trades

SMALLEST = 1e-9  # lots: less is nothing


class Closed(NamedTuple):
    id: Any
    lots: float


def closes(open_lots: Sequence[tuple[Hashable, float]], lots: float) -> list[Closed]:
    """What an order of ``lots`` closes of positions in the order of their opening; what goes beyond them opens nothing here.

    >>> closes([("t1", 10_000), ("t2", 20_000), ("t3", 10_000)], 25_000)
    [Closed(id='t1', lots=10000), Closed(id='t2', lots=15000)]
    """
    taken = []
    for name, held in open_lots:
        if lots <= SMALLEST:
            break
        taken.append(Closed(name, min(held, lots)))
        lots -= min(held, lots)
    return taken


class OutOfOrder(NamedTuple):
    ts: int
    id: Any  # the trade that was closed
    older: Any  # the trade that should have been closed first


def out_of_order(stretch: Stretch, same_size: bool) -> list[OutOfOrder]:
    """Closes of a trade while an older one of the same instrument and side stays open. Trades closed at one instant are one order.

    ``same_size``: a trade may go before older ones of another size, but not before one of its own.
    """
    trades = stretch.trades
    breaches = []
    for row in sorted(
        np.flatnonzero(stretch.closed & _overtaken(trades)), key=lambda each: (trades.exit_ts[each], each)
    ):
        peers = (trades.instrument == trades.instrument[row]) & (trades.side == trades.side[row])
        older = peers & (trades.entry_ts < trades.entry_ts[row]) & (trades.exit_ts > trades.exit_ts[row])
        if same_size:
            older &= np.abs(trades.lots - trades.lots[row]) < SMALLEST
        if older.any():
            breaches.append(OutOfOrder(int(trades.exit_ts[row]), trades.id[row], trades.id[int(older.argmax())]))
    return breaches


def _overtaken(trades: Trades) -> np.ndarray:
    """Which trades end before an earlier trade of their instrument and side does."""
    overtaken = np.zeros(len(trades), bool)
    for name, side in {*zip(trades.instrument.tolist(), trades.side.tolist(), strict=True)}:
        rows = np.flatnonzero((trades.instrument == name) & (trades.side == side))
        entry, latest = trades.entry_ts[rows], np.maximum.accumulate(trades.exit_ts[rows])
        earlier = np.searchsorted(entry, entry, side="left") - 1
        overtaken[rows] = (earlier >= 0) & (latest[np.maximum(earlier, 0)] > trades.exit_ts[rows])
    return overtaken


def _against(trades: Trades) -> np.ndarray:
    """How many trades of its instrument are open on the other side when each is opened; those opened at the same instant included."""
    count = np.zeros(len(trades))
    for name in set(trades.instrument.tolist()):
        own = trades.instrument == name
        for side in (1, -1):
            rows, other = np.flatnonzero(own & (trades.side == side)), trades.rows(own & (trades.side == -side))
            count[rows] = open_at(other, np.ones(len(other)), trades.entry_ts[rows])
    return count


def hedges(stretch: Stretch) -> list[tuple[int, list[int]]]:
    """Row of each trade opened while others of its instrument are open on the other side, and the rows of those, oldest first."""
    trades = stretch.trades
    hedged = []
    for row in np.flatnonzero(stretch.opened & (_against(trades) > 0.5)):
        other = (trades.instrument == trades.instrument[row]) & (trades.side != trades.side[row])
        other &= (
            (trades.entry_ts <= trades.entry_ts[row])
            & (trades.exit_ts > trades.entry_ts[row])
            & (np.arange(len(trades)) < row)
        )
        if other.any():
            hedged.append((int(row), np.flatnonzero(other).tolist()))
    return hedged


def matched(trades: Trades) -> list[tuple[Any, int, str, Any, float]]:
    """What every exit, and every order against open positions, closes by first in, first out.

    Rows of order (the trade whose exit or entry it is), instant, instrument, closed trade and lots; an order that is a close takes the oldest
    lots of its side, one that would hedge takes the oldest of the other side.
    """
    rows: list[tuple[Any, int, str, Any, float]] = []
    events = [(int(ts), 0, row) for row, ts in enumerate(trades.exit_ts) if ts < OPEN] + [
        (int(ts), 1, row) for row, ts in enumerate(trades.entry_ts)
    ]
    held: dict[tuple[str, int], list[tuple[int, float]]] = {}
    for ts, opens, row in sorted(events):
        name, side = str(trades.instrument[row]), int(trades.side[row])
        own, other = held.setdefault((name, side), []), held.setdefault((name, -side), [])
        against, lots = (other, float(trades.lots[row])) if opens else (own, float(trades.lots[row]))
        taken = closes(against, lots)
        rows += [(trades.id[row], ts, name, trades.id[each.id], each.lots) for each in taken]
        _take(against, taken)
        if opens and (rest := lots - sum(each.lots for each in taken)) > SMALLEST:
            own.append((row, rest))
    return rows


def _take(held: list[tuple[int, float]], taken: Sequence[Closed]) -> None:
    for _, lots in taken:
        name, before = held[0]
        if before - lots > SMALLEST:
            held[0] = (name, before - lots)
        else:
            held.pop(0)
