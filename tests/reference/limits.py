"""What reviews an order before it goes, and what halts the account (section 9)."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise

from domain.errors import BadRequest
from domain.risk.limits import Limits
from domain.trading.task import Task
from tests.reference.bars import Bar, on_grid, true_range
from tests.reference.clocks import day_end, in_blackout, in_session, utc
from tests.reference.ledger import Ledger, Place
from tests.reference.orders import Order, Position, Series
from tests.reference.sizes import whole_steps

TOLERANCE = 1e-9  # of the capacity
MINUTE = 60_000_000_000


def refuse_unknown(limits: Limits, tasks: Sequence[Task]) -> None:
    """``news`` without a release, ``drift`` without the feature's values, and a session that is none, are never silently off."""
    for task in tasks:
        if limits.news > 0 and (task.releases is None or not len(task.releases)):
            raise BadRequest(f"no release is known for {task.instrument.name}")
        if limits.drift.strip() and (task.monitored is None or len(task.monitored) < len(task.bars)):
            raise BadRequest(f"{limits.drift} is not known for {task.instrument.name}")
    for name in _names(limits.session):
        in_session(name, 0)


# --- at the decision ---


def refused_at_decision(ledger: Ledger, series: Series, bar: Bar) -> str:
    """``halted``, ``blackout``, ``limit_news``, ``limit_session``, ``limit_spread`` or ``limit_volatility``, the first that applies; or nothing."""
    limits = ledger.limits
    if ledger.halted or series.held_back:
        return "halted"
    if in_blackout(limits.blackout, bar.end):
        return "blackout"
    if limits.news > 0 and any(abs(bar.end - release) <= limits.news * MINUTE for release in series.task.releases.tolist()):
        return "limit_news"
    if limits.session.strip() and not any(in_session(name, bar.end) for name in _names(limits.session)):
        return "limit_session"
    if limits.spread_spike > 0 and wide(series.bars, bar.number, limits):
        return "limit_spread"
    return "limit_volatility" if limits.volatility_spike > 0 and violent(series, bar.number, limits) else ""


def _names(sessions: str) -> list[str]:
    return [name.strip() for name in sessions.split(",") if name.strip()]


def wide(bars: list[Bar], at: int, limits: Limits) -> bool:
    """The bar's spread > ``spread_spike`` × the mean spread of the ``spike_window`` bars before it; too few or a mean of 0: not checked."""
    before = bars[max(0, at - limits.spike_window) : at]
    if len(before) < limits.spike_window:
        return False
    mean = sum(bar.spread for bar in before) / limits.spike_window
    return mean > 0 and on_grid(bars[at].spread) > on_grid(limits.spread_spike * mean)


def violent(series: Series, at: int, limits: Limits) -> bool:
    """Its true range > ``volatility_spike`` × Wilder ATR(``spike_window``) of the bar before it; no ATR or one of 0: not checked."""
    atr = series.atr(limits.spike_window, at - 1)
    return atr > 0 and on_grid(true_range(series.bars[at - 1], series.bars[at])) > on_grid(limits.volatility_spike * atr)


# --- at the fill ---


def reviewed(ledger: Ledger, series: Series, order: Order, price: float, place: Place) -> float | None:
    """The lots that every limit lets through, fewer where one shrinks them; None where one refuses."""
    lots, signal, at = order.lots, order.signal, place.bar.ts
    if refusal := _forbidden(ledger, series, order.side, place):
        name, result, most = refusal
        ledger.refuse(series, signal, at, name, lots, (result, most, math.nan))
        return None
    for name, factor in _factors(ledger, series, place):
        fewer = min(lots, whole_steps(lots * factor, series.instrument.lot_step))
        if fewer < lots and fewer < on_grid(series.instrument.min_lot):
            ledger.refuse(series, signal, at, "below_min_lot", lots)
            return None
        if fewer < lots:
            ledger.count_and_review(series, signal, at, "shrunk", f"shrunk_{name}", lots, fewer)
        lots = fewer
    for name, capacity, needed in _everything_that_fits(ledger, series, order, price, place):
        if math.isnan(needed):
            ledger.refuse(series, signal, at, f"limit_{name}", lots)
            return None
        fits = _fitting(series, lots, needed, capacity)
        measured = (lots * needed, capacity, math.nan)
        if fits < on_grid(series.instrument.min_lot):
            ledger.refuse(series, signal, at, f"limit_{name}", lots, measured)
            return None
        if fits < lots:
            ledger.count_and_review(series, signal, at, "shrunk", f"shrunk_{name}", lots, fits, measured)
        lots = fits
    if ledger.limits.es95 > 0:
        shortfall, most = _shortfall(ledger, series, lots * _loss_at_stop(ledger, series, signal.stop_loss, price, place))
        if not shortfall <= most + TOLERANCE * abs(most):  # NaN is not
            ledger.refuse(series, signal, at, "limit_es95", lots, (shortfall, most, math.nan))
            return None
    if ledger.floors is not None and (tightest := ledger.floors.refusal(ledger, series, signal, lots, price, signal.stop_loss, place)):
        ledger.refuse(series, signal, at, "limit_headroom", lots, tightest)
        return None
    return lots


