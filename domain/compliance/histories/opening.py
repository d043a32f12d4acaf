"""Where a history begins: the balance at the start of a statement, and what was booked after it."""

from __future__ import annotations

import math

from domain.compliance.histories.base import CHARGE, CREDIT, FLOW, TRADE, Change, Statement
from domain.compliance.histories.trade_tables import ROUNDED
from domain.errors import BadRequest

CENT = 0.005  # account currency


def opening_of(statement: Statement, name: str, given: float | None) -> tuple[float, str, list[Change]]:
    """The balance at the start, a note on where it is from, and the bookings after the start.

    Deposits before the first trade are the start. A report that begins later has a balance before its first row, or
    says at its end what the balance is.
    """
    changes = sorted(statement.changes, key=lambda change: change.at)
    first = min(
        [trade.opened for trade in statement.trades]
        + [change.at for change in changes if change.kind in (TRADE, CHARGE)],
        default=math.inf,
    )
    early = [change for change in changes if change.kind == FLOW and change.at <= first]
    later = [change for change in changes if change.kind != CREDIT and not (change.kind == FLOW and change.at <= first)]
    deposits, before = math.fsum(change.amount for change in early), _before(statement)
    if given is not None:
        contradicts = early and abs(given - deposits - before) >= CENT
        stated = f"the deposits before the first trade are {deposits + before:,.2f}"
        return above_zero(given, name), f"The start is {given:,.2f} as given; {stated}." if contradicts else "", later
    if before > CENT:
        return (
            above_zero(before + deposits, name),
            f"The report begins within the account's life: its first row begins with a balance of {before:,.2f}.",
            later,
        )
    if early:
        return above_zero(deposits, name), "", later
    if math.isnan(statement.stated.balance):
        raise BadRequest(
            f"{name} has no deposit before its first trade and states no balance, so the balance at its start is not "
            "known; give the initial balance"
        )
    derived = statement.stated.balance - math.fsum(change.amount for change in later)
    return (
        above_zero(derived, name),
        f"The statement has no deposit before its first trade: its start, {derived:,.2f}, is its stated balance less "
        "all that it lists, so the sum checks nothing.",
        later,
    )


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


def above_zero(amount: float, name: str) -> float:
    """The balance at a start; one that is not above zero is refused."""
    if not (math.isfinite(amount) and amount > 0):
        raise BadRequest(f"{name}: the balance at its start would be {amount:,.2f}; give an initial balance above zero")
    return round(amount, ROUNDED)
