"""Tables of a session: positions, orders, decisions, fills, trades, commands, log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from app.kit.figures import DASH, exact, number
from app.kit.widgets import section, table
from app.paper.measures import against, labelled

WORDS = {
    "bar_ts": "Bar, UTC", "ts": "UTC", "entry_ts": "Entry, UTC", "exit_ts": "Exit, UTC", "pnl": "P&L", "r": "R", "tag": "Tag", "price": "Price", "mark": "Profit", "room": "Distance to stop", "leaves": "Leaves",
    "until": "Until, UTC", "against": "Value of limit", "client_id": "Order", "position_id": "Position", "trade_id": "Trade", "order_id": "Order", "order": "Kind", "lots_requested": "Lots requested", "lots_given": "Lots filled",
}  # fmt: skip
TABLES = {
    "Decisions": ("decisions", ("ts", "series", "strategy", "side", "order", "verdict", "reason", "against", "lots_requested", "lots_given", "stop_loss")),
    "Fills": ("fills", ("ts", "instrument", "side", "lots", "price", "commission", "reason", "trade_id")),
    "Trades": ("trades", ("entry_ts", "exit_ts", "instrument", "side", "lots", "entry_price", "exit_price", "pnl", "r", "exit_reason")),
    "Commands": ("commands", ("ts", "who", "command", "arguments", "reason")),
    "Log": ("log", ("ts", "kind", "text")),
}
POSITIONS = ("instrument", "side", "lots", "mark", "price", "stop_loss", "room", "targets", "entry_ts", "leaves")
ORDERS = ("order_id", "series", "strategy", "side", "order", "lots", "price", "stop_loss", "targets")
SIDES = {1: "long", -1: "short"}
MONEY = ("mark", "pnl", "commission", "swap")
SIGNED = ("mark", "pnl", "swap")
PRICES = ("price", "stop_loss", "entry_price", "exit_price", "targets", "room")
WIDE = {"against": 118, "text": 560, "arguments": 220, "client_id": 130, "until": 118}       # pixels
Digits = Mapping[str, int]          # instrument -> decimals of its prices
NONE: Digits = {}


def digits_of(instruments: Mapping[str, Any]) -> dict[str, int]:
    return {name: len(f"{each.tick:.10f}".rstrip("0").partition(".")[2]) for name, each in instruments.items()}


def positions(view: Any, digits: Digits) -> None:
    section("Open positions", f"prices in price units, profit in {view.row.currency} at the last close")
    if not len(view.positions):
        st.caption("None open.")
        return
    shown = view.positions.assign(room=[_distance_to_stop(view, row) for row in view.positions.to_dict("records")])
    shown = shown.assign(leaves=["at the next open" if leaves else "" for leaves in shown["leaves"]]) if "leaves" in shown else shown
    frame(shown, [name for name in POSITIONS if name != "leaves" or shown.get("leaves", pd.Series(dtype=object)).any()], f"{len(shown)} open positions", digits, key="positions")


def waiting(view: Any, digits: Digits) -> None:
    section("Orders that wait", "market orders fill at the next open of their series")
    orders = view.orders[~view.orders["held"].astype(bool)] if "held" in view.orders else view.orders        # a proposal has its own place
    if not len(orders):
        st.caption("None.")
        return
    frame(orders, ORDERS, f"{len(orders)} waiting orders", digits)


def newest(view: Any, rows: int = 8) -> None:
    section("Decisions", "newest first, those refused too")
    if not len(view.decisions):
        st.caption("None yet.")
        return
    shown = against(view.decisions.head(rows), view.plan)
    shown = shown.assign(reason=[" · ".join(part for part in parts if part) for parts in zip(shown["against"], shown["reason"], strict=True)])
    frame(shown, ("ts", "verdict", "reason", "side", "series"), f"the newest {len(shown)} decisions")


def tabs(view: Any, digits: Digits) -> None:
    for tab, (name, (what, columns)) in zip(st.tabs(list(TABLES), key="paper-view", on_change="rerun"), TABLES.items(), strict=True):
        if not tab.open:
            continue
        with tab:
            rows = against(view.decisions, view.plan) if what == "decisions" else labelled(getattr(view, what)) if what in ("fills", "trades") else getattr(view, what)
            if not len(rows):
                st.caption("Nothing yet.")
                continue
            frame(rows.iloc[::-1] if what == "commands" else rows, columns, f"the newest {len(rows)} of {name.lower()}", NONE if what in ("commands", "log") else digits, height=min(34 + 28 * (len(rows) + 1), 420))


def frame(rows: pd.DataFrame, columns: Sequence[str], alt: str, digits: Digits = NONE, key: str | None = None, height: Any = "auto") -> None:
    """Some columns of rows, as people read them: names without underscores, times in UTC, prices with the instrument's ``digits``, lists with commas."""
    shown = rows[[name for name in columns if name in rows]].copy()
    for name in shown:
        if is_time(name):
            shown[name] = pd.to_datetime(shown[name], utc=True)
        elif name in PRICES and digits:
            shown[name] = [price(value, places) for value, places in zip(rows[name], _places(rows, digits), strict=True)]
        elif name in MONEY:
            shown[name] = [number(value, 2, name in SIGNED) for value in shown[name]]
        elif shown[name].dtype == object:
            shown[name] = shown[name].map(_text)
    if "side" in shown:
        shown["side"] = rows["side"].replace(SIDES)
    table(shown, {name: _column(name, bool(digits)) for name in shown}, alt, key=key, height=height)


