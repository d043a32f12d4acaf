"""The reference implementation of the execution model, slow and simple: docs/execution.md, sentence by sentence, one object and one bar at a time.

Written from the page and from nothing else. Where the page and this package disagree, one of them is a bug.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from domain.errors import BadRequest
from domain.risk.limits import Limits
from domain.risk.sizing import Sizing
from domain.trading.account import Account
from domain.trading.command import Command
from domain.trading.costs import Costs
from domain.trading.execution import Execution
from domain.trading.gate import Gate
from domain.trading.task import EQUITY, FILLS, REVIEWS, TRADES, Outcome, Rate, Task
from tests.reference.bars import Bar, attach_finer, on_grid, reaches_down, read_bars
from tests.reference.clocks import rolls
from tests.reference.commands import Person, expire_proposals
from tests.reference.conversion import Conversion
from tests.reference.costs import refuse_mixed_pips, spread_of
from tests.reference.entries import decide, enter_at_open, expire, fill_pending, move_basket
from tests.reference.exits import close_at_open, close_at_the_end, close_before_the_shut, gap, stop_and_targets, stop_out, worst_price
from tests.reference.floors import Floors
from tests.reference.ledger import Exposure, Ledger, inside
from tests.reference.limits import govern, kill, refuse_unknown
from tests.reference.orders import Position, Series, read_orders
from tests.reference.protection import protect

WHOLE_COLUMNS = ("fill_id", "order_id", "trade_id", "bars_held")
TIME_COLUMNS = ("ts", "bar_ts", "entry_ts", "exit_ts")
WORD_COLUMNS = ("instrument", "side", "reason", "tag", "exit_reason", "regime", "verdict")


def simulate(
    tasks: Sequence[Task],
    account: Account,
    costs: Costs,
    execution: Execution,
    sizing: Sizing,
    rates: Sequence[Rate] = (),
    limits: Limits = Limits(),
    gate: Gate = Gate(),
    **person: Any,
) -> Outcome:
    """What the execution page says happens to ``tasks`` in one account; ``person``: ``commands``, ``strategies``, ``ask`` as ``replayed`` takes them."""
    return as_outcome(replayed(tasks, account, costs, execution, sizing, rates, limits, gate=gate, **person))


def replayed(
    tasks: Sequence[Task],
    account: Account,
    costs: Costs,
    execution: Execution,
    sizing: Sizing,
    rates: Sequence[Rate],
    limits: Limits,
    killed_after: int = 0,
    gate: Gate = Gate(),
    commands: Sequence[Command] = (),
    strategies: Sequence[str] = (),
    ask: bool = False,
) -> Ledger:
    """The account after all of it; its rows are dictionaries, times nanoseconds. ``killed_after`` so many instants, 0 is never.
    ``commands`` come in order; ``strategies``: the name of each task's; ``ask``: entries wait until a person approves them."""
    refuse_unknown(limits, tasks)
    every_series, conversion = _load(tasks, account, costs, rates)
    ledger = Ledger(account, costs, execution, conversion, limits, every_series)
    ledger.floors = Floors(gate, account) if gate else None
    ledger.ask, person = ask, Person(ledger, every_series, strategies or [""] * len(tasks), sizing, list(commands))
    for number, instant in enumerate(_instants(every_series), 1):
        person.work_before(instant)
        if person.is_over:
            ended = [0 if series.closed is None else series.closed.number + 1 for series in every_series]
            names = [name for name, count in zip(strategies or [""] * len(tasks), ended, strict=True) if count]
            return replayed(_up_to(tasks, ended), account, costs, execution, sizing, rates, limits, 0, gate, commands, names, ask)
        _live(ledger, every_series, instant, sizing)
        if number == killed_after:
            kill(ledger, every_series, instant)
    person.work_before(None)
    _end(ledger, every_series)
    ledger.trades.sort(key=lambda trade: trade["trade_id"])
    return ledger


def _up_to(tasks: Sequence[Task], ended: Sequence[int]) -> list[Task]:
    """The tasks with the bars that had ended: those are all that a run has that was stopped."""
    if not any(ended):
        raise BadRequest("the run is stopped before its first bar ends")
    return [_first(task, count) for task, count in zip(tasks, ended, strict=True) if count]


def _first(task: Task, count: int) -> Task:
    bars, left = task.bars.iloc[:count].reset_index(drop=True), len(task.bars) - count
    rows = [row for row, ts in enumerate(task.signals["ts"]) if ts <= bars["ts"].iloc[-1]]  # an order keeps the number of its row in the whole table
    numbers = np.array([row if task.numbers is None else task.numbers[row] for row in rows], dtype=np.int64)
    trail, monitored = (None if column is None else column[: len(column) - left] for column in (task.trail_price, task.monitored))
    return replace(task, bars=bars, signals=task.signals.iloc[rows].reset_index(drop=True), numbers=numbers, trail_price=trail, monitored=monitored)


