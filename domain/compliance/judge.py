"""The engine: a rule set that is fed instants, as many at once as there are, and knows at each what its rules say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from domain.compliance.day import DayClock
from domain.compliance.path import Path
from domain.compliance.rule import CEILING, FAIL, FLOOR, Breach, Known, Reading, Rule, Terms
from domain.compliance.rule_set import RuleSet
from domain.compliance.rules.target import Target
from domain.compliance.stretch import Carry, Stretch, stretch_of
from domain.compliance.trades import Trades, none, trades_of
from domain.errors import BadRequest
from domain.market.instrument import Instrument
from domain.market.zones import HOUR

SPARSE, FEW = 12 * HOUR, 0.05
EVERYTHING = Known(trades=True, floating=True, lows=True, releases=True)


@dataclass(frozen=True)
class Instant:
    """An account at a moment. ``opened`` and ``closed``: trades since the instant before, in the columns of ``tidemark backtest``;
    ``flow``: money paid in (positive) or out since then."""

    ts: int
    balance: float
    equity: float
    equity_low: float | None = None
    equity_high: float | None = None
    opened: pd.DataFrame | None = None
    closed: pd.DataFrame | None = None
    flow: float = 0.0


@dataclass
class Standing:
    """A rule, what it remembers, and its last answer."""

    rule: Rule
    column: str
    needs: tuple[str, ...]
    memory: object
    reading: Reading = field(default_factory=Reading)
    breaches: list[Breach] = field(default_factory=list)
    line: float = np.nan
    met: bool = False

    @property
    def headroom(self) -> float:
        """Money to the line, or units to the limit; NaN where there is none. Of what is to be reached: what is missing, at least 0."""
        apart = self.reading.value - self.line
        return apart if self.rule.line == FLOOR else max(-apart, 0.0) if self.rule.reach else -apart


class Judge:
    """``initial``: the balance before the first instant, by default the account of the rule set; ``currency`` likewise. ``known``: what the path will have.

    >>> from domain.compliance import load
    >>> rules = load('''
    ... [day]
    ... reset = "00:00"
    ... tz = "Europe/Prague"
    ... [daily]
    ... basis = "balance"
    ... amount = "5 % of initial"
    ... watch = "equity"
    ... effect = "FAIL"
    ... comparator = "<"
    ... ''')
    >>> judge = Judge(rules, 200_000.0)
    >>> minute = 60_000_000_000
    >>> midnight = 1_772_492_400_000_000_000                         # 2026-03-02 23:00 UTC
    >>> [len(judge.step(Instant(midnight + at * minute, 204_000.0, 191_000.0))) for at in (-1, 0)]
    [0, 1]
    >>> judge.state, judge.standings[0].line
    ('failed', 194000.0)
    """

    def __init__(
        self, rule_set: RuleSet, initial: float = 0.0, known: Known = EVERYTHING, instruments: Mapping[str, Instrument] | None = None,
        releases: pd.DataFrame | None = None, currency: str = "",
    ) -> None:  # fmt: skip
        self.rule_set, self.initial = rule_set, initial or rule_set.account
        if not self.initial > 0:
            raise BadRequest(f"{rule_set.title} is for an account of any size; give the initial balance")
        target = next((rule.money(self.initial) for rule in rule_set.rules if isinstance(rule, Target)), None)
        terms = Terms(self.initial, rule_set.day, currency or rule_set.currency, target, instruments or {}, releases)
        known = known._replace(releases=releases is not None)
        pairs = zip(rule_set.rules, rule_set.columns, strict=True)
        self.standings = [Standing(rule, column, rule.needs(known), rule.start(terms)) for rule, column in pairs]
        self.carry, self.flows = Carry(self.initial), 0.0
        self.passed_at: int | None = None
        self.failed_at: int | None = None
        self.reached_at: int | None = None  # every goal that could be judged
        self._failed: int | None = None  # the first breach that fails, whether the phase was over or not

    @property
    def clock(self) -> DayClock:
        return self.rule_set.day

    @property
    def state(self) -> str:
        """passed, failed or open, after the last instant."""
        return "failed" if self.failed_at is not None else "passed" if self.passed_at is not None else "open"

    def step(self, instant: Instant) -> list[Breach]:
        """The breaches of one more instant."""
        if instant.ts <= self.carry.ts:
            raise BadRequest("the instant is not later than the one before; feed them in order")
        self.flows += instant.flow
        low, high = (
            None if value is None else np.array([value - self.flows])
            for value in (instant.equity_low, instant.equity_high)
        )
        balance, equity = (np.array([value - self.flows]) for value in (instant.balance, instant.equity))
        given = [table for table in (instant.opened, instant.closed) if table is not None and len(table)]
        return self.feed(
            np.array([instant.ts], np.int64),
            balance,
            equity,
            low,
            high,
            trades_of(pd.concat(given)) if given else none(),
        )

    def feed(
        self,
        ts: np.ndarray,
        balance: np.ndarray,
        equity: np.ndarray,
        low: np.ndarray | None,
        high: np.ndarray | None,
        trades: Trades,
    ) -> list[Breach]:
        """As ``step``, of many instants at once, net of cash flows. ``trades``: opened or closed in them."""
        stretch = stretch_of(self.carry, self.clock, ts, balance, equity, low, high, trades)
        new: list[Breach] = []
        for standing in self.standings:
            self._read(standing, stretch)
            new += [] if standing.needs and not standing.reading.breaches else standing.reading.breaches
        self._decide(stretch)
        return sorted(new, key=lambda breach: breach.ts)

    def _read(self, standing: Standing, stretch: Stretch) -> None:
        """A rule that lacks what it needs may still see a breach; what it does not see proves nothing."""
        reading = standing.rule.read(standing.memory, stretch)
        standing.reading = reading
        standing.breaches += reading.breaches
        standing.line = float(reading.line[-1]) if reading.line is not None else reading.limit
        standing.needs += tuple(need for need in reading.lacks if need not in standing.needs)
        standing.met = bool(reading.met[-1]) if reading.met is not None else False

    def _decide(self, stretch: Stretch) -> None:
        """When it failed, and when all goals were first reached together."""
        failures = [
            breach.ts
            for standing in self.standings
            for breach in standing.reading.breaches
            if fails(standing.rule, breach)
        ]
        self._failed = failed = min([*failures, *([] if self._failed is None else [self._failed])], default=None)
        if self.reached_at is None:
            goals = [standing for standing in self.standings if standing.rule.goal]
            judged = [
                standing.reading.met for standing in goals if not standing.needs and standing.reading.met is not None
            ]
            if any(standing.rule.kind == "target" for standing in goals) and judged:
                rows = np.flatnonzero(np.logical_and.reduce(judged))
                self.reached_at = int(stretch.ts[rows[0]]) if len(rows) else None
        if self.reached_at is not None and (failed is None or self.reached_at < failed):
            if not any(standing.needs for standing in self.standings):
                self.passed_at = self.reached_at
            return  # the phase is over: what comes after it is another account's
        self.failed_at = failed


def fails(rule: Rule, breach: Breach) -> bool:
    """Does a breach end the account? What a regulator would have refused cannot be kept either."""
    return breach.effect == FAIL or rule.regulatory


def known_of(path: Path, releases: bool = False) -> Known:
    """What a path has. Rows that are half a day apart or more, but for a few, and without extremes, do not show what happened inside the days."""
    lows = path.equity_low is not None or len(path) < 2 or float((np.diff(path.ts) < SPARSE).mean()) > FEW
    return Known(path.trades is not None, path.floating, lows, releases)


__all__ = ["CEILING", "EVERYTHING", "Instant", "Judge", "Standing", "known_of"]
