"""What happens to an order inside and between bars, written once and compiled. The text is docs/execution.md.

Every function takes the house, one record that says where everything lies (``state.py``). Nothing here knows a frame,
a name or a date. A position trades on two sides of the market: it opens on one and is closed on the other.
"""

from __future__ import annotations

import numpy as np
from numba import carray

from domain.backtest.memory import compiled, f8, i1, i8, pointer, prefetch
from domain.backtest.state import ACCOUNT, CANDIDATE, COUNT, CURSOR, FILL, PLAN, POSITION, REASON, REVIEW, SIGNAL, TASK, TRADE, WAITING

NEVER = np.int64(9_223_372_036_854_775_807)
TINY, NEAR = 1e-9, 1e-8
LONG, PLAIN = 1, 2
SIGNAL_BYTES = SIGNAL.itemsize
PESSIMISTIC, OPTIMISTIC, PATH, MAGNIFY = 0, 1, 2, 3
FIXED, ATR, RANDOM = 0, 1, 2
PER_LOT, PER_MILLION, BPS = 0, 1, 2
FIXED_LOTS, NOTIONAL, FRACTION_AT_RISK, KELLY, VOLATILITY = 0, 1, 2, 3, 4
MARKET, STOP, LIMIT, EXIT = 0, 1, 2, 3
POINTS, PERCENT, ATR_TRAIL, QUANTILE = 1, 2, 3, 4
BY_SIGNAL, BY_OPPOSITE, BY_KILL = 1, 2, 4
REFUSED, SHRUNK, CAPPED = 0, 1, 2
SPREAD_SPIKE, VOLATILITY_SPIKE, DARK_END, DARK_OPEN = 1, 2, 4, 8        # bits of a bar's warnings
FOR_THE_DAY, FOR_GOOD = 1, 2

R_MARKET, R_GRID, R_STOP_LOSS, R_TARGET = REASON["market"], REASON["grid"], REASON["stop_loss"], REASON["target_1"]
R_BREAK_EVEN, R_TRAIL, R_TIME, R_SESSION, R_SIGNAL = REASON["break_even"], REASON["trail"], REASON["time"], REASON["session"], REASON["signal"]
R_OPPOSITE, R_STOP_OUT, R_KILL, R_END = REASON["opposite"], REASON["stop_out"], REASON["kill_switch"], REASON["end"]
DUPLICATE_TAG, OPPOSITE_DROPPED = COUNT["duplicate_tag"], COUNT["opposite_dropped"]
STOP_THROUGH, TARGET_THROUGH, NO_STOP, NO_SIZE = COUNT["stop_through"], COUNT["target_through"], COUNT["no_stop"], COUNT["no_size"]
BELOW_MIN_LOT, NO_MARGIN, EXPIRED, OCO_CANCELLED = COUNT["below_min_lot"], COUNT["no_margin"], COUNT["expired"], COUNT["oco_cancelled"]
END_OF_DATA, NOTHING_TO_EXIT, OVER_MAX_LOT = COUNT["end_of_data"], COUNT["nothing_to_exit"], COUNT["over_max_lot"]
TARGET_BELOW_STEP, NOT_MAGNIFIED = COUNT["target_below_step"], COUNT["not_magnified"]
MAGNIFY_MISMATCH, STALE_RATE, HALTED, BLACKOUT = COUNT["magnify_mismatch"], COUNT["stale_rate"], COUNT["halted"], COUNT["blackout"]
LIMIT_POSITIONS, LIMIT_SYMBOL, LIMIT_CORRELATION = COUNT["limit_positions"], COUNT["limit_symbol"], COUNT["limit_correlation"]
LIMIT_LEVERAGE, LIMIT_CURRENCY = COUNT["limit_leverage"], COUNT["limit_currency"]
LIMIT_SPREAD, LIMIT_VOLATILITY = COUNT["limit_spread"], COUNT["limit_volatility"]
SHRUNK_LEVERAGE, SHRUNK_CURRENCY = COUNT["shrunk_leverage"], COUNT["shrunk_currency"]


# -- where things lie -------------------------------------------------------------------------------------------------


@compiled
def account_of(h):
    return carray(pointer(h.account), (1,), ACCOUNT)[0]


@compiled
def task_of(h, k):
    return carray(pointer(h.tasks), (1,), TASK)[k]


@compiled
def cursor_of(h, k):
    return carray(pointer(h.cursors), (1,), CURSOR)[k]


@compiled
def positions_of(h):
    return carray(pointer(h.positions), (1,), POSITION)


@compiled
def pending_of(h):
    return carray(pointer(h.pending), (1,), WAITING)


@compiled
def waiting_of(h):
    return carray(pointer(h.waiting), (1,), WAITING)


@compiled
def candidates_of(h):
    return carray(pointer(h.candidates), (1,), CANDIDATE)


@compiled
def signal_of(h, number):
    return carray(pointer(h.signals), (1,), SIGNAL)[number]


@compiled
def plan_of(h, number):
    return carray(pointer(h.plans), (1,), PLAN)[number]


@compiled
def fills_of(h):
    return carray(pointer(h.fills), (1,), FILL)


@compiled
def trades_of(h):
    return carray(pointer(h.trades), (1,), TRADE)


@compiled
def reviews_of(h):
    return carray(pointer(h.reviews), (1,), REVIEW)


@compiled
def rate_now(h, k):
    """The account's currency for one unit of the task's quote currency, at this instant; negative: stale."""
    if h.converts:
        return f8(h.rate)[task_of(h, k).currency * h.instants + account_of(h).instant]
    return 1.0


# -- numbers ----------------------------------------------------------------------------------------------------------


@compiled
def grid(x):
    """Section 1: only numbers on a grid of 1e-9 are compared."""
    return np.rint(x * 1e9) / 1e9


@compiled
def closing(side, price, spread, mid):
    """Where a position of ``side`` is closed: longs at the bid, shorts at the ask. Bids lie on the grid already."""
    if mid:
        return grid(price - side * spread * 0.5)
    return price if side > 0 else grid(price + spread)


@compiled
def opening(side, price, spread, mid):
    """Where a position of ``side`` is opened: longs at the ask, shorts at the bid."""
    return closing(-side, price, spread, mid)


@compiled
def adverse(h, task, side, bar):
    """The furthest the closing side went against ``side`` in this bar."""
    return closing(side, f8(h.low)[bar] if side > 0 else f8(h.high)[bar], f8(h.spread)[bar], task.mid)


@compiled
def closed_at(h, task, side, bar):
    """The closing side's close."""
    return closing(side, f8(h.close)[bar], f8(h.spread)[bar], task.mid)


@compiled
def whole_steps(lots, step):
    """Rounded down to the lot step."""
    return grid(np.floor(lots / step + 1e-6) * step)


@compiled
def split_mix(x):
    """SplitMix64 of one number, as a share of 2^64."""
    z = x + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return np.float64(z) * 5.421010862427522e-20


@compiled
def slippage(h, task, signal, fill, bar):
    """Section 5: always adverse. ``bar`` is the last closed one."""
    if h.slippage_kind == FIXED:
        return h.slippage
    if h.slippage_kind == RANDOM:
        return h.slippage * split_mix(h.seed ^ np.uint64(signal_of(h, signal).number * 16 + fill))
    atr = f8(h.atr)[h.slippage_atr * h.bars + bar] if bar >= task.first else np.nan
    return 0.0 if np.isnan(atr) else h.slippage * atr


@compiled
def wilder_atr(high, low, close, window, out):
    """Wilder's average true range: NaN up to the first mean of ``window`` true ranges, which a first bar has none of."""
    total = 0.0
    for i in range(high.shape[0]):
        out[i] = np.nan
        if i == 0:
            continue
        true_range = max(high[i], close[i - 1]) - min(low[i], close[i - 1])
        if i <= window:
            total += true_range
            if i == window:
                out[i] = total / window
        else:
            out[i] = out[i - 1] + (true_range - out[i - 1]) / window


# -- bookings ---------------------------------------------------------------------------------------------------------