def add_is_refused(ledger: Ledger, series: Series, order: Order, price: float, place: Place) -> bool:
    """An add of a grid is reviewed by halted, blackout, leverage, currency and open risk with all its lots."""
    if ledger.halted or in_blackout(ledger.limits.blackout, place.bar.ts):
        return True
    reviews = _everything_that_fits(ledger, series, order, price, place)
    if any(math.isnan(needed) or _fitting(series, order.lots, needed, capacity) < order.lots for _, capacity, needed in reviews):
        return True
    return ledger.floors is not None and ledger.floors.refusal(ledger, series, order.signal, order.lots, price, order.position.stop, place) is not None


def _forbidden(ledger: Ledger, series: Series, side: int, place: Place) -> tuple[str, float, float] | None:
    """The limit that refuses an order of any size, what it found and what it allows."""
    limits, name = ledger.limits, series.instrument.name
    if ledger.halted:
        return "halted", math.nan, math.nan
    if in_blackout(limits.blackout, place.bar.ts):
        return "blackout", math.nan, math.nan
    counted = (
        ("limit_positions", limits.max_positions, len(ledger.open)),
        ("limit_symbol", limits.max_per_symbol, sum(position.series.instrument.name == name for position in ledger.open.values())),
        ("limit_sector", limits.sector, sum(_group(position.series) == _group(series) for position in ledger.open.values())),
        ("limit_rate", limits.rate, min(limits.rate, sum(entry > place.bar.ts - 60 * MINUTE for entry in ledger.entry_times))),
    )
    for limit, most, count in counted:
        if 0 < most <= count:
            return limit, count, most
    if limits.max_correlation == 0:
        return None
    others = [position for position in ledger.open.values() if position.series.instrument.name != name]
    alike = (_alike(ledger, series, side, position, place.bar.ts) for position in others)
    first = next((rho for rho in alike if rho > limits.max_correlation), None)  # NaN, not checked, is not
    return None if first is None else ("limit_correlation", first, limits.max_correlation)


def _group(series: Series) -> str:
    """The instrument's own group; else of a pair whether the dollar is in it; else its kind."""
    instrument = series.instrument
    of_a_pair = "fx_usd" if "USD" in (instrument.base, instrument.quote) else "fx_cross"
    return instrument.group or (of_a_pair if instrument.kind == "fx" else instrument.kind)


def _factors(ledger: Ledger, series: Series, place: Place) -> list[tuple[str, float]]:
    """(limit, factor of the lots): drift at the last closed bar, then the used share of the daily loss limit."""
    limits, factors = ledger.limits, []
    if limits.drift.strip() and has_drifted(series.task, place.bar.number - 1):
        factors.append(("drift", 0.5))
    if limits.daily_gate:
        used = (ledger.day_start - ledger.equity_at_last_known_closes()) / (ledger.day_start * limits.daily_loss)
        factors.append(("daily_gate", max(0.0, min(1.0, 2 * (1 - used)))))
    return factors


def _everything_that_fits(ledger: Ledger, series: Series, order: Order, price: float, place: Place) -> list[tuple[str, float, float]]:
    """(limit, what may still be added, what one lot adds), in their order. NaN: there is no stop to measure it by."""
    notional = ledger.notional(series, 1.0, price, place.ts)
    needs = [(name, capacity, notional) for name, capacity in _capacities(ledger, series, order.side)]
    if ledger.limits.open_risk > 0:
        stop = order.signal.stop_loss if order.position is None else order.position.stop
        needs.append(("open_risk", _risk_left(ledger), _loss_at_stop(ledger, series, stop, price, place)))
    return needs


