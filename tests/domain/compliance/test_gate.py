"""P11: the gate never lets a worst case exceed the headroom, whatever an account goes through."""

from __future__ import annotations

import math
import os
import random

import pytest

from domain.compliance import Instant, Judge, Order, WorstCase, headroom, load, permits, preset
from domain.errors import BadRequest

SEQUENCES = int(os.environ.get("TIDEMARK_CASES", "60"))
MINUTE = 60_000_000_000
START = 1_772_445_600_000_000_000       # 2026-03-02 10:00 UTC


def rules(at: random.Random, comparator: str):
    kind = at.choice(["static", "trailing end-of-day balance", "trailing intraday balance", "trailing intraday equity peak"])
    basis, lock = at.choice(["balance", "equity", "max"]), at.choice(["none", "start", "start + 100"])
    return load(f'''
        account = 10000
        comparator = "{comparator}"
        [day]
        reset = "{at.choice(["00:00", "17:00"])}"
        tz = "{at.choice(["Europe/Prague", "America/Chicago", "MT5 server"])}"
        [daily]
        basis = "{basis}"
        amount = "{at.choice(["4 % of initial", "4 % of basis", "400"])}"
        watch = "equity"
        effect = "{at.choice(["FAIL", "DAY_LOCK"])}"
        buffer = {at.choice([0, 25])}
        [drawdown]
        kind = "{kind}"
        amount = 900
        lock = "{lock}"
        watch = "equity"
    ''')


def floors_of(judge: Judge) -> list[tuple[float, float]]:
    """Floor and buffer of each rule, read from the rules' own answers."""
    return [(standing.line, standing.rule.buffer) for standing in judge.standings if standing.rule.line == "floor"]


def sequence(seed: int) -> int:
    """One account: it moves at random, orders ask, and those that may go lose all that they can at once. How many went."""
    at = random.Random(seed)
    comparator = at.choice(["<", "<="])
    judge = Judge(rules(at, comparator))
    ts, balance, went = START, 10_000.0, 0
    for _ in range(at.randrange(4, 12)):
        ts += at.choice([1, 60, 600, 2_000]) * MINUTE
        balance += at.uniform(-60, 90)
        floating, open_risk, own = at.choice([0.0, at.uniform(-120, 160)]), at.choice([0.0, at.uniform(0, 100)]), at.choice([0.0, 40.0])
        judge.step(Instant(ts, balance, balance + floating))
        room = min(floor.money for floor in headroom(judge))
        stop = at.choice([at.uniform(0, 500), max(room, 0.0), max(room - own, 0.0), max(math.nextafter(room, 0.0), 0.0)])
        worst = WorstCase(stop, *(at.choice([0.0, at.uniform(0, 5)]) for _ in range(3)))
        if not permits(judge, worst, own, open_risk).allowed:
            continue
        went += 1
        lost = balance + floating - worst.money - open_risk
        for floor, buffer in floors_of(judge):
            assert lost - floor >= max(own, buffer) - 1e-6 and (lost > floor or comparator == "<"), (seed, lost, floor)
        ts += 1
        assert not judge.step(Instant(ts, lost, lost)), seed      # within the day, before the peak moves
        balance = lost
    return went


def test_the_gate_never_lets_a_worst_case_exceed_the_headroom():
    assert sum(sequence(seed) for seed in range(SEQUENCES)) > SEQUENCES / 2


def test_the_gate_says_which_floor_and_by_how_much():
    judge = Judge(preset("ftmo-2-step"))
    judge.step(Instant(START, 100_000.0, 96_000.0))
    assert [(room.column, room.floor, room.money, room.share) for room in headroom(judge)] == [("daily_loss", 95_000.0, 1_000.0, 0.2), ("max_drawdown", 90_000.0, 6_000.0, 0.6)]
    exact = permits(judge, WorstCase(980.0, 10.0, 5.0, 5.0))
    assert (exact.allowed, exact.left, exact.tightest) == (True, 0.0, "daily_loss")
    beyond = permits(judge, WorstCase(980.0, 10.0, 5.0, 5.01))
    assert not beyond.allowed and beyond.reasons == ("daily_loss: the worst case of 1,000.01 does not fit the headroom of 1,000.00.",)
    assert not permits(judge, WorstCase(800.0), own_buffer=300.0).allowed and not permits(judge, WorstCase(800.0), open_risk=300.0).allowed


def test_at_a_floor_that_may_not_be_reached_the_worst_case_stays_above_it():
    judge = Judge(preset("topstep-50k"))
    judge.step(Instant(START, 50_000.0, 50_000.0))
    assert not permits(judge, WorstCase(1_000.0)).allowed and permits(judge, WorstCase(999.99)).allowed


def test_a_rules_own_buffer_is_kept_before_the_firms_floor():
    judge = Judge(preset("vproptrader"))
    judge.step(Instant(START, 1_000.0, 1_000.0))
    assert permits(judge, WorstCase(45.0)).allowed and not permits(judge, WorstCase(45.01)).allowed


def test_a_locked_day_and_a_failed_account_refuse_every_order():
    judge = Judge(preset("topstep-50k"))
    judge.step(Instant(START, 50_000.0, 48_990.0))
    assert permits(judge, WorstCase(1.0)).reasons[0] == "daily_loss: the day is locked until the reset."
    judge.step(Instant(START + 24 * 60 * MINUTE, 49_500.0, 49_500.0))
    assert permits(judge, WorstCase(1.0)).allowed
    judge.step(Instant(START + 25 * 60 * MINUTE, 47_000.0, 47_000.0))
    assert "The account has failed." in permits(judge, WorstCase(1.0)).reasons


def test_positions_are_counted_before_an_order():
    import pandas as pd

    judge = Judge(preset("vproptrader"))
    opened = pd.DataFrame(dict(trade_id=[1, 2, 3], instrument="EURUSD", side="long", lots=0.01, entry_ts=pd.Timestamp(START, tz="UTC"), entry_price=1.1, exit_ts=pd.NaT, exit_price=float("nan"), pnl=float("nan")))
    judge.step(Instant(START, 1_000.0, 1_000.0, opened=opened))
    assert permits(judge, WorstCase(1.0), order=Order(START, "EURUSD", 0.01)).reasons == ("max_positions: 3 of 3 positions are open.",)


@pytest.mark.parametrize("worst", [math.nan, math.inf, -1.0])
def test_a_worst_case_that_is_no_amount_is_refused(worst):
    with pytest.raises(BadRequest, match="must be a number of at least 0"):
        WorstCase(worst)
