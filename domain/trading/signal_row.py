"""One signal, read: what ``read_signals`` gives for a table of one row, in microseconds, for a strategy that decides bar by bar."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from domain.errors import BadRequest, unknown
from domain.trading.signals import (
    ABOVE_ZERO,
    GRID,
    INTEGERS,
    LARGEST,
    LARGEST_SIZE,
    NO_GRID,
    NUMBERS,
    ORDERS,
    SIDES,
    SIGNAL_COLUMNS,
    TRAILS,
    WORDS,
)

EMPTY: Mapping[str, Any] = {**dict.fromkeys(NUMBERS, math.nan), **dict.fromkeys(WORDS, "")}
NUMERIC, KNOWN = frozenset(NUMBERS), frozenset(SIGNAL_COLUMNS)
TARGETS = tuple((f"target_{k}", f"target_r_{k}", f"fraction_{k}") for k in range(1, 5))
PROTECTED = frozenset(name for names in TARGETS for name in names)
NEEDED_OF_GRID = ("grid_spacing", "grid_max_adds", "grid_basket_target")

Row = dict[str, Any]


def read_row(given: Mapping[str, Any]) -> Row:
    """``side`` +1 or −1, ``order``, every number as a float, NaN for none, and every word; raises BadRequest as ``read_signals`` does.

    >>> row = read_row(dict(side="long", stop_loss=1.05, target_r_1=2.0))
    >>> row["side"], row["order"], row["stop_loss"], row["fraction_1"], row["tag"]
    (1, 'market', 1.05, 1.0, '')
    >>> read_row(dict(side=1, size=-1.0))
    Traceback (most recent call last):
    ...
    domain.errors.BadRequest: row 1 of the signals: size is -1.0; it must be a share of the sizer's lots from 0 to 10
    """
    for name in given:
        if name not in KNOWN:
            raise unknown("signal column", name, SIGNAL_COLUMNS)
    read: Row = {"order": given.get("order") or "market", "side": _side(given), **EMPTY}
    numbers: dict[str, float] = {}
    for name, value in given.items():
        if name in NUMERIC:
            number = read[name] = math.nan if value is None or value == "" else _number(name, value)
            if number == number:
                numbers[name] = number
        elif name in EMPTY:
            read[name] = "" if value is None else str(value).strip()
    if read["order"] not in ORDERS:
        _refuse("order", read["order"], " or ".join(ORDERS))
    if read["order"] in ("stop", "limit") and math.isnan(read["price"]):
        _refuse("price", math.nan, "a price: a stop or limit order needs one")
    _check_numbers(numbers)
    _check_targets(read, not PROTECTED.isdisjoint(given))
    _check_trail(read, "trail_kind" in given)
    _check_grid(read)
    return read


def _side(given: Mapping[str, Any]) -> int:
    if "side" not in given:
        raise BadRequest("the signals have no column 'side'; each row needs at least ts and side")
    side = given["side"]
    if side in (1, -1):
        return int(side)
    word = "" if side is None or side != side else str(side).strip()
    number = SIDES.get(word.lower().removesuffix(".0"), 0)
    if not number and (word or given.get("order") != "exit"):
        _refuse("side", word.lower().removesuffix(".0"), "long or short")
    return number


def _number(name: str, value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        _refuse(name, value, "a number")
        raise


def _check_numbers(numbers: Mapping[str, float]) -> None:
    """Those that are not empty, in the order in which a table is checked."""
    for name in INTEGERS:
        if name in numbers:
            number = numbers[name]
            if (math.isfinite(number) and number != math.floor(number)) or number < (0 if name == "grid_max_adds" else 1):
                _refuse(name, number, "a whole number above 0")
            if LARGEST < number < math.inf:
                _refuse(name, number, f"at most {LARGEST:,}")
    for name in ABOVE_ZERO:
        if name in numbers and numbers[name] <= 0:
            _refuse(name, numbers[name], "above 0")
    for name in NUMBERS:
        if name in numbers and math.isinf(numbers[name]):
            _refuse(name, numbers[name], "finite")
    if "size" in numbers and not 0 <= numbers["size"] <= LARGEST_SIZE:
        _refuse("size", numbers["size"], f"a share of the sizer's lots from 0 to {LARGEST_SIZE:g}")
    if "trail_start_r" in numbers and numbers["trail_start_r"] < 0:
        _refuse("trail_start_r", numbers["trail_start_r"], "0 or more")


def _check_targets(read: Row, any_given: bool) -> None:
    if not any_given:
        return
    is_exit, total = read["order"] == "exit", 0.0
    used = [not is_exit and not (math.isnan(read[price]) and math.isnan(read[in_r])) for price, in_r, _ in TARGETS]
    for k, (price, in_r, share) in enumerate(TARGETS):
        fraction = read[share]
        if used[k] and sum(used) == 1 and math.isnan(fraction):
            fraction = read[share] = 1.0
        if used[k] and math.isnan(fraction):
            _refuse(share, fraction, f"the share of the lots that target_{k + 1} closes: with several targets each needs one")
        if fraction <= 0 or fraction > 1:
            _refuse(share, fraction, "above 0 and at most 1")
        if not math.isnan(fraction) and not used[k] and not is_exit:
            _refuse(share, fraction, f"empty, as there is no target_{k + 1}")
        if not math.isnan(read[price]) and not math.isnan(read[in_r]):
            _refuse(in_r, read[in_r], f"empty where target_{k + 1} is given")
        total += 0.0 if math.isnan(fraction) else fraction
    if total > 1 + 1e-9:
        _refuse("fraction_1", total, "such that all fractions add up to at most 1")


def _check_trail(read: Row, is_given: bool) -> None:
    if not is_given:
        return
    kind = read["trail_kind"]
    if kind not in ("", *TRAILS):
        _refuse("trail_kind", kind, " or ".join(TRAILS))
    if kind in ("points", "percent", "atr") and math.isnan(read["trail_value"]):
        _refuse("trail_value", math.nan, "given with trail_kind points, percent or atr")
    if kind == "atr" and math.isnan(read["trail_window"]):
        read["trail_window"] = 14.0


def _check_grid(read: Row) -> None:
    if all(math.isnan(read[name]) for name in GRID):
        return
    for name in NEEDED_OF_GRID:
        if math.isnan(read[name]):
            _refuse(name, math.nan, "given: a grid needs spacing, max_adds and basket_target")
    if math.isnan(read["grid_lots_factor"]):
        read["grid_lots_factor"] = 1.0
    if math.isnan(read["grid_first_factor"]):
        read["grid_first_factor"] = read["grid_lots_factor"]
    if read["trail_kind"] or any(not math.isnan(read[name]) for name in NO_GRID):
        _refuse("grid_spacing", read["grid_spacing"], "without targets, break-even or trail: a grid has one target for all")


def _refuse(name: str, value: Any, wanted: str) -> None:
    shown = "empty" if isinstance(value, float) and math.isnan(value) else repr(value)
    raise BadRequest(f"row 1 of the signals: {name} is {shown}; it must be {wanted}")
