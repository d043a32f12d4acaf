"""From frames and names to the arrays the kernel reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from domain.backtest import conversion, kernel, limit_tables
from domain.backtest.clocks import NEVER, flat_moments, swap_nights
from domain.backtest.state import HOUSE, ORDERS, PLAN, SIGNAL, TASK, TRAILS
from domain.errors import BadRequest
from domain.market.calendar import bar_ends
from domain.market.instrument import Instrument
from domain.risk.limits import Limits
from domain.risk.sizing import SIZERS, Sizing
from domain.trading.account import Account
from domain.trading.costs import COMMISSION, SLIPPAGE, Costs
from domain.trading.execution import INTRABAR, Execution
from domain.trading.task import Rate, Task

PLAN_NUMBERS = (
    "fraction_1", "fraction_2", "fraction_3", "fraction_4", "target_r_1", "target_r_2", "target_r_3", "target_r_4", "break_even_r", "break_even_offset",
    "trail_value", "trail_window", "trail_start_r", "max_bars", "valid_bars", "grid_spacing", "grid_max_adds", "grid_lots_factor", "grid_basket_target",
)  # fmt: skip


class Prepared(NamedTuple):
    """All that a run reads, by the names of ``state.INPUTS``, and the rules as numbers."""

    rules: np.ndarray                   # one HOUSE, without addresses
    inputs: dict[str, np.ndarray]
    final_rate: np.ndarray              # of each task's currency, at its last bar's end
    rows: int                           # instants at which a bar ends
    tags: list[np.ndarray]              # per task: number of a tag -> its name


class Bars(NamedTuple):
    """One series as arrays: times in nanoseconds, prices as float64, every bar with a spread."""

    ts: np.ndarray
    end: np.ndarray
    open: np.ndarray
    high: np.ndarray
    low: np.ndarray
    close: np.ndarray
    spread: np.ndarray


NO_BARS = Bars(np.zeros(0, np.int64), np.zeros(0, np.int64), *(np.zeros(0) for _ in range(5)))


def prepare(
    tasks: Sequence[Task], account: Account, costs: Costs, execution: Execution, sizing: Sizing, rates: Sequence[Rate] = (), limits: Limits = Limits()
) -> Prepared:
    """Check what can be checked before the run, and lay everything out as the kernel reads it."""
    if not tasks:
        raise BadRequest("there is nothing to simulate: give at least one series with its signals")
    bars = [_bars(task, costs) for task in tasks]
    offsets = np.concatenate(([0], np.cumsum([len(one.ts) for one in bars])))
    plans = Plans(tasks, bars, costs)
    signals, tags = _signals(tasks, bars, offsets, plans)
    instants = _instants(bars)
    currencies = sorted({task.instrument.quote for task in tasks})
    converts = currencies != [account.currency]
    rate = _rates(tasks, bars, costs, account.currency, currencies, rates, instants, signals["signal_first"], offsets) if converts else np.ones((1, 1))
    final = [_final(rate, instants, currencies.index(t.instrument.quote), one.end[-1]) if converts else 1.0 for t, one in zip(tasks, bars, strict=True)]
    inputs = {**_market(tasks, bars, costs), **_finer(tasks, bars, costs, execution), **plans.inputs(), **signals, "rate": rate}
    inputs["tasks"] = _tasks(tasks, offsets, account, costs, sizing, currencies)
    inputs |= _limits(tasks, bars, limits, sizing, instants)
    inputs["brief"] = _brief(inputs["signals"], plans.table, sizing)
    rules = _rules(costs, execution, sizing, account, plans, converts, inputs, len(instants))
    _tell_limits(rules, limits, sizing, inputs)
    rows = len(bars[0].end) if len(bars) == 1 else len(_distinct(np.sort(np.concatenate([one.end for one in bars]), kind="stable")))
    return Prepared(rules, inputs, np.array(final), rows, tags)


def _instants(bars: Sequence[Bars]) -> np.ndarray:
    """Every instant at which a bar opens or ends, in order, each once."""
    parts = [_distinct(np.column_stack((one.ts, one.end)).ravel()) for one in bars]
    return parts[0] if len(parts) == 1 else _distinct(np.sort(np.concatenate(parts), kind="stable"))


def _distinct(in_order: np.ndarray) -> np.ndarray:
    return in_order[np.concatenate(([True], in_order[1:] != in_order[:-1]))]


def nanoseconds(ts: pd.Series) -> np.ndarray:
    return ts.dt.as_unit("ns").astype("int64").to_numpy()


def _bars(task: Task | Rate, costs: Costs) -> Bars:
    frame = task.bars
    if frame.empty:
        raise BadRequest(f"{task.instrument.name} {task.timeframe} has no bars in this span; choose another")
    ts = nanoseconds(frame["ts"])
    open_, high, low, close = (frame[name].to_numpy(np.float64) for name in ("open", "high", "low", "close"))
    return Bars(ts, bar_ends(ts, task.timeframe, task.instrument.calendar), open_, high, low, close, _spread(frame, task, costs))


def _side(prices: np.ndarray, task: Task | Rate) -> np.ndarray:
    """Bids on the grid of 1e-9; a mid is put there once it has become a bid or an ask."""
    return _grid(prices) if task.side == "bid" else prices


def _spread(frame: pd.DataFrame, task: Task | Rate, costs: Costs) -> np.ndarray:
    """One spread a bar: its own; else the costs'; else the instrument's."""
    default = task.instrument.spread if costs.spread is None else costs.spread
    if "spread" not in frame:
        return np.full(len(frame), default)
    own = frame["spread"].to_numpy(np.float64)
    if np.any(own < 0) or np.any(np.isinf(own)):
        raise BadRequest(f"{task.instrument.name} {task.timeframe}: a spread is negative or infinite; import the bars again, and let them be repaired")
    return np.where(np.isnan(own), default, own)


def _tasks(tasks: Sequence[Task], offsets: np.ndarray, account: Account, costs: Costs, sizing: Sizing, currencies: Sequence[str]) -> np.ndarray:
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
        row["currency"], row["mid"] = currencies.index(one.quote), task.side == "mid"
    names = list(dict.fromkeys(task.instrument.name for task in tasks))
    table["symbol"] = [names.index(task.instrument.name) for task in tasks]
    table["base"], table["quote"] = zip(*limit_tables.legs(tasks, account.currency), strict=True)
    return table


def _usual_lots(one: Instrument, sizing: Sizing) -> float:
    """Fixed lots in whole steps between minimum and maximum; NaN where the kernel has to look, and to count."""
    lots = float(_grid(np.floor(sizing.value / one.lot_step + 1e-6) * one.lot_step))
    return lots if sizing.kind == "fixed_lots" and one.min_lot <= lots <= one.max_lot and lots > 0 else np.nan


def _brief(signals: np.ndarray, plans: np.ndarray, sizing: Sizing) -> np.ndarray:
    """What a signal is in one number, for bars on which all of them are dropped for their tag."""
    asks = (plans["needs_stop"] != 0)[signals["plan"]] | (sizing.kind in ("fraction_at_risk", "kelly"))
    plain = (signals["order"] == 0) & np.isnan(signals["lots"]) & ~(asks & np.isnan(signals["stop"]))
    return (signals["side"] > 0) * 1 + plain * 2 + (signals["tag"].astype(np.int64) << 2)


def _limits(tasks: Sequence[Task], bars: Sequence[Bars], limits: Limits, sizing: Sizing, instants: np.ndarray) -> dict[str, np.ndarray]:
    """What limits and the volatility sizer look up, bar by bar; one empty place where they do not."""
    inputs = dict(warn=np.zeros(sum(len(one.ts) for one in bars) if _reviewed(limits) else 1, np.int8), sigma=np.full(1, np.nan), rho=np.full((1, 1), np.nan), rho_day=np.zeros(1, np.int64), day=np.zeros(1, np.int64))
    if limits.spread_spike or limits.volatility_spike or limits.blackout:
        inputs["warn"] = _joined([_warnings(one, limits) for one in bars])
    if sizing.kind == "volatility":
        inputs["sigma"] = _joined([limit_tables.yearly_volatility(one.end, one.close, sizing.volatility_window) for one in bars])
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


def _rules(costs: Costs, execution: Execution, sizing: Sizing, account: Account, plans: Plans, converts: bool, inputs: dict[str, np.ndarray], instants: int) -> np.ndarray:
    rules = np.zeros(1, HOUSE)
    for name, value in dict(
        intrabar=INTRABAR.index(execution.intrabar),
        reverse=execution.reverse_on_opposite,
        slippage=costs.slippage,
        slippage_kind=SLIPPAGE.index(costs.slippage_kind),
        slippage_atr=plans.window(costs.slippage_window) if costs.slippage_kind == "atr" else 0,
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


class Plans:
    """The distinct ways in which signals are protected; most tables have one, so it is stored once."""

    def __init__(self, tasks: Sequence[Task], bars: Sequence[Bars], costs: Costs) -> None:
        self.windows: list[int] = [costs.slippage_window] if costs.slippage_kind == "atr" else []
        self.flats: list[tuple[int, str]] = []
        self.rows: list[np.ndarray] = []
        self.of_task = [self._of(k, task.signals) for k, task in enumerate(tasks)]
        self.table = np.concatenate(self.rows) if self.rows else np.zeros(1, PLAN)
        self.flat_at, self.shut_at = self._moments(tasks, bars)
        self.atr = self._atr(bars)

    def window(self, length: int) -> int:
        if length not in self.windows:
            self.windows.append(length)
        return self.windows.index(length)

    def inputs(self) -> dict[str, np.ndarray]:
        return dict(plans=self.table, flat_at=self.flat_at, shut_at=self.shut_at, atr=self.atr)

    def _of(self, k: int, signals: pd.DataFrame) -> np.ndarray:
        """The number of each signal's plan."""
        if signals.empty:
            return np.zeros(0, np.int32)
        varied = [name for name in (*PLAN_NUMBERS, "trail_kind", "flat_by") if not _constant(signals[name])]
        number = signals.groupby(varied, dropna=False, sort=False).ngroup().to_numpy() if varied else np.zeros(len(signals), np.int32)
        firsts = np.unique(number, return_index=True)[1] if varied else [0]
        start = sum(len(part) for part in self.rows)
        self.rows.append(np.array([self._plan(k, signals.iloc[first]) for first in firsts], PLAN))
        return (number + start).astype(np.int32)

    def _plan(self, k: int, row: pd.Series) -> np.void:
        plan = np.zeros(1, PLAN)[0]
        plan["fraction"] = [_or(row[f"fraction_{t}"], 0.0) for t in range(1, 5)]
        plan["target_r"] = [row[f"target_r_{t}"] for t in range(1, 5)]
        plan["break_even_r"], plan["break_even_offset"] = row["break_even_r"], _or(row["break_even_offset"], 0.0)
        plan["trail_kind"], plan["trail_value"], plan["trail_start_r"] = TRAILS.index(row["trail_kind"]), row["trail_value"], row["trail_start_r"]
        plan["trail_atr"] = self.window(int(row["trail_window"])) if row["trail_kind"] == "atr" else 0
        plan["max_bars"], plan["valid_bars"] = int(_or(row["max_bars"], 0)), int(_or(row["valid_bars"], 0))
        plan["flat"] = self._flat(k, row["flat_by"]) if row["flat_by"] else -1
        plan["is_grid"], plan["grid_adds"] = not np.isnan(row["grid_spacing"]), int(_or(row["grid_max_adds"], 0))
        plan["grid_spacing"], plan["grid_factor"], plan["grid_basket"] = row["grid_spacing"], row["grid_lots_factor"], row["grid_basket_target"]
        plan["needs_stop"] = not np.isnan(row["break_even_r"]) or row["trail_start_r"] > 0 or np.any(plan["target_r"] > 0)
        return plan

    def _flat(self, k: int, text: str) -> int:
        if (k, text) not in self.flats:
            self.flats.append((k, text))
        return self.flats.index((k, text))

    def _moments(self, tasks: Sequence[Task], bars: Sequence[Bars]) -> tuple[np.ndarray, np.ndarray]:
        if not self.flats:
            return np.full((1, 1), NEVER), np.full((1, 1), NEVER)
        offsets = np.concatenate(([0], np.cumsum([len(one.ts) for one in bars])))
        at, shut = (np.full((len(self.flats), offsets[-1]), NEVER) for _ in range(2))
        for number, (k, text) in enumerate(self.flats):
            here = slice(offsets[k], offsets[k + 1])
            at[number, here], shut[number, here] = flat_moments(text, bars[k].ts, tasks[k].timeframe, tasks[k].instrument.calendar)
        return at, shut

    def _atr(self, bars: Sequence[Bars]) -> np.ndarray:
        if not self.windows:
            return np.full((1, 1), np.nan)
        table = np.empty((len(self.windows), sum(len(one.ts) for one in bars)))
        for number, window in enumerate(self.windows):
            first = 0
            for one in bars:
                kernel.wilder_atr(one.high, one.low, one.close, window, table[number, first : first + len(one.ts)])
                first += len(one.ts)
        return table


