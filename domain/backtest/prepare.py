"""From frames and names to the arrays the kernel reads: first everything but the signals, then the signals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from domain.backtest import governor_tables, kernel, limit_tables
from domain.backtest.clocks import swap_nights
from domain.backtest.finer import finer_bars
from domain.backtest.floor_table import day_codes, gate_of, rule_table
from domain.backtest.kernel import codes
from domain.backtest.protections import Protections, table_of
from domain.backtest.rate_table import known_in_time, rate_at, rate_table
from domain.backtest.series import Bars, bars_of, distinct, instants_of, joined, lies_on_grid, on_grid
from domain.backtest.signal_table import brief, signal_table
from domain.backtest.state import CONTEXT, TASK, in_context, numbers_of
from domain.errors import BadRequest
from domain.market.instrument import Instrument, group_of
from domain.params import params_of
from domain.risk.limits import Limits
from domain.risk.sizing import SIZERS, Sizing
from domain.trading.costs import COMMISSION, SLIPPAGE
from domain.trading.execution import INTRABAR
from domain.trading.rules import Rules
from domain.trading.task import HasInstrument, Rate, Task


class Prepared(NamedTuple):
    """All that a run reads, by the names of ``state.INPUTS``, and the rules as numbers."""

    context: np.ndarray                 # one CONTEXT, without addresses
    inputs: dict[str, np.ndarray]
    final_rate: np.ndarray              # of each task's currency, at its last bar's end
    rows: int                           # instants at which a bar ends
    tags: list[np.ndarray]              # per task: number of a tag -> its name


class MarketInputs(NamedTuple):
    """Series under one set of rules, without a signal: to be run with many tables of signals."""

    rules: Rules
    bars: list[Bars]
    offsets: np.ndarray                 # where each series begins, and the end of the last
    instants: np.ndarray                # at which a bar opens or ends
    ends: np.ndarray                    # at which a bar ends
    currencies: list[str]               # rows of the rate table
    context: np.ndarray                 # one CONTEXT, without addresses
    inputs: dict[str, np.ndarray]
    final_rate: np.ndarray

    @property
    def converts(self) -> bool:
        return self.currencies != [self.rules.account.currency]


def prepare(tasks: Sequence[Task], rules: Rules = Rules(), rates: Sequence[Rate] = ()) -> Prepared:
    """Check what can be checked before the run, and write everything as the kernel reads it."""
    return with_signals(prepare_market(tasks, rules, rates), tasks)


def prepare_market(tasks: Sequence[Task], rules: Rules = Rules(), rates: Sequence[Rate] = ()) -> MarketInputs:
    """All that does not depend on the tasks' signals."""
    if not tasks:
        raise BadRequest("there is nothing to simulate: give at least one series with its signals")
    account, costs, sizing, limits = rules.account, rules.costs, rules.sizing, rules.limits
    costs.check([task.instrument for task in tasks])
    bars = [bars_of(task, costs) for task in tasks]
    offsets = np.concatenate(([0], np.cumsum([len(own_bars.ts) for own_bars in bars])))
    instants, currencies = instants_of(bars), sorted({task.instrument.quote for task in tasks})
    converts = currencies != [account.currency]
    rate = rate_table(tasks, bars, costs, account.currency, currencies, rates, instants) if converts else np.ones((1, 1))
    final = [rate_at(rate, instants, currencies.index(t.instrument.quote), own_bars.end[-1]) if converts else 1.0 for t, own_bars in zip(tasks, bars, strict=True)]
    inputs = {**_market(bars), **finer_bars(tasks, bars, costs, rules.execution), "rate": rate}
    inputs["tasks"] = task_table(tasks, offsets, rules, currencies, _quotes(tasks, bars, inputs))
    inputs |= _nights(tasks, bars, inputs["tasks"]) | _limits(tasks, bars, limits, sizing, instants, bool(rules.gate)) | _floors(rules, instants)
    context = rules_as_numbers(rules, converts, inputs, len(instants))
    ends = bars[0].end if len(bars) == 1 else distinct(np.sort(np.concatenate([own_bars.end for own_bars in bars]), kind="stable"))
    return MarketInputs(rules, bars, offsets, instants, ends, currencies, context, inputs, np.array(final))


