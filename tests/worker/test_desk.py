"""The one door: every act once, with its audit event, and a sentence where something cannot be done."""

from __future__ import annotations

import io
import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from domain.audit import GENESIS, chain_hash
from domain.errors import BadRequest
from worker.actors import OWNER, run
from worker.desk import Actor, BacktestRequest, Desk, Filter
from worker.desk.export import csv_of, safe
from worker.settings import load
from worker.store import ALIVE, Process, Store
from worker.store.migrate import head

START, END = datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 1, 4, tzinfo=UTC)
on_sqlite = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)


def generate(desk: Desk, seed: int = 7):
    return desk.data.generate("gbm", {}, "EURUSD", "M15", START, END, seed)


def events(desk: Desk, **wanted: object) -> list[str]:
    return [event.kind for event in desk.trail.page(Filter(**wanted), size=1_000)[0]][::-1]


@pytest.fixture
def dataset(desk, system):
    job = generate(desk).job
    run(job.id)
    return desk.data.get(desk.jobs.get(job.id).result["dataset"])


def question(dataset, **changes: object) -> BacktestRequest:
    return BacktestRequest(**{**dict(strategy="breakout", params={}, datasets=[dataset.id], timeframe="M15", start=START, end=END, rules={}), **changes})


# -- asking


def test_a_double_click_makes_one_job(desk, sent):
    first, second = generate(desk), generate(desk)
    assert (first.new, second.new) == (True, False) and first.job.id == second.job.id
    assert sent == [("interactive", first.job.id)] and events(desk) == ["job_submitted"]


def test_a_double_click_at_the_same_moment_makes_one_job(desk, sent):
    with ThreadPoolExecutor(8) as pool:
        submissions = list(pool.map(lambda _: generate(desk), range(8)))
    assert len({result.job.id for result in submissions}) == 1 and sum(result.new for result in submissions) == len(sent) == 1 and events(desk) == ["job_submitted"]


def test_another_question_is_another_job(desk):
    assert generate(desk, 7).job.id != generate(desk, 8).job.id


def test_a_double_click_on_verify_makes_one_job_and_a_later_one_another(desk, system):
    first, second = desk.trail.verify(), desk.trail.verify()
    assert first.job.id == second.job.id and not second.new
    run(first.job.id)
    again = desk.trail.verify()
    assert again.new and again.job.id != first.job.id and desk.jobs.get(first.job.id).result["holds"]


def test_the_system_submits_its_own_jobs_once(desk):
    assert desk.jobs.submit_system("compile", "Compile the kernel") == desk.jobs.submit_system("compile", "Compile the kernel")


@on_sqlite
def test_a_job_is_there_even_if_the_queue_is_not(desk, sent):
    sent.up = False
    submitted = generate(desk)
    assert submitted.new and desk.jobs.get(submitted.job.id).state == "queued" and desk.jobs.get(submitted.job.id).sent_at is None
    sent.up = True
    generate(desk, 8)
    assert desk.jobs.get(sent[0][1]).sent_at is not None


@on_sqlite
def test_the_same_backtest_is_the_same_job_until_its_run_is_deleted(desk, dataset):
    first = desk.backtests.submit(question(dataset))
    assert desk.backtests.submit(question(dataset)).job.id == first.job.id
    assert desk.backtests.submit(question(dataset, params={"lookback": 30})).new and desk.backtests.submit(question(dataset, rules={"account": {"balance": 5_000.0}})).new
    table = desk.jobs._context.store.frames.put(pd.DataFrame({"r": [1.0, -0.5]}))
    with desk.jobs._context.store.unit() as unit:
        claimed = unit.jobs.claim(first.job.id, "w", unit.now())
        run_id = unit.runs.add(kind="backtest", job_id=first.job.id, title="t", spec={}, manifest={}, summary={}, frames={"trades": table}, actor="ana", created_at=unit.now())
        unit.jobs.end(first.job.id, claimed.epoch, "done", unit.now(), result={"run": run_id})
    assert desk.backtests.submit(question(dataset)).job.id == first.job.id
    assert desk.backtests.find(run_id).id == run_id and desk.sweeps.find(run_id) is None and desk.backtests.find("") is None, "the run of an address, of its own kind"
    path = Path(desk.jobs._context.store.frames._path(table))
    content = path.read_bytes()
    path.unlink()
    lost = desk.backtests.submit(question(dataset))
    assert lost.new and lost.job.id != first.job.id, "a table of the run is gone: it is made again"
    path.write_bytes(content)
    assert desk.backtests.delete(run_id).id == run_id and desk.backtests.submit(question(dataset)).job.id == lost.job.id
    assert events(desk, entity=f"run:{run_id}") == ["recorded", "run_deleted"], "a run that no event names when it is stored gets one"


