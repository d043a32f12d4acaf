"""A statement as a history that rules can be replayed over: instants in UTC, balance after each, cash flows, trades,
and
what the check of its sums found.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from domain.compliance.histories.base import FLOW, HISTORY_READERS, Change, Statement
from domain.compliance.histories.checks import Finding, findings_of
from domain.compliance.histories.opening import above_zero, opening_of
from domain.compliance.histories.trade_tables import ROUNDED, Instants, legs_table, trades_table
from domain.compliance.path import Path
from domain.errors import BadRequest
from domain.market.clock import clock as clock_named


@dataclass(frozen=True)
class History:
    """``points``: ts (UTC), balance, equity (NaN where it is not known), and where the file has them equity_low and
    equity_high; ``open``: trades that are open after the instant, -1 where that is not known.

    ``trades``: the columns of a backtest's trades, then ticket, symbol, last_stop and comment; what a statement does
    not keep is NaN: the initial stop, R, MAE and MFE. ``flows``: ts, amount, comment: deposits and withdrawals after the
    start. ``legs``: what was open from when to when, as ``rebuilt`` reads it, trades that are still open included.
    ``initial``: the balance at the start. ``knows``: what rules may use.
    """

    points: pd.DataFrame
    trades: pd.DataFrame
    flows: pd.DataFrame
    legs: pd.DataFrame
    initial: float
    currency: str
    clock: str
    knows: tuple[str, ...]
    findings: tuple[Finding, ...]
    account: str = ""
    company: str = ""

    @property
    def balance(self) -> float:
        """At the end."""
        return float(self.points["balance"].iloc[-1])

    def path(self) -> Path:
        """What rules are replayed over. Where the equity between closes is not known, it is the balance, marked as
        such:
        rules that watch the equity then are not judged, or fail where the balance alone broke them.
        """
        return path_of(
            self.points, self.trades if "trades" in self.knows else None, self.flows, self.initial, self.currency
        )


def path_of(
    points: pd.DataFrame, trades: pd.DataFrame | None, flows: pd.DataFrame, initial: float, currency: str
) -> Path:
    """The path of a history's tables; see ``History.path``."""
    floating = not bool(points["equity"].isna().any())
    curves = {name: points[name].to_numpy(float) for name in ("equity_low", "equity_high") if name in points}
    balance = points["balance"].to_numpy(float)
    return Path(
        points["ts"].dt.as_unit("ns").astype("int64").to_numpy(),
        balance,
        points["equity"].to_numpy(float) if floating else balance,
        **curves,
        trades=trades,
        flows=flows if len(flows) else None,
        initial=initial,
        currency=currency,
        floating=floating,
    )


def history_of(
    statement: Statement,
    format: str,
    name: str,
    *,
    clock: str = "",
    currency: str = "",
    initial: float | None = None,
    known: Mapping[str, object] | None = None,
) -> History:
    """The history of a statement. ``clock``: whose times they are, needed where the file does not say; ``currency`` and
    ``initial`` (balance at the start) likewise. ``known``: instruments by name, for symbols with a broker's suffix.

    Raises BadRequest where one of them is missing, and for what no rule could be replayed over.
    """
    clock = _clock(statement, format, name, clock)
    currency = _currency(statement, name, currency)
    if statement.points is None and not statement.trades:
        raise BadRequest(f"{name} holds no closed trade; choose a longer period and export it again")
    _check_order(statement, name)
    convert = Instants(clock)
    if statement.points is not None:
        points, flows, start = _curve(statement.points), _no_flows(), _start_of_curve(statement.points, initial)
        note = ""
    else:
        start, note, changes = opening_of(statement, name, initial)
        points, flows = _points(changes, start, statement, convert), _flows(changes, convert)
    trades = trades_table(statement, convert, known or {})
    findings = findings_of(statement, points, flows, note, clock, convert.unclear, trades)
    history = History(
        points,
        trades,
        flows,
        legs_table(statement, convert, known or {}),
        start,
        currency,
        clock,
        _known(statement, points),
        tuple(findings),
        statement.account,
        statement.company,
    )
    history.path()  # refuses what cannot be judged
    return history


