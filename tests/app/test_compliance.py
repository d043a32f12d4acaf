"""The page of compliance in each of its states, on a workspace of its own."""

from __future__ import annotations

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from tests.app.test_pages import captions, draw, warnings
from tests.worker.equity_runs import equity_of, stored_run, trades_of
from tests.worker.test_paper_desk import worked
from worker import actors
from worker.desk import Desk

pytestmark = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
FELL = (("2026-03-02T10:00Z", 100_000.0, 100_000.0), ("2026-03-02T12:00Z", 94_000.0, 94_000.0), ("2026-03-03T12:00Z", 94_500.0, 94_500.0))
HELD = (("2026-03-02T10:00Z", 100_000.0, 100_000.0), ("2026-03-02T12:00Z", 101_000.0, 101_000.0), ("2026-03-03T12:00Z", 100_200.0, 100_200.0))
FORBIDDEN = ("compliant", "certified", "guaranteed", "ftc")


@pytest.fixture
def system(store, settings, monkeypatch):
    from worker.actors import WorkerContext

    monkeypatch.setattr(WorkerContext, "store", store, raising=False)
    monkeypatch.setattr(WorkerContext, "settings", settings, raising=False)
    monkeypatch.setattr(WorkerContext, "running", set())
    monkeypatch.setattr(WorkerContext, "leaving", False)


def path(desk: Desk, *rows: tuple[str, float, float]) -> str:
    return stored_run(desk, equity_of(*rows), trades_of(dict(entry_ts="2026-03-02T10:30Z", exit_ts="2026-03-02T12:00Z")))


def judged(desk: Desk, run: str, rules: str = "ftmo-2-step", table: bool = True, kind: str = "run"):
    subject = desk.compliance.subject(kind, run)
    actors.run(desk.compliance.submit(subject, rules).job.id)
    if table:
        actors.run(desk.compliance.submit_table(subject).job.id)
    return subject


def written(test: AppTest) -> str:
    """Every text of the page."""
    kinds = (test.markdown, test.caption, test.warning, test.error, test.title, test.header, test.subheader)
    return " ".join(str(element.value) for kind in kinds for element in kind).replace("\\", "")


def buttons(test: AppTest) -> list[str]:
    return [button.label for button in test.button]


def test_without_a_choice_it_says_what_is_needed_and_how(desk):
    test = draw("compliance", desk)
    assert not test.exception and "Nothing to judge yet" in written(test) and "New backtest" in buttons(test)


def test_a_run_that_was_not_judged_has_one_action(desk):
    test = draw("compliance", desk, run=path(desk, *FELL), rules="ftmo-2-step")
    assert not test.exception and "Not judged yet" in written(test) and buttons(test).count("Judge") == 1
    test.button[buttons(test).index("Judge")].click().run()
    assert [job.kind for job in desk.jobs.latest()] == ["judge"], "one click, one job"


def test_a_failed_path_shows_rule_value_floor_and_its_trades(desk, system):
    run = path(desk, *FELL)
    judged(desk, run)
    test = draw("compliance", desk, run=run, rules="ftmo-2-step")
    text = written(test)
    assert not test.exception and "failed by daily loss on 2026-03-02 12:00 UTC, on trading day 1" in text
    assert "**Daily loss** · 2026-03-02 12:00 UTC · **94,000 USD** against **95,000 USD**" in text and "Trade 1" in buttons(test)
    assert "A gap can jump any floor." in text and "compare them with the firm's page before you rely on them. A replay of published rules, not a statement by the firm." in text
    assert "Would it have passed?" in text and not any(word in text.lower() for word in FORBIDDEN)


def test_an_open_path_says_how_far_it_is_to_the_target(desk, system):
    run = path(desk, *HELD)
    judged(desk, run)
    text = written(draw("compliance", desk, run=run, rules="ftmo-2-step"))
    assert "no rule broken in 2 trading days; 9,800 USD to the target" in text and "No rule was broken." in text


def test_a_rule_without_what_it_needs_is_not_judged_and_never_passed(desk, system):
    run = path(desk, *HELD)
    subject = desk.compliance.subject("run", run)
    actors.run(desk.compliance.submit(subject, "ftmo-2-step", "funded").job.id)
    text = written(draw("compliance", desk, run=run, rules="ftmo-2-step", phase="funded"))
    assert "News: not judged: needs a news calendar" in text and "No rule that could be judged was broken." in text
    assert "No calendar of releases is imported" in text
    now = calendar_of(desk)
    actors.run(desk.compliance.submit(subject, "ftmo-2-step", "funded").job.id)
    page = draw("compliance", desk, run=run, rules="ftmo-2-step", phase="funded")
    assert "News: not judged: needs a news calendar that reaches its trades" in written(page), "its releases are of another week"
    assert f"Inside the window of CPI (USD, high) until {now + pd.Timedelta(minutes=3):%H:%M} UTC." in written(page) and "releases after it are not known" in written(page)
    windows = page.dataframe[-1].value
    assert windows["title"].tolist() == ["CPI", "GDP"] and windows["state"].map(list).tolist() == [["now"], ["ahead"]] and "Import releases…" in buttons(page)


def calendar_of(desk) -> pd.Timestamp:
    """Store a calendar with a release in a minute and one in two days; the present time."""
    store = desk.jobs._context.store
    with store.unit() as unit:
        now = pd.Timestamp(unit.now())
        ts = pd.DatetimeIndex([now + pd.Timedelta(minutes=1), now + pd.Timedelta(days=2)]).as_unit("ns")
        frame = store.frames.put(pd.DataFrame(dict(ts=ts, title=["CPI", "GDP"], currency="USD", impact="high")))
        edges = dict(first_ts=ts[0].to_pydatetime(), last_ts=ts[1].to_pydatetime())
        unit.outside.add(kind="releases", name="calendar", version="v", rows=2, source="x", notes=[], scorer="", frame=frame, bytes=1, actor="ana", created_at=unit.now(), example=False, **edges)
    return now


