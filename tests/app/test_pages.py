"""Pages on a workspace of their own: what the address names is shown, or a warning that there is none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from app.backtest.rules import rules_of
from tests.worker.conftest import system  # noqa: F401  a worker's process
from worker import actors
from worker.desk import BacktestRequest, Desk

pytestmark = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
START = datetime(2024, 1, 1, tzinfo=UTC)


def draw(page: str, desk: Desk, **query: str) -> AppTest:
    """The page as a browser gets it at an address."""

    def script(page, desk):
        import importlib

        import streamlit as st

        st.session_state["page"] = page
        st.session_state.setdefault("pages", {})
        importlib.import_module(f"pages.{page}").render(desk)

    test = AppTest.from_function(script, kwargs=dict(page=page, desk=desk), default_timeout=60)
    for name, value in query.items():
        test.query_params[name] = value
    return test.run()


def dataset(desk: Desk, instrument: str, seed: int, provenance: dict[str, Any] | None = None, notes: tuple[str, ...] = ()) -> str:
    """An imported dataset of a day of bars, without the worker."""
    ts = pd.date_range(START, periods=96, freq="15min", tz="UTC")
    price = 1.1 + 0.0001 * seed
    bars = pd.DataFrame(dict(ts=ts.as_unit("ns"), open=price, high=price + 0.0005, low=price - 0.0005, close=price))
    store = desk.jobs._context.store
    frame = store.frames.put(bars)
    quality = dict(verdict="clean", sentence="No issues found.", findings=[], notes=list(notes))
    about = dict(version=f"{seed:064x}", instrument=instrument, timeframe="M15", side="bid", clock="UTC", source="CSV", verdict="clean", quality=quality, provenance=provenance or {}, synthetic=False, example=False)
    size = dict(first_ts=ts[0].to_pydatetime(), last_ts=ts[-1].to_pydatetime(), bars=len(bars), gaps=0, spread=None, frame=frame, ledger=None, bytes=store.frames.size(frame))
    with store.unit() as unit:
        return unit.datasets.add(**about, **size, actor="ana", created_at=unit.now())[0].id


def warnings(test: AppTest) -> list[str]:
    return [element.value for element in test.warning]


def headings(test: AppTest) -> list[str]:
    return [element.value for element in test.header]


def plain(markdown: str) -> str:
    return markdown.replace("\\", "").replace("\u202f", " ").replace("\xa0", " ")


def captions(test: AppTest) -> str:
    return " ".join(element.value for element in test.caption)


def test_the_dataset_of_the_address_is_the_one_of_every_form(desk):
    older, _ = dataset(desk, "EURUSD", 1), dataset(desk, "GBPUSD", 2)
    for page, query in (("backtest", {}), ("sweeps", {}), ("features", dict(view="compute"))):
        chosen = draw(page, desk, data=older, **query).multiselect[0].value
        assert [entry.instrument for entry in chosen] == ["EURUSD"], page
        newest = draw(page, desk, **query).multiselect[0].value
        assert [entry.instrument for entry in newest] == ["GBPUSD"], page


def test_old_version_opens_the_dataset_that_was_appended_to(desk):
    old = dataset(desk, "EURUSD", 1)
    before = dict(dataset="gone", version=f"{1:064x}", bars=96, last="2024-01-01T23:45:00")
    new = dataset(desk, "EURUSD", 2, dict(name="newer.csv", appended_to=before, overlap=dict(sentence="No bars overlap.")))
    test = draw("data", desk, dataset=new)
    assert "appended to version" in captions(test)
    test.button(key="old-version").click().run()
    assert test.query_params["dataset"] in (old, [old]) and not test.exception
    assert "EURUSD M15" in headings(test) and "appended to version" not in captions(test)


def test_a_strategy_that_breaks_every_prop_rule_is_warned_of_with_the_number(desk):
    """Its presets set the parameters, and the warning speaks of those."""
    dataset(desk, "XAUUSD", 1)
    test = draw("backtest", desk)
    test.selectbox(key=next(box.key for box in test.selectbox if box.label == "Strategy")).set_value("gold_buy_dip").run()
    assert not test.exception and plain(warnings(test)[0]).startswith("Without a stop it goes on to a drawdown of 50 %") and "7 of 7" in plain(warnings(test)[0])
    next(box for box in test.selectbox if box.label == "Preset").set_value("conservative").run()
    assert "drawdown of 8 %" in plain(warnings(test)[0]) and "2 of 7" in plain(warnings(test)[0])
    next(box for box in test.selectbox if box.label == "Position sizing").set_value("1 % a day").run()
    assert not test.exception and next(field.value for field in test.number_input if field.label.startswith("Volatility target")) == pytest.approx(16.15)
    next(box for box in test.selectbox if box.label == "Position sizing").set_value("kelly_entropy").run()
    assert not test.exception and {"Fraction of Kelly, %", "Entropy weight λ, per bit"} <= {field.label for field in test.number_input}


NOWHERE = (      # page, address, sentence
    ("data", dict(dataset="zzzz"), "There is no dataset zzzz."),
    ("data", dict(view="external", external="zzzz"), "There is no import zzzz."),
    ("data", dict(view="nowhere"), "There is no view nowhere."),
    ("backtest", dict(data="zzzz"), "There is no dataset zzzz."),
    ("backtest", dict(job="zzzz"), "There is no job zzzz."),
    ("backtest", dict(run="zzzz"), "There is no run zzzz."),
    ("backtest", dict(batch="zzzz"), "There is no batch zzzz."),
    ("sweeps", dict(run="zzzz"), "There is no optimization zzzz."),
    ("sweeps", dict(kind="zzzz"), "There is no kind of optimization zzzz."),
    ("sweeps", dict(job="zzzz"), "There is no job zzzz."),
    ("features", dict(view="compute", run="zzzz"), "There is no run zzzz."),
    ("features", dict(run="zzzz"), "There is no run zzzz."),
    ("features", dict(view="zzzz"), "There is no view zzzz."),
    ("features", dict(feature="zzzz"), "There is no feature zzzz."),
    ("audit", dict(job="zzzz"), "There is no verification zzzz."),
)


def test_an_id_that_names_nothing_gives_a_warning(desk):
    dataset(desk, "EURUSD", 1)
    for page, query, sentence in NOWHERE:
        test = draw(page, desk, **query)
        assert any(text.startswith(sentence) for text in warnings(test)) and not test.exception, (page, query, warnings(test), test.exception)
        assert "dataset" not in query or "EURUSD M15" not in headings(test), "nothing is shown in its place"


def test_the_newest_dataset_is_shown_where_the_address_names_none(desk):
    dataset(desk, "EURUSD", 1)
    assert "EURUSD M15" in headings(draw("data", desk))


def test_what_was_noted_at_import_stays_on_the_page_of_the_dataset(desk):
    dataset(desk, "EURUSD", 1, notes=("its times are those at which bars close; each begins M15 earlier", "*x* is no markup"))
    shown = captions(draw("data", desk))
    assert "Its times are those at which bars close; each begins M15 earlier." in plain(shown) and "\\*x\\*" in shown


def test_text_of_the_address_is_no_markup(desk):
    dataset(desk, "EURUSD", 1)
    assert "\\*x\\*" in warnings(draw("data", desk, dataset="*x*"))[0]


def test_an_altered_dataset_is_stated_on_its_page_and_an_altered_run_on_the_overview(desk):
    stored = dataset(desk, "EURUSD", 1)
    with desk.jobs._context.store.unit() as unit:
        about = dict(kind="backtest", job_id="j", title="A run", spec={}, manifest={}, frames={}, actor="ana")
        run = unit.runs.add(**about, summary=dict(net=1), created_at=unit.now())
        unit.audit("ana", "run_finished", f"run:{run}")
    engine = desk.jobs._context.store.engine
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE runs SET summary = '{\"net\": 1000000}'")
    for page in ("overview", "backtest"):
        assert plain(draw(page, desk).error[0].value).startswith(f"Run {run} was altered since it was recorded")
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE datasets SET bars = 5")
    assert plain(draw("data", desk).error[0].value).startswith(f"Dataset {stored} was altered since it was recorded")


def test_views_by_their_old_names_open_the_new_ones(desk):
    dataset(desk, "EURUSD", 1)
    assert [button.label for button in draw("features", desk, view="gate").button if "check" in button.label] == ["Run check"]
    assert not warnings(draw("features", desk, view="look")) and not warnings(draw("features", desk, view="laboratory")) and not warnings(draw("data", desk, view="outside"))
    assert not warnings(draw("sweeps", desk, kind="Sweep"))


def test_the_three_steps_stay_until_all_are_taken(desk):
    assert captions(draw("overview", desk)).count("done") == 0
    dataset(desk, "EURUSD", 1)
    steps = captions(draw("overview", desk))
    assert [f"Step {k} of 3" in steps for k in (1, 2, 3)] == [True] * 3 and steps.count("done") == 1
    desk.trail.verify_now()
    assert captions(draw("overview", desk)).count("done") == 2


def test_a_halt_needs_attention(desk):
    from app.overview.attention import CRITICAL, trading_notices

    assert not list(trading_notices(desk))
    desk.paper.halt("news at noon")
    notices = list(trading_notices(desk))
    assert [notice.icon for notice in notices] == [CRITICAL] and notices[0].page == "paper" and "news at noon" in notices[0].text


def test_a_field_that_is_empty_shows_the_number_that_applies(desk):
    chosen = dataset(desk, "EURUSD", 1)
    fields = {field.label: field.placeholder for field in draw("backtest", desk, data=chosen).number_input}
    assert fields["Spread, pips"] == "1.3, the instrument's" and fields["Swap long, USD/lot/night"] == "0.00, the instrument's"


def test_a_model_of_the_strategy_filters_a_backtest_at_its_own_parameters(desk):
    from tests.worker.test_models import add

    dataset(desk, "EURUSD", 1)
    add(desk, desk.models.store, request=dict(strategy="breakout", strategy_params=dict(lookback=33)), report=dict(baselines=[]))
    desk.models.promote("fake", "to see it live")
    test = draw("backtest", desk)
    test.selectbox[0].select("simple_ma").run()
    assert "Model" not in [box.label for box in test.selectbox], "no model was trained on its signals"
    test.selectbox[0].select("breakout").run()
    box = next(box for box in test.selectbox if box.label == "Model")
    assert box.options == ["No model", "fake@1, production"] and box.value == "No model"
    box.select("fake@1").run()
    assert 33 in [field.value for field in test.number_input] and not test.exception


def test_a_rule_set_to_keep_is_chosen_with_its_phase_under_risk_limits(desk):
    dataset(desk, "EURUSD", 1)
    test = draw("backtest", desk)
    assert "Rule set to keep" not in {box.label for box in test.selectbox}
    next(toggle for toggle in test.toggle if toggle.label == "Risk limits").set_value(True).run()
    box = next(box for box in test.selectbox if box.label == "Rule set to keep")
    box.set_value(("ftmo-2-step", desk.rule_sets.row("ftmo-2-step").phases[-1]))
    next(number for number in test.number_input if number.label.startswith("Balance")).set_value(100_000.0)
    next(button for button in test.button if button.label == "Run backtest").click().run()
    assert not test.exception
    (job,) = desk.jobs.latest(("backtest",))
    assert (job.spec["gate"]["name"], job.spec["gate"]["phase"]) == ("ftmo-2-step", desk.rule_sets.row("ftmo-2-step").phases[-1])


def test_a_preset_keeps_the_rule_set_with_its_phase_and_the_run_shows_them(desk, system):  # noqa: F811
    phase = desk.rule_sets.row("ftmo-2-step").phases[-1]
    request = BacktestRequest("breakout", {}, [dataset(desk, "EURUSD", 1)], "M15", START, START + timedelta(days=1), {"account": {"balance": 100_000.0}}, rule_set="ftmo-2-step", phase=phase)
    desk.form_presets.save("kept", request)
    test = draw("backtest", desk, preset="kept")
    assert not test.exception and next(box for box in test.selectbox if box.label == "Rule set to keep").value == ("ftmo-2-step", phase)
    actors.run(desk.backtests.submit(request).job.id)
    (run,) = desk.backtests.latest()
    assert rules_of(desk, run)["Rule set kept"] == f"ftmo-2-step, {phase}"


def test_the_settings_of_a_run_are_drawn_once_they_are_opened_and_stay(desk):
    job = desk.backtests.submit(BacktestRequest("breakout", {}, [dataset(desk, "EURUSD", 1)], "M15", START, START + timedelta(days=1), {})).job
    opened, folded = draw("backtest", desk), draw("backtest", desk, job=job.id)
    assert [button.label for button in opened.button if button.label == "Run backtest"] and not [button for button in folded.button if button.label == "Run backtest"]
    folded.session_state[f"folded-backtest-{job.id}"] = True
    assert [button for button in folded.run().button if button.label == "Run backtest"]
    folded.session_state[f"folded-backtest-{job.id}"] = False
    assert [button for button in folded.run().button if button.label == "Run backtest"], "what was entered outlasts a closing"
