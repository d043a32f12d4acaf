"""Signals: the one table that strategies produce and that people may import."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache, reduce
from typing import Any

import numpy as np
import pandas as pd

from domain.errors import BadRequest, listed, unknown
from domain.trading.instants import instants

ORDERS = ("market", "stop", "limit", "exit")
TRAILS = ("points", "percent", "atr", "quantile")
SIDES = {"long": 1, "buy": 1, "1": 1, "+1": 1, "short": -1, "sell": -1, "-1": -1}
NUMBERS = (
    "price", "valid_bars", "stop_loss", "target_1", "target_2", "target_3", "target_4", "fraction_1", "fraction_2", "fraction_3", "fraction_4",
    "target_r_1", "target_r_2", "target_r_3", "target_r_4", "break_even_r", "break_even_offset", "trail_value", "trail_window", "trail_start_r",
    "max_bars", "grid_spacing", "grid_max_adds", "grid_first_factor", "grid_lots_factor", "grid_basket_target", "lots", "size",
)  # fmt: skip
WORDS = ("trail_kind", "flat_by", "tag", "oco")
SIGNAL_COLUMNS = ("ts", "instrument", "side", "order", *NUMBERS, *WORDS)
INTEGERS = ("valid_bars", "trail_window", "max_bars", "grid_max_adds")
LARGEST = 1_000_000_000         # of a whole number: more bars than there are
LARGEST_SIZE = 10.0             # of ``size``, the share of the lots that the sizer gives
GRID = ("grid_spacing", "grid_basket_target", "grid_max_adds", "grid_first_factor", "grid_lots_factor")
ABOVE_ZERO = ("lots", "trail_value", "break_even_r", "grid_spacing", "grid_first_factor", "grid_lots_factor", "grid_basket_target", *(f"target_r_{k}" for k in range(1, 5)))
NO_GRID = ("target_1", "target_2", "target_3", "target_4", "target_r_1", "target_r_2", "target_r_3", "target_r_4", "break_even_r")

Columns = dict[str, Any]        # by name: numpy arrays of numbers, pandas' arrays of times and words


def read_signals(table: pd.DataFrame, instruments: tuple[str, ...]) -> pd.DataFrame:
    """``table`` with every column of SIGNAL_COLUMNS, typed and checked; a bad cell is named with its row.

    ``side`` becomes +1 or -1, numbers float64 with NaN for empty, words str with "" for empty. Row order is preserved:
    it is the order of the signals. A missing ``order`` is a market order; a missing ``instrument`` is the only one.
    A number that ``table`` has no column for is one NaN repeated at every row: it takes no memory and cannot be written to.

    >>> read_signals(pd.DataFrame({"ts": ["2024-01-02T10:00Z"], "side": ["long"], "stop_los": [1.0]}), ("EURUSD",))
    Traceback (most recent call last):
    ...
    domain.errors.UnknownName: no signal column named 'stop_los'; did you mean 'stop_loss'?
    """
    return pd.DataFrame(read_columns(table, instruments), index=table.index, copy=False)


def read_columns(table: pd.DataFrame, instruments: tuple[str, ...]) -> Columns:
    """The same as columns by name: numpy arrays of numbers, pandas' arrays of times and words."""
    for column in table.columns:
        if column not in SIGNAL_COLUMNS:
            raise unknown("signal column", column, SIGNAL_COLUMNS)
    for needed in ("ts", "side"):
        if needed not in table:
            raise BadRequest(f"the signals have no column {needed!r}; each row needs at least ts and side")
    read: Columns = dict(ts=instants(table["ts"]), instrument=_instrument(table, instruments))
    read["order"], is_exit, is_pending = _order(table)
    read["side"] = _sides(table, is_exit)
    read.update({column: _numbers(table, column) for column in NUMBERS})
    read.update({column: _words(table, column) for column in WORDS})
    if "order" in table:
        _refuse(~_among(read["order"], ORDERS), "order", read["order"], " or ".join(ORDERS))
    _check_numbers(read, is_pending)
    _check_targets(read, is_exit)
    _check_trail(read, "trail_kind" in table)
    _check_grid(read)
    return read


def _instrument(table: pd.DataFrame, instruments: tuple[str, ...]) -> Any:
    if "instrument" not in table:
        if len(instruments) > 1:
            raise BadRequest(f"the signals have no column 'instrument', and there are {len(instruments)}: {listed(instruments)}")
        return _repeated(instruments[0], len(table))
    names = _words(table, "instrument")
    for name in names.unique():
        if name not in instruments:
            raise unknown("instrument among the bars", name, instruments)
    return names


