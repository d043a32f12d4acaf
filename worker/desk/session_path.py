"""The account of a trading session as a path that rule sets are replayed over: the whole of it, or so far while it goes on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from domain.errors import BadRequest, unknown
from domain.trading.account import Account
from worker.desk.paper_view import curve_of, table_of
from worker.store import Unit
from worker.store.sessions import SessionState, TradingSession

if TYPE_CHECKING:
    from domain.compliance import Path

ORDER = ("order_id", "series", "strategy")      # what names an order of a session
LOOKS = 50          # newest rows of a broker's record that are searched for a look at the account


@dataclass(frozen=True)
class SessionPath:
    """``equity`` of the account, at a broker as it was looked at there; ``trades`` closed and still open, these without an exit; ``fills`` behind them.
    ``note``: until when it is, in a sentence; empty of a session that is over and holds nothing."""

    session: TradingSession
    equity: pd.DataFrame
    trades: pd.DataFrame
    fills: pd.DataFrame
    note: str = ""

    @property
    def currency(self) -> str:
        return currency_of(self.session)

    @property
    def initial(self) -> float:
        """The balance with which it began, at a broker that of the first look."""
        if self.session.broker == "paper":
            return float(_account(self.session).get("balance", Account().balance))
        return float(self.equity["balance"].iloc[0])

    def path(self) -> Path:
        from domain.compliance import path_of

        return path_of(self.equity, self.trades, self.initial, self.currency)


@dataclass(frozen=True)
class Reach:
    """``until``: the last instant of a path so far, ISO; empty for the whole of a session that is over. ``standing``: balance and equity at the broker then, which
    stand on its record only once something happens after that look."""

    until: str = ""
    standing: tuple[float, float] | None = None

    @property
    def spec(self) -> dict[str, Any]:
        return {} if not self.until else dict(until=self.until) | ({} if self.standing is None else dict(standing=list(self.standing)))

    @classmethod
    def of(cls, spec: Mapping[str, Any]) -> Reach:
        standing = spec.get("standing")
        return cls(spec.get("until", ""), None if standing is None else (standing[0], standing[1]))


def currency_of(session: TradingSession) -> str:
    return str(_account(session).get("currency", Account().currency))


def _account(session: TradingSession) -> Mapping[str, Any]:
    """What the plan says of the account; what it leaves out is as in a backtest."""
    account: Mapping[str, Any] = session.plan.get("rules", {}).get("account", {})
    return account


def reach_of(unit: Unit, session: TradingSession, state: SessionState | None) -> Reach | None:
    """How far the account of a session is known: so far where it goes on or has left positions open, else all of it; None where it has no row yet."""
    if state is None or not any(state.rows.get(kind) for kind in ("equity", "broker")):
        return None
    if session.ended and not state.view.get("positions"):
        return Reach()
    if session.broker == "paper":
        [last] = unit.session_tape.last(session.name, "equity", 1)
        return Reach(_at(last.row["ts"]).isoformat())
    looks = [(state.broker or {}).get("quiet"), *(each.row for each in unit.session_tape.last(session.name, "broker", LOOKS))]
    look = next((each for each in looks if each and each["standing"]), None)
    return None if look is None else Reach(_at(look["at"]).isoformat(), (float(look["standing"][0]), float(look["standing"][1])))


def session_path(unit: Unit, name: str, reach: Reach) -> SessionPath:
    """``reach``: as ``reach_of`` gave it; nothing after it is in the path, so that it comes out the same later on."""
    session, state = unit.sessions.get(name), unit.sessions.progress(name)
    if session is None or state is None:
        raise unknown("session", name, [each.name for each in unit.sessions.all()])
    if not reach.until and not session.ended:
        raise BadRequest(f"the session {name} goes on; say until when it is judged")
    equity, trades, fills = curve_of(unit, session, state.rows), table_of(unit, name, "trades"), table_of(unit, name, "fills")
    if not reach.until:
        return SessionPath(session, _by_time(equity), trades, fills)
    last = pd.Timestamp(reach.until)
    equity, trades, fills = (table[table[ts] <= last].reset_index(drop=True) for table, ts in ((_by_time(_looked(equity, state, last, reach)), "ts"), (trades, "exit_ts"), (fills, "ts")))
    held = _held(unit, session, fills[~fills["trade_id"].isin(trades["trade_id"])])
    if len(held):
        trades = pd.concat([trades, held.reindex(columns=trades.columns)], ignore_index=True) if len(trades) else held.reindex(columns=trades.columns)
    return SessionPath(session, equity, trades, fills, f"So far, until {last:%Y-%m-%d %H:%M} UTC: {_why(session)}.")


def _by_time(equity: pd.DataFrame) -> pd.DataFrame:
    return equity.sort_values("ts", kind="stable").drop_duplicates("ts", keep="last").reset_index(drop=True)


def _looked(equity: pd.DataFrame, state: SessionState, last: pd.Timestamp, reach: Reach) -> pd.DataFrame:
    """With the last look at a broker's account; without the session's own book where no other look is on record."""
    if reach.standing is None:
        return equity
    balance, worth = reach.standing
    row = pd.DataFrame([dict(ts=last, balance=balance, equity=worth, equity_low=worth)]).reindex(columns=equity.columns)
    return pd.concat([equity, row.astype({"ts": equity["ts"].dtype})], ignore_index=True) if state.rows.get("broker") else row


def _why(session: TradingSession) -> str:
    return "positions were left open when the session ended" if session.ended else "the session goes on, and its last day may not be over"


def _held(unit: Unit, session: TradingSession, fills: pd.DataFrame) -> pd.DataFrame:
    """Positions that were open then, as trades without an exit, from the fills that opened them; the stop is that of the signal."""
    if not len(fills):
        return pd.DataFrame()
    stops: dict[tuple[Any, ...], float] = {}
    for each in unit.session_tape.rows(session.name, "decisions"):
        stops.setdefault(tuple(each.row[key] for key in ORDER), float(each.row["stop_loss"]))
    orders: dict[int, tuple[Any, ...]] = {}
    for each in unit.session_tape.rows(session.name, "fills"):
        orders.setdefault(int(each.row["trade_id"]), tuple(each.row.get(key) for key in ORDER))
    return pd.DataFrame([_position(int(str(number)), own, stops.get(orders[int(str(number))], float("nan"))) for number, own in fills.groupby("trade_id", sort=True)])


def _position(number: int, fills: pd.DataFrame, stop: float) -> dict[str, Any]:
    first = fills.iloc[0]
    opening = fills[fills["side"] == first["side"]]
    lots = float(opening["lots"].sum())
    price = float((opening["lots"] * opening["price"]).sum()) / lots
    side = "long" if first["side"] == "buy" else "short"
    return dict(trade_id=number, tag="", instrument=str(first["instrument"]), side=side, lots=lots, entry_ts=first["ts"], entry_price=price, exit_ts=pd.NaT, stop_loss=round(stop, 9))


def _at(ts: int) -> pd.Timestamp:
    return pd.Timestamp(ts, unit="ns", tz="UTC")
