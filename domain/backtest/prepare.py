"""From frames and names to the arrays the kernel reads: first the ground, which is all but signals, then the signals on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from domain.backtest import kernel, limit_tables
from domain.backtest.clocks import swap_nights
from domain.backtest.finer import finer_bars
from domain.backtest.kernel import codes
from domain.backtest.plans import Plans, table_of
from domain.backtest.rate_table import known_in_time, rate_at, rate_table
from domain.backtest.series import Bars, bars_of, distinct, instants_of, joined, lies_on_grid, on_grid
from domain.backtest.signal_table import brief, signal_table
from domain.backtest.state import HOUSE, TASK
from domain.errors import BadRequest
from domain.market.instrument import Instrument
from domain.risk.limits import Limits
from domain.risk.sizing import SIZERS, Sizing
from domain.trading.account import Account
from domain.trading.costs import COMMISSION, SLIPPAGE, Costs
from domain.trading.execution import INTRABAR, Execution
from domain.trading.task import Rate, Task


class Prepared(NamedTuple):
    """All that a run reads, by the names of ``state.INPUTS``, and the rules as numbers."""

    rules: np.ndarray                   # one HOUSE, without addresses
    inputs: dict[str, np.ndarray]
    final_rate: np.ndarray              # of each task's currency, at its last bar's end
    rows: int                           # instants at which a bar ends
    tags: list[np.ndarray]              # per task: number of a tag -> its name


class Ground(NamedTuple):
    """Series under one set of rules, without a signal: many tables of signals can be laid on it."""

    account: Account
    costs: Costs
    sizing: Sizing
    bars: list[Bars]
    offsets: np.ndarray                 # where each series begins, and the end of the last
    instants: np.ndarray                # at which a bar opens or ends
    ends: np.ndarray                    # at which a bar ends
    currencies: list[str]               # rows of the rate table
    rules: np.ndarray
    inputs: dict[str, np.ndarray]
    final_rate: np.ndarray

    @property
    def converts(self) -> bool:
        return self.currencies != [self.account.currency]


def prepare(
    tasks: Sequence[Task], account: Account, costs: Costs, execution: Execution, sizing: Sizing, rates: Sequence[Rate] = (), limits: Limits = Limits()
) -> Prepared:
    """Check what can be checked before the run, and lay everything out as the kernel reads it."""
    return with_signals(lay(tasks, account, costs, execution, sizing, rates, limits), tasks)


def lay(tasks: Sequence[Task], account: Account, costs: Costs, execution: Execution, sizing: Sizing, rates: Sequence[Rate] = (), limits: Limits = Limits()) -> Ground:
    """All that does not depend on the tasks' signals."""
    if not tasks:
        raise BadRequest("there is nothing to simulate: give at least one series with its signals")
    bars = [bars_of(task, costs) for task in tasks]
    offsets = np.concatenate(([0], np.cumsum([len(one.ts) for one in bars])))
    instants, currencies = instants_of(bars), sorted({task.instrument.quote for task in tasks})
    converts = currencies != [account.currency]
    rate = rate_table(tasks, bars, costs, account.currency, currencies, rates, instants) if converts else np.ones((1, 1))
    final = [rate_at(rate, instants, currencies.index(t.instrument.quote), one.end[-1]) if converts else 1.0 for t, one in zip(tasks, bars, strict=True)]
    inputs = {**_market(bars), **finer_bars(tasks, bars, costs, execution), "rate": rate}
    inputs["tasks"] = _tasks(tasks, offsets, account, costs, sizing, currencies, _quotes(tasks, bars, inputs))
    inputs |= _nights(tasks, bars, inputs["tasks"]) | _limits(tasks, bars, limits, sizing, instants)
    rules = _rules(costs, execution, sizing, account, converts, inputs, len(instants))
    _tell_limits(rules, limits, sizing, inputs)
    ends = bars[0].end if len(bars) == 1 else distinct(np.sort(np.concatenate([one.end for one in bars]), kind="stable"))
    return Ground(account, costs, sizing, bars, offsets, instants, ends, currencies, rules, inputs, np.array(final))