def _risk_left(ledger: Ledger) -> float:
    """``open_risk`` × known equity less what the open positions lose at their stops; nothing beside one without a stop."""
    if any(position.stop is None for position in ledger.open.values()):
        return -math.inf
    return ledger.limits.open_risk * ledger.equity_at_last_known_closes() - sum(_to_stop(position) for position in ledger.open.values())


def _to_stop(position: Position) -> float:
    """From the last known close, or before there is one since the fill, from the fill; at the value of its first fill; beyond the stop 0."""
    closed = position.series.closed
    seen = closed is not None and closed.number >= position.entry_bar
    price = closed.closing(position.side).close if seen else position.entry_price
    return max(0.0, (price - position.stop) * position.side) * position.unit_value * position.lots


def _loss_at_stop(ledger: Ledger, series: Series, stop: float | None, price: float, place: Place) -> float:
    """Of one lot filled at ``price``, account currency; NaN without a stop."""
    if stop is None:
        return math.nan
    return abs(price - stop) * series.instrument.contract * ledger.rate(series, place.ts, counted=False)


def _shortfall(ledger: Ledger, series: Series, money: float) -> tuple[float, float]:
    """−(mean of the ⌈n/20⌉ worst r) × money at risk, and ``es95`` × known equity ÷ 1,000; with n < 20 the worst is −1."""
    results = ledger.results[series.number][-ledger.limits.es95_trades :]
    worst = sorted(results)[: math.ceil(len(results) / 20)] if len(results) >= 20 else [-1.0]
    return -sum(worst) / len(worst) * money, ledger.limits.es95 * ledger.equity_at_last_known_closes() / 1_000


def has_drifted(task: Task, bar: int) -> bool:
    """PSI of the 500 values up to the close of ``bar`` against the 5,000 before them > 0.25; too few values: no."""
    values = task.monitored.tolist()[: len(task.monitored) - len(task.bars) + bar + 1]
    if bar < 0 or len(values) < 5_500:
        return False
    new, old = ([value for value in part if math.isfinite(value)] for part in (values[-500:], values[-5_500:-500]))
    return len(new) >= 50 and len(old) >= 50 and psi(sorted(old), new) > 0.25