def _load(tasks: Sequence[Task], account: Account, costs: Costs, rates: Sequence[Rate]) -> tuple[list[Series], Conversion]:
    """Bars of the tasks, finer bars for ``magnify`` and rates all count as loaded (section 8)."""
    every_series, loaded = [], []
    refuse_mixed_pips(costs, [task.instrument for task in tasks])
    pips = {task.instrument.pip for task in tasks}
    for number, task in enumerate(tasks):
        bars = read_bars(task.bars, task.timeframe, task.side, task.instrument, spread_of(costs, task.instrument))
        loaded.append((task.instrument, task.timeframe.minutes, bars))
        if task.finer is not None:
            finer = read_bars(task.finer, task.finer_timeframe, task.side, task.instrument, spread_of(costs, task.instrument))
            attach_finer(bars, finer)
            loaded.append((task.instrument, task.finer_timeframe.minutes, finer))
        span = (bars[0].ts, bars[-1].end) if bars else (0, 0)
        every_series.append(Series(number, task, bars, read_orders(task, bars), rolls(*span, task.instrument.triple_day)))
    for rate in rates:  # a common spread in price units is that of the traded instruments: not of a pair with another pip
        common = costs.unit == "pips" or rate.instrument.pip in pips or "spread" in costs.instruments.get(rate.instrument.name, {})
        spread = spread_of(costs, rate.instrument) if common else rate.instrument.spread
        loaded.append((rate.instrument, rate.timeframe.minutes, read_bars(rate.bars, rate.timeframe, rate.side, rate.instrument, spread)))
    conversion = Conversion(account.currency, loaded)
    for task in tasks:
        conversion.check(task.instrument.quote)
    return every_series, conversion


# --- the clock (section 2) ---


def _instants(every_series: list[Series]) -> list[int]:
    """A bar acts twice: its step 1 at its ``ts``, its steps 2–3 at its end."""
    return sorted({instant for series in every_series for bar in series.bars for instant in (bar.ts, bar.end)})


def _live(ledger: Ledger, every_series: list[Series], instant: int, sizing: Sizing) -> None:
    """At one instant: (a) step 2 of each bar that ends, (b) stop-out, (c) step 3 and decisions, (d) step 1 of each bar that opens."""
    ending = {series: series.opened for series in every_series if series.opened is not None and series.opened.end == instant}
    if ending:
        ledger.begin_instant()
        for position in ledger.open.values():
            ledger.expose(position)
        for series, bar in ending.items():
            _step_two(ledger, series, bar)
        stop_out(ledger, ending, instant)
        equity = _step_three(ledger, every_series, ending, instant)
        for series, bar in ending.items():
            expire_proposals(ledger, series)
            for signal in series.signals.get(bar.number, []):
                decide(ledger, series, bar, signal, sizing, equity)
    _step_one(ledger, [series for series in every_series if _opens(series, instant)])


def _opens(series: Series, instant: int) -> bool:
    """Whether a bar of the series opens now; it is then the latest that has begun."""
    following = 0 if series.opened is None else series.opened.number + 1
    if following == len(series.bars) or series.bars[following].ts != instant:
        return False
    series.opened = series.bars[following]
    return True


# --- step 1 ---


def _step_one(ledger: Ledger, opening: list[Series]) -> None:
    """(d): the closings of all series first, then market entries in the portfolio's order."""
    for series in opening:
        _uncovered_rolls(ledger, series, series.opened)
    for series in opening:
        for position in list(series.positions.values()):
            close_at_open(ledger, position, series.opened)
    for series in opening:
        enter_at_open(ledger, series, series.opened)


def _uncovered_rolls(ledger: Ledger, series: Series, bar: Bar) -> None:
    """Section 5: a roll that no bar covers: before step 1 of the next bar, on positions carried in."""
    nights = series.nights(series.closed.end, bar.ts) if series.closed else 0
    if nights:
        for position in series.positions.values():
            ledger.book_swap(position, nights, bar.ts)


# --- step 2 ---


def _step_two(ledger: Ledger, series: Series, bar: Bar) -> None:
    """First pending entries, all, in their order; then per position, oldest first, stop and targets; in ``magnify`` on each finer bar."""
    series.taken = {tag: position.side for tag, position in series.positions.items()}
    for piece in _pieces(ledger, series, bar):
        if piece is not bar:
            for position in list(series.positions.values()):
                gap(ledger, position, piece, inside(bar, piece))
        before = set(series.positions.values())
        fill_pending(ledger, series, bar, piece)
        for position in list(series.positions.values()):
            stop_and_targets(ledger, position, bar, piece, just_opened=position not in before and position.inside_piece)
    expire(ledger, series, bar)


def _pieces(ledger: Ledger, series: Series, bar: Bar) -> list[Bar]:
    """The bar itself, or in ``magnify`` its finer bars; what is wrong with those is counted while a position or an order is alive."""
    if ledger.execution.intrabar != "magnify":
        return [bar]
    alive = bool(series.positions or series.pending)
    if not bar.finer:
        ledger.counts["not_magnified"] += alive
        return [bar]
    off_high = abs(max(piece.high for piece in bar.finer) - bar.high)
    off_low = abs(min(piece.low for piece in bar.finer) - bar.low)
    ledger.counts["magnify_mismatch"] += alive and on_grid(max(off_high, off_low)) > on_grid(series.instrument.tick)
    return bar.finer


