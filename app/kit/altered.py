"""What a list leaves out because it is not what was recorded; stated above it, never shown with its figures."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from app.kit.figures import plural, typeset
from app.kit.text import literal
from app.kit.widgets import go
from worker.desk import Desk

MOST = 3        # sentences at once


def altered_runs(desk: Desk, *kinds: str) -> None:
    """An error for each run of these kinds that was altered since it was recorded, with the way to its history."""
    _errors("run", desk.stories.altered_runs(*kinds))


def altered_datasets(desk: Desk) -> None:
    """The same of datasets."""
    _errors("dataset", desk.stories.altered_datasets())


def _errors(what: str, faults: Mapping[str, str]) -> None:
    for name, why in list(faults.items())[:MOST]:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.error(literal(typeset(why)), icon=":material/gpp_bad:", width="stretch")
            if st.button("Open its history", key=f"altered-{name}", type="tertiary"):
                go("audit", entity=f"{what}:{name}")
    if len(faults) > MOST:
        st.caption(f"and {plural(len(faults) - MOST, f'more altered {what}')}; verify the audit trail for all of them.")
