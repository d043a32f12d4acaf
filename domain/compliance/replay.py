"""A path replayed under a rule set: its verdict, rule by rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from domain.compliance.days import days_table
from domain.compliance.judge import Judge, Standing, fails, known_of
from domain.compliance.path import Path, stamp
from domain.compliance.rule import BLOCK, CLOSE_OUT, DAY_LOCK, FAIL, LEVEL, PROFIT_FACTOR, Breach, Rule
from domain.compliance.rule_set import RuleSet
from domain.market.instrument import Instrument

PASSED, FAILED, OPEN, NOT_JUDGED, LOCKED, REFUSED = "passed", "failed", "open", "not judged", "locked", "refused"
BREACHES = ("ts", "rule", "kind", "clause", "value", "floor", "effect", "trades", "detail")


@dataclass(frozen=True)
class RuleVerdict:
    """What one rule says of a path. ``floor``, ``value`` and ``headroom`` stand at the last instant, in money; None where there is none.

    ``state``: passed (held, or its goal is reached), failed, locked (a day), refused (orders), open (a goal not reached), not judged.
    """

    column: str
    kind: str
    clause: str
    state: str
    floor: float | None
    value: float | None
    headroom: float | None
    share: float | None  # headroom over the allowance
    first_breach: Breach | None
    breaches: int
    sentence: str
    rule: Rule
    failed_at: int | None = None  # of the first breach that ends the account


@dataclass(frozen=True)
class Judgement:
    """``floors``: ``ts`` and a column a rule, the floor in force at each instant. ``days`` and ``breaches``: a row each. Times are UTC."""

    state: str
    sentence: str
    rules: tuple[RuleVerdict, ...]
    days: pd.DataFrame
    floors: pd.DataFrame
    breaches: pd.DataFrame
    passed_at: pd.Timestamp | None
    failed_at: pd.Timestamp | None
    initial: float

    @property
    def failed_by(self) -> RuleVerdict | None:
        """The rule that failed first."""
        failing = [verdict for verdict in self.rules if verdict.failed_at is not None]
        return min(failing, key=lambda verdict: verdict.failed_at, default=None) if self.state == FAILED else None  # type: ignore[arg-type,return-value]


def judge(
    path: Path, rule_set: RuleSet, instruments: Mapping[str, Instrument] | None = None, releases: pd.DataFrame | None = None,
) -> Judgement:  # fmt: skip
    """The verdict on a whole path, whose ``initial`` is the account's.

    Every rule is followed to the end of the path; once the phase is passed, later breaches are another account's and are left out.
    """
    path = net_of_flows(path)
    engine = Judge(rule_set, path.initial, known_of(path, releases is not None), instruments, releases, path.currency)
    engine.feed(path.ts, path.balance, path.equity, path.equity_low, path.equity_high, path.rows)
    until = engine.reached_at if engine.failed_at is None and engine.reached_at is not None else None
    for standing in engine.standings:
        standing.breaches = [breach for breach in standing.breaches if until is None or breach.ts <= until]
    verdicts = tuple(_verdict(standing, until) for standing in engine.standings)
    state = _state(engine, verdicts)
    times = _times(path.ts)
    floors = pd.DataFrame(
        dict(ts=times, **{s.column: np.nan if s.reading.line is None else s.reading.line for s in engine.standings}),
        copy=False,
    )
    return Judgement(
        state, _sentence(engine, verdicts, state), verdicts, days_table(path, rule_set.day, engine.standings), floors, _breaches(engine.standings),
        _time(engine.passed_at), _time(engine.failed_at), path.initial,
    )  # fmt: skip


def net_of_flows(path: Path) -> Path:
    """The path as it would be without deposits and withdrawals: they are neither profit nor loss."""
    if path.flows is None or not len(path.flows):
        return path
    flows = path.flows.sort_values("ts")
    at = pd.to_datetime(flows["ts"], utc=True).dt.as_unit("ns").astype("int64").to_numpy()
    paid = np.concatenate([[0.0], np.cumsum(flows["amount"].to_numpy(float))])[
        np.searchsorted(at, path.ts, side="right")
    ]
    curves: dict[str, Any] = {
        name: None if getattr(path, name) is None else getattr(path, name) - paid
        for name in ("balance", "equity", "equity_low", "equity_high")
    }
    return replace(path, flows=None, **curves)


def _verdict(standing: Standing, reached_at: int | None) -> RuleVerdict:
    rule, reading = standing.rule, standing.reading
    first = min(standing.breaches, key=lambda breach: breach.ts, default=None)
    line, headroom = _number(standing.line), _number(standing.headroom)
    share = headroom / reading.allowance if headroom is not None and reading.allowance > 0 else None
    state = _state_of(standing, first)
    failed_at = min((breach.ts for breach in standing.breaches if fails(rule, breach)), default=None)
    return RuleVerdict(
        standing.column, rule.kind, rule.clause(), state, line, _number(reading.value), headroom, share, first, len(standing.breaches),
        _sentence_of(standing, state, first, reached_at), rule, failed_at,
    )  # fmt: skip


def _state_of(standing: Standing, first: Breach | None) -> str:
    if first is not None:
        if any(fails(standing.rule, breach) for breach in standing.breaches):
            return FAILED
        return LOCKED if any(breach.effect == DAY_LOCK for breach in standing.breaches) else REFUSED
    if standing.needs:
        return NOT_JUDGED
    return PASSED if not standing.rule.goal or standing.met else OPEN


def _sentence_of(standing: Standing, state: str, first: Breach | None, reached_at: int | None) -> str:
    if first is not None:
        verb = {
            FAIL: "Failed",
            DAY_LOCK: "Locked for the day",
            BLOCK: "Would have been refused",
            PROFIT_FACTOR: "Profit not counted",
            CLOSE_OUT: "Would have been closed out",
        }[first.effect]
        against = (
            f": {first.value:,.2f} against {first.floor:,.2f}"
            if np.isfinite(first.value) and np.isfinite(first.floor)
            else ""
        )
        return f"{verb} on {stamp(first.ts)}{against}.{' ' + first.detail if first.detail else ''}"
    if state == NOT_JUDGED:
        return f"not judged: needs {', '.join(standing.needs)}"
    if reached_at is not None and not standing.rule.goal and standing.headroom < 0:
        return f"Held until all goals were reached on {stamp(reached_at)}."
    if reached_at is not None and standing.rule.goal and not standing.met:
        return f"Reached on {stamp(reached_at)}, with all other goals; no longer at the end."
    words = "Held." if not standing.rule.goal else "Reached." if standing.met else "Not reached yet."
    return f"{words}{' ' + standing.reading.detail if standing.reading.detail else ''}"


def _state(engine: Judge, verdicts: tuple[RuleVerdict, ...]) -> str:
    """A set of regulatory rules has nothing to reach: it is passed when none of it was broken."""
    if engine.state == OPEN and all(verdict.rule.regulatory and verdict.state == PASSED for verdict in verdicts):
        return PASSED
    return engine.state


def _sentence(engine: Judge, verdicts: tuple[RuleVerdict, ...], state: str) -> str:
    unjudged = [verdict for verdict in verdicts if verdict.state == NOT_JUDGED]
    rest = "".join(f" {verdict.column} is {verdict.sentence}." for verdict in unjudged)
    if state == FAILED:
        first = next(verdict for verdict in verdicts if verdict.failed_at == engine.failed_at)
        return f"Failed by {first.column} on {stamp(engine.failed_at or 0)}: {first.clause}.{rest}"
    if state == PASSED:
        return f"Passed on {stamp(engine.passed_at)}." if engine.passed_at is not None else "Nothing was refused."
    if engine.reached_at is not None and unjudged:
        return f"Open: all that could be judged was reached on {stamp(engine.reached_at)}, but not all rules could be judged.{rest}"
    missing, broken = ([v.column for v in verdicts if v.state in states] for states in ((OPEN,), (LOCKED, REFUSED)))
    words = f"no rule that ends the account is broken; broken without ending it: {', '.join(broken)}" if broken else "no rule is broken"
    return f"Open: {words}{'; still to reach: ' + ', '.join(missing) if missing else ''}.{rest}"


def _breaches(standings: list[Standing]) -> pd.DataFrame:
    rows = [
        (breach.ts, s.column, s.rule.kind, breach.clause, breach.value, breach.floor, breach.effect, " ".join(map(str, breach.trades)), breach.detail)
        for s in standings for breach in s.breaches
    ]  # fmt: skip
    table = pd.DataFrame(sorted(rows, key=lambda row: row[:2]), columns=list(BREACHES))
    return table.assign(ts=_times(table["ts"].to_numpy(np.int64)))


def _times(ts: np.ndarray) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(ts.view("datetime64[ns]")).tz_localize("UTC")


def _time(ts: int | None) -> pd.Timestamp | None:
    return None if ts is None else pd.Timestamp(ts, unit="ns", tz="UTC")


def _number(value: float) -> float | None:
    return float(value) + 0.0 if np.isfinite(value) else None      # no -0.0


__all__ = ["LEVEL", "Judgement", "RuleVerdict", "judge", "net_of_flows"]
