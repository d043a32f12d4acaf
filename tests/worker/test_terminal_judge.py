"""``tidemark compliance``: the worked examples of the specification, through the files that the terminal reads and writes."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from domain.errors import TidemarkError
from worker.cli import app

TRADES = "trade_id,instrument,side,lots,entry_ts,entry_price,exit_ts,exit_price,stop_loss,pnl_gross,pnl,exit_reason"


class Judged:
    """What a judgement left in its folder."""

    def __init__(self, folder: Path, code: int) -> None:
        self.code = code
        self.verdict = json.loads((folder / "verdict.json").read_text())
        self.floors, self.days, self.breaches = (pd.read_csv(folder / f"{name}.csv") for name in ("floors", "days", "breaches"))
        self.folder = folder

    def rule(self, name: str) -> dict:
        return next(rule for rule in self.verdict["rules"] if rule["rule"] == name)

    def column(self, name: str) -> list[float]:
        return self.floors[name].round(6).tolist()


def equity_csv(folder: Path, *rows: str, head: str = "ts,balance,equity") -> Path:
    (folder / "equity.csv").write_text("\n".join([head, *rows]) + "\n")
    return folder / "equity.csv"


def trades_csv(folder: Path, *rows: str) -> Path:
    (folder / "trades.csv").write_text("\n".join([TRADES, *rows]) + "\n")
    return folder / "trades.csv"


def run(folder: Path, *words: object):
    return CliRunner().invoke(app, ["compliance", "judge", "--out", str(folder / "out"), *map(str, words)])


def judged(folder: Path, *words: object) -> Judged:
    done = run(folder, *words)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return Judged(folder / "out", done.exit_code)


def refused(folder: Path, *words: object) -> str:
    done = run(folder, *words)
    assert isinstance(done.exception, TidemarkError), done.output
    assert not (folder / "out").exists()
    return str(done.exception)


def rules_toml(folder: Path, tables: str, reset: str = "00:00", tz: str = "UTC") -> Path:
    (folder / "rules.toml").write_text(f'name = "own"\n[day]\nreset = "{reset}"\ntz = "{tz}"\n{tables}\n')
    return folder / "rules.toml"


# -- daily loss


def test_ftmo_counts_the_day_from_the_balance_at_midnight_in_prague(tmp_path):
    equity = equity_csv(tmp_path, "2026-03-02T22:59:00Z,104000,101500", "2026-03-02T23:00:00Z,104000,101500", "2026-03-03T10:00:00Z,104000,103000")
    done = judged(tmp_path, "--preset", "ftmo-2-step", "--equity", equity, "--initial", 100_000)
    assert done.column("daily_loss") == [95_000.0, 99_000.0, 99_000.0] and done.code == 0


def test_the5ers_counts_it_from_the_greater_of_balance_and_equity(tmp_path):
    rows = ("2026-03-02T21:59:00Z,104000,101500", "2026-03-02T22:00:00Z,104000,101500", "2026-03-03T21:00:00Z,100000,105000", "2026-03-03T22:00:00Z,100000,105000")
    done = judged(tmp_path, "--preset", "the5ers-high-stakes", "--equity", equity_csv(tmp_path, *rows), "--initial", 100_000)
    assert done.column("daily_loss") == [95_000.0, 98_800.0, 98_800.0, 99_750.0]     # 5 % of 105,000 below it


def test_the_overnight_trap_breaks_the_floor_at_midnight_without_a_trade(tmp_path):
    equity = equity_csv(tmp_path, "2026-03-02T22:59:00Z,204000,191000", "2026-03-02T23:00:00Z,204000,191000")
    done = judged(tmp_path, "--preset", "ftmo-2-step", "--equity", equity, "--initial", 200_000)
    assert done.column("daily_loss") == [190_000.0, 194_000.0]
    assert done.code == 1 and done.verdict["state"] == "failed" and done.verdict["failed_by"] == "daily_loss"
    first = done.rule("daily_loss")["first_breach"]
    assert (first["ts"], first["value"], first["floor"]) == ("2026-03-02T23:00:00Z", 191_000.0, 194_000.0)
    assert done.breaches["rule"].tolist() == ["daily_loss"] and done.rule("max_drawdown")["state"] == "passed"


@pytest.mark.parametrize("comparator, code", [("<", 0), ("<=", 1)])
def test_reaching_the_floor_breaks_it_only_where_the_comparator_says_so(tmp_path, comparator, code):
    rules = rules_toml(tmp_path, f'[daily]\nbasis = "balance"\namount = "5 % of initial"\nwatch = "equity"\neffect = "FAIL"\ncomparator = "{comparator}"')
    equity = equity_csv(tmp_path, "2026-03-02T10:00:00Z,100000,100000", "2026-03-02T11:00:00Z,100000,95000")
    assert judged(tmp_path, "--rules", rules, "--equity", equity).code == code


def test_a_rule_that_watches_closed_trades_does_not_see_the_floating_loss(tmp_path):
    rules = rules_toml(tmp_path, '[daily]\nbasis = "balance"\namount = 1000\nwatch = "closed"\neffect = "FAIL"\ncomparator = "<"')
    equity = equity_csv(tmp_path, "2026-03-02T10:00:00Z,100000,90000", "2026-03-02T11:00:00Z,98999,98999")
    done = judged(tmp_path, "--rules", rules, "--equity", equity, "--initial", 100_000)
    assert done.rule("daily_loss")["first_breach"]["ts"] == "2026-03-02T11:00:00Z"


# -- maximum drawdown


def test_ftmo_1_step_trails_the_highest_end_of_day_balance(tmp_path):
    rows = ("2026-03-02T12:00:00Z,104000,104000", "2026-03-02T23:00:00Z,104000,104000", "2026-03-03T12:00:00Z,103000,103000", "2026-03-03T23:00:00Z,103000,103000")
    done = judged(tmp_path, "--preset", "ftmo-1-step", "--equity", equity_csv(tmp_path, *rows), "--initial", 100_000)
    assert done.column("max_drawdown") == [90_000.0, 94_000.0, 94_000.0, 94_000.0]


def test_topstep_trails_the_end_of_day_balance_and_locks_at_the_start(tmp_path):
    ends = (50_500, 50_000, 52_500, 56_000)
    rows = [f"2026-03-0{2 + day}T23:00:00Z,{balance},{balance}" for day, balance in enumerate(ends)]        # 17:00 in Chicago
    done = judged(tmp_path, "--preset", "topstep-50k", "--equity", equity_csv(tmp_path, "2026-03-02T15:00:00Z,50000,50000", *rows))
    assert done.column("max_drawdown") == [48_000.0, 48_500.0, 48_500.0, 50_000.0, 50_000.0]


def test_apex_trails_the_intraday_peak_and_locks_above_the_start(tmp_path):
    rows = ("14:00:00Z,50800,50800", "15:00:00Z,50200,50200", "16:00:00Z,50200,52000", "17:00:00Z,50100,50100", "18:00:00Z,53000,53000")
    equity = equity_csv(tmp_path, *(f"2026-03-02T{row}" for row in rows))
    done = judged(tmp_path, "--preset", "apex-50k-intraday", "--equity", equity)
    assert done.column("max_drawdown") == [48_300.0, 48_300.0, 49_500.0, 49_500.0, 50_100.0]
    rules = rules_toml(tmp_path, 'account = 50000\n[drawdown]\nkind = "trailing end-of-day balance"\namount = 2500\nlock = "start + 100"\nwatch = "equity"\ncomparator = "<="'.partition("\n")[2])
    equity = equity_csv(tmp_path, "2026-03-02T16:00:00Z,50200,52000", "2026-03-02T17:00:00Z,50100,50100", "2026-03-03T00:00:00Z,50100,50100")
    done = judged(tmp_path, "--rules", rules, "--equity", equity, "--initial", 50_000)
    assert done.column("max_drawdown") == [47_500.0, 47_500.0, 47_600.0]


def test_a_given_high_lifts_the_trail_before_the_low_is_judged(tmp_path):
    head = "ts,balance,equity,equity_low,equity_high"
    rows = ("2026-03-02T14:00:00Z,50000,50000,50000,50000", "2026-03-02T15:00:00Z,50000,50400,49000,51600")
    done = judged(tmp_path, "--preset", "apex-50k-intraday", "--equity", equity_csv(tmp_path, *rows, head=head))
    assert done.code == 1 and done.rule("max_drawdown")["first_breach"]["floor"] == 49_100.0
    rows = [row.rsplit(",", 1)[0] for row in rows]
    done = judged(tmp_path, "--preset", "apex-50k-intraday", "--equity", equity_csv(tmp_path, *rows, head=head.rsplit(",", 1)[0]))
    assert done.code == 0 and done.column("max_drawdown") == [47_500.0, 47_900.0]      # the low against 47,500


# -- consistency


def days_of(*profits: float) -> list[str]:
    """Two rows a day of an account that begins with 100,000, all trades closed."""
    rows, balance = [], 100_000.0
    for day, profit in enumerate(profits):
        balance += profit
        rows += [f"{datetime(2026, 3, 2) + timedelta(days=day):%Y-%m-%d}T{hour}:00:00Z,{balance},{balance}" for hour in (12, 13)]
    return rows


def consistency(folder: Path, kind: str, comparator: str, *profits: float) -> dict:
    rules = rules_toml(folder, f'[target]\namount = 1000\n[consistency]\nkind = "{kind}"\ncap = "50 %"\ncomparator = "{comparator}"')
    return judged(folder, "--rules", rules, "--equity", equity_csv(folder, *days_of(*profits)), "--initial", 100_000).rule("consistency")


def test_the_best_day_is_compared_with_the_net_profit(tmp_path):
    rule = consistency(tmp_path, "best / net", ">", 1_100, 500, 400)
    assert (round(rule["value"], 2), rule["floor"], rule["unit"], rule["state"]) == (55.0, 50.0, "%", "open")
    rule = consistency(tmp_path, "best / net", ">", 1_100, 500, 400, 800)
    assert (round(rule["value"], 2), rule["state"]) == (39.29, "passed")


def test_the_best_day_of_the_net_and_of_the_positive_days_are_two_figures(tmp_path):
    net, positive = (consistency(tmp_path, kind, ">", 5_000, 5_000, -4_000) for kind in ("best / net", "best / sum of positive days"))
    assert (round(net["value"], 1), net["state"], positive["value"], positive["state"]) == (83.3, "open", 50.0, "passed")


@pytest.mark.parametrize("comparator, state", [(">", "passed"), (">=", "open")])
def test_exactly_the_cap_passes_more_than_and_not_or_more(tmp_path, comparator, state):
    assert consistency(tmp_path, "best / net", comparator, 500, 500)["state"] == state


@pytest.mark.parametrize("profits", [(500, -500), (500, -900)])
def test_without_a_net_profit_the_share_is_undefined_and_never_a_pass(tmp_path, profits):
    rule = consistency(tmp_path, "best / net", ">", *profits)
    assert rule["value"] is None and rule["state"] == "open"


# -- clocks and news


def test_days_follow_their_clock_over_the_change_to_summer_time(tmp_path):
    rows = [f"{moment:%Y-%m-%dT%H:%M:%SZ},100000,100000" for moment in pd.date_range("2026-03-27T12:00", "2026-03-30T12:00", freq="h")]
    done = judged(tmp_path, "--preset", "ftmo-2-step", "--equity", equity_csv(tmp_path, *rows))
    assert done.days.set_index("day").loc["2026-03-29", ["start", "end", "hours"]].tolist() == ["2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z", 23.0]


@pytest.mark.parametrize("preset, start", [("apex-50k-intraday", "2026-03-10T21:00:00Z"), ("the5ers-high-stakes", "2026-03-10T21:00:00Z"), ("topstep-50k", "2026-03-10T22:00:00Z"), ("ftmo-2-step", "2026-03-10T23:00:00Z")])
def test_new_york_at_five_is_the_servers_midnight_and_not_pragues(tmp_path, preset, start):
    """On 2026-03-10 the United States have summer time, and Europe has not."""
    done = judged(tmp_path, "--preset", preset, "--equity", equity_csv(tmp_path, "2026-03-10T20:00:00Z,50000,50000", "2026-03-10T23:30:00Z,50000,50000"), "--initial", 50_000)
    assert done.days["start"].tolist()[-1] == start


def news(folder: Path, instrument: str, at: str) -> Judged:
    (folder / "releases.csv").write_text("datetime_utc,event,country,impact\n2026-03-06T12:30:00Z,Non-Farm Payrolls,US,high\n")
    rules = rules_toml(folder, '[news]\nbefore = 2\nafter = 2\nactions = "open close stop target"\neffect = "FAIL"')
    price = 150.0 if instrument.endswith("JPY") else 0.85
    trades = trades_csv(folder, f"7,{instrument},long,0.1,2026-03-06T10:00:00Z,{price},{at},{price},,0,0,stop_loss")
    equity = equity_csv(folder, "2026-03-06T09:00:00Z,100000,100000", "2026-03-06T13:00:00Z,100000,100000")
    return judged(folder, "--rules", rules, "--equity", equity, "--trades", trades, "--releases", folder / "releases.csv")


@pytest.mark.parametrize("at, code", [("12:28:00.000Z", 1), ("12:27:59.999Z", 0), ("12:32:00Z", 1), ("12:32:00.001Z", 0)])
def test_both_ends_of_a_news_window_belong_to_it_and_a_stop_that_fires_counts(tmp_path, at, code):
    done = news(tmp_path, "USDJPY", f"2026-03-06T{at}")
    assert done.code == code and len(done.breaches) == code
    if code:
        assert done.breaches["detail"].tolist() == [f"Stop of USDJPY 2.00 min {'before' if at < '12:30' else 'after'} the release of 2026-03-06T12:30:00Z."]
        assert done.breaches["trades"].astype(str).tolist() == ["7"] and done.rule("news")["first_breach"]["ts"] == f"2026-03-06T{at}".replace(".000", "")


def test_payrolls_stop_usdjpy_and_not_eurgbp(tmp_path):
    assert (news(tmp_path, "USDJPY", "2026-03-06T12:30:00Z").code, news(tmp_path, "EURGBP", "2026-03-06T12:30:00Z").code) == (1, 0)


def test_a_rule_without_what_it_needs_is_not_judged_and_nothing_is_passed(tmp_path):
    equity = equity_csv(tmp_path, *days_of(4_000, 3_000, 3_000, 0))
    trades = trades_csv(tmp_path, *(f"{day},EURUSD,long,1,2026-03-0{day}T12:00:00Z,1.1,2026-03-0{day}T12:30:00Z,1.1,1.09,0,0,signal" for day in (2, 3, 4, 5)))
    done = judged(tmp_path, "--preset", "the5ers-high-stakes", "--equity", equity, "--trades", trades)
    assert (done.code, done.verdict["state"], done.rule("news")["state"], done.rule("news")["sentence"]) == (0, "open", "not judged", "not judged: needs a news calendar")
    assert "not judged: needs a news calendar" in done.verdict["sentence"] and done.rule("target")["state"] == "passed"
    done = judged(tmp_path, "--preset", "ftmo-2-step", "--equity", equity)
    assert done.rule("min_days")["sentence"] == "not judged: needs the trades of the account" and done.verdict["state"] == "open"
    done = judged(tmp_path, "--preset", "ftmo-2-step", "--equity", equity, "--trades", trades)
    assert done.verdict["state"] == "passed" and done.verdict["passed_at"] == "2026-03-05T13:00:00Z"      # all closed


def test_one_row_a_day_does_not_show_the_lows_inside_the_days(tmp_path):
    daily = days_of(2_000, 4_000, 5_000)[::2]
    done = judged(tmp_path, "--preset", "apex-50k-intraday", "--equity", equity_csv(tmp_path, *daily), "--initial", 100_000)
    assert done.rule("max_drawdown")["sentence"] == "not judged: needs intraday lows of the equity" and done.verdict["state"] == "open"
    rows = [f"{row},{row.split(',')[1]}" for row in daily]
    done = judged(tmp_path, "--preset", "apex-50k-intraday", "--equity", equity_csv(tmp_path, *rows, head="ts,balance,equity,equity_low"), "--initial", 100_000)
    assert done.verdict["state"] == "passed"
    rows[1] = rows[1].rsplit(",", 1)[0] + ",90000"
    done = judged(tmp_path, "--preset", "apex-50k-intraday", "--equity", equity_csv(tmp_path, *rows, head="ts,balance,equity,equity_low"), "--initial", 100_000)
    assert done.code == 1


# -- regulators


def margin_of(folder: Path, preset: str) -> float:
    equity = equity_csv(folder, "2026-03-02T09:00:00Z,10000,10000", "2026-03-02T13:00:00Z,10000,10000")
    trades = trades_csv(folder, "1,GBPUSD,long,1,2026-03-02T10:00:00Z,1.25,2026-03-02T11:00:00Z,1.25,,0,0,signal")
    done = judged(folder, "--preset", preset, "--equity", equity, "--trades", trades)
    assert done.verdict["state"] == "passed" and done.rule("margin")["sentence"].startswith("Held. Margin in use: 0.00; of the largest order: ")
    return float(pd.read_csv(done.folder / "orders.csv")["margin"].iloc[0])


def test_margin_of_a_lot_of_gbpusd(tmp_path):
    assert (round(margin_of(tmp_path, "esma-retail"), 2), round(margin_of(tmp_path, "nfa-retail"), 2)) == (4_166.67, 3_750.0)


def test_an_order_that_needs_more_margin_than_the_equity_would_have_been_refused(tmp_path):
    equity = equity_csv(tmp_path, "2026-03-02T09:00:00Z,10000,10000", "2026-03-02T13:00:00Z,10000,2000", "2026-03-02T14:00:00Z,10000,10000")
    row = "{},GBPUSD,long,1,2026-03-02T1{}:00:00Z,1.25,2026-03-02T14:00:00Z,1.25,,0,0,signal"
    done = judged(tmp_path, "--preset", "esma-retail", "--equity", equity, "--trades", trades_csv(tmp_path, *(row.format(k, 0) for k in (1, 2, 3))))
    assert pd.read_csv(done.folder / "orders.csv")["refused"].tolist() == [False, False, True]
    assert done.code == 1 and done.breaches["effect"].tolist() == ["BLOCK", "CLOSE_OUT"]
    assert done.breaches["trades"].astype(str).tolist()[0] == "3" and done.breaches["ts"].tolist()[1] == "2026-03-02T13:00:00Z"       # 2,000 < half of 12,500


def test_first_in_first_out_over_lots(tmp_path):
    rows = [f"{name},EURUSD,long,{lots},2026-03-02T1{hour}:00:00Z,1.1,2026-03-02T18:00:00Z,1.1,,0,0,signal" for hour, (name, lots) in enumerate((("t1", 0.1), ("t2", 0.2), ("t3", 0.1)))]
    rows.append("s,EURUSD,short,0.25,2026-03-02T15:00:00Z,1.1,2026-03-02T18:00:00Z,1.1,,0,0,signal")
    equity = equity_csv(tmp_path, "2026-03-02T09:00:00Z,10000,10000", "2026-03-02T20:00:00Z,10000,10000")
    done = judged(tmp_path, "--preset", "nfa-retail", "--equity", equity, "--trades", trades_csv(tmp_path, *rows))
    matched = pd.read_csv(done.folder / "fifo.csv")
    assert matched[matched["order"] == "s"][["closes", "lots"]].round(9).values.tolist() == [["t1", 0.1], ["t2", 0.15]]
    assert done.breaches["rule"].tolist() == ["no_hedging"] and "0.1 lots of trade t1, 0.15 lots of trade t2" in done.breaches["detail"][0]
    out_of_order = [rows[0], rows[1].replace("18:00", "14:00"), rows[2]]
    done = judged(tmp_path, "--preset", "nfa-retail", "--equity", equity, "--trades", trades_csv(tmp_path, *out_of_order))
    assert done.code == 1 and done.breaches[["rule", "ts", "trades"]].values.tolist() == [["fifo", "2026-03-02T14:00:00Z", "t2 t1"]]


# -- other rules of the presets


def test_topstep_locks_the_day_and_does_not_fail(tmp_path):
    equity = equity_csv(tmp_path, "2026-03-02T15:00:00Z,50000,50000", "2026-03-02T16:00:00Z,50000,49000", "2026-03-02T17:00:00Z,49500,49500")
    done = judged(tmp_path, "--preset", "topstep-50k", "--equity", equity)
    assert (done.code, done.verdict["state"], done.rule("daily_loss")["state"], done.breaches["effect"].tolist()) == (0, "open", "locked", ["DAY_LOCK"])


def test_vproptrader_counts_positions_and_wants_friday_evening_flat(tmp_path):
    row = "{},EURUSD,long,0.01,2026-03-06T1{}:00:00Z,1.1,2026-03-06T{}:00:00Z,1.1,,0,0,signal"
    equity = equity_csv(tmp_path, "2026-03-06T09:00:00Z,1000,1000", "2026-03-06T21:00:00Z,1000,1000")
    four = trades_csv(tmp_path, *(row.format(k, k, 18) for k in range(4)))          # 20:00 on the server is 13:00 in New York, 18:00 UTC
    done = judged(tmp_path, "--preset", "vproptrader", "--equity", equity, "--trades", four)
    assert done.breaches[["rule", "value", "floor"]].values.tolist() == [["max_positions", 4.0, 3.0]] and done.code == 1
    late = trades_csv(tmp_path, row.format(1, 0, 19))
    done = judged(tmp_path, "--preset", "vproptrader", "--equity", equity, "--trades", late)
    assert done.breaches[["rule", "ts"]].values.tolist() == [["weekend", "2026-03-06T18:00:00Z"]]


def test_topstep_wants_to_be_flat_at_ten_past_three_in_chicago(tmp_path):
    equity = equity_csv(tmp_path, "2026-03-02T15:00:00Z,50000,50000", "2026-03-02T22:00:00Z,50000,50000")
    for leave, code in (("21:10:00", 0), ("21:10:01", 1)):
        trades = trades_csv(tmp_path, f"1,MNQ=F,long,1,2026-03-02T16:00:00Z,20000,2026-03-02T{leave}Z,20000,,0,0,signal")
        assert judged(tmp_path, "--preset", "topstep-50k", "--equity", equity, "--trades", trades).code == code


# -- presets, and what is refused


def test_the_nine_presets_say_where_each_figure_comes_from():
    done = CliRunner().invoke(app, ["compliance", "presets", "--json"])
    rows = {row["name"]: row for row in json.loads(done.output)}
    assert sorted(rows) == sorted(["ftmo-2-step", "ftmo-1-step", "the5ers-high-stakes", "fundednext-stellar-2-step", "topstep-50k", "apex-50k-intraday", "esma-retail", "nfa-retail", "vproptrader"])
    for row in rows.values():
        assert row["figures"] and all(figure["source"] and figure["retrieved"] and figure["confidence"] in ("official", "secondary", "assumed") for figure in row["figures"].values())
    assert rows["ftmo-2-step"]["figures"]["daily.amount"]["value"] == "5 % of initial" and rows["vproptrader"]["confidence"] == "assumed"
    assert (rows["ftmo-1-step"]["confidence"], rows["ftmo-1-step"]["least_confidence"], rows["ftmo-1-step"]["figures"]["daily.amount"]["confidence"]) == ("official", "assumed", "assumed")
    assert (rows["apex-50k-intraday"]["confidence"], rows["topstep-50k"]["figures"]["drawdown.amount"]["confidence"]) == ("secondary", "official")
    assert not {"compliant", "certified"} & set(done.output.lower().split())


DAILY = '[daily]\nbasis = "balance"\namount = "5 %"\nwatch = "equity"\neffect = "FAIL"\ncomparator = "<"'
GOOD = ("2026-03-02T10:00:00Z,100000,100000", "2026-03-02T11:00:00Z,100000,99000")
HOURS = [f"{moment:%Y-%m-%dT%H:%M:%SZ},100000,100000" for moment in pd.date_range("2026-03-02T00:00", "2026-03-04T00:00", freq="h")]


@pytest.mark.parametrize("rows, head, words", [
    (GOOD[::-1], "", "row 2 of the equity (2026-03-02T10:00:00Z) is earlier than the row before"),
    ((GOOD[0], GOOD[0]), "", "have the same instant, 2026-03-02T10:00:00Z"),
    (("2026-03-02T10:00:00Z,100000,NaN",), "", "row 1 of the equity"),
    (("2026-03-02T10:00:00Z,,100000",), "", "balance is ''; it must be a number"),
    (("2026-03-02T10:00:00Z,100000,100000,100001",), ",equity_low", "equity_low is 100001, above the equity of 100000"),
    (("2026-03-02T10:00:00Z,100000,100000,99999",), ",equity_high", "equity_high is 99999, below the equity"),
    ((), "", "holds no row"),
    (("yesterday,100000,100000",), "", "ts is 'yesterday'; write it in ISO 8601"),
    (("1772445600,100000,100000",), "", "write it in ISO 8601"),
    ([*HOURS[:10], *HOURS[20:]], "", "has a gap: no row between 2026-03-02T09:00:00Z and 2026-03-02T20:00:00Z"),
])  # fmt: skip
def test_an_equity_that_cannot_be_judged_is_a_sentence(tmp_path, rows, head, words):
    equity = equity_csv(tmp_path, *rows, head=f"ts,balance,equity{head}")
    assert words in refused(tmp_path, "--rules", rules_toml(tmp_path, DAILY), "--equity", equity)


def test_a_weekend_is_no_gap(tmp_path):
    hours = pd.date_range("2026-03-05T00:00", "2026-03-10T00:00", freq="h")
    rows = [f"{moment:%Y-%m-%dT%H:%M:%SZ},100000,100000" for moment in hours if not pd.Timestamp("2026-03-06T22:00") < moment <= pd.Timestamp("2026-03-08T21:00")]
    assert judged(tmp_path, "--rules", rules_toml(tmp_path, DAILY), "--equity", equity_csv(tmp_path, *rows)).code == 0


def test_a_gap_may_be_allowed_and_is_then_noted(tmp_path):
    rules, equity = rules_toml(tmp_path, DAILY), equity_csv(tmp_path, *HOURS[:10], *HOURS[20:])
    done = judged(tmp_path, "--rules", rules, "--equity", equity, "--allow-gaps")
    assert "gaps, and what happened in them was not judged: no row between 2026-03-02T09:00:00Z and 2026-03-02T20:00:00Z, 10 hours" in done.verdict["notes"][-3]
    assert "--allow-gaps goes with --equity" in str(run(tmp_path, "--rules", rules, "--run", "x", "--allow-gaps").exception)


@pytest.mark.parametrize("text, words", [
    ("", "is empty"), ("ts,balance\n2026-03-02T10:00:00Z,1\n", "and no equity"), ("ts;balance;equity\n", "no ts, balance, equity"),
])  # fmt: skip
def test_a_file_that_is_no_equity_is_a_sentence(tmp_path, text, words):
    (tmp_path / "equity.csv").write_text(text)
    assert words in refused(tmp_path, "--rules", rules_toml(tmp_path, DAILY), "--equity", tmp_path / "equity.csv")


def test_trades_outside_the_path_are_refused(tmp_path):
    row = "1,EURUSD,long,1,2026-03-02T1{}:00:00Z,1.1,2026-03-02T1{}:30:00Z,1.1,,0,0,signal"
    for trade in (row.format(0, 3), row.format(3, 3), row.format(0, 0).replace("2026-03-02T10:00", "2026-03-02T08:59")):
        trades = trades_csv(tmp_path, trade)
        assert "trade 1 (2026-03-02T" in refused(tmp_path, "--rules", rules_toml(tmp_path, DAILY), "--equity", equity_csv(tmp_path, *GOOD), "--trades", trades)


@pytest.mark.parametrize("tables, tz, words", [
    (DAILY.replace("amount", "amuont"), "UTC", "did you mean 'amount'?"),
    (DAILY.replace("[daily]", "[dialy]"), "UTC", "did you mean 'daily'?"),
    (DAILY.replace('amount = "5 %"\n', ""), "UTC", "has no daily.amount; it differs between firms and is not guessed"),
    (DAILY.replace('comparator = "<"', ""), "UTC", "has no daily.comparator"),
    (DAILY, "Europe/Pargue", "no time zone named 'Europe/Pargue'; did you mean 'Europe/Prague'?"),
    (DAILY.replace('"5 %"', '"five"'), "UTC", "daily.amount is 'five'; it must be a share"),
    (DAILY.replace('"FAIL"', '"FIAL"'), "UTC", "did you mean 'FAIL'?"),
    ('[consistency]\nkind = "best / net"', "UTC", "has no consistency.cap"),
    ('[drawdown]\nkind = "static"\namount = "5 % of basis"\nlock = "none"\nwatch = "equity"\ncomparator = "<"', "UTC", "there is no basis of a day in it"),
    ('[weekend]\npolicy = "flat by Fri 25:00"', "UTC", "weekend.policy is 'flat by Fri 25:00'"),
    ("", "UTC", "has no rule"),
])  # fmt: skip
def test_a_rule_set_that_cannot_be_read_is_a_sentence(tmp_path, tables, tz, words):
    assert words in refused(tmp_path, "--rules", rules_toml(tmp_path, tables, tz=tz), "--equity", equity_csv(tmp_path, *GOOD))


def test_options_that_contradict_or_lack_are_sentences(tmp_path):
    equity = equity_csv(tmp_path, *GOOD)
    assert "did you mean 'ftmo-2-step'?" in refused(tmp_path, "--preset", "ftmo-2step", "--equity", equity)
    assert "either --preset NAME or --rules" in refused(tmp_path, "--equity", equity)
    assert "give one of --run ID, --history ID and --equity FILE.csv" in refused(tmp_path, "--preset", "ftmo-2-step")
    assert "--initial is -1" in refused(tmp_path, "--preset", "ftmo-2-step", "--equity", equity, "--initial", -1)
    assert "give the balance at its start with --initial" in refused(tmp_path, "--preset", "topstep-50k", "--equity", equity)
    assert "no phase of the preset ftmo-2-step named 'fundde'; did you mean 'funded'?" in refused(tmp_path, "--preset", "ftmo-2-step", "--phase", "fundde", "--equity", equity)
