"""Round trips from deals that enter and leave, first in, first out within a symbol and side."""

from __future__ import annotations

import math
from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass, replace

from domain.compliance.histories.base import BOUGHT, SOLD, StatedTrade

DUST = 1e-9  # lots
OPPOSITE = {BOUGHT: SOLD, SOLD: BOUGHT}


@dataclass(frozen=True)
class Deal:
    """One deal. ``direction``: in, out, in/out (a reversal) or out by (against an opposite position)."""

    ticket: str
    at: int
    symbol: str
    side: str
    direction: str
    lots: float
    price: float
    commission: float
    swap: float
    profit: float
    comment: str
    line: int


def matched(deals: Sequence[Deal]) -> list[StatedTrade]:
    """Trades in the order in which they closed. A leaving deal closes the oldest of what it can close; its money is
    shared by lots, and each part carries its share of the entry's commission. What closes nothing that is known (it was
    opened before the report began) is a trade that opened where it closed.

    >>> entry = Deal("1", 0, "EURUSD", "long", "in", 2.0, 1.10, -4.0, 0.0, 0.0, "", 1)
    >>> leave = [replace(entry, ticket="2", at=k, side="short", direction="out", lots=1.0, price=1.2, commission=-2.0, profit=10.0)
    ...          for k in (5, 9)]
    >>> [(trade.closed, trade.lots, trade.net) for trade in matched([entry, *leave])]
    [(5, 1.0, 6.0), (9, 1.0, 6.0)]
    """
    waiting: defaultdict[tuple[str, str], deque[Deal]] = defaultdict(deque)
    trades: list[StatedTrade] = []
    for deal in sorted(deals, key=lambda deal: deal.at):
        left = deal.lots
        if deal.direction != "in":
            held = waiting[deal.symbol, OPPOSITE[deal.side]]
            left = _close(deal, held, trades)
            if left > DUST and deal.direction != "in/out":
                trades.append(_trade(replace(deal, side=OPPOSITE[deal.side], commission=0.0), deal, left))
        if deal.direction == "in" or (deal.direction == "in/out" and left > DUST):
            share = left / deal.lots
            waiting[deal.symbol, deal.side].append(replace(deal, lots=left, commission=deal.commission * share))
    return trades


def _close(deal: Deal, held: deque[Deal], trades: list[StatedTrade]) -> float:
    """Closes what is held, oldest first; the lots that remain."""
    left = deal.lots
    while left > DUST and held:
        entry = held.popleft()
        lots = min(left, entry.lots)
        trades.append(_trade(entry, deal, lots))
        if entry.lots - lots > DUST:
            rest = entry.lots - lots
            held.appendleft(replace(entry, lots=rest, commission=entry.commission * rest / entry.lots))
        left -= lots
    return left


def _trade(entry: Deal, leave: Deal, lots: float) -> StatedTrade:
    share = lots / leave.lots
    return StatedTrade(
        entry.ticket,
        entry.symbol,
        entry.side,
        lots,
        entry.at,
        entry.price,
        leave.at,
        leave.price,
        math.nan,
        entry.commission * lots / entry.lots + leave.commission * share,
        0.0,
        leave.swap * share,
        leave.profit * share,
        leave.comment,
        leave.line,
    )