def test_a_result_by_an_older_version_is_marked(desk, system):
    run = path(desk, *HELD)
    rules = desk.rule_sets.get("ftmo-2-step")
    desk.rule_sets.save("mine", desk.rule_sets.edited(rules, {"daily.amount": "4 % of initial"}), "stricter", "ftmo-2-step")
    judged(desk, run, "mine", table=False)
    assert "Judge again" not in buttons(draw("compliance", desk, run=run, rules="mine"))
    desk.rule_sets.save("mine", desk.rule_sets.edited(rules, {"daily.amount": "3 % of initial"}), "stricter still", "ftmo-2-step")
    test = draw("compliance", desk, run=run, rules="mine")
    assert "older version" in written(test) and "Judge again" in buttons(test) and "overridden" in written(test)


def test_running_failed_and_cancelled_jobs_are_shown_where_the_result_will_stand(desk, system):
    run = path(desk, *HELD)
    subject = desk.compliance.subject("run", run)
    job = desk.compliance.submit(subject, "ftmo-2-step").job
    waiting = draw("compliance", desk, run=run, rules="ftmo-2-step")
    assert "Cancel" in buttons(waiting) and "Not judged yet" not in written(waiting)
    desk.jobs.cancel(job.id)
    assert "was cancelled" in written(draw("compliance", desk, run=run, rules="ftmo-2-step"))


def test_what_the_address_names_and_is_not_there_is_a_warning(desk):
    run = path(desk, *HELD)
    for query, sentence in (
        (dict(run="zzzz"), "There is no run zzzz."), (dict(history="zzzz"), "There is no imported account zzzz."), (dict(run=run, rules="zzzz"), "There is no rule set zzzz."),
        (dict(run=run, rules="ftmo-2-step", phase="zzzz"), "There is no phase zzzz."), (dict(view="zzzz"), "There is no view zzzz."),
    ):  # fmt: skip
        test = draw("compliance", desk, **query)
        assert any(text.startswith(sentence) for text in warnings(test)) and not test.exception, (query, warnings(test))


def test_the_editor_has_a_field_for_each_figure_and_saves_a_version(desk):
    test = draw("compliance", desk, view="rules", rules="ftmo-2-step")
    fields = {field.label: field.value for field in test.text_input}
    assert not test.exception and fields["Daily loss"] == "5 % of initial" and fields["Clock of the day"] == "Europe/Prague" and "A preset stays as it was read" in captions(test)
    next(field for field in test.text_input if field.label == "Daily loss").set_value("4 % of initial")
    next(field for field in test.text_input if field.label == "Reason").set_value("The firm changed it")
    next(button for button in test.button if button.label == "Save version").click()
    test.run()
    saved = desk.rule_sets.versions("my ftmo-2-step")
    assert [(each.version, each.why) for each in saved] == [(1, "The firm changed it")] and desk.rule_sets.row("my ftmo-2-step").overridden == ("daily.amount",)


def test_a_bad_figure_is_a_sentence_and_saves_nothing(desk):
    test = draw("compliance", desk, view="rules", rules="ftmo-2-step")
    next(field for field in test.text_input if field.label == "Daily loss").set_value("five")
    next(field for field in test.text_input if field.label == "Reason").set_value("x")
    next(button for button in test.button if button.label == "Save version").click()
    test.run()
    assert "Daily.amount is 'five'; it must be a share such as '5 % of initial'" in written(test) and desk.rule_sets.versions("my ftmo-2-step") == []


def test_imported_accounts_and_the_risk_monitor_say_what_is_needed(desk):
    assert "No imported account yet" in written(draw("compliance", desk, view="accounts"))
    assert "Nothing to measure yet" in written(draw("compliance", desk, view="risk"))
    run = path(desk, *HELD)
    test = draw("compliance", desk, view="risk", run=run)
    assert not test.exception and "Not measured yet" in written(test) and "Measure risk" in buttons(test)


def test_the_risk_of_what_was_open_is_shown_with_its_tables(desk, system):
    from tests.worker.test_risks import AT, bars_of, still_open

    bars_of(desk, "EURUSD", 1.10, 1)
    bars_of(desk, "USDJPY", 150.0, 2)
    run = still_open(desk)
    actors.run(desk.risks.submit(desk.compliance.subject("run", run), AT).job.id)
    test = draw("compliance", desk, view="risk", run=run)
    text = written(test)
    assert not test.exception and "2 positions open at 2026-06-01 12:30 UTC" in text and "A gap can jump any stop." in text
    figures = {metric.label: metric.value for metric in test.metric}
    assert figures["Loss to the stops"] == "2,667\u202fUSD" and figures["Equity"] == "101,000\u202fUSD", "2,000 of the euro, 100,000 yen at 150"
    for title in ("Exposure by currency leg", "Correlation of open positions", "Stress", "Contribution to ES"):
        assert title in text


def test_record_fields_say_what_they_are_not(desk):
    assert "Choose a run above" in written(draw("compliance", desk, view="fields"))


def test_a_session_that_goes_on_is_judged_so_far(desk, store, system):
    worked(store, "one")
    test = draw("compliance", desk, session="one", rules="ftmo-2-step")
    assert not test.exception and "session one, so far has not been judged" in written(test)
    judged(desk, "one", kind="session")
    test = draw("compliance", desk, session="one", rules="ftmo-2-step")
    assert not test.exception and written(test).count("So far, until 1970-01-02 01:00 UTC: the session goes on") == 2
