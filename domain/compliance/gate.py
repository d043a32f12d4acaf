"""The gate before an order: whether the most that it can lose fits the room that the rules leave."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from domain.compliance.comparator import EXACT
from domain.compliance.judge import Judge, Standing
from domain.compliance.order import Order
from domain.compliance.rule import DAY_LOCK, FLOOR
from domain.errors import BadRequest


@dataclass(frozen=True)
class WorstCase:
    """The most that an order loses when its stop is hit, in account currency, each part at least 0. A gap can jump any stop.

    >>> WorstCase(stop_distance=200.0, spread=10.0, slippage=5.0, commission=7.0).money
    222.0
    >>> WorstCase(-1.0)
    Traceback (most recent call last):
    ...
    domain.errors.BadRequest: the worst case has a stop_distance of -1; it must be a number of at least 0
    """

    stop_distance: float
    spread: float = 0.0
    slippage: float = 0.0
    commission: float = 0.0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not (math.isfinite(value) and value >= 0):
                raise BadRequest(f"the worst case has a {name} of {value:g}; it must be a number of at least 0")

    @property
    def money(self) -> float:
        return self.stop_distance + self.spread + self.slippage + self.commission


@dataclass(frozen=True)
class Headroom:
    """Money from ``value`` down to ``floor``; ``share`` of the rule's allowance; ``buffer``: how much of it is kept back."""

    column: str
    floor: float
    value: float
    money: float
    share: float
    buffer: float


@dataclass(frozen=True)
class Permission:
    """``left``: what the tightest floor would leave after the worst case and the buffer; ``reasons``: why not."""

    allowed: bool
    left: float
    tightest: str
    reasons: tuple[str, ...]


def headroom(judge: Judge, own_buffer: float = 0.0) -> tuple[Headroom, ...]:
    """The room above each floor at the last instant, tightest first. ``own_buffer``: money kept before every floor, where a rule has no larger one."""
    rooms = [
        _headroom(standing, own_buffer)
        for standing in judge.standings
        if standing.rule.line == FLOOR and math.isfinite(standing.line)
    ]
    return tuple(sorted(rooms, key=lambda room: room.money - room.buffer))


def permits(
    judge: Judge, worst: WorstCase, own_buffer: float = 0.0, open_risk: float = 0.0, order: Order | None = None
) -> Permission:
    """Whether an order may go, as the account stands at the last instant: feed the instant of the decision first.

    ``open_risk``: what the open positions can still lose to their stops, with costs. Allowed means: after the worst case of the order and
    of what is open, every floor still holds by the buffer. A floor that trails floating profit can rise under a position afterwards.
    """
    if not (math.isfinite(open_risk) and open_risk >= 0 and math.isfinite(own_buffer) and own_buffer >= 0):
        raise BadRequest("the open risk and the own buffer must be numbers of at least 0")
    rooms, loss = headroom(judge, own_buffer), worst.money + open_risk
    strict = {standing.column: getattr(standing.rule, "comparator", "<") == "<=" for standing in judge.standings}
    reasons = [*_ended(judge), *_locked(judge), *_refusals(judge.standings, order)]
    lefts = {room.column: room.money - room.buffer - loss for room in rooms}
    for room in rooms:
        left = lefts[room.column]
        if not (left >= 0 if not strict[room.column] else left > 2 * EXACT * abs(room.floor)):
            kept = f", less a buffer of {room.buffer:,.2f}" if room.buffer else ""
            reasons.append(
                f"{room.column}: the worst case of {loss:,.2f} does not fit the headroom of {room.money:,.2f}{kept}."
            )
    tightest = min(lefts, key=lambda column: lefts[column], default="")
    return Permission(not reasons, lefts.get(tightest, math.inf), tightest, tuple(reasons))


def _headroom(standing: Standing, own_buffer: float) -> Headroom:
    money, allowance = standing.headroom, standing.reading.allowance
    share = money / allowance if allowance > 0 else math.nan
    return Headroom(
        standing.column,
        standing.line,
        standing.reading.value,
        money,
        share,
        max(own_buffer, getattr(standing.rule, "buffer", 0.0)),
    )


def _ended(judge: Judge) -> list[str]:
    return ["The account has failed."] if judge.failed_at is not None else []


def _locked(judge: Judge) -> list[str]:
    """Rules that locked the day of the last instant."""
    today = judge.carry.day
    return [
        f"{standing.column}: the day is locked until the reset."
        for standing in judge.standings
        if any(
            breach.effect == DAY_LOCK and int(judge.clock.day_of(breach.ts)) == today
            for breach in standing.breaches[-1:]
        )
    ]


def _refusals(standings: Sequence[Standing], order: Order | None) -> list[str]:
    if order is None:
        return []
    sentences = (
        (standing.column, standing.rule.refuses(standing.memory, standing.reading, order)) for standing in standings
    )
    return [f"{column}: {sentence}" for column, sentence in sentences if sentence]