def with_signals(ground: Ground, tasks: Sequence[Task]) -> Prepared:
    """The ground, and on it the signals of ``tasks``, which are those it was laid for but for their signals."""
    tables = [table_of(task.signals) for task in tasks]
    plans = Plans(tasks, tables, ground.bars, ground.costs)
    signals, tags = signal_table(tasks, tables, ground.bars, ground.offsets, plans)
    if ground.converts:
        for k, task in enumerate(tasks):
            rate, first = ground.inputs["rate"][ground.currencies.index(task.instrument.quote)], signals["signal_first"][ground.offsets[k] : ground.offsets[k + 1] + 1]
            known_in_time(task, ground.bars[k], ground.account.currency, rate, ground.instants, first)
    inputs = {**ground.inputs, **plans.inputs(), **signals, "brief": brief(signals["signals"], plans.table, ground.sizing), "trail_price": _trail_price(tasks, ground.bars)}
    rules = ground.rules.copy()
    rules["slippage_atr"] = plans.window(ground.costs.slippage_window) if ground.costs.slippage_kind == "atr" else 0
    return Prepared(rules, inputs, ground.final_rate, len(ground.ends), tags)


def _tasks(tasks: Sequence[Task], offsets: np.ndarray, account: Account, costs: Costs, sizing: Sizing, currencies: Sequence[str], quotes: Sequence[int]) -> np.ndarray:
    table = np.zeros(len(tasks), TASK)
    for k, task in enumerate(tasks):
        one = task.instrument
        row = table[k]
        row["first"], row["count"] = offsets[k], offsets[k + 1] - offsets[k]
        for name in ("contract", "lot_step", "min_lot", "max_lot", "tick", "margin_per_lot"):
            row[name] = getattr(one, name)
        row["leverage"], row["usual"] = min(account.leverage, one.leverage), _usual_lots(one, sizing)
        row["swap_long"] = one.swap_long if costs.swap_long is None else costs.swap_long
        row["swap_short"] = one.swap_short if costs.swap_short is None else costs.swap_short
        row["swaps"] = row["swap_long"] != 0 or row["swap_short"] != 0
        row["currency"] = currencies.index(one.quote)
    names = list(dict.fromkeys(task.instrument.name for task in tasks))
    table["symbol"] = [names.index(task.instrument.name) for task in tasks]
    table["quotes"] = quotes
    table["base"], table["quote"] = zip(*limit_tables.legs(tasks, account.currency), strict=True)
    return table


def _usual_lots(one: Instrument, sizing: Sizing) -> float:
    """Fixed lots in whole steps between minimum and maximum; NaN where the kernel has to look, and to count."""
    lots = float(on_grid(np.floor(sizing.value / one.lot_step + 1e-6) * one.lot_step))
    return lots if sizing.kind == "fixed_lots" and one.min_lot <= lots <= one.max_lot and lots > 0 else np.nan


def _market(bars: Sequence[Bars]) -> dict[str, np.ndarray]:
    return {name: joined([getattr(one, name) for one in bars]) for name in Bars._fields}


def _quotes(tasks: Sequence[Task], bars: Sequence[Bars], inputs: dict[str, np.ndarray]) -> list[int]:
    """What each task's bars quote. A bid that lies on the grid of 1e-9, as nearly all do, need not be put there again."""
    prices = ("open", "high", "low", "close")
    finer = all(lies_on_grid(inputs[f"finer_{name}"]) for name in prices)
    bids = [codes.BID if finer and all(lies_on_grid(getattr(one, name)) for name in prices) else codes.LONG_BID for one in bars]
    return [codes.MID if task.side == "mid" else bid for task, bid in zip(tasks, bids, strict=True)]


def _nights(tasks: Sequence[Task], bars: Sequence[Bars], table: np.ndarray) -> dict[str, np.ndarray]:
    """Where any task pays or earns swap; else one empty place."""
    if not table["swaps"].any():
        return dict(nights_before=np.zeros(1, np.int8), nights_in=np.zeros(1, np.int8))
    before, within = zip(*(swap_nights(one.ts, one.end, task.instrument.triple_day) for task, one in zip(tasks, bars, strict=True)), strict=True)
    return dict(nights_before=joined(list(before)), nights_in=joined(list(within)))


