"""Lots of an order that margin and limits allow, and the record of their verdicts."""

from __future__ import annotations

import numpy as np

from domain.backtest.kernel.codes import (
    BELOW_MIN_LOT,
    BLACKOUT,
    DARK_END,
    DARK_OPEN,
    DRIFTED,
    HALTED,
    HOUR,
    LIMIT_CURRENCY,
    LIMIT_ES95,
    LIMIT_HEADROOM,
    LIMIT_LEVERAGE,
    LIMIT_NEWS,
    LIMIT_OPEN_RISK,
    LIMIT_SESSION,
    LIMIT_SPREAD,
    LIMIT_VOLATILITY,
    NEWS,
    NO_MARGIN,
    OFF_SESSION,
    REFUSED,
    SHRUNK,
    SHRUNK_CURRENCY,
    SHRUNK_DAILY_GATE,
    SHRUNK_DRIFT,
    SHRUNK_LEVERAGE,
    SHRUNK_OPEN_RISK,
    SPREAD_SPIKE,
    TINY,
    VOLATILITY_SPIKE,
    WORST,
)
from domain.backtest.kernel.floors import lies_clear
from domain.backtest.kernel.numbers import whole_steps
from domain.backtest.kernel.places import account_of, positions_of, reviews_of, signal_of, task_of
from domain.backtest.kernel.worth import known_equity, loss_at_stop
from domain.backtest.memory import compiled, f8, i1, i8
from domain.backtest.state import COUNT


@compiled
def margin_for(task, lots, price, rate):
    """Section 6, in account currency."""
    if task.margin_per_lot > 0.0:
        return lots * task.margin_per_lot * abs(rate)
    return lots * task.contract * abs(price) / task.leverage * abs(rate)


@compiled
def affordable(h, margin):
    capacity = known_equity(h) - account_of(h).used
    return margin <= capacity + TINY * abs(capacity)


@compiled
def measured(h, value, allowed):
    """What the review that comes next has found, and how much of it is allowed; NaN where it has no number. True."""
    account = account_of(h)
    account.value, account.allowed, account.buffer = value, allowed if np.isfinite(allowed) else np.nan, np.nan
    return True


@compiled
def review(h, k, signal, ts, verdict, reason, lots, given):
    """Section 9: record what was refused, shrunk or capped, and count it."""
    account = account_of(h)
    account.counts[reason] += 1
    r = reviews_of(h)[account.reviews_out]
    account.reviews_out += 1
    r.task, r.signal, r.ts, r.verdict, r.reason, r.requested, r.given = k, signal, ts, verdict, reason, lots, given
    r.value, r.allowed, r.buffer = account.value, account.allowed, account.buffer
    measured(h, np.nan, np.nan)


@compiled
def forbidden_now(h, bar):
    """Section 9, at the decision: the limit that forbids every entry at this close; -1 if none does."""
    if account_of(h).halted:
        return HALTED
    warn = i1(h.warn)[bar]
    if warn & DARK_END:
        return BLACKOUT
    if warn & NEWS:
        return LIMIT_NEWS
    if warn & OFF_SESSION:
        return LIMIT_SESSION
    if warn & SPREAD_SPIKE:
        return LIMIT_SPREAD
    return LIMIT_VOLATILITY if warn & VOLATILITY_SPIKE else -1


AT_FILL: list = []      # code and function of each limit that refuses an entry of any size at its fill, in the order of their review


def refuses(key):
    """Register a limit: a function of the account ``h``, the task, the side and the bar that says whether it refuses. ``key``: what it is counted as."""

    def register(function):
        limit = compiled(function)
        AT_FILL.append((COUNT[key], limit))
        return limit

    return register


@refuses("halted")
def halted(h, k, side, bar):
    return account_of(h).halted != 0


@refuses("blackout")
def opens_in_blackout(h, k, side, bar):
    return i1(h.warn)[bar] & DARK_OPEN != 0


@refuses("limit_positions")
def too_many_positions(h, k, side, bar):
    account, positions, count = account_of(h), positions_of(h), 0
    for i in range(account.positions):
        count += not positions[i].gone
    return 0 < h.max_positions <= count and measured(h, count, h.max_positions)


@refuses("limit_symbol")
def too_many_in_instrument(h, k, side, bar):
    account, positions, symbol, count = account_of(h), positions_of(h), task_of(h, k).symbol, 0
    for i in range(account.positions):
        count += not positions[i].gone and task_of(h, positions[i].task).symbol == symbol
    return 0 < h.max_per_symbol <= count and measured(h, count, h.max_per_symbol)


@refuses("limit_sector")
def too_many_in_group(h, k, side, bar):
    account, positions, group, count = account_of(h), positions_of(h), task_of(h, k).group, 0
    for i in range(account.positions):
        count += not positions[i].gone and task_of(h, positions[i].task).group == group
    return 0 < h.sector <= count and measured(h, count, h.sector)


