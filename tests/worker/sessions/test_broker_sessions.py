"""Sessions whose orders go to a broker, through the runner: decided and booked here, filled there, on OANDA's and MetaTrader's doubles."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy.exc import OperationalError

from domain.compliance import dump, preset
from tests.worker.sessions.broker_world import LONG, M5, at_vendors
from worker.actors import run
from worker.consistency import check
from worker.sessions import opening


def pytest_generate_tests(metafunc):
    at_vendors(metafunc, ("test_an_entry_goes_out_in_legs_and_its_fills_are_booked_as_one_trade",))


@pytest.fixture
def kind() -> str:
    return "sqlite"


def test_an_entry_goes_out_in_legs_and_its_fills_are_booked_as_one_trade(world):
    world.start(dict(LONG, at=0))
    world.bars(2)
    assert sorted(world.there()) == [("gold-1-0", "0.06"), ("gold-1-1", "0.15"), ("gold-1-2", "0.09")]
    fills = world.rows("fills")
    assert [(row["order_id"], row["trade_id"], row["side"], row["price"], row["reason"]) for row in fills] == [(1, 1, "buy", 1.1001, "market")] * 3
    assert world.held() == 0.3 and world.view["broker"]["state"] == "" and world.view["broker"]["account"]["currency"] == "USD"
    assert world.story("gold-1-1") == ["order_intent", "order_filled"]


def test_a_session_at_a_broker_is_judged_so_far_by_its_equity_there_and_its_decisions_worked_again_with_its_fills(world, desk, store, request):
    from tests.worker.test_session_analysis import events, replayed

    request.getfixturevalue("system")
    world.start(dict(LONG, at=0))
    world.bars(2)
    so_far = desk.compliance.session_path("gold")
    standing, path = world.view["broker"]["account"], so_far.path()
    assert so_far.note.startswith("So far, until ") and (path.equity[-1], path.balance[-1]) == (float(standing["equity"]), float(standing["balance"]))
    assert path.trades[["side", "lots", "entry_price", "stop_loss"]].values.tolist() == [["long", 0.3, 1.1001, 1.095]] and path.trades["exit_ts"].isna().all()
    subject = desk.compliance.subject("session", "gold")
    job = desk.compliance.submit(subject, "ftmo-2-step").job
    run(job.id)
    judged = desk.compliance.judged(subject, "ftmo-2-step").run
    assert judged.summary["path"]["note"] == so_far.note and desk.compliance.frame(judged.id, "curve")["equity"].iloc[-1] == float(standing["equity"])
    world.bars(1, 1.094)
    own = {kind: [event for event in events(store, kind) if "session:gold" in event.body] for kind in ("order_intent", "order_accepted", "order_filled", "trade_closed")}
    for kind, rows in own.items():
        result = replayed(desk, rows[-1].seq)
        assert (kind, result["verdict"], "fills are the broker's own" in result["sentence"]) == (kind, "equal", True), result["sentence"]
    sent = next(event for event in events(store, "order_intent") if "session:gold" not in event.body)
    assert desk.trail.find(str(sent.seq)).replay == ""


def test_a_target_and_a_stop_that_fill_at_the_broker_are_booked_at_its_prices(world):
    world.start(dict(LONG, at=0))
    world.bars(2)
    world.bars(1, 1.1102)
    assert world.rows("fills")[-1]["reason"] == "target_1" and world.rows("fills")[-1]["lots"] == 0.15 and world.held() == 0.15
    world.bars(1, 1.094)
    assert [row["exit_reason"] for row in world.rows("trades")] == ["stop_loss"] and world.there() == [] and world.held() == 0
    assert world.view["broker"]["differences"] == [] and world.work.account.orders == {}


def test_a_stop_that_the_account_moves_is_moved_at_the_broker(world):
    world.start(dict(LONG, at=0, break_even_r=0.4, trail_kind="points", trail_value=0.003))
    world.bars(2)
    world.bars(1, 1.1080)
    world.round(1.0)
    stops = {str(position.stop_loss) for position in world.rig.broker().positions()}
    assert stops == {"1.10500"} and world.view["positions"][0]["stop_loss"] == 1.105 and not world.rig.unprotected()


def test_targets_in_r_stand_where_the_fill_puts_them(world):
    world.start(dict(instrument="EURUSD", side="long", order="market", lots=0.1, stop_loss=1.095, target_r_1=1.0, at=0))
    world.bars(2)
    world.rig.move("EURUSD", "1.10050", "1.10060")
    [position] = world.rig.broker().positions()
    assert str(position.targets[0].price) == "1.10520" and str(position.price) == "1.10010"


def test_a_share_that_a_person_closes_and_all_of_it(world):
    world.start(dict(LONG, at=0))
    world.bars(2)
    world.ask("close", share=0.5)
    assert world.held() == 0.15 and [(row["side"], row["reason"]) for row in world.rows("fills")[3:]] == [("sell", "manual")] * 2
    world.bars(1)
    assert world.held() == 0.15
    world.ask("close-all")
    assert world.there() == [] and world.rows("trades")[0]["exit_reason"] == "manual" and world.rows("trades")[0]["lots"] == 0.3


def test_an_exit_signal_leaves_and_the_opposite_entry_waits_for_it(world):
    short = dict(instrument="EURUSD", side="short", order="market", lots=0.2, stop_loss=1.105, tag="swing")
    world.start(dict(LONG, at=0), dict(short, at=2), rules=dict(execution=dict(reverse_on_opposite=True)))
    world.bars(4)
    world.round(1.0)
    assert world.there() == [("gold-2-0", "0.20")] and [row["exit_reason"] for row in world.rows("trades")] == ["opposite"]
    assert [(row["trade_id"], row["side"]) for row in world.rows("fills")][-1] == (2, "sell")


def test_the_kill_switch_flattens_at_once_and_sends_no_more(world):
    world.start(dict(LONG, at=0), dict(LONG, at=3, tag="more"))
    world.bars(2)
    (world.settings.home / "HALT").write_text("news\n")
    world.round()
    world.round()
    assert world.there() == [] and world.rows("trades")[0]["exit_reason"] == "kill_switch"
    world.bars(3)
    assert world.there() == [] and world.view["counts"]["halted"] == 1


def test_a_stop_with_positions_ends_when_they_have_left(world):
    world.start(dict(LONG, at=0))
    world.bars(2)
    world.ask("stop", close=True)
    world.round(1.0)
    assert world.session.state == "stopped" and world.there() == [] and len(world.rows("trades")) == 1


def test_an_order_that_waits_for_its_price_waits_at_the_broker(world):
    world.start(dict(instrument="EURUSD", side="long", order="limit", price=1.098, lots=0.1, stop_loss=1.09, valid_bars=3, at=0))
    world.bars(2)
    assert world.there() == [] and world.rig.accepted() == 1 and [order["order_id"] for order in world.view["orders"]] == [1]
    world.bars(1, 1.0979)
    assert world.there() == [("gold-1-0", "0.10")] and [row["reason"] for row in world.rows("fills")] == ["limit"] and not world.view["orders"]


def test_an_order_that_has_expired_here_is_cancelled_there(world):
    world.start(dict(instrument="EURUSD", side="long", order="limit", price=1.09, lots=0.1, stop_loss=1.08, valid_bars=2, at=0))
    world.bars(5)
    world.bars(1, 1.0899)
    assert world.there() == [] and world.view["counts"]["expired"] == 1 and world.work.account.orders == {}
    assert world.story("gold-1-0")[-1] == "order_cancelled"


def test_with_the_database_away_nothing_is_sent_and_the_order_goes_once_when_it_is_back(world, monkeypatch):
    world.start(dict(LONG, at=0))
    world.bars(1)
    world.rig.time.advance((world.bar + M5 - world.rig.time.now).total_seconds())
    world.rig.move("EURUSD", "1.10000", "1.10010")
    world.tell()
    line = world.work.broker.line
    with monkeypatch.context() as away:
        for name in ("unit", "read"):
            away.setattr(type(world.store), name, no_database)
        for _ in range(3):
            world.rig.time.advance(6.0)
            assert not world.runner.step() and "does not answer" in world.runner.away
            line.step()
        assert world.rig.broker().positions() == ()
    world.round()
    world.round(6.0)
    assert sorted(world.there()) == [("gold-1-0", "0.06"), ("gold-1-1", "0.15"), ("gold-1-2", "0.09")] and not world.runner.away
    assert world.story("gold-1-1") == ["order_intent", "order_filled"] and world.held() == 0.3


def no_database(self):
    raise OperationalError("SELECT 1", {}, Exception("connection refused"))


FLOOR = '[day]\nreset = "00:00"\ntz = "UTC"\n[drawdown]\nkind = "static"\namount = "5 %"\ncomparator = "<"\n'


@pytest.mark.parametrize(("balance", "legs"), [(100_000, 3), (95_100, 0)])
def test_the_headroom_of_a_rule_set_is_that_of_the_brokers_equity(world, balance, legs):
    """0.30 lots that lose 153 and more at their stop, above a floor of 95,000."""
    account = getattr(world.rig, "terminal", None) or world.rig.double.account
    account.balance = type(account.balance)(balance)
    world.start(dict(LONG, at=0), rules={"account": {"balance": 100_000.0}, "gate": {"rule_set": FLOOR, "name": "own"}})
    world.bars(3)
    assert len(world.there()) == legs
    refused = [row for row in world.rows("decisions") if row["reason"] == "limit_headroom"]
    assert len(refused) == (legs == 0) and all(99.0 < row["allowed"] <= 100.0 < 153.0 < row["value"] for row in refused)


def test_an_order_for_a_bar_that_has_ended_is_missed(world):
    world.start(dict(LONG, at=0))
    world.bars(1)
    world.rig.away(True)
    world.bars(1)
    assert world.view["broker"]["state"] == "away" and world.view["broker"]["trouble"]
    world.rig.away(False)
    world.bars(2)
    assert world.there() == [] and world.view["counts"]["missed"] == 1 and [(row["verdict"], row["reason"]) for row in world.rows("decisions")] == [("placed", ""), ("refused", "missed")]


def test_a_price_that_stands_still_makes_a_stale_order(world):
    world.start(dict(LONG, at=0))
    world.bars(1)
    world.prices.fresh = False
    world.bars(2)
    assert world.there() == [] and world.view["counts"]["stale"] == 1


def test_lots_that_differ_stop_entries_until_a_person_adopts_them(world):
    world.start(dict(LONG, at=0), dict(LONG, at=3, tag="more"), dict(LONG, at=5, tag="again"))
    world.bars(2)
    broker = world.rig.broker()
    rest = next(position for position in broker.positions() if position.client_id == "gold-1-0")
    world.work.broker.line.account.book.legs["gold-1-0"].closed += rest.lots       # a book that is wrong
    world.bars(3)
    assert world.view["broker"]["state"] == "differs" and world.view["broker"]["differences"][0]["client_id"] == "gold-1-0"
    world.bars(1)
    assert world.view["counts"]["missed"] == 1
    world.ask("adopt", client_id="gold-1-0")
    world.bars(2)
    assert world.view["broker"]["state"] == "" and len(world.there()) == 6 and any("adopted" in str(event.body) for event in world.remarks())


def test_another_runner_makes_the_line_of_the_first_one_silent(world):
    world.start(dict(LONG, at=0))
    world.bars(1)
    first = world.work.broker.line
    world.again()
    first._run()
    assert first._lost() and world.rig.accepted() == 0


def test_a_stored_session_is_held_against_the_backtest_of_its_tape_by_order_number(world):
    world.start(dict(LONG, at=0), dict(LONG, at=5, tag="more"))
    world.bars(2)
    world.bars(1, 1.1102)
    world.bars(1, 1.094)
    world.bars(4)
    result = check(world.store, "gold")
    assert result.figures["matched"] == 1 and result.figures["missing"] == result.figures["extra"] == []
    assert result.figures["slippage_r"] > 0.05 and [alert.severity for alert in result.alerts] == ["warning"] and result.rows["trades"] == 1


def test_an_account_in_another_currency_gets_no_order(world):
    world.start(dict(LONG, at=0), rules=dict(account=dict(currency="EUR"), costs={}))
    world.bars(2)
    assert world.view["broker"]["trouble"].startswith("the account is in USD, and the session counts in EUR") and world.rig.accepted() == 0


def test_a_proposal_goes_out_at_the_open_after_it_was_approved_and_a_ticket_at_the_next_one(world):
    world.start(dict(LONG, at=0), mode="approve")
    world.bars(2)
    assert world.rig.accepted() == 0 and len(world.view["proposals"]) == 1
    world.ask("approve", order=1, series="EURUSD M5")
    assert world.rig.accepted() == 0
    world.bars(1)
    assert world.rig.accepted() == 3 and world.held() == 0.3
    world.ask("order", instrument="EURUSD", side="short", lots=0.2, stop=1.105)
    world.bars(1)
    assert [(row["order_id"], row["side"], row["lots"]) for row in world.rows("fills")][3:] == [(-1, "sell", 0.2)]


def test_an_order_that_fills_in_part_is_held_as_it_filled(world):
    world.start(dict(instrument="EURUSD", side="long", order="market", lots=0.3, stop_loss=1.095, at=0))
    world.bars(1)
    world.rig.fill_only("0.04")
    world.bars(2)
    assert world.held() == 0.04 and world.view["broker"]["state"] == "" and world.there() == [("gold-1-0", "0.04")]


@pytest.fixture
def traded(world):
    """A session with a position half closed, an order that waits, a report without news, and what a person did."""
    world.start(dict(LONG, at=0), dict(instrument="EURUSD", side="long", order="limit", price=1.09, lots=0.1, stop_loss=1.08, at=2, tag="deep"))
    world.bars(2)
    world.ask("close", share=0.5)
    world.bars(2, 1.1102)
    world.round(6.0)
    return world


def test_a_session_whose_state_another_program_stored_is_worked_again_from_tape_and_record(traded, monkeypatch):
    before, rows, orders = traded.view, {kind: traded.rows(kind) for kind in ("fills", "trades", "equity", "decisions")}, traded.work.account.kept["orders"]
    account, there = traded.work.account, traded.there()
    monkeypatch.setattr("domain.backtest.live.layout", lambda *series: b"another program's layout")
    traded.again()
    assert traded.work.account is not account and traded.work.account.kept["orders"] == orders
    traded.round()
    assert {kind: traded.rows(kind) for kind in rows} == rows and traded.there() == there
    assert {name: traded.view[name] for name in ("balance", "equity", "positions", "orders", "counts")} == {name: before[name] for name in ("balance", "equity", "positions", "orders", "counts")}
    traded.ask("close-all")
    assert traded.there() == [] and traded.held() == 0 and traded.view["broker"]["differences"] == []


@pytest.mark.parametrize("which", ["fills", "broker", "nothing"])
def test_one_whose_record_parts_from_what_was_booked_or_that_has_none_does_not_go_on(traded, monkeypatch, which):
    monkeypatch.setattr("domain.backtest.live.layout", lambda *series: b"another program's layout")
    read = opening.booked

    def altered(store, name, of):
        rows = [dict(row) for row in read(store, name, of)]
        if of == which == "fills":
            rows[0]["price"] += 0.0001
        return [row for row in rows if not row["taken"]] if of == which == "broker" else rows

    monkeypatch.setattr(opening, "booked", altered)
    if which == "nothing":
        forgets(monkeypatch)
    traded.again()
    assert "gold" not in traded.runner.held and traded.session.state == "error"
    assert {"fills": "other fills", "broker": "other ", "nothing": "no record"}[which] in traded.session.note


def forgets(monkeypatch) -> None:
    """As one that an earlier program began."""
    read = opening.read

    def stored(store, name):
        session = read(store, name)
        return replace(session, state=replace(session.state, broker={**session.state.broker, "recorded": False}))

    monkeypatch.setattr(opening, "read", stored)


def test_floors_of_a_session_at_a_broker_lie_under_its_equity_there(world):
    ruled = dict(rule_set=dict(name="ftmo-2-step", version=0, phase="", text=dump(preset("ftmo-2-step"))))
    world.start(dict(LONG, at=0), rules={"account": {"balance": float(world.rig.broker().account().balance)}}, source=ruled)
    world.bars(2)
    before = {floor["rule"]: floor["left"] for floor in world.view["floors"]}
    world.bars(1, 1.0970)
    there, floors = world.rig.broker().account(), {floor["rule"]: floor for floor in world.view["floors"]}
    assert floors["max_drawdown"]["left"] == pytest.approx(float(there.equity) - floors["max_drawdown"]["floor"], abs=0.01)
    assert floors["max_drawdown"]["left"] < before["max_drawdown"]
    world.again()
    world.round()
    assert {floor["rule"]: floor["floor"] for floor in world.view["floors"]} == {rule: floor["floor"] for rule, floor in floors.items()}
