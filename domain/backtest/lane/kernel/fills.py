"""Fills of a combination that is simulated by the bars on which something happens: entry, exit, and the end of a trade. Prices are signed, see ``LANE``."""

from __future__ import annotations

import numpy as np

from domain.backtest.kernel.codes import BPS, FIXED, FIXED_LOTS, FRACTION_AT_RISK, NEVER, NOTIONAL, PER_MILLION, RANDOM, TINY, VOLATILITY
from domain.backtest.kernel.numbers import grid, split_mix, whole_steps
from domain.backtest.lane.record import CLOSE
from domain.backtest.memory import compiled, f8, i1, i8


@compiled
def given(column, k):
    return f8(column[0])[column[1] * k]


@compiled
def slip_of(w, signal, fill, bar):
    """Section 5: always adverse. ``bar`` is the last closed one."""
    if w.slippage_kind == FIXED:
        return w.slippage
    if w.slippage_kind == RANDOM:
        return w.slippage * split_mix(w.seed ^ np.uint64(signal * 16 + fill))
    atr = f8(w.atr)[bar] if bar >= 0 else np.nan
    return 0.0 if np.isnan(atr) else w.slippage * atr


@compiled
def sized(w, k, side, stop, bar, equity):
    """Section 6: lots of an entry decided at the close of ``bar``; 0 where there are none."""
    lots, share = given(w.own_lots, k), given(w.own_size, k)
    share = 1.0 if np.isnan(share) else share
    if equity > 0.0 and np.isnan(lots) and w.usual > 0.0 and share == 1.0:
        return w.usual
    if equity > 0.0 and np.isnan(lots):
        lots = w.size if w.sizer == FIXED_LOTS else by_equity(w, side, stop, bar, equity)
    lots *= share
    if equity <= 0.0 or not np.isfinite(lots) or lots <= 0.0:
        return 0.0
    lots = whole_steps(lots, w.lot_step)
    if lots < w.min_lot - TINY or lots <= 0.0:
        return 0.0
    return w.max_lot if lots > w.max_lot + TINY else lots


@compiled
def by_equity(w, side, stop, bar, equity):
    if w.sizer == VOLATILITY:
        base = f8(w.sigma)[bar]
        if not base > 0.0:
            return 0.0
    else:
        expected = -f8(w.prices[1 if side > 0 else 0])[4 * bar + CLOSE]
        base = abs(expected) if w.sizer == NOTIONAL else abs(expected - stop)
    return equity * w.size / (base * w.contract)


@compiled
def enter(w, k, bar, equity):
    """Open the position of this entry at the open of ``bar``, unless a rule of sections 3 and 6 forbids it. Did it?"""
    side = np.int64(i1(w.sides)[k])
    which, stop = 0 if side > 0 else 1, side * grid(given(w.stop_loss, k))
    by_risk = w.sizer == FRACTION_AT_RISK and np.isnan(given(w.own_lots, k))
    if np.isnan(stop) and (w.needs_stop or by_risk):
        return False
    lots, price = sized(w, k, side, stop, bar - 1, equity), -f8(w.prices[1 - which])[4 * bar]
    if lots <= 0.0:
        return False
    at = grid(price - given(w.spread, bar))
    if at - stop <= 0.0:
        return False
    for t in range(w.targets):
        w.target[t] = side * grid(given(w.target_prices[t], k))
        if w.target[t] - at <= 0.0:
            return False
    filled = price + slip_of(w, k, 0, bar - 1)
    margin = lots * w.margin_per_lot if w.margin_per_lot > 0.0 else lots * w.contract * abs(filled) / w.leverage
    if not margin <= w.balance + TINY * abs(w.balance):
        return False
    hold_at(w, k, side, bar, lots, filled, stop, margin)
    book(w, lots, filled)
    return True


