"""Logs for people or as JSON, with the ids of request and job; a secret of the settings is found in no log, event, row, answer or backup."""

from __future__ import annotations

import json
import logging
import os
from dataclasses import replace
from pathlib import Path

import pytest

from domain.errors import BadRequest, SourceUnavailable
from domain.params import params_of
from tests.worker.test_settings import KEYS
from tests.worker.test_sweeps import END, START
from worker import actors, logs
from worker.backup.take import take
from worker.desk import Desk
from worker.following import JOB, REQUEST, begin_request
from worker.hidden import hide, reveal
from worker.jobs.base import Work, job
from worker.secret_settings import ADDRESSES, OF_OTHERS, secrets_of_settings
from worker.sessions.failures import failure, record
from worker.settings import NOT_SETTINGS, OF_VENDORS, SECRETS, VENDOR_SECRETS, load
from worker.store import Filter, session_asking
from worker.store.messages import Message

CANARY = "canary-{}-x%21"
NO_SECRETS = {"TIDEMARK_CONFIG", "TIDEMARK_DATA", "TIDEMARK_CASES"}
TELLTALE = ("url", "token", "secret", "password", "passphrase", "key", "credential")
HOW = {"storage.database_url": "postgresql://ana:{}@127.0.0.1:1/t", "queue.redis_url": "redis://:{}@127.0.0.1:1/0", "storage.frames_url": "memory://bucket/frames?token={}"}


def variable_of(dotted: str) -> str:
    return f"TIDEMARK_{dotted.replace('.', '_').upper()}"


def every_secret() -> dict[str, str]:
    """Variable -> a value with a canary in it, of every secret setting that there is."""
    set_ = {variable_of(name): HOW.get(name, "{}") for name in SECRETS} | dict.fromkeys((*VENDOR_SECRETS, *OF_OTHERS), "{}")
    set_ |= {name: "https://ana:{}@127.0.0.1:1" for name in (*ADDRESSES, *(name for name in OF_VENDORS if name.endswith("_URL")))}
    set_ |= {name: "json://ana:{}@127.0.0.1:1/hook" if name.endswith("_URLS") else "{}" for name in NOT_SETTINGS - NO_SECRETS}
    return {name: form.format(CANARY.format(number)) for number, (name, form) in enumerate(set_.items())}


def canaries(values: dict[str, str]) -> list[str]:
    return [form for number in range(len(values)) for form in (CANARY.format(number), CANARY.format(number).replace("%21", "!"))]


def leaks_in(content: bytes | str, values: dict[str, str]) -> list[str]:
    text = content.decode(errors="replace") if isinstance(content, bytes) else content
    return [canary for canary in canaries(values) if canary in text]


@pytest.fixture
def known(monkeypatch):
    """Settings with a canary in every secret, and the environment that they come from."""
    values = every_secret()
    for name, value in values.items():
        if not name.startswith("TIDEMARK_"):
            monkeypatch.setenv(name, value)
    return values, load(environment={**os.environ, **values})


@pytest.fixture
def handler():
    """A handler of a logger of its own, and the lines that it writes."""
    logger, lines = logging.getLogger("test.logs"), []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record))

    kept = Kept()
    logger.addHandler(kept)
    before = {handler_: handler_.formatter for handler_ in logs._handlers()}
    yield logger, lines
    reveal()
    for handler_, formatter in before.items():
        handler_.setFormatter(formatter)
    logger.removeHandler(kept)


def test_every_setting_that_sounds_like_a_secret_is_one():
    """A new one is either named in SECRETS or VENDOR_SECRETS, and so in all that follows, or it is plainly none."""
    sounds = {f"{section}.{param.name}" for section, param in KEYS if param.type is str and param.name.split("_")[-1] in TELLTALE}
    assert sounds == set(SECRETS)
    assert {name for name in OF_VENDORS if name.split("_")[-1].lower() in TELLTALE and not name.endswith("_URL")} == set(VENDOR_SECRETS)


def test_every_secret_of_the_settings_is_known_as_one(known):
    values, settings = known
    secrets = secrets_of_settings(settings)
    for number, name in enumerate(values):
        assert CANARY.format(number) in secrets, name


@pytest.mark.parametrize("form", ["text", "json"])
def test_no_log_line_has_a_secret(known, handler, form):
    values, settings = known
    logger, lines = handler
    logs.follow(replace(settings, logs=replace(settings.logs, format=form)))
    for value in values.values():
        try:
            raise ConnectionError(f"cannot reach {value}")
        except ConnectionError:
            logger.exception("the address %s", value)
    assert len(lines) == len(values) and not leaks_in("\n".join(lines), values)
    assert all("ConnectionError" in line for line in lines)


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_a_json_line_names_request_and_job(settings, handler):
    logger, lines = handler
    logs.follow(replace(settings, logs=replace(settings.logs, format="json")))
    logger.warning("alone")
    begin_request("api", "trace-17")
    token = JOB.set("job-1")
    logger.warning("é %s", "both", extra=dict(fields=dict(status=202)))
    JOB.reset(token)
    REQUEST.set("")
    alone, both = map(json.loads, lines)
    assert "request" not in alone and "job" not in alone
    assert (both["request"], both["job"], both["level"], both["message"], both["status"], both["process"]) == ("trace-17", "job-1", "WARNING", "é both", 202, os.getpid())
    assert both["at"].endswith("+00:00")