# --- step 3 ---


def _step_three(ledger: Ledger, every_series: list[Series], ending: dict[Series, Bar], instant: int) -> float:
    """(c): session exits at the close, swap, marks, break-even and trails, equity row, halts. Returns the equity that decisions are sized on."""
    for series, bar in ending.items():
        for position in list(series.positions.values()):
            close_before_the_shut(ledger, position, bar)
    for series, bar in ending.items():
        series.closed = bar
        _covered_rolls(ledger, series, bar)
    for position in ledger.open.values():
        _mark(ledger, position, instant)
    equity = ledger.equity_at_last_known_closes()
    low = min(equity, _equity_low(ledger, ending, instant))
    for series, bar in ending.items():
        for position in series.positions.values():
            _hold(position, bar)
    ledger.equity.append(
        {"ts": instant, "balance": ledger.balance, "equity": equity, "equity_low": low, "used_margin": ledger.used_margin()}
    )
    govern(ledger, every_series, instant, equity, low)
    if ledger.floors is not None:
        ledger.floors.row(ledger.equity[-1])
    return equity


def _covered_rolls(ledger: Ledger, series: Series, bar: Bar) -> None:
    """Section 5: charged on the lots open in step 3 of the bar with ts < roll ≤ end."""
    nights = series.nights(bar.ts, bar.end)
    if nights:
        for position in series.positions.values():
            ledger.book_swap(position, nights, bar.end)


def _mark(ledger: Ledger, position: Position, instant: int) -> None:
    """Mark all positions: at the close now, a series without a bar ending at T at its last known close; at the rate of T."""
    price = position.series.last_known(position.side).close
    position.mark = position.profit(price, position.lots) * ledger.rate(position.series, instant, counted=False)


def _hold(position: Position, bar: Bar) -> None:
    """The position was open for all of the bar: its excursions, its stop, its basket."""
    position.see_favourable(position.extreme(bar))
    position.see_adverse(bar.closing(position.side).adverse(position.side))
    protect(position, bar)
    move_basket(position)


def _equity_low(ledger: Ledger, ending: dict[Series, Bar], instant: int) -> float:
    """Section 6: balance before step 2 + every position open at any moment of it, at its worst; less the instant's commission and swap."""
    worst = sum(_worst(ledger, exposure, ending.get(exposure.position.series), instant) for exposure in ledger.exposures.values())
    return ledger.balance_before + worst - ledger.instant_costs


def _worst(ledger: Ledger, exposure: Exposure, bar: Bar | None, instant: int) -> float:
    """On the lots it then had, at its adverse extreme or, where that reached its stop, at the stop's fill, its price less slippage."""
    position = exposure.position
    price = worst_price(position, bar)
    if bar is not None and exposure.stop is not None and reaches_down(price, exposure.stop, position.side):
        slippage = ledger.slippage(position.series, position.signal, exposure.fill_number, bar.number - 1)
        price = exposure.stop - position.side * slippage
    money = (price - exposure.entry_price) * position.side * exposure.lots * position.series.instrument.contract
    return money * ledger.rate(position.series, instant, counted=False)


# --- the end (section 7) ---


def _end(ledger: Ledger, every_series: list[Series]) -> None:
    """What is open after the last instant is closed at its series' last close; the last equity row is after that."""
    ledger.counts["end_of_data"] += sum(len(series.market) for series in every_series)  # tickets that came too late
    if not ledger.open:
        return
    for series in every_series:
        for position in list(series.positions.values()):
            close_at_the_end(ledger, position)
    last = ledger.equity[-1]
    low = min(last["equity_low"], ledger.balance)
    ledger.equity[-1] = last | {"balance": ledger.balance, "equity": ledger.balance, "equity_low": low, "used_margin": 0.0}


def as_outcome(ledger: Ledger) -> Outcome:
    entries = sum(signal.order != "exit" for series in ledger.every_series for signals in series.signals.values() for signal in signals)
    return Outcome(
        fills=_frame(ledger.fills, FILLS),
        trades=_frame(ledger.trades, TRADES),
        equity=_frame(ledger.equity, EQUITY),
        counts=dict(ledger.counts),
        ambiguous=len(ledger.ambiguous),
        reviews=_frame(ledger.reviews, REVIEWS),
        extra={"signals": entries, "entries": ledger.entries, "exits_at_the_end": ledger.exits_at_the_end},
    )


def _frame(rows: list[dict], columns: tuple[str, ...]) -> pd.DataFrame:
    return pd.DataFrame({name: _column(name, [row[name] for row in rows]) for name in columns})


def _column(name: str, values: Sequence) -> object:
    if name in TIME_COLUMNS:
        return pd.DatetimeIndex(np.array(values, np.int64).view("datetime64[ns]"), tz="UTC")
    if name in WORD_COLUMNS:
        return pd.array(values, dtype="str")
    return np.array(values, np.int64 if name in WHOLE_COLUMNS else np.float64)
