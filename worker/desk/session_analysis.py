"""Beside trading sessions: two compared, capital allocated over several, and each compared with the backtest of its tape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from domain.analytics.daily import account_calendar, daily_returns
from domain.errors import BadRequest, unknown
from domain.live.allocation import RISK_AVERSION, Allocation, allocation
from domain.live.comparison import SEED, Account, Comparison, compared
from domain.market.sessions import Calendar
from worker.desk.context import DeskContext, Submitted
from worker.store import Unit
from worker.store.session_asking import entity
from worker.store.sessions import TradingSession

TRADERS = ("trader", "admin")


class SessionAnalysis:
    def __init__(self, context: DeskContext) -> None:
        self._context = context

    def compare(self, first: str, second: str, seed: int = SEED) -> Comparison:
        """The mean daily difference of two sessions on one feed, with its 95 % interval from 20 days on."""
        with self._context.store.read() as unit:
            a, b = (_session(unit, name) for name in (first, second))
            if first == second:
                raise BadRequest(f"{first} is compared with itself; name two sessions")
            if why := _feeds_differ(a, b):
                raise BadRequest(f"{first} and {second} cannot be compared: {why}")
            accounts = _account(unit, a), _account(unit, b)
        return compared(*accounts, market=_market([a, b]), seed=seed)

    def allocate(self, names: Sequence[str], method: str, objective: str = "minimum_variance", risk_aversion: float = RISK_AVERSION) -> Allocation:
        """Shares of capital over sessions, from the daily returns that they share, 60 at least."""
        if twice := next((name for place, name in enumerate(names) if name in names[:place]), ""):
            raise BadRequest(f"{twice} is named twice; name each session once")
        with self._context.store.read() as unit:
            sessions = [_session(unit, name) for name in names]
            market = _market(sessions)
            accounts = [_account(unit, session) for session in sessions]
        returns = {account.name: daily_returns(account.equity, account.balance, market) for account in accounts}
        return allocation(returns, method, objective, risk_aversion)

    def take(self, proposed: Allocation, reason: str) -> None:
        """A person takes an allocation: it is in the audit trail of each session. It moves no money."""
        if self._context.actor.role not in TRADERS:
            raise BadRequest(f"an allocation cannot be taken: it needs the role {TRADERS[0]}")
        if not reason.strip():
            raise BadRequest("an allocation is taken for a reason; give one")
        with self._context.store.unit() as unit:
            entities = [entity(_session(unit, name).name) for name in proposed.weights]
            unit.audit(self._context.user, "allocation_taken", *entities, reason=reason.strip(), **_texts(proposed))

    def check(self, names: Sequence[str] = (), key: str = "") -> Submitted:
        """Hold sessions against the backtests of their tapes, by a worker; without names all that may have changed. The same ``key`` checks once."""
        with self._context.store.read() as unit:
            for name in names:
                _session(unit, name)
        title = f"Compare {', '.join(names)} with the backtest" if names else "Compare sessions with their backtests"
        return self._context.submit("consistency", title, dict(sessions=list(names)), queue="research", key=key)

    def checked(self, name: str) -> Mapping[str, Any] | None:
        """The last check of a session: ``holds sentence alerts rows until figures notes at``; None before the first."""
        with self._context.store.read() as unit:
            return unit.fact(f"consistency:{_session(unit, name).name}")


def _session(unit: Unit, name: str) -> TradingSession:
    session = unit.sessions.get(name)
    if session is None:
        raise unknown("session", name, [each.name for each in unit.sessions.all()])
    return session


def _feeds_differ(a: TradingSession, b: TradingSession) -> str:
    """Why two sessions do not see the same prices; empty where they do."""
    feeds = [str(each.source.get("feed", "")) for each in (a, b)]
    if feeds[0] != feeds[1]:
        return f"one is on the feed {feeds[0]}, the other on {feeds[1]}"
    return "they replay different bars" if a.source.get("frames") != b.source.get("frames") else ""


def _account(unit: Unit, session: TradingSession) -> Account:
    rows = [each.row for each in unit.session_tape.rows(session.name, "equity")]
    ts = pd.to_datetime(pd.Series([int(row["ts"]) for row in rows], dtype="int64"), utc=True)
    equity = pd.DataFrame(dict(ts=ts, equity=pd.Series([float(row["equity"]) for row in rows], dtype=float)))
    balance = session.plan.get("rules", {}).get("account", {}).get("balance")
    if balance is None:
        from domain.trading.account import Account as Rules

        balance = Rules().balance
    return Account(session.name, float(balance), equity)


def _market(sessions: Sequence[TradingSession]) -> Calendar:
    from domain.market.instrument import instruments

    table = instruments()
    names = {text.rpartition(" ")[0] for session in sessions for text in session.plan.get("series", ())}
    return account_calendar(table[name].calendar for name in sorted(names) if name in table)


def _texts(proposed: Allocation) -> dict[str, Any]:
    """Numbers as texts: the trail has no floats."""
    shares = {name: f"{weight:.6f}" for name, weight in proposed.weights.items()}
    return dict(method=proposed.method, objective=proposed.objective, days=proposed.days, weights=shares, volatility=f"{proposed.volatility:.8f}")
