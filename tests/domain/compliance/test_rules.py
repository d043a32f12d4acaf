"""Each kind of rule on a case small enough to be worked out by hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest

from domain.compliance import Instant, Judge, Judgement, Order, Path, WorstCase, judge, load, permits

DAY = '[day]\nreset = "00:00"\ntz = "UTC"\n'
HOUR = 3_600_000_000_000
MONDAY = pd.Timestamp("2026-03-02T00:00Z").value


def at(hours: float) -> pd.Timestamp:
    return pd.Timestamp(MONDAY + round(hours * HOUR), tz="UTC")


def path(rows: Mapping[float, Any], *trades: Mapping[str, Any], **more: Any) -> Path:
    """Hours after Monday midnight -> balance, or balance and equity."""
    pairs = [value if isinstance(value, tuple) else (value, value) for value in rows.values()]
    balance, equity = (np.array(column, float) for column in zip(*pairs, strict=True))
    usual = dict(instrument="EURUSD", side="long", lots=1.0, entry_price=1.1, exit_price=1.1, stop_loss=1.09, pnl_gross=0.0, pnl=0.0, exit_reason="signal")
    table = pd.DataFrame([usual | dict(trade_id=k) | dict(trade) for k, trade in enumerate(trades, 1)]) if trades else None
    return Path(np.array([at(hour).value for hour in rows]), balance, equity, trades=table, **dict(initial=100_000.0) | more)


def trade(enter: float, leave: float, **more: Any) -> dict[str, Any]:
    return dict(entry_ts=at(enter), exit_ts=at(leave)) | more


def judged(text: str, of: Path, **more: Any) -> Judgement:
    return judge(of, load(text if "[day]" in text else DAY + text), **more)


def breaches(judgement: Judgement) -> list[tuple[str, pd.Timestamp, str]]:
    return [(row.rule, row.ts, row.trades) for row in judgement.breaches.itertuples()]


FLAT = {0: 100_000, 167: 100_000}


def test_a_target_shift_asks_for_more_after_a_great_day():
    rows = {1: 100_000, 10: 102_000, 30: 103_000, 31: 103_500, 54: 104_000}
    ratio = judged('[target]\namount = 3000\n[consistency]\nkind = "target shift"\ncap = 50\ncomparator = ">"', path(rows))
    assert ratio.floors["consistency"].tolist() == [103_000, 104_000, 104_000, 104_000, 104_000] and ratio.passed_at == at(54)      # 2,000 ÷ 50 %
    excess = judged('[target]\namount = 3000\n[consistency]\nkind = "target shift by the excess"\ncap = 50\ncomparator = ">"', path(rows))
    assert excess.floors["consistency"].tolist() == [103_000, 103_500, 103_500, 103_500, 103_500] and excess.passed_at == at(31)    # 3,000 + 2,000 − 1,500


def test_the_best_trade_is_compared_with_the_net_profit():
    rows = {0: 100_000, 5: 100_600, 10: 101_000}
    trades = trade(1, 4, pnl=600.0), trade(6, 9, pnl=400.0)
    verdict = judged('[consistency]\nkind = "best trade"\ncap = 60\ncomparator = ">"', path(rows, *trades)).rules[0]
    assert (verdict.value, verdict.state) == (60.0, "passed")
    assert judged('[consistency]\nkind = "best trade"\ncap = 60\ncomparator = ">"', path(rows)).rules[0].sentence == "not judged: needs the trades of the account"


@pytest.mark.parametrize("attributed, days", [("close day", 1), ("open day", 2), ("equity change", 2), ("closed minus floating", 0)])
def test_a_profitable_day_depends_on_the_day_that_a_profit_belongs_to(attributed, days):
    """Opened on Monday and on Tuesday, both closed on Tuesday; an equity that rises on both, and a floating loss at the end."""
    rows = {1: 100_000, 23: (100_000, 100_600), 30: (101_200, 101_300), 47: (101_200, 101_150), 49: (101_200, 100_100)}
    trades = trade(2, 29, pnl=600.0), trade(26, 29, pnl=600.0)
    text = f'[min_days]\ncount = 2\ncounts = "profitable"\nprofit = "0.5 % of initial"\nattributed = "{attributed}"'
    if attributed == "closed minus floating":
        rows = rows | {47: (101_200, 100_400)}      # 1,200 closed less 800 floating at the end of Tuesday
    verdict = judged(text, path(rows, *trades)).rules[0]
    assert (verdict.value, verdict.state) == (days, "passed" if days >= 2 else "open")


def test_days_with_a_position_opened_are_counted_once():
    verdict = judged('[min_days]\ncount = 2\ncounts = "opened"', path(FLAT, trade(1, 2), trade(3, 50), trade(30, 31))).rules[0]
    assert (verdict.value, verdict.state) == (2, "passed")


def test_a_target_needs_all_trades_closed():
    rows = {1: 100_000, 5: (103_000, 103_200), 6: 103_000, 7: 103_000}
    assert judged("target = 3000\n" + DAY, path(rows)).passed_at == at(6)
    assert judged("target = 3000\n" + DAY, path(rows, trade(2, 7))).passed_at == at(7)


def test_a_breach_after_the_phase_was_passed_is_another_accounts():
    rows = {1: 100_000, 5: 103_000, 30: 80_000}
    text = '[target]\namount = 3000\n[drawdown]\nkind = "static"\namount = "10 %"\ncomparator = "<"'
    done = judged(text, path(rows))
    assert (done.state, done.passed_at, len(done.breaches), done.rules[1].state) == ("passed", at(5), 0, "passed")
    done = judged(text, path({1: 100_000, 3: 80_000, 5: 103_000}))
    assert (done.state, done.failed_at, done.failed_by.column) == ("failed", at(3), "max_drawdown")


def test_a_daily_profit_cap_locks_the_day():
    done = judged('[profit_cap]\namount = "2 %"\neffect = "DAY_LOCK"', path({1: 100_000, 3: 102_000, 4: 103_000, 26: 104_000, 27: 105_060}))
    assert breaches(done) == [("daily_profit_cap", at(3), ""), ("daily_profit_cap", at(27), "")] and done.rules[0].state == "locked"     # 103,000 + 2,000
    assert done.floors["daily_profit_cap"].tolist() == [102_000, 102_000, 102_000, 105_000, 105_000]


def test_positions_and_lots_are_counted_at_each_entry_and_closes_come_first():
    trades = [trade(1, 5), trade(2, 4, lots=2.0), trade(4, 6), trade(4.5, 6)]
    assert breaches(judged("max_positions = 2\n" + DAY, path(FLAT, *trades))) == [("max_positions", at(4.5), "4")]
    assert breaches(judged("max_lots = 2.5\n" + DAY, path(FLAT, *trades))) == [("max_lots", at(2), "2"), ("max_lots", at(4.5), "4")]
    assert breaches(judged('max_lots = { lots = 1.5, per = "position" }\n' + DAY, path(FLAT, *trades))) == [("max_lots", at(2), "2")]


def test_a_scaling_plan_counts_the_profit_at_the_start_of_the_day():
    rows = {1: 100_000, 23: 101_500, 30: 101_500, 60: 101_500}
    trades = trade(2, 3, lots=3.0), trade(25, 26, lots=3.0), trade(27, 28, lots=3.5)
    done = judged("scaling = [[0, 2], [1500, 3]]\n" + DAY, path(rows, *trades))
    assert breaches(done) == [("scaling", at(2), "1"), ("scaling", at(27), "3")]


def test_leverage_is_the_open_notional_of_a_class_over_the_equity():
    trades = trade(1, 5, lots=10.0, entry_price=1.25), trade(2, 5, lots=12.0, entry_price=1.25, instrument="XAUUSD", exit_price=1.25)
    done = judged("max_leverage = { fx_major = 12.4 }\n" + DAY, path(FLAT, *trades))
    assert breaches(done) == [("max_leverage", at(1), "1")] and done.breaches["value"].tolist() == [12.5]     # 1,250,000 over 100,000
    assert breaches(judged("max_leverage = { fx_major = 12.5 }\n" + DAY, path(FLAT, *trades))) == []


def test_the_risk_of_a_trade_is_its_way_to_the_stop():
    trades = trade(1, 5), trade(2, 5, stop_loss=1.0899), trade(3, 5, stop_loss=np.nan)
    done = judged('risk_per_trade = "1 %"\n' + DAY, path(FLAT, *trades))
    assert breaches(done) == [("risk_per_trade", at(2), "2"), ("risk_per_trade", at(3), "3")] and done.breaches["value"].round(6).tolist()[0] == 1_010.0


def test_money_in_another_currency_needs_a_rate():
    """A yen pair on a dollar account has its own; a cross takes its profit over its move, and without a move it has none."""
    yen = trade(1, 5, instrument="USDJPY", entry_price=150.0, exit_price=150.0, stop_loss=148.5)
    assert judged('risk_per_trade = "0.9 %"\n' + DAY, path(FLAT, yen)).breaches["value"].round(6).tolist() == [1_000.0]
    cross = dict(instrument="EURGBP", entry_price=0.85, stop_loss=0.84)
    assert judged('risk_per_trade = "1 %"\n' + DAY, path(FLAT, trade(1, 5, exit_price=0.852, pnl_gross=260.0, **cross))).breaches["value"].round(6).tolist() == [1_300.0]
    done = judged('risk_per_trade = "1 %"\n' + DAY, path(FLAT, trade(1, 5, exit_price=0.85, **cross)))
    assert done.rules[0].sentence == "not judged: needs a conversion rate into the account's currency"
    assert judged('risk_per_trade = "1 %"\n' + DAY, path(FLAT, trade(1, 5, instrument="WIDGET"))).rules[0].state == "not judged"


def test_a_stop_must_come_in_time():
    trades = trade(1, 5, stop_loss=np.nan), trade(2, 2.5, stop_loss=np.nan), trade(3, 5)
    assert breaches(judged("stop_required_within = 3600\n" + DAY, path(FLAT, *trades))) == [("stop_required_within", at(2), "1")]


def test_an_idle_account_breaks_its_rule_when_the_days_are_over():
    done = judged("inactivity_days = 2\n" + DAY, path(FLAT, trade(10, 20), trade(90, 95)))
    assert [ts for _, ts, _ in breaches(done)] == [at(20 + 48), at(95 + 48)]


def test_flat_by_a_time_and_flat_before_the_market_shuts():
    friday = 4 * 24
    trades = trade(friday + 10, friday + 20), trade(friday + 10, friday + 20.001), trade(friday + 20.5, friday + 21), trade(friday + 21, friday + 22)
    shut = friday + 22      # 17:00 in New York, still in winter
    held = trade(friday + 10, shut + 0.01)
    of = path({0: 100_000, shut + 1: 100_000}, *trades, held)
    assert breaches(judged('weekend = "flat by Fri 20:00"\n' + DAY, of)) == [("weekend", at(friday + 20), "2"), ("weekend", at(friday + 20), "5"), ("weekend", at(friday + 20.5), "3"), ("weekend", at(friday + 21), "4")]
    assert breaches(judged('weekend = "flat if the market shuts > 2 h"\n' + DAY, of)) == [("weekend", at(shut), "5")]
    assert breaches(judged('weekend = "allowed"\n' + DAY, of)) == [] and judged('weekend = "allowed"\n' + DAY, path(FLAT)).rules[0].state == "passed"
    over = path(FLAT, trade(20, 26), trade(26, 27), trade(28, 50))
    assert breaches(judged('overnight = { policy = "flat by 21:00", tz = "UTC" }\n' + DAY, over)) == [("overnight", at(21), "1"), ("overnight", at(45), "3")]


def test_news_may_take_a_profit_out():
    releases = pd.DataFrame(dict(ts=[at(12.5)], title=["CPI"], currency=["USD"], impact=["high"]))
    text = '[news]\nbefore = 2\nafter = 2\nactions = "{}"\neffect = "PROFIT_FACTOR"\nfactor = 0.5'
    of = path(FLAT, trade(10, 12.5, pnl=300.0, exit_reason="target_1"), trade(12.52, 14, pnl=80.0), trade(10, 12.5, instrument="EURGBP"))
    done = judged(text.format("open target"), of, releases=releases)
    assert done.breaches[["trades", "value", "floor", "effect"]].values.tolist() == [["1", 300.0, 150.0, "PROFIT_FACTOR"], ["2", 80.0, 40.0, "PROFIT_FACTOR"]]
    assert (done.rules[0].state, done.state) == ("refused", "open")
    assert len(judged(text.format("close stop"), of, releases=releases).breaches) == 0


def test_a_calendar_that_does_not_reach_the_trades_proves_nothing():
    """Of another week than the trades, it has no release near them, and that is no answer."""
    text = '[news]\nbefore = 2\nafter = 2\nactions = "all"\neffect = "{}"'

    def of_week(ts, effect="FAIL"):
        return judged(text.format(effect), path(FLAT, trade(10, 12.5)), releases=pd.DataFrame(dict(ts=[ts], title="CPI", currency="USD", impact="high")))

    lacking = "not judged: needs a news calendar that reaches its trades"
    for days in (-9, 9):
        assert [(rule.state, rule.sentence) for rule in of_week(at(12.5) + pd.Timedelta(days=days)).rules] == [("not judged", lacking)]
    assert of_week(at(12.5) + pd.Timedelta(days=6)).rules[0].state == "passed" and of_week(at(12.5)).rules[0].state == "failed"
    engine = Judge(load(DAY + text.format("BLOCK")), 100_000.0, releases=pd.DataFrame(dict(ts=[at(12.5)], title="CPI", currency="USD", impact="high")))
    assert permits(engine, WorstCase(10.0), order=Order(at(12.5 + 9 * 24).value, "EURUSD", 1.0)).reasons == ("news: it needs a news calendar that reaches this moment.",)


def test_bars_longer_than_a_window_do_not_show_when_in_one_a_stop_fired():
    text = '[news]\nbefore = 2\nafter = 2\nactions = "all"\neffect = "FAIL"'
    releases = pd.DataFrame(dict(ts=[at(12)], title="CPI", currency="USD", impact="high"))
    hours = {hour: 100_000 for hour in range(20)}
    unknown = "Stops and targets are judged at the time of their bar of 60 min: the minute inside it is not known."
    stopped, closed, exact = (judged(text, path(hours, trade(9, leave, exit_reason=why)), releases=releases) for leave, why in ((12, "stop_loss"), (12, "signal"), (12.01, "stop_loss")))
    assert stopped.rules[0].sentence.endswith(f"at the release of 2026-03-02T12:00:00Z. {unknown}")
    assert unknown not in closed.rules[0].sentence + exact.rules[0].sentence and closed.rules[0].state == exact.rules[0].state == "failed"
    held = judged(text, path(hours, trade(9, 13, exit_reason="stop_loss")), releases=releases).rules[0]
    assert (held.state, held.sentence) == ("passed", f"Held. {unknown}")


def test_cash_flows_are_neither_profit_nor_loss():
    rows = {1: 100_000, 5: 60_000, 6: 59_000, 30: 109_000}
    flows = pd.DataFrame(dict(ts=[at(4), at(20)], amount=[-40_000.0, 50_000.0]))
    text = '[drawdown]\nkind = "static"\namount = "2 %"\ncomparator = "<"\n[target]\namount = 1000'
    done = judged(text, path(rows, flows=flows))
    assert (done.state, done.rules[0].value, done.days["profit"].tolist()) == ("open", 99_000.0, [-1_000.0, 0.0])
    engine = Judge(load(DAY + text), 100_000.0)
    for hour, value, flow in ((1, 100_000, 0), (5, 60_000, -40_000), (6, 59_000, 0), (30, 109_000, 50_000)):
        engine.step(Instant(at(hour).value, value, value, flow=flow))
    assert engine.standings[0].reading.value == 99_000.0 and engine.state == "open"
    assert judged(text, path(rows)).state == "failed"


def test_a_path_on_an_account_of_another_size_has_the_same_verdict():
    of = path({1: 100_000, 5: (99_000, 98_500), 30: 97_000}, trade(2, 29, pnl=-3_000.0))
    text = '[daily]\nbasis = "balance"\namount = "1.4 %"\nwatch = "equity"\neffect = "FAIL"\ncomparator = "<"'
    whole, half = (judged(text, each) for each in (of, of.scaled(50_000.0)))
    assert [breach[:2] for breach in breaches(whole)] == [breach[:2] for breach in breaches(half)] == [("daily_loss", at(5)), ("daily_loss", at(30))]
    np.testing.assert_allclose(half.floors["daily_loss"], whole.floors["daily_loss"] / 2)
    assert of.scaled(50_000.0).rows.lots.tolist() == [0.5]


def test_a_balance_without_floating_profit_does_not_prove_that_an_equity_rule_held():
    text = '[daily]\nbasis = "balance"\namount = 1000\nwatch = "{}"\neffect = "FAIL"\ncomparator = "<"'
    of = path({1: 100_000, 5: 99_500}, floating=False)
    assert judged(text.format("equity"), of).rules[0].sentence == "not judged: needs the equity with floating profit"
    assert judged(text.format("closed"), of).rules[0].state == "passed"
    broken = judged(text.format("equity"), path({1: 100_000, 5: 98_500}, floating=False))
    assert (broken.state, broken.rules[0].state) == ("failed", "failed")        # what is seen counts
