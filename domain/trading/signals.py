"""Signals: the one table that strategies make and that people may bring."""

from __future__ import annotations

import numpy as np
import pandas as pd

from domain.errors import BadRequest, listed, unknown

ORDERS = ("market", "stop", "limit", "exit")
TRAILS = ("points", "percent", "atr", "quantile")
SIDES = {"long": 1, "buy": 1, "1": 1, "+1": 1, "short": -1, "sell": -1, "-1": -1}
NUMBERS = (
    "price", "valid_bars", "stop_loss", "target_1", "target_2", "target_3", "target_4", "fraction_1", "fraction_2", "fraction_3", "fraction_4",
    "target_r_1", "target_r_2", "target_r_3", "target_r_4", "break_even_r", "break_even_offset", "trail_value", "trail_window", "trail_start_r",
    "max_bars", "grid_spacing", "grid_max_adds", "grid_lots_factor", "grid_basket_target", "lots",
)  # fmt: skip
WORDS = ("trail_kind", "flat_by", "tag", "oco")
SIGNAL_COLUMNS = ("ts", "instrument", "side", "order", *NUMBERS, *WORDS)
WHOLE = ("valid_bars", "trail_window", "max_bars", "grid_max_adds")


def read_signals(table: pd.DataFrame, instruments: tuple[str, ...]) -> pd.DataFrame:
    """``table`` with every column of SIGNAL_COLUMNS, typed and checked; a bad cell is named with its row.

    ``side`` becomes +1 or -1, numbers float64 with NaN for empty, words str with "" for empty. Row order is kept:
    it is the order of the signals. A missing ``order`` is a market order; a missing ``instrument`` is the only one.

    >>> read_signals(pd.DataFrame({"ts": ["2024-01-02T10:00Z"], "side": ["long"], "stop_los": [1.0]}), ("EURUSD",))
    Traceback (most recent call last):
    ...
    domain.errors.UnknownName: no signal column named 'stop_los'; did you mean 'stop_loss'?
    """
    for column in table.columns:
        if column not in SIGNAL_COLUMNS:
            raise unknown("signal column", column, SIGNAL_COLUMNS)
    for needed in ("ts", "side"):
        if needed not in table:
            raise BadRequest(f"the signals have no column {needed!r}; each row needs at least ts and side")
    read = pd.DataFrame(dict(ts=_instants(table["ts"]), instrument=_instrument(table, instruments)))
    read["order"] = _words(table, "order").replace("", "market")
    read["side"] = _sides(table, read["order"])
    for column in NUMBERS:
        read[column] = _numbers(table, column)
    for column in WORDS:
        read[column] = _words(table, column)
    _check(read)
    return read


def _instants(column: pd.Series) -> pd.Series:
    try:
        return pd.to_datetime(column, utc=True, format=None if pd.api.types.is_datetime64_any_dtype(column) else "ISO8601").dt.as_unit("ns")
    except (ValueError, TypeError) as error:
        raise BadRequest(f"the signals' ts is not a time: {error}") from None


def _instrument(table: pd.DataFrame, instruments: tuple[str, ...]) -> pd.Series:
    if "instrument" not in table:
        if len(instruments) > 1:
            raise BadRequest(f"the signals have no column 'instrument', and there are {len(instruments)}: {listed(instruments)}")
        return pd.Series(instruments[0], index=table.index, dtype=str)
    names = _words(table, "instrument")
    for name in names.unique():
        if name not in instruments:
            raise unknown("instrument among the bars", name, instruments)
    return names


def _sides(table: pd.DataFrame, order: pd.Series) -> pd.Series:
    words = _words(table, "side").str.lower().str.removesuffix(".0")
    sides = words.map(SIDES).where(words != "", np.where(order == "exit", 0, np.nan))
    _refuse(sides.isna(), "side", words, "long or short")
    return sides.astype(np.int8)


def _numbers(table: pd.DataFrame, column: str) -> np.ndarray:
    if column not in table:
        return np.full(len(table), np.nan)
    numbers = pd.to_numeric(table[column], errors="coerce")
    _refuse(numbers.isna() & table[column].notna() & (table[column].astype(str).str.strip() != ""), column, table[column], "a number")
    return numbers.to_numpy(np.float64, copy=True)