@compiled
def book(h, task, p, side, lots, price, spread, slip, rate, ts, bar, reason):
    """Section 5 and 7: one fill and its commission."""
    account = account_of(h)
    if rate < 0.0:
        account.counts[STALE_RATE] += 1
    value = lots * task.contract * abs(rate)
    commission = h.commission * lots
    if h.commission_kind == PER_MILLION:
        commission = h.commission * value * abs(price) / 1e6
    elif h.commission_kind == BPS:
        commission = h.commission * value * abs(price) / 1e4
    account.balance -= commission
    account.commission += commission
    p.costs += commission
    p.fills += 1
    f = fills_of(h)[account.fills_out]
    f.order, f.trade, f.ts, f.bar, f.side, f.reason = p.signal, p.trade, ts, bar, side, reason
    f.lots, f.price, f.spread_cost, f.slippage_cost, f.commission = lots, price, value * spread * 0.5, value * slip, commission
    account.fills_out += 1
    account.fills += 1


@compiled
def touch(p, worst, best):
    """Section 7: the furthest the price went against and in favour of the position."""
    if not p.side * (worst - p.worst) >= 0.0:       # the first time they are NaN
        p.worst = worst
    if not p.side * (best - p.best) <= 0.0:
        p.best = best


@compiled
def best_exit(p, bar, filled):
    """The best fill of this bar: targets that closed a part of the position in the bar of its last exit count."""
    return p.part_best if p.part_bar == bar and p.side * (p.part_best - filled) > 0.0 else filled


@compiled
def leave(h, task, p, lots, price, slip, spread, rate, ts, bar, reason):
    """Close ``lots`` of the position at ``price`` less slippage; the last of them ends the trade."""
    account = account_of(h)
    filled = price - p.side * slip
    whole = lots >= p.lots - TINY
    lots = p.lots if whole else lots
    book(h, task, p, -p.side, lots, filled, spread, slip, rate, ts, bar, reason)
    gross = p.side * (filled - p.price) * lots * task.contract * abs(rate)
    account.balance += gross
    p.gross += gross
    p.left_sum += filled * lots
    p.left_lots += lots
    kept = 0.0 if whole else 1.0 - lots / p.lots
    account.used -= p.margin * (1.0 - kept)
    p.margin *= kept
    p.notional *= kept
    p.mark *= kept
    p.lots = 0.0 if whole else p.lots - lots
    p.part_best, p.part_bar = best_exit(p, bar, filled), bar
    if whole:
        end_trade(h, p, ts, bar, reason)


@compiled
def end_trade(h, p, ts, bar, reason):
    account = account_of(h)
    p.gone = 1
    t = trades_of(h)[account.trades_out]
    account.trades_out += 1
    t.trade, t.signal, t.task, t.side, t.reason = p.trade, p.signal, p.task, p.side, reason
    t.bars, t.entry_ts, t.exit_ts = bar - p.entry_bar, p.entry_ts, ts
    t.lots, t.entry_price, t.exit_price, t.stop = p.entry_lots, p.price, p.left_sum / p.left_lots, p.first_stop
    t.gross, t.costs, t.swap = p.gross, p.costs, p.swap
    t.r = (p.gross - p.costs + p.swap) / (p.risk * p.value * p.first_lots)
    if h.sizer == KELLY and not np.isnan(t.r):
        f8(h.recent)[account.closed % h.kelly_window] = t.r
        account.closed += 1
    t.mae_r, t.mfe_r = max(p.side * (p.price - p.worst), 0.0) / p.risk, max(p.side * (p.best - p.price), 0.0) / p.risk


@compiled
def remove_gone(h):
    """Positions that left free their place, and their tag."""
    account, positions, kept = account_of(h), positions_of(h), 0
    for i in range(account.positions):
        if not positions[i].gone:
            if kept != i:
                positions[kept] = positions[i]
            kept += 1
    account.positions = kept
    if kept == 0:
        account.used = 0.0


# -- entries ----------------------------------------------------------------------------------------------------------


@compiled
def holder(h, k, tag):
    """The side of the position that has this tag, gone in this bar or not; 0 if none has."""
    positions = positions_of(h)
    for i in range(account_of(h).positions):
        if positions[i].task == k and positions[i].tag == tag:
            return positions[i].side
    return 0


@compiled
def margin_for(task, lots, price, rate):
    """Section 6, in account currency."""
    if task.margin_per_lot > 0.0:
        return lots * task.margin_per_lot * abs(rate)
    return lots * task.contract * abs(price) / task.leverage * abs(rate)


@compiled
def known_equity(h):
    """Equity at last known closes, plus what was booked since."""
    account, positions = account_of(h), positions_of(h)
    known = account.balance
    for i in range(account.positions):
        known += positions[i].mark
    return known


@compiled
def affordable(h, margin):
    return margin <= known_equity(h) - account_of(h).used


@compiled
def refused(h, k, s, price, spread):
    """Section 8: why the order does not open whatever its size, as a row of the counts; -1 if it may."""
    met = holder(h, k, s.tag)
    if met != 0:
        return DUPLICATE_TAG if met == s.side else OPPOSITE_DROPPED
    at = grid(price - s.side * spread)
    if s.side * (at - s.stop) <= 0.0:
        return STOP_THROUGH
    for t in range(4):
        if s.side * (s.target[t] - at) <= 0.0:
            return TARGET_THROUGH
    return -1


# -- limits -----------------------------------------------------------------------------------------------------------


@compiled
def review(h, k, signal, ts, verdict, reason, asked, given):
    """Section 9: keep what was refused, shrunk or capped, and count it."""
    account = account_of(h)
    account.counts[reason] += 1
    r = reviews_of(h)[account.reviews_out]
    account.reviews_out += 1
    r.task, r.signal, r.ts, r.verdict, r.reason, r.asked, r.given = k, signal, ts, verdict, reason, asked, given


@compiled
def forbidden_now(h, bar):
    """Section 9, at the decision: the limit that forbids every entry at this close; -1 if none does."""
    if account_of(h).halted:
        return HALTED
    warn = i1(h.warn)[bar]
    if warn & DARK_END:
        return BLACKOUT
    if warn & SPREAD_SPIKE:
        return LIMIT_SPREAD
    return LIMIT_VOLATILITY if warn & VOLATILITY_SPIKE else -1


@compiled
def forbidden_here(h, k, side, bar):
    """Section 9, at the fill: the limit that forbids this entry whatever its size; -1 if none does."""
    account, positions, task, every, same = account_of(h), positions_of(h), task_of(h, k), 0, 0
    if account.halted:
        return HALTED
    if i1(h.warn)[bar] & DARK_OPEN:
        return BLACKOUT
    for i in range(account.positions):
        if not positions[i].gone:
            every += 1
            same += task_of(h, positions[i].task).symbol == task.symbol
    if 0 < h.max_positions <= every:
        return LIMIT_POSITIONS
    if 0 < h.max_per_symbol <= same:
        return LIMIT_SYMBOL
    return LIMIT_CORRELATION if h.max_correlation > 0.0 and correlates(h, task, side, bar) else -1


@compiled
def correlates(h, task, side, bar):
    account, positions, day = account_of(h), positions_of(h), i8(h.rho_day)[bar]
    for i in range(account.positions):
        p = positions[i]
        other = task_of(h, p.task).symbol
        if not p.gone and other != task.symbol and side * p.side * f8(h.rho)[(task.symbol * h.symbols + other) * h.rho_days + day] > h.max_correlation:
            return True
    return False


@compiled
def room_by_leverage(h):
    """Notional that still fits under the leverage limit."""
    account, positions, gross = account_of(h), positions_of(h), 0.0
    for i in range(account.positions):
        gross += 0.0 if positions[i].gone else positions[i].notional
    return h.max_leverage * known_equity(h) - gross


@compiled
def room_by_currency(h, task, side):
    """Notional that either leg of an order still takes in the direction the order pushes it."""
    account, positions, base, quote = account_of(h), positions_of(h), 0.0, 0.0
    for i in range(account.positions):
        p = positions[i]
        if not p.gone:
            other, exposed = task_of(h, p.task), p.side * p.notional
            base += exposed * ((other.base == task.base) - (other.quote == task.base))
            quote += exposed * ((other.base == task.quote) - (other.quote == task.quote))
    room, most = np.inf, h.max_currency * known_equity(h)
    if task.base >= 0:
        room = most - side * base
    return min(room, most + side * quote) if task.quote >= 0 else room