def _order(table: pd.DataFrame) -> tuple[Any, np.ndarray, np.ndarray]:
    """The words; where they are ``exit``; where they are ``stop`` or ``limit``."""
    nowhere = np.zeros(1, bool)
    if "order" not in table:
        return _repeated("market", len(table)), nowhere, nowhere
    order = pd.Series(_words(table, "order")).replace("", "market").array
    return order, _among(order, ("exit",)), _among(order, ("stop", "limit"))


def _sides(table: pd.DataFrame, is_exit: np.ndarray) -> np.ndarray:
    column = table["side"]
    if _is_plain(column) and np.all(np.abs(column.to_numpy()) == 1):
        return column.to_numpy(np.int8, copy=True)
    codes, names = pd.factorize(_words(table, "side"))
    words = [name.lower().removesuffix(".0") for name in names]
    sides = np.array([SIDES.get(word, 0) for word in words], np.int8)[codes]
    bad = (sides == 0) & ~(is_exit & np.array([not word for word in words], bool)[codes])
    _refuse(bad, "side", np.array(words, object)[codes], "long or short")
    return sides


def _numbers(table: pd.DataFrame, column: str) -> np.ndarray:
    if column not in table:
        return np.broadcast_to(np.nan, len(table))
    cells = table[column]
    if _is_plain(cells):
        return cells.to_numpy(np.float64, copy=True)
    numbers = _from_text(cells) if isinstance(cells.dtype, pd.StringDtype) else None
    if numbers is None:
        numbers = pd.to_numeric(cells, errors="coerce").to_numpy(np.float64, copy=True, na_value=np.nan)
    if np.isnan(numbers).any():
        _refuse(np.isnan(numbers) & np.asarray(cells.notna() & (cells.astype(str).str.strip() != ""), bool), column, cells.array, "a number")
    return numbers


def _from_text(cells: pd.Series) -> np.ndarray | None:
    """The numbers of a file's column, NaN where it is empty; None where a cell is written in a way that Arrow does not read."""
    import pyarrow as pa
    from pyarrow import compute

    text = pa.array(cells, from_pandas=True)
    try:
        return np.array(compute.if_else(compute.equal(text, ""), None, text).cast(pa.float64()).to_numpy(zero_copy_only=False))
    except pa.ArrowInvalid:
        return None


def _words(table: pd.DataFrame, column: str) -> Any:
    if column not in table:
        return _repeated("", len(table))
    words = table[column]
    if not isinstance(words.dtype, pd.StringDtype):
        words = words.astype(object).where(words.notna(), "").astype("str")
    return words.fillna("").str.strip().array


def _is_plain(column: pd.Series) -> bool:
    return isinstance(column.dtype, np.dtype) and column.dtype.kind in "iuf"


def _repeated(word: str, rows: int) -> Any:
    return pd.array(_arrow(word, rows), dtype="str")


@lru_cache(maxsize=8)       # the empty columns of tables of one length share them: Arrow's arrays never change
def _arrow(word: str, rows: int) -> Any:
    import pyarrow as pa

    return pa.repeat(pa.scalar(word, pa.large_string()), rows)


def one_word(words: Any) -> bool:
    """Whether these are one word repeated at every row, as for a column that a table does not have; decided without reading them."""
    if not len(words) or not hasattr(words, "__arrow_array__"):
        return False
    array = words.__arrow_array__()
    chunks = getattr(array, "chunks", [array])
    return len(chunks) == 1 and chunks[0].buffers()[2].address == _arrow(words[0], len(words)).buffers()[2].address


def _among(words: Any, names: Iterable[str]) -> np.ndarray:
    return np.asarray(words.isin(list(names)), bool)


def _present(numbers: np.ndarray) -> np.ndarray:
    """Where there is a number: one answer if it is the same at every row."""
    if _is_absent(numbers):
        return ~np.isnan(numbers[:1])
    return np.ones(1, bool) if len(numbers) and not np.isnan(numbers.min()) else ~np.isnan(numbers)


def _any_present(read: Columns, columns: Iterable[str]) -> np.ndarray:
    return reduce(np.logical_or, (_present(read[column]) for column in columns))


def _is_absent(numbers: np.ndarray) -> bool:
    return numbers.strides == (0,)


def _span(numbers: np.ndarray) -> tuple[float, float]:
    """The lowest and the highest number; NaN where there is none."""
    numbers = numbers[:1] if _is_absent(numbers) else numbers
    return (float(np.fmin.reduce(numbers)), float(np.fmax.reduce(numbers))) if len(numbers) else (np.nan, np.nan)


def _filled(numbers: np.ndarray, where: np.ndarray, value: float | np.ndarray) -> np.ndarray:
    """``value``, or that of the same row, in the empty places of ``where``."""
    empty = where & ~_present(numbers)
    return np.where(empty, value, numbers) if empty.any() else numbers


