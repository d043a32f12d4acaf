"""What earlier releases stored is read under the names of today, and its bytes stay."""

from __future__ import annotations

from datetime import UTC, datetime

import pandas as pd
import pytest

from domain.outside.series import known_of
from worker.store import Filter
from worker.store.former_names import SERIES, current

AT = datetime(2026, 11, 20, tzinfo=UTC)
FORMER = dict(look_ahead=dict(cuts=3, found="2024-01-02"), report=dict(verdict=dict(state="red", whole=False)), members=[dict(columns=[dict(column="a", known=0.5)], sensitivity=[dict(history=9, whole=1.0)])])


@pytest.fixture
def former_run(store) -> str:
    with store.unit() as unit:
        return unit.runs.add(kind="backtest", job_id="j", title="B", spec={}, manifest={}, summary=FORMER, frames={}, actor="ana", created_at=AT)


def test_a_summary_of_an_earlier_release_is_read_under_the_names_of_today_and_holds_its_seal(store, former_run):
    with store.read() as unit:
        run = unit.runs.get(former_run)      # checks the seal over what is stored
        assert unit.runs.altered() == {} and unit.runs.latest()[0].summary == run.summary
    assert run.summary["look_ahead"] == dict(cuts=3, first_leak="2024-01-02") and run.summary["report"]["verdict"] == dict(state="red", complete=False)
    assert run.summary["members"] == [dict(columns=[dict(column="a", coverage=0.5)], sensitivity=[dict(history=9, full=1.0)])]


def test_a_leak_that_an_earlier_release_recorded_still_makes_the_gate_red(desk, former_run):
    assert desk.robustness.gate(former_run) == "red"


def test_a_filter_by_kind_gives_the_events_of_every_release(store, desk):
    with store.unit() as unit:
        for kind in ("dataset_known", "dataset_unchanged", "drift_found"):
            unit.trail.add("ana", kind, at=AT)
    for kind in ("dataset_known", "dataset_unchanged"):
        wanted = Filter(kinds=(kind,))
        assert [event.kind for event in desk.trail.rows(wanted)] == ["dataset_unchanged", "dataset_known"] and desk.trail.total(wanted) == (2, True)
        with store.read() as unit:
            assert len(unit.trail.page(wanted)) == unit.trail.count(wanted) == 2
    assert {"dataset_unchanged", "drift_detected"} <= set(desk.trail.kinds()) and "dataset_known" not in desk.trail.kinds()
    assert {event.words for event in desk.trail.rows()} >= {"dataset unchanged", "drift detected"}


def test_a_series_of_an_earlier_release_has_its_times_of_publication():
    former = pd.DataFrame(dict(date=[pd.Timestamp(AT)], value=[1.5], known=[pd.Timestamp(AT)]))
    assert known_of(current(former, SERIES)).times.tolist() == [pd.Timestamp(AT).value]
