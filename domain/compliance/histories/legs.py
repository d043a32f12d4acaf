"""The parts of positions that were closed at different times: what is open at each moment, to be marked on bars."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from domain.compliance.histories.base import StatedTrade
from domain.compliance.histories.matching import DUST, OPPOSITE, Deal

CLOSING = ("out", "out by", "in/out")


def legs_of(positions: Sequence[StatedTrade], deals: Sequence[Deal]) -> list[StatedTrade]:
    """Each position, or its parts where leaving deals of its symbol add up to it. What was paid at the entry is in the
    balance from there on, so a leg has no commission; one whose deals cannot be identified stays full_close until it closed.
    """
    leaving: defaultdict[tuple[str, str], list[Deal]] = defaultdict(list)
    for deal in sorted(deals, key=lambda deal: deal.at):
        if deal.direction in CLOSING:
            leaving[deal.symbol, OPPOSITE[deal.side]].append(deal)
    legs: dict[int, list[StatedTrade]] = {}
    for number, position in enumerate(positions):
        full_close = next(
            (
                deal
                for deal in leaving[position.symbol, position.side]
                if deal.at == position.closed and abs(deal.lots - position.lots) < DUST
            ),
            None,
        )
        if full_close:
            leaving[position.symbol, position.side].remove(full_close)
            legs[number] = [_leg(position, full_close)]
    for number, position in enumerate(positions):
        if number not in legs:
            legs[number] = _parts(position, leaving[position.symbol, position.side])
    return [leg for number in range(len(positions)) for leg in legs[number]]


def _parts(position: StatedTrade, leaving: list[Deal]) -> list[StatedTrade]:
    """The last deal at its close, and the earliest before it, until they add up."""
    inside = [
        deal for deal in leaving if position.opened < deal.at <= position.closed and deal.lots < position.lots + DUST
    ]
    last = next((deal for deal in reversed(inside) if deal.at == position.closed), None)
    if last is None:
        return [replace(position, commission=0.0, taxes=0.0)]
    chosen, left = [last], position.lots - last.lots
    for deal in inside:
        if deal is not last and deal.lots < left + DUST:
            chosen.append(deal)
            left -= deal.lots
    if abs(left) > DUST:
        return [replace(position, commission=0.0, taxes=0.0)]
    for deal in chosen:
        leaving.remove(deal)
    return [_leg(position, deal) for deal in sorted(chosen, key=lambda deal: deal.at)]


def _leg(position: StatedTrade, deal: Deal) -> StatedTrade:
    return replace(
        position,
        lots=deal.lots,
        closed=deal.at,
        close_price=deal.price,
        profit=deal.profit,
        swap=deal.swap,
        commission=0.0,
        taxes=0.0,
        stop_loss=math.nan,
    )
