"""What a rule is: a frozen dataclass of parameters that reads stretches of instants and says where its floor was and what broke it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, is_dataclass
from typing import Any, ClassVar, NamedTuple, TypeVar

import numpy as np
import pandas as pd

from domain.compliance.day import DayClock
from domain.compliance.order import Order
from domain.compliance.stretch import Stretch
from domain.market.instrument import Instrument
from domain.registry import Registry

T = TypeVar("T")
WATCHED = {     # other words for what a rule watches -> its name
    **dict.fromkeys(("closed only", "closed trades only", "balance"), "closed"),
    **dict.fromkeys(("equity with floating profit", "equity with floating, commission and swap", "equity with floating profit, commission and swap"), "equity"),
}
FAIL, DAY_LOCK, BLOCK, PROFIT_FACTOR, CLOSE_OUT = "FAIL", "DAY_LOCK", "BLOCK", "PROFIT_FACTOR", "CLOSE_OUT"
FLOOR, CEILING, LEVEL = "floor", "ceiling", "level"


@dataclass(frozen=True)
class Terms:
    """What a rule is judged on beside its own parameters."""

    initial: float
    clock: DayClock
    currency: str = "USD"
    target: float | None = None  # money above the initial balance, where the set has one
    instruments: Mapping[str, Instrument] = field(default_factory=dict)
    releases: pd.DataFrame | None = None  # ts title currency impact, as domain.outside reads them


class Known(NamedTuple):
    """What a path has: a rule that needs more is not judged."""

    trades: bool
    floating: bool  # an equity with floating profit
    lows: bool  # extremes between the rows, or several rows a day
    releases: bool


@dataclass(frozen=True)
class Breach:
    """One breach: of which clause, when, which value against which floor, and the trades behind it."""

    ts: int
    clause: str
    value: float
    floor: float
    effect: str
    trades: tuple[Any, ...] = ()
    detail: str = ""


@dataclass
class Reading:
    """What a rule says of a stretch.

    ``line``: its floor, ceiling or level at each row, money; ``limit``: what ``value`` is compared with where there is no such line, in the
    rule's unit; ``met``: whether its goal is reached, at each row; ``lacks``: what it found missing in the rows or trades.
    """

    line: np.ndarray | None = None
    value: float = np.nan  # at the last row
    allowance: float = np.nan  # money between the day's start (or the initial balance) and the line
    breaches: list[Breach] = field(default_factory=list)
    met: np.ndarray | None = None
    limit: float = np.nan
    lacks: tuple[str, ...] = ()
    detail: str = ""


class Rule:
    """Base of every rule. A subclass is a frozen dataclass of ``param`` fields in a file of ``domain/compliance/rules``."""

    kind: ClassVar[str]  # name of its column
    key: ClassVar[str]  # name of its table in a rule set
    line: ClassVar[str] = ""  # FLOOR, CEILING or LEVEL, where it has one
    unit: ClassVar[str] = "money"  # of its value and limit
    goal: ClassVar[bool] = False  # a phase is passed when every goal is met
    reach: ClassVar[bool] = False  # whether its value is to reach the line or limit, not to stay on this side of it
    regulatory: ClassVar[bool] = False
    main: ClassVar[str] = ""  # the parameter that a bare value stands for
    main_is_table: ClassVar[bool] = False  # whether that value is itself a table
    required: ClassVar[tuple[str, ...]] = ()  # parameters without a default: what differs between firms is not guessed
    names: ClassVar[Mapping[str, str]] = {}  # field -> its name in a rule set, where that is another

    @classmethod
    def requires(cls, given: Mapping[str, Any]) -> tuple[str, ...]:
        """The parameters that must be given, where others are."""
        return cls.required

    def needs(self, known: Known) -> tuple[str, ...]:
        """What the path must have and does not."""
        return ()

    def clause(self) -> str:
        """The rule in words."""
        raise NotImplementedError

    def start(self, terms: Terms) -> Any:
        """What it remembers from one stretch to the next."""
        raise NotImplementedError

    def read(self, memory: Any, stretch: Stretch) -> Reading:
        """Floors and breaches of the next stretch; ``memory`` then stands behind it."""
        raise NotImplementedError

    def refuses(self, memory: Any, reading: Reading, order: Order) -> str:
        """Why an order may not go, whatever it can lose; empty: nothing against it."""
        return ""


RULES: Registry[type[Rule]] = Registry("kind of rule")


def rule(kind: str, key: str = "") -> Callable[[type[T]], type[T]]:
    """Register a frozen dataclass of ``param`` fields as the kind of rule ``kind``, whose table in a rule set is ``key``."""

    def register(cls: type[T]) -> type[T]:
        if not is_dataclass(cls):
            raise TypeError(
                f"{cls.__name__} is no dataclass; write @dataclass(frozen=True) between @rule({kind!r}) and the class"
            )
        cls.kind, cls.key = kind, key or kind  # type: ignore[attr-defined]
        RULES.add(kind, cls)  # type: ignore[arg-type]
        return cls

    return register


def about(kind: str) -> str:
    """What a kind of rule does, in one sentence."""
    return (inspect.getdoc(RULES[kind]) or "").split("\n\n")[0].replace("\n", " ")


def first_of_days(stretch: Stretch, broken: np.ndarray, seen: int) -> np.ndarray:
    """The first broken row of each day; ``seen`` is the number of a day that is broken already, in an earlier stretch."""
    rows = np.flatnonzero(broken)
    if not len(rows):
        return rows
    days = stretch.day_of_rows(rows)
    fresh = np.diff(days, prepend=-1) != 0
    rows, days = rows[fresh], days[fresh]
    return rows[stretch.days.number[days] != seen]


def trades_behind(stretch: Stretch, row: int, since: int | None = None) -> tuple[Any, ...]:
    """The trades open at a row or closed since the row before it, or at it: fills inside a bar bear the time of its open.
    With ``since``: all that were open from there on."""
    trades, ts = stretch.trades, int(stretch.ts[row])
    previous = int(stretch.ts[row - 1]) if row else stretch.before
    start = previous if since is None else since
    chosen = (trades.entry_ts <= ts) & (trades.exit_ts >= start)
    return tuple(trades.id[chosen].tolist())
