"""A session of the store as page and terminal show it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pandas as pd

from domain.errors import unknown
from domain.trading.outcomes import COUNTS
from domain.trading.task import EQUITY, FILLS, TRADES
from worker.desk.paper_rows import SessionRow, SessionView
from worker.store import Unit
from worker.store.former_names import STORED
from worker.store.session_tape import TapeBar
from worker.store.sessions import SessionState, TradingSession, lease_of

POINTS, NEWEST, ROWS = 40, 200, 5_000       # of a sparkline, of tables, of the equity curve
DAY = 86_400_000_000_000
STANDING = ("orders", "proposals", "positions")
KINDS = ("trades", "fills", "equity", "decisions", "tape", "commands")
COLUMNS: Mapping[str, Sequence[str]] = dict(
    trades=TRADES, fills=FILLS, equity=EQUITY,
    decisions=("order_id", "ts", "bar_ts", "series", "strategy", "side", "order", "price", "stop_loss", "tag", "verdict", "reason", "lots_requested", "lots_given", "value", "allowed", "buffer"),
    tape=("series", "ts", "end", "open", "high", "low", "close", "volume", "spread", "recovered"), commands=("ts", "who", "command", "arguments", "reason"),
)  # fmt: skip
REACHED = {     # limit -> why nothing is entered once it is reached
    "max_drawdown": "The drawdown limit is reached: no new entries in this session.", "daily_loss": "The daily loss limit is reached: no entries until its next day begins.",
}  # fmt: skip
TIMES = ("ts", "end", "bar_ts", "entry_ts", "exit_ts")


def row_of(unit: Unit, session: TradingSession, state: SessionState | None) -> SessionRow:
    """The session as a row of the list, as of its last commit."""
    view = state.view if state else {}
    account, limits = (session.plan.get("rules", {}).get(name, {}) for name in ("account", "limits"))
    balance = float(account.get("balance", 0.0))
    equity = float(view.get("equity") or balance)
    begin = _day_begin(unit, session.name, state.ts if state else 0, balance)
    used = _daily_loss_used(float(limits.get("daily_loss", 0.0)), float((_losses(view) or (0, begin))[1] or begin), _watched(view, equity))
    strategies = ", ".join(dict.fromkeys((each.get("params") or {}).get("name") or each["name"] for each in session.plan.get("strategies", ())))
    return SessionRow(
        session.name, _state(session, view), f"{strategies} · {', '.join(session.plan.get('series', ()))}", str(session.source.get("feed", "")), session.broker, session.mode,
        str(account.get("currency", "")), balance, equity, equity - begin, len(view.get("positions") or ()), used, None, state.bars if state else 0,
        tuple(reversed([float(each.row["equity"]) for each in unit.session_tape.last(session.name, "equity", POINTS)])), session.note or _reason(session, view), view.get("balance") or balance, len(view.get("proposals") or ()), alarms_of(session, view),
    )  # fmt: skip


def _losses(view: Mapping[str, Any]) -> Sequence[Any]:
    """What the loss limits stand at: of the broker's equity, where there is one."""
    return (view.get("broker_watch") or {}).get("losses") or view.get("losses") or ()


def _present(view: Mapping[str, Any], rows: Mapping[str, int], broker: str) -> tuple[float, float] | None:
    """With which equity the present day of the limits began, and its peak, where the curve that is shown is not whole."""
    losses = _losses(view)
    if rows.get(_kind(rows, broker), 0) <= ROWS or len(losses) < 3 or losses[1] is None or losses[2] is None:
        return None
    return float(losses[1]), float(losses[2])


def _kind(rows: Mapping[str, int], broker: str) -> str:
    """The rows of a session's equity curve: its own, or of the account at a broker."""
    return "equity" if broker == "paper" or not rows.get("broker") else "broker"


def _watched(view: Mapping[str, Any], equity: float) -> float:
    """The equity that limits look at."""
    return float((_broker(view).get("account") or {}).get("equity") or equity)


def _state(session: TradingSession, view: Mapping[str, Any]) -> str:
    """That of the session's life, and while it runs that of its account."""
    if session.state != "running":
        return session.state
    state = str(view.get("state") or "waiting")
    if state != "halted" and _differences(view):
        return "differs"
    return "away" if state == "running" and _broker(view).get("state") == "away" else state


