"""The form that downloads bars, from the double of Yahoo, and the vendors on the page Settings."""

from __future__ import annotations

import pytest

from tests.app.test_pages import captions, draw
from tests.worker.conftest import system as system
from tests.worker.test_downloads import at as at
from tests.worker.test_downloads import minutes as minutes
from tests.worker.test_downloads import yahoo as yahoo
from worker.actors import run

pytestmark = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)


def job_result(at, job):
    return at.desk.jobs.get(job.id).result


def test_limits_are_stated_before_and_what_is_missing_after(at):
    form = draw("data", at.desk, do="download")
    form.selectbox(key="download-source").set_value("yahoo")
    form.selectbox(key="download-frame").set_value("M1")
    form.run()
    assert "Local double at" in " ".join(badge.value for badge in form.markdown)
    assert "last 30 days" in captions(form) and not form.error
    form.selectbox(key="download-instrument").set_value("XAUUSD").run()
    assert "Yahoo has no XAUUSD" in form.error[0].value
    job = at.job(end=at.desk.jobs.now())
    run(job.id)
    done = draw("data", at.desk, do="download", job=job.id)
    assert "Not all of it could be had" in done.warning[0].value and done.dataframe[0].value["Reason"].tolist() == ["not closed yet"]
    shown = draw("data", at.desk, dataset=job_result(at, job)["dataset"])
    assert "Requested EURUSD=X from 2024-06-20T12:00Z" in captions(shown).replace("\\", "").replace("\u2060", "")


def test_settings_show_each_vendor_with_what_it_needs(at):
    shown = draw("settings", at.desk)
    text = captions(shown) + " ".join(element.value for element in shown.markdown)
    text = text.replace("\\", "")
    assert "local double at" in text and at.double.address.rpartition(":")[2] in text
    assert "Windows" in text                    # where MetaTrader's SDK runs
    assert "TIDEMARK_OANDA_TOKEN" in text and "not set" in text
