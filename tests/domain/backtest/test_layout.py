"""Arrays filled in one compiled pass equal those that numpy fills column by column."""

from __future__ import annotations

import numpy as np
import pytest

from domain.backtest.kernel import layout
from domain.backtest.memory import address_of

SEEDS = range(20)


def times(rng, count: int) -> np.ndarray:
    return np.cumsum(rng.integers(1, 4, count)).astype(np.int64)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("in_order", [True, False])
def test_each_moment_finds_the_bar_that_opens_then(seed, in_order):
    rng = np.random.default_rng(seed)
    ts = times(rng, 50)
    wanted = rng.integers(0, 50, 30)
    wanted = np.sort(wanted) if in_order else wanted
    decided, written = np.ascontiguousarray(ts[wanted]), np.empty(30, np.int64)
    assert layout.bars_at(address_of(ts), 50, address_of(decided), 30, address_of(written)) == -1 and written.tolist() == wanted.tolist()


@pytest.mark.parametrize("off", [-1, 25, 10_000])
def test_a_moment_at_which_no_bar_opens_is_named(off):
    ts = 2 * np.arange(50, dtype=np.int64)
    decided, written = ts[[3, 7, 7, 9, 2]].copy(), np.empty(5, np.int64)
    decided[3] = off
    assert layout.bars_at(address_of(ts), 50, address_of(decided), 5, address_of(written)) == 3


@pytest.mark.parametrize("seed", SEEDS)
def test_rows_are_counted_up_to_each_bar(seed):
    rng = np.random.default_rng(seed)
    bar, first = rng.integers(0, 20, 60), np.zeros(21, np.int64)
    layout.count_up(address_of(bar), 60, address_of(first), 20)
    assert first.tolist() == [0, *np.cumsum(np.bincount(bar, minlength=20)).tolist()]


@pytest.mark.parametrize("seed", SEEDS)
def test_opens_and_ends_come_in_turn_each_once(seed):
    rng = np.random.default_rng(seed)
    ts = times(rng, 40)
    end = ts + 1
    out = np.empty(80, np.int64)
    written = out[: layout.opens_and_ends(address_of(ts), address_of(end), address_of(out), 40)]
    assert written.tolist() == sorted({*ts.tolist(), *end.tolist()})


@pytest.mark.parametrize("seed", SEEDS)
def test_nights_are_those_of_the_rolls_before_and_inside_each_bar(seed):
    rng = np.random.default_rng(seed)
    ts = 2 * times(rng, 40)
    end = ts + rng.integers(1, 3, 40)
    rolls, nights = times(rng, 60) - 5, rng.integers(1, 4, 60)
    before, within = np.empty(40, np.int8), np.empty(40, np.int8)
    layout.nights_of(address_of(ts), address_of(end), 40, address_of(rolls), address_of(nights), 60, address_of(before), address_of(within))
    inside = [nights[(rolls > a) & (rolls <= b)].sum() for a, b in zip(ts, end, strict=True)]
    ahead = [0, *(nights[(rolls > b) & (rolls <= a)].sum() for b, a in zip(end[:-1], ts[1:], strict=True))]
    assert within.tolist() == inside and before.tolist() == ahead


@pytest.mark.parametrize(("given", "expected"), [([0.1, np.nan, 0.0], [0.1, 0.5, 0.0]), ([0.1, -0.1], None), ([np.inf], None), ([], [])])
def test_a_bar_without_a_spread_gets_the_default_and_an_impossible_one_is_refused(given, expected):
    own, out = np.array(given, float), np.empty(len(given))
    valid = layout.own_spreads(address_of(own), 0.5, address_of(out), len(given))
    assert (out.tolist() if valid else None) == expected


@pytest.mark.parametrize(("price", "lies"), [(1.1, True), (1.0000000005, False), (-37.63, True), (np.nan, False)])
def test_a_price_lies_on_the_grid_or_off_it(price, lies):
    prices = np.array([1.0, price])
    assert layout.lies_on_grid(address_of(prices), 2) == lies == bool(np.array_equal(np.rint(prices * 1e9) / 1e9, prices))