def _check_numbers(read: Columns, is_pending: np.ndarray) -> None:
    given = [column for column in NUMBERS if not _is_absent(read[column])]
    if is_pending.any():
        _refuse(is_pending & ~_present(read["price"]), "price", read["price"], "a price: a stop or limit order needs one")
    for column in (name for name in INTEGERS if name in given):
        number = read[column]
        _refuse((number != np.floor(number)) & _present(number) | (number < (0 if column == "grid_max_adds" else 1)), column, number, "a whole number above 0")
        _refuse((number > LARGEST) & np.isfinite(number), column, number, f"at most {LARGEST:,}")
    spans = {column: _span(read[column]) for column in given}
    for column in (name for name in ABOVE_ZERO if name in given and spans[name][0] <= 0):
        _refuse(read[column] <= 0, column, read[column], "above 0")
    for column in (name for name in given if np.isinf(spans[name]).any()):
        _refuse(np.isinf(read[column]), column, read[column], "finite")
    if "size" in given:
        _refuse((read["size"] < 0) | (read["size"] > LARGEST_SIZE), "size", read["size"], f"a share of the sizer's lots from 0 to {LARGEST_SIZE:g}")
    if "trail_start_r" in given:
        _refuse(read["trail_start_r"] < 0, "trail_start_r", read["trail_start_r"], "0 or more")


def _check_targets(read: Columns, is_exit: np.ndarray) -> None:
    used = [(_present(read[f"target_{k}"]) | _present(read[f"target_r_{k}"])) & ~is_exit for k in range(1, 5)]
    alone = sum(use.astype(np.int8) for use in used) == 1
    most = 0.0
    for k, use in enumerate(used, 1):
        if all(_is_absent(read[f"{name}_{k}"]) for name in ("target", "target_r", "fraction")):
            continue
        fraction = read[f"fraction_{k}"] = _filled(read[f"fraction_{k}"], use & alone, 1.0)
        present, (least, largest) = _present(fraction), _span(fraction)
        _refuse(use & ~present, f"fraction_{k}", fraction, f"the share of the lots that target_{k} closes: with several targets each needs one")
        if least <= 0 or largest > 1:
            _refuse((fraction <= 0) | (fraction > 1), f"fraction_{k}", fraction, "above 0 and at most 1")
        _refuse(present & ~use & ~is_exit, f"fraction_{k}", fraction, f"empty, as there is no target_{k}")
        _refuse(_present(read[f"target_{k}"]) & _present(read[f"target_r_{k}"]), f"target_r_{k}", read[f"target_r_{k}"], f"empty where target_{k} is given")
        most += 0.0 if np.isnan(largest) else largest
    if most > 1:
        total = np.sum([np.nan_to_num(read[f"fraction_{k}"]) for k in range(1, 5) if not _is_absent(read[f"fraction_{k}"])], axis=0)
        _refuse(total > 1 + 1e-9, "fraction_1", total, "such that all fractions add up to at most 1")


def _check_trail(read: Columns, is_given: bool) -> None:
    if not is_given:
        return
    kind = read["trail_kind"]
    _refuse(~_among(kind, ("", *TRAILS)), "trail_kind", kind, " or ".join(TRAILS))
    _refuse(_among(kind, ("points", "percent", "atr")) & ~_present(read["trail_value"]), "trail_value", read["trail_value"], "given with trail_kind points, percent or atr")
    read["trail_window"] = _filled(read["trail_window"], _among(kind, ("atr",)), 14.0)


def _check_grid(read: Columns) -> None:
    grid = _any_present(read, GRID)
    if not grid.any():
        return
    for column in ("grid_spacing", "grid_max_adds", "grid_basket_target"):
        _refuse(grid & ~_present(read[column]), column, read[column], "given: a grid needs spacing, max_adds and basket_target")
    read["grid_lots_factor"] = _filled(read["grid_lots_factor"], grid, 1.0)
    read["grid_first_factor"] = _filled(read["grid_first_factor"], grid, read["grid_lots_factor"])
    others = _any_present(read, NO_GRID) | ~_among(read["trail_kind"], ("",))
    _refuse(grid & others, "grid_spacing", read["grid_spacing"], "without targets, break-even or trail: a grid has one target for all")


def _refuse(bad: np.ndarray, column: str, numbers: Any, wanted: str) -> None:
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        value = numbers[row]
        shown = "empty" if isinstance(value, float) and np.isnan(value) else repr(value.item() if hasattr(value, "item") else value)
        raise BadRequest(f"row {row + 1} of the signals: {column} is {shown}; it must be {wanted}")
