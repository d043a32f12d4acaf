"""The page of paper trading in its states, on a workspace of its own."""

from __future__ import annotations

import pandas as pd
import pytest

from app.paper.charts import bars
from tests.app.test_pages import dataset, draw, warnings

pytestmark = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)


def text(test) -> str:
    return " ".join(element.value for element in (*test.markdown, *test.caption, *test.info, *test.warning, *test.error)).replace("\\", "")


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


def test_a_bad_name_is_said_beside_the_form_and_nothing_is_lost(desk):
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


def test_the_emergency_stop_heads_the_page_until_it_is_released(desk):
    started(desk)
    page = draw("paper", desk, session="first")
    next(button for button in page.button if button.label == "Stop all sessions").click().run()
    halted = draw("paper", desk, session="first")
    assert "All sessions halted at" in text(halted) and "Release…" in [button.label for button in halted.button]
    desk.paper.release("looked at", "")
    assert "halted at" not in text(draw("paper", desk, session="first"))


def test_a_recovered_bar_is_marked(kind):
    shown = pd.DataFrame(dict(ts=pd.date_range("2024-01-02", periods=3, freq="h", tz="UTC"), open=1.0, high=1.2, low=0.9, close=1.1, recovered=[False, True, False]))
    assert len(bars(shown, 4, "USD").layer) == 3 and len(bars(shown.assign(recovered=False), 4, "USD").layer) == 2
