"""The decisions of a strategy as columns: where and on which side it enters, the levels it asks for, and the one protection that all of them share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from domain.trading.signals import ABOVE_ZERO, LARGEST, LARGEST_SIZE, NUMBERS, one_word
from domain.trading.signals import Columns as Signals

LEVELS = ("stop_loss", "target_1", "target_2", "target_3", "target_4", "lots", "size")       # of each entry; all else holds for all of them
PLAIN = (*LEVELS, *(f"{name}_{k}" for name in ("target_r", "fraction") for k in range(1, 5)), "break_even_r", "break_even_offset", "max_bars", "valid_bars", "trail_window")
WORDS = ("order", "tag", "instrument")
Number = float | np.ndarray


@dataclass(frozen=True)
class Entries:
    """The bars that decide an entry, ascending, and 1 or −1 for each; and the bars that decide an exit. ``rows``: signals altogether."""

    bar: np.ndarray
    side: np.ndarray
    exits: np.ndarray
    rows: int

    def equals(self, other: Entries) -> bool:
        return self.rows == other.rows and all(np.array_equal(getattr(self, name), getattr(other, name)) for name in ("bar", "side", "exits"))


@dataclass(frozen=True)
class Orders:
    """Market orders of one tag at ``entries``; ``levels``: by column one number for all, or one for each entry."""

    entries: Entries
    levels: Mapping[str, Number] = field(default_factory=dict)


def orders_of_rows(entries: Entries, rows: Mapping[str, Any]) -> Orders | None:
    """The orders of rows as a strategy on columns gives them; None where they ask for more than a column can say, or for what a table of signals may not hold."""
    if any(name not in ("bar", "side", *PLAIN, *WORDS) for name in rows) or not all(isinstance(rows.get(name, ""), str) for name in WORDS) or rows.get("order", "market") not in ("market", ""):
        return None
    levels: dict[str, Number] = {}
    for name in PLAIN:
        if name in rows and (number := _number(rows[name], name in LEVELS, len(entries.bar))) is not None:
            levels[name] = number
        elif name in rows:
            return None
    return _checked(Orders(entries, levels))


def _number(value: Any, may_vary: bool, count: int) -> Number | None:
    if isinstance(value, np.ndarray):
        return value.astype(np.float64, copy=False) if may_vary and value.dtype.kind in "iuf" and value.shape == (count,) else None
    return float(value) if isinstance(value, (int, float, np.number)) and not isinstance(value, bool) else None


def orders_of_signals(bar: np.ndarray, signals: Signals) -> Orders | None:
    """The orders of signals as ``read_columns`` gives them, and their bars; None where they are not all market orders, or exits, of one tag and one protection."""
    if not all(_same(signals[name]) for name in ("tag", "oco", "trail_kind", "flat_by")) or any(len(signals["ts"]) and signals[name][0] for name in ("oco", "trail_kind", "flat_by")):
        return None
    order, exits = signals["order"], np.zeros(0, np.int64)
    enters: Any = slice(None)
    if not one_word(order) or (len(order) and order[0] != "market"):
        leaves, enters = (np.asarray(order == word, bool) for word in ("exit", "market"))
        if not (leaves | enters).all():
            return None
        exits = bar[leaves]
    if np.any(np.diff(bar) < 0):
        return None
    entries = Entries(np.ascontiguousarray(bar[enters]), np.ascontiguousarray(signals["side"][enters], np.int8), exits, len(bar))
    levels = {name: _levels(signals[name][enters], name in LEVELS) for name in NUMBERS}
    if any(number is None for number in levels.values()):
        return None
    given = {name: number for name, number in levels.items() if isinstance(number, np.ndarray) or number == number}
    return Orders(entries, given) if all(name in PLAIN or name == "price" for name in given) else None      # type: ignore[arg-type]


def _same(words: Any) -> bool:
    return not len(words) or one_word(words) or bool(np.asarray(words == words[0], bool).all())


def _levels(column: np.ndarray, may_vary: bool) -> Number | None:
    """One number where all are it; None where they vary and may not."""
    if not len(column) or column.strides == (0,):
        return float(column[0]) if len(column) else np.nan
    first = column[0]
    if (np.isnan(column).all() if np.isnan(first) else (column == first).all()):
        return float(first)
    return column if may_vary else None


def _checked(orders: Orders) -> Orders | None:
    """None where a table of signals with these columns would be refused, or where a rule of it needs a look at each row."""
    levels = orders.levels
    if any(not _lies_above_zero(number) and (np.isinf(number).any() or (name in ABOVE_ZERO and np.any(np.less_equal(number, 0.0)))) for name, number in levels.items()):
        return None
    whole = [levels[name] for name in ("max_bars", "valid_bars", "trail_window") if name in levels and levels[name] == levels[name]]
    if any(number != np.floor(number) or not 1 <= number <= LARGEST for number in whole):
        return None
    if "size" in levels and (np.any(np.less(levels["size"], 0.0)) or np.any(np.greater(levels["size"], LARGEST_SIZE))):
        return None
    return _with_fractions(orders)


def _lies_above_zero(number: Number) -> bool:
    """Whether all of it is a number above 0 and none is infinite: what nearly all levels are is seen sooner than what else they may be."""
    if isinstance(number, np.ndarray):
        return not len(number) or bool(number.min() > 0.0 and number.max() < np.inf)
    return 0.0 < number < np.inf


def _with_fractions(orders: Orders) -> Orders | None:
    """A single target without a fraction closes all; several need one each."""
    levels = dict(orders.levels)
    used = [k for k in range(1, 5) if any(_present(levels.get(f"{name}_{k}", np.nan)) for name in ("target", "target_r"))]
    if any(_present(levels.get(f"target_{k}", np.nan)) and _present(levels.get(f"target_r_{k}", np.nan)) for k in used):
        return None
    if len(used) == 1 and not _present(levels.get(f"fraction_{used[0]}", np.nan)):
        levels[f"fraction_{used[0]}"] = 1.0
    given = [k for k in range(1, 5) if _present(levels.get(f"fraction_{k}", np.nan))]
    varies = len(used) > 1 and any(isinstance(levels.get(f"target_{k}"), np.ndarray) and np.isnan(levels[f"target_{k}"]).any() for k in used)
    shares = [levels[f"fraction_{k}"] for k in given]
    if given != used or varies or any(not 0 < share <= 1 for share in shares) or sum(shares) > 1 + 1e-9:
        return None
    return Orders(orders.entries, levels)


def _present(number: Number) -> bool:
    return isinstance(number, np.ndarray) or number == number