def _constant(column: pd.Series) -> bool:
    if column.dtype != np.float64:
        return bool((column == column.iloc[0]).all())
    values = column.to_numpy()
    if values.strides == (0,):      # one number, read again at every row
        return True
    return bool(np.isnan(values).all() if np.isnan(values[0]) else (values == values[0]).all())


def _or(value: float, default: float) -> float:
    return default if np.isnan(value) else value


def _signals(tasks: Sequence[Task], bars: Sequence[Bars], offsets: np.ndarray, plans: Plans) -> tuple[dict[str, np.ndarray], list[np.ndarray]]:
    parts = [_signals_of(task, one, plans.of_task[k]) for k, (task, one) in enumerate(zip(tasks, bars, strict=True))]
    bar = np.concatenate([bar + offset for (_, bar, _), offset in zip(parts, offsets, strict=False)])
    counted = np.bincount(bar, minlength=offsets[-1])
    return dict(signals=_joined([table for table, _, _ in parts]), signal_first=np.concatenate(([0], np.cumsum(counted)))), [tags for _, _, tags in parts]


def _signals_of(task: Task, bars: Bars, plan: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The signals of a task by the bar that decided them, within a bar in their order; those bars; the names of the tags."""
    given = task.signals
    bar = _bar_of(task, nanoseconds(given["ts"]), bars.ts)
    if (given["trail_kind"] == "quantile").any() and task.trail_price is None:
        raise BadRequest("trail_kind quantile follows prices that a strategy gives bar by bar; a table of signals cannot. Use points, percent or atr")
    table = np.zeros(len(given), SIGNAL)
    table["number"], table["lots"], table["side"], table["plan"] = np.arange(len(given)), given["lots"], given["side"], plan
    table["order"] = _order_numbers(given["order"])
    table["tag"], tags = _coded(given["tag"])
    if len(given) and (given["oco"] != "").any():
        table["oco"] = pd.factorize(given["oco"].where(given["oco"] != ""))[0] + 1
    table["price"], table["stop"] = _on_grid(given["price"]), _on_grid(given["stop_loss"])
    for t in range(4):
        table["target"][:, t] = _on_grid(given[f"target_{t + 1}"])
    if bool((np.diff(bar) >= 0).all()):
        return table, bar, np.asarray(tags, dtype=object)
    order = np.argsort(bar, kind="stable")
    return table[order], bar[order], np.asarray(tags, dtype=object)


def _on_grid(column: pd.Series) -> np.ndarray:
    return _grid(column.to_numpy(np.float64))


def _grid(x: np.ndarray) -> np.ndarray:
    return np.rint(x * 1e9) / 1e9


def _coded(words: pd.Series) -> tuple[np.ndarray, Sequence[str]]:
    """The number of each word, and the words by number."""
    if len(words) and _constant(words):
        return np.broadcast_to(0, len(words)), [words.iloc[0]]
    return pd.factorize(words)


def _order_numbers(column: pd.Series) -> np.ndarray:
    codes, names = _coded(column)
    return np.array([ORDERS.index(name) for name in names], np.int8)[codes] if len(names) else np.zeros(0, np.int8)


def _bar_of(task: Task, decided: np.ndarray, ts: np.ndarray) -> np.ndarray:
    bar = np.searchsorted(ts, decided)
    lost = (bar == len(ts)) | (ts[np.minimum(bar, len(ts) - 1)] != decided)
    if lost.any():
        row = int(np.flatnonzero(lost)[0])
        when = pd.Timestamp(decided[row], tz="UTC")
        raise BadRequest(f"row {row + 1} of the signals: {when:%Y-%m-%d %H:%M:%S} UTC is not the open of a bar of {task.instrument.name} {task.timeframe}")
    return bar


def _rates(tasks: Sequence[Task], bars: Sequence[Bars], costs: Costs, account: str, currencies: Sequence[str], rates: Sequence[Rate], instants: np.ndarray, first: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    loaded = []
    for task, one in zip(tasks, bars, strict=True):
        loaded.append(_quoted(task, one))
        if task.finer is not None:
            loaded.append(_quoted(Rate(task.instrument, task.finer_timeframe or task.timeframe, task.finer, task.side), None, costs))
    loaded += [_quoted(rate, None, costs) for rate in rates]
    table = np.stack([conversion.rates_at(currency, account, loaded, instants) for currency in currencies])
    for k, task in enumerate(tasks):
        _known_in_time(task, bars[k], account, table[currencies.index(task.instrument.quote)], instants, first[offsets[k] : offsets[k + 1] + 1])
    return table


def _quoted(task: Task | Rate, bars: Bars | None, costs: Costs | None = None) -> conversion.Quoted:
    one = bars or _bars(task, costs or Costs())
    mid = _grid(one.close) if task.side == "mid" else (_grid(one.close) + _grid(one.close + one.spread)) / 2
    return conversion.Quoted(task.instrument.base, task.instrument.quote, task.timeframe.minutes, one.end, mid)


def _known_in_time(task: Task, bars: Bars, account: str, rate: np.ndarray, instants: np.ndarray, first: np.ndarray) -> None:
    """A rate must stand when the first signal of this task is decided."""
    decides = np.flatnonzero(np.diff(first))
    if not len(decides):
        return
    at = np.searchsorted(instants, bars.end[decides[0]])
    if np.isnan(rate[at]):
        when = pd.Timestamp(bars.end[decides[0]], tz="UTC")
        quote = task.instrument.quote
        raise BadRequest(f"what {quote} is worth in {account} is not known at the first signal of {task.instrument.name}, {when:%Y-%m-%d %H:%M} UTC: load bars of {quote}{account} or {account}{quote} that begin earlier")


def _final(table: np.ndarray, instants: np.ndarray, currency: int, end: int) -> float:
    return float(table[currency, np.searchsorted(instants, end)])


def _market(tasks: Sequence[Task], bars: Sequence[Bars], costs: Costs) -> dict[str, np.ndarray]:
    market = {name: _joined([getattr(one, name) for one in bars]) for name in ("ts", "end", "spread")}
    market |= {name: _joined([_side(getattr(one, name), task) for task, one in zip(tasks, bars, strict=True)]) for name in ("open", "high", "low", "close")}
    market["nights_before"] = market["nights_in"] = np.zeros(1, np.int8)
    if _swaps(tasks, costs):
        nights = [swap_nights(one.ts, one.end, task.instrument.triple_day) for task, one in zip(tasks, bars, strict=True)]
        market["nights_before"], market["nights_in"] = (_joined(list(part)) for part in zip(*nights, strict=True))
    trail = [np.full(len(one.ts), np.nan) if task.trail_price is None else np.asarray(task.trail_price, np.float64) for task, one in zip(tasks, bars, strict=True)]
    market["trail_price"] = _joined(trail) if any(task.trail_price is not None for task in tasks) else np.full(1, np.nan)
    return market


def _joined(parts: list[np.ndarray]) -> np.ndarray:
    return np.concatenate(parts) if len(parts) > 1 else np.ascontiguousarray(parts[0])


def _swaps(tasks: Sequence[Task], costs: Costs) -> bool:
    given = [costs.swap_long, costs.swap_short]
    return any(task.instrument.swap_long or task.instrument.swap_short for task in tasks) if None in given else any(given)


def _finer(tasks: Sequence[Task], bars: Sequence[Bars], costs: Costs, execution: Execution) -> dict[str, np.ndarray]:
    """Where each bar's finer bars lie: those with ts in [its ts, its end)."""
    found: dict[str, list[np.ndarray]] = {name: [] for name in ("first", "last", "off", "open", "high", "low", "close", "spread")}
    offset = 0
    for task, one in zip(tasks, bars, strict=True):
        finer = _finer_bars(task, task.finer, costs) if task.finer is not None and execution.intrabar == "magnify" else NO_BARS
        first, last = np.searchsorted(finer.ts, one.ts), np.searchsorted(finer.ts, one.end)
        found["first"].append(first + offset)
        found["last"].append(last + offset)
        found["off"].append(_off(task, one, finer, first, last))
        for name in ("open", "high", "low", "close"):
            found[name].append(_side(getattr(finer, name), task))
        found["spread"].append(finer.spread)
        offset += len(finer.ts)
    kinds = dict(first=np.int64, last=np.int64, off=np.int8)
    return {f"finer_{name}": _joined(parts).astype(kinds.get(name, np.float64), copy=False) for name, parts in found.items()}


def _finer_bars(task: Task, frame: pd.DataFrame, costs: Costs) -> Bars:
    ts = nanoseconds(frame["ts"])
    open_, high, low, close = (frame[name].to_numpy(np.float64) for name in ("open", "high", "low", "close"))
    return Bars(ts, ts, open_, high, low, close, _spread(frame, task, costs))


def _off(task: Task, one: Bars, finer: Bars, first: np.ndarray, last: np.ndarray) -> np.ndarray:
    """Bars whose high or low lies more than a tick off that of their finer bars."""
    off = np.zeros(len(one.ts), np.int8)
    seen = np.flatnonzero(first < last)
    if len(seen):
        edges = np.stack([first[seen], last[seen]], axis=1).ravel()
        edges = edges[:-1] if edges[-1] == len(finer.ts) else edges
        high, low = np.maximum.reduceat(finer.high, edges)[::2], np.minimum.reduceat(finer.low, edges)[::2]
        off[seen] = _grid(np.maximum(np.abs(high - one.high[seen]), np.abs(low - one.low[seen]))) > _grid(np.array(task.instrument.tick))
    return off