@compiled
def fitting(task, lots, one, room):
    """Lots whose notional fits into ``room``: all of them, or whole steps of it. ``one``: the notional of a lot."""
    if within(lots * one, room):
        return lots
    return whole_steps(room / one, task.lot_step) if room > 0.0 else 0.0


@compiled
def within(notional, room):
    return notional <= room + 1e-9 * abs(room)


@compiled
def shrunk(h, k, signal, ts, lots, one, room, limit, count):
    """What is left of ``lots``; 0 if that is less than the smallest order."""
    task = task_of(h, k)
    fits = fitting(task, lots, one, room)
    if fits < lots:
        if fits < task.min_lot - TINY or fits <= 0.0:
            review(h, k, signal, ts, REFUSED, limit, lots, 0.0)
            return 0.0
        review(h, k, signal, ts, SHRUNK, count, lots, fits)
    return fits


@compiled
def allowed(h, k, order, side, filled, rate, bar):
    """Section 9, at the fill: the lots that limits and margin leave of an order."""
    task, lots, ts = task_of(h, k), order.lots, i8(h.ts)[bar]
    if h.limited:
        why, one = forbidden_here(h, k, side, bar), task.contract * abs(filled) * abs(rate)
        if why >= 0:
            review(h, k, order.signal, ts, REFUSED, why, lots, 0.0)
            return 0.0
        if h.max_leverage > 0.0:
            lots = shrunk(h, k, order.signal, ts, lots, one, room_by_leverage(h), LIMIT_LEVERAGE, SHRUNK_LEVERAGE)
        if h.max_currency > 0.0 and lots > 0.0:
            lots = shrunk(h, k, order.signal, ts, lots, one, room_by_currency(h, task, side), LIMIT_CURRENCY, SHRUNK_CURRENCY)
    if lots > 0.0 and not affordable(h, margin_for(task, lots, filled, rate)):
        review(h, k, order.signal, ts, REFUSED, NO_MARGIN, lots, 0.0)
        return 0.0
    return lots


@compiled
def add_allowed(h, task, side, notional, bar):
    """A grid's add is taken whole or not at all."""
    if account_of(h).halted or i1(h.warn)[bar] & DARK_OPEN:
        return False
    if h.max_leverage > 0.0 and not within(notional, room_by_leverage(h)):
        return False
    return h.max_currency <= 0.0 or within(notional, room_by_currency(h, task, side))


@compiled
def judge(h, now, low, equity):
    """Section 9: daily loss and drawdown at this row. ``account.equity`` is still that of the row before."""
    account = account_of(h)
    day, halts = i8(h.day)[account.instant] if h.daily_loss > 0.0 else 0, 0
    if day != account.day or account.rows == 0:
        account.day, account.day_start = day, account.equity
        account.halted &= FOR_GOOD
    if h.daily_loss > 0.0 and low <= account.day_start * (1.0 - h.daily_loss):
        halts |= FOR_THE_DAY
    if h.max_drawdown > 0.0 and low <= account.peak * (1.0 - h.max_drawdown):
        halts |= FOR_GOOD
    account.peak = max(account.peak, equity)
    if halts & ~account.halted:
        halt(h, now, halts)


@compiled
def halt(h, now, why):
    """No entries from here on: what waits is cancelled, and with ``flatten`` what is open leaves at the next open."""
    account, positions = account_of(h), positions_of(h)
    account.halted |= why
    for k in range(h.task_count):
        while goes_on(h, k, now) and cancel_first(h, k, now):
            pass
    account.pending = compacted(pending_of(h), account.pending)
    account.waiting = compacted(waiting_of(h), account.waiting)
    for i in range(account.positions):
        positions[i].adds_left, positions[i].add_level = 0, np.nan
        if h.flatten:
            positions[i].leaves |= BY_KILL


@compiled
def goes_on(h, k, now):
    """Has the series a bar that has not ended by now?"""
    return cursor_of(h, k).bar + ends_now(h, k, now) < task_of(h, k).first + task_of(h, k).count


@compiled
def cancel_first(h, k, now):
    """Cancel the order of the earliest signal of this task, waiting or pending; was there one?"""
    account, pending, waiting = account_of(h), pending_of(h), waiting_of(h)
    a, b = earliest(h, pending, account.pending, k), earliest(h, waiting, account.waiting, k)
    if a < 0 and b < 0:
        return False
    order = pending[a] if b < 0 or (a >= 0 and number_of(h, pending[a]) < number_of(h, waiting[b])) else waiting[b]
    order.dead = 1
    review(h, k, order.signal, now, REFUSED, HALTED, order.lots, 0.0)
    return True


@compiled
def earliest(h, orders, count, k):
    first = -1
    for i in range(count):
        if orders[i].task == k and not orders[i].dead and (first < 0 or number_of(h, orders[i]) < number_of(h, orders[first])):
            first = i
    return first


@compiled
def number_of(h, order):
    return signal_of(h, order.signal).number


# -- the opening of a position ----------------------------------------------------------------------------------------


@compiled
def enter(h, k, order, price, slip, spread, bar, inside, part, reason):
    """Open the position, unless a rule of section 3 or 6 forbids it. Did it?"""
    task, account, s, rate = task_of(h, k), account_of(h), signal_of(h, order.signal), cursor_of(h, k).rate
    filled, why = price + s.side * slip, refused(h, k, s, price, spread)
    if why >= 0:
        account.counts[why] += 1
        return False
    lots = allowed(h, k, order, s.side, filled, rate, bar)
    if lots <= 0.0:
        return False
    p, ts = positions_of(h)[account.positions], i8(h.ts)[bar]
    account.positions += 1
    account.trades += 1
    p.task, p.tag, p.signal, p.plan, p.side, p.trade = k, s.tag, order.signal, s.plan, s.side, account.trades
    p.entry_bar, p.entry_ts, p.inside, p.part = bar, ts, inside, part
    p.lots, p.entry_lots, p.first_lots, p.price = lots, lots, lots, filled
    p.stop, p.first_stop, p.risk, p.value = s.stop, s.stop, abs(filled - s.stop), task.contract * abs(rate)
    p.margin = margin_for(task, lots, filled, rate)
    p.notional = lots * p.value * abs(filled)
    account.used += p.margin
    clear(p)
    set_levels(h, task, p, s, bar)
    book(h, task, p, s.side, lots, filled, spread, slip, rate, ts, bar, reason)
    if s.oco != 0:
        cancel_siblings(h, k, order.signal, s.oco)
    return True


@compiled
def clear(p):
    p.gone, p.unclear, p.leaves, p.stop_reason, p.reached, p.fills = 0, 0, 0, R_STOP_LOSS, 0, 0
    p.share, p.mark, p.low, p.gross, p.costs, p.swap, p.left_sum, p.left_lots = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    p.worst, p.best, p.anchor, p.part_bar = np.nan, np.nan, np.nan, -1
    p.add_level, p.next_basket, p.adds_left = np.nan, np.nan, 0


@compiled
def set_levels(h, task, p, s, bar):
    """Section 4: levels in R are measured from this fill, and put on the grid; times are counted from this bar."""
    plan = plan_of(h, p.plan)
    for t in range(4):
        p.target[t] = grid(p.price + p.side * plan.target_r[t] * p.risk) if plan.target_r[t] > 0.0 else s.target[t]
    p.break_even_at = grid(p.price + p.side * plan.break_even_r * p.risk)
    p.break_even_to = grid(p.price + p.side * plan.break_even_offset)
    p.trail_from = grid(p.price + p.side * plan.trail_start_r * p.risk) if plan.trail_start_r > 0.0 else np.nan
    p.time_bar = bar + plan.max_bars if plan.max_bars > 0 else NEVER
    p.flat_at, p.shut_at = NEVER, NEVER
    if plan.flat >= 0:
        p.flat_at, p.shut_at = i8(h.flat_at)[plan.flat * h.bars + bar], i8(h.shut_at)[plan.flat * h.bars + bar]
    if plan.is_grid:
        p.target[0] = grid(p.price + p.side * plan.grid_basket)
        p.adds_left, p.add_lots, p.last_fill = plan.grid_adds, p.lots, p.price
        next_add(task, p, plan, bar)


