"""Execution settings: intrabar order and fills."""

from __future__ import annotations

from dataclasses import dataclass

from domain.params import param

STOPS = ("signal", "volatility")
INTRABAR = ("pessimistic", "optimistic", "path", "magnify")


@dataclass(frozen=True)
class Execution:
    """Which of stop and target comes first where a bar reaches both, and what an opposite signal does."""

    intrabar: str = param("pessimistic", choices=INTRABAR, unit="", help="stop first, targets first, along an assumed OHLC path, or on finer bars")
    reverse_on_opposite: bool = param(False, unit="", title="Exit on opposite signal", help="a signal against an open position of its tag closes it at the next open")
    stops: str = param("signal", choices=STOPS, unit="", title="Stops and targets", help="those of each signal; or the preset volatility: stop 0.8 × ATR(14), half out at 1.5 R and half at 2.4 R")