def psi(old: list[float], new: list[float]) -> float:
    """Bins begin at the distinct deciles of ``old``, which is sorted; shares are (n + ½) ÷ (all + ½ · bins).

    >>> psi([float(k) for k in range(100)], [float(k) for k in range(100)])
    0.0
    >>> round(psi([0.0] * 60 + [1.0] * 40, [1.0] * 10), 6)  # bins from 0 and from 1 on, and an empty one before
    1.956161
    """
    edges = sorted({old[len(old) * j // 10] for j in range(1, 10)})
    counts = [[0.5] * (len(edges) + 1) for _ in range(2)]
    for values, count in zip((new, old), counts, strict=True):
        for value in values:
            count[bisect_right(edges, value)] += 1
    shares = [[n / sum(count) for n in count] for count in counts]
    return sum((a - b) * math.log(a / b) for a, b in zip(*shares, strict=True))


def _capacities(ledger: Ledger, series: Series, side: int) -> list[tuple[str, float]]:
    """(limit, notional in account currency that may still be added), leverage before currency; only those that are on."""
    limits, equity = ledger.limits, ledger.equity_at_last_known_closes()
    capacities = []
    if limits.max_leverage > 0:
        capacities.append(("leverage", limits.max_leverage * equity - sum(position.notional for position in ledger.open.values())))
    if limits.max_currency > 0:
        pushes = {series.instrument.base: side, series.instrument.quote: -side}
        legs = [limits.max_currency * equity - way * exposure(ledger, name) for name, way in pushes.items() if name != ledger.account.currency]
        capacities += [("currency", min(legs))] if legs else []
    return capacities


def exposure(ledger: Ledger, currency: str) -> float:
    """Every position of side s with notional N holds + s·N of its instrument's base and − s·N of its quote."""
    total = 0.0
    for position in ledger.open.values():
        instrument = position.series.instrument
        total += position.side * position.notional * ((instrument.base == currency) - (instrument.quote == currency))
    return total


def _fitting(series: Series, lots: float, needed: float, capacity: float) -> float:
    """``lots``, or where they need more than the capacity and its tolerance the whole steps that do not; one lot needs ``needed``."""
    if math.isfinite(capacity) and lots * needed <= capacity + TOLERANCE * abs(capacity):
        return lots
    return min(lots, whole_steps(max(0.0, capacity) / needed, series.instrument.lot_step)) if needed > 0 else 0.0


# --- correlation ---


def _alike(ledger: Ledger, series: Series, side: int, position: Position, instant: int) -> float:
    """s₁·s₂·ρ."""
    first, second = (ledger.daily_closes(name) for name in (series.instrument.name, position.series.instrument.name))
    rho = correlation(first, second, utc(instant).date().toordinal(), ledger.limits.correlation_days)
    return side * position.side * rho


def correlation(first: dict[int, float], second: dict[int, float], day: int, count: int) -> float:
    """Pearson's ρ over the last ``count`` changes between common days before ``day``; NaN with fewer, or where a series is flat.

    >>> first, second = {1: 1.0, 2: 2.0, 3: 1.0, 4: 3.0, 6: 9.0}, {1: 5.0, 2: 4.0, 4: 6.0, 5: 0.0, 6: 1.0}
    >>> correlation(first, second, 6, 2)                      # changes from day 1 to 2 and from 2 to 4: (1, 1) and (−1, 2)
    nan
    >>> correlation(first | {4: 0.0}, second, 6, 2)
    -1.0
    """
    days = sorted(d for d in first.keys() & second.keys() if d < day)[-count - 1 :]
    if len(days) < count + 1:
        return math.nan
    return pearson(*([on_grid(closes[b] - closes[a]) for a, b in pairwise(days)] for closes in (first, second)))


def pearson(xs: list[float], ys: list[float]) -> float:
    """NaN where one of them does not vary.

    >>> round(pearson([1.0, 2.0, 3.0], [2.0, 1.0, 3.0]), 12), pearson([1.0, 1.0], [1.0, 2.0])
    (0.5, nan)
    """
    if min(xs) == max(xs) or min(ys) == max(ys):
        return math.nan
    x, y = sum(xs) / len(xs), sum(ys) / len(ys)
    together = sum((a - x) * (b - y) for a, b in zip(xs, ys, strict=True))
    return together / math.sqrt(sum((a - x) ** 2 for a in xs) * sum((b - y) ** 2 for b in ys))


# --- halts ---


def govern(ledger: Ledger, every_series: list[Series], instant: int, equity: float, low: float) -> None:
    """After the equity row: a new day lifts the halt of the past one; then daily loss and drawdown are checked on the row."""
    limits = ledger.limits
    _begin_day(ledger, instant)
    too_much_today = limits.daily_loss > 0 and low <= ledger.day_start * (1 - limits.daily_loss)
    too_deep = limits.max_drawdown > 0 and low <= ledger.peak * (1 - limits.max_drawdown)
    ledger.last_equity, ledger.peak = equity, max(ledger.peak, equity)
    ledger.halted_today = ledger.halted_today or too_much_today
    ledger.halted_for_good = ledger.halted_for_good or too_deep
    if too_much_today or too_deep:
        halt(ledger, every_series, instant, limits.flatten)


def _begin_day(ledger: Ledger, instant: int) -> None:
    """An instant belongs to the day that ends at or after it; the day starts with the equity of the last row before its first one."""
    day = day_end(ledger.limits.day_reset, instant) if ledger.limits.daily_loss > 0 else 0
    if day != ledger.day:
        ledger.day, ledger.day_start, ledger.halted_today = day, ledger.last_equity, False


def halt(ledger: Ledger, every_series: list[Series], instant: int, flatten: bool) -> None:
    """Pending and waiting orders are cancelled, each counted; grids add no more; with ``flatten`` all leave at their next open."""
    for series in every_series:
        if series.closed is series.bars[-1]:  # its data do not go on
            continue
        for order in sorted(series.market + series.pending, key=lambda order: order.signal.number):
            if order.position is None:
                ledger.refuse(series, order.signal, instant, "halted", order.lots)
        series.market, series.pending = [], []
    for position in [position for position in ledger.open.values() if position.series in every_series]:
        position.adds_left = 0
        position.leaves_by_halt = position.leaves_by_halt or flatten


def kill(ledger: Ledger, every_series: list[Series], instant: int) -> None:
    """A person's kill switch: the same halt, for good, taken between two instants."""
    ledger.halted_for_good = True
    halt(ledger, every_series, instant, ledger.limits.flatten)
