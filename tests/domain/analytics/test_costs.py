"""Where the money went, and how much dearer trading may become."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from domain.analytics import break_even, measure, waterfall
from tests.domain.analytics.makers import VALUE, equity, fills, trades

RUN = trades(np.array([2.0, -1.0, 1.0, 0.5]), costs=6.0, swap=-2.0)
FILLS = fills(RUN, spread=0.0001, slippage=0.00002)


def test_the_steps_lead_from_gross_to_net():
    table = waterfall(RUN, FILLS).set_index("key")
    assert table["money"].to_dict() == pytest.approx(dict(gross=250 + 24 + 8 + 40 + 16, spread=-40, slippage=-16, commission=-24, swap=-8, net=250))
    assert table["after"].to_list() == pytest.approx([338, 298, 282, 258, 250, 250])
    assert table.loc["net", "share"] == pytest.approx(250 / 338)


def test_net_of_the_waterfall_is_the_sum_of_trades_and_gross_the_metric():
    metrics = measure(RUN, FILLS, equity(RUN), 10_000.0)
    table = waterfall(RUN, FILLS).set_index("key")["money"]
    assert table["net"] == pytest.approx(RUN["pnl"].sum()) and table["gross"] == pytest.approx(metrics["gross_at_mid"])
    assert metrics["costs_share"] == pytest.approx(88 / 338)
    assert np.isnan(waterfall(RUN.assign(pnl_gross=-500.0), FILLS)["share"]).all()


def test_at_the_spread_that_breaks_even_nothing_is_left():
    row = break_even(RUN, FILLS, {"EURUSD": 0.0001}).iloc[0]
    assert (row["paid"], row["net"], row["spread_paid"]) == (pytest.approx(1.0), pytest.approx(250.0), pytest.approx(40.0))
    assert row["factor"] == pytest.approx(1 + 250 / 40)
    more_spread = (row["at"] - row["paid"]) * 0.0001 * VALUE * len(RUN)
    assert RUN["pnl"].sum() - more_spread == pytest.approx(0.0, abs=1e-9)
    assert row["room"] == pytest.approx(row["at"] - row["paid"])


def test_each_instrument_breaks_even_on_its_own_and_all_by_factor_only():
    gold = trades(np.array([-1.0, -1.0])).assign(instrument="XAUUSD")
    both = pd.concat([RUN, gold], ignore_index=True)
    table = break_even(both, pd.concat([FILLS, fills(gold)]), {"EURUSD": 0.0001}).set_index("instrument")
    assert list(table.index) == ["EURUSD", "XAUUSD", "all"]
    assert table.loc["XAUUSD", "at"] == pytest.approx(0.0001 - 0.001) and table.loc["XAUUSD", "factor"] == pytest.approx(1 - 200 / 20)
    assert table.loc["all", "factor"] == pytest.approx(1 + 50 / 60) and np.isnan(table.loc["all", "at"])


def test_without_a_spread_there_is_no_factor_and_without_trades_no_row():
    assert np.isnan(break_even(RUN, fills(RUN, spread=0.0))["factor"].iloc[0])
    assert break_even(RUN.iloc[:0], FILLS.iloc[:0]).empty
