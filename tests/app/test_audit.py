"""The Audit page in its states: empty, verified, broken, filtered; the story, days, gaps, tamperings and the broker's ledger."""

from __future__ import annotations

import csv
import json
import re
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from domain.audit.reconciliation import KIND, reconcile
from tests.app.test_pages import captions, dataset, draw, warnings
from worker import evidence
from worker.desk import Desk, Filter

pytestmark = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
AT = datetime(2026, 11, 20, 13, 59, tzinfo=UTC)


def audited(desk: Desk, *kinds: str, entity: str = "order:lm-2207", **detail: object) -> None:
    with desk.jobs._context.store.unit() as unit:
        for kind in kinds:
            unit.audit("ana", kind, entity, **detail)


def metric(test, label: str) -> tuple[str, str]:
    element = next(each for each in test.metric if each.label == label)
    return element.value, element.delta


def texts(test) -> str:
    """All text, without the escapes of Markdown."""
    return (" ".join(element.value for element in (*test.header, *test.subheader, *test.markdown)) + captions(test)).replace("\\", "")


def test_an_empty_trail_says_what_belongs_here(desk):
    page = draw("audit", desk)
    assert not page.exception and "No events yet" in texts(page)
    assert metric(page, "Verified") == ("not yet", "select Verify now") and metric(page, "Broker's ledger") == ("no sessions", "nothing to reconcile yet")
    assert "Not a certification. Fields follow CFTC 1.35, FINRA CAT and MiFID II RTS 24." in captions(page)


def test_an_order_has_its_whole_story_oldest_first(desk):
    audited(desk, "order_intended", "order_submitted", "order_filled")
    audited(desk, "order_intended", entity="order:other")
    page = draw("audit", desk, entity="order:lm-2207")
    text = texts(page)
    assert not page.exception and "its history, 3 events, oldest first" in text.replace("\\", "")
    assert text.index("order intended") < text.index("order submitted") < text.index("order filled") and "Rows 1 to 3, 3 in all, newest first" in captions(page)


