"""What a session wants of its broker at a moment, whole, and what the broker's side tells it: the words between the two. Wanted again it changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from domain.live.broker_book import Entry, Taken
from domain.live.reconcile import Difference


@dataclass(frozen=True)
class Levels:
    """Where the stop of a held order stands, and the target of each of its legs that has one."""

    number: int
    stop: Decimal | None
    targets: Mapping[int, Decimal] = field(default_factory=dict)


@dataclass(frozen=True)
class Leave:
    """Lots that are to be closed, by leg. ``event`` names the decision: the same one closes once."""

    number: int
    event: str
    lots: Mapping[int, Decimal]


@dataclass(frozen=True)
class Wanted:
    """``entries``: orders that are out and of which something is not over; one at the broker that waits for its price and is not among them is cancelled.
    ``adopts``: client ids of differences that a person takes as they are."""

    entries: tuple[Entry, ...] = ()
    levels: tuple[Levels, ...] = ()
    leaves: tuple[Leave, ...] = ()
    adopts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Refused:
    """An order that came to nothing: ``reason`` as it is counted, ``sentence`` for people."""

    number: int
    client_id: str
    reason: str
    sentence: str


@dataclass(frozen=True)
class Closed:
    """An order that closes is over; its fill, where there is one, is among those taken. ``refused``: why it did not close, empty where it did."""

    number: int
    leg: int
    event: str
    refused: str = ""


@dataclass(frozen=True)
class Adopted:
    """A difference as it was adopted. ``difference``: None where there was none any more."""

    client_id: str
    number: int
    leg: int
    difference: Difference | None


@dataclass(frozen=True)
class BrokerReport:
    """What the broker's side has found, and its book as it is then: they are stored together. ``at``: the vendor's time, nanoseconds UTC."""

    at: int
    book: Mapping[str, Any]
    taken: tuple[Taken, ...] = ()
    refused: tuple[Refused, ...] = ()
    closed: tuple[Closed, ...] = ()
    adopted: tuple[Adopted, ...] = ()
