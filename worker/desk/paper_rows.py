"""What the page and the terminal show of paper trading sessions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pandas as pd

OVER = ("finished", "stopped")
STATES = {      # state -> what a person reads
    "ready": "Waiting for a worker", "waiting": "Waiting for prices", "running": "Running", "paused": "Paused", "halted": "Halted", "differs": "Differs from the broker", "away": "Broker away", "error": "Failed", "stopped": "Stopped",
    "finished": "Finished",
}  # fmt: skip
TITLES = {      # command -> its button
    "pause": "Pause", "continue": "Continue", "order": "Order", "close": "Close", "close-all": "Close all", "set": "Set parameters", "enable": "Enable", "disable": "Disable", "blackout": "Blackout",
    "approve": "Approve", "adopt": "Adopt", "stop": "Stop", "halt": "Emergency stop", "release": "Release",
}  # fmt: skip


@dataclass(frozen=True)
class SessionRow:
    """One session of the list. Money in the account's ``currency``; ``today``: change of equity since the day began; ``daily_loss_used``: share of the daily loss limit, None without one;
    ``price_age``: seconds since the newest price, None before the first; ``points``: equity for a sparkline, oldest first; ``reason``: why it is halted, paused, failed or without its broker; ``proposals``: to approve; ``alarms``: what a person must look at, a sentence each;
    ``waiting``: commands that are not worked yet."""

    name: str
    state: str
    title: str
    source: str
    broker: str
    mode: str
    currency: str
    start: float
    equity: float
    today: float
    open: int
    daily_loss_used: float | None
    price_age: float | None
    bars: int
    points: tuple[float, ...] = ()
    reason: str = ""
    balance: float = 0.0
    proposals: int = 0
    alarms: tuple[str, ...] = ()
    waiting: int = 0

    @property
    def word(self) -> str:
        """The state as it is read."""
        if self.state == "running" and self.proposals:
            return "Waiting for approval"
        return STATES.get(self.state, self.state.capitalize())

    @property
    def over(self) -> bool:
        """Whether no command can reach it any more."""
        return self.state in OVER


@dataclass(frozen=True)
class SessionView:
    """One session whole. Frames: ``equity`` ts balance equity equity_low used_margin; ``fills`` and ``trades`` as of a backtest; ``decisions`` newest first, refused ones too, with ``reason``;
    ``positions`` instrument side lots entry_price stop_loss profit r; ``orders`` those that wait; ``proposals`` those to approve; ``log`` ts kind text, newest first; ``bars`` ts series
    open high low close recovered, the newest. ``broker``: its account at a broker as it was last looked at, empty on paper; ``floors``: of its rule set, ``rule clause floor left used``; ``present``: of an
    equity that is not whole, with which one the present day of its limits began, and the peak; ``edited``: its instruments that were edited since it started; ``clock``: the replay's or vendor's time; ``backlog``: instants that wait to be worked; ``figures``: name -> number or None."""

    row: SessionRow
    plan: Mapping[str, Any]
    clock: datetime | None
    next_close: datetime | None
    backlog: int
    figures: Mapping[str, float | None]
    equity: pd.DataFrame
    decisions: pd.DataFrame
    fills: pd.DataFrame
    trades: pd.DataFrame
    positions: pd.DataFrame
    orders: pd.DataFrame
    proposals: pd.DataFrame
    bars: pd.DataFrame
    log: pd.DataFrame
    commands: pd.DataFrame
    counts: Mapping[str, int] = field(default_factory=dict)
    strategies: tuple[Mapping[str, Any], ...] = ()
    trades_total: int = 0
    broker: Mapping[str, Any] = field(default_factory=dict)
    floors: tuple[Mapping[str, Any], ...] = ()
    rule_set: str = ""
    present: tuple[float, float] | None = None
    edited: tuple[str, ...] = ()


@dataclass(frozen=True)
class Verb:
    """A command as a button shows it. ``role``: what a person needs; ``refused``: why it cannot be given now, empty where it can."""

    name: str
    title: str
    help: str
    role: str = "trader"
    refused: str = ""


@dataclass(frozen=True)
class HaltRow:
    """A kill switch that is set. ``name``: of the session, empty for all; ``flatten``: positions are closed too."""

    name: str
    strategy: str
    who: str
    reason: str
    at: datetime
    flatten: bool = True


@dataclass(frozen=True)
class StartRequest:
    """A session to start. ``datasets``: ids of stored bars to replay; ``feed``: instead of them oanda or mt5, with ``instruments``; ``rules``: changed values of account, costs, execution, sizing and limits;
    ``start``: earlier bars are history; ``speed``: times real time, 0 for as fast as possible; ``rule_set`` and its ``phase``: whose floors orders keep clear of and people are warned of. ``model``: NAME@VERSION that filters the strategy's signals, or forecasts.
    ``signals``: instead of a strategy the bytes of a CSV; ``scan``: the id of a scan, whose strategies and criteria are a scanner that trades. ``commands``: the bytes of a CSV."""

    name: str
    strategy: str
    params: Mapping[str, Any]
    timeframes: tuple[str, ...]
    datasets: tuple[str, ...] = ()
    feed: str = ""
    instruments: tuple[str, ...] = ()
    broker: str = "paper"
    mode: str = "auto"
    rules: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    start: datetime | None = None
    speed: float = 0.0
    rule_set: str = ""
    phase: str = ""
    model: str = ""
    signals: bytes = b""
    scan: str = ""
    commands: bytes = b""
    cost_profile: str = ""      # name of the saved costs that take the place of ``rules["costs"]``
