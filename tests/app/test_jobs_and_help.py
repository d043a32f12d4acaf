"""The Jobs page filters, cancels, retries and dismisses; the Help page shows every document and finds words."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.help.documents import documents, search, shown
from tests.app.test_pages import captions, draw, plain, warnings

pytestmark = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)


def failed_job(desk, title: str) -> str:
    store = desk.jobs._context.store
    with store.unit() as unit:
        job, _ = unit.jobs.add("backtest", "interactive", title, {}, "ana", unit.now())
        unit.jobs.cancel(job.id, "ana", unit.now())
    return job.id


def test_a_stopped_job_is_dismissed_once_and_stays_in_the_list(desk):
    first, second = failed_job(desk, "breakout · EURUSD M15"), failed_job(desk, "100 %_of it")
    assert "breakout" in " ".join(element.value for element in draw("overview", desk).markdown)
    assert desk.jobs.dismiss([first, "unknown"]) == 1 and desk.jobs.dismiss([first]) == 0
    assert [event.kind for event in desk.trail.history(f"job:{first}")][-1] == "job_dismissed"
    reminded = " ".join(element.value for element in draw("overview", desk).markdown)
    assert first not in reminded and second in reminded
    listed = draw("jobs", desk)
    assert not listed.exception and list(listed.dataframe[0].value["id"]) == [second, first]
    desk.jobs.retry(first)
    assert desk.jobs.get(first).dismissed_by is None and "1 queued" in plain(" ".join(element.value for element in draw("jobs", desk).markdown))


def test_what_a_queued_job_waits_for_stands_there_once(desk):
    store = desk.jobs._context.store
    with store.unit() as unit:
        job, _ = unit.jobs.add("backtest", "interactive", "breakout", {}, "ana", unit.now())
        unit.jobs.hold(job.id, unit.now() + timedelta(minutes=5), "Waiting for the engine to compile")
    page = draw("overview", desk)
    bars = [element.proto.progress.text if hasattr(element.proto, "progress") else element.proto.text for element in page.get("progress")]
    assert "Waiting for the engine" in captions(page) and bars == [""]


def test_the_filters_of_jobs_stand_in_the_address(desk):
    first, second = failed_job(desk, "breakout · EURUSD M15"), failed_job(desk, "100 %_of it")
    for query, expected in ((dict(text="%_of"), [second]), (dict(text=first), [first]), (dict(state="cancelled", kind="backtest", user="ana"), [second, first]), (dict(state="running"), [])):
        page = draw("jobs", desk, **query)
        assert not page.exception and (list(page.dataframe[0].value["id"]) if page.dataframe else []) == expected
    assert "No job fits" in [element.value for element in page.header]


def test_each_document_is_shown_with_links_that_the_page_follows(desk):
    assert len(documents()) > 20
    for document in documents().values():
        text = shown(document.text)
        assert document.title and "](../" not in text and ".md)" not in text and "![" not in text
    page = draw("help", desk, doc="paper")
    assert not page.exception and [element.value for element in page.header] == ["Paper trading"]
    assert warnings(draw("help", desk, doc="zzzz")) and "Keys" in draw("help", desk).dataframe[0].value.columns


def test_a_search_finds_lines_with_every_word(desk):
    page = draw("help", desk).text_input(key="help-search").set_value("stop entry").run()
    assert not page.exception and "stop" in captions(page)
    assert not list(search("zzzz yyyy", documents()))