@compiled
def next_add(task, p, plan, bar):
    """Section 3: the next limit of a grid, live from the bar after this one."""
    p.add_lots = min(whole_steps(p.add_lots * plan.grid_factor, task.lot_step), task.max_lot)
    possible = p.adds_left > 0 and p.add_lots >= task.min_lot - TINY and p.add_lots > 0.0
    p.add_level = grid(p.last_fill - p.side * plan.grid_spacing) if possible else np.nan
    p.add_from = bar + 1


@compiled
def cancel_siblings(h, k, signal, oco):
    """Only a fill cancels the others of its OCO."""
    account, pending, waiting = account_of(h), pending_of(h), waiting_of(h)
    for i in range(account.pending):
        cancel_sibling(h, pending[i], k, signal, oco)
    for i in range(account.waiting):
        cancel_sibling(h, waiting[i], k, signal, oco)


@compiled
def cancel_sibling(h, order, k, signal, oco):
    if not order.dead and order.task == k and order.signal != signal and signal_of(h, order.signal).oco == oco:
        order.dead = 1
        account_of(h).counts[OCO_CANCELLED] += 1


@compiled
def compacted(orders, count):
    kept = 0
    for i in range(count):
        if not orders[i].dead:
            if kept != i:
                orders[kept] = orders[i]
            kept += 1
    return kept


# -- decisions --------------------------------------------------------------------------------------------------------


@compiled
def decide(h, k, bar):
    """Section 3: the signals of this bar, sized on the equity of this close."""
    task, first = task_of(h, k), i8(h.signal_first)
    last = bar == task.first + task.count - 1
    for number in range(first[bar], first[bar + 1]):
        if last:
            account_of(h).counts[END_OF_DATA] += 1
        elif signal_of(h, number).order == EXIT:
            mark_exit(h, k, signal_of(h, number).tag)
        else:
            consider(h, k, bar, number)


@compiled
def mark_exit(h, k, tag):
    positions = positions_of(h)
    for i in range(account_of(h).positions):
        if positions[i].task == k and positions[i].tag == tag:
            positions[i].leaves |= BY_SIGNAL
            return
    account_of(h).counts[NOTHING_TO_EXIT] += 1


@compiled
def consider(h, k, bar, number):
    account, s = account_of(h), signal_of(h, number)
    plan = plan_of(h, s.plan)
    if h.reverse:
        mark_opposite(h, k, s)
    why = forbidden_now(h, bar) if h.limited or account.halted else -1
    if why >= 0:
        review(h, k, number, i8(h.end)[bar], REFUSED, why, np.nan, 0.0)
        return
    by_risk = h.sizer == FRACTION_AT_RISK or h.sizer == KELLY
    if np.isnan(s.stop) and (plan.needs_stop or (by_risk and np.isnan(s.lots))):
        account.counts[NO_STOP] += 1
        return
    lots = sized(h, k, bar, number)
    if lots <= 0.0:
        return
    if s.order == MARKET:
        order = waiting_of(h)[account.waiting]
        account.waiting += 1
    else:
        order = pending_of(h)[account.pending]
        account.pending += 1
    order.task, order.dead, order.signal, order.lots = k, 0, number, lots
    order.expires = bar + plan.valid_bars if plan.valid_bars > 0 else NEVER


@compiled
def mark_opposite(h, k, s):
    positions = positions_of(h)
    for i in range(account_of(h).positions):
        p = positions[i]
        if p.task == k and p.tag == s.tag and p.side != s.side:
            p.leaves |= BY_OPPOSITE


@compiled
def sized(h, k, bar, number):
    """Section 6: lots, in whole steps between minimum and maximum; 0 if there are none, and counted."""
    task, account, s, lots = task_of(h, k), account_of(h), signal_of(h, number), signal_of(h, number).lots
    if account.equity > 0.0 and np.isnan(lots) and task.usual > 0.0:
        return task.usual
    if account.equity > 0.0 and np.isnan(lots):
        lots = h.size if h.sizer == FIXED_LOTS else lots_by_equity(h, k, bar, s)
    if account.equity <= 0.0 or not np.isfinite(lots) or lots <= 0.0:
        review(h, k, number, i8(h.end)[bar], REFUSED, NO_SIZE, np.nan, 0.0)
        return 0.0
    lots = whole_steps(lots, task.lot_step)
    if lots < task.min_lot - TINY or lots <= 0.0:
        review(h, k, number, i8(h.end)[bar], REFUSED, BELOW_MIN_LOT, lots, 0.0)
        return 0.0
    if lots > task.max_lot + TINY:
        review(h, k, number, i8(h.end)[bar], CAPPED, OVER_MAX_LOT, lots, task.max_lot)
        return task.max_lot
    return lots


@compiled
def lots_by_equity(h, k, bar, s):
    """The share of equity that is put in, or put at risk, over what one lot of that is worth."""
    task, account, rate, share = task_of(h, k), account_of(h), rate_now(h, k), h.size
    if h.sizer == VOLATILITY:
        base = f8(h.sigma)[bar]
    else:
        expected = opening(s.side, f8(h.close)[bar], f8(h.spread)[bar], task.mid) if s.order == MARKET else s.price
        base = abs(expected) if h.sizer == NOTIONAL else abs(expected - s.stop)
    if h.sizer == KELLY:
        share = kelly_share(h)
    if (h.sizer == KELLY and share <= 0.0) or (h.sizer == VOLATILITY and not base > 0.0):
        return 0.0
    if rate < 0.0:
        account.counts[STALE_RATE] += 1
    return account.equity * share / (base * task.contract * abs(rate))


@compiled
def kelly_share(h):
    """Section 9: the share of equity at risk, from the R of the last closed trades."""
    closed, recent = account_of(h).closed, f8(h.recent)
    if closed < h.kelly_first:
        return h.kelly_start
    count, wins, won, lost = min(closed, h.kelly_window), 0, 0.0, 0.0
    for i in range(count):
        if recent[i] > 0.0:
            wins += 1
            won += recent[i]
        else:
            lost -= recent[i]
    p = wins / count
    if wins == 0:
        return -1.0
    ratio = 0.0 if wins == count or lost == 0.0 else (lost / (count - wins)) / (won / wins)
    return min(h.size * (p - (1.0 - p) * ratio), h.kelly_cap)


# -- step 1: the open -------------------------------------------------------------------------------------------------


@compiled
def charge_nights(h, task, p, nights, rate):
    """Section 5: swap on the lots open now."""
    account, per_night = account_of(h), task.swap_long if p.side > 0 else task.swap_short
    if per_night == 0.0:
        return
    if rate < 0.0:
        account.counts[STALE_RATE] += 1
    amount = per_night * p.lots * nights * abs(rate)
    account.balance += amount
    account.swap += amount
    p.swap += amount


@compiled
def close_at_open(h, task, p, bar, rate):
    """Section 4, step 1: the first of time, session, signal, opposite, kill switch, gapped stop, gapped targets."""
    ts, spread = i8(h.ts)[bar], f8(h.spread)[bar]
    price = closing(p.side, f8(h.open)[bar], spread, task.mid)
    reason = reason_to_leave(p, bar, ts, price)
    if reason >= 0:
        touch(p, price, price)
        leave(h, task, p, p.lots, price, slippage(h, task, p.signal, p.fills, bar - 1), spread, rate, ts, bar, reason)
    else:
        take_targets(h, task, p, price, price, price, spread, rate, bar)


@compiled
def reason_to_leave(p, bar, ts, price):
    if bar >= p.time_bar:
        return R_TIME
    if ts >= p.flat_at:
        return R_SESSION
    if p.leaves:
        return R_SIGNAL if p.leaves & BY_SIGNAL else R_OPPOSITE if p.leaves & BY_OPPOSITE else R_KILL
    return p.stop_reason if p.side * (price - p.stop) <= 0.0 else -1


