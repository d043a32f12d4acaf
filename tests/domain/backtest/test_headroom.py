"""The headroom gate of a rule set with numbers computed by hand; each a test of the kernel and of the reference implementation."""

from __future__ import annotations

from typing import Any

import pytest

from domain.backtest.floor_table import gate_of
from domain.backtest.prepare import prepare
from domain.backtest.simulator import Simulation
from domain.compliance import Instant, Judge, load
from domain.errors import BadRequest
from domain.risk.sizing import Sizing
from domain.trading.account import Account
from domain.trading.costs import Costs
from domain.trading.gate import Gate
from domain.trading.rules import Rules, rules_from
from domain.trading.task import Outcome
from tests.reference.cases import case
from tests.reference.worked import bars_of, task_of

ONE = Sizing("fixed_lots", 1.0)
COSTS = Costs(spread=0.0002, slippage=0.0001, commission_per_lot=3.5)
DAY = '[day]\nreset = "00:00"\ntz = "UTC"\n'
DAILY = '[daily]\nbasis = "balance"\namount = "5 %"\nwatch = "equity"\neffect = "FAIL"\ncomparator = "<"\n'
PEAK = '[drawdown]\nkind = "trailing intraday equity peak"\namount = 500\nlock = "none"\ncomparator = "<="\n'


def flat(count: int, price: float = 1.1000) -> list[tuple[float, ...]]:
    return [(price,) * 4] * count


def bought(at: int, stop: float | None, **more: Any) -> dict[str, Any]:
    return {"at": at, "side": "long", "tag": str(at), **({} if stop is None else {"stop_loss": stop}), **more}


def refusals(outcome: Outcome) -> list[tuple[Any, ...]]:
    """Order, worst case, headroom and buffer of each."""
    rows = outcome.reviews[outcome.reviews["reason"] == "limit_headroom"]
    return [(row.order_id, *(round(number, 6) for number in (row.value, row.allowed, row.buffer))) for row in rows.itertuples()]


@pytest.mark.parametrize(("buffer", "refused"), [(0.0, []), (2.0, []), (3.0, [(1, 497.0, 500.0, 3.1)]), (40.0, [(1, 497.0, 500.0, 40.1)])])
def test_an_order_goes_whose_worst_case_fits_the_headroom_less_the_buffer(run, buffer, refused):
    """Filled at 1.1000 + 0.0002 + 0.0001: to the stop 0.0046, and 0.0002 + 0.0001 beyond it, 490.00 for a lot, with 7.00 of commission 497.00 of 500.00."""
    gate = Gate(DAY + DAILY + f"buffer = {buffer + 0.1 if refused else buffer}")
    outcome = run(task_of(bars_of(*flat(6)), bought(0, 1.0957)), COSTS, sizing=ONE, gate=gate, balance=10_000.0)
    assert refusals(outcome) == refused and outcome.counts["limit_headroom"] == len(refused) and len(outcome.trades) == 1 - len(refused)


def test_what_open_positions_lose_at_their_stops_counts_too(run):
    """The first is worth 2.00 less by its spread and slippage than it cost, and loses 230 to its stop with slippage, and 3.50: the second would come to 297.00."""
    task = task_of(bars_of(*flat(8)), bought(0, 1.0978), bought(2, 1.0977))
    outcome = run(task, COSTS, sizing=ONE, gate=Gate(DAY + DAILY), balance=10_000.0)
    known = 10_000.0 - 3.5 - 30.0
    assert refusals(outcome) == [(2, round(297.0 + 230.0 + 3.5, 6), round(known - 9_500.0, 6), 0.0)]


def test_an_order_without_a_stop_or_beside_a_position_without_one_is_refused(run):
    open_first = run(task_of(bars_of(*flat(6)), bought(0, None)), COSTS, sizing=ONE, gate=Gate(DAY + DAILY), balance=10_000.0)
    assert open_first.counts["limit_headroom"] == 1 and open_first.reviews["value"].isna().all() and open_first.reviews["allowed"].tolist() == [500.0]


@pytest.mark.parametrize(("effect", "refused"), [("FAIL", [2, 3]), ("DAY_LOCK", [2])])
def test_a_floor_that_was_broken_refuses_for_good_or_until_the_next_day(run, effect, refused):
    """Half a lot that risks 150 of 200 gaps to a loss of 300. The second order is of that day, the third of the next, whose floor lies 200 lower."""
    gate = Gate(DAY + DAILY.replace('"5 %"', "200").replace("FAIL", effect))
    signals = [bought(0, 1.0970), bought(4, 1.0938), bought(20, 1.0938)]
    outcome = run(task_of(bars_of(*flat(2), *flat(30, 1.0940)), *signals), Costs(spread=0.0), sizing=Sizing("fixed_lots", 0.5), gate=gate, balance=10_000.0)
    assert [row[0] for row in refusals(outcome)] == refused and len(outcome.trades) == 3 - len(refused)


def test_a_floor_that_trails_the_peak_of_equity_comes_nearer(run):
    """Up by 400 the floor lies at 9,900: an order that loses 450 of a flat account's 500 fits no more once the gain is gone."""
    rows = [*flat(2), (1.1000, 1.1040, 1.1000, 1.1040), *flat(8)]
    signals = [bought(0, 1.0960, max_bars=3), bought(6, 1.0955)]
    outcome = run(task_of(bars_of(*rows), *signals), Costs(spread=0.0), sizing=ONE, gate=Gate(DAY + PEAK), balance=10_000.0)
    assert refusals(outcome) == [(2, 450.0, 100.0, 0.0)]


def test_the_floors_of_the_kernel_are_those_of_the_engine_that_judges():
    compared = 0
    for seed in range(400):
        drawn = case(seed)
        if not drawn.gate:
            continue
        try:
            run = Simulation(prepare(drawn.tasks, drawn.rules, drawn.rates), drawn.account)
        except BadRequest:
            continue
        run.to_end()
        judge = Judge(load(drawn.gate.rule_set), drawn.account.balance, currency=drawn.account.currency)
        rows = run.outcome(drawn.tasks).equity
        for ts, balance, equity, low in zip(rows["ts"].array.as_unit("ns").asi8[:-1].tolist(), *(rows[name].tolist() for name in ("balance", "equity", "equity_low")), strict=False):
            judge.step(Instant(ts, balance, equity, low))
        once = Simulation(prepare(drawn.tasks, drawn.rules, drawn.rates), drawn.account)
        while once.arrays["account"]["rows"][0] < len(rows) - 1 and once.step(1):
            pass
        assert once.arrays["floors"]["line"].tolist() == [standing.line for standing in judge.standings], seed
        compared += len(rows) > 1
    assert compared > 30


def test_a_rule_set_that_does_not_fit_the_account_is_refused_in_a_sentence():
    with pytest.raises(BadRequest, match="counts in USD, and the account is in EUR; choose a rule set in EUR"):
        gate_of(Rules(Account(currency="EUR"), gate=Gate(DAY + DAILY)))
    with pytest.raises(BadRequest, match="is money on an account of 50,000 USD, and the balance is 10,000"):
        gate_of(Rules(Account(10_000.0), gate=Gate("account = 50000\n" + DAY + PEAK)))
    with pytest.raises(BadRequest, match="has no floor, so there is nothing to keep clear of"):
        gate_of(Rules(gate=Gate(DAY + "[max_lots]\nlots = 5\n")))


def test_rules_without_a_rule_set_are_written_as_before():
    assert "gate" not in Rules().values() and rules_from(Rules().values()) == Rules()
    rules = Rules(gate=Gate(DAY + DAILY, "own"))
    assert rules_from(rules.values()) == rules
