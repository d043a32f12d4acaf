"""What a download brought: spans that are missing, and notes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from app.kit.figures import typeset
from app.kit.text import literal
from app.kit.widgets import table
from worker.desk.lineage import download_sentence

REASONS = {"limit": "vendor's limit", "open": "not closed yet", "failed": "no answer", "empty": "vendor has none"}


def missing_table(missing: Sequence[Mapping[str, str]]) -> None:
    """Each span that could not be had, with its reason."""
    rows = pd.DataFrame([{"From, UTC": each["from"], "To, UTC": each["to"], "Reason": REASONS[each["reason"]], "Details": typeset(each["sentence"])} for each in missing])
    table(rows, {name: name for name in rows}, "Spans that are missing, and why", row_height=26)


def notes_of(notes: Iterable[str]) -> None:
    for note in notes:
        st.caption(f":material/info: {literal(typeset(note))}")


def download_record(dataset: Any) -> None:
    """Of a dataset that was downloaded: what was requested, as of when, what is missing and the vendor's notes."""
    origin = dataset.provenance
    if "vendor" not in origin:
        return
    if origin["double"]:
        st.badge("Local double", icon=":material/science:", color="orange", help=f"A server on this machine ({origin['double']}) answered in the vendor's place: these are not the vendor's data.")
    st.caption(f":material/cloud_download: {literal(typeset(f'Requested {download_sentence(origin)}'))}")
    notes_of(origin["notes"])
    if origin["missing"]:
        with st.popover(f"Missing periods ({len(origin['missing'])})", type="tertiary", icon=":material/rule:"):
            missing_table(origin["missing"])
