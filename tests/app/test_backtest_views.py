"""Statistics, equity, comparison and list of backtests, drawn as a browser gets them."""

from __future__ import annotations

from datetime import date

import pytest
from streamlit.testing.v1 import AppTest

from tests.app.backtest_runs import backtests
from worker.desk import Desk


@pytest.fixture
def kind() -> str:
    return "sqlite"


def drawn(desk: Desk, view: str, *about: object, **state: object) -> AppTest:
    def script(desk, view, about):
        import importlib

        import streamlit as st

        st.session_state["page"] = "backtest"
        module, name = view.split(".")
        getattr(importlib.import_module(f"app.backtest.{module}"), name)(desk, *about)

    test = AppTest.from_function(script, kwargs=dict(desk=desk, view=view, about=about), default_timeout=60)
    for name, value in state.items():
        test.session_state[name.replace("_", "-")] = value
    test.run()
    assert not test.exception, test.exception
    return test


def texts(test: AppTest) -> str:
    return " ".join(element.value for element in [*test.caption, *test.info, *test.warning])


def test_statistics_are_a_table_with_definitions_and_a_dash_for_what_does_not_exist(desk: Desk, store):
    run = desk.backtests.get(backtests(store)[0])
    test = drawn(desk, "statistics.view", run)
    html = next(element.proto.body for element in test.main if element.type == "html")
    sharpe = html[html.index(">Sharpe<") :]
    assert sharpe[: sharpe.index("</tr>")].count("<td>\u2014</td>") == 2 and "Mean over standard deviation of daily returns" in html and ">Buy and hold<" in html
    assert "1 lots EURUSD" in texts(test).replace("\\", "")


def test_a_log_scale_is_refused_with_a_sentence_where_equity_reaches_zero_and_each_part_is_drawn(desk: Desk, store):
    poor, run = (desk.backtests.get(backtests(store, start)[0]) for start in (100.0, 10_000.0))
    refused = drawn(desk, "equity.view", poor, equity_log=True)
    assert "A logarithmic scale has no place for 0 or less, and this curve falls to \u2212" in texts(refused)
    assert "logarithmic scale" not in texts(drawn(desk, "equity.view", run, equity_log=True))
    for part in ("Rolling", "Exposure", "Calendar", "Duration and hour"):
        drawn(desk, "equity.view", run, equity_part=part)


def test_several_runs_are_compared_with_what_differs_first_and_the_list_finds_them(desk: Desk, store):
    ids = backtests(store)
    compared = drawn(desk, "compare.view", ids)
    assert [element.value for element in compared.header][:3] == ["Parameter differences", "Equity", "First diverging fill"]
    desk.run_list.set_tags(ids[0], ["mine"])
    assert "No backtest fits" in texts(drawn(desk, "runs.view", None, runs_text="nothing such"))
    several = drawn(desk, "runs.view", None, runs_several=True)
    assert "0 runs chosen" in texts(several) and all(button.disabled for button in several.button)


@pytest.mark.parametrize("end,last", [("2018-12-31T21:55:01+00:00", 31), ("2018-12-31T00:00:00+00:00", 30), ("2018-12-31T00:00:01+00:00", 31)])
def test_the_form_of_a_run_begins_with_its_last_day(end, last):
    """One that the terminal submitted ends within a day, and keeps that day."""
    from app.backtest.form import span_of

    assert span_of([], dict(start="2018-12-03T00:00:00+00:00", end=end)) == (date(2018, 12, 3), date(2018, 12, last))
