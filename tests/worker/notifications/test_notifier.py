"""The process that sends, with apprise over real sockets: a channel that hangs, a refused one, and a secret that shows nowhere."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.doubles.channel import ChannelDouble
from worker.logs import Redacting
from worker.main import heartbeat
from worker.notifications.apprise_channel import connect
from worker.notifications.channels import Channel, channels_of, secrets_in
from worker.notifications.sender import Sender
from worker.notifications.wording import Letter
from worker.notifier import lease_of
from worker.settings import ROOT, load
from worker.store import Store
from worker.store.messages import Message
from worker.trouble import without

CANARY = "c4n4ry-s3cr3t"


@pytest.fixture
def kind() -> str:
    return "sqlite"


@pytest.fixture
def double():
    return ChannelDouble()


def address(url: str, path="hook/canary", options="") -> str:
    return url.replace("http://", f"json://ana:{CANARY}@") + f"/{path.replace('canary', CANARY)}?rto=600{options}"


def test_apprise_posts_the_letter(double):
    with double.serve() as url:
        (channel,) = channels_of(f"warning:{address(url)}")
        assert connect(channel)(Letter("Tidemark: critical", "gold: halted.", "critical"))
        double.status = 503
        assert not connect(channel)(Letter("t", "b", "info"))
    assert (double.letters[0]["title"], double.letters[0]["message"], double.letters[0]["type"]) == ("Tidemark: critical", "gold: halted.", "failure")


def test_an_address_that_apprise_does_not_know_is_named_without_its_secret(caplog, capfd):
    channel = channels_of(f"nosuch://{CANARY}/x")[0]
    with pytest.raises(Exception, match=f"the channel {channel.name} of TIDEMARK_NOTIFY_URLS is no address that apprise can use") as caught:
        connect(channel)
    assert CANARY not in f"{caught.value}{caplog.text}{capfd.readouterr()}"


def test_while_a_channel_hangs_messages_are_written_and_other_channels_send(store, double):
    other = ChannelDouble()
    with double.serve() as slow, other.serve() as quick:
        double.hang.set()
        hung = Sender(store, Channel("hung", "info", address(slow)), connect(channels_of(address(slow))[0]))
        well = Sender(store, Channel("well", "info", address(quick)), connect(channels_of(address(quick))[0]))
        write(store, "gold:error:1")
        thread = threading.Thread(target=hung.step)
        thread.start()
        assert double.reached.wait(10)
        write(store, "gold:error:2")        # the database is not locked
        assert well.step() == 2
        double.go_on.set()
        thread.join(10)
    assert len(other.letters) == 2


def test_the_process_sends_ends_while_a_channel_hangs_and_tells_no_secret(store, double, tmp_path):
    hung = ChannelDouble()
    hung.hang.set()
    with double.serve() as url, hung.serve() as slow, (tmp_path / "log").open("wb") as log:
        urls = f"{address(url)} critical:{address(slow)} nosuch://{CANARY}"
        write(store, "gold:error:1")
        process = started(store, tmp_path, urls, log)
        assert double.taken(1) and hung.reached.wait(20)
        write(store, "gold:error:2")
        assert double.taken(2)
        with store.read() as unit:
            held = {lease.name for lease in unit.leases.owned()}
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        hung.go_on.set()
    assert held == {lease_of(channel) for channel in channels_of(urls)[:2]}
    with store.read() as unit:
        assert not unit.leases.owned()
        assert not [each for each in unit.trail.all() if CANARY in each.body]
    store.close()
    for path in Path(tmp_path).rglob("*"):
        assert not path.is_file() or CANARY.encode() not in path.read_bytes(), path


def test_the_settings_never_show_the_addresses():
    settings = load(environment={"TIDEMARK_NOTIFY_URLS": f"json://h/{CANARY}"})
    assert settings.notify_urls == f"json://h/{CANARY}"
    assert CANARY not in repr(settings)
    assert CANARY not in repr(settings.origin)


def test_logs_are_without_every_part_of_an_address_that_is_one():
    import logging

    urls = f"warning:tgram://12345678:{CANARY}/chat-1 json://ana:p4s@127.0.0.1/{CANARY}?x={CANARY}2"
    record = logging.LogRecord("x", logging.INFO, "", 0, f"12345678 chat-1 p4s {CANARY}2 127.0.0.1 {urls}", None, None)
    text = Redacting(None, secrets_in(urls)).format(record)
    assert text == "*** *** *** *** 127.0.0.1 warning:*** ***"
    assert without("nothing", secrets_in("")) == "nothing"


def write(store: Store, key: str) -> None:
    with store.unit() as unit:
        unit.messages.write([Message(key, "critical", f"{key} happened.", "gold")], unit.now())


def started(store: Store, folder: Path, urls: str, log) -> subprocess.Popen:
    ours = {"TIDEMARK_DATABASE_URL": store.engine.url.render_as_string(False), "TIDEMARK_STORAGE_HOME": str(folder / "var"), "TIDEMARK_NOTIFY_URLS": urls, "PYTHONPATH": str(ROOT)}
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TIDEMARK_")} | ours
    return subprocess.Popen([sys.executable, "-m", "worker.notifier"], cwd=ROOT, env=environment, stdout=log, stderr=log)



def test_a_sign_of_life_and_what_goes_with_it_are_one_transaction(store, monkeypatch):
    """Each write is one that sessions may wait for, so the leases of channels take none of their own."""
    units, beaten, begin = [], threading.Event(), store.unit

    def counted():
        units.append(threading.current_thread().name)
        return begin()

    monkeypatch.setattr(store, "unit", counted)
    with heartbeat(store, "notifier", 60.0, lambda unit: beaten.set()):
        assert beaten.wait(20)
    assert units.count("sign-of-life") == 1
