"""Every signal simulated alone by the kernel: under a tag of its own, in an account that refuses nothing.

Costs and execution are those of the account that would trade it, so its R is that of a backtest in which nothing stands in its way. The size is the minimum
lot, or the few of them that a signal with several targets needs for each to close its share.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from domain.market.instrument import Instrument
from domain.risk.limits import Limits
from domain.risk.sizing import Sizing
from domain.trading.outcomes import DROPS
from domain.trading.signals import NUMBERS, Columns, read_columns
from domain.trading.task import Outcome, Rate, Task
from domain.training.inputs import Inputs
from domain.training.leaving import Leaving, leaving

if TYPE_CHECKING:
    from domain.backtest.series import Bars

RICH, LEVERAGE = 1e12, 2_000.0      # money and leverage that no order exhausts
MOST = 100                          # minimum lots of one order
FRACTIONS = ("fraction_1", "fraction_2", "fraction_3", "fraction_4")
RESULTS = ("entry_ts", "exit_ts", "exit_reason", "stop_loss", "r", "mae_r", "mfe_r", "bars_held")
Watch = Callable[[float], None]


@dataclass(frozen=True)
class Decided:
    """The signals of one series: ``table`` as ``study.decided`` reads them, the traded bar that decided each, whether it is an entry, and trailing prices."""

    inputs: Inputs
    table: Columns
    bar: np.ndarray
    entry: np.ndarray
    trail: np.ndarray | None
    bars: Bars


def simulated_alone(decided: Sequence[Decided], live: Sequence[np.ndarray], watch: Watch = lambda share: None) -> tuple[list[pd.DataFrame], Mapping[str, int]]:
    """What becomes of the ``live`` entries of each series (rows of its table): a frame of each, a row an opened signal, with ``number`` (its row), RESULTS, and
    ``known``, the end of the bar of its last fill, int64 ns UTC. And the signals that never opened, counted by reason."""
    reverses = decided[0].inputs.rules.execution.reverse_on_opposite
    opened = _open_at(decided, live, reverses)
    left = [leaving(each.table, each.bar, each.entry, rows, at, reverses) for each, rows, at in zip(decided, live, opened, strict=True)]
    outcome = _replayed(decided, [_table(*each) for each in zip(decided, live, left, strict=True)], watch)
    results = [_results(each, outcome, leave) for each, leave in zip(decided, left, strict=True)]
    return results, _never_opened(outcome, sum(map(len, live)))


def _never_opened(outcome: Outcome, signals: int) -> dict[str, int]:
    """By reason. The kernel's count of the end of the data holds exits too, so that is what is left over."""
    reasons = {name: int(outcome.counts.get(name, 0)) for name in DROPS if name != "end_of_data"}
    reasons["end_of_data"] = signals - len(outcome.trades) - sum(reasons.values())
    return {name: count for name, count in reasons.items() if count}


def _open_at(decided: Sequence[Decided], live: Sequence[np.ndarray], reverses: bool) -> list[np.ndarray]:
    """The bar in which each live entry would open. What waits for its price is simulated once for it, where that matters: an exit signal before that bar
    would find nothing to exit. It is closed a bar later, for nothing else counts; and it opens where it opens, whatever exits may follow."""
    from domain.backtest.series import nanoseconds

    opened = [each.bar[rows] + 1 for each, rows in zip(decided, live, strict=True)]
    waits = [rows[each.table["order"][rows] != "market"] for each, rows in zip(decided, live, strict=True)]
    if not any(map(len, waits)) or not (reverses or any((~each.entry).any() for each in decided)):
        return opened
    outcome = _replayed(decided, [_table(each, rows, None).assign(max_bars=1.0) for each, rows in zip(decided, waits, strict=True)], lambda share: None)
    for each, rows, at in zip(decided, live, opened, strict=True):
        trades = _own(each, outcome)
        place = np.full(len(each.bar), -1)
        place[rows] = np.arange(len(rows))
        at[place[_numbers(trades)]] = np.searchsorted(each.bars.ts, nanoseconds(trades["entry_ts"]), side="right") - 1
    return opened


