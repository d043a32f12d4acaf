"""Checkpoints and witnesses: what was signed, where it went, who cosigned it, and the key."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from app.kit.figures import ago, clock, number, short
from app.kit.text import literal
from app.kit.widgets import nothing, section, table
from worker.desk import Desk

SIZE = 50


def view(desk: Desk) -> None:
    evidence = desk.checkpoints
    left, right = st.columns([5, 3], gap="medium")
    with left:
        signed(evidence)
    with right:
        keys(evidence)
        witnesses(evidence, desk.jobs.now())
        section("File outside the database", "append-only")
        st.code(evidence.file(), language=None, wrap_lines=True)
        st.caption("Keep it on another disk, or send it elsewhere: setting [audit] checkpoints.")


def signed(evidence: Any) -> None:
    total = evidence.count()
    section("Checkpoints", f"{number(total)} signed, newest first, UTC")
    if not total:
        return nothing("None signed yet", "The scheduler signs one a minute, and every 1,000 events; start Tidemark with make run.")
    before = st.session_state.get("audit-checkpoint")
    page = evidence.page(SIZE, before)
    rows = [
        dict(number=row.number, at=clock(row.at, seconds=True), size=row.size, root=short(row.root), age=ago(row.age), file="yes" if "file" in row.went else "no", cosigned=", ".join(name for name in row.went if name != "file"), beat="heartbeat" if row.heartbeat else "")
        for row in page
    ]
    config = st.column_config
    columns = {
        "number": config.NumberColumn("No.", format="localized", width=44), "at": config.TextColumn("Signed, UTC", width=132), "size": config.NumberColumn("Size", format="localized", width=58, help="Events that it covers."),
        "root": config.TextColumn("Root", width=64), "age": config.TextColumn("Age", width=66), "file": config.TextColumn("In file", width=46, help="Whether it is in the append-only file outside the database."),
        "cosigned": config.TextColumn("Cosigned by", width=84), "beat": config.TextColumn("", width=74, help="A heartbeat: nothing happened since the checkpoint before."),
    }  # fmt: skip
    chosen = table(pd.DataFrame(rows), columns, "Checkpoints, newest first", key=f"checkpoints-{page[0].number if page else 0}", pick=True, row_height=26, height=min(420, 38 + 26 * max(len(page), 2)))
    _pager(page)
    if page:
        section(f"Checkpoint {number(page[chosen or 0].number)}", "the signed note, as it left")
        st.code(page[chosen or 0].text, language=None, wrap_lines=True)


def _pager(page: Any) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.space("stretch")
        if st.button("Newest", icon=":material/first_page:", type="tertiary", key="checkpoints-newest", disabled="audit-checkpoint" not in st.session_state):
            del st.session_state["audit-checkpoint"]
            st.rerun()
        if st.button("Older", icon=":material/chevron_right:", type="tertiary", key="checkpoints-older", disabled=not page or page[-1].number == 1):
            st.session_state["audit-checkpoint"] = page[-1].number
            st.rerun()


def keys(evidence: Any) -> None:
    section("Key", "fingerprint of the public key")
    fingerprint = evidence.fingerprint()
    if not fingerprint:
        st.caption("None yet: it is made on the first start.")
        return
    st.code(fingerprint, language=None, wrap_lines=True)
    st.caption("Compare it with the one you got elsewhere: at the first start, in a notification, or from whoever runs this installation. A key taken from here proves nothing about itself.")
    earlier = evidence.keys()[:-1]
    for key in reversed(earlier):
        st.caption(f"Earlier key `{short(key.fingerprint)}`, signed up to {number(key.most)} events; it signed the key after it.")


STATES = {"cosigned": ":green[:material/check_circle:]", "refused": ":red[:material/error:]", "away": ":gray[:material/cloud_off:]", "waiting": ":gray[:material/schedule:]"}


def witnesses(evidence: Any, now: Any) -> None:
    rows = evidence.witnesses()
    section("Witnesses", "machines that cosign only what grows from what they saw")
    if not rows:
        st.caption("None. On another machine run tidemark audit witness, and name it in the setting [audit] witnesses. Without one, whoever holds the key can sign another history.")
    for row in rows:
        at = f", {ago((now - row.cosigned_at).total_seconds())} of {number(row.size)} events" if row.cosigned_at else ""
        st.caption(f"{STATES.get(row.state, '')} **{literal(row.url)}**: {row.state}{at}{'  ' + chr(10) + literal(row.text) if row.text else ''}")
