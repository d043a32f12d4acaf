"""What tests of the API share."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from tests.app.api.calling import Client
from worker.desk import Desk
from worker.store import Store


@pytest.fixture
def client(desk: Desk) -> Client:
    """Without a token, as on this machine."""
    return Client(desk)


@pytest.fixture
def stored_bars(desk: Desk, store: Store):
    """Id and frame of stored bars."""
    ts = pd.date_range("2024-01-01", periods=72, freq="h", tz="UTC")
    close = pd.Series(range(72)) / 1e4 + 1.1
    bars = pd.DataFrame(dict(ts=ts, open=close, high=close + 1e-4, low=close - 1e-4, close=close, volume=1.0))
    frame = store.frames.put(bars)
    now = datetime(2024, 2, 1, tzinfo=UTC)
    about = dict(version="v" * 64, instrument="EURUSD", timeframe="H1", side="bid", source="test", clock="utc", bars=72, first_ts=ts[0].to_pydatetime(), last_ts=(ts[-1] + timedelta(hours=1)).to_pydatetime(), gaps=0)
    more = dict(spread=None, verdict="clean", quality={}, provenance={}, frame=frame, ledger=None, bytes=1, actor="ana", created_at=now, synthetic=False, example=False)
    with store.unit() as unit:
        dataset, _ = unit.datasets.add(**about, **more)
    return dataset.id, bars
