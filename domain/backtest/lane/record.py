"""The memory of a combination of a sweep that is simulated by the bars on which something happens: see ``kernel.lane``."""

from __future__ import annotations

from domain.backtest.state import record

OPEN, ADVERSE, FAVOURABLE, CLOSE = 0, 1, 2, 3       # the prices of a bar, side by side
BLOCK = 8               # bars whose extremes stand in one place

# Prices are signed: times the side of the position, so that more is better for a long and for a short. [0] is a long's, [1] a short's.
LANE = record(
    # the bars of one series, and the rules, as numbers
    last="i8", prices=("i8", (2,)),         # of each bar: the open, the most adverse price, the most favourable, the close
    spread=("i8", (2,)),                    # as the columns of entries below
    blocks=("i8", (2,)),                    # of so many bars each: the most adverse price, the most favourable, the lowest close, the highest
    contract="f8", lot_step="f8", min_lot="f8", max_lot="f8", usual="f8", leverage="f8", margin_per_lot="f8",
    slippage="f8", slippage_kind="i8", seed="u8", atr="i8", commission="f8", commission_kind="i8",
    swap=("f8", (2,)), night_bars="i8", night_count="i8", nights_in="i8", nights_before="i8",
    sizer="i8", size="f8", sigma="i8", stop_out="f8", intrabar="i8", reverse="i8", start="f8",
    day_ends="i8", day_count="i8",
    # the decisions: entries in order of their bars, the first entry of each bar or after it, and the bars of exits and of each side
    count="i8", bars="i8", first="i8", sides="i8", buys="i8", buy_count="i8", sells="i8", sell_count="i8", exits="i8", exit_count="i8",
    # what each entry asks for: an address and a step, 0 where one value holds for all
    stop_loss=("i8", (2,)), target_prices=("i8", (4, 2)), own_lots=("i8", (2,)), own_size=("i8", (2,)),
    # the protection that all of them share
    targets="i8", fraction=("f8", (4,)), target_r=("f8", (4,)), break_even_r="f8", break_even_offset="f8", max_bars="i8", needs_stop="i8",
    # the account
    balance="f8", equity="f8", peak="f8", least="f8", least_low="f8", fall="f8", fall_low="f8", day="i8", night="i8", stuck="i8",
    # the open position
    side="i8", signal="i8", entry_bar="i8", leave_at="i8", fills="i8", reached="i8", lots="f8", first_lots="f8", price="f8", stop="f8",
    target=("f8", (4,)), break_even_at="f8", break_even_to="f8", top="f8", bottom="f8", risk="f8", margin="f8", share="f8",
    gross="f8", costs="f8", earned="f8", paid="f8",
    # the results: of each trade, and the equity at the end of each day
    trades="i8", pnl="i8", r="i8", bars_held="i8", ends="i8",
)  # fmt: skip
