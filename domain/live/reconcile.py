"""A session's book against a snapshot of the broker's positions. Pure; a snapshot that failed is never given here, for it is no empty book."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from domain.live.broker_book import BrokerBook, Leg
from domain.trading.order import NOUGHT, Position


@dataclass(frozen=True)
class Difference:
    """A position of the session that the broker has otherwise. ``position``: None where it has none."""

    client_id: str
    instrument: str
    expected: Decimal
    actual: Decimal
    position: Position | None

    @property
    def sentence(self) -> str:
        return f"{self.instrument}: the session holds {self.expected} lots of order {self.client_id}, the broker has {self.actual}; adopt the broker's, or close the position"


@dataclass(frozen=True)
class Reconciled:
    """What a comparison found. ``foreign``: positions of others, shown and left alone. ``unprotected``: own positions without a stop at the broker."""

    differences: tuple[Difference, ...] = ()
    foreign: tuple[Position, ...] = ()
    unprotected: tuple[Position, ...] = ()

    @property
    def differs(self) -> bool:
        return bool(self.differences)

    @property
    def alarms(self) -> tuple[str, ...]:
        return tuple(f"position {each.position_id} of {each.instrument}, {each.lots} lots, has no stop at the broker" for each in self.unprotected)


def reconcile(book: BrokerBook, positions: Sequence[Position]) -> Reconciled:
    """Compare. All fills that the snapshot knows must have been taken before.

    >>> reconcile(BrokerBook("gold"), ())
    Reconciled(differences=(), foreign=(), unprotected=())
    """
    own = {position.position_id: leg for position in positions if (leg := book.leg_at(position.position_id, position.client_id)) is not None}
    placed = {leg.order.client_id: position for position in positions if (leg := own.get(position.position_id)) is not None}
    differences = [difference for leg in book.legs.values() if (difference := _difference(leg, placed.get(leg.order.client_id))) is not None]
    strangers = [position for position in positions if position.position_id not in own]
    lost = [_unheard(position) for position in strangers if book.owns(position.client_id)]
    foreign = tuple(position for position in strangers if not book.owns(position.client_id))
    bare = tuple(position for position in positions if position.position_id in own and not position.protected)
    return Reconciled((*differences, *lost), foreign, bare)


def adopted(book: BrokerBook, difference: Difference) -> None:
    """A person takes the broker's lots as they are."""
    if difference.client_id not in book.legs and difference.position is not None:
        book.know(difference.client_id, difference.position)
    leg = book.legs[difference.client_id]
    if difference.actual > leg.held:
        leg.opened += difference.actual - leg.held
    else:
        leg.closed += leg.held - difference.actual
    if difference.position is not None:
        leg.position_id = difference.position.position_id


def _difference(leg: Leg, position: Position | None) -> Difference | None:
    placed = NOUGHT if position is None else position.lots
    return None if placed == leg.held else Difference(leg.order.client_id, leg.order.instrument, leg.held, placed, position)


def _unheard(position: Position) -> Difference:
    """A position under one of our ids whose order this session does not know."""
    return Difference(position.client_id, position.instrument, NOUGHT, position.lots, position)
