"""A statement as a history that rules can be replayed over: instants in UTC, balance after each, cash flows, trades, and
what the check of its sums found.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from domain.compliance.histories.base import CHARGE, CREDIT, FLOW, HISTORY_READERS, TRADE, Change, Statement
from domain.compliance.histories.checks import Finding, findings_of
from domain.compliance.histories.columns import instrument_of
from domain.compliance.path import Path
from domain.errors import BadRequest
from domain.market.clock import clock as clock_named
from domain.market.clock import to_utc
from domain.trading.task import TRADES

CENT = 0.005
ROUNDED = 8                     # decimals of sums of money
EXIT_WORDS = (("[sl]", "stop_loss"), ("[s/l]", "stop_loss"), ("sl ", "stop_loss"), ("[tp]", "target_1"), ("[t/p]", "target_1"), ("tp ", "target_1"), ("so:", "stop_out"), ("so ", "stop_out"))


@dataclass(frozen=True)
class History:
    """``points``: ts (UTC), balance, equity (NaN where it is not known), and where the file has them equity_low and
    equity_high; ``open``: trades that are open after the instant, -1 where that is not known.

    ``trades``: the columns of a backtest's trades, then ticket, symbol, last_stop and comment; what a statement does
    not keep is NaN: the first stop, R, MAE and MFE. ``flows``: ts, amount, comment: deposits and withdrawals after the
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
        """What rules are replayed over. Where the equity between closes is not known, it is the balance, marked as such:
        rules that watch the equity then are not judged, or fail where the balance alone broke them.
        """
        return path_of(self.points, self.trades if "trades" in self.knows else None, self.flows, self.initial, self.currency)


def path_of(points: pd.DataFrame, trades: pd.DataFrame | None, flows: pd.DataFrame, initial: float, currency: str) -> Path:
    """The path of a history's tables; see ``History.path``."""
    floating = not bool(points["equity"].isna().any())
    curves = {name: points[name].to_numpy(float) for name in ("equity_low", "equity_high") if name in points}
    balance = points["balance"].to_numpy(float)
    return Path(
        points["ts"].dt.as_unit("ns").astype("int64").to_numpy(), balance, points["equity"].to_numpy(float) if floating else balance, **curves,
        trades=trades, flows=flows if len(flows) else None, initial=initial, currency=currency, floating=floating,
    )  # fmt: skip


def history_of(
    statement: Statement, format: str, name: str, *, clock: str = "", currency: str = "", initial: float | None = None, known: Mapping[str, object] | None = None,
) -> History:  # fmt: skip
    """The history of a statement. ``clock``: whose times they are, needed where the file does not say; ``currency`` and
    ``initial`` (balance at the start) likewise. ``known``: instruments by name, for symbols with a broker's suffix.

    Raises BadRequest where one of them is missing, and for what no rule could be replayed over.
    """
    clock = _clock(statement, format, name, clock)
    currency = _currency(statement, name, currency)
    if statement.points is None and not statement.trades:
        raise BadRequest(f"{name} holds no closed trade; choose a longer period and export it again")
    _check_order(statement, name)
    convert = _Instants(clock)
    if statement.points is not None:
        points, flows, start = _curve(statement.points, initial), _no_flows(), _start_of_curve(statement.points, initial)
        note = ""
    else:
        start, note, changes = _opening(statement, name, initial)
        points, flows = _points(changes, start, statement, convert), _flows(changes, convert)
    trades = _trades(statement, convert, known or {})
    findings = findings_of(statement, points, flows, note, clock, convert.unclear, trades)
    history = History(points, trades, flows, _legs(statement, convert, known or {}), start, currency, clock, _known(statement, points), tuple(findings), statement.account, statement.company)
    history.path()      # refuses what cannot be judged
    return history


def _check_order(statement: Statement, name: str) -> None:
    backwards = next((trade for trade in statement.trades if trade.closed < trade.opened), None)
    if backwards:
        raise BadRequest(f"{name}, row {backwards.line:,}: trade {backwards.ticket} closes before it opens; export the file again")


class _Instants:
    """Wall times of a clock as instants; counts those that the clock shows twice or never."""

    def __init__(self, clock: str) -> None:
        self.clock, self.unclear = clock_named(clock), 0

    def __call__(self, wall: np.ndarray) -> np.ndarray:
        utc, bad = to_utc(np.asarray(wall, np.int64), self.clock)
        self.unclear = max(self.unclear, int(bad.sum()))
        return utc


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
        f"{name} is a {HISTORY_READERS[format].title}: its times are the broker's server's, and it does not say which clock that is. "
        "Give the clock: mt5_us (midnight is 17:00 New York, most brokers), mt5_eu, a zone such as Europe/Prague, or UTC+2"
    )


