"""Downloads of the trail. Each is an audit event, and carries the last checkpoint."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import streamlit as st

from app.audit import filters
from app.audit.beside import bundle
from app.kit.widgets import download, download_file
from worker.desk import Desk, Filter


def menu(desk: Desk) -> None:
    with st.popover("Download", icon=":material/download:"):
        wanted = filters.wanted(desk)
        narrowed = wanted != Filter()
        st.caption(f"{'The events that match the filters below.' if narrowed else 'The whole trail.'} Each download is an event too, and carries the last checkpoint.")
        if bundle(desk) is not None:
            download_file("Bundle, ZIP", f"{_name(desk)}.zip", "application/zip", partial(_bundle, desk, wanted), "audit-bundle", "Events, checkpoints, proofs, public key and verify.py, which checks all of it offline with Python alone.")
        download("events.jsonl", f"{_name(desk)}.jsonl", "application/jsonl", lambda: desk.trail.jsonl(wanted), "audit-jsonl", "One line an event: its number, both hashes, and the exact canonical text.")
        download("CSV", f"{_name(desk)}.csv", "text/csv", lambda: desk.trail.csv(wanted), "audit-csv", "A view for people, safe to open in a spreadsheet.")


def proof(desk: Desk, event: Any) -> None:
    """The proof of one event: that it is in the tree of the last checkpoint."""
    if bundle(desk) is not None:
        download_file("Proof", f"audit_event_{event.seq}.json", "application/json", partial(_proof, desk, event), f"proof-{event.seq}", "At most 1 KB: the hashes beside the event's way to the root of the last checkpoint, and its text where that fits. verify.py checks it.")


def _name(desk: Desk) -> str:
    """Names the size, so that two downloads are told apart."""
    return f"audit_{desk.trail.head()[0]}"


def _bundle(desk: Desk, wanted: Filter, path: Path) -> None:
    bundle(desk).write(path, wanted)


def _proof(desk: Desk, event: Any, path: Path) -> None:
    path.write_text(bundle(desk).proof(str(event.seq)).text, encoding="utf-8")
