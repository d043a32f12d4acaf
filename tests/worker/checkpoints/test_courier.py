"""Checkpoints taken to real witnesses over loopback; a witness that is away, refuses, or changed its key."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from domain.audit.keys import COSIGNATURE, SigningKey
from domain.errors import BadRequest
from tests.worker.checkpoints.test_agreement import bodies_of, rewritten, started_again
from tests.worker.test_supervise import free_port
from worker.checkpoints.courier import Courier
from worker.checkpoints.witness_client import Address, addresses_of
from worker.desk.checkpoints import CheckpointsView
from worker.desk.context import DeskContext
from worker.store.checkpoints import COSIGNED, REFUSED
from worker.witness.decision import Witness
from worker.witness.memory import Memory
from worker.witness.server import Server

pytestmark = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)


@contextmanager
def serving(home: Path, port: int = 0, name: str = "lab/witness") -> Iterator[Server]:
    memory = Memory(home)
    with Server("127.0.0.1", port, Witness(memory, memory.key(name))) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join(10)


@pytest.fixture
def server(tmp_path) -> Iterator[Server]:
    with serving(tmp_path / "witness") as server:
        yield server


def started(bench, *urls: str):
    bench.set(witnesses=", ".join(urls))
    notary = bench.notary()
    notary.step()
    return notary, Courier(bench.store, bench.settings, notary, clock=bench.time)


def pass_on(bench, notary, courier, seconds: float = 60) -> None:
    bench.time.seconds += seconds
    notary.step()
    courier.step()


def view(bench) -> CheckpointsView:
    return CheckpointsView(DeskContext(bench.store, bench.settings, None, None))


def received(bench, state: str) -> list[int]:
    """The numbers of the checkpoints that a witness cosigned, or refused."""
    with bench.store.read() as unit:
        receipts = unit.checkpoints.receipts(range(100))
    return [number for number, each in sorted(receipts.items()) for receipt in each if receipt.state == state]


def test_each_checkpoint_is_cosigned_and_heartbeats_too(bench, server):
    notary, courier = started(bench, server.url)
    courier.step()
    bench.write(4)
    for _ in range(2):
        pass_on(bench, notary, courier)
    assert received(bench, COSIGNED) == [1, 2, 3] and bench.checkpoints() == [(1, False), (6, False), (6, True)], "one more event: the witness is trusted"
    row, = view(bench).witnesses()
    assert (row.state, row.size, row.number, row.key_from, row.key) == (COSIGNED, 6, 3, "first use", server.witness.key.verifier.text)
    note = view(bench).latest_text()
    assert note == server.witness.latest(notary.trail_key.files.chain().first.name).body and note.count("\n\u2014 ") == 2
    assert bench.kinds().count("witness_trusted") == 1 and bench.detail("witness_trusted")["key"] == row.key
    assert view(bench).latest().went == ("file", server.url)


def test_a_witness_that_is_away_is_stated_and_stops_nothing(bench, tmp_path):
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    notary, courier = started(bench, url)
    courier.step()
    row, = view(bench).witnesses()
    assert row.state == "away" and row.text == f"The witness {url} does not answer: Connection refused."
    assert view(bench).problems() == [row.text] and view(bench).health().state == "warning"
    courier.step()
    bench.write(3)
    for _ in range(4):
        pass_on(bench, notary, courier)
    assert len(bench.checkpoints()) == 5 and received(bench, COSIGNED) == [] and set(bench.kinds()) == {"audit_key_created", "noted"}
    with serving(tmp_path / "witness", port):
        pass_on(bench, notary, courier)
    assert received(bench, COSIGNED) == [6], "the newest proves all before it"
    assert view(bench).problems() == []


def test_a_witness_that_is_away_is_requested_ever_less_often(bench, monkeypatch):
    notary, courier = started(bench, f"http://127.0.0.1:{free_port()}")
    request = []
    monkeypatch.setattr("worker.checkpoints.witness_client.WitnessClient._request", lambda self, *_: (request.append(bench.time.seconds), (_ for _ in ()).throw(ConnectionRefusedError()))[1])
    for second in range(0, 200):
        bench.time.seconds = second
        courier.step()
    assert request == [0, 1, 3, 7, 15, 31, 63, 123, 183]
    assert notary.holds


def test_a_rewritten_trail_is_refused_on_both_sides_until_people_accept(bench, server, tmp_path):
    """Whoever rewrites the database and the file beside it does not reach the witness."""
    notary, courier = started(bench, server.url)
    bench.write(7)
    pass_on(bench, notary, courier)
    seen = server.witness.latest(notary.trail_key.files.chain().first.name).body
    bodies = bodies_of(bench.store)
    rewritten(bench.store, bodies[0], *(body.replace('"number":1', '"number":9') for body in bodies[1:]))
    bench.settings.checkpoints_file.unlink()
    after = started_again(bench, notary)
    courier = Courier(bench.store, bench.settings, after, clock=bench.time)
    courier.step()
    assert after.problem == "", "without its file the trail itself cannot know"
    for _ in range(3):
        pass_on(bench, after, courier)
    assert bench.kinds().count("checkpoint_refused") == 1 and received(bench, COSIGNED)[-1:] != [len(bench.checkpoints())]
    detail = bench.detail("checkpoint_refused")
    assert detail["url"] == server.url and detail["witness_size"] == 8 and "does not follow from the one of 8 events" in detail["sentence"]
    entry, *_ = server.witness.memory.journal()
    assert entry["seen"] == seen and entry["note"] == detail["checkpoint"]
    assert view(bench).witnesses()[0].state == REFUSED and view(bench).health().state == "warning"
    server.witness.accept(view(bench).latest().checkpoint.note)
    bench.write(1)
    pass_on(bench, after, courier)
    assert received(bench, COSIGNED)[-1] == len(bench.checkpoints()) and view(bench).problems() == []


def test_after_a_rotation_the_witness_takes_the_new_key(bench, server):
    notary, courier = started(bench, server.url)
    courier.step()
    notary.rotate("ana")
    courier.step()
    assert received(bench, COSIGNED) == [1, 2] and bench.checkpoints()[-1] == (3, False)


def test_a_witness_with_another_key_than_before_is_refused(bench, tmp_path):
    """Another machine answers at its address."""
    with serving(tmp_path / "first") as first:
        port = first.server_address[1]
        notary, courier = started(bench, first.url)
        courier.step()
    with serving(tmp_path / "second", port):
        pass_on(bench, notary, courier)
    assert received(bench, COSIGNED) == [1] and "cosigns with another key" in bench.detail("checkpoint_refused")["sentence"]


def test_the_key_of_the_settings_is_the_one_that_counts(bench, server):
    stranger = SigningKey("lab/other", bytes(32), COSIGNATURE).verifier
    notary, courier = started(bench, f"{server.url} {stranger.text}")
    courier.step()
    assert received(bench, COSIGNED) == [] and received(bench, REFUSED) == [1] and "witness_trusted" not in bench.kinds()
    bench.set(witnesses=f"{server.url} {server.witness.key.verifier.text}")
    courier = Courier(bench.store, bench.settings, notary, clock=bench.time)
    pass_on(bench, notary, courier)
    assert received(bench, COSIGNED) == [2] and view(bench).witnesses()[0].key_from == "settings"


class Strange(http.server.BaseHTTPRequestHandler):
    """Answers that no witness gives."""

    answer: tuple[int, bytes] = (200, b"")

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(self.answer[0])
        self.send_header("Location", "http://127.0.0.1:1/elsewhere")
        self.send_header("Content-Length", str(len(self.answer[1])))
        self.end_headers()
        self.wfile.write(self.answer[1])

    def log_message(self, *_: object) -> None:
        pass


@pytest.mark.parametrize(
    ("answer", "state", "sentence"),
    [
        ((302, b""), "away", "answers 302"), ((500, b"<b>oops\x1b[0m"), "away", "answers 500: <b>oops[0m."), ((200, b""), REFUSED, "a cosignature that is not valid"),
        ((200, b"x" * 70_000), "away", "its answer is too long"), ((409, b"-1"), REFUSED, "refuses this checkpoint (409)"), ((409, "²".encode()), REFUSED, "(409)"), ((404, b"no"), REFUSED, "does not take the key"),
    ],
)  # fmt: skip
def test_strange_answers_are_sentences(bench, answer, state, sentence):
    key = SigningKey("lab/other", bytes(32), COSIGNATURE).verifier
    handler = type("Once", (Strange,), dict(answer=answer))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as strange:
        thread = threading.Thread(target=strange.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        _, courier = started(bench, f"http://127.0.0.1:{strange.server_address[1]} {key.text}")
        courier.step()
        strange.shutdown()
        thread.join(10)
    row, = view(bench).witnesses()
    assert row.state == state and sentence in row.text


@pytest.mark.parametrize("text", ["ftp://a", "10.0.0.7:8601", "http://", "http://a:99999", "http://ana:secret@a", "http://a?x=1", "http://a no-key", "http://" + "a" * 200])
def test_an_address_that_is_none_is_a_sentence(kind, text):
    with pytest.raises(BadRequest, match=r"witnesses has|verifier key"):
        addresses_of(text)


def test_a_trails_key_is_no_witness_key(kind):
    trail = SigningKey("tidemark/log", bytes(32)).verifier
    with pytest.raises(BadRequest, match="that is not a witness's"):
        Address.parse(f"http://a {trail.text}")
