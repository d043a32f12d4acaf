"""Prices as a vendor gives them while time goes on, and its bars. Times are nanoseconds UTC by the vendor's clock."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Quote:
    """A price as the vendor made it, at which can be traded."""

    instrument: str
    at: int
    bid: float
    ask: float


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """The vendor is there, and this is its time; what it priced before has been passed on, as far as it says. It proves nothing about prices."""

    at: int


@dataclass(frozen=True, slots=True)
class Candle:
    """A bar of the vendor, of bids: ``start`` as the vendor calls it, ``spread`` is ask open − bid open, ``complete`` where it changes no more."""

    start: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    spread: float
    complete: bool = True