@on_sqlite
@pytest.mark.parametrize("how", ["gone", "altered"])
def test_a_question_whose_answer_was_lost_runs_again_and_bars_are_reproduced(desk, dataset, system, how):
    store = desk.jobs._context.store
    path = store.frames._path(dataset.frame)
    os.remove(path) if how == "gone" else pd.DataFrame({"ts": [0]}).to_parquet(path)
    with pytest.raises(BadRequest, match=r"A stored table .* so it is not used. Run the same again, or import the same file again"):
        desk.data.download(dataset.id, "csv")
    again = generate(desk)
    assert again.new and not generate(desk).new, "in the queue it stands for the question again"
    run(again.job.id)
    assert desk.jobs.get(again.job.id).state == "done" and desk.data.catalogue()[0].id == dataset.id and not store.frames.fault(dataset.frame)
    assert desk.data.download(dataset.id, "csv") and not generate(desk).new


def test_a_deleted_dataset_may_be_reproduced(desk, dataset, system):
    assert not generate(desk).new
    desk.data.delete(dataset.id)
    again = generate(desk)
    assert again.new and desk.data.catalogue() == [] and events(desk, entity=f"dataset:{dataset.id}") == ["dataset_imported", "dataset_deleted"]
    run(again.job.id)
    assert desk.data.catalogue()[0].version == dataset.version


@on_sqlite
def test_the_same_bars_twice_are_one_dataset(desk, dataset, system):
    with desk.jobs._context.store.unit() as unit:
        unit.jobs.forget_result("dataset", dataset.id)
    job = generate(desk).job
    run(job.id)
    assert desk.jobs.get(job.id).result == {"dataset": dataset.id, "new": False} and len(desk.data.catalogue()) == 1
    assert events(desk, entity=f"job:{job.id}") == ["job_submitted", "job_started", "dataset_unchanged"]


@on_sqlite
@pytest.mark.parametrize(("changes", "sentence"), [
    (dict(datasets=[]), "no dataset is chosen"), (dict(datasets=["nosuch"]), "there is no dataset nosuch"), (dict(strategy="brakeout"), "did you mean 'breakout'"),
    (dict(params={"lookback": 1}), "lookback is 1 bars; it must be between"), (dict(timeframe="M5"), "is stored in M15 bars"), (dict(start=END + timedelta(days=9), end=END + timedelta(days=10)), "Choose a range within the available data"),
    (dict(rules={"limits": {"daily_loss": 2}}), "daily_loss is 2.0 share of the day's start; it must be between 0.0 and 1.0"), (dict(rules={"sizing": {"kind": "kely"}}), "did you mean 'kelly'"),
    (dict(rules={"account": {"balance": -1}}), "balance is -1"), (dict(timeframe="M16"), "no timeframe named 'M16'"),
])  # fmt: skip
def test_an_invalid_request_is_a_sentence_and_no_job(desk, dataset, changes, sentence):
    before = events(desk)
    with pytest.raises(BadRequest, match=sentence):
        desk.backtests.submit(question(dataset, **changes))
    assert events(desk) == before


# -- steering


def test_cancelling_and_retrying_leave_events_by_name(desk, sent):
    job_id = generate(desk).job.id
    assert desk.jobs.cancel(job_id) and not desk.jobs.cancel(job_id)
    assert desk.jobs.retry(job_id).new and not desk.jobs.retry(job_id).new
    assert events(desk, entity=f"job:{job_id}") == ["job_submitted", "job_cancelled", "job_retried"] and len(sent) == 2
    assert {event.actor for event in desk.trail.history(f"job:{job_id}")} == {"ana"}