def _trail_price(tasks: Sequence[Task], bars: Sequence[Bars]) -> np.ndarray:
    if all(task.trail_price is None for task in tasks):
        return np.full(1, np.nan)
    return joined([np.full(len(one.ts), np.nan) if task.trail_price is None else np.asarray(task.trail_price, np.float64) for task, one in zip(tasks, bars, strict=True)])


def _limits(tasks: Sequence[Task], bars: Sequence[Bars], limits: Limits, sizing: Sizing, instants: np.ndarray) -> dict[str, np.ndarray]:
    """What limits and the volatility sizer look up, bar by bar; one empty place where they do not."""
    inputs = dict(warn=np.zeros(sum(len(one.ts) for one in bars) if _reviewed(limits) else 1, np.int8), sigma=np.full(1, np.nan), rho=np.full((1, 1), np.nan), rho_day=np.zeros(1, np.int64), day=np.zeros(1, np.int64))
    if limits.spread_spike or limits.volatility_spike or limits.blackout:
        inputs["warn"] = joined([_warnings(one, limits) for one in bars])
    if sizing.kind == "volatility":
        inputs["sigma"] = joined([limit_tables.yearly_volatility(one.end, one.close, sizing.volatility_window) for one in bars])
    if limits.max_correlation:
        inputs["rho"], inputs["rho_day"], _ = limit_tables.correlations(tasks, [one.end for one in bars], [one.close for one in bars], [one.ts for one in bars], limits.correlation_days)
    if limits.daily_loss:
        inputs["day"] = limit_tables.day_numbers(limits.day_reset, instants).astype(np.int64)
    return inputs


def _warnings(one: Bars, limits: Limits) -> np.ndarray:
    atr = np.empty(len(one.ts))
    kernel.wilder_atr(one.high, one.low, one.close, limits.spike_window, atr)
    return limit_tables.warnings(limits, one.ts, one.end, one.spread, atr, one.high, one.low, one.close)


def _reviewed(limits: Limits) -> bool:
    """Does any limit look at orders?"""
    numbers = ("max_leverage", "max_positions", "max_per_symbol", "max_currency", "max_correlation", "daily_loss", "max_drawdown", "spread_spike", "volatility_spike")
    return any(getattr(limits, name) for name in numbers) or bool(limits.blackout.strip())


def _tell_limits(rules: np.ndarray, limits: Limits, sizing: Sizing, inputs: dict[str, np.ndarray]) -> None:
    for name in ("max_leverage", "max_positions", "max_per_symbol", "max_currency", "max_correlation", "daily_loss", "max_drawdown", "flatten"):
        rules[name] = getattr(limits, name)
    for name in ("kelly_window", "kelly_first", "kelly_start", "kelly_cap"):
        rules[name] = getattr(sizing, name)
    rules["limited"], rules["watched"] = _reviewed(limits), bool(limits.daily_loss or limits.max_drawdown)
    rules["symbols"], rules["rho_days"] = inputs["tasks"]["symbol"].max() + 1, inputs["rho"].shape[1]


def _rules(costs: Costs, execution: Execution, sizing: Sizing, account: Account, converts: bool, inputs: dict[str, np.ndarray], instants: int) -> np.ndarray:
    rules = np.zeros(1, HOUSE)
    for name, value in dict(
        intrabar=INTRABAR.index(execution.intrabar),
        reverse=execution.reverse_on_opposite,
        slippage=costs.slippage,
        slippage_kind=SLIPPAGE.index(costs.slippage_kind),
        seed=costs.seed,
        commission=costs.commission_per_lot,
        commission_kind=COMMISSION.index(costs.commission_kind),
        sizer=SIZERS.index(sizing.kind),
        size=sizing.value,
        stop_out=account.stop_out,
        converts=converts,
        task_count=len(inputs["tasks"]),
        bars=len(inputs["ts"]),
        instants=instants,
    ).items():
        rules[name] = value
    return rules
