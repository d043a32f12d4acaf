"""A witness as a process of its own, over loopback: it refuses a fork, also after a restart."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from domain.errors import BadRequest
from tests.worker.witness.trails import EVE, FORK, KEY, TRAIL
from worker.checkpoints.witness_client import AWAY, COSIGNED, REFUSED, Address, WitnessClient
from worker.settings import ROOT
from worker.witness.main import accepted, host_and_port, serve
from worker.witness.memory import KEY as KEY_NAME
from worker.witness.memory import Memory


class Process:
    """``tidemark audit witness``, until it is stopped."""

    def __init__(self, home: Path, *words: str) -> None:
        command = [sys.executable, "-m", "worker.cli", "audit", "witness", "--listen", "127.0.0.1:0", "--home", str(home), *words]
        environment = {key: value for key, value in os.environ.items() if not key.startswith("TIDEMARK_")}
        self._process = subprocess.Popen(command, cwd=ROOT, env={**environment, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert self._process.stdout
        self.lines = [self._process.stdout.readline() for _ in range(3)]

    @property
    def url(self) -> str:
        match = re.search(r"http://127\.0\.0\.1:\d+", self.lines[0])
        assert match, self.lines
        return match[0]

    def stop(self, number: int = signal.SIGTERM) -> int:
        self._process.send_signal(number)
        return self._process.wait(10)


def send(client: WitnessClient, trail, size: int):
    return client.send(trail.note(size), size, lambda old: trail.proof(old, size), trail.keys)


@pytest.mark.skipif(sys.platform == "win32", reason="no such signals")
def test_it_cosigns_what_grows_and_refuses_a_fork_also_after_a_kill(tmp_path):
    home = tmp_path / "witness"
    process = Process(home, "--name", "lab/witness")
    client = WitnessClient(Address(process.url))
    assert [send(client, TRAIL, size).state for size in (3, 8, 8)] == [COSIGNED] * 3
    assert client.key and client.key.text in process.lines[1] and client.key.name == "lab/witness"
    assert send(client, FORK, 8).state == REFUSED and send(client, FORK, 12).state == REFUSED
    assert (home / KEY_NAME).stat().st_mode & 0o777 == 0o600
    assert process.stop(signal.SIGKILL) == -signal.SIGKILL and send(client, TRAIL, 9).state == AWAY
    again = Process(home)
    fresh = WitnessClient(Address(again.url, client.key))
    assert send(fresh, FORK, 20).state == REFUSED and send(fresh, TRAIL, 20).state == COSIGNED
    shrunken = send(fresh, TRAIL, 5)
    assert (shrunken.state, shrunken.size) == (REFUSED, 20)
    assert [entry["what"] for entry in Memory(home).journal()] == ["same size, other root", "does not follow", "does not follow", "smaller than seen"]
    port = int(again.url.rpartition(":")[2])
    assert [status_of(port, *request) for request in REQUESTS] == [404, 404, 413, 413, 400, 501]
    assert again.stop() == 0


REQUESTS = [
    ("GET", "/nothing", b""), ("POST", "/nothing", b"x"), ("POST", "/add-checkpoint", None), ("POST", "/add-checkpoint", 70_000), ("POST", "/add-checkpoint", b"\xff"), ("PUT", "/key", b"x"),
]  # fmt: skip


def status_of(port: int, method: str, path: str, body: bytes | int | None) -> int:
    """Of a request with this body, none at all, or one that says it is so long."""
    length = b"" if body is None else b"Content-Length: %d\r\n" % (body if isinstance(body, int) else len(body))
    with socket.create_connection(("127.0.0.1", port), timeout=10) as plain:
        plain.sendall(f"{method} {path} HTTP/1.1\r\nHost: x\r\n".encode() + length + b"\r\n" + (body if isinstance(body, bytes) else b""))
        return int(plain.recv(65_536).split()[1])


def test_a_person_accepts_a_checkpoint_from_a_file(tmp_path):
    home, note, keys = tmp_path / "witness", tmp_path / "note.txt", tmp_path / "keys.txt"
    note.write_text(FORK.note(6))
    keys.write_text(FORK.keys)
    with pytest.raises(BadRequest, match="does not know the trail tidemark/log"):
        accepted(home, note, [])
    from worker.witness.decision import Witness

    Witness(Memory(home), Memory(home).key("lab/witness")).add_keys(TRAIL.keys)
    assert accepted(home, note, [str(keys)])["size"] == 6
    with pytest.raises(BadRequest, match="cannot be read: No such file"):
        accepted(home, tmp_path / "nothing", [])


@pytest.mark.parametrize("listen", ["8601", "localhost", ":8601", "a:b", "a:99999", "::1:8601", ""])
def test_an_address_that_is_none_is_a_sentence(listen):
    with pytest.raises(BadRequest, match="write HOST:PORT"):
        host_and_port(listen)


def test_what_it_cannot_start_with_is_a_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(BadRequest, match=f"cannot listen on 127.0.0.1:{port}: Address already in use"):
            serve(f"127.0.0.1:{port}", tmp_path / "w", "", [KEY.verifier.text, EVE.verifier.text])
    for home, name, keys, sentence in [(tmp_path / "file", "", [], "cannot be written"), (tmp_path / "a", "two words", [], "--name is 'two words'"), (tmp_path / "b", "", ["no key"], "--key is 'no key'")]:
        with pytest.raises(BadRequest, match=sentence):
            serve("127.0.0.1:0", home, name, keys)