def test_a_running_job_is_cancelled(desk, store):
    job_id = generate(desk).job.id
    with store.unit() as unit:
        unit.jobs.claim(job_id, "w", unit.now())
    assert desk.jobs.cancel(job_id) and events(desk, entity=f"job:{job_id}")[-1] == "job_cancel_requested"


@on_sqlite
@pytest.mark.parametrize("act", [lambda d: d.jobs.cancel("nosuch"), lambda d: d.jobs.retry("nosuch"), lambda d: d.data.delete("nosuch"), lambda d: d.backtests.get("nosuch"), lambda d: d.data.download("nosuch", "csv")])
def test_what_is_not_there_is_a_sentence(desk, act):
    with pytest.raises(BadRequest, match=r"there is no (job|dataset|run) nosuch; it may have been deleted"):
        act(desk)
    assert events(desk) == []


# -- taking along


@on_sqlite
def test_every_download_is_an_event_with_who_and_what(desk, dataset):
    taken = {
        "bars csv": lambda: desk.data.download(dataset.id, "csv"), "bars parquet": lambda: desk.data.download(dataset.id, "parquet"),
        "repairs csv": lambda: desk.data.download_repairs(dataset.id), "audit trail csv": lambda: desk.trail.csv(), "audit trail jsonl": lambda: desk.trail.jsonl(Filter(actor="ana")),
    }  # fmt: skip
    for what, download in taken.items():
        assert isinstance(download(), bytes)
        last = desk.trail.page(size=1)[0][0]
        assert (last.kind, last.actor, f"{last.detail['what']} {last.detail['form']}") == ("downloaded", "ana", what)


@on_sqlite
def test_downloaded_bars_are_the_bars(desk, dataset):
    bars = desk.jobs._context.store.frames.get(dataset.frame)
    for taken in (pd.read_csv(io.BytesIO(desk.data.download(dataset.id, "csv")), parse_dates=["ts"]), pd.read_parquet(io.BytesIO(desk.data.download(dataset.id, "parquet")))):
        pd.testing.assert_frame_equal(taken, bars, check_dtype=False, check_index_type=False)


def test_a_downloaded_trail_verifies_by_itself(desk, dataset):
    lines = [json.loads(line) for line in desk.trail.jsonl().decode().splitlines()]
    head = GENESIS
    for number, line in enumerate(lines, 1):
        assert line["seq"] == number and line["prev_hash"] == head and line["hash"] == chain_hash(number, head, line["body"])
        head = line["hash"]
    rows, _, _ = desk.trail.head()
    assert rows == len(lines) + 1, "and taking it along is the next event"


DANGEROUS = ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", "\n=1", "  =1", "ok\n=1", "ok\r@x", "=cmd|' /C calc'!A0"]


def test_text_that_a_spreadsheet_would_run_is_disarmed_and_numbers_keep_their_sign():
    table = safe(pd.DataFrame({"tag": [*DANGEROUS, "a=1", "x-1", "", None], "pnl": [-1.5] * 15}))
    assert table["tag"].tolist()[: len(DANGEROUS)] == [f"'{text}" for text in DANGEROUS] and table["tag"].tolist()[-4:-1] == ["a=1", "x-1", ""]
    assert csv_of(pd.DataFrame({"tag": ["=1"], "pnl": [-1.5], "ts": [pd.Timestamp(START)]})).decode().splitlines()[1] == "'=1,-1.5,2024-01-01T00:00:00Z"


@on_sqlite
def test_the_trail_as_a_table_is_disarmed(desk):
    Desk(desk.jobs._context.store, replace(desk.settings, app=replace(desk.settings.app, user="=cmd|x")), send=lambda *_: True).jobs.submit_system("compile", "x")
    table = pd.read_csv(io.BytesIO(desk.trail.csv()))
    assert table["actor"].tolist() == ["'=cmd|x"] and table["hash"].str.len().tolist() == [64]


# -- bringing files in


