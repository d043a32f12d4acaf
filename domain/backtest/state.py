"""The kernel's memory: what each record holds. Plain arrays, so that a run can be stored after any instant and go on later."""

from __future__ import annotations

from typing import Any

import numpy as np

from domain.params import params_of
from domain.risk.limits import Limits
from domain.trading.outcomes import COUNTS, REASONS

ORDERS = ("market", "stop", "limit", "exit")
TRAILS = ("", "points", "percent", "atr", "quantile")
REASON = {name: number for number, name in enumerate(REASONS)}
COUNT = {name: number for number, name in enumerate(COUNTS)}


def numbers_of(cls: type) -> dict[str, str]:
    """A field for each parameter of ``cls`` that is a number, or true or false."""
    return {p.name: "f8" if p.type is float else "i8" for p in params_of(cls) if p.type in (float, int, bool)}


def in_context(name: str) -> str:
    """The field of CONTEXT that holds a limit's number: its name, unless an array has that name.

    >>> in_context("max_positions"), in_context("rate")
    ('max_positions', 'limit_rate')
    """
    return f"limit_{name}" if name in (*INPUTS, *STATE, *OUTPUTS) else name


def record(**fields: Any) -> np.dtype:
    return np.dtype([(name, *kind) if isinstance(kind, tuple) else (name, kind) for name, kind in fields.items()], align=True)


# what does not change during a run -----------------------------------------------------------------------------------

TASK = record(
    first="i8", count="i8",                 # its bars in the flat arrays
    contract="f8", lot_step="f8", min_lot="f8", max_lot="f8", tick="f8",
    usual="f8",                             # what fixed lots come to, where no remark is needed; else NaN
    leverage="f8", margin_per_lot="f8",     # the strictest leverage; quote currency per lot, or 0
    slippage="f8", commission="f8",         # by the kinds of the costs; slippage that is no multiple of ATR in price units
    swap_long="f8", swap_short="f8",        # quote currency per lot and night
    currency="i8",                          # row of the rate table
    symbol="i8", base="i8", quote="i8",     # its instrument among the distinct ones; its legs, or -1 for the account's currency
    group="i8",                             # its instrument's group among the distinct ones
    quotes="i4",                            # what its bars quote: codes.BID, MID or LONG_BID
    swaps="i4",                             # 1: nights cost or earn something
    outside="i8",                           # 1: a broker fills: steps 1 and 2 book nothing, its fills are booked as they come
    open_ended="i8",                        # 1: more bars may come, so its last one in the arrays is not the end of the data
)  # fmt: skip

SIGNAL = record(
    number="i8",                            # in its task's table, from 0
    lots="f8",                              # its own, or NaN
    size="f8",                              # the share of them, or of the sizer's, that is ordered: 1 where none is given
    price="f8", stop="f8", target=("f8", (4,)),
    side="i4", order="i4", tag="i4", protection="i4",
    oco="i4",                               # 0: none
)  # fmt: skip

PROTECTION = record(                              # what many signals have in common
    fraction=("f8", (4,)), target_r=("f8", (4,)),
    break_even_r="f8", break_even_offset="f8",
    trail_value="f8", trail_start_r="f8",
    grid_spacing="f8", grid_first="f8", grid_factor="f8", grid_basket="f8",
    trail_kind="i4", trail_atr="i4",        # row of the ATR table
    max_bars="i4", valid_bars="i4",         # 0: without limit
    flat="i4",                              # row of the flat_by table, or -1
    grid_adds="i4", is_grid="i4", needs_stop="i4",
)  # fmt: skip

# The bars of all tasks follow one another. Tables have a row of that length per window, per flat_by; rates have a
# row per currency, of one column per instant.
BARS = ("ts", "end", "open", "high", "low", "close", "spread")
INPUTS = (
    *BARS,
    "nights_before",        # i1: swap nights between the bar before and this one, that no bar covers
    "nights_in",            # i1: swap nights that this bar covers
    "atr",                  # f8, windows x bars
    "flat_at", "shut_at",   # i8, flat_by x bars: when a position filled here must leave; the shut before that, if no bar opens between
    "trail_price",          # f8: for trails of kind quantile
    "rate",                 # f8, currencies x instants: quote to account; negative: the same, stale
    "warn",                 # i1: bits of limit_tables
    "sigma",                # f8: yearly volatility in price units
    "rho", "rho_day",       # f8, pairs of instruments x days; i8: the day of each bar's open
    "day",                  # i8, instants: the day that daily loss counts by
    "floor_day",            # i8, instants: twice the day that the rule set's floors count by, and 1 more right at its reset
    "floor_rules",          # of the rule set: FLOOR_RULE
    "finer_off",            # i1: the finer bars reach more than a tick further than the bar, or less far
    "finer_first", "finer_last", "finer_open", "finer_high", "finer_low", "finer_close", "finer_spread",
    "signal_first", "signal_last",      # i8: where a bar's signals begin, and where they end
    "brief",                # i8, signals: bit 0 long, bit 1 a market order that asks for nothing but size, above them the tag
    "signals", "protections", "tasks",
)  # fmt: skip