def with_signals(market: MarketInputs, tasks: Sequence[Task]) -> Prepared:
    """``market`` with the signals of ``tasks``, which are those it was prepared for but for their signals."""
    tables = [table_of(task.signals) for task in tasks]
    protections = Protections(tasks, tables, market.bars, market.rules.costs)
    signals, tags = signal_table(tasks, tables, market.bars, market.offsets, protections)
    if market.converts:
        for k, task in enumerate(tasks):
            rate, first = market.inputs["rate"][market.currencies.index(task.instrument.quote)], signals["signal_first"][market.offsets[k] : market.offsets[k + 1] + 1]
            known_in_time(task, market.bars[k], market.rules.account.currency, rate, market.instants, first)
    inputs = {**market.inputs, **protections.inputs(), **signals, "brief": brief(signals["signals"], protections.table, market.rules.sizing), "trail_price": _trail_price(tasks, market.bars)}
    context, costs = market.context.copy(), market.rules.costs
    context["slippage_atr"] = protections.window(costs.slippage_window) if costs.slippage_kind == "atr" else 0
    return Prepared(context, inputs, market.final_rate, len(market.ends), tags)


def other_limits(market: MarketInputs, tasks: Sequence[Task], before: Limits, after: Limits) -> tuple[dict[str, np.ndarray], dict[str, np.generic]]:
    """The inputs of the bars under other limits, and the numbers of the context that differ from those ``before``."""
    inputs = {**market.inputs, **_limits(tasks, market.bars, after, market.rules.sizing, market.instants, bool(market.rules.gate))}
    old, new = (rules_as_numbers(replace(market.rules, limits=limits), market.converts, inputs, len(market.instants))[0] for limits in (before, after))
    return dict(warn=inputs["warn"]), {name: new[name] for name in CONTEXT.names or () if old[name] != new[name]}


def task_table(tasks: Sequence[HasInstrument], offsets: np.ndarray, rules: Rules, currencies: Sequence[str], quotes: Sequence[int]) -> np.ndarray:
    table = np.zeros(len(tasks), TASK)
    for k, task in enumerate(tasks):
        instrument, own, row = task.instrument, rules.costs.of(task.instrument), table[k]
        row["first"], row["count"] = offsets[k], offsets[k + 1] - offsets[k]
        for name in ("contract", "lot_step", "min_lot", "max_lot", "tick", "margin_per_lot"):
            row[name] = getattr(instrument, name)
        row["leverage"], row["usual"] = min(rules.account.leverage, instrument.leverage), _usual_lots(instrument, rules.sizing)
        row["slippage"], row["commission"], row["swap_long"], row["swap_short"] = own.slippage, own.commission_per_lot, own.swap_long, own.swap_short
        row["swaps"] = row["swap_long"] != 0 or row["swap_short"] != 0
        row["currency"] = currencies.index(instrument.quote)
    names = list(dict.fromkeys(task.instrument.name for task in tasks))
    table["symbol"] = [names.index(task.instrument.name) for task in tasks]
    groups = list(dict.fromkeys(group_of(task.instrument) for task in tasks))
    table["group"] = [groups.index(group_of(task.instrument)) for task in tasks]
    table["quotes"] = quotes
    table["base"], table["quote"] = zip(*limit_tables.legs(tasks, rules.account.currency), strict=True)
    return table


def _usual_lots(instrument: Instrument, sizing: Sizing) -> float:
    """Fixed lots in whole steps between minimum and maximum; NaN where the kernel has to check, and to count."""
    lots = float(on_grid(np.floor(sizing.value / instrument.lot_step + 1e-6) * instrument.lot_step))
    return lots if sizing.kind == "fixed_lots" and instrument.min_lot <= lots <= instrument.max_lot and lots > 0 else np.nan


def _market(bars: Sequence[Bars]) -> dict[str, np.ndarray]:
    return {name: joined([getattr(own_bars, name) for own_bars in bars]) for name in Bars._fields}


def _quotes(tasks: Sequence[Task], bars: Sequence[Bars], inputs: dict[str, np.ndarray]) -> list[int]:
    """The side that each task's bars quote. A bid on the grid of 1e-9, as nearly all are, need not be rounded to it again."""
    prices = ("open", "high", "low", "close")
    finer = all(lies_on_grid(inputs[f"finer_{name}"]) for name in prices)
    bids = [codes.BID if finer and all(lies_on_grid(getattr(own_bars, name)) for name in prices) else codes.LONG_BID for own_bars in bars]
    return [codes.MID if task.side == "mid" else bid for task, bid in zip(tasks, bids, strict=True)]


