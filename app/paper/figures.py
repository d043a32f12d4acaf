"""The figures of a session, one row: equity, loss limits, floors, agreement with its backtest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from app.kit.figures import DASH, money, number, percent, plural

Figure = tuple[str, str, str, str]


def rows(view: Any, checked: Mapping[str, Any] | None) -> list[Figure]:
    """``checked``: the last check against the backtest of its tape."""
    row, values = view.row, view.figures
    share = row.equity / row.start - 1.0 if row.start else None
    return [
        ("Equity", money(row.equity, row.currency), f"{percent(share, 2, True)} since start", f"Balance, {money(row.balance, row.currency)}, and open positions at their last closes."),
        ("Today", money(row.today, row.currency, sign=True), "since 00:00 UTC", "Change of equity since the UTC day began."),
        ("Open positions", number(float(row.open)), f"{plural(len(view.orders), 'order')} waiting", ""),
        _open_risk(view),
        ("Daily loss used", percent(row.daily_loss_used), "of the limit" if row.daily_loss_used is not None else "no limit", "Share of the daily loss limit that the loss of its day uses; the day begins at the reset of the limits."),
        _floor(view),
        _agreement(checked),
        ("Backlog", number(float(view.backlog)), f"{plural(int(values.get('commands_waiting') or 0), 'command')}", "Instants, and commands, that wait to be worked."),
    ]


def _open_risk(view: Any) -> Figure:
    """What is lost if every stop is hit."""
    meaning = "Loss from the last closes if every open position is closed at its stop, without slippage."
    risks = view.positions["risk"].astype("float64") if "risk" in view.positions else pd.Series(dtype="float64")
    if risks.isna().any():
        return "Open risk", "not limited", "a position has no stop", meaning
    total, equity = float(risks.sum()), view.row.equity
    return "Open risk", money(total, view.row.currency), f"{percent(total / equity, 2)} of equity" if equity > 0 else "", meaning


def _floor(view: Any) -> Figure:
    """The floor of the rule set that is nearest by its allowance."""
    if not view.floors:
        return "Tightest floor", DASH, "no rule set", "Money down to the nearest floor of the rule set that the session was started with."
    nearest = max(view.floors, key=lambda floor: floor["used"])
    floors = "; ".join(f"{floor['clause']}: {money(floor['floor'], view.row.currency)}, {percent(floor['used'])} used" for floor in view.floors)
    return "Tightest floor", money(nearest["left"], view.row.currency), f"left, {percent(nearest['used'], 0)} used", f"{view.rule_set}: {floors}. A gap can jump any floor."


def _agreement(checked: Mapping[str, Any] | None) -> Figure:
    meaning = "Whether trades, fills and equity are those of a backtest of its tape; checked nightly, and by tidemark paper consistency."
    if not checked:
        return "Backtest", DASH, "not checked yet", meaning
    return "Backtest", "agrees" if checked["holds"] else "differs", f"{str(checked.get('at', ''))[:10]}", f"{checked['sentence']} {meaning}"