@compiled
def take_targets(h, task, p, reach, at, worst, spread, rate, bar):
    """Close the share of every target that ``reach`` has reached, nearest first: at ``at`` where that is a number (the
    open has gapped through), else at the target's price exactly."""
    while p.lots > 0.0:
        t = nearest_target(p, reach)
        if t < 0:
            return
        plan = plan_of(h, p.plan)
        p.reached |= 1 << t
        p.share += plan.fraction[t]
        lots = p.lots
        if not plan.is_grid and p.share < 1.0 - TINY:
            lots = min(whole_steps(plan.fraction[t] * p.first_lots, task.lot_step), p.lots)
        if lots <= 0.0:
            account_of(h).counts[TARGET_BELOW_STEP] += 1
            continue
        price = p.target[t] if np.isnan(at) else at
        if lots >= p.lots - TINY:
            touch(p, worst, best_exit(p, bar, price))
        leave(h, task, p, lots, price, 0.0, spread, rate, i8(h.ts)[bar], bar, R_TARGET + t)


@compiled
def nearest_target(p, reach):
    """The nearest target not yet spent that lies at or before ``reach``; -1 if there is none."""
    best = -1
    for t in range(4):
        if p.side * (reach - p.target[t]) >= 0.0 and not p.reached & (1 << t) and (best < 0 or p.side * (p.target[best] - p.target[t]) > 0.0):
            best = t
    return best


@compiled
def open_bar(h, k, bar):
    """Closings at the open of this bar."""
    task, positions, rate = task_of(h, k), positions_of(h), cursor_of(h, k).rate
    for i in range(account_of(h).positions):
        if positions[i].task == k and not positions[i].gone:
            close_at_open(h, task, positions[i], bar, rate)


@compiled
def enter_at_open(h, k, bar):
    """Market orders of the bar before, in the order of their signals."""
    task, account, waiting = task_of(h, k), account_of(h), waiting_of(h)
    for i in range(account.waiting):
        order = waiting[i]
        if order.task == k and not order.dead:
            order.dead = 1
            price = opening(signal_of(h, order.signal).side, f8(h.open)[bar], f8(h.spread)[bar], task.mid)
            enter(h, k, order, price, slippage(h, task, order.signal, 0, bar - 1), f8(h.spread)[bar], bar, 0, -1, R_MARKET)
    account.waiting = compacted(waiting, account.waiting)


# -- step 2: through the bar ------------------------------------------------------------------------------------------


@compiled
def through_bar(h, k, bar):
    """Section 4, step 2."""
    task, account, positions, mine = task_of(h, k), account_of(h), positions_of(h), account_of(h).pending > 0
    for i in range(account.positions):
        if positions[i].task == k:
            count_low(h, task, positions[i], bar)
            mine = True
    if not mine:
        return
    first, last = 0, 0
    if h.intrabar == MAGNIFY and alive(h, k):
        first, last = i8(h.finer_first)[bar], i8(h.finer_last)[bar]
        check_finer(h, bar, first, last)
    if first == last:
        one_pass(h, k, bar, f8(h.open)[bar], f8(h.high)[bar], f8(h.low)[bar], f8(h.close)[bar], f8(h.spread)[bar], bar)
    for j in range(first, last):
        gaps(h, k, bar, f8(h.finer_open)[j], f8(h.finer_spread)[j])
        one_pass(h, k, bar, f8(h.finer_open)[j], f8(h.finer_high)[j], f8(h.finer_low)[j], f8(h.finer_close)[j], f8(h.finer_spread)[j], j)
    expire(h, k, bar)


@compiled
def alive(h, k):
    account, positions, pending = account_of(h), positions_of(h), pending_of(h)
    for i in range(account.positions):
        if positions[i].task == k:
            return True
    for i in range(account.pending):
        if pending[i].task == k and not pending[i].dead:
            return True
    return False


@compiled
def check_finer(h, bar, first, last):
    """Count a bar that has no finer bars, or whose finer bars reach further or less far than it does."""
    if first == last:
        account_of(h).counts[NOT_MAGNIFIED] += 1
    elif i1(h.finer_off)[bar]:
        account_of(h).counts[MAGNIFY_MISMATCH] += 1


@compiled
def gaps(h, k, bar, open_, spread):
    """A stop, or targets, that the open of a finer bar has gapped through."""
    task, positions, rate = task_of(h, k), positions_of(h), cursor_of(h, k).rate
    for i in range(account_of(h).positions):
        p = positions[i]
        if p.task != k or p.gone:
            continue
        price = closing(p.side, open_, spread, task.mid)
        if p.side * (price - p.stop) <= 0.0:
            end_inside(h, task, p, price, slippage(h, task, p.signal, p.fills, bar - 1), spread, rate, bar)
        else:
            take_targets(h, task, p, price, price, adverse(h, task, p.side, bar), spread, rate, bar)


@compiled
def end_inside(h, task, p, price, slip, spread, rate, bar):
    """A stop's fill inside the bar: adverse not beyond it, favourable only up to it."""
    filled, furthest = price - p.side * slip, adverse(h, task, p.side, bar)
    touch(p, furthest if p.side * (furthest - filled) > 0.0 else filled, best_exit(p, bar, filled))
    leave(h, task, p, p.lots, price, slip, spread, rate, i8(h.ts)[bar], bar, p.stop_reason)


@compiled
def count_low(h, task, p, bar):
    """Section 6: the position at its adverse extreme, or at the fill of the stop that this reached."""
    price = adverse(h, task, p.side, bar)
    if p.side * (price - p.stop) <= 0.0:
        price = p.stop - p.side * slippage(h, task, p.signal, p.fills, bar - 1)
    p.low = p.side * (price - p.price) * p.lots * task.contract * abs(rate_now(h, p.task))


@compiled
def one_pass(h, k, bar, open_, high, low, close, spread, part):
    """Pending entries in their order, then stop and targets of each position, oldest first. ``part`` is the (finer) bar."""
    task, account, positions = task_of(h, k), account_of(h), positions_of(h)
    enter_pending(h, k, bar, open_, high, low, spread, part)
    for i in range(account.positions):
        if positions[i].task == k and not positions[i].gone:
            protect(h, task, positions[i], bar, open_, high, low, close, spread, part)


@compiled
def protect(h, task, p, bar, open_, high, low, close, spread, part):
    """Section 4, step 2: which of stop and targets this (finer) bar reaches, and which comes first."""
    inside = p.inside and p.part == part
    against = closing(p.side, low if p.side > 0 else high, spread, task.mid)
    in_favour = closing(p.side, close if inside else high if p.side > 0 else low, spread, task.mid)
    stopped, targeted = p.side * (against - p.stop) <= 0.0, nearest_target(p, in_favour) >= 0
    if not (stopped or targeted):
        return
    if stopped and (targeted or inside) and not p.unclear:
        p.unclear = 1
        account_of(h).ambiguous += 1
    rate = cursor_of(h, p.task).rate
    if targeted and not (stopped and stop_comes_first(h, task, p, open_, high, low, spread, inside)):
        take_targets(h, task, p, in_favour, np.nan, adverse(h, task, p.side, bar), spread, rate, bar)
    if stopped and not p.gone:
        end_inside(h, task, p, p.stop, slippage(h, task, p.signal, p.fills, bar - 1), spread, rate, bar)


@compiled
def stop_comes_first(h, task, p, open_, high, low, spread, inside):
    if h.intrabar == OPTIMISTIC:
        return False
    if h.intrabar == PATH and not inside:
        at, top, bottom = closing(p.side, open_, spread, task.mid), closing(p.side, high, spread, task.mid), closing(p.side, low, spread, task.mid)
        high_first = grid(abs(at - top)) <= grid(abs(at - bottom))
        return high_first == (p.side < 0)
    return True


@compiled
def enter_pending(h, k, bar, open_, high, low, spread, part):
    """Section 3: all pending orders that could fill in this (finer) bar, by their distance from its open."""
    found, candidates = gather(h, k, bar, open_, high, low, spread), candidates_of(h)
    for _ in range(found):
        best = candidates[next_candidate(h, found)]
        which = best.which
        best.which = -NEVER
        if which >= 0:
            fill_pending(h, k, bar, open_, spread, part, pending_of(h)[which])
        else:
            add_to_grid(h, k, bar, open_, spread, positions_of(h)[-1 - which])


