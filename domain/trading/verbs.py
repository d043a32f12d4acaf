"""What a person may ask of a running account, verb by verb, and the arguments of each.

A verb is a frozen class of parameters, so the terminal's options, a form and the checks are read from one declaration.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from domain.errors import BadRequest
from domain.params import param
from domain.registry import Registry

T = TypeVar("T", bound=type)

VERBS: Registry[type] = Registry("command")
SIDES = {"buy": "long", "sell": "short", "": ""}


class Values(dict):
    """Values by name."""

    word = "JSON object of names and values"


def verb(name: str) -> Callable[[T], T]:
    """Register a class as the arguments of the verb ``name``; its ``check``, where it has one, looks at them together."""

    def register(cls: T) -> T:
        VERBS.add(name, cls)
        return cls

    return register


def _series() -> Any:
    return param("", help="one series of the instrument, as in EURUSD M5")


def _instrument() -> Any:
    return param("", help="the instrument's name")


def _strategy(which: str) -> Any:
    return param("", help=f"the strategy's name; empty: {which}")


@verb("pause")
@dataclass(frozen=True)
class Pause:
    """No entries, and what waits is cancelled, until ``continue``; stops, targets and exits go on."""


@verb("continue")
@dataclass(frozen=True)
class Continue:
    """Lift a pause."""


@verb("close")
@dataclass(frozen=True)
class Close:
    """Close a share of every open position that all the given names fit, at the next open of its series."""

    instrument: str = _instrument()
    side: str = param("", choices=("", "long", "short"), aliases=SIDES, help="long or short; empty: both")
    series: str = _series()
    strategy: str = _strategy("of any")
    tag: str | None = param(None, help="the position's tag")
    trade: int = param(0, low=0, unit="", help="the position's trade_id; 0: any")
    share: float = param(1.0, low=0.0, high=1.0, unit="of the lots open", help="rounded down to the lot step")

    def check(self) -> None:
        if self.share <= 0:
            raise BadRequest("share is 0; it must be above 0 and at most 1")


@verb("close-all")
@dataclass(frozen=True)
class CloseAll:
    """Close every open position at the next open of its series."""


@verb("order")
@dataclass(frozen=True)
class Ticket:
    """A market order of a person, through all limits, filled at its series' next open."""

    instrument: str = _instrument()
    side: str = param("", choices=("", "long", "short"), aliases=SIDES, help="long or short, or buy or sell")
    lots: float = param(0.0, low=0.0, unit="lots", help="rounded down to the lot step")
    stop: float | None = param(None, unit="price", help="stop loss")
    target: float | None = param(None, unit="price", help="target, for all of it")
    series: str = _series()
    tag: str = param("", help="empty: one of its own")

    def check(self) -> None:
        if not self.instrument and not self.series:
            raise BadRequest("an order names no instrument; give one, as in instrument EURUSD")
        if not self.side:
            raise BadRequest("an order has no side; give side long or short")
        if self.lots <= 0:
            raise BadRequest("an order has no lots; give lots above 0")
        if self.stop is not None and self.target is not None and (self.target > self.stop) != (self.side == "long"):
            raise BadRequest(f"stop {self.stop} and target {self.target} lie the wrong way round for a {self.side} order")


@verb("set")
@dataclass(frozen=True)
class Set:
    """Parameters of a strategy from its next decision on; what is open or waiting keeps its levels."""

    strategy: str = _strategy("the only one")
    parameters: Values | None = param(None, help="the parameters that change, by name")

    def check(self) -> None:
        if not self.parameters:
            raise BadRequest('set changes nothing; give parameters, as in {"parameters": {"lookback": 30}}')


@verb("enable")
@dataclass(frozen=True)
class Enable:
    """A disabled strategy may enter again."""

    strategy: str = _strategy("the only one")


@verb("disable")
@dataclass(frozen=True)
class Disable:
    """A pause of one strategy: no entries of it, and what waits is cancelled; its exits, stops and targets go on."""

    strategy: str = _strategy("the only one")


@verb("blackout")
@dataclass(frozen=True)
class Blackout:
    """Add or remove windows without entries, written as the limit of that name."""

    add: str = param("", help="windows to add, separated by ;")
    remove: str = param("", help="windows to remove, each as it was added")

    def check(self) -> None:
        if bool(self.add.strip()) == bool(self.remove.strip()):
            raise BadRequest('blackout needs either add or remove, as in {"add": "12:25-12:35 UTC"}')


@verb("stop")
@dataclass(frozen=True)
class Stop:
    """End the session; with positions open only with ``close``, which closes them at their next opens first."""

    close: bool = param(False, help="close what is open first")


@verb("halt")
@dataclass(frozen=True)
class Halt:
    """The kill switch, until ``release``: no entries, what waits is cancelled, and what is open is closed at the next open."""

    keep: bool = param(False, help="leave open positions to their stops and targets")
    strategy: str = _strategy("all of the session")
    limit: str = param("", choices=("", "daily_loss", "max_drawdown"), help="the limit that a broker's equity has reached: it halts as that limit does, daily_loss until the next day; empty: a kill switch")

    def check(self) -> None:
        if self.limit and self.strategy:
            raise BadRequest(f"limit {self.limit} halts the account, and strategy {self.strategy} is named; leave one of them out")


@verb("release")
@dataclass(frozen=True)
class Release:
    """Lift a kill switch."""

    strategy: str = _strategy("the one of the session")


@verb("approve")
@dataclass(frozen=True)
class Approve:
    """Approve a proposal: its order fills at the next open."""

    order: int = param(0, low=0, unit="", help="the proposal's order_id")
    series: str = param("", help="its series, as in EURUSD M5; empty: the only one")
    strategy: str = _strategy("the only one")

    def check(self) -> None:
        if self.order < 1:
            raise BadRequest("approve names no proposal; give order, the order_id that the proposal shows")


@verb("adopt")
@dataclass(frozen=True)
class Adopt:
    """At a broker: a person takes the broker's lots of a position for right, where they differ from the session's."""

    client_id: str = param("", help="the order's client id, as the difference shows it")
    close: bool = param(False, help="close what the broker has of it, too")

    def check(self) -> None:
        if not self.client_id:
            raise BadRequest("adopt names no order; give client_id, as the difference shows it")
