"""The desk's part for paper trading: what it shows of the store, who may command, and what it writes."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
from typer.testing import CliRunner

from domain.errors import BadRequest, Forbidden
from worker.cli import app
from worker.desk import Actor, Desk, StartRequest
from worker.sessions.inputs import plan_of
from worker.store import session_asking as asking
from worker.store.session_commits import Commit, WorkedCommand
from worker.store.session_tape import Output, TapeBar
from worker.store.sessions import lease_of

HOUR = 3_600_000_000_000
DAY = 24 * HOUR
PLAN = dict(series=["EURUSD H1"], strategies=[dict(name="breakout", params={}, series=[])], rules=dict(account=dict(balance=1000.0, currency="USD"), limits=dict(daily_loss=0.05)))


@pytest.fixture
def kind() -> str:
    return "sqlite"


def worked(store, name: str, at: str = "paper", **more) -> None:
    """Two days of a session: 1,000, then 1,020 at the end of the first day, 1,010 now. ``at``: its broker; ``more``: of its view."""
    with store.unit() as unit:
        asking.start(unit, name, PLAN, dict(feed="replay" if at == "paper" else at, frames={}), "ana", at)
        epoch = unit.leases.take(lease_of(name), "here").epoch
        unit.sessions.enter(name, "running")
        asking.ask(unit, name, "pause", {}, "bob", "lunch", "k")
        bars = [TapeBar("EURUSD H1", at, at + HOUR, 1.1, 1.2, 1.0, 1.1) for at in (DAY - HOUR, DAY)]
        rows = [dict(ts=bar.end, balance=equity, equity=equity, equity_low=equity, used_margin=0.0) for bar, equity in zip(bars, (1020.0, 1010.0), strict=True)]
        view = dict(state="paused", balance=1010.0, equity=1010.0, positions=[dict(instrument="EURUSD", side="long", lots=0.1)], opened={"EURUSD H1": dict(ts=DAY + HOUR, end=DAY + 2 * HOUR)}, dropped={"EURUSD H1": 2}) | more
        outputs = [Output("equity", k, row["ts"], row) for k, row in enumerate(rows, 1)]
        commit = Commit(name, epoch, 1, bars[-1].end, 0, b"", rows=dict(equity=2), view=view, tape=bars, outputs=outputs, commands=[WorkedCommand(1, bars[-1].end)])
        assert unit.session_commits.judge([commit]) == {name: "written"}
        unit.session_commits.write([commit], unit.now())


def test_the_list_shows_what_the_account_is_worth_and_what_the_day_brought(desk, store):
    worked(store, "one")
    [row] = desk.paper.all()
    assert (row.state, row.word, row.title, row.equity, row.balance, row.open, row.bars) == ("paused", "Paused", "breakout · EURUSD H1", 1010.0, 1010.0, 1, 2)
    assert row.today == pytest.approx(-10.0)
    assert row.daily_loss_used == pytest.approx(10 / 51)
    assert row.points == (1020.0, 1010.0)
    assert row.price_age is None


def test_a_price_has_an_age_from_when_the_feed_stated_it_came(desk, store):
    worked(store, "one")
    with store.unit() as unit:
        unit.sessions.show("one", dict(newest={"EURUSD": unit.now().timestamp() - 90, "GBPUSD": unit.now().timestamp()}))
    assert desk.paper.row("one").price_age == pytest.approx(90, abs=30)


def test_one_session_is_shown_whole(desk, store):
    worked(store, "one")
    view = desk.paper.get("one")
    assert view.equity["equity"].tolist() == [1020.0, 1010.0]
    assert view.positions.to_dict("records") == [dict(instrument="EURUSD", side="long", lots=0.1)]
    assert (view.clock.hour, view.next_close.hour, view.figures["dropped"]) == (1, 2, 2.0)
    assert view.commands[["who", "command", "reason"]].values.tolist() == [["bob", "pause", "lunch"]]
    assert view.log["kind"].tolist() == ["pause", "created"]
    assert desk.paper.table("one", "tape")["series"].tolist() == ["EURUSD H1"] * 2
    with pytest.raises(BadRequest, match="no session named 'two'"):
        desk.paper.get("two")


def test_a_command_is_checked_before_it_is_written_and_audited(desk, store):
    worked(store, "one")
    with pytest.raises(BadRequest, match="share is 0"):
        desk.paper.command("one", "close", dict(share=0.0))
    with pytest.raises(BadRequest, match="no instrument of session one named 'GBPUSD'; there are EURUSD"):
        desk.paper.command("one", "order", dict(instrument="GBPUSD", side="buy", lots=0.1))
    with pytest.raises(BadRequest, match="no series of session one named 'EURUSD M5'"):
        desk.paper.command("one", "close", dict(series="EURUSD M5"))
    desk.paper.command("one", "close", dict(instrument="EURUSD", share=0.5), key="click")
    desk.paper.command("one", "close", dict(instrument="EURUSD", share=0.5), key="click")
    with store.read() as unit:
        assert [(each.command, each.who, each.arguments) for each in unit.session_commands.waiting()] == [("close", "ana", dict(instrument="EURUSD", share=0.5))]
    assert next(event.kind for event in desk.trail.rows()) == "session_command_requested"


def test_a_viewer_sees_everything_and_may_do_nothing(desk, store):
    worked(store, "one")
    viewer = Desk(store, desk.settings, Actor("eve", "viewer"), send=lambda *_: True).paper
    assert {verb.refused for verb in viewer.verbs().values()} == {"needs the role trader"}
    for act in (lambda: viewer.command("one", "pause"), lambda: viewer.halt("why"), lambda: viewer.release("why"), lambda: viewer.start(StartRequest("x", "breakout", {}, ("H1",)))):
        with pytest.raises(Forbidden, match=r"eve .*it needs the role trader"):
            act()
    assert len(viewer.all()) == 1


def test_the_kill_switch_holds_until_a_person_says_why_it_may_go(desk, store):
    worked(store, "one")
    desk.paper.command("one", "halt", dict(keep=True), "news")
    [halt] = desk.paper.halts()
    assert (halt.name, halt.who, halt.reason, halt.flatten) == ("one", "ana", "news", False)
    with pytest.raises(BadRequest, match="say why"):
        desk.paper.command("one", "release")
    desk.paper.command("one", "release", reason="over")
    assert not desk.paper.halts()


def test_a_session_that_is_over_takes_no_command(desk, store):
    worked(store, "one")
    with store.unit() as unit:
        unit.sessions.enter("one", "finished", "", unit.now())
    row = desk.paper.row("one")
    assert desk.paper.refused("pause", row) == "one is finished"
    with pytest.raises(BadRequest, match="the session one is finished"):
        desk.paper.command("one", "pause")


def connected(desk, store) -> Desk:
    """A desk in an environment that names an account at OANDA."""
    return Desk(store, replace(desk.settings, vendors=dict(TIDEMARK_OANDA_TOKEN="t", TIDEMARK_OANDA_ACCOUNT="a")), Actor("ana", "admin"), send=lambda *_: True)


def test_a_live_session_is_made_from_a_form(desk, store):
    connected(desk, store).paper.start(StartRequest("live", "breakout", dict(lookback=30), ("M5", "H1"), feed="oanda", instruments=("EURUSD",), rules=dict(sizing=dict(value=0.2))))
    with store.read() as unit:
        session = unit.sessions.get("live")
    assert session.plan["series"] == ["EURUSD M5", "EURUSD H1"]
    assert session.plan["rules"]["sizing"]["value"] == 0.2
    assert session.source == dict(feed="oanda", instruments=["EURUSD"])
    with pytest.raises(BadRequest, match="choose datasets, or a feed"):
        desk.paper.start(StartRequest("none", "breakout", {}, ("M5",)))


def test_a_limit_on_news_reads_the_calendar_of_the_workspace_as_it_is_at_the_start(desk, store):
    desk = connected(desk, store)
    request = StartRequest("live", "breakout", {}, ("M5",), feed="oanda", instruments=("EURUSD", "USDJPY"), rules=dict(limits=dict(news=30.0)), rule_set="ftmo-2-step")
    with pytest.raises(BadRequest, match="the workspace has no calendar of releases; import one on the page Data"):
        desk.paper.start(request)
    at = pd.to_datetime(["2024-07-11T12:30Z", "2024-07-12T06:00Z"])
    calendar = pd.DataFrame(dict(ts=at, title=["CPI", "Retail"], currency=["USD", "EUR"], impact=["high", "high"]))
    with store.unit() as unit:
        frame = store.frames.put(calendar)
        unit.outside.add(kind="releases", name="calendar", version="v", rows=2, source="x", notes=[], scorer="", frame=frame, bytes=1, actor="ana", created_at=unit.now(), example=False, first_ts=at[0], last_ts=at[1])
    desk.paper.start(request)
    with store.read() as unit:
        source = unit.sessions.get("live").source
    read = plan_of(store, desk.settings.instruments_file, desk.paper.get("live").plan, source)
    assert {text: context.releases.tolist() for text, context in read.inputs.contexts.items()} == {"EURUSD M5": [each.value for each in at], "USDJPY M5": [at[0].value]}
    assert source["rule_set"]["name"] == "ftmo-2-step" and "[daily]" in source["rule_set"]["text"]


def test_a_replay_of_stored_bars_is_made_from_a_form_and_worked(desk, store, system):
    from worker import actors
    from worker.terminal.paper_run import work

    start, end = datetime(2024, 1, 8, tzinfo=UTC), datetime(2024, 1, 26, tzinfo=UTC)
    built = desk.data.generate("regimes", {}, "EURUSD", "H1", start, end, 3)
    actors.run(built.job.id)
    dataset = desk.jobs.get(built.job.id).result["dataset"]
    desk.paper.start(StartRequest("replay", "breakout", dict(lookback=10), ("H1", "H4"), datasets=(dataset,), start=start + timedelta(days=4)))
    assert work(desk, "replay", quiet=True).state == "finished"
    view = desk.paper.get("replay")
    assert set(view.bars["series"]) == {"EURUSD H1", "EURUSD H4"}
    assert view.equity["ts"].min() > start + timedelta(days=4)
    assert (view.row.over, view.row.word, view.row.source) == (True, "Finished", "replay")
    subject = desk.compliance.subject("session", "replay")
    assert subject in desk.compliance.subjects() and subject.address == dict(session="replay") and desk.compliance.subject("session", "gone") is None
    job = desk.compliance.submit(subject, "ftmo-2-step").job
    actors.run(job.id)
    judged = desk.compliance.judged(subject, "ftmo-2-step").run
    assert judged.summary["path"] == dict(kind="session", id="replay", title="replay") and all(rule["state"] != "not judged" for rule in judged.summary["rules"])
    assert len(desk.compliance.frame(judged.id, "curve")) == len(desk.paper.table("replay", "equity"))
    assert f"run:{judged.id}" in desk.trail.history("session:replay")[-1].entities, "the judgement stands in the session's story"


def test_the_terminal_judges_a_session_so_far(desk, store, monkeypatch, tmp_path):
    worked(store, "one")
    monkeypatch.setattr("worker.terminal.here.desk", lambda: desk)
    judged = CliRunner().invoke(app, ["compliance", "judge", "--preset", "ftmo-2-step", "--session", "one", "--out", str(tmp_path)])
    verdict = json.loads((tmp_path / "verdict.json").read_text())
    assert (judged.exit_code, verdict["state"], verdict["path"]["rows"], verdict["path"]["last"]) == (0, "open", 2, "1970-01-02T01:00:00Z")
    assert verdict["notes"][0].startswith("So far, until 1970-01-02 01:00 UTC: the session goes on") and verdict["notes"][0] in judged.output
    drawn = CliRunner().invoke(app, ["compliance", "chance", "--preset", "ftmo-2-step", "--session", "one", "--paths", "100", "--json"])
    assert drawn.exit_code == 0 and verdict["notes"][0] in json.loads(drawn.output)["notes"], drawn.output
    refused = CliRunner().invoke(app, ["compliance", "judge", "--preset", "ftmo-2-step", "--session", "one", "--run", "x", "--out", str(tmp_path)])
    assert refused.exception and "or --session NAME" in str(refused.exception) + refused.output


def test_a_session_whose_broker_has_other_lots_differs_shows_its_alarms_and_takes_adopt(desk, store):
    difference = dict(client_id="one-5-0", instrument="EURUSD", expected="0.1", actual="0", sentence="EURUSD: the session holds 0.1 lots of order one-5-0, the broker has 0")
    worked(store, "one", "oanda", state="running", broker=dict(state="differs", differences=[difference]), broker_watch=dict(raised={"unprotected:7": "position 7 has no stop"}))
    with store.unit() as unit:
        unit.sessions.show("one", dict(silent=["EURUSD"]))
    view = desk.paper.get("one")
    assert (view.row.state, view.row.word, view.broker["differences"]) == ("differs", "Differs from the broker", [difference])
    assert view.row.alarms == ("position 7 has no stop", "EURUSD has had no price for more than 30 s, although its market is open")
    assert desk.paper.refused("adopt", view.row) == "" and desk.paper.refused("adopt", replace(view.row, broker="paper")).startswith("the session trades on paper")
    desk.paper.command("one", "adopt", dict(client_id="one-5-0", close=True), "closed by hand")
    with store.read() as unit:
        assert [(each.command, each.arguments, each.reason) for each in unit.session_commands.all("one")][-1] == ("adopt", {"client_id": "one-5-0", "close": True}, "closed by hand")


@pytest.mark.parametrize(("reported", "reason"), [("daily_loss", "no entries until its next day begins"), ("max_drawdown", "no new entries in this session")])
def test_a_halt_by_a_limit_says_which_and_until_when(desk, store, reported, reason):
    worked(store, "one", state="halted", losses=[0, 1000.0, 1020.0, 1010.0, {reported: 1.0}])
    row = desk.paper.row("one")
    assert row.state == "halted" and reason in row.reason


def test_proposals_are_waited_for_in_the_list(desk, store):
    worked(store, "one", state="running", proposals=[dict(order_id=3)])
    assert (desk.paper.row("one").state, desk.paper.row("one").word) == ("running", "Waiting for approval")
