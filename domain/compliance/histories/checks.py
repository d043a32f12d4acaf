"""What the check of a statement found: whether its rows add up to what it states, and what it does not say."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from domain.compliance.gaps import refuse_gaps
from domain.compliance.histories.base import CHARGE, CREDIT, Change, Statement
from domain.compliance.path import path_of
from domain.market.clock import clock as clock_named
from domain.market.zones import HOUR, to_local

CENT = 0.015  # account currency; more than rounding of two numbers
NOTE, WARNING = "note", "warning"


@dataclass(frozen=True)
class Finding:
    """``severity``: a warning where a verdict may be wrong, a note where it says how the file was read."""

    key: str
    severity: str
    sentence: str


def findings_of(
    statement: Statement,
    points: pd.DataFrame,
    flows: pd.DataFrame,
    opening: str,
    clock: str,
    unclear: int,
    trades: pd.DataFrame,
) -> Iterator[Finding]:
    """``opening``: where the balance at the start is from, where that needs saying."""
    yield from _sum(statement, points, derived="checks nothing" in opening)
    yield from _running(statement)
    yield from _doubled(statement)
    if opening:
        yield Finding("opening", NOTE if "as given" not in opening else WARNING, opening)
    if statement.clock is None:
        yield Finding(
            "clock", NOTE, f"Times are read as {clock_named(clock).title}, as chosen; the file does not say its clock."
        )
        yield from _weekend(trades)
    if unclear:
        yield Finding(
            "unclear_times",
            WARNING,
            f"{_times(unclear)} happened twice or never on that clock, where it changes to or from daylight saving; "
            "the first reading counts.",
        )
    if statement.points is None:
        yield Finding(
            "balance_only",
            NOTE,
            "The equity between openings and closes is not known: rules that watch it are judged by the balance "
            "alone, or not at all.",
        )
    else:
        for sentence in refuse_gaps(path_of(points), allowed=True):
            yield Finding("gaps", WARNING, sentence)
    yield from _refilled(points, flows)
    yield from _kinds(statement)
    for note in statement.notes:
        yield Finding("reading", NOTE, note)


def _sum(statement: Statement, points: pd.DataFrame, derived: bool) -> Iterator[Finding]:
    stated, balance = statement.stated.balance, float(points["balance"].iloc[-1])
    if math.isnan(stated):
        if statement.points is None:
            yield Finding(
                "sum_unchecked", NOTE, "The file states no balance, so the sum of its rows cannot be checked."
            )
    elif derived:
        return
    elif abs(stated - balance) > CENT:
        yield Finding(
            "sum_differs",
            WARNING,
            f"The rows add up to {balance:,.2f}, and the statement says its balance is {stated:,.2f}: "
            f"{abs(stated - balance):,.2f} {'more' if stated > balance else 'less'}.",
        )
    else:
        yield Finding("sum_equal", NOTE, f"The rows add up to the stated balance, {stated:,.2f}.")


def _running(statement: Statement) -> Iterator[Finding]:
    """Rows that state the balance after them: each must follow from the one before."""
    rows = [change for change in statement.changes if change.kind != CREDIT and not math.isnan(change.balance)]
    if len(rows) > 1 and rows[0].at > rows[-1].at:
        rows.reverse()
    wrong: list[Change] = [
        after for before, after in itertools.pairwise(rows) if abs(before.balance + after.amount - after.balance) > CENT
    ]
    if wrong:
        yield Finding(
            "balance_jumps",
            WARNING,
            f"{_rows(len(wrong))} not lead from the balance before to the balance after it; the first is row "
            f"{wrong[0].line:,}.",
        )


def _doubled(statement: Statement) -> Iterator[Finding]:
    counts = Counter((trade.ticket, trade.closed, trade.lots) for trade in statement.trades if trade.ticket)
    doubled = sum(count - 1 for count in counts.values())
    if doubled and not statement.matched:
        yield Finding(
            "doubled", WARNING, f"{_trades(doubled)} there a second time, with the same ticket, close and lots."
        )


def _weekend(trades: pd.DataFrame) -> Iterator[Finding]:
    """Currencies do not trade from Friday 17:00 to Sunday 17:00 New York: trades there mean another clock."""
    names = trades["instrument"].astype(str)
    pairs = trades[names.str.fullmatch(r"(EUR|GBP|AUD|NZD|USD|XAU|XAG)(USD|JPY|CHF|CAD|GBP|EUR|AUD|NZD)")]
    at = np.concatenate(
        [pairs[column].dt.as_unit("ns").astype("int64").to_numpy() for column in ("entry_ts", "exit_ts")]
    )
    wall = to_local(at, "America/New_York")
    hours = (wall // HOUR + 3 * 24) % (7 * 24)  # since Monday 00:00
    shut = int(((hours >= 4 * 24 + 17) & (hours < 6 * 24 + 17)).sum()) if len(at) else 0
    if shut:
        yield Finding(
            "weekend",
            WARNING,
            f"{_times(shut)} of currencies and metals lie in the weekend on that clock; another clock may be right.",
        )


def _refilled(points: pd.DataFrame, flows: pd.DataFrame) -> Iterator[Finding]:
    """Deposits are no profit: an account that lived on from them alone is judged as if they had not come."""
    deposits = flows[flows["amount"] > 0]
    if not len(deposits):
        return
    paid = np.concatenate([[0.0], np.cumsum(flows.sort_values("ts", kind="stable")["amount"].to_numpy(float))])
    at = np.sort(flows["ts"].dt.as_unit("ns").astype("int64").to_numpy())
    own = (
        points["balance"].to_numpy(float)
        - paid[np.searchsorted(at, points["ts"].dt.as_unit("ns").astype("int64").to_numpy(), side="right")]
    )
    if own.min() <= 0.0:
        day = points["ts"].iloc[int((own <= 0.0).argmax())]
        yield Finding(
            "refilled",
            WARNING,
            f"Without the deposits after its start, {deposits['amount'].sum():,.2f}, the account would have been "
            f"empty on {day:%Y-%m-%d}; rules judge it without them.",
        )


def _kinds(statement: Statement) -> Iterator[Finding]:
    credit = [change.amount for change in statement.changes if change.kind == CREDIT]
    charges = [change.amount for change in statement.changes if change.kind == CHARGE]
    if credit:
        yield Finding("credit", NOTE, f"Credit of {math.fsum(credit):,.2f} is not part of the balance and is left out.")
    if charges:
        yield Finding(
            "charges",
            NOTE,
            f"Charges beside the trades (fees, interest, dividends) sum to {math.fsum(charges):,.2f} and count as "
            "results.",
        )
    if statement.cancelled:
        yield Finding(
            "cancelled",
            NOTE,
            f"{statement.cancelled:,} order{'s were' if statement.cancelled > 1 else ' was'} never filled and left "
            "out.",
        )
    if statement.open_trades:
        floating = math.fsum(trade.net for trade in statement.open_trades)
        yield Finding(
            "open",
            WARNING,
            f"{_trades(len(statement.open_trades))} open at the end, with {floating:,.2f} floating: not in the "
            "balance, and not judged.",
        )
    if statement.matched:
        yield Finding(
            "matched",
            NOTE,
            "The report has no positions: its trades are put together from its deals, first in, first out.",
        )


def _times(count: int) -> str:
    return f"{count:,} time{'s' if count > 1 else ''}"


def _trades(count: int) -> str:
    return f"{count:,} trade{'s are' if count > 1 else ' is'}"


def _rows(count: int) -> str:
    return f"{count:,} row{'s do' if count > 1 else ' does'}"