def _differences(view: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """What a person must settle at the broker."""
    return _broker(view).get("differences") or ()


def _broker(view: Mapping[str, Any]) -> Mapping[str, Any]:
    """The account at a broker as it was last looked at. States of earlier releases have ``found`` for ``actual``."""
    seen = view.get("broker") or {}
    rows = [{"actual": each.get("found"), **each} for each in seen.get("differences") or ()]
    return {**seen, "differences": rows} if rows else seen


def _reason(session: TradingSession, view: Mapping[str, Any]) -> str:
    """Why a session that runs makes no entries, where that is no person's doing."""
    if session.state == "running" and view.get("state") == "halted":
        floors = (view.get("losses") or [0, 0, 0, 0, {}])[4]
        return next((sentence for limit, sentence in REACHED.items() if floors.get(limit, 0.0) >= 1.0 or limit in (view.get("broker_watch") or {}).get("halted", {})), "")
    return str(_broker(view).get("trouble") or "") if _state(session, view) == "away" else ""


def alarms_of(session: TradingSession, view: Mapping[str, Any]) -> tuple[str, ...]:
    """Alarms of its account at a broker; none of a session that is over."""
    return () if session.ended else tuple((view.get("broker_watch") or {}).get("raised", {}).values())


def silent_of(session: TradingSession, feed: Mapping[str, Any]) -> tuple[str, ...]:
    """Alarms of its feed: positions without a price."""
    return () if session.ended else tuple(f"{name} has had no price for more than 30 s, although its market is open" for name in feed.get("silent") or ())


def left_alone(unit: Unit, session: TradingSession) -> tuple[str, ...]:
    """An alarm where the terminal that worked on a session has ended: no other process takes it."""
    if session.ended or not session.source.get("foreground") or unit.leases.held(lease_of(session.name)):
        return ()
    return (f"no process works on it: the terminal that did has ended. Go on with: tidemark paper resume {session.name}",)


def _daily_loss_used(limit: float, begin: float, equity: float) -> float | None:
    """Share of the daily loss limit, from the equity with which its day began."""
    return max(begin - equity, 0.0) / (limit * begin) if limit and begin > 0 else None


def _day_begin(unit: Unit, name: str, ts: int, balance: float) -> float:
    """Equity when the day of the last instant began, in UTC."""
    before = unit.session_tape.before(name, "equity", ts - ts % DAY + 1)
    return float(before.row["equity"]) if before else balance


def view_of(unit: Unit, session: TradingSession, row: SessionRow, whole: bool = True, decisions: int = NEWEST) -> SessionView:
    """``whole``: with its curve, bars, fills, trades and commands, which a program that only asks how it stands does not need; ``decisions``: how many of the newest."""
    state = unit.sessions.progress(session.name)
    view: Mapping[str, Any] = state.view if state else {}
    feed: Mapping[str, Any] = state.feed if state else {}
    opened = view.get("opened") or {}
    waiting = [each for each in unit.session_commands.all(session.name) if each.worked is None]
    figures = dict(balance=row.balance, equity=row.equity, today=row.today, open=float(row.open), bars=float(row.bars), dropped=float(sum((view.get("dropped") or {}).values())), commands_waiting=float(len(waiting)))
    wanted = dict(decisions=decisions, fills=NEWEST if whole else 0, trades=NEWEST if whole else 0)
    newest = {kind: _frame(kind, (each.row for each in unit.session_tape.last(session.name, kind, most))) if most else _empty(kind) for kind, most in wanted.items()}
    now = {kind: pd.DataFrame.from_records(list(view.get(kind) or ())) for kind in ("positions", "orders", "proposals")}
    return SessionView(
        row, session.plan, _time(max(feed.get("clock") or 0, state.ts if state else 0)), _time(min((each["end"] for each in opened.values()), default=0)), int(feed.get("backlog") or 0), figures,
        equity=curve_of(unit, session, state.rows if state else {}, ROWS) if whole else _empty("equity"), bars=_tape(unit.session_tape.bars(session.name, max(row.bars - NEWEST, 0))) if whole else _empty("tape"),
        log=_log(unit, session, feed), commands=_commands(unit, session.name) if whole else _empty("commands"), counts={**dict.fromkeys(COUNTS if view else (), 0), **(view.get("counts") or {})}, trades_total=state.rows.get("trades", 0) if state else 0, strategies=tuple(view.get("strategies") or ()), broker=_broker(view),
        floors=tuple(view.get("floors") or ()), rule_set=str((session.source.get("rule_set") or {}).get("name", "")), present=_present(view, state.rows if state else {}, session.broker), edited=_edited(unit, session), **newest, **now,
    )  # fmt: skip


def _edited(unit: Unit, session: TradingSession) -> tuple[str, ...]:
    """Traded instruments with a version that is newer than the session."""
    names = dict.fromkeys(str(text).rpartition(" ")[0] for text in session.plan["series"])
    return tuple(name for name in names if any(each.created_at > session.created_at for each in unit.instrument_versions.versions(name)[:1]))


def standing_of(unit: Unit, name: str) -> dict[str, list[dict[str, Any]]]:
    """Orders, proposals and positions of a session, every row with the same columns."""
    state = unit.sessions.progress(name)
    return {kind: level(list(state.view.get(kind) or ()) if state else []) for kind in STANDING}


def level(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows with the columns of all of them.

    >>> level([dict(lots=1.0), dict(lots=2.0, tag="a")])
    [{'lots': 1.0, 'tag': None}, {'lots': 2.0, 'tag': 'a'}]
    """
    columns = dict.fromkeys(column for row in rows for column in row)
    return [{column: row.get(column) for column in columns} for row in rows]


def curve_of(unit: Unit, session: TradingSession, rows: Mapping[str, int], most: int = 0) -> pd.DataFrame:
    """The equity curve, or its newest rows; of a session at a broker the account there, as it was looked at."""
    kind = _kind(rows, session.broker)
    newest = (each.row for each in unit.session_tape.rows(session.name, kind, max(rows.get(kind, 0) - most, 0) if most else 0))
    if kind == "broker":
        newest = (dict(ts=each["at"], balance=each["standing"][0], equity=each["standing"][1], equity_low=each["standing"][1]) for each in newest if each["standing"])
    return _frame("equity", newest)


def table_of(unit: Unit, name: str, kind: str) -> pd.DataFrame:
    """All rows of one kind, in the order in which they were written."""
    if kind not in KINDS:
        raise unknown("table of a session", kind, KINDS)
    if kind == "tape":
        return _tape(unit.session_tape.bars(name))
    if kind == "commands":
        return _commands(unit, name)
    table = _frame(kind, (each.row for each in unit.session_tape.rows(name, kind)))
    return table.sort_values("trade_id", kind="stable").reset_index(drop=True) if kind == "trades" else table


def _tape(bars: Iterable[TapeBar]) -> pd.DataFrame:
    return _timed(pd.DataFrame.from_records([tuple(getattr(bar, column) for column in COLUMNS["tape"]) for bar in bars], columns=list(COLUMNS["tape"])))


def _commands(unit: Unit, name: str) -> pd.DataFrame:
    """Those that were worked, as they stand on the tape."""
    rows = [(each.worked, each.who, each.command, dict(each.arguments), each.reason) for each in unit.session_commands.taped(name)]
    return _timed(pd.DataFrame.from_records(rows, columns=list(COLUMNS["commands"])))


def _frame(kind: str, rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    columns = list(COLUMNS[kind])
    return _timed(pd.DataFrame.from_records([tuple(row.get(column, row.get(STORED.get(column, column))) for column in columns) for row in rows], columns=columns))


@cache
def _empty(kind: str) -> pd.DataFrame:
    return _frame(kind, ())


def _timed(frame: pd.DataFrame) -> pd.DataFrame:
    """Nanoseconds as times."""
    return frame.assign(**{name: pd.to_datetime(frame[name].astype("int64"), utc=True) for name in TIMES if name in frame})


def _log(unit: Unit, session: TradingSession, feed: Mapping[str, Any]) -> pd.DataFrame:
    """``ts kind text``, newest first: what was requested, and what became of it; what the feed says."""
    commands = [(each.at, each.command, f"{each.who}: {each.command}{f', {each.reason}' if each.reason else ''}{f': refused, {each.answer}' if each.answer else ''}") for each in unit.session_commands.all(session.name)]
    ended = [(session.ended_at, session.state, session.note or session.state)] if session.ended_at else []
    remarks = [(unit.now(), "feed", str(text)) for text in (*((feed.get("away"),) if feed.get("away") else ()), *(feed.get("remarks") or ()))]
    lines = [(session.created_at, "created", f"created by {session.actor}"), *commands, *ended, *remarks]
    return pd.DataFrame(sorted(lines, key=lambda line: line[0], reverse=True)[:NEWEST], columns=["ts", "kind", "text"])


def _time(ns: int) -> datetime | None:
    return datetime.fromtimestamp(ns / 1e9, UTC) if ns else None