@compiled
def gather(h, k, bar, open_, high, low, spread):
    task, account, pending, positions, found = task_of(h, k), account_of(h), pending_of(h), positions_of(h), 0
    for i in range(account.pending):
        if pending[i].task == k and not pending[i].dead:
            s = signal_of(h, pending[i].signal)
            found = note_candidate(h, task, found, i, s.side, s.order == STOP, s.price, s.number, open_, high, low, spread)
    for i in range(account.positions):
        p = positions[i]
        if p.adds_left > 0 and p.task == k and not p.gone and not np.isnan(p.add_level) and bar >= p.add_from:
            found = note_candidate(h, task, found, -1 - i, p.side, False, p.add_level, signal_of(h, p.signal).number, open_, high, low, spread)
    return found


@compiled
def note_candidate(h, task, found, which, side, is_stop, level, number, open_, high, low, spread):
    """Note an order whose level this bar reaches, with its distance from the open of the side it trades on."""
    upwards = (side > 0) == is_stop             # a buy stop and a sell limit wait above
    way = 1.0 if upwards else -1.0
    if way * (opening(side, high if upwards else low, spread, task.mid) - level) < 0.0:
        return found
    c = candidates_of(h)[found]
    c.which, c.sell, c.number = which, 1 if side < 0 else 0, number
    c.distance = max(grid(way * (level - opening(side, open_, spread, task.mid))), 0.0)
    return found + 1


@compiled
def next_candidate(h, found):
    candidates, best = candidates_of(h), -1
    for i in range(found):
        if candidates[i].which != -NEVER and (best < 0 or comes_before(candidates[i], candidates[best])):
            best = i
    return best


@compiled
def comes_before(a, b):
    """Nearest first; then buys; then in the order of the signals."""
    if a.distance != b.distance:
        return a.distance < b.distance
    return a.sell < b.sell if a.sell != b.sell else a.number < b.number


@compiled
def fill_pending(h, k, bar, open_, spread, part, order):
    if order.dead:
        return                                  # its OCO was filled first
    order.dead = 1
    task, s, held = task_of(h, k), signal_of(h, order.signal), account_of(h).positions
    at, is_stop = opening(s.side, open_, spread, task.mid), s.order == STOP
    price = max(at, s.price) if (s.side > 0) == is_stop else min(at, s.price)
    slip = slippage(h, task, order.signal, 0, bar - 1) if is_stop else 0.0
    if enter(h, k, order, price, slip, spread, bar, 1, part, s.order):
        count_low(h, task, positions_of(h)[held], bar)


@compiled
def add_to_grid(h, k, bar, open_, spread, p):
    """One more limit of a grid: average, margin and the target of the next bar move."""
    if p.gone:
        return
    task, account, plan, rate = task_of(h, k), account_of(h), plan_of(h, p.plan), cursor_of(h, k).rate
    at, lots = opening(p.side, open_, spread, task.mid), p.add_lots
    price = min(at, p.add_level) if p.side > 0 else max(at, p.add_level)
    margin, closes = margin_for(task, lots, price, rate), grid(price - p.side * spread)
    through = p.side * (closes - p.stop) <= 0.0 or p.side * (p.target[0] - closes) <= 0.0
    notional = lots * task.contract * abs(price) * abs(rate)
    if through or not affordable(h, margin) or (h.limited and not add_allowed(h, task, p.side, notional, bar)):
        p.adds_left, p.add_level = 0, np.nan
        return
    p.price = (p.price * p.lots + price * lots) / (p.lots + lots)
    p.lots += lots
    p.entry_lots += lots
    p.margin += margin
    p.notional += notional
    account.used += margin
    book(h, task, p, p.side, lots, price, spread, 0.0, rate, i8(h.ts)[bar], bar, R_GRID)
    p.next_basket, p.last_fill = grid(p.price + p.side * plan.grid_basket), price
    p.adds_left -= 1
    next_add(task, p, plan, bar)
    count_low(h, task, p, bar)


@compiled
def expire(h, k, bar):
    account, pending = account_of(h), pending_of(h)
    if account.pending == 0:
        return
    for i in range(account.pending):
        if pending[i].task == k and not pending[i].dead and bar >= pending[i].expires:
            pending[i].dead = 1
            account.counts[EXPIRED] += 1
    account.pending = compacted(pending, account.pending)


@compiled
def stop_out(h, now):
    """Section 6: while the account is too thin at the bars' adverse extremes, its largest loser leaves whole."""
    account, positions = account_of(h), positions_of(h)
    while account.used > 0.0 and h.stop_out > 0.0:
        value, worst, loser = account.balance, 0.0, -1
        for i in range(account.positions):
            p = positions[i]
            if not p.gone:
                floating = p.side * (out_price(h, p, now) - p.price) * p.lots * task_of(h, p.task).contract * abs(rate_now(h, p.task))
                value += floating
                if floating < worst:
                    worst, loser = floating, i
        if loser < 0 or value / account.used > h.stop_out:
            return
        throw_out(h, positions[loser], now)


@compiled
def ends_now(h, k, now):
    cursor = cursor_of(h, k)
    return cursor.inside != 0 and i8(h.end)[cursor.bar] == now


@compiled
def out_price(h, p, now):
    """The adverse extreme of a bar that ends now, else the last known close."""
    bar, task = cursor_of(h, p.task).bar, task_of(h, p.task)
    return adverse(h, task, p.side, bar) if ends_now(h, p.task, now) else closed_at(h, task, p.side, bar - 1)


@compiled
def throw_out(h, p, now):
    task, bar, price = task_of(h, p.task), cursor_of(h, p.task).bar, out_price(h, p, now)
    slip = slippage(h, task, p.signal, p.fills, bar - 1)
    if ends_now(h, p.task, now):
        touch(p, price, best_exit(p, bar, price - p.side * slip))
        leave(h, task, p, p.lots, price, slip, f8(h.spread)[bar], cursor_of(h, p.task).rate, i8(h.ts)[bar], bar, R_STOP_OUT)
    else:
        p.low = p.side * (price - p.price) * p.lots * task.contract * abs(rate_now(h, p.task))
        begun = bar if cursor_of(h, p.task).inside else bar - 1
        touch(p, price, price)
        leave(h, task, p, p.lots, price, slip, f8(h.spread)[bar - 1], rate_now(h, p.task), now, begun, R_STOP_OUT)


# -- step 3: the close ------------------------------------------------------------------------------------------------


@compiled
def close_bar(h, k, bar):
    """Session exits at the close, then swap, on the positions of one task."""
    task, positions, end, rate = task_of(h, k), positions_of(h), i8(h.end)[bar], rate_now(h, k)
    nights = i1(h.nights_in)[bar] if task.swaps else 0
    for i in range(account_of(h).positions):
        p = positions[i]
        if p.task != k or p.gone:
            continue
        if i8(h.ts)[bar] < p.shut_at <= end:
            price, slip = closed_at(h, task, p.side, bar), slippage(h, task, p.signal, p.fills, bar)
            touch(p, adverse(h, task, p.side, bar), best_exit(p, bar, price - p.side * slip))
            leave(h, task, p, p.lots, price, slip, f8(h.spread)[bar], rate, end, bar, R_SESSION)
        elif nights > 0:
            charge_nights(h, task, p, nights, rate)


@compiled
def mark_all(h, now):
    """Every open position at its last known close; the sum of what that makes."""
    positions, total = positions_of(h), 0.0
    for i in range(account_of(h).positions):
        p = positions[i]
        if not p.gone:
            bar, task = cursor_of(h, p.task).bar, task_of(h, p.task)
            price = closed_at(h, task, p.side, bar if ends_now(h, p.task, now) else bar - 1)
            p.mark = p.side * (price - p.price) * p.lots * task.contract * abs(rate_now(h, p.task))
            total += p.mark
    return total


@compiled
def move_stop(h, task, p, bar):
    """Section 4, step 3: excursions, then break-even, then the trail; live from the next bar."""
    best = f8(h.close)[bar] if p.inside else f8(h.high)[bar] if p.side > 0 else f8(h.low)[bar]
    best = closing(p.side, best, f8(h.spread)[bar], task.mid)
    touch(p, adverse(h, task, p.side, bar), best)
    p.inside, p.unclear = 0, 0
    if not np.isnan(p.next_basket):
        p.target[0], p.next_basket = p.next_basket, np.nan
    if p.side * (best - p.break_even_at) >= 0.0:
        tighten(p, p.break_even_to, R_BREAK_EVEN)
    plan = plan_of(h, p.plan)
    if plan.trail_kind:
        trail(h, p, plan, bar, best)


