"""The trade that is drawn below the table of trades before one is chosen: never one that the filters leave out."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from app.backtest import trade_filters, trades
from worker.desk import TradeFilter


@pytest.mark.parametrize(("filters", "place", "listed", "shown"), [({}, None, [3, 7], 7), ({"text": "gap"}, 4, [3, 7], 7), ({"text": "gap"}, None, [9, 3], 9), ({"text": "gap"}, None, [], None)])
def test_the_median_trade_or_the_first_that_is_listed(monkeypatch, filters: dict[str, Any], place: int | None, listed: list[int], shown: int | None):
    run = SimpleNamespace(id=f"r{len(filters)}{place}{len(listed)}")
    monkeypatch.setattr(trade_filters.st, "session_state", {trade_filters.key(run, name): value for name, value in filters.items()})
    desk: Any = SimpleNamespace(trades=SimpleNamespace(median=lambda run: 7), trade_list=SimpleNamespace(place=lambda run, trade, *query: place), journal=SimpleNamespace(of=lambda run: SimpleNamespace(on={})))
    assert trades.unchosen(desk, run, (TradeFilter(), "trade_id", False), pd.DataFrame(dict(trade_id=listed))) == shown
