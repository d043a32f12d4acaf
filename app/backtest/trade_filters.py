"""The filters, the order and the columns of the table of trades; what they choose is read by the desk, over all trades."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import streamlit as st

from worker.desk import Desk, TradeFilter
from worker.desk.outcomes import label

ORDERS = {
    "trade_id": "Number", "entry_ts": "Entry", "exit_ts": "Exit", "pnl": "Net", "r": "R", "pips": "Pips", "mae_r": "MAE", "mfe_r": "MFE", "hours": "Duration", "spread": "Spread", "slippage": "Slippage",
    "commission": "Commission", "swap": "Swap", "lots": "Lots",
}  # fmt: skip
NAMES = ("sides", "reasons", "instruments", "tags", "labels", "from", "to", "net_from", "net_to", "r_from", "r_to", "text")


def key(run: Any, name: str) -> str:
    return f"trades-{run.id}-{name}"


def chosen(run: Any) -> TradeFilter:
    """What the fields of the run's filters hold."""
    value: Mapping[str, Any] = {name: st.session_state.get(key(run, name)) for name in NAMES}
    until = _midnight(value["to"])
    words: dict[str, Any] = {name: tuple(value[name] or ()) for name in ("sides", "instruments", "reasons", "tags", "labels")}
    numbers = {name: value[name] for name in ("net_from", "net_to", "r_from", "r_to")}
    return TradeFilter(**words, **numbers, entered_from=_midnight(value["from"]), entered_until=until and until + timedelta(days=1), text=value["text"] or "")


def number_of(run: Any) -> int:
    """How many fields are filled in."""
    return sum(st.session_state.get(key(run, name)) not in (None, "", []) for name in NAMES)


def fields(desk: Desk, run: Any) -> None:
    """Draw the filters."""
    choices, currency = desk.trade_list.choices(run.id), run.summary["currency"]
    st.text_input("Text", key=key(run, "text"), placeholder="In tag, exit reason, label or note", icon=":material/search:")
    st.pills("Side", choices["side"], selection_mode="multi", key=key(run, "sides"), format_func=str.capitalize)
    st.multiselect("Exit reason", choices["exit_reason"], key=key(run, "reasons"), format_func=label, placeholder="Any")
    for name, title, values in (("instruments", "Instrument", choices["instrument"]), ("tags", "Tag", choices["tag"]), ("labels", "Label", choices["labels"])):
        if len(values) > (name == "instruments") or st.session_state.get(key(run, name)):
            st.multiselect(title, values, key=key(run, name), placeholder="Any")
    _pair(run, "Entry from", "Entry to", "from", "to", st.date_input, value=None, format="YYYY-MM-DD", min_value=date(1970, 1, 1), max_value=date(2100, 1, 1))
    _pair(run, f"Net from, {currency}", f"Net to, {currency}", "net_from", "net_to", st.number_input, value=None, placeholder="Any")
    _pair(run, "R from", "R to", "r_from", "r_to", st.number_input, value=None, placeholder="Any", step=0.5)
    st.button("Clear", icon=":material/filter_alt_off:", type="tertiary", on_click=clear, args=(run,))


def clear(run: Any) -> None:
    for name in NAMES:
        st.session_state.pop(key(run, name), None)


def order(run: Any) -> tuple[str, bool]:
    """Draw and read the order: a column, and whether it descends."""
    by = st.selectbox("Order by", list(ORDERS), format_func=ORDERS.__getitem__, key=key(run, "by"), label_visibility="collapsed", width=140)
    down = st.toggle("Descending", key=key(run, "down"))
    return by, down


def _pair(run: Any, first: str, second: str, low: str, high: str, field: Any, **options: Any) -> None:
    left, right = st.columns(2, gap="small")
    with left:
        field(first, key=key(run, low), **options)
    with right:
        field(second, key=key(run, high), **options)


def _midnight(day: date | None) -> datetime | None:
    return datetime.combine(day, time(), UTC) if day else None
