"""Tuning on the page of training: the ranges, the job, and the trials with their heat map."""

from __future__ import annotations

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from domain.optimise import Dimension
from domain.training.tuned import tuned
from tests.app.test_compliance import buttons, written
from tests.app.test_pages import dataset, draw, warnings
from tests.app.test_training import request
from worker.desk import Desk

pytestmark = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
SPACE = {"leaves": dict(low=2, high=16, log=False), "learning_rate": dict(low=0.01, high=0.3, log=True)}


class Result:
    """A trial with a loss, or one that was pruned."""

    refused = ""

    def __init__(self, number: int, loss: float | None) -> None:
        self.number, self.given_up = number, loss is None
        self.values = None if loss is None else (-loss,)
        self.figures = dict(loss=loss, folds=3.0 if loss is not None else 1.0)


def panel(desk: Desk, tuning: str) -> AppTest:
    """What the page draws below its form, at this address."""

    def script(desk):
        import streamlit as st

        from app.training import tuning

        st.session_state.setdefault("pages", {})
        tuning.panel(desk)

    test = AppTest.from_function(script, kwargs=dict(desk=desk), default_timeout=60)
    test.query_params["tuning"] = tuning
    return test.run()


def stored(desk: Desk, data: str) -> tuple[str, pd.DataFrame]:
    """A tuning of 12 trials, as its job would have stored it; its job and its table."""
    store = desk.jobs._context.store
    submitted = desk.tuning.submit(request(data), SPACE, dict(trials=12)).job
    points = [dict(leaves=2 + k, learning_rate=0.01 * 1.3**k) for k in range(12)]
    space = [Dimension("leaves", 2, 16, integer=True), Dimension("learning_rate", 0.01, 0.3, log=True)]
    listing = tuned(points, [Result(k, None if k == 2 else 0.65 + 0.001 * (k - 7) ** 2) for k in range(12)], space)
    frames = dict(table=store.frames.put(listing.table), **{f"heat {x} × {y}": store.frames.put(cells) for (x, y), cells in listing.maps().items()})
    summary = dict(
        trials=12, given_up=1, infeasible=0, refused={}, folds=3, params=dict(listing.params), loss=0.65, nearest=0.652, best=0.65, space=[dict(name="leaves"), dict(name="learning_rate")],
        notes=[], maps=[[x, y] for x, y in listing.maps()], samples=2_000, learner="fakeout", target="fake", strategy="breakout",
    )  # fmt: skip
    with store.unit() as unit:
        claimed = unit.jobs.claim(submitted.id, "w", unit.now())
        run = unit.runs.add(kind="tune", job_id=submitted.id, title=submitted.title, spec=submitted.spec, manifest={}, summary=summary, frames=frames, actor="ana", created_at=unit.now())
        unit.jobs.end(submitted.id, claimed.epoch, "done", unit.now(), result=dict(run=run))
    return submitted.id, listing.table


def test_the_form_submits_a_tuning_of_what_was_entered(desk):
    data = dataset(desk, "EURUSD", 1)
    test = draw("training", desk, data=data)
    test.multiselect[1].set_value(["rsi(14)"])
    assert not test.exception and "Tune" not in buttons(test)
    test.multiselect[2].set_value(["leaves", "learning_rate"])
    test.run()
    numbers = {field.label: field for field in test.number_input}
    leaves = next(field for name, field in numbers.items() if name.startswith("Leaves") and name.endswith(": to"))
    leaves.set_value(16)
    next(button for button in test.button if button.label == "Tune").click()
    test.run()
    jobs = desk.jobs.latest(("tune",))
    assert [set(job.spec["space"]) for job in jobs] == [{"leaves", "learning_rate"}] and jobs[0].spec["space"]["leaves"]["high"] == 16 and jobs[0].spec["space"]["learning_rate"]["log"] is True
    assert jobs[0].spec["columns"] == ["rsi(14)"] and jobs[0].spec["tuning"]["trials"] == 40 and test.query_params["tuning"] == jobs[0].id and desk.jobs.latest(("train",)) == []


def test_a_tuning_shows_what_was_taken_its_trials_and_a_map(desk):
    job, table = stored(desk, dataset(desk, "EURUSD", 1))
    test = panel(desk, job)
    assert not test.exception, [error.message for error in test.exception]
    metrics = {metric.label: metric.value for metric in test.metric}
    assert metrics["Trials"] == "12" and metrics["Validation loss"] == "0.65000"
    rows = test.dataframe[-1].value
    assert len(rows) == 12 and list(rows["state"]).count("selected") == 1 and list(rows["state"]).count("pruned") == 1 and rows["number"].iloc[0] == table["nearest"].idxmin()
    assert "**Selected** leaves" in written(test)
    next(button for button in test.button if button.label == "Train with these").click()
    test.run()
    trained = desk.jobs.latest(("train",))
    chosen = table[table["chosen"]].iloc[0]
    assert [(job.spec["learner_params"]["leaves"], job.spec["learner_params"]["learning_rate"]) for job in trained] == [(chosen["leaves"], pytest.approx(chosen["learning_rate"]))]


def test_a_running_tuning_and_one_that_is_not_there(desk):
    data = dataset(desk, "EURUSD", 1)
    job = desk.tuning.submit(request(data), SPACE, dict(trials=12)).job
    test = panel(desk, job.id)
    assert not test.exception and "Cancel" in buttons(test)
    assert any("There is no tuning nowhere" in text for text in warnings(panel(desk, "nowhere")))