@compiled
def hold_at(w, k, side, bar, lots, filled, stop, margin):
    """A new position, with its levels."""
    w.side, w.signal, w.entry_bar, w.fills, w.reached = side, k, bar, 0, 0
    w.lots, w.first_lots, w.price, w.stop, w.margin, w.share = lots, lots, filled, stop, margin, 0.0
    w.gross, w.costs, w.earned, w.paid, w.risk = 0.0, 0.0, 0.0, 0.0, abs(filled - stop)
    for t in range(w.targets):
        if w.target_r[t] > 0.0:
            w.target[t] = grid(filled + w.target_r[t] * w.risk)
    w.break_even_at, w.break_even_to = grid(filled + w.break_even_r * w.risk), grid(filled + w.break_even_offset)
    w.leave_at = min(bar + w.max_bars if w.max_bars > 0 else NEVER, ordered_out(w, side, bar))
    set_reach(w)


@compiled
def ordered_out(w, side, bar):
    """The bar at whose open a signal decided at the close of ``bar``, or later, makes the position leave."""
    at = next_of(w.exits, w.exit_count, bar)
    if w.reverse:
        at = min(at, next_of(w.sells, w.sell_count, bar) if side > 0 else next_of(w.buys, w.buy_count, bar))
    return at + 1 if at < NEVER else NEVER


@compiled
def next_of(bars, count, bar):
    """The first of these bars that is not before ``bar``; NEVER where there is none."""
    low, high, at = 0, count, i8(bars)
    while low < high:
        middle = (low + high) // 2
        if at[middle] < bar:
            low = middle + 1
        else:
            high = middle
    return at[low] if low < count else NEVER


@compiled
def set_reach(w):
    """Between which prices nothing happens: the nearest target left, or a break-even that would tighten the stop, and the stop."""
    tightens = np.isnan(w.stop) or w.break_even_to > w.stop
    w.top = w.break_even_at if tightens and not np.isnan(w.break_even_at) else np.inf
    w.bottom = -np.inf if np.isnan(w.stop) else w.stop
    for t in range(w.targets):
        if not w.reached & (1 << t) and w.target[t] < w.top:
            w.top = w.target[t]


@compiled
def book(w, lots, filled):
    """Section 5: the commission of one fill."""
    commission = w.commission * lots
    if w.commission_kind == PER_MILLION:
        commission = w.commission * (lots * w.contract) * abs(filled) / 1e6
    elif w.commission_kind == BPS:
        commission = w.commission * (lots * w.contract) * abs(filled) / 1e4
    w.balance -= commission
    w.paid += commission
    w.costs += commission
    w.fills += 1


@compiled
def leave(w, lots, price, slip, bar):
    """Close ``lots`` at ``price`` less slippage; the last of them ends the trade."""
    filled, closes_all = price - slip, lots >= w.lots - TINY
    lots = w.lots if closes_all else lots
    book(w, lots, filled)
    gross = (filled - w.price) * lots * w.contract
    w.balance += gross
    w.gross += gross
    remaining = 0.0 if closes_all else 1.0 - lots / w.lots
    w.margin *= remaining
    w.lots = 0.0 if closes_all else w.lots - lots
    if closes_all:
        result, k = w.gross - w.costs + w.earned, w.trades
        f8(w.pnl)[k], f8(w.r)[k], i8(w.bars_held)[k] = result, result / (w.risk * w.contract * w.first_lots), bar - w.entry_bar
        w.trades += 1


@compiled
def take_targets(w, reach, at, bar):
    """Close the share of every target that ``reach`` has reached, nearest first, at ``at`` or else at the target's price."""
    while w.lots > 0.0:
        t = nearest_target(w, reach)
        if t < 0:
            return
        w.reached |= 1 << t
        w.share += w.fraction[t]
        lots = w.lots
        if w.share < 1.0 - TINY:
            lots = min(whole_steps(w.fraction[t] * w.first_lots, w.lot_step), w.lots)
        if lots > 0.0:
            leave(w, lots, w.target[t] if np.isnan(at) else at, 0.0, bar)


@compiled
def nearest_target(w, reach):
    best = -1
    for t in range(w.targets):
        if reach - w.target[t] >= 0.0 and not w.reached & (1 << t) and (best < 0 or w.target[best] - w.target[t] > 0.0):
            best = t
    return best


@compiled
def charge(w, nights):
    """Section 5: swap on the lots open now; what it came to."""
    per_night = w.swap[0 if w.side > 0 else 1]
    amount = per_night * w.lots * nights if per_night != 0.0 else 0.0
    w.balance += amount
    w.earned += amount
    return amount
