"""The chance of passing, estimated by a job from a run's own days."""

from __future__ import annotations

import pandas as pd
import pytest

from domain.errors import BadRequest
from tests.worker.equity_runs import stored_run, trades_of
from tests.worker.test_compliance import RULES
from worker import actors
from worker.jobs.base import Cancelled, Work

pytestmark = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
CONFIG = dict(paths=400, horizon=40, histories=20, inner=50)


def run_of_days(desk, changes: list[float]) -> str:
    """A run whose equity changes by these shares, one a weekday at noon UTC, with a low of the same size below each close."""
    days = pd.bdate_range("2026-01-05T12:00", periods=len(changes), tz="UTC")
    equity = 100_000.0 * (1 + pd.Series(changes)).cumprod().to_numpy()
    table = pd.DataFrame(dict(ts=days.as_unit("ns"), balance=equity, equity=equity, equity_low=equity * 0.999, used_margin=0.0))
    trades = trades_of(*(dict(entry_ts=day, exit_ts=day, pnl=float(100_000 * change), r=2.0 * change / abs(change)) for day, change in zip(days, changes, strict=True)))
    return stored_run(desk, table, trades)


def estimated(desk, run: str, rules: str = "small", **more):
    subject = desk.compliance.subject("run", run)
    submitted = desk.chances.submit(subject, rules, "", CONFIG, **more)
    actors.run(submitted.job.id)
    job = desk.jobs.get(submitted.job.id)
    assert job.state == "done", job.error
    return desk.chances.of(subject, rules)


@pytest.fixture
def small(desk, system) -> None:
    desk.rule_sets.save("small", RULES, "a test")


def test_days_that_only_win_pass_and_on_the_day_that_their_size_says(desk, small):
    summary = estimated(desk, run_of_days(desk, [0.01] * 25)).run.summary
    assert summary["passed"] == dict(value=1.0, low=1.0, high=1.0) and summary["failed"]["value"] == 0.0
    assert summary["days_to_target"]["q50"] == 10.0, "1.01 to the tenth power is above 1.10 for the first time"
    assert [row["title"] for row in summary["breaches"]] == ["Daily loss"] and summary["breaches"][0]["probability"] == 0.0


def test_days_that_only_lose_too_much_fail_by_the_daily_loss(desk, small):
    judged = estimated(desk, run_of_days(desk, [-0.06] * 25))
    summary = judged.run.summary
    assert summary["passed"]["value"] == 0.0 and summary["failed"]["value"] == 1.0 and summary["breaches"][0]["probability"] == 1.0
    assert desk.chances.days_to_target(judged.run.id)["paths"].sum() == 0 and summary["days_to_target"] is None


def test_the_histogram_counts_every_path_that_passes(desk, small):
    judged = estimated(desk, run_of_days(desk, [0.02, -0.01] * 15))
    bins = desk.chances.days_to_target(judged.run.id)
    assert bins["paths"].sum() == round(400 * judged.run.summary["passed"]["value"]) > 0 and (bins["high"] - bins["low"]).nunique() == 1


def test_risk_curve_and_payouts_come_with_it(desk, small):
    judged = estimated(desk, run_of_days(desk, [0.02, -0.01] * 15), payout=dict(split=0.5))
    summary, curve = judged.run.summary, desk.chances.sizing(judged.run.id)
    assert curve["passes"].max() == curve.loc[curve["risk"].sub(100 * summary["sizing"]["best"]["value"]).abs().idxmin(), "passes"]
    assert summary["payouts"]["payouts"]["value"] > 0 and summary["payouts"]["income"]["value"] > 0 and summary["payouts"]["phase"] == "one"


def test_too_few_days_give_a_sentence_and_no_probability(desk, small):
    summary = estimated(desk, run_of_days(desk, [0.01] * 5)).run.summary
    assert summary["passed"] is None and "a probability needs at least 20 days" in summary["sentence"]


def test_other_settings_are_another_estimate_and_the_same_are_free(desk, small):
    subject = desk.compliance.subject("run", run_of_days(desk, [0.01, -0.01] * 15))
    first = desk.chances.submit(subject, "small", "", CONFIG)
    assert not desk.chances.submit(subject, "small", "", CONFIG).new and desk.chances.submit(subject, "small", "", CONFIG | dict(seed=1)).new and first.new


def test_new_rules_make_an_estimate_an_older_one(desk, small):
    run = run_of_days(desk, [0.01] * 25)
    estimated(desk, run)
    desk.rule_sets.save("small", RULES.replace('"5 % of initial"', '"4 % of initial"'), "stricter")
    assert desk.chances.of(desk.compliance.subject("run", run), "small").stale == "Judged by version 1 of the rule set; version 2 is the newest."


def test_it_is_cancelled_while_it_draws(desk, small, monkeypatch):
    subject = desk.compliance.subject("run", run_of_days(desk, [0.01, -0.01] * 15))
    job = desk.chances.submit(subject, "small", "", CONFIG).job

    def progress(self, share, note=None, _own=Work.progress):
        _own(self, share, note)
        if share > 0.1:
            raise Cancelled

    monkeypatch.setattr(Work, "progress", progress)
    actors.run(job.id)
    assert desk.jobs.get(job.id).state == "cancelled" and desk.chances.job(subject, "small").state == "cancelled" and desk.chances.of(subject, "small") is None


@pytest.mark.parametrize(("more", "match"), [
    (dict(risk=2.0), "the risk per trade is 2; give a share"), (dict(config=dict(paths=5)), "paths is 5 paths; it must be between 100"), (dict(payout=dict(split=2)), "split is 2.0 share; it must be between 0.0 and 1.0"),
])  # fmt: skip
def test_bad_settings_are_a_sentence(desk, small, more, match):
    subject = desk.compliance.subject("run", run_of_days(desk, [0.01] * 25))
    with pytest.raises(BadRequest, match=match):
        desk.chances.submit(subject, "small", **more)
