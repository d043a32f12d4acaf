"""What a person asks of the process that holds the key: by a file in the workspace, which only its owner can write; or done here where no process holds it."""

from __future__ import annotations

import contextlib
import json
import secrets
import time
from pathlib import Path
from typing import Any

from domain.errors import BadRequest
from worker.checkpoints import durable
from worker.checkpoints.notary import Notary
from worker.settings import Settings
from worker.store import SignedCheckpoint, Store

FOLDER = "audit-requests"
CHECKPOINT, ROTATE, REPLACE, ACKNOWLEDGE = "checkpoint", "rotate", "replace", "acknowledge"
WAIT, LOOK_EVERY = 20.0, 0.1        # seconds
OLD = 120.0                         # seconds; a request that nobody waits for any more


def ask(store: Store, settings: Settings, what: str, actor: str, why: str = "", wait: float = WAIT) -> dict[str, Any]:
    """Have it done, here or by the process that holds the key. BadRequest where it is refused, or nobody answers."""
    notary = Notary(store, settings)
    try:
        if what == REPLACE or notary.take():
            return performed(notary, what, actor, why)
        if notary.problem:
            raise BadRequest(notary.problem)
    finally:
        notary.release()
    return _written(settings.home / FOLDER, dict(what=what, actor=actor, why=why), wait)


def performed(notary: Notary, what: str, actor: str, why: str) -> dict[str, Any]:
    """Do it in this process, which holds the key."""
    if what == ROTATE:
        key = notary.rotate(actor, why)
        return dict(key=key.text, fingerprint=key.fingerprint)
    if what == REPLACE:
        key = notary.replace_lost(actor, why)
        return dict(key=key.text, fingerprint=key.fingerprint)
    signed = notary.acknowledge(actor, why) if what == ACKNOWLEDGE else notary.sign()
    if signed is None:
        raise BadRequest(f"no checkpoint was signed. {notary.problem or 'Another process took the key; try again'}")
    return summary(signed)


def answer_all(notary: Notary, home: Path) -> int:
    """Do what waits in the workspace, oldest first, and write the answers; returns how many."""
    waiting = sorted((home / FOLDER).glob("*.ask"), key=lambda path: path.stat().st_mtime)
    for path in waiting:
        with contextlib.suppress(FileNotFoundError):        # withdrawn meanwhile
            _answer(notary, path)
    return len(waiting)


def summary(signed: SignedCheckpoint) -> dict[str, Any]:
    return dict(number=signed.number, at=signed.at.isoformat(), size=signed.size, root=signed.root, note=signed.note)


def _answer(notary: Notary, path: Path) -> None:
    if time.time() - path.stat().st_mtime > OLD:
        path.unlink()
        return
    try:
        request = json.loads(path.read_text(encoding="utf-8"))
        answer = performed(notary, request["what"], request["actor"], request["why"])
    except (ValueError, KeyError, TypeError):
        answer = dict(error="the request is damaged; send it again")
    except BadRequest as error:
        answer = dict(error=str(error))
    durable.replace(path.with_suffix(".answer"), json.dumps(answer))
    path.unlink()


def _written(folder: Path, request: dict[str, str], wait: float) -> dict[str, Any]:
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / f"{secrets.token_hex(8)}.ask"
    answer = path.with_suffix(".answer")
    durable.replace(path, json.dumps(request))
    try:
        until = time.monotonic() + wait
        while time.monotonic() < until:
            if answer.exists():
                given = json.loads(answer.read_text(encoding="utf-8"))
                if "error" in given:
                    raise BadRequest(given["error"])
                return dict(given)
            time.sleep(LOOK_EVERY)
    finally:
        path.unlink(missing_ok=True)
        answer.unlink(missing_ok=True)
    raise BadRequest(f"the process that holds the key of this trail did not answer within {wait:g} s; run this on its machine, in its workspace, or stop it first")
