"""An order as the gate sees it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Order:
    """``ts``: UTC nanoseconds."""

    ts: int
    instrument: str
    lots: float