def _check_order(statement: Statement, name: str) -> None:
    backwards = next((trade for trade in statement.trades if trade.closed < trade.opened), None)
    if backwards:
        raise BadRequest(
            f"{name}, row {backwards.line:,}: trade {backwards.ticket} closes before it opens; export the file again"
        )


def _clock(statement: Statement, format: str, name: str, chosen: str) -> str:
    if statement.clock:
        if chosen and chosen != statement.clock:
            raise BadRequest(f"{name} is in {statement.clock}, but the clock given is {chosen}; leave the clock out")
        return statement.clock
    if not chosen:
        raise no_clock(name, format)
    return clock_named(chosen).key


def no_clock(name: str, format: str) -> BadRequest:
    """What is wrong where nobody says whose times a statement's are: they are never taken for UTC."""
    return BadRequest(
        f"{name} is a {HISTORY_READERS[format].title}: its times are the broker's server's, and it does not say "
        "which clock that is. "
        "Give the clock: mt5_us (midnight is 17:00 New York, most brokers), mt5_eu, a zone such as Europe/Prague, or "
        "UTC+2"
    )


def _currency(statement: Statement, name: str, chosen: str) -> str:
    chosen = chosen.strip().upper()
    if chosen and not (len(chosen) == 3 and chosen.isascii() and chosen.isalpha()):
        raise BadRequest(f"the currency is {chosen[:20]!r}; give its three letters, such as USD")
    if chosen and statement.currency and chosen != statement.currency:
        raise BadRequest(
            f"{name} is an account in {statement.currency}, but the currency given is {chosen}; leave the currency out"
        )
    if not (chosen or statement.currency):
        raise BadRequest(f"{name} does not say the account's currency; give it, such as USD")
    return chosen or statement.currency


def _points(changes: list[Change], start: float, statement: Statement, convert: Instants) -> pd.DataFrame:
    """One row an instant at which a trade opened or closed or money moved, after all that was booked at it."""
    at = convert(np.array([change.at for change in changes], np.int64))
    opened = np.sort(
        convert(np.array([trade.opened for trade in (*statement.trades, *statement.open_trades)], np.int64))
    )
    closed = np.sort(convert(np.array([trade.closed for trade in statement.trades], np.int64)))
    ts = np.unique(np.concatenate([at, opened, closed]))
    order = np.argsort(at, kind="stable")
    balances = start + np.concatenate([[0.0], np.cumsum(np.array([change.amount for change in changes], float)[order])])
    balance = np.round(balances[np.searchsorted(at[order], ts, side="right")], ROUNDED)
    count = np.searchsorted(opened, ts, side="right") - np.searchsorted(closed, ts, side="right")
    equity = np.where(count == 0, balance, np.nan)
    return pd.DataFrame(
        dict(ts=pd.to_datetime(ts, utc=True), balance=balance, equity=equity, open=count.astype(np.int64))
    )


def _curve(points: pd.DataFrame) -> pd.DataFrame:
    rest = points.drop(columns="local_ns")
    return rest.assign(ts=pd.to_datetime(points["local_ns"], utc=True), open=np.int64(-1))[["ts", *rest, "open"]]


def _start_of_curve(points: pd.DataFrame, initial: float | None) -> float:
    return above_zero(float(points["balance"].iloc[0]) if initial is None else initial, "the curve")


def _flows(changes: list[Change], convert: Instants) -> pd.DataFrame:
    flows = [change for change in changes if change.kind == FLOW]
    at = convert(np.array([change.at for change in flows], np.int64))
    return pd.DataFrame(
        dict(
            ts=pd.to_datetime(at, utc=True),
            amount=[change.amount for change in flows],
            comment=[change.comment for change in flows],
        )
    )


def _no_flows() -> pd.DataFrame:
    return pd.DataFrame(dict(ts=pd.to_datetime([], utc=True), amount=np.empty(0), comment=pd.Series([], dtype=object)))


def _known(statement: Statement, points: pd.DataFrame) -> tuple[str, ...]:
    """What rules may use of this history."""
    curve = [
        name for name in ("equity", "equity_low", "equity_high") if statement.points is not None and name in points
    ]
    return (
        "balance",
        *curve,
        *(("trades",) if statement.trades else ()),
        *(("stops",) if statement.first_stops else ()),
    )
