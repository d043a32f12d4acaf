"""One signal read alone is the row of a table of one, and is refused in the same sentence."""

from __future__ import annotations

import os

import numpy as np
import pandas as pd

from domain.errors import BadRequest, UnknownName
from domain.trading.signal_row import read_row
from domain.trading.signals import NUMBERS, SIGNAL_COLUMNS, WORDS, read_columns

CASES = int(os.environ.get("TIDEMARK_CASES", "150"))
TS = pd.to_datetime(["2024-07-10T08:00Z"])
USUAL = dict(price=1.1, valid_bars=3.0, stop_loss=1.05, max_bars=48.0, break_even_r=1.0, target_r_1=2.0, target_r_2=3.0, target_3=1.2, fraction_1=0.5, fraction_2=0.5, trail_value=2.0, grid_spacing=0.01, grid_max_adds=4.0, grid_basket_target=0.02, size=0.5, lots=0.1, trail_start_r=1.0, tag="a", oco="x", flat_by="Fri 20:00 Europe/Athens", trail_kind="atr")
ODD = (0.0, -1.0, 0.5, 1e12, np.inf, np.nan, 11.0)


def drawn(rng: np.random.Generator) -> dict:
    row = dict(side=rng.choice([1, -1, "long", "Short", "buy", "up", ""], p=[0.4, 0.3, 0.1, 0.08, 0.05, 0.05, 0.02]))
    row["side"] = int(row["side"]) if row["side"] in ("1", "-1") else row["side"]
    if rng.random() < 0.5:
        row["order"] = str(rng.choice(["market", "exit", "stop", "limit", "", "sell"], p=[0.4, 0.2, 0.2, 0.1, 0.05, 0.05]))
    for name in rng.choice(list(USUAL), rng.integers(0, 6), replace=False):
        row[str(name)] = USUAL[str(name)]
    if rng.random() < 0.3:
        row[str(rng.choice(NUMBERS))] = float(rng.choice(ODD))
    if rng.random() < 0.05:
        row["stop_los"] = 1.0
    return row


def outcome(read, *given) -> tuple:
    try:
        return "read", read(*given)
    except (BadRequest, UnknownName) as error:
        return "refused", str(error)


def test_a_row_alone_is_read_as_a_table_of_one():
    rng, seen = np.random.default_rng(12), dict(read=0, refused=0)
    for _ in range(CASES):
        row = drawn(rng)
        kind, expected = outcome(read_columns, pd.DataFrame({"ts": TS, **{name: [value] for name, value in row.items()}}), ("EURUSD",))
        alone = outcome(read_row, row)
        seen[kind] += 1
        assert alone[0] == kind, (row, expected, alone)
        if kind == "refused":
            assert alone[1] == expected, row
            continue
        for name in ("side", "order", *NUMBERS, *WORDS):
            np.testing.assert_equal(alone[1][name], expected[name][0], err_msg=f"{name} of {row}")
    assert min(seen.values()) > CASES // 10


def test_a_row_has_every_column_but_those_of_its_place():
    assert set(read_row(dict(side=1))) == set(SIGNAL_COLUMNS) - {"ts", "instrument"}