FAULTS = {"world": SourceUnavailable, "request": BadRequest, "bug": RuntimeError}


@job("test_leaks", retries=0)
def leaks(spec, work: Work):
    raise FAULTS[spec["fault"]](f"the vendor says: {os.environ['TEST_LEAK']} is refused")


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_no_event_row_error_or_backup_has_a_secret(known, system, store, settings, sent, tmp_path, handler, monkeypatch):
    """A vendor's answer that repeats what it was sent, in each way that a job may fail, and all that is written down of it."""
    values, whole = known
    settings = replace(settings, vendors=whole.vendors, notify_urls=whole.notify_urls, oidc_secret=whole.oidc_secret, queue=whole.queue)
    logger, lines = handler
    system.settings = settings
    monkeypatch.setattr(actors, "log", logger)
    logs.follow(replace(settings, storage=whole.storage))
    desk = Desk(store, settings, send=sent)
    kept = {name: value for name, value in values.items() if "STORAGE" not in name}
    for fault in FAULTS:
        for value in kept.values():
            monkeypatch.setenv("TEST_LEAK", value)
            actors.run(desk.jobs._context.submit("test_leaks", "t", dict(fault=fault)).job.id)
    with store.read() as unit:
        assert {row.state for row in unit.jobs.latest()} == {"failed"}
        texts = [str(row) for row in unit.jobs.latest(limit=1_000)] + [record.body for record in unit.trail.all()]
    texts += [str(desk.system.settings()), str(Desk(store, whole).system.settings()), str(desk.system.health())]
    take(store, settings, tmp_path / "out", "ana")
    texts += [path.read_bytes().decode(errors="replace") for path in Path(tmp_path).rglob("*") if path.is_file()]
    assert lines and not leaks_in("\n".join([*texts, *lines]), values)


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_what_a_session_or_a_message_says_has_no_secret(known, store, handler):
    """A broker's answer that repeats a token stops a session."""
    values, settings = known
    hide(secrets_of_settings(settings))
    with store.unit() as unit:
        session_asking.start(unit, "one", {}, {}, "ana")
        epoch = session_asking.claim(unit, "one", "here:1:a")
    for value in values.values():
        with store.unit() as unit:
            record(unit, replace(failure("one", epoch, BadRequest(f"the broker says: {value}")), epoch=epoch))
            unit.messages.write([Message(f"m{len(value)}-{hash(value)}", "critical", f"it says {value}", "one")], unit.now())
            unit.audit("ana", "session_failed", "session:one", why=value, size=7)
    with store.read() as unit:
        texts = [str(unit.sessions.get("one")), *(message.text for message in unit.messages.after(0)), *(each.body for each in unit.trail.all())]
    assert "***" in texts[0] and not leaks_in("\n".join(texts), values)


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_the_request_is_named_in_the_events_and_lines_of_what_it_requested(system, desk, store, settings, handler, caplog, monkeypatch):
    caplog.set_level("INFO", actors.log.name)
    monkeypatch.setattr(actors.log, "handlers", handler[0].handlers)
    logs.follow(replace(settings, logs=replace(settings.logs, format="json")))
    begin_request("api", "trace-17")
    job_id = desk.data.generate("gbm", {}, "EURUSD", "H1", START, END, 3).job.id
    REQUEST.set("")
    actors.run(job_id)
    with store.read() as unit:
        details = {record.kind: json.loads(record.body)["detail"] for record in unit.trail.all(Filter(entity=f"job:{job_id}"))}
    assert details["job_submitted"]["request"] == "trace-17" and all(detail.get("request") == "trace-17" for kind, detail in details.items() if kind != "job_started")
    lines = [json.loads(line) for line in handler[1]]
    assert [(line["message"], line["job"], line["request"]) for line in lines if line.get("job")] == [(f"job {job_id}, generate, attempt 1: {state}", job_id, "trace-17") for state in ("begins", "done")]


def test_a_variable_may_name_a_file_that_holds_its_value(tmp_path):
    file = tmp_path / "secret"
    file.write_text("postgresql://ana:s3cret@db/t\n")
    assert load(environment={"TIDEMARK_DATABASE_URL_FILE": str(file)}).database_url == "postgresql://ana:s3cret@db/t"
    assert load(environment={"TIDEMARK_OANDA_TOKEN_FILE": str(file)}).vendors == {"TIDEMARK_OANDA_TOKEN": "postgresql://ana:s3cret@db/t"}
    with pytest.raises(BadRequest, match="are both set; set one of them"):
        load(environment={"TIDEMARK_DATABASE_URL_FILE": str(file), "TIDEMARK_DATABASE_URL": "sqlite://"})
    with pytest.raises(BadRequest, match=r"TIDEMARK_DATABASE_URL_FILE names .*nowhere, which cannot be read: No such file"):
        load(environment={"TIDEMARK_DATABASE_URL_FILE": str(tmp_path / "nowhere")})


def test_a_file_for_every_setting(tmp_path):
    (tmp_path / "value").write_text("8600")
    assert load(environment={"TIDEMARK_APP_PORT_FILE": str(tmp_path / "value")}).app.port == 8600
    assert {param.name for param in params_of(type(load().logs))} == {"format"}
