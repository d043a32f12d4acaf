"""The page of paper trading in its states, on a workspace of its own."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from app.paper.acting import UNTIL
from app.paper.charts import bars, floor_lines
from domain.errors import BadRequest
from tests.app.test_pages import dataset, draw, warnings
from tests.worker.test_paper_desk import worked
from worker.store.schema import session_commands

pytestmark = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)


def text(test) -> str:
    return " ".join(element.value for element in (*test.header, *test.subheader, *test.markdown, *test.caption, *test.info, *test.warning, *test.error)).replace("\\", "")


def started(desk, name: str = "first"):
    """A session from the form."""
    dataset(desk, "EURUSD", 1)
    form = draw("paper", desk)
    form.text_input[0].set_value(name).run()
    sent = next(button for button in form.button if button.label == "Start session").click().run()
    assert not sent.exception
    return sent


def test_each_state_says_what_to_do(desk):
    empty = draw("paper", desk)
    assert not empty.exception and "No data yet" in text(empty)
    assert not started(desk).error and [row.name for row in desk.paper.all()] == ["first"]
    ready = draw("paper", desk, session="first")
    assert not ready.exception and "Waiting for a worker to take the session up." in text(ready) and "1 session running · no real money" in text(ready)
    assert warnings(draw("paper", desk, session="zzzz")) == ["There is no session zzzz. It may have been deleted. Choose one below."]


def test_a_bad_name_is_stated_beside_the_form_and_nothing_is_lost(desk):
    refused = started(desk, "no good/name")
    assert len(refused.error) == 1 and desk.paper.all() == [] and refused.text_input[0].value == "no good/name"


def test_the_form_takes_signals_and_scanners_and_says_what_a_live_feed_needs(desk):
    dataset(desk, "EURUSD", 1)
    form = draw("paper", desk)
    decided = next(box for box in form.selectbox if box.label == "Decided by")
    scanner = decided.set_value("scanner").run()
    assert not scanner.exception and "No scan yet." in text(scanner)
    signals = next(box for box in scanner.selectbox if box.label == "Decided by").set_value("signals").run()
    refused = next(button for button in signals.button if button.label == "Start session").click().run()
    assert not refused.exception and "Choose one of a strategy, a file of signals and a scanner." in text(refused)
    live = next(box for box in refused.selectbox if box.label == "Prices").set_value("oanda").run()
    assert "OANDA needs TIDEMARK" in text(live) and next(button for button in live.button if button.label == "Start session").disabled


def test_a_button_is_a_command_with_the_persons_name(desk):
    started(desk)
    page = draw("paper", desk, session="first")
    next(button for button in page.button if button.label == "Pause").click().run()
    log = desk.paper.get("first").log
    assert (log["kind"] == "pause").sum() == 1 and log[log["kind"] == "pause"]["text"].str.startswith("ana").all()


def test_after_a_click_the_page_looks_oftener_until_it_is_answered(desk, store):
    worked(store, "one", state="running")
    page = draw("paper", desk, session="one")
    assert UNTIL not in page.session_state
    next(button for button in page.button if button.label == "Pause").click().run()
    assert desk.paper.row("one").waiting == 1 and UNTIL in page.session_state and UNTIL in page.run().session_state
    with store.unit() as unit:
        number = unit.session_commands.waiting(["one"])[0].number
        unit.connection.execute(session_commands.update().where(session_commands.c.number == number).values(worked=1, answer=""))
    assert desk.paper.row("one").waiting == 0 and UNTIL not in page.run().session_state


def test_what_is_refused_stands_where_the_button_is(desk, store, monkeypatch):
    worked(store, "one", state="running", proposals=[dict(order_id=3, series="EURUSD H1", strategy="breakout", side="long", order="market", price=None, stop_loss=1.05, ts=86_400_000_000_000)])
    page = draw("paper", desk, session="one")
    monkeypatch.setattr("worker.desk.paper.asking.ask", refusing)
    next(button for button in page.button if button.label == "Approve").click().run()
    assert [error.value for error in page.error] == ["It is over\\."] and UNTIL not in page.session_state


def refusing(*_: object) -> None:
    raise BadRequest("it is over")


def test_the_emergency_stop_heads_the_page_until_it_is_released(desk):
    started(desk)
    page = draw("paper", desk, session="first")
    next(button for button in page.button if button.label == "Stop all sessions").click().run()
    halted = draw("paper", desk, session="first")
    assert "All sessions halted at" in text(halted) and "Release…" in [button.label for button in halted.button]
    desk.paper.release("looked at", "")
    assert "halted at" not in text(draw("paper", desk, session="first"))


DIFFERENCE = dict(client_id="one-5-0", instrument="EURUSD", expected="0.1", actual="0.05", sentence="EURUSD: the session holds 0.1 lots of order one-5-0, the broker has 0.05")
FOREIGN = dict(position_id="9", instrument="GBPUSD", side="long", lots="0.2", price="1.28", client_id="")
ACCOUNT = dict(currency="USD", balance="1000", equity="990.5", margin_used="20", margin_free="970.5")


def test_what_differs_at_the_broker_is_settled_by_a_person_with_a_reason(desk, store):
    seen = dict(state="differs", trouble="", account=ACCOUNT, differences=[DIFFERENCE], foreign=[FOREIGN], unknown=[dict(client_id="one-6-0", sentence="order one-6-0: no answer came")])
    worked(store, "one", "oanda", state="running", broker=seen, broker_watch=dict(raised={"unprotected:7": "position 7 of EURUSD, 0.05 lots, has no stop at the broker"}))
    page = draw("paper", desk, session="one")
    assert not page.exception
    for words in ("The broker has other positions than this session.", "Position 7 of EURUSD, 0.05 lots, has no stop at the broker", "order one-5-0 · this session 0.1, the broker 0.05", "equity 990.50", "no answer came", "Positions of others"):
        assert words in text(page), words
    next(button for button in page.button if button.label == "Close at the broker…").click().run()
    assert "one adopts 0.05 lots of EURUSD of order one-5-0, and closes them at the broker." in text(page)
    assert next(button for button in page.button if button.label == "Adopt and close").disabled, "without a reason"


def test_the_badge_says_that_the_broker_is_away(desk, store):
    away = dict(state="away", trouble="OANDA does not answer: the connection was refused", account=ACCOUNT)
    worked(store, "one", "oanda", state="running", broker=away)
    row, page = desk.paper.get("one").row, text(draw("paper", desk, session="one"))
    assert (row.state, row.word) == ("away", "Broker away") and "Broker away" in page and "Running" not in page
    assert "No order is sent until the broker answers; stops and targets stand there. OANDA does not answer: the connection was refused" in page
    for other, word in (("paused", "Paused"), ("halted", "Halted")):
        worked(store, other, "oanda", state=other, broker=away)
        assert desk.paper.get(other).row.word == word, "a person's doing is said first"


def test_a_proposal_is_read_as_an_order_and_a_limit_says_that_it_halted(desk, store):
    proposal = dict(order_id=3, series="EURUSD H1", strategy="breakout", side="long", order="market", price=None, stop_loss=1.0523456789, ts=86_400_000_000_000)
    worked(store, "one", state="running", proposals=[proposal], floors=[dict(rule="daily_loss", clause="daily loss", floor=950.0, left=60.0, used=0.2)])
    page = text(draw("paper", desk, session="one"))
    assert "long EURUSD H1 · market order 3 of breakout · stop 1.05235 · decided 1970-01-02 00:00 UTC" in page
    worked(store, "two", state="halted", losses=[0, 1000.0, 1020.0, 1010.0, {"daily_loss": 1.0}])
    assert "Halted. The daily loss limit is reached: no entries until its next day begins." in text(draw("paper", desk, session="two"))


@pytest.mark.parametrize("newest", [1_000, 300, 3])
def test_floors_under_the_newest_part_of_a_curve_are_those_of_the_whole(kind, newest):
    """Wherever the peak lies, and however little of a day is shown; what the newest part cannot say is not drawn."""
    limits, at = dict(daily_loss=0.02, max_drawdown=0.1, day_reset="17:00 America/New_York"), pd.date_range("2024-01-01", periods=2_000, freq="5min", tz="UTC")
    for low, high in ((-3, 1), (-1, 3)):
        curve = pd.DataFrame(dict(ts=at, equity=1_000.0 + np.random.default_rng(1).integers(low, high + 1, 2_000).cumsum()))
        whole = floor_lines(curve, limits, 1_000.0)
        began = whole[whole["floor"] == "daily loss"]["value"].iloc[-1] / 0.98
        part = floor_lines(curve.iloc[-newest:].reset_index(drop=True), limits, 1_000.0, (began, max(curve["equity"].max(), 1_000.0)))
        both = part.merge(whole, on=["ts", "floor"], suffixes=("", "_whole"))
        assert len(both) == len(part) and np.allclose(both["value"], both["value_whole"], atol=1e-9)
        assert set(part[part["ts"] == at[-1]]["floor"]) == {"daily loss", "drawdown"}


def test_a_recovered_bar_is_marked(kind):
    shown = pd.DataFrame(dict(ts=pd.date_range("2024-01-02", periods=3, freq="h", tz="UTC"), open=1.0, high=1.2, low=0.9, close=1.1, recovered=[False, True, False]))
    marked, plain = bars(shown, 4, "USD"), bars(shown.assign(recovered=False), 4, "USD")
    assert len(marked.layer) == 3 and len(plain.layer) == 2
    assert len(marked.data) == len(plain.data) == 3, "the candles keep their bars"


def test_an_instrument_that_was_edited_after_the_start_is_named_beside_the_session(desk):
    started(desk)
    assert "edited under Instruments" not in text(draw("paper", desk, session="first"))
    desk.instruments.edit("EURUSD", {"contract": 1_000}, "micro lots at this broker")
    assert "EURUSD was edited under Instruments after this session started. The session trades on with the instrument as it was then" in text(draw("paper", desk, session="first"))