def _nights(tasks: Sequence[Task], bars: Sequence[Bars], table: np.ndarray) -> dict[str, np.ndarray]:
    """Where any task pays or earns swap; else one empty place."""
    if not table["swaps"].any():
        return dict(nights_before=np.zeros(1, np.int8), nights_in=np.zeros(1, np.int8))
    before, within = zip(*(swap_nights(own_bars.ts, own_bars.end, task.instrument.triple_day) for task, own_bars in zip(tasks, bars, strict=True)), strict=True)
    return dict(nights_before=joined(list(before)), nights_in=joined(list(within)))


def _trail_price(tasks: Sequence[Task], bars: Sequence[Bars]) -> np.ndarray:
    if all(task.trail_price is None for task in tasks):
        return np.full(1, np.nan)
    return joined([np.full(len(own_bars.ts), np.nan) if task.trail_price is None else np.asarray(task.trail_price, np.float64) for task, own_bars in zip(tasks, bars, strict=True)])


def _floors(rules: Rules, instants: np.ndarray) -> dict[str, np.ndarray]:
    floors = gate_of(rules)
    return dict(floor_rules=rule_table(floors), floor_day=day_codes(floors.clock, instants) if floors else np.zeros(1, np.int64))


def _limits(tasks: Sequence[Task], bars: Sequence[Bars], limits: Limits, sizing: Sizing, instants: np.ndarray, gated: bool) -> dict[str, np.ndarray]:
    """The values that limits and the volatility sizer read, bar by bar; one empty value where they do not."""
    inputs = dict(warn=np.zeros(sum(len(own_bars.ts) for own_bars in bars) if gated or reviewed(limits) else 1, np.int8), sigma=np.full(1, np.nan), rho=np.full((1, 1), np.nan), rho_day=np.zeros(1, np.int64), day=np.zeros(1, np.int64))
    if limit_tables.warns(limits):
        inputs["warn"] = joined([_warnings(task, own_bars, limits) for task, own_bars in zip(tasks, bars, strict=True)])
    if sizing.kind == "volatility":
        inputs["sigma"] = joined([limit_tables.yearly_volatility(own_bars.end, own_bars.close, sizing.volatility_window) for own_bars in bars])
    if limits.max_correlation:
        inputs["rho"], inputs["rho_day"], _ = limit_tables.correlations(tasks, [own_bars.end for own_bars in bars], [own_bars.close for own_bars in bars], [own_bars.ts for own_bars in bars], limits.correlation_days)
    if limits.daily_loss:
        inputs["day"] = limit_tables.day_numbers(limits.day_reset, instants).astype(np.int64)
    return inputs


def _warnings(task: Task, bars: Bars, limits: Limits) -> np.ndarray:
    atr = np.empty(len(bars.ts))
    kernel.wilder_atr(bars.high, bars.low, bars.close, limits.spike_window, atr)
    bits = limit_tables.warnings(limits, bars.ts, bars.end, bars.spread, atr, bars.high, bars.low, bars.close)
    return bits | governor_tables.bits(limits, task.instrument, bars.end, task.releases, task.monitored)


def reviewed(limits: Limits) -> bool:
    """Whether any limit reviews orders."""
    return any(str(getattr(limits, p.name)).strip() if p.type is str else getattr(limits, p.name) for p in params_of(Limits) if not p.default)


def rules_as_numbers(rules: Rules, converts: bool, inputs: dict[str, np.ndarray], instants: int) -> np.ndarray:
    """The rules as numbers."""
    costs, execution, sizing, limits = rules.costs, rules.execution, rules.sizing, rules.limits
    context = np.zeros(1, CONTEXT)
    for name, value in dict(
        intrabar=INTRABAR.index(execution.intrabar),
        reverse=execution.reverse_on_opposite,
        slippage_kind=SLIPPAGE.index(costs.slippage_kind),
        seed=costs.seed,
        commission_kind=COMMISSION.index(costs.commission_kind),
        sizer=SIZERS.index(sizing.kind),
        size=sizing.value,
        **{name: getattr(sizing, name) for name in ("kelly_window", "kelly_first", "kelly_start", "kelly_cap", "entropy_lambda")},
        **{in_context(name): getattr(limits, name) for name in numbers_of(Limits)},
        limited=bool(rules.gate) or reviewed(limits),
        watched=bool(limits.daily_loss or limits.max_drawdown or rules.gate),
        floor_count=len(floors.rules) if (floors := gate_of(rules)) else 0,
        initial=rules.account.balance,
        symbols=inputs["tasks"]["symbol"].max() + 1,
        rho_days=inputs["rho"].shape[1],
        stop_out=rules.account.stop_out,
        converts=converts,
        task_count=len(inputs["tasks"]),
        bars=len(inputs["ts"]),
        instants=instants,
    ).items():
        context[name] = value
    return context