def test_a_broken_trail_is_stated_before_everything_and_names_the_row(desk):
    audited(desk, *(["order_filled"] * 5))
    with desk.jobs._context.store.engine.begin() as connection:
        for trigger in connection.scalars(sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all():
            connection.exec_driver_sql(f"DROP TRIGGER {trigger}")
        connection.execute(sa.text("UPDATE audit_events SET body = replace(body, 'ana', 'eve') WHERE seq = 4"))
    desk.trail.verify_now()
    page = draw("audit", desk)
    error = page.error[0].value.replace("\\", "")
    assert not page.exception and "Row 4 no longer hashes to what was recorded for it." in error and "Everything before it verifies." in error and "Compare with the last checkpoint" in error
    assert "is missing: the database no longer guards the table against changes." in error and re.search(r"And \d+ more\.$", error)
    assert metric(page, "Verified")[0] == "broken at 4" and metric(page, "Order") == ("broken", "at row 4")


def test_an_old_verification_and_a_late_checkpoint_are_stated(desk):
    audited(desk, "order_filled")
    desk.trail.verify_now()
    store = desk.jobs._context.store
    with store.unit() as unit:
        now = unit.now()
        unit.remember(evidence.FACT, {**unit.fact(evidence.FACT), "at": (now - timedelta(hours=3)).isoformat()})
        unit.checkpoints.add(2, "a" * 64, "key", "note", now - timedelta(minutes=10))
    page = draw("audit", desk)
    assert not page.exception and metric(page, "Verified")[1] == "old: 3\u202fh ago" and metric(page, "Last checkpoint")[1] == "late: 10\u202fmin ago"
    gap = next(gap for gap in desk.trail_days.gaps("2026-01-01", timedelta(minutes=2)) if gap.what == "checkpoint")
    assert gap.end is None and gap.seconds(now) == pytest.approx(600, abs=30)
    assert sum(desk.trail_days.checkpoints(f"{now - timedelta(days=1):%Y-%m-%d}", f"{now:%Y-%m-%d}").values()) == 1


def test_every_download_carries_the_last_checkpoint(desk):
    audited(desk, "order_filled", "order_filled")
    assert desk.trail.jsonl().count(b"\n") == 2, "there is no checkpoint yet"
    with desk.jobs._context.store.unit() as unit:
        unit.checkpoints.add(2, "a" * 64, "key", "trail\n2\nroot\n", unit.now())
    wanted = Filter(kinds=("order_filled",))
    lines = [json.loads(line) for line in desk.trail.jsonl(wanted).splitlines()]
    assert [line.get("seq") for line in lines] == [1, 2, None] and lines[-1] == {"checkpoint": "trail\n2\nroot\n"}
    rows = list(csv.DictReader(desk.trail.csv(wanted).decode().splitlines(keepends=True)))
    assert [row["kind"] for row in rows] == ["order_filled", "order_filled", "checkpoint"] and rows[-1]["hash"] == "a" * 64 and rows[0]["seq"] == "1"
    event = desk.trail.rows(size=1)[0]
    assert event.detail["checkpoint"] == {"size": 2, "root": "a" * 64, "note": "trail\n2\nroot\n"} and event.detail["events"] == 2
    with desk.jobs._context.store.read() as unit:
        assert desk.trail.text(2).decode() == unit.trail_index.named("2").body


def test_a_garbage_row_is_shown_and_is_no_traceback(desk):
    audited(desk, "order_filled", "order_filled", "order_filled")
    with desk.jobs._context.store.engine.begin() as connection:
        for trigger in connection.scalars(sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all():
            connection.exec_driver_sql(f"DROP TRIGGER {trigger}")
        for seq, kind, body, actor, ts in (
            (1, "audit_verified", '{"detail":{"rows":[]},"entities":7}', "ana", "never"), (2, "order_filled", "no json", "ana", "2026-11-20"), (3, KIND, '{"detail":{}}', b"\xff\x00", "2026-11-20"),
        ):  # fmt: skip
            connection.exec_driver_sql("UPDATE audit_events SET kind = ?, body = ?, actor = ?, ts = ? WHERE seq = ?", (kind, body, actor, ts, seq))
    desk.trail.verify_now()
    for view in ("events", "days", "ledger"):
        assert not draw("audit", desk, view=view).exception, view
    assert {event.seq: event.sentence for event in desk.trail.rows()}[2] == "The text of this row is no event; verify the trail."


def test_filters_narrow_the_list_and_pages_go_by_key(desk):
    audited(desk, *(["order_filled", "job_started"] * 60))
    page = draw("audit", desk)
    assert "Rows 71 to 120, 120 in all" in captions(page)
    page.button(key="audit-Older").click().run()
    assert "Rows 21 to 70, 120 in all" in captions(page)
    page.button(key="audit-Oldest").click().run()
    assert "Rows 1 to 50, 120 in all" in captions(page)
    page.button(key="audit-Newer").click().run()
    assert "Rows 51 to 100, 120 in all" in captions(page)
    page.multiselect(key="audit-kinds").set_value(["job_started"]).run()
    assert "60 in all" in captions(page) and "Rows 22 to 120" in captions(page)
    page.text_input(key="audit-text").set_value("nothing like that").run()
    assert "No event matches these filters." in captions(page) and not page.exception
    page.text_input(key="audit-text").set_value("order:lm-2207").run()
    assert "60 in all" in captions(page), "a name of an entity is no text to search for"
    page.text_input(key="audit-text").set_value("#7").run()
    assert "Event 7" in texts(page)


def test_a_page_by_key_is_the_same_as_one_by_number(desk):
    audited(desk, *(["order_filled", "job_started", "job_failed"] * 40))
    wanted = Filter(kinds=("job_failed", "order_filled"))
    by_number, total = desk.trail.page(wanted, 2, 20)
    first = desk.trail.rows(wanted, 20)
    assert desk.trail.rows(wanted, 20, before=first[-1].seq) == by_number and desk.trail.rows(wanted, 20, after=by_number[0].seq) == first
    assert desk.trail.total(wanted) == (total, True) == (80, True)
    some = first[3]
    assert desk.trail.find(some.hash) == desk.trail.find(str(some.seq)) == desk.trail.find(some.event_id) == some
    assert [event.seq for event in desk.trail.rows(Filter(text=f"{some.hash[:4]}…{some.hash[-2:]}"))] == [some.seq] == [event.seq for event in desk.trail.rows(Filter(text=some.hash[:12]))]


def test_a_period_is_exact_although_the_clock_was_set_back(desk):
    store = desk.jobs._context.store
    hours = (10, 11, 14, 12, 13, 15)
    with store.unit() as unit:
        for hour in hours:
            unit.trail.add("ana", "order_filled", "order:1", at=datetime(2026, 11, 20, hour, tzinfo=UTC))
    shown = desk.trail.rows(Filter(since="2026-11-20T12", until="2026-11-20T15"))
    assert [event.ts[11:13] for event in shown] == ["13", "12", "14"]


def test_days_count_events_by_subject_and_refusals(desk):
    audited(desk, "order_filled", "order_refused", "job_failed", "run_finished")
    day = desk.trail_days.days("2000-01-01", "2100-01-01")[0]
    assert (day.events, day.refused, day.first, day.last, day.subjects) == (4, 2, 1, 4, {"order": 2, "job": 1, "run": 1})
    page = draw("audit", desk, view="days")
    assert not page.exception and page.dataframe[0].value["events"].tolist() == [4]
    assert "No event matches" in captions(draw("audit", desk, day="2001-01-01"))


def test_a_time_without_a_worker_is_a_gap(desk):
    store = desk.jobs._context.store
    times = [("process_started", 10, {}), ("process_stopped", 11, {}), ("process_started", 12, {}), ("process_started", 15, {}), ("process_lost", 15, dict(seen=datetime(2026, 11, 20, 13, tzinfo=UTC)))]
    with store.unit() as unit:
        for number, (kind, hour, more) in enumerate(times):
            name = {0: "a", 1: "a", 2: "b", 3: "c", 4: "b"}[number]
            unit.trail.add("tidemark", kind, f"process:{name}", at=datetime(2026, 11, 20, hour, tzinfo=UTC), process="worker", **more)
    gaps = [gap for gap in desk.trail_days.gaps("2026-11-20", timedelta(days=1)) if gap.what == "worker"]
    assert [(gap.start.hour, gap.end.hour, gap.since_crash) for gap in gaps] == [(13, 15, True), (11, 12, False)]


def test_the_page_names_what_each_tampering_looks_like(desk):
    page = draw("audit", desk, view="tampering")
    assert not page.exception and len(page.dataframe[0].value) == 9 and (page.dataframe[0].value["checkpoint"] == "caught").all()
    assert "Whoever writes the database file itself passes every trigger." in texts(page) and "60 s" in texts(page)


def test_a_reconciliation_is_shown_with_its_differences(desk):
    page = draw("audit", desk, view="ledger")
    assert "No broker's ledger yet" in texts(page).replace("\\", "")
    result = reconcile("oanda", "101", AT, {"fills": {"88121": {"lots": "0.40"}}}, {"fills": {"88121": {"lots": "0.50"}}})
    audited(desk, KIND, entity=result.entity, **result.detail())
    page = draw("audit", desk, view="ledger")
    assert not page.exception and "Fill 88121: lots is 0.40 here and 0.50 at the broker." in captions(page).replace("\\", "") and "1 difference" in page.error[0].value
    assert metric(page, "Broker's ledger")[0] == "1 difference"


def test_a_view_that_is_not_there_gives_a_warning(desk):
    audited(desk, "order_filled")
    page = draw("audit", desk, view="zzzz", event="999")
    assert not page.exception and any("There is no view zzzz" in text for text in warnings(page)) and "There is no audit event 999" in page.error[0].value.replace("\\", "")


def test_lineage_names_hashes_and_says_where_a_row_was_changed(desk):
    name = dataset(desk, "EURUSD", 1)
    facts = {fact.what: fact for fact in desk.stories.of(f"dataset:{name}").facts}
    assert facts["Data"].hash == f"{1:064x}" and not facts["Data"].differs
    audited(desk, "dataset_imported", entity=f"dataset:{name}", version="f" * 64)
    assert {fact.what: fact for fact in desk.stories.of(f"dataset:{name}").facts}["Data"].differs
    audited(desk, "order_intended", data="a" * 64, model=dict(weights="b" * 64))
    assert [(fact.what, fact.hash[:2]) for fact in desk.stories.of("order:lm-2207").facts] == [("Data", "aa"), ("Model weights", "bb")]


def test_a_large_bundle_is_prepared_beside_the_page(desk, monkeypatch):
    audited(desk, "order_intended", "order_submitted", "order_filled")
    assert not [button for button in draw("audit", desk).button if button.key == "audit-bundle-prepare"]
    monkeypatch.setattr("worker.desk.bundle.MOST_HERE", 2)
    monkeypatch.setattr("worker.desk.checkpoints.PATIENCE", 0.0)
    page = draw("audit", desk)
    page.button(key="audit-bundle-prepare").click().run()
    (job,) = desk.jobs.latest(("audit_bundle",))
    assert job.title.startswith("Bundle of the audit trail: all ") and job.spec["wanted"]["kinds"] == []
    page = draw("audit", desk, bundle=job.id)
    assert not page.exception and [button.label for button in page.button if button.key == f"cancel-{job.id}"] == ["Cancel"]
    assert warnings(draw("audit", desk, bundle="zzzz"))[0].startswith("There is no bundle zzzz.")