def is_time(name: str) -> bool:
    """
    >>> [name for name in ("ts", "entry_ts", "until", "lots", "targets") if is_time(name)]
    ['ts', 'entry_ts', 'until']
    """
    return name in ("ts", "until") or name.endswith("_ts")


def price(value: Any, places: int) -> str:
    """
    >>> price(1.1, 5), price([1.1, 1.25], 3), price(float("nan"), 2)
    ('1.10000', '1.100, 1.250', '\u2014')
    """
    if isinstance(value, (list, tuple)):
        return ", ".join(price(each, places) for each in value) or DASH
    return number(None if value is None else float(value), places)


def _places(rows: pd.DataFrame, digits: Digits) -> list[int]:
    """Decimals of each row's instrument, of its series where it has only that."""
    names = rows["instrument"] if "instrument" in rows else rows["series"].str.partition(" ")[0]
    return [digits.get(str(name), 5) for name in names]


def _text(value: Any) -> Any:
    """
    >>> _text([1.5, 2.0]), _text({"share": 0.5, "side": "long"}), _text("stop_loss"), _text(None)
    ('1.5, 2', 'share 0.5, side long', 'stop loss', '\u2014')
    """
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_text(each)}" for name, each in value.items()) or DASH
    if isinstance(value, (list, tuple)):
        return ", ".join(str(_text(each)) for each in value) or DASH
    if value is None or value != value:
        return DASH
    return exact(value) if isinstance(value, float) else value if isinstance(value, int) else str(value).replace("_", " ")


def _column(name: str, priced: bool) -> Any:
    config = st.column_config
    if is_time(name):
        return config.DatetimeColumn(title(name), timezone="UTC", format="YYYY-MM-DD HH:mm", width=118)
    if name in MONEY or (name in PRICES and priced):
        return config.TextColumn(title(name), alignment="right")
    return config.Column(title(name), width=WIDE.get(name))


def title(name: str) -> str:
    """
    >>> title("stop_loss"), title("ts")
    ('Stop loss', 'UTC')
    """
    return WORDS.get(name) or name.replace("_", " ").capitalize()


def _distance_to_stop(view: Any, position: Mapping[str, Any]) -> float | None:
    """Price units from the last close to the stop."""
    bars = view.bars[view.bars["series"] == position.get("series")] if len(view.bars) else view.bars
    stop, side = position.get("stop_loss"), position.get("side")
    if not len(bars) or stop is None or stop != stop or side not in SIDES:
        return None
    return round((float(bars["close"].iloc[-1]) - float(stop)) * int(side), 6)
