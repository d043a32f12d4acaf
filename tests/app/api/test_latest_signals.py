"""The newest signals as clients poll them: verdicts of the newest scan, read once, and what stands in sessions now."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from types import SimpleNamespace

import pandas as pd

from app.api import signals
from worker.desk.paper_view import standing_of


def desk_of(*scans, read):
    def table(run_id):
        read.append(run_id)
        return pd.DataFrame(dict(run=[run_id], reward=[float("nan")]))

    runs = [SimpleNamespace(id=name, kind="scan", title=name, state="done", created_at=datetime(2024, 1, 1, tzinfo=UTC)) for name in scans]
    sessions = [SimpleNamespace(name="over", over=True), SimpleNamespace(name="open", over=False)]
    paper = SimpleNamespace(all=lambda: sessions, standing=lambda name: dict(orders=[dict(session=name)], proposals=[], positions=[]))
    return SimpleNamespace(settings=SimpleNamespace(database_url="sqlite:///here"), listing=SimpleNamespace(runs=lambda kinds, part: SimpleNamespace(rows=runs[: part.limit])), scanner=SimpleNamespace(table=table), paper=paper)


def test_verdicts_are_read_once_for_each_newest_scan(monkeypatch):
    monkeypatch.setattr(signals, "shown", lambda run, where: dict(id=run.id))
    read = list[str]()
    answers = [json.loads(signals.latest(desk_of(*scans, read=read)).body) for scans in (["a"], ["a"], ["b", "a"], ["b", "a"])]
    assert read == ["a", "b"] and [answer["verdicts"] for answer in answers] == [[dict(run=name, reward=None)] for name in "aabb"]
    assert answers[0]["sessions"] == [dict(session="open", orders=[dict(session="open")], proposals=[], positions=[])]


def test_without_a_scan_there_are_no_verdicts():
    answer = json.loads(signals.latest(desk_of(read=[])).body)
    assert answer["scan"] is None and answer["verdicts"] == []


def test_what_stands_in_a_session_has_the_columns_of_all_its_rows():
    view = dict(orders=[dict(id=1), dict(id=2, tag="a")], positions=[])
    unit = SimpleNamespace(sessions=SimpleNamespace(progress=lambda name: SimpleNamespace(view=view) if name == "open" else None))
    assert standing_of(unit, "open") == dict(orders=[dict(id=1, tag=None), dict(id=2, tag="a")], proposals=[], positions=[])
    assert standing_of(unit, "new") == dict(orders=[], proposals=[], positions=[])