@refuses("limit_rate")
def too_many_in_an_hour(h, k, side, bar):
    return h.limit_rate > 0 and i8(h.entered)[earliest_entry(h)] > i8(h.ts)[bar] - HOUR and measured(h, h.limit_rate, h.limit_rate)


@compiled
def earliest_entry(h):
    """The place of the earliest of the latest entries."""
    entered, first = i8(h.entered), 0
    for i in range(1, h.limit_rate):
        if entered[i] < entered[first]:
            first = i
    return first


@compiled
def note_entry(h, ts):
    """An entry that counts for ``rate``."""
    if h.limit_rate > 0:
        place = earliest_entry(h)
        i8(h.entered)[place] = max(ts, i8(h.entered)[place])


@refuses("limit_correlation")
def too_alike(h, k, side, bar):
    return h.max_correlation > 0.0 and correlates(h, task_of(h, k), side, bar)


@compiled
def correlates(h, task, side, bar):
    account, positions, day = account_of(h), positions_of(h), i8(h.rho_day)[bar]
    for i in range(account.positions):
        p = positions[i]
        other = task_of(h, p.task).symbol
        if not p.gone and other != task.symbol:
            alike = side * p.side * f8(h.rho)[(task.symbol * h.symbols + other) * h.rho_days + day]
            if alike > h.max_correlation:
                return measured(h, alike, h.max_correlation)
    return False


@compiled
def capacity_by_leverage(h):
    """Notional that still fits under the leverage limit."""
    account, positions, gross = account_of(h), positions_of(h), 0.0
    for i in range(account.positions):
        gross += 0.0 if positions[i].gone else positions[i].notional
    return h.max_leverage * known_equity(h) - gross


@compiled
def capacity_by_currency(h, task, side):
    """Notional that either leg of an order still takes in the direction the order pushes it."""
    account, positions, base, quote = account_of(h), positions_of(h), 0.0, 0.0
    for i in range(account.positions):
        p = positions[i]
        if not p.gone:
            other, exposed = task_of(h, p.task), p.side * p.notional
            base += exposed * ((other.base == task.base) - (other.quote == task.base))
            quote += exposed * ((other.base == task.quote) - (other.quote == task.quote))
    capacity, most = np.inf, h.max_currency * known_equity(h)
    if task.base >= 0:
        capacity = most - side * base
    return min(capacity, most + side * quote) if task.quote >= 0 else capacity


@compiled
def fitting(task, lots, notional, capacity):
    """Lots whose notional fits into ``capacity``: all of them, or whole steps of it. ``notional``: of one lot."""
    if within(lots * notional, capacity):
        return lots
    return whole_steps(capacity / notional, task.lot_step) if capacity > 0.0 else 0.0


@compiled
def within(notional, capacity):
    return notional <= capacity + 1e-9 * abs(capacity)


@compiled
def shrunk(h, k, signal, ts, lots, notional, capacity, limit, count):
    """The lots that fit; 0 if that is less than the smallest order."""
    task = task_of(h, k)
    fits = fitting(task, lots, notional, capacity)
    if fits < lots:
        measured(h, lots * notional, capacity)
        if fits < task.min_lot - TINY or fits <= 0.0:
            review(h, k, signal, ts, REFUSED, limit, lots, 0.0)
            return 0.0
        review(h, k, signal, ts, SHRUNK, count, lots, fits)
    return fits


@compiled
def scaled(h, k, signal, ts, lots, factor, count):
    """Whole steps of ``factor`` times the lots; 0 if that is less than the smallest order."""
    task = task_of(h, k)
    given = min(whole_steps(lots * factor, task.lot_step), lots)
    if given < lots:
        if given < task.min_lot - TINY or given <= 0.0:
            review(h, k, signal, ts, REFUSED, BELOW_MIN_LOT, lots, 0.0)
            return 0.0
        review(h, k, signal, ts, SHRUNK, count, lots, given)
    return given


@compiled
def by_daily_loss(h):
    """The factor of ``daily_gate``: 1 up to half of the daily loss limit, 0 where all of it is used."""
    account = account_of(h)
    allowed = account.day_start * h.daily_loss
    if allowed <= 0.0:
        return 0.0
    return min(max(2.0 * (1.0 - (account.day_start - known_equity(h)) / allowed), 0.0), 1.0)


@compiled
def capacity_by_open_risk(h):
    """The loss at a stop that still fits; none beside a position without a stop."""
    account, positions, total = account_of(h), positions_of(h), 0.0
    for i in range(account.positions):
        p = positions[i]
        if not p.gone:
            if np.isnan(p.stop):
                return -np.inf
            total += loss_at_stop(h, p)
    return h.open_risk * known_equity(h) - total