# what changes --------------------------------------------------------------------------------------------------------

ACCOUNT = record(
    balance="f8", used="f8", equity="f8",
    before="f8", commission="f8", swap="f8",                # of the present instant
    day_start="f8", peak="f8",                              # equity that a day began with; the highest so far
    day="i8", halted="i8", closed="i8",                     # bits of a halt; trades with an R that have ended
    instant="i8", rows="i8", positions="i8", pending="i8", waiting="i8", fills="i8", trades="i8", ambiguous="i8",
    fills_out="i8", trades_out="i8", reviews_out="i8", moves_out="i8", rows_out="i8",     # in the buffers
    counts=("i8", (len(COUNTS),)),
    value="f8", allowed="f8", buffer="f8",                  # what the review under way has measured, NaN before
    more_balance="f8", more_equity="f8",                    # what a broker's account has beyond this one
)  # fmt: skip

CURSOR = record(bar="i8", inside="i8", rate="f8", halted="i8")         # of a task: its next or present bar; the rate at that bar's open; bits of its own halt

POSITION = record(
    side="i8", lots="f8", price="f8", stop="f8", target=("f8", (4,)), break_even_at="f8", break_even_to="f8",
    time_bar="i8", flat_at="i8", shut_at="i8", leaves="i4", inside="i4", gone="i4", unclear="i4", reached="i4", stop_reason="i4",
    worst="f8", best="f8", part_best="f8", part_bar="i8", mark="f8", low="f8", margin="f8", notional="f8",
    task="i4", tag="i4", protection="i4", fills="i4", signal="i8", trade="i8", entry_bar="i8", entry_ts="i8", part="i8",
    entry_lots="f8", first_lots="f8", first_stop="f8", risk="f8", value="f8", share="f8", anchor="f8", trail_from="f8",
    gross="f8", costs="f8", swap="f8", left_sum="f8", left_lots="f8",
    leave_share="f8",                       # of the lots, at the next open, by a person
    add_level="f8", add_lots="f8", last_fill="f8", next_basket="f8", adds_left="i8", add_from="i8",
)  # fmt: skip

WAITING = record(task="i4", dead="i4", signal="i8", expires="i8", lots="f8", held="i8")  # an order that has not filled yet; held: a proposal
CANDIDATE = record(which="i8", number="i8", distance="f8", sell="i8")                   # scratch: one that could fill now

FILL = record(order="i8", trade="i8", ts="i8", bar="i8", side="i4", reason="i4", lots="f8", price="f8", spread_cost="f8", slippage_cost="f8", commission="f8")

TRADE = record(
    trade="i8", signal="i8", task="i4", side="i4", reason="i4", bars="i8", entry_ts="i8", exit_ts="i8", lots="f8", entry_price="f8", exit_price="f8",
    stop="f8", gross="f8", costs="f8", swap="f8", r="f8", mae_r="f8", mfe_r="f8",
)  # fmt: skip

REVIEW = record(signal="i8", ts="i8", task="i4", verdict="i4", reason="i4", requested="f8", given="f8", value="f8", allowed="f8", buffer="f8")

FLOOR_RULE = record(kind="i8", money="f8", percent="f8", basis="i8", lock="f8", closed="i8", reached="i8", locks="i8", buffer="f8")
# where it stands after a row, and what it remembers: the peak, the day, balance and equity of that row, the bits of a halt since it was broken
FLOOR = record(line="f8", peak="f8", day="i8", balance="f8", equity="f8", broken="i8")

MOVE = record(trade="i8", bar="i8", stop="f8", reason="i8")     # the stop after this bar, and what moved it

# "entered": i8, the ts of the latest entries, as many as ``limit_rate``; "tails": f8, tasks x (1 + es95_trades): how many trades with an R
# have ended, and the R of the last of them in a ring. One empty place each where the limit is off.
STATE = ("account", "cursors", "positions", "pending", "waiting", "recent", "entered", "tails", "floors")     # copy these arrays, and a run can go on from here
OUTPUTS = ("candidates", "fills", "trades", "reviews", "moves", "row_ts", "row_balance", "row_equity", "row_equity_low", "row_used_margin")

# one record for everything: the rules as numbers, and the address of every array
CONTEXT = record(
    intrabar="i8", reverse="i8", slippage_kind="i8", slippage_atr="i8", seed="u8", commission_kind="i8", report_moves="i8", ask="i8",
    sizer="i8", size="f8", stop_out="f8", converts="i8",
    kelly_window="i8", kelly_first="i8", kelly_start="f8", kelly_cap="f8", entropy_lambda="f8",     # recent: the r of that many trades, in a ring
    limited="i8", watched="i8", floor_count="i8", initial="f8", symbols="i8", rho_days="i8", **{in_context(name): kind for name, kind in numbers_of(Limits).items()},
    task_count="i8", bars="i8", instants="i8", position_places="i8", order_places="i8", fill_places="i8",
    **{name: "i8" for name in (*INPUTS, *STATE, *OUTPUTS)},
)  # fmt: skip
