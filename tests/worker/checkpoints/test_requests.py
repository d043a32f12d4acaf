"""What a person asks of the key: done here where nobody holds it, else by the process that does."""

from __future__ import annotations

import json
import os
import threading

import pytest

from domain.errors import BadRequest
from worker.checkpoints import requests
from worker.checkpoints.requests import ACKNOWLEDGE, CHECKPOINT, FOLDER, ROTATE, answer_all, ask

pytestmark = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)


def answer_of(bench, holder, what: str, why: str = ""):
    """``ask`` of another process, answered by ``holder``."""
    answers = []

    def run():
        try:
            answers.append(ask(bench.store, bench.settings, what, "ana", why, wait=20))
        except BadRequest as error:
            answers.append(str(error))

    thread = threading.Thread(target=run)
    thread.start()
    while thread.is_alive():
        answer_all(holder, bench.settings.home)
        thread.join(0.01)
    assert not list((bench.settings.home / FOLDER).iterdir()), "nothing is left behind"
    return answers[0]


def test_where_no_process_holds_the_key_it_is_done_here_and_the_key_released(bench):
    assert ask(bench.store, bench.settings, CHECKPOINT, "ana")["size"] == 1
    first = ask(bench.store, bench.settings, ROTATE, "ana", "why")
    assert [size for size, _ in bench.checkpoints()] == [1, 2] and bench.detail("audit_key_rotated")["key"] == first["key"]
    with bench.store.read() as unit:
        assert unit.leases.get("audit_key").owner is None


def test_the_process_that_holds_the_key_does_it(bench):
    holder = bench.notary()
    holder.step()
    bench.write(3)
    assert answer_of(bench, holder, CHECKPOINT)["size"] == 4 and bench.checkpoints()[-1] == (4, False)
    assert answer_of(bench, holder, ROTATE, "why")["fingerprint"] == holder.trail_key.files.chain().current.fingerprint
    assert "nothing to acknowledge" in answer_of(bench, holder, ACKNOWLEDGE, "why")
    assert os.name == "nt" or (bench.settings.home / FOLDER).stat().st_mode & 0o777 == 0o700


def test_nobody_answers(bench):
    bench.notary().step()
    with pytest.raises(BadRequest, match=r"did not answer within 0 s; run this on its machine, in its workspace"):
        ask(bench.store, bench.settings, CHECKPOINT, "ana", wait=0)


def test_a_damaged_request_is_answered_and_an_old_one_dropped(bench):
    holder = bench.notary()
    holder.step()
    folder = bench.settings.home / FOLDER
    folder.mkdir()
    (folder / "a.ask").write_text("{")
    (folder / "b.ask").write_text(json.dumps(dict(what=CHECKPOINT, actor="ana", why="")))
    os.utime(folder / "b.ask", (0, 0))
    answer_all(holder, bench.settings.home)
    assert json.loads((folder / "a.answer").read_text()) == dict(error="the request is damaged; send it again")
    assert [path.name for path in folder.iterdir()] == ["a.answer"] and len(bench.checkpoints()) == 1


def test_what_keeps_the_key_from_signing_is_the_answer(bench):
    holder = bench.notary()
    holder.step()
    holder.release()
    (bench.settings.home / "audit.key").unlink()
    with pytest.raises(BadRequest, match="is not in this workspace, so nothing is signed here"):
        ask(bench.store, bench.settings, CHECKPOINT, "ana", wait=0)
    replaced = ask(bench.store, bench.settings, requests.REPLACE, "ana", "lost")
    assert bench.detail("audit_key_replaced")["key"] == replaced["key"]
