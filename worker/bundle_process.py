"""Bundles written by a process of their own, for a page's process, which must stay fluid."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from domain.errors import BadRequest, SourceUnavailable
from worker.bundle import Written, write
from worker.bundle_evidence import evidence_of
from worker.store import Filter, Store

log = logging.getLogger("bundle")
ROOT = Path(__file__).resolve().parents[1]


def write_apart(database_url: str, frames_url: str, path: Path, wanted: Filter, evidence: tuple[str, str], about: dict[str, Any]) -> Written:
    """As ``worker.bundle.write``. ``evidence``: keys and the checkpoint that is asked for."""
    keys, asked = evidence
    order = dict(database_url=database_url, frames_url=frames_url, path=str(path.absolute()), wanted=asdict(wanted), keys=keys, asked=asked, about=about)
    done = subprocess.run([sys.executable, "-m", "worker.bundle_process"], cwd=ROOT, input=json.dumps(order), capture_output=True, text=True)
    answer = json.loads(done.stdout) if done.returncode == 0 and done.stdout.startswith("{") else {}
    if "refused" in answer:
        raise BadRequest(answer["refused"])
    if "scope" not in answer:
        log.error("the process that writes a bundle ended with %s: %s", done.returncode, done.stderr[-2_000:])
        raise SourceUnavailable("the bundle could not be written; the log says why. Is there room on the disk? Try again")
    return Written(**answer)


def main() -> None:
    """Write the bundle that standard input asks for; the answer is JSON."""
    order = json.load(sys.stdin)
    store = Store(order["database_url"], order["frames_url"])
    wanted = Filter(**{**order["wanted"], "kinds": tuple(order["wanted"]["kinds"])})
    try:
        with store.read() as unit:
            written = write(unit, Path(order["path"]), wanted, evidence_of(unit, order["keys"], order["asked"]), order["about"])
        print(json.dumps(asdict(written)))
    except BadRequest as error:
        print(json.dumps(dict(refused=str(error))))


if __name__ == "__main__":
    main()
