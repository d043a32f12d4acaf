"""Calls of other systems are answered under their own paths, each with the body that its own documentation shows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pytest

from tests.app.api.calling import Client
from worker.desk import Desk
from worker.store import Store

QUANT, DAYS = "/api/v1/futurequant", dict(start_date="2024-01-01", end_date="2024-12-31")
WRITTEN = dict(
    name="Range break", type="Breakout", timeframe="15M", preferred_pairs="XAUUSD, EURUSD", entry_conditions="close > channel_high(20)", exit_conditions="close < sma(20)", indicators_used="RSI, MA, ATR",
    risk_reward_ratio_target=2.0, max_drawdown_tolerance=5.0,
)  # fmt: skip
GOLD = dict(pair="XAUUSD", timeframe="15M", strategy_name="gold_buy_dip", config=dict(lot_size=0.01, percentage_threshold=2.0, zscore_threshold_buy=-3.0, max_grid_trades=5, take_profit_percent=1.0))


@pytest.fixture
def client(desk: Desk, store: Store) -> Client:
    stored(store, "CL=F", "D1", "1D", 400)
    stored(store, "XAUUSD", "M15", "15min", 400)
    return Client(desk)


def stored(store: Store, instrument: str, timeframe: str, every: str, bars: int) -> None:
    ts = pd.date_range("2024-01-01", periods=bars, freq=every, tz="UTC")
    close = pd.Series(range(bars)) / 10 + 70.0
    frame = store.frames.put(pd.DataFrame(dict(ts=ts, open=close, high=close + 1, low=close - 1, close=close, volume=1.0)))
    about = dict(version=instrument * 5, instrument=instrument, timeframe=timeframe, side="bid", source="test", clock="utc", bars=bars, first_ts=ts[0].to_pydatetime(), last_ts=(ts[-1] + timedelta(minutes=15)).to_pydatetime())
    more = dict(gaps=0, spread=None, verdict="clean", quality={}, provenance={}, frame=frame, ledger=None, bytes=1, actor="ana", created_at=datetime(2024, 2, 1, tzinfo=UTC), synthetic=False, example=False)
    with store.unit() as unit:
        unit.datasets.add(**about, **more)


def proposal(store: Store) -> str:
    """A scan with one proposal; the id of its signal."""
    row = dict(instrument="XAUUSD", strategy="momentum", timeframe="H1", rank=1, grade="A", side="long", q_star=0.4, es95=4.0, p=0.6, stop_loss=1990.0, target=2030.0, lots=0.1, entry=2000.0)
    with store.unit() as unit:
        run = unit.runs.add(kind="scan", job_id="j", title="Scan", spec={}, manifest={}, summary=dict(proposals=[row, row | dict(strategy="breakout", grade="B", rank=2)]), frames=dict(verdicts=store.frames.put(pd.DataFrame([row]))), actor="ana", created_at=unit.now())
    return f"{run}-XAUUSD-H1-momentum"


ANSWERED: list[tuple[str, str, Any, int]] = [
    ("GET", f"{QUANT}/data/symbols", None, 200), ("GET", f"{QUANT}/data/symbols/CL=F/latest", None, 200),
    ("POST", f"{QUANT}/features/compute", dict(symbol="CL=F", **DAYS, recipe="full"), 202), ("GET", f"{QUANT}/features/recipes", None, 200),
    ("POST", f"{QUANT}/features/batch", [dict(symbol="CL=F", **DAYS, recipe=name) for name in ("basic", "momentum", "trend", "volatility", "regime", "full")], 202),
    ("POST", f"{QUANT}/models/train", dict(symbol="CL=F", model_type="quantile_regression", horizon_minutes=1440, **DAYS), 202),
    ("POST", f"{QUANT}/models/train", dict(symbol="CL=F", model_type="random_forest", horizon_minutes=1440, **DAYS), 202),
    ("POST", f"{QUANT}/models/train", dict(symbol="CL=F", model_type="neural_network", horizon_minutes=1440, **DAYS), 202),
    ("POST", f"{QUANT}/models/train", dict(symbol="CL=F", model_type="quantile_regression", horizon_minutes=100, **DAYS), 422),
    ("POST", f"{QUANT}/models/predict", dict(model_id=1, symbol="CL=F"), 422), ("GET", f"{QUANT}/models/types", None, 200), ("GET", f"{QUANT}/models/horizons", None, 200),
    ("POST", f"{QUANT}/signals/generate", dict(model_id=1, strategy_name="moderate", **DAYS), 422), ("GET", f"{QUANT}/signals/strategies", None, 200), ("GET", f"{QUANT}/signals/strategies/moderate", None, 200),
    ("POST", f"{QUANT}/backtests/run", dict(strategy_id=1, **DAYS, symbols=["CL=F"], initial_capital=100000), 422),
    ("POST", f"{QUANT}/backtests/run", dict(strategy_id="breakout", **DAYS, symbols=["CL=F"], initial_capital=100000), 202), ("GET", f"{QUANT}/backtests/config", None, 200),
    ("POST", f"{QUANT}/paper-trading/start", dict(model_id="", strategy_id="breakout", symbols=["CL=F"], initial_capital=100000, session_name="CL Oil Trading"), 201),
    ("POST", f"{QUANT}/paper-trading/start", dict(model_id=1, strategy_id=1, symbols=["CL=F"], initial_capital=100000, session_name="CL Oil Trading"), 422),
    ("GET", "/api/signals", None, 200), *[("GET", f"/api/analytics/{topic}", None, 200) for topic in ("overview", "performance", "alphas", "risk", "compliance", "learning")],
    ("POST", "/api/dynamic-trading/s1/start", GOLD, 201), ("POST", "/api/dynamic-trading/s6/start", {name: value for name, value in GOLD.items() if name != "strategy_name"}, 201),
    ("POST", "/api/recovery/auto-recover", None, 200), ("POST", "/api/strategies/create", WRITTEN, 201), ("GET", "/api/strategies/list", None, 200), ("GET", "/api/strategies/breakout", None, 200),
    ("POST", "/api/strategies/use/gold_buy_dip", dict(session_id="s1", pair="XAUUSD", timeframe="15M"), 200),
]  # fmt: skip


def test_each_call_of_other_systems_is_answered(client: Client):
    result = [(method, path, body, status, client.call(method, path, body)) for method, path, body, status in ANSWERED]
    assert not [(method, path, body, answer.status, answer.body[:300]) for method, path, body, status, answer in result if answer.status != status]
    assert all(answer.json["detail"] for *_, status, answer in result if status == 422)


def test_ingest_asks_yahoo_for_each_symbol_and_checks_all_before_the_first(client: Client, desk: Desk):
    answer = client.post(f"{QUANT}/data/ingest", dict(symbols=["CL=F", "nothing"], **DAYS, interval="1d"))
    assert answer.status == 422 and "nothing" in answer.json["detail"] and desk.jobs.latest() == []
    answer = client.post(f"{QUANT}/data/ingest", dict(symbols=["CL=F"], **DAYS, interval="1d"))
    assert answer.status == 202 and answer.json["jobs"][0]["kind"] == "download"
    assert client.post(f"{QUANT}/data/ingest", dict(symbols=["CL=F"], start_date="soon", end_date="2024-12-31")).status == 422


def test_a_horizon_that_is_no_multiple_of_the_bars_is_named(client: Client):
    answer = client.post(f"{QUANT}/models/train", dict(symbol="CL=F", model_type="quantile_regression", horizon_minutes=100, **DAYS))
    assert "100" in answer.json["detail"] and "horizon" in answer.json["detail"]


def test_a_session_takes_orders_and_says_how_it_is(client: Client):
    session = client.post(f"{QUANT}/paper-trading/start", dict(strategy_id="breakout", symbols=["CL=F"], initial_capital=100000, session_name="CL Oil Trading")).json["session_id"]
    assert client.post(f"{QUANT}/paper-trading/order", dict(session_id=session, symbol="CL=F", side="buy", quantity=1, order_type="market")).status == 202
    assert client.get(f"{QUANT}/paper-trading/sessions/{session}/status").json["balance"] == 100000
    assert client.post(f"{QUANT}/paper-trading/order", dict(session_id=session, symbol="CL=F", side="buy", quantity=1, order_type="limit")).status == 422
    assert client.get(f"{QUANT}/paper-trading/sessions/none/status").status == 404


def test_a_report_is_matched_to_its_proposal_or_kept_with_the_reason_and_counts_once(client: Client, store: Store, desk: Desk):
    name = proposal(store)
    signals = client.get("/api/signals").json["signals"]
    assert [(each["id"], each["action"], each["take_profit_levels"]) for each in signals] == [(name, "BUY", [2030.0])]
    report = dict(signal_id=name, ticket=77, symbol="XAUUSD", action="BUY", lots=0.1, price=2000.5, time="2024-05-01T10:00:00Z", profit=None)
    first, again = (client.post("/api/executions", report).json for _ in range(2))
    assert first == again and first["matched"] and first["lots"] == "0.1" and first["ticket"] == "77"
    other = client.post("/api/executions", report | dict(ticket=78, action="SELL")).json
    assert not other["matched"] and other["reason"] == "the signal is to buy"
    assert client.post("/api/executions", report | dict(ticket=79, signal_id="gone")).json["matched"] is False
    assert client.post("/api/executions", report | dict(ticket=80, action="hold")).status == 422
    assert sum(event.kind == "execution_reported" for event in desk.trail.rows()) == 3


def test_a_strategy_is_created_changed_used_and_deleted(client: Client, desk: Desk):
    created = client.post("/api/strategies/create", WRITTEN).json
    assert created["id"] == "Range break" and not created["draft"] and desk.strategies.get("Range break").definition.pairs == ("XAUUSD", "EURUSD")
    assert desk.strategies.get("Range break").definition.timeframe == "M15"
    config = client.post("/api/strategies/use/Range break", dict(session_id="s2", pair="XAUUSD", timeframe="15M")).json["trading_config"]
    assert client.post("/api/dynamic-trading/s2/start", config).status == 201
    assert client.call("PUT", "/api/strategies/Range break/update", WRITTEN | dict(exit_conditions="close < sma(50)")).json["version"] == 2
    assert client.call("DELETE", "/api/strategies/Range break/delete").status == 200
    assert client.get("/api/strategies/Range break").status == 404


def test_conditions_that_are_not_understood_are_a_draft_with_the_sentence_and_never_run(client: Client):
    answer = client.post("/api/strategies/create", WRITTEN | dict(name="Vague", entry_conditions="price breaks out with strong volume"))
    assert answer.status == 202 and answer.json["draft"] and not answer.json["runs"] and answer.json["sentence"]
    assert [each["draft"] for each in client.get("/api/strategies/list").json["strategies"] if each["id"] == "Vague"] == [True]
    assert client.post("/api/dynamic-trading/s3/start", GOLD | dict(strategy_name="Vague", config={})).status == 422
    assert client.get("/api/strategies/Vague").json["sentence"] == answer.json["sentence"]
    used = client.post("/api/strategies/use/Vague", dict(session_id="s3", pair="XAUUSD", timeframe="15M"))
    assert used.status == 422 and "is a draft, which never runs" in used.json["detail"]
    assert client.call("PUT", "/api/strategies/Vague/update", WRITTEN | dict(name="Vague")).json["version"] == 1
    assert [each["draft"] for each in client.get("/api/strategies/list").json["strategies"] if each["id"] == "Vague"] == [False]
    client.post("/api/strategies/create", WRITTEN | dict(name="Unclear", entry_conditions="breaks out"))
    assert client.call("DELETE", "/api/strategies/Unclear/delete").json == dict(deleted="Unclear", draft=True) and client.get("/api/strategies/Unclear").status == 404


def test_gold_buy_dip_takes_its_21_parameters_and_names_one_that_it_does_not_know(client: Client):
    config = client.post("/api/strategies/use/gold_buy_dip", dict(session_id="s4", pair="XAUUSD", timeframe="15M")).json["trading_config"]
    assert len(config["config"]) == 21 and client.post("/api/dynamic-trading/s4/start", config).status == 201
    answer = client.post("/api/dynamic-trading/s5/start", GOLD | dict(config=dict(lotsize=1)))
    assert answer.status == 422 and "lotsize" in answer.json["detail"]
