"""Windows of time add up to the whole."""

from __future__ import annotations

import numpy as np
import pytest

from domain.analytics import by_window, measure
from domain.errors import BadRequest
from tests.domain.analytics.makers import equity, fills, trades

RUN = trades(np.random.default_rng(11).normal(0.1, 1.0, 300), every="7h")
EQUITY = equity(RUN)


@pytest.mark.parametrize("windows", [1, 3, 8])
def test_windows_add_up_to_the_run(windows):
    table = by_window(RUN, EQUITY, 10_000.0, windows)
    assert len(table) == windows and table["trades"].sum() == 300
    assert table["net_profit"].sum() == pytest.approx(RUN["pnl"].sum())
    assert np.prod(1 + table["net_return"]) == pytest.approx(EQUITY["equity"].iloc[-1] / 10_000)
    assert (table["end"].iloc[:-1].to_numpy() == table["start"].iloc[1:].to_numpy()).all()
    lengths = (table["end"] - table["start"]).dt.total_seconds()
    assert lengths.max() - lengths.min() < 1e-3


def test_one_window_equals_the_run():
    metrics, window = measure(RUN, fills(RUN), EQUITY, 10_000.0), by_window(RUN, EQUITY, 10_000.0, 1).iloc[0]
    for key in ("sharpe", "max_drawdown", "win_rate", "profit_factor", "expectancy_r", "net_return"):
        assert window[key] == pytest.approx(metrics[key])


def test_a_window_uses_its_own_trades_and_its_own_start():
    table = by_window(RUN, EQUITY, 10_000.0, 4)
    inside = RUN[(RUN["exit_ts"] > table["start"][2]) & (RUN["exit_ts"] <= table["end"][2])]
    assert table["trades"][2] == len(inside) and table["expectancy_r"][2] == pytest.approx(inside["r"].mean())
    before = EQUITY["equity"][EQUITY["ts"] <= table["start"][2]].iloc[-1]
    assert table["net_return"][2] == pytest.approx(inside["pnl"].sum() / before)


def test_no_row_has_no_window_and_no_window_is_refused():
    assert by_window(RUN.iloc[:0], EQUITY.iloc[:0], 1.0).empty
    with pytest.raises(BadRequest, match="at least 1"):
        by_window(RUN, EQUITY, 1.0, 0)
