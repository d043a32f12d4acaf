"""The risk monitor, with values computed by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from domain.errors import BadRequest
from domain.market import instruments
from domain.risk.market_now import MarketNow, market_now
from domain.risk.monitor import risk_now
from domain.risk.positions import OpenPosition, holdings, open_at
from domain.risk.stresses import Stresses
from domain.risk.value_at_risk import filtered, tail

TABLE = instruments()
DAY = 86_400.0


def market(returns: dict[str, list[float]], atr: float = 0.01, spread: float = 0.0001) -> MarketNow:
    names = list(returns)
    return MarketNow(pd.DataFrame(returns), dict.fromkeys(names, atr), dict.fromkeys(names, spread), DAY)


def steps(count: int = 100) -> list[float]:
    """Returns of −1 %, +1 %, …, in turns: every one has the same size, so filtering changes nothing."""
    return [(-1.0) ** (row + 1) * 0.01 for row in range(count)]


def long_eurusd(lots: float = 1.0, stop: float = 1.09) -> OpenPosition:
    return OpenPosition("EURUSD", 1, lots, entry=1.08, price=1.10, stop=stop)


def test_var_and_es_of_equal_moves_are_the_move_of_the_notional():
    risk = risk_now([long_eurusd()], TABLE, market(dict(EURUSD=steps())), 10_000.0, "USD", {})
    assert [risk.var_historical, risk.es_historical, risk.var_filtered, risk.es_filtered] == pytest.approx(
        [1_100.0] * 4
    )  # 1 % of 110,000
    assert risk.largest == "EURUSD" and risk.largest_share == 1.0
    assert risk.to_stops == pytest.approx(1_000.0) and risk.without_stop == 0
    assert risk.contributions["floating"].tolist() == pytest.approx([2_000.0])


def test_historical_var_is_the_loss_that_95_of_100_days_do_not_exceed():
    returns = [-(row + 1) / 10_000 for row in range(100)]  # losses of 1 to 100 pips on a price of 1
    position = OpenPosition("EURUSD", 1, 1.0, entry=1.0, price=1.0)
    risk = risk_now([position], TABLE, market(dict(EURUSD=returns)), 10_000.0, "USD", {})
    assert risk.var_historical == pytest.approx(950.0)  # 95 pips of 10 dollars
    assert risk.es_historical == pytest.approx(980.0)  # the mean of 96 … 100
    assert risk.without_stop == 1 and risk.to_stops == 0.0


def test_filtered_scenarios_are_larger_where_volatility_rose():
    calm, wild = steps(200), [5 * step for step in steps(60)]
    risk = risk_now([long_eurusd()], TABLE, market(dict(EURUSD=calm + wild)), 10_000.0, "USD", {})
    assert risk.var_filtered > 4 * 1_100.0 * 0.95 and risk.var_historical == pytest.approx(5_500.0)
    calm_again = risk_now([long_eurusd()], TABLE, market(dict(EURUSD=wild + calm)), 10_000.0, "USD", {})
    assert calm_again.var_filtered < 1.2 * 1_100.0 < calm_again.var_historical


def test_a_filter_of_returns_with_their_own_volatility_leaves_only_the_scores():
    rng = np.random.default_rng(3)
    scores = rng.normal(size=(5_000, 1))
    returns, variance = np.empty_like(scores), 1e-4
    for row, score in enumerate(scores[:, 0]):
        returns[row] = np.sqrt(variance) * score
        variance = 0.94 * variance + 0.06 * returns[row, 0] ** 2
    scaled = filtered(returns) / np.sqrt(variance)
    assert scaled[200:, 0] == pytest.approx(scores[220:, 0], rel=1e-3)


def test_a_hedge_takes_risk_away_and_the_parts_add_up_to_the_whole():
    returns = dict(EURUSD=steps(), GBPUSD=steps())
    pair = [OpenPosition("EURUSD", 1, 2.0, entry=1.0, price=1.0), OpenPosition("GBPUSD", -1, 1.0, entry=1.0, price=1.0)]
    risk = risk_now(pair, TABLE, market(returns), 10_000.0, "USD", {})
    assert risk.es_filtered == pytest.approx(1_000.0)  # 2,000 less 1,000
    parts = risk.contributions.set_index("instrument")["es_part"]
    assert parts.to_dict() == pytest.approx(dict(EURUSD=2_000.0, GBPUSD=-1_000.0))
    assert risk.correlation.loc["EURUSD", "GBPUSD"] == pytest.approx(-1.0)
    together = risk.stresses.set_index("stress").loc["correlations to one"]
    assert (
        together["loss"] == pytest.approx(3_000.0)
        and together["largest"] == "EURUSD"
        and together["largest_share"] == pytest.approx(2 / 3)
    )


def test_exposure_counts_both_legs_of_every_position():
    held = [
        OpenPosition("EURUSD", 1, 1.0, entry=1.1, price=1.1),
        OpenPosition("EURGBP", -1, 1.0, entry=0.88, price=0.88),
        OpenPosition("XAUUSD", 1, 1.0, entry=2_000.0, price=2_000.0),
    ]
    returns = {position.instrument: steps() for position in held}
    risk = risk_now(held, TABLE, market(returns), 100_000.0, "USD", dict(GBP=1.25))
    net = risk.exposures.set_index("currency")["net"].to_dict()
    gold = TABLE["XAUUSD"].contract * 2_000.0
    assert net == pytest.approx(
        dict(EUR=110_000.0 - 110_000.0, USD=-110_000.0 - gold, GBP=110_000.0, XAU=gold), abs=1e-6
    )
    euro = risk.exposures.set_index("currency").loc["EUR"]
    assert (euro["long"], euro["short"]) == pytest.approx((110_000.0, -110_000.0))
    assert risk.exposures["currency"].iloc[0] == "USD" and risk.exposures["share_of_equity"].iloc[0] == pytest.approx(
        -(110_000.0 + gold) / 100_000.0
    )


def test_every_stress_costs_what_its_sentence_says():
    position = [long_eurusd(stop=1.0999)]
    table = risk_now(
        position,
        TABLE,
        market(dict(EURUSD=steps()), atr=0.002, spread=0.0001),
        10_000.0,
        "USD",
        {},
        Stresses(spread=3, gap=2, latency=864),
    ).stresses
    loss = table.set_index("stress")["loss"].to_dict()
    assert loss["spread × 3"] == pytest.approx(20.0)  # two pips more on one lot
    assert loss["gap of 2 ATR beyond the stop"] == pytest.approx(
        10.0 + 400.0
    )  # one pip to the stop, two times 20 pips beyond
    assert loss["latency of 864 s"] == pytest.approx(1.6448536 * 0.01 * 0.1 * 110_000.0)  # a hundredth of a day
    assert table["stops_reached"].tolist() == [1, 1, 1, 0]
    assert table["share_of_equity"].iloc[0] == pytest.approx(0.002)


def test_a_gap_without_a_stop_starts_at_the_price():
    table = risk_now(
        [long_eurusd(stop=np.nan)], TABLE, market(dict(EURUSD=steps()), atr=0.002), 10_000.0, "USD", {}
    ).stresses
    assert table["loss"].iloc[1] == pytest.approx(600.0) and table["stops_reached"].tolist() == [0, 0, 0, 0]


def test_an_account_without_positions_has_nothing_to_lose():
    risk = risk_now([], TABLE, market(dict(EURUSD=steps())), 10_000.0, "USD", {})
    assert (
        risk.var_filtered == 0.0
        and risk.exposures.empty
        and risk.correlation.empty
        and (risk.stresses["loss"] == 0).all()
        and risk.largest == ""
    )


def test_open_positions_of_a_run_have_the_lots_left_of_their_fills():
    hour = [pd.Timestamp(f"2024-01-02T{hour}:00Z") for hour in (10, 11, 12, 13)]
    trades = pd.DataFrame(
        dict(
            trade_id=[1, 2],
            instrument="EURUSD",
            side=["long", "short"],
            lots=[1.0, 0.3],
            entry_ts=[hour[0], hour[2]],
            entry_price=1.1,
            exit_ts=[hour[2], hour[3]],
            stop_loss=[1.09, np.nan],
        )
    )
    fills = pd.DataFrame(
        dict(
            trade_id=[1, 1, 1, 2],
            ts=[hour[0], hour[1], hour[2], hour[2]],
            side=["buy", "sell", "sell", "sell"],
            lots=[1.0, 0.4, 0.6, 0.3],
        )
    )
    held = open_at(trades, hour[1], dict(EURUSD=1.11), fills)
    assert held == [OpenPosition("EURUSD", 1, 0.6, 1.1, 1.11, 1.09)]
    assert [position.lots for position in open_at(trades, hour[1], dict(EURUSD=1.11))] == [1.0]
    assert [(position.side, position.lots) for position in open_at(trades, hour[2], dict(EURUSD=1.11), fills)] == [
        (-1, 0.3)
    ]
    with pytest.raises(BadRequest, match="give the price of each instrument held"):
        open_at(trades, hour[1], {})


def test_a_trade_of_an_account_without_an_end_is_open():
    ts = pd.Timestamp("2024-01-02T10:00Z")
    legs = pd.DataFrame(dict(instrument="EURUSD", side="sell", lots=[0.2], entry_ts=[ts], entry_price=1.1))
    legs["exit_ts"] = pd.Series([pd.NaT], dtype="datetime64[ns, UTC]")
    (position,) = open_at(legs, ts, dict(EURUSD=1.09))
    assert (position.side, position.lots) == (-1, 0.2) and np.isnan(position.stop)


def test_bars_count_once_they_are_closed():
    ts = pd.date_range("2024-01-01", periods=4, freq="D", tz="UTC")
    frame = pd.DataFrame(
        dict(ts=ts, open=1.0, high=1.2, low=1.0, close=[1.0, 1.1, 1.21, 2.0], spread=[0.1, 0.2, 0.3, 0.4])
    )
    now = market_now(dict(EURUSD=frame), TABLE, ts[3])  # at this midnight the third bar has closed
    assert (
        now.returns["EURUSD"].tolist() == pytest.approx([0.1, 0.1])
        and now.spread["EURUSD"] == 0.3
        and now.atr["EURUSD"] == pytest.approx(0.2)
    )
    assert len(market_now(dict(EURUSD=frame), TABLE, ts[3] - pd.Timedelta("1s")).returns) == 1
    with pytest.raises(BadRequest, match="one timeframe for all"):
        market_now(
            dict(EURUSD=frame, GBPUSD=frame.assign(ts=pd.date_range("2024-01-01", periods=4, freq="h", tz="UTC"))),
            TABLE,
        )


@pytest.mark.parametrize(
    "change, sentence",
    [
        (dict(positions=[OpenPosition("USDJPY", 1, 1.0, 150.0, 150.0)]), "give the rate of JPY in USD"),
        (dict(positions=[OpenPosition("GBPUSD", 1, 1.0, 1.2, 1.2)]), "GBPUSD has open positions and no recent returns"),
        (dict(positions=[OpenPosition("NOPE", 1, 1.0, 1.2, 1.2)]), "there is no instrument 'NOPE'"),
        (dict(equity=0.0), "equity is 0.00"),
        (dict(level=95.0), "between 0.5 and 1"),
        (dict(market=market(dict(EURUSD=steps(59)))), "there are 59 returns .* at least 60"),
        (dict(market=market(dict(EURUSD=steps(100))), level=0.99), "at least 300"),
    ],
)
def test_what_cannot_be_measured_is_refused_in_words(change, sentence):
    request = (
        dict(
            positions=[long_eurusd()],
            instruments=TABLE,
            market=market(dict(EURUSD=steps())),
            equity=10_000.0,
            currency="USD",
            rates={},
        )
        | change
    )
    with pytest.raises(BadRequest, match=sentence):
        risk_now(**request)


def test_money_is_converted_at_the_given_rate():
    (held,) = holdings([OpenPosition("USDJPY", -1, 1.0, entry=150.0, price=149.0)], TABLE, dict(JPY=0.0067), "USD")
    assert held.floating == pytest.approx(100_000 * 0.0067) and held.notional == pytest.approx(
        -149.0 * 100_000 * 0.0067
    )
    with pytest.raises(BadRequest, match="1 for long or -1 for short"):
        OpenPosition("EURUSD", 0, 1.0, 1.1, 1.1)
    with pytest.raises(BadRequest, match="lots above 0"):
        OpenPosition("EURUSD", 1, 0.0, 1.1, 1.1)


def test_the_tail_agrees_with_a_sort():
    losses = np.random.default_rng(1).normal(size=1_000)
    var, es = tail(losses)
    worst = np.sort(losses)[::-1]
    assert var == worst[50] and es == pytest.approx(worst[:50].mean())