@pytest.fixture
def small(desk, store, sent) -> Desk:
    return Desk(store, replace(desk.settings, data=replace(desk.settings.data, max_import_mb=1)), send=sent)


def bars_file(folder: Path, name: str = "bars.csv") -> Path:
    path = folder / name
    path.write_text("ts,open,high,low,close,volume\n" + "".join(f"2024-01-02T10:{m:02}:00Z,1.1,1.2,1.0,1.15,5\n" for m in range(0, 60, 5)))
    return path


@on_sqlite
def test_paths_that_are_no_file_to_read_are_sentences(small, tmp_path):
    (tmp_path / "empty.csv").touch()
    (tmp_path / "large.csv").write_bytes(bytes(1_000_001))
    (tmp_path / "page.csv").write_text("<!DOCTYPE html><title>Sign in</title>")
    os.mkfifo(tmp_path / "pipe")
    refusals = {
        "nosuch.csv": "there is no file '.*nosuch.csv' that can be read: No such file", "": "is a folder or a device, not a file", "pipe": "is a folder or a device, not a file",
        "empty.csv": "empty.csv is empty; choose a file that holds bars", "large.csv": "large.csv is 1 MB; the most that may be imported is 1 MB. Split it, or raise", "page.csv": "is a web page",
    }  # fmt: skip
    for name, sentence in refusals.items():
        with pytest.raises(BadRequest, match=sentence):
            small.data.stage_path(str(tmp_path / name))
    for path, sentence in {"/dev/zero": "is a folder or a device", "a\0b": "there is no file", "x" * 5_000: "there is no file", "~nobody-here/x": "there is no file"}.items():
        with pytest.raises(BadRequest, match=sentence):
            small.data.stage_path(path)
    assert not [name for name in os.listdir(tmp_path / "frames" / "incoming") if name.endswith(".part")] and events(small) == []


@on_sqlite
@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_a_sentence(small, tmp_path):
    bars_file(tmp_path).chmod(0)
    with pytest.raises(BadRequest, match="cannot be read: Permission denied"):
        small.data.stage_path(str(tmp_path / "bars.csv"))


@on_sqlite
def test_an_upload_is_limited_too(small):
    with pytest.raises(BadRequest, match=r"large.csv is 1 MB; the most"):
        small.data.stage_upload("../large.csv", bytes(1_000_001))
    with pytest.raises(BadRequest, match="is empty"):
        small.data.stage_upload("empty.csv", b"")


@pytest.mark.parametrize("name", ["bars.csv", b"b\xff\xfers.csv", "=1+1.csv", "ba'rs \u20ac.csv"])
def test_a_file_is_imported_whatever_it_is_called(desk, system, tmp_path, name):
    path = bars_file(tmp_path, os.fsdecode(name))
    staged = desk.data.stage_path(str(path))
    job = desk.data.import_(staged, "EURUSD", "M5", clock_key="UTC", repair=True).job
    run(job.id)
    ended = desk.jobs.get(job.id)
    assert ended.state == "done", ended.error
    assert desk.data.catalogue()[0].bars == 12 and desk.data.catalogue()[0].provenance["name"] == staged.name
    assert not desk.data.import_(desk.data.stage_upload(staged.name, path.read_bytes()), "EURUSD", "M5", clock_key="UTC", repair=True).new, "the same bytes are the same question"


# -- the system


def test_health_names_each_part(desk, store):
    with store.unit() as unit:
        now = unit.now()
        for number, part in enumerate(("worker", "worker", "scheduler")):
            unit.alive(Process(f"{OWNER}{number}", part, "host", number, now, now, ""))
        unit.alive(Process("old", "worker", "host", 9, now, now - ALIVE - timedelta(seconds=1), ""))
    health = {part.part: part for part in desk.system.health()}
    assert {name: part.state for name, part in health.items()} == {"Database": "well", "Queue": "warning", "Workers": "well", "Scheduler": "well", "Audit trail": "well", "Checkpoints": "well", "Feeds": "well", "Broker": "well", "Disk": health["Disk"].state}
    assert health["Workers"].note == "2 running" and f"schema {head()}" in health["Database"].note
    pulse = desk.jobs.pulse()
    assert (pulse.workers, pulse.scheduler, pulse.queued, pulse.rows, pulse.verified) == (2, True, 0, 0, None)