@compiled
def tighten(p, level, reason):
    if np.isnan(p.stop) or p.side * (level - p.stop) > 0.0:
        p.stop, p.stop_reason = level, reason


@compiled
def trail(h, p, plan, bar, best):
    if np.isnan(p.anchor) or p.side * (best - p.anchor) > 0.0:
        p.anchor = best
    if p.side * (p.anchor - p.trail_from) < 0.0:
        return
    if plan.trail_kind == QUANTILE:
        level = f8(h.trail_price)[bar]
    elif plan.trail_kind == POINTS:
        level = p.anchor - p.side * plan.trail_value
    elif plan.trail_kind == PERCENT:
        level = p.anchor - p.side * plan.trail_value / 100.0 * abs(p.anchor)
    else:
        level = p.anchor - p.side * plan.trail_value * f8(h.atr)[plan.trail_atr * h.bars + bar]
    if not np.isnan(level):
        tighten(p, grid(level), R_TRAIL)


@compiled
def write_row(h, now, floating):
    """Section 6: the equity row of this instant."""
    account, positions = account_of(h), positions_of(h)
    low = account.before - account.commission + account.swap
    for i in range(account.positions):
        low += positions[i].low if positions[i].gone or ends_now(h, positions[i].task, now) else positions[i].mark
    row, equity = account.rows, account.balance + floating
    low = min(low, equity)
    i8(h.row_ts)[row], f8(h.row_balance)[row], f8(h.row_equity)[row] = now, account.balance, equity
    f8(h.row_equity_low)[row], f8(h.row_used_margin)[row] = low, account.used
    if h.watched:
        judge(h, now, low, equity)
    account.equity = equity
    account.rows += 1


# -- the clock --------------------------------------------------------------------------------------------------------


@compiled
def next_instant(h):
    """The nearest open or end of a bar over all tasks."""
    nearest = NEVER
    for k in range(h.task_count):
        cursor, task = cursor_of(h, k), task_of(h, k)
        if cursor.inside:
            nearest = min(nearest, i8(h.end)[cursor.bar])
        elif cursor.bar < task.first + task.count:
            nearest = min(nearest, i8(h.ts)[cursor.bar])
    return nearest


@compiled
def advance(h):
    """Section 2: everything that happens at the next instant. False if there is none."""
    if h.task_count == 1:
        return advance_alone(h)
    now, ends = next_instant(h), False
    if now == NEVER:
        return False
    for k in range(h.task_count):
        ends = ends or ends_now(h, k, now)
    if ends:
        end_bars(h, now)
    open_bars(h, now)
    account_of(h).instant += 1
    return True


@compiled
def advance_alone(h):
    """The same for an account with one series: its bars end and open in turn."""
    cursor, task, account = cursor_of(h, 0), task_of(h, 0), account_of(h)
    if cursor.bar >= task.first + task.count:
        return False
    now = i8(h.end)[cursor.bar] if cursor.inside else i8(h.ts)[cursor.bar]
    if cursor.inside:
        end_bar_alone(h, task, cursor.bar, now)
        cursor.inside = 0
        cursor.bar += 1
    if cursor.bar < task.first + task.count and i8(h.ts)[cursor.bar] == now:
        open_bar_alone(h, task, cursor.bar)
        cursor.inside = 1
    account.instant += 1
    return True


@compiled
def end_bar_alone(h, task, bar, now):
    account, positions, floating = account_of(h), positions_of(h), 0.0
    account.before, account.commission, account.swap = account.balance, 0.0, 0.0
    prefetch(h.signals + i8(h.signal_first)[bar] * SIGNAL_BYTES)
    prefetch(h.signals + i8(h.signal_first)[bar] * SIGNAL_BYTES + 64)
    if account.positions > 0 or account.pending > 0:
        through_bar(h, 0, bar)
        if account.used > 0.0:
            stop_out(h, now)
        close_bar(h, 0, bar)
        floating = mark_all(h, now)
        for i in range(account.positions):
            if not positions[i].gone:
                move_stop(h, task, positions[i], bar)
    write_row(h, now, floating)
    remove_gone(h)
    decide(h, 0, bar)


@compiled
def open_bar_alone(h, task, bar):
    account, positions, cursor = account_of(h), positions_of(h), cursor_of(h, 0)
    cursor.rate = rate_now(h, 0)
    nights = i1(h.nights_before)[bar] if task.swaps and account.positions > 0 else 0
    if nights > 0:
        for i in range(account.positions):
            charge_nights(h, task, positions[i], nights, cursor.rate)
    if account.positions > 0:
        open_bar(h, 0, bar)
        remove_gone(h)
    if account.waiting > 0:
        enter_at_open(h, 0, bar)


@compiled
def end_bars(h, now):
    """Steps 2 and 3 of every bar that ends now, and the decisions at their closes."""
    account, positions = account_of(h), positions_of(h)
    account.before, account.commission, account.swap = account.balance, 0.0, 0.0
    for k in range(h.task_count):
        if ends_now(h, k, now):
            through_bar(h, k, cursor_of(h, k).bar)
    stop_out(h, now)
    for k in range(h.task_count):
        if ends_now(h, k, now):
            close_bar(h, k, cursor_of(h, k).bar)
    floating = mark_all(h, now)
    for i in range(account.positions):
        if not positions[i].gone and ends_now(h, positions[i].task, now):
            move_stop(h, task_of(h, positions[i].task), positions[i], cursor_of(h, positions[i].task).bar)
    write_row(h, now, floating)
    remove_gone(h)
    for k in range(h.task_count):
        if ends_now(h, k, now):
            decide(h, k, cursor_of(h, k).bar)
    for k in range(h.task_count):
        if ends_now(h, k, now):
            cursor_of(h, k).inside = 0
            cursor_of(h, k).bar += 1


@compiled
def opens_now(h, k, now):
    cursor, task = cursor_of(h, k), task_of(h, k)
    return cursor.inside == 0 and cursor.bar < task.first + task.count and i8(h.ts)[cursor.bar] == now


@compiled
def open_bars(h, now):
    """Step 1 of every bar that opens now: nights no bar covered, the closings of all series, then market entries."""
    account, positions = account_of(h), positions_of(h)
    for k in range(h.task_count):
        if opens_now(h, k, now):
            cursor_of(h, k).rate = rate_now(h, k)
            nights = i1(h.nights_before)[cursor_of(h, k).bar] if task_of(h, k).swaps else 0
            for i in range(account.positions if nights > 0 else 0):
                if positions[i].task == k:
                    charge_nights(h, task_of(h, k), positions[i], nights, cursor_of(h, k).rate)
    for k in range(h.task_count):
        if opens_now(h, k, now):
            open_bar(h, k, cursor_of(h, k).bar)
    remove_gone(h)
    for k in range(h.task_count):
        if opens_now(h, k, now):
            enter_at_open(h, k, cursor_of(h, k).bar)
            cursor_of(h, k).inside = 1


# -- quiet bars -------------------------------------------------------------------------------------------------------
#
# Most bars of most runs touch nothing: no order waits, no level is reached, no night is charged. For one series in the
# account's currency their rows are written here in one tight loop, with what the instants above would have written; the
# first bar that is not quiet is left to them.


@compiled
def may_rest(h):
    """Is the account in a state in which a bar can be quiet?"""
    account = account_of(h)
    if h.task_count != 1 or h.converts or h.watched or account.pending > 0 or account.waiting > 0 or account.positions > 1 or not cursor_of(h, 0).inside:
        return False
    return account.positions == 0 or may_hold(h, positions_of(h)[0])


@compiled
def may_hold(h, p):
    plan = plan_of(h, p.plan)
    return not (p.inside or p.leaves or plan.is_grid or plan.trail_kind or h.intrabar == MAGNIFY)