def _words(table: pd.DataFrame, column: str) -> pd.Series:
    if column not in table:
        return pd.Series("", index=table.index, dtype=str)
    words = table[column]
    if not isinstance(words.dtype, pd.StringDtype):
        words = words.astype(object).where(words.notna(), "").astype("str")
    return words.fillna("").str.strip()


def _check(read: pd.DataFrame) -> None:
    order, is_exit = read["order"], read["order"] == "exit"
    _refuse(~order.isin(ORDERS), "order", order, " or ".join(ORDERS))
    _refuse(order.isin(("stop", "limit")) & read["price"].isna(), "price", read["price"], "a price: a stop or limit order needs one")
    for column in WHOLE:
        _refuse(read[column].notna() & ((read[column] != np.floor(read[column])) | (read[column] < (0 if column == "grid_max_adds" else 1))), column, read[column], "a whole number above 0")
    for column in ("lots", "trail_value", "break_even_r", "grid_spacing", "grid_lots_factor", "grid_basket_target", "target_r_1", "target_r_2", "target_r_3", "target_r_4"):
        _refuse(read[column] <= 0, column, read[column], "above 0")
    for column in NUMBERS:
        _refuse(np.isinf(read[column]), column, read[column], "finite")
    _refuse(read["trail_start_r"] < 0, "trail_start_r", read["trail_start_r"], "0 or more")
    _check_targets(read, is_exit)
    _check_trail(read)
    _check_grid(read)


def _check_targets(read: pd.DataFrame, is_exit: pd.Series) -> None:
    used = [(read[f"target_{k}"].notna() | read[f"target_r_{k}"].notna()) & ~is_exit for k in range(1, 5)]
    count = sum(u.astype(int) for u in used)
    for k, use in enumerate(used, 1):
        fraction = read[f"fraction_{k}"]
        read.loc[use & (count == 1) & fraction.isna(), f"fraction_{k}"] = 1.0
        fraction = read[f"fraction_{k}"]
        _refuse(use & fraction.isna(), f"fraction_{k}", fraction, f"the share of the lots that target_{k} closes: with several targets each needs one")
        _refuse(fraction.notna() & ((fraction <= 0) | (fraction > 1)), f"fraction_{k}", fraction, "above 0 and at most 1")
        _refuse(fraction.notna() & ~use & ~is_exit, f"fraction_{k}", fraction, f"empty, as there is no target_{k}")
        _refuse(read[f"target_{k}"].notna() & read[f"target_r_{k}"].notna(), f"target_r_{k}", read[f"target_r_{k}"], f"empty where target_{k} is given")
    total = sum(read[f"fraction_{k}"].fillna(0.0) for k in range(1, 5))
    _refuse(total > 1 + 1e-9, "fraction_1", total, "such that all fractions add up to at most 1")


def _check_trail(read: pd.DataFrame) -> None:
    kind = read["trail_kind"]
    _refuse((kind != "") & ~kind.isin(TRAILS), "trail_kind", kind, " or ".join(TRAILS))
    _refuse(kind.isin(("points", "percent", "atr")) & read["trail_value"].isna(), "trail_value", read["trail_value"], "given with trail_kind points, percent or atr")
    read.loc[(kind == "atr") & read["trail_window"].isna(), "trail_window"] = 14.0


def _check_grid(read: pd.DataFrame) -> None:
    grid = read["grid_spacing"].notna() | read["grid_basket_target"].notna() | read["grid_max_adds"].notna() | read["grid_lots_factor"].notna()
    for column in ("grid_spacing", "grid_max_adds", "grid_basket_target"):
        _refuse(grid & read[column].isna(), column, read[column], "given: a grid needs spacing, max_adds and basket_target")
    read.loc[grid & read["grid_lots_factor"].isna(), "grid_lots_factor"] = 1.0
    others = read[["target_1", "target_2", "target_3", "target_4", "target_r_1", "target_r_2", "target_r_3", "target_r_4", "break_even_r"]].notna().any(axis=1) | (read["trail_kind"] != "")
    _refuse(grid & others, "grid_spacing", read["grid_spacing"], "without targets, break-even or trail: a grid has one target for all")


def _refuse(bad: pd.Series, column: str, found: pd.Series, wanted: str) -> None:
    bad = pd.Series(np.asarray(bad, dtype=bool))
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        value = found.iloc[row]
        raise BadRequest(f"row {row + 1} of the signals: {column} is {value.item() if hasattr(value, 'item') else value!r}; it must be {wanted}")
