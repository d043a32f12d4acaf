"""Downloads of the trail. Each is an audit event, and carries the last checkpoint."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import streamlit as st

from app.audit import filters
from app.kit.address import address_value, missing
from app.kit.figures import clock, plural, size
from app.kit.widgets import attempt, download, download_file, go, job_panel
from worker.desk import Desk, Filter

ABOUT = "Events, checkpoints, proofs, public key and verify.py, which checks all of it offline with Python alone."


def menu(desk: Desk) -> None:
    with st.popover("Download", icon=":material/download:"):
        wanted = filters.wanted(desk)
        narrowed = wanted != Filter()
        st.caption(f"{'The events that match the filters below.' if narrowed else 'The whole trail.'} Each download is an event too, and carries the last checkpoint.")
        if desk.bundle.is_large(wanted):
            _prepare(desk, wanted)
        else:
            download_file("Bundle, ZIP", desk.bundle.name(wanted, desk.jobs.now()), "application/zip", partial(_bundle, desk, wanted), "audit-bundle", ABOUT)
        download("events.jsonl", f"{_name(desk)}.jsonl", "application/jsonl", lambda: desk.trail.jsonl(wanted), "audit-jsonl", "One line an event: its number, both hashes, and the exact canonical text.")
        download("CSV", f"{_name(desk)}.csv", "text/csv", lambda: desk.trail.csv(wanted), "audit-csv", "For spreadsheets: one row an event, formulas escaped.")
        st.caption("Keep these two elsewhere: what is downloaded is checked against them.")
        download("Checkpoint, signed note", f"{_name(desk)}_checkpoint.txt", "text/plain", desk.trail.checkpoint_file, "audit-checkpoint-file", "The signed note with its cosignatures.", evidence=True)
        download("Public key", "tidemark_public_key.txt", "text/plain", desk.trail.key_file, "audit-key-file", "The key that checkpoints are signed with, and every rotation before it.", evidence=True)


def _prepare(desk: Desk, wanted: Filter) -> None:
    """A bundle of many events is a job: seen, cancelled, and downloaded when it is ready."""
    if st.button("Prepare bundle, ZIP", icon=":material/archive:", key="audit-bundle-prepare", type="tertiary", help=f"{ABOUT} It is written in the background and offered on this page when it is ready."):
        desk.checkpoints.cover()
        submitted = attempt(lambda: desk.bundle.submit(wanted))
        if submitted is not None:
            go("audit", bundle=submitted.job.id)


def prepared(desk: Desk) -> None:
    """The bundle that the address names, under way or failed; and the newest one that is ready."""
    name = address_value("bundle")
    job = desk.bundle.job(name) if name else None
    if name and job is None:
        missing("bundle", name, "Prepare one under Download.")
    if job is not None and job_panel(desk, job):
        return
    ready = desk.bundle.ready()
    if ready is not None:
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key="audit-bundle-ready"):
            st.markdown(f":material/archive: **Bundle of {plural(ready.result['rows'], 'event')}**, {size(ready.result['bytes'])}, written {clock(ready.ended_at)} UTC; kept for a day.")
            download_file("Download bundle", desk.bundle.name(at=ready.ended_at), "application/zip", partial(desk.bundle.fetch, ready.id), f"audit-bundle-{ready.id}", ABOUT)


def proof(desk: Desk, event: Any) -> None:
    """The proof of one event, and its exact text."""
    with st.container(horizontal=True, gap="xsmall"):
        about = "At most 1 KB: the hashes beside the event's way to the root of the last checkpoint. verify.py of a bundle checks it."
        download("Proof", f"audit_event_{event.seq}.json", "application/json", lambda: _proof(desk, event), f"proof-{event.seq}", about, evidence=True)
        download("Exact text", f"audit_event_{event.seq}.event.json", "application/json", lambda: desk.trail.text(event.seq), f"text-{event.seq}", "The canonical bytes that were hashed; beside a proof for an event too long for it.", evidence=True)


def _name(desk: Desk) -> str:
    """Names the size, so that two downloads differ in their names."""
    return f"audit_{desk.trail.head()[0]}"


def _bundle(desk: Desk, wanted: Filter, path: Path) -> None:
    desk.checkpoints.cover()
    desk.bundle.write(path, wanted)


def _proof(desk: Desk, event: Any) -> bytes:
    desk.checkpoints.cover(str(event.seq))
    return f"{desk.bundle.proof(str(event.seq)).text}\n".encode()