@compiled
def rest(h, most):
    """Quiet bars, one after another; how many instants that were."""
    if not may_rest(h):
        return 0
    account, before = account_of(h), account_of(h).instant
    if account.positions == 0:
        rest_flat(h, most)
    else:
        rest_holding(h, most)
    return account.instant - before


@compiled
def rest_flat(h, most):
    """No position, and no signal until the bar that ends this."""
    account, cursor, task = account_of(h), cursor_of(h, 0), task_of(h, 0)
    ts, end, first, row_ts, equity, i = i8(h.ts), i8(h.end), i8(h.signal_first), i8(h.row_ts), account.balance, cursor.bar
    balances, equities, lows, used = f8(h.row_balance), f8(h.row_equity), f8(h.row_equity_low), f8(h.row_used_margin)
    last, done, row = task.first + task.count - 1, 0, account.rows
    while i < last and done + 2 <= most and first[i] == first[i + 1]:
        row_ts[row], balances[row], equities[row], lows[row], used[row] = end[i], equity, equity, equity, account.used
        done += 1 if end[i] == ts[i + 1] else 2
        row += 1
        i += 1
    account.rows, account.instant, cursor.bar, account.equity = row, account.instant + done, i, equity
    cursor.rate = 1.0


@compiled
def rest_holding(h, most):
    """One position whose levels these bars do not reach, and whose tag takes up every signal they bring.

    The closing side of a price is ``price + over * spread``; what comes within ``NEAR`` of a level is left to ``advance``,
    which looks at it on the grid.
    """
    account, cursor, task, p = account_of(h), cursor_of(h, 0), task_of(h, 0), positions_of(h)[0]
    ts, end, first, nights_in, nights_before = i8(h.ts), i8(h.end), i8(h.signal_first), i1(h.nights_in), i1(h.nights_before)
    open_, high, low, close, spread = f8(h.open), f8(h.high), f8(h.low), f8(h.close), f8(h.spread)
    row_ts, balances, equities, lows, used = i8(h.row_ts), f8(h.row_balance), f8(h.row_equity), f8(h.row_equity_low), f8(h.row_used_margin)
    side, price, swaps, contract, lots, balance, margin = p.side, p.price, task.swaps, task.contract, p.lots, account.balance, account.used
    over, adverse_side, good_side = -0.5 * side if task.mid else 0.0 if side > 0 else 1.0, low if side > 0 else high, high if side > 0 else low
    target, even, bottom = highest_rest(p)
    top, thin, shut_at = min(target, even), margin * h.stop_out * (1.0 + TINY), p.shut_at
    flat_at, last, done, row, i = p.flat_at, min(task.first + task.count - 1, p.time_bar - 1), 0, account.rows, cursor.bar
    worst, best, mark, floating, equity = side * p.worst, side * p.best, p.mark, p.low, account.equity
    while i < last and done + 2 <= most:
        wide = over * spread[i] if over != 0.0 else 0.0
        extreme, in_favour = adverse_side[i] + wide, side * (good_side[i] + wide)
        opens = side * (open_[i + 1] + (over * spread[i + 1] if over != 0.0 else 0.0))
        if side * extreme <= bottom or in_favour >= top or opens <= bottom or opens >= target or ts[i + 1] >= flat_at or (ts[i] < shut_at <= end[i]):
            break
        if swaps and (nights_in[i] or nights_before[i + 1]):
            break
        closes = close[i] + wide
        if over != 0.0:
            extreme, closes = grid(extreme), grid(closes)
        falls, marked = side * (extreme - price) * lots * contract, side * (closes - price) * lots * contract
        if thin > 0.0 and balance + falls <= thin:
            break
        if first[i] != first[i + 1]:
            account.equity = balance + marked
            if not taken_up(h, p, i, first[i], first[i + 1]):
                account.equity = equity
                break
        floating, mark, equity = falls, marked, balance + marked
        worst = side * extreme if not side * extreme >= worst else worst
        best = in_favour if not in_favour <= best else best
        row_ts[row], balances[row], equities[row], lows[row], used[row] = end[i], balance, equity, min(balance + falls, equity), margin
        done += 1 if end[i] == ts[i + 1] else 2
        row += 1
        i += 1
    if done:
        p.worst, p.best, p.mark, p.low, p.unclear = side * worst, grid(side * best), mark, floating, 0
        account.equity, account.rows, account.instant, cursor.bar, cursor.rate = equity, row, account.instant + done, i, 1.0


@compiled
def highest_rest(p):
    """Times its side: the nearest target, the trigger of a break-even that would still tighten, and the stop; each a bit closer."""
    nearest = nearest_target(p, p.side * np.inf)
    tightens = not np.isnan(p.break_even_at) and (np.isnan(p.stop) or p.side * (p.break_even_to - p.stop) > 0.0)
    target = p.side * p.target[nearest] - NEAR if nearest >= 0 else np.inf
    even = p.side * p.break_even_at - NEAR if tightens else np.inf
    return target, even, -np.inf if np.isnan(p.stop) else p.side * p.stop + NEAR


@compiled
def taken_up(h, p, bar, begin, stop):
    """Drop every signal of this bar as its fill at the next open would, for the position holds its tag; False, and nothing
    is done, if one of them needs more than that."""
    account, brief = account_of(h), i8(h.brief)
    if h.limited or account.halted or account.reviews_out + 2 * (stop - begin) >= h.fill_places:
        return False
    for number in range(begin, stop):
        if not brief[number] & PLAIN or brief[number] >> 2 != p.tag or (h.reverse and ((brief[number] & LONG) != 0) != (p.side > 0)):
            return False
    fixed = task_of(h, 0).usual > 0.0 and account.equity > 0.0
    for number in range(begin, stop):
        if fixed or sized(h, 0, bar, number) > 0.0:
            account.counts[DUPLICATE_TAG if ((brief[number] & LONG) != 0) == (p.side > 0) else OPPOSITE_DROPPED] += 1
    return True


@compiled
def has_room(h):
    """Is there place for whatever the next instant may bring: results, orders, positions?"""
    account, coming, first = account_of(h), 0, i8(h.signal_first)
    for k in range(h.task_count):
        bar, task = cursor_of(h, k).bar, task_of(h, k)
        if bar < task.first + task.count:
            coming += first[bar + 1] - first[bar]
    orders = account.positions + account.pending + account.waiting + coming
    out = max(account.fills_out, account.trades_out, account.reviews_out)
    return orders <= h.position_places and orders <= h.order_places and 8 * orders + 8 < h.fill_places - out


@compiled
def run(house, most):
    """Up to ``most`` instants; how many there were. Fewer: the end of the data, or no more room."""
    h, done = house[0], 0
    while done < most and has_room(h):
        rested = rest(h, most - done)
        done += rested
        if rested == 0:
            if not advance(h):
                break
            done += 1
    return done


@compiled
def kill(house):
    """A person's kill switch, between two instants."""
    h = house[0]
    last = account_of(h).rows - 1
    halt(h, i8(h.row_ts)[last] if last >= 0 else 0, FOR_GOOD)


@compiled
def ended(house):
    return next_instant(house[0]) == NEVER


@compiled
def finish(house, final_rate):
    """Section 5 and 7: what is open after the last instant leaves at its series' last close; the last row is after that."""
    h = house[0]
    account, positions = account_of(h), positions_of(h)
    account.counts[END_OF_DATA] += compacted(pending_of(h), account.pending) + compacted(waiting_of(h), account.waiting)
    account.pending, account.waiting, account.commission = 0, 0, 0.0
    for k in range(h.task_count):
        task = task_of(h, k)
        bar = task.first + task.count - 1
        for i in range(account.positions):
            p = positions[i]
            if p.task == k:
                price = closed_at(h, task, p.side, bar)
                leave(h, task, p, p.lots, price, 0.0, f8(h.spread)[bar], final_rate[k], i8(h.end)[bar], bar, R_END)
    remove_gone(h)
    row = account.rows - 1
    if row >= 0:
        account.equity = account.balance
        f8(h.row_balance)[row], f8(h.row_equity)[row], f8(h.row_used_margin)[row] = account.balance, account.balance, 0.0
        f8(h.row_equity_low)[row] = min(f8(h.row_equity_low)[row], account.balance)