def _replayed(decided: Sequence[Decided], tables: Sequence[pd.DataFrame], watch: Watch) -> Outcome:
    from domain.backtest.simulator import replay

    rules = decided[0].inputs.rules
    account = replace(rules.account, balance=RICH, leverage=LEVERAGE, stop_out=0.0)
    names = tuple(each.inputs.series.instrument.name for each in decided)
    tasks = []
    for each, table in zip(decided, tables, strict=True):
        series = each.inputs.series
        tasks.append(Task(series.instrument, series.timeframe, series.bars, read_columns(table, names), series.side, series.finer, series.finer_timeframe, each.trail))
    return replay(tasks, replace(rules, account=account, sizing=Sizing("fixed_lots", 1.0), limits=Limits()), _rates(decided), watch)


def _rates(decided: Sequence[Decided]) -> list[Rate]:
    """Those of every series, each once."""
    return list({(rate.instrument.name, str(rate.timeframe)): rate for each in decided for rate in each.inputs.rates}.values())


def _table(each: Decided, live: np.ndarray, leave: Leaving | None) -> pd.DataFrame:
    """The same rows in the same places, for the number of a signal draws its slippage: a live entry under its number as tag, at no one's cost but its own, the others
    as exits of nothing; below them an exit for each that a later signal ends."""
    instrument = each.inputs.series.instrument
    table = pd.DataFrame({name: column for name, column in each.table.items() if name not in ("oco", "size") and not (name in NUMBERS and _is_absent(column))})
    kept, tag = np.zeros(len(table), bool), np.full(len(table), "", object)
    kept[live], tag[live] = True, live.astype(str)
    table["instrument"], table["tag"] = instrument.name, tag
    table["order"] = np.where(kept, np.asarray(each.table["order"], object), "exit")
    table["lots"] = np.where(kept, _lots(instrument, each.table), np.nan)
    if leave is None or not len(leave.number):
        return table
    exits = pd.DataFrame(dict(ts=each.inputs.series.bars["ts"].array[leave.bar], instrument=instrument.name, side=1, order="exit", tag=leave.number.astype(str)))
    return pd.concat([table, exits], ignore_index=True)


def _is_absent(column: object) -> bool:
    return isinstance(column, np.ndarray) and column.strides == (0,)


def _lots(instrument: Instrument, table: Columns) -> float:
    """The minimum lot, or the smallest multiple of it of which every target's share is whole steps; a grid's factor needs finer ones."""
    shares = np.unique(np.concatenate([np.asarray(table[name])[~np.isnan(table[name])] for name in FRACTIONS]))
    multiples = np.arange(1, MOST + 1)
    steps = multiples[:, None] * (instrument.min_lot / instrument.lot_step) * shares[None, :]
    whole = (np.abs(steps - np.rint(steps)) < 1e-6).all(axis=1)
    grid = np.concatenate([np.asarray(table[name]) for name in ("grid_first_factor", "grid_lots_factor")])
    fits = whole.any() and not np.any(grid[~np.isnan(grid)] % 1)
    multiple = int(multiples[int(whole.argmax())]) if fits else MOST
    return min(round(instrument.min_lot * multiple, 9), instrument.max_lot)


def _own(each: Decided, outcome: Outcome) -> pd.DataFrame:
    """The trades of one series."""
    return outcome.trades[(outcome.trades["instrument"] == each.inputs.series.instrument.name).to_numpy()]


def _numbers(trades: pd.DataFrame) -> np.ndarray:
    """The rows of the table that the trades come from: their tags."""
    tags = trades["tag"].cat
    return tags.categories.to_numpy(dtype=object).astype(np.int64)[tags.codes] if len(trades) else np.zeros(0, np.int64)


def _results(each: Decided, outcome: Outcome, leave: Leaving) -> pd.DataFrame:
    from domain.backtest.series import nanoseconds

    trades = _own(each, outcome)
    number, last = _numbers(trades), np.zeros(len(outcome.trades) + 1, np.int64)
    np.maximum.at(last, outcome.fills["trade_id"].to_numpy(), np.arange(len(outcome.fills)))
    bar_ts = nanoseconds(outcome.fills["bar_ts"])[last[trades["trade_id"].to_numpy()]]
    reason = np.asarray(trades["exit_reason"], object)
    reason = np.where((reason == "signal") & np.isin(number, leave.number[leave.reversing]), "opposite", reason)
    known = each.bars.end[np.searchsorted(each.bars.ts, bar_ts, side="right") - 1]
    return trades[list(RESULTS)].assign(number=number, exit_reason=reason, known=known).reset_index(drop=True)