def test_a_system_without_workers_says_so(desk):
    assert {part.part: part.state for part in desk.system.health()} | {"Disk": ""} == {"Database": "well", "Queue": "warning", "Workers": "failed", "Scheduler": "failed", "Audit trail": "well", "Checkpoints": "well", "Feeds": "well", "Broker": "well", "Disk": ""}


@on_sqlite
def test_a_queue_that_is_away_is_a_failed_part(desk, store):
    away = Desk(store, replace(desk.settings, queue=replace(desk.settings.queue, redis_url="redis://:canary@127.0.0.1:1/0")))
    part = next(part for part in away.system.health() if part.part == "Queue")
    assert part.state == "failed" and "Jobs stay queued in the database" in part.note and "canary" not in part.note


def test_a_database_that_is_away_is_a_failed_part_and_no_error(tmp_path):
    store = Store("postgresql://ana:canary@127.0.0.1:1/tidemark", str(tmp_path))
    health = Desk(store, load(environment={"TIDEMARK_STORAGE_HOME": str(tmp_path)})).system.health()
    assert [part.part for part in health] == ["Database", "Queue", "Disk"] and health[0].state == "failed"
    assert health[0].note.startswith("The database does not answer: ") and "canary" not in health[0].note


def test_settings_show_where_they_come_from_and_no_secret(tmp_path):
    (tmp_path / "config.toml").write_text('[app]\nport = 8600\nuser = "ana"\n[work]\nlease = 8.0\n[form]\nbalance = 5.0\n')
    environment = {"TIDEMARK_APP_PORT": "8700", "TIDEMARK_DATABASE_URL": "postgresql://ana:canary@db/t", "TIDEMARK_REDIS_URL": "redis://:canary@host/0", "TIDEMARK_STORAGE_FRAMES_URL": "s3://key:canary@bucket", "TIDEMARK_WORK_BEAT": "1.0"}
    rows = Desk(Store(f"sqlite:///{tmp_path / 'a.db'}", str(tmp_path)), load(tmp_path / "config.toml", environment)).system.settings()
    shown = {f"{row.section}.{row.key}".strip("."): (row.value, row.origin, row.changed) for row in rows}
    assert shown["app.port"] == (8700, "environment, TIDEMARK_APP_PORT", True)
    assert shown["app.user"] == ("ana", "config.toml", True) and shown["form.balance"] == (5.0, "config.toml", True)
    assert shown["work.lease"] == (8.0, "default", False) and shown["work.beat"] == (1.0, "environment, TIDEMARK_WORK_BEAT", False)
    assert shown["storage.database_url"][:2] == ("postgresql://***@db/t", "environment, TIDEMARK_DATABASE_URL")
    assert shown["example"][1:] == ("default", False) and [row.changed for row in rows] == sorted((row.changed for row in rows), reverse=True)
    assert "canary" not in str(rows)


@on_sqlite
def test_the_example_goes_with_everything_it_made(desk, system):
    job = desk.data.generate("gbm", {}, "EURUSD", "M15", START, END, 1, example=True, user="tidemark").job
    run(job.id)
    other = generate(desk).job
    assert desk.system.has_example()
    desk.system.remove_example()
    assert not desk.system.has_example() and desk.data.catalogue() == [] and desk.jobs.get(other.id).state == "queued" and events(desk)[-1] == "example_removed"


@on_sqlite
def test_the_desk_takes_an_actor_with_a_role(store, settings, sent):
    bob = Desk(store, settings, user=Actor("bob", "analyst"), send=sent)
    assert (bob.actor, bob.user, Desk(store, settings, send=sent).actor) == (Actor("bob", "analyst"), "bob", Actor("ana", "admin"))
    assert generate(bob).job.actor == "bob" and events(bob, actor="bob") == ["job_submitted"]
    with pytest.raises(BadRequest, match="no role named 'root'; there are admin, analyst, auditor, trader, viewer"):
        Actor("eve", "root")