def _currency(statement: Statement, name: str, chosen: str) -> str:
    chosen = chosen.strip().upper()
    if chosen and not (len(chosen) == 3 and chosen.isascii() and chosen.isalpha()):
        raise BadRequest(f"the currency is {chosen[:20]!r}; give its three letters, such as USD")
    if chosen and statement.currency and chosen != statement.currency:
        raise BadRequest(f"{name} is an account in {statement.currency}, but the currency given is {chosen}; leave the currency out")
    if not (chosen or statement.currency):
        raise BadRequest(f"{name} does not say the account's currency; give it, such as USD")
    return chosen or statement.currency


def _opening(statement: Statement, name: str, given: float | None) -> tuple[float, str, list[Change]]:
    """The balance at the start, a note on where it is from, and the bookings after the start.

    Deposits before the first trade are the start. A report that begins later has a balance before its first row, or
    says at its end what the balance is.
    """
    changes = sorted(statement.changes, key=lambda change: change.at)
    first = min([trade.opened for trade in statement.trades] + [change.at for change in changes if change.kind in (TRADE, CHARGE)], default=math.inf)
    early = [change for change in changes if change.kind == FLOW and change.at <= first]
    later = [change for change in changes if change.kind != CREDIT and not (change.kind == FLOW and change.at <= first)]
    deposits, before = math.fsum(change.amount for change in early), _before(statement)
    if given is not None:
        return _positive(given, name), "" if not early or abs(given - deposits - before) < CENT else f"The start is {given:,.2f} as given; the deposits before the first trade are {deposits + before:,.2f}.", later
    if before > CENT:
        return _positive(before + deposits, name), f"The report begins within the account's life: its first row begins with a balance of {before:,.2f}.", later
    if early:
        return _positive(deposits, name), "", later
    if math.isnan(statement.stated.balance):
        raise BadRequest(f"{name} has no deposit before its first trade and states no balance, so the balance at its start is not known; give the initial balance")
    derived = statement.stated.balance - math.fsum(change.amount for change in later)
    return _positive(derived, name), f"The statement has no deposit before its first trade: its start, {derived:,.2f}, is its stated balance less all that it lists, so the sum checks nothing.", later


def _before(statement: Statement) -> float:
    """The balance before the first row, where rows state the balance after them."""
    rows = in_time(statement.changes)
    first = next((change for change in rows if change.kind != CREDIT), None)
    return round(first.balance - first.amount, ROUNDED) if first and not math.isnan(first.balance) else 0.0


def in_time(changes: tuple[Change, ...]) -> list[Change]:
    """Rows of a file, oldest first, in its own order where times are equal."""
    rows = list(changes)
    if len(rows) > 1 and rows[0].at > rows[-1].at:
        rows.reverse()
    return rows


def _positive(amount: float, name: str) -> float:
    if not (math.isfinite(amount) and amount > 0):
        raise BadRequest(f"{name}: the balance at its start would be {amount:,.2f}; give an initial balance above zero")
    return round(amount, ROUNDED)


def _points(changes: list[Change], start: float, statement: Statement, convert: _Instants) -> pd.DataFrame:
    """One row an instant at which a trade opened or closed or money moved, after all that was booked at it."""
    at = convert(np.array([change.at for change in changes], np.int64))
    opened = np.sort(convert(np.array([trade.opened for trade in (*statement.trades, *statement.open_trades)], np.int64)))
    closed = np.sort(convert(np.array([trade.closed for trade in statement.trades], np.int64)))
    ts = np.unique(np.concatenate([at, opened, closed]))
    order = np.argsort(at, kind="stable")
    balances = start + np.concatenate([[0.0], np.cumsum(np.array([change.amount for change in changes], float)[order])])
    balance = np.round(balances[np.searchsorted(at[order], ts, side="right")], ROUNDED)
    count = np.searchsorted(opened, ts, side="right") - np.searchsorted(closed, ts, side="right")
    equity = np.where(count == 0, balance, np.nan)
    return pd.DataFrame(dict(ts=pd.to_datetime(ts, utc=True), balance=balance, equity=equity, open=count.astype(np.int64)))


