"""A session is its backtest to the last bit, or every difference is told; a broker's session is judged by order."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from domain.live.broker_consistency import against_broker, entries, later_candles
from domain.live.consistency import Books, exact
from domain.live.tape import TapeBar
from domain.trading.task import EQUITY, FILLS, TRADES

START = pd.Timestamp("2026-08-03T00:00Z")


def books(count: int = 40, seed: int = 1, slip: float = 0.0, late: int = 0, r: np.ndarray | None = None) -> Books:
    """Long trades of one hour each on EURUSD, stop 0.0020 away, 1 lot of 100,000. ``slip``: how much worse each entry is, in price."""
    results = np.random.default_rng(seed).normal(0.1, 1.0, count) if r is None else r
    entry, exit = 1.1 + slip, 1.1 + 0.002 * results
    at = START + pd.to_timedelta(np.arange(count), "h")
    money = (exit - entry) * 100_000
    trades = pd.DataFrame({name: np.zeros(count) for name in TRADES}).assign(
        trade_id=np.arange(1, count + 1), tag="", instrument="EURUSD", side="buy", lots=1.0, entry_ts=at + pd.Timedelta(late, "s"), entry_price=entry,
        exit_ts=at + pd.Timedelta(30, "min"), exit_price=exit, stop_loss=1.098, pnl_gross=money, pnl=money, r=money / 200.0, exit_reason="signal", regime="",
    )  # fmt: skip
    fills = pd.concat([_fills(trades, "entry", 1, 0), _fills(trades, "exit", 2, 1)]).sort_values("fill_id", ignore_index=True)
    equity = pd.DataFrame(dict(ts=at + pd.Timedelta(30, "min"), balance=10_000 + money.cumsum(), equity=10_000 + money.cumsum(), equity_low=10_000 + money.cumsum(), used_margin=0.0))
    return Books(trades[list(TRADES)], fills[list(FILLS)], equity[list(EQUITY)])


def _fills(trades: pd.DataFrame, which: str, first: int, side: int) -> pd.DataFrame:
    number = trades["trade_id"]
    return pd.DataFrame({name: np.zeros(len(trades)) for name in FILLS}).assign(
        fill_id=2 * number - 2 + first, order_id=number, trade_id=number, ts=trades[f"{which}_ts"], bar_ts=trades[f"{which}_ts"], instrument="EURUSD", side=("buy", "sell")[side],
        lots=1.0, price=trades[f"{which}_price"], slippage_cost=2.0, reason=("market", "signal")[side],
    )  # fmt: skip


def changed(table: pd.DataFrame, row: int, **values) -> pd.DataFrame:
    table = table.copy()
    for name, value in values.items():
        table.loc[row, name] = value
    return table


def test_the_same_books_are_consistent():
    result = exact("gold", books(), books())
    assert result.holds
    assert result.sentence == "gold is its backtest: 40 rows of trades, 80 rows of fills, 40 rows of equity compared."


@pytest.mark.parametrize(("kind", "column"), [("trades", "pnl"), ("trades", "exit_reason"), ("fills", "price"), ("fills", "ts"), ("equity", "equity_low")])
def test_one_cell_that_differs_is_reported_and_critical(kind, column):
    own = books()
    table = getattr(own, kind)
    value = table[column].iloc[7]
    other = np.nextafter(value, 9e9) if isinstance(value, float) else "stop_loss" if isinstance(value, str) else value + pd.Timedelta(1, "us")
    result = exact("gold", Books(**{**own.__dict__, kind: changed(table, 7, **{column: other})}), own)
    (alert,) = result.alerts
    assert alert.severity == "critical"
    assert alert.sentence.startswith(f"Row 8 of {kind} (") and f"{column} is " in alert.sentence
    assert result.sentence.startswith("gold parts from its backtest. Row 8")


def test_every_table_tells_its_first_rows_and_how_many_more():
    own, other = books(), books(seed=2)
    sentences = [alert.sentence for alert in exact("gold", own, other).alerts]
    assert sum(sentence.startswith("Row ") for sentence in sentences) == 9
    assert "37 more rows of trades differ." in sentences


def test_a_row_that_only_one_of_the_two_has_is_reported():
    own = books()
    shorter = Books(own.trades.iloc[:-1], own.fills, own.equity)
    (alert,) = exact("gold", shorter, own).alerts
    assert alert.sentence == "Row 40 of trades (2026-08-04 15:30:00 UTC, EURUSD buy) is in the backtest only, which has 1 more."


def test_of_a_session_that_goes_on_only_what_its_tape_holds_whole_is_compared():
    own, other = books(), books()
    later = Books(other.trades, other.fills, changed(other.equity, 39, equity=0.0))
    assert not exact("gold", own, later).holds
    assert exact("gold", own, later, own.equity["ts"].iloc[39]).holds
    assert exact("gold", own, later, own.equity["ts"].iloc[39]).rows == dict(trades=39, fills=79, equity=39)


def test_not_a_number_is_the_same_but_0_and_minus_0_are_not():
    own = books()
    nan = Books(changed(own.trades, 3, r=np.nan), own.fills, own.equity)
    assert exact("gold", nan, Books(nan.trades.copy(), own.fills, own.equity)).holds
    assert not exact("gold", Books(changed(own.trades, 3, swap=-0.0), own.fills, own.equity), own).holds


def test_a_broker_that_fills_as_assumed_raises_no_alert():
    result = against_broker("gold", books(), books())
    assert result.holds
    assert result.figures["matched"] == 40
    assert result.figures["slippage_r"] == pytest.approx(0.02) == result.figures["slippage_assumed_r"]      # 4 of 200 a trade
    assert (result.figures["p"], result.figures["entry_seconds"]) == (1.0, 0.0)


def test_slippage_is_an_alert_above_twice_what_was_assumed_and_above_5_percent_of_r():
    """0.02 R are assumed: a price worse by 0.00004 is 0.02 R, by 0.00008 is 0.04 R."""
    for slip, alarms in ((0.00004, False), (0.00006, False), (0.00008, True)):
        result = against_broker("gold", books(slip=slip), books())
        assert result.figures["slippage_r"] == pytest.approx(0.02 + slip / 0.002)
        assert [alert.severity for alert in result.alerts] == (["warning"] if alarms else [])
    much = books(slip=0.00008)
    dear = books()
    dear.fills["slippage_cost"] = 10.0      # 0.1 R are assumed, 0.14 R are paid
    assert against_broker("gold", much, dear).holds


def test_missing_and_extra_orders_are_critical_and_named():
    own, other = books(), books()
    fewer = Books(own.trades.iloc[1:], own.fills[own.fills["trade_id"] != 1], own.equity)
    assert [(alert.severity, alert.sentence) for alert in against_broker("gold", fewer, other).alerts] == [("critical", "1 trade missing at the broker: EURUSD order 1.")]
    assert [alert.sentence for alert in against_broker("gold", other, fewer).alerts] == ["1 trade at the broker only: EURUSD order 1."]


def test_times_win_rate_expectancy_and_drawdown_are_those_of_both():
    figures = against_broker("gold", books(late=3), books()).figures
    own = books()
    assert (figures["entry_seconds"], figures["entry_seconds_most"], figures["exit_seconds"]) == (3.0, 3.0, 0.0)
    assert figures["win_rate_own"] == figures["win_rate_test"] == float((own.trades["pnl"] > 0).mean())
    assert figures["expectancy_r_own"] == pytest.approx(own.trades["r"].mean())
    assert figures["drawdown_own"] == pytest.approx((own.equity["equity"] / own.equity["equity"].cummax() - 1).min())


def test_results_distributed_otherwise_are_an_alert_below_1_percent():
    worse = books(r=np.random.default_rng(1).normal(-1.0, 1.0, 40))
    result = against_broker("gold", worse, books(r=np.random.default_rng(2).normal(1.0, 1.0, 40)))
    assert result.figures["p"] < 0.01
    assert any("distributed otherwise" in alert.sentence for alert in result.alerts)


def test_trades_of_one_order_number_are_matched_by_their_place():
    own = books(4)
    own.fills["order_id"] = 1
    assert entries(own).index.tolist() == [("EURUSD", 1, place) for place in range(4)]


def test_nothing_traded_yet_is_no_alert():
    empty = Books(*(pd.DataFrame(columns=list(columns)) for columns in (TRADES, FILLS, EQUITY)))
    assert against_broker("gold", empty, empty).holds
    assert exact("gold", empty, empty).holds
    assert against_broker("gold", empty, books()).alerts[0].sentence.startswith("40 trades missing at the broker: EURUSD order 1, EURUSD order 2,")


def test_candles_that_were_revised_by_over_a_tick_are_listed():
    tape = [TapeBar("EURUSD M5", k * 300_000_000_000, (k + 1) * 300_000_000_000, 1.1, 1.2, 1.0, 1.1) for k in range(3)]
    ts = pd.to_datetime([0, 300_000_000_000, 600_000_000_000], utc=True)
    candles = pd.DataFrame(dict(ts=ts, open=1.1, high=[1.2, 1.20001, 1.20003], low=1.0, close=1.1))
    assert later_candles(tape, candles, "EURUSD M5", 0.00001) == ["EURUSD M5 1970-01-01T00:10:00Z: high was 1.2 and is 1.20003 now."]