@compiled
def mean_worst(h, k):
    """The mean of the worst twentieth of the R of a task's last trades; -1, the stop, where there are too few."""
    tails, first = f8(h.tails), k * (h.es95_trades + 1)
    count, last, total, taken = min(np.int64(tails[first]), h.es95_trades), -np.inf, 0.0, 0
    if count < WORST:
        return -1.0
    worst = (count + WORST - 1) // WORST
    while taken < worst:
        next_, same = np.inf, 0
        for i in range(first + 1, first + 1 + count):
            if tails[i] > last and tails[i] <= next_:
                same = same + 1 if tails[i] == next_ else 1
                next_ = tails[i]
        for _ in range(min(same, worst - taken)):
            total += next_
        last, taken = next_, taken + same
    return total / worst


def first_of(limits):
    """A compiled function: the code of the first of ``limits`` that refuses; -1 if none does."""
    if not limits:
        return compiled(lambda h, k, side, bar: -1)
    (code, limit), rest = limits[0], first_of(limits[1:])

    @compiled
    def forbidden(h, k, side, bar):
        return code if limit(h, k, side, bar) else rest(h, k, side, bar)

    return forbidden


forbidden_here = first_of(AT_FILL)


@compiled
def at_risk(h, k, signal, ts, lots, risk):
    """The lots that open risk and expected shortfall allow. ``risk``: the loss of one lot at the stop, NaN without one."""
    if h.open_risk > 0.0:
        if np.isnan(risk):
            review(h, k, signal, ts, REFUSED, LIMIT_OPEN_RISK, lots, 0.0)
            return 0.0
        lots = shrunk(h, k, signal, ts, lots, risk, capacity_by_open_risk(h), LIMIT_OPEN_RISK, SHRUNK_OPEN_RISK)
    if h.es95 > 0.0 and lots > 0.0 and not within(-mean_worst(h, k) * risk * lots * 1000.0, h.es95 * known_equity(h)):
        measured(h, -mean_worst(h, k) * risk * lots, h.es95 * known_equity(h) / 1000.0)
        review(h, k, signal, ts, REFUSED, LIMIT_ES95, lots, 0.0)
        return 0.0
    return lots


@compiled
def allowed(h, k, order, side, filled, rate, bar):
    """Section 9, at the fill: the lots of an order that limits and margin allow."""
    task, lots, ts = task_of(h, k), order.lots, i8(h.ts)[bar]
    if h.limited:
        why, notional = forbidden_here(h, k, side, bar), task.contract * abs(filled) * abs(rate)
        if why >= 0:
            review(h, k, order.signal, ts, REFUSED, why, lots, 0.0)
            return 0.0
        if bar > task.first and i1(h.warn)[bar - 1] & DRIFTED:
            lots = scaled(h, k, order.signal, ts, lots, 0.5, SHRUNK_DRIFT)
        if h.daily_gate and lots > 0.0:
            lots = scaled(h, k, order.signal, ts, lots, by_daily_loss(h), SHRUNK_DAILY_GATE)
        if h.max_leverage > 0.0 and lots > 0.0:
            lots = shrunk(h, k, order.signal, ts, lots, notional, capacity_by_leverage(h), LIMIT_LEVERAGE, SHRUNK_LEVERAGE)
        if h.max_currency > 0.0 and lots > 0.0:
            lots = shrunk(h, k, order.signal, ts, lots, notional, capacity_by_currency(h, task, side), LIMIT_CURRENCY, SHRUNK_CURRENCY)
        if lots > 0.0:
            lots = at_risk(h, k, order.signal, ts, lots, abs(filled - signal_of(h, order.signal).stop) * task.contract * abs(rate))
        if h.floor_count > 0 and lots > 0.0 and not lies_clear(h, k, order.signal, lots, filled, signal_of(h, order.signal).stop, rate, bar):
            review(h, k, order.signal, ts, REFUSED, LIMIT_HEADROOM, lots, 0.0)
            return 0.0
    if lots > 0.0 and not affordable(h, margin_for(task, lots, filled, rate)):
        measured(h, margin_for(task, lots, filled, rate), known_equity(h) - account_of(h).used)
        review(h, k, order.signal, ts, REFUSED, NO_MARGIN, lots, 0.0)
        return 0.0
    return lots


@compiled
def add_lies_clear(h, p, lots, price, rate, bar):
    """An add of a grid that is refused has no review."""
    return h.floor_count == 0 or lies_clear(h, p.task, p.signal, lots, price, p.stop, rate, bar) or not measured(h, np.nan, np.nan)


@compiled
def add_allowed(h, task, side, notional, risk, bar):
    """An add of a grid is filled completely or not at all. ``risk``: its loss at the stop."""
    if account_of(h).halted or i1(h.warn)[bar] & DARK_OPEN:
        return False
    if h.max_leverage > 0.0 and not within(notional, capacity_by_leverage(h)):
        return False
    if h.open_risk > 0.0 and not within(risk, capacity_by_open_risk(h)):
        return False
    return h.max_currency <= 0.0 or within(notional, capacity_by_currency(h, task, side))
