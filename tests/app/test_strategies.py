"""The page of written strategies: reading, fault, saving, preview, versions."""

from __future__ import annotations

import pytest

from tests.app.test_pages import dataset, draw

pytestmark = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)


def area(test, label: str):
    return next(each for each in test.text_area if each.label == label)


def words(test) -> str:
    return " ".join(each.value for group in (test.header, test.subheader, test.caption, test.error, test.markdown) for each in group).replace("\\", "")


def test_a_strategy_is_read_saved_and_opened_again(desk):
    dataset(desk, "EURUSD", 1)
    test = draw("strategies", desk)
    assert "No strategy of yours yet" in words(test) and next(each for each in test.button if each.label == "Save strategy").disabled
    test.text_input[0].set_value("dip")
    area(test, "Long when").set_value("clsoe > 1").run()
    assert "did you mean 'close'" in words(test).replace("’", "'").replace("‘", "'") and not test.exception
    area(test, "Long when").set_value("zscore(20) <= -2 and close@H4 > sma(50)@H4").run()
    assert "Zscore (window 20) is at or below minus 2, and close on closed H4 bars is above sma (window 50) on closed H4 bars." in words(test).replace("\u2212", "-")
    next(each for each in test.button if each.label == "Save strategy").click().run()
    saved = desk.strategies.get("dip")
    assert saved.title == "dip@1" and saved.definition.params["long"] == "zscore(20) <= -2 and close@H4 > sma(50)@H4" and saved.stored.why == "first version"
    again = draw("strategies", desk, strategy="dip@1")
    assert area(again, "Long when").value == saved.definition.params["long"] and "Versions" in words(again) and not again.exception
    next(each for each in again.button if each.label == "Preview").click().run()
    (job,) = desk.jobs.latest(("strategy_preview",), ("queued",))
    assert job.title == "Preview: dip · EURUSD M15" and again.query_params["job"] in ([job.id], job.id)
    assert "There is no strategy none" in " ".join(each.value for each in draw("strategies", desk, strategy="none").warning)