def _curve(points: pd.DataFrame, initial: float | None) -> pd.DataFrame:
    rest = points.drop(columns="local_ns")
    return rest.assign(ts=pd.to_datetime(points["local_ns"], utc=True), open=np.int64(-1))[["ts", *rest, "open"]]


def _start_of_curve(points: pd.DataFrame, initial: float | None) -> float:
    return _positive(float(points["balance"].iloc[0]) if initial is None else initial, "the curve")


def _flows(changes: list[Change], convert: _Instants) -> pd.DataFrame:
    flows = [change for change in changes if change.kind == FLOW]
    at = convert(np.array([change.at for change in flows], np.int64))
    return pd.DataFrame(dict(ts=pd.to_datetime(at, utc=True), amount=[change.amount for change in flows], comment=[change.comment for change in flows]))


def _no_flows() -> pd.DataFrame:
    return pd.DataFrame(dict(ts=pd.to_datetime([], utc=True), amount=np.empty(0), comment=pd.Series([], dtype=object)))


def _trades(statement: Statement, convert: _Instants, known: Mapping[str, object]) -> pd.DataFrame:
    trades = sorted(statement.trades, key=lambda trade: (trade.opened, trade.closed, trade.line))
    unknown = np.full(len(trades), np.nan)
    numbers = {
        "lots": [t.lots for t in trades], "entry_price": [t.open_price for t in trades], "exit_price": [t.close_price for t in trades],
        "pnl_gross": [t.profit for t in trades], "costs": [-(t.commission + t.taxes) for t in trades], "swap": [t.swap for t in trades],
        "pnl": [round(t.net, ROUNDED) for t in trades], "last_stop": [t.stop_loss for t in trades],
    }  # fmt: skip
    columns = {
        "trade_id": np.arange(1, len(trades) + 1), "tag": [""] * len(trades), "instrument": [instrument_of(t.symbol, known) for t in trades],
        "side": [t.side for t in trades], "exit_reason": [_reason(t.comment) for t in trades], "regime": [""] * len(trades),
        "entry_ts": pd.to_datetime(convert(np.array([t.opened for t in trades], np.int64)), utc=True),
        "exit_ts": pd.to_datetime(convert(np.array([t.closed for t in trades], np.int64)), utc=True),
        **{key: np.array(values, float) for key, values in numbers.items()},
        **{key: unknown for key in ("r", "mae_r", "mfe_r", "bars_held")},
        "stop_loss": np.array([t.stop_loss for t in trades], float) if statement.first_stops else unknown,
        "ticket": [t.ticket for t in trades], "symbol": [t.symbol for t in trades], "comment": [t.comment for t in trades],
    }  # fmt: skip
    return pd.DataFrame(columns)[[*TRADES, "ticket", "symbol", "last_stop", "comment"]]


def _legs(statement: Statement, convert: _Instants, known: Mapping[str, object]) -> pd.DataFrame:
    legs = [*(statement.legs or statement.trades), *statement.open_trades]
    closed = np.array([leg.closed for leg in legs], np.int64)
    exits = pd.Series(pd.to_datetime(convert(np.maximum(closed, 0)), utc=True)).where(closed >= 0)
    return pd.DataFrame({
        "instrument": [instrument_of(leg.symbol, known) for leg in legs], "side": [leg.side for leg in legs], "lots": np.array([leg.lots for leg in legs], float),
        "entry_ts": pd.to_datetime(convert(np.array([leg.opened for leg in legs], np.int64)), utc=True), "entry_price": np.array([leg.open_price for leg in legs], float),
        "exit_ts": exits, "exit_price": np.array([leg.close_price for leg in legs], float), "profit": np.array([leg.profit for leg in legs], float),
        "swap": np.array([leg.swap for leg in legs], float), "costs": np.array([leg.commission + leg.taxes for leg in legs], float),
    })  # fmt: skip


def _reason(comment: str) -> str:
    """Why a trade closed, where its comment says so.

    >>> _reason("#2017 Buy[tp]"), _reason("so: 49.8%"), _reason("my order")
    ('target_1', 'stop_out', '')
    """
    text = comment.lower()
    return next((reason for mark, reason in EXIT_WORDS if (mark in text if mark.startswith("[") else text.startswith(mark))), "")


def _known(statement: Statement, points: pd.DataFrame) -> tuple[str, ...]:
    """What rules may use of this history."""
    curve = [name for name in ("equity", "equity_low", "equity_high") if statement.points is not None and name in points]
    return ("balance", *curve, *(("trades",) if statement.trades else ()), *(("stops",) if statement.first_stops else ()))
