"""A run computed again: whether the result is identical, and if not, where it differs and why."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from app.backtest.running import begin, under_way
from app.kit.figures import plural, short, typeset
from app.kit.rights import allowed
from app.kit.text import literal
from app.kit.widgets import section, table
from worker.desk import Desk

AGAIN = "again"         # query parameter: the job that is under way
SHOWN = 5
VERDICTS: dict[str, tuple[Any, str, str]] = {
    "same": ("green", ":material/check:", "Identical"),
    "altered": ("orange", ":material/edit:", "Stored result altered"),
    "different": ("orange", ":material/close:", "Different"),
    "impossible": ("gray", ":material/remove:", "Cannot be reproduced"),
}


def view(desk: Desk, run: Any) -> None:
    section("Reproduce", "the same settings on the same data, compared byte by byte")
    if under_way(desk, AGAIN):
        return
    done = desk.compare.reproductions(run.id)
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("Reproduce", icon=":material/replay:", key=f"again-{run.id}", **allowed(desk, "compare.reproduce")):
            begin(AGAIN, lambda: desk.compare.reproduce(run.id))
        st.caption("Not reproduced yet." if not done else f"{plural(len(done), 'time')} so far; the latest {done[0]['at'][:16].replace('T', ' ')} UTC by {done[0]['actor']}")
    if done:
        _verdict(done[0])
        for reproduction in done[1:SHOWN]:
            colour, _, word = VERDICTS[reproduction["verdict"]]
            st.caption(f":{colour}[{word}] {reproduction['at'][:16].replace('T', ' ')} UTC by {reproduction['actor']}")


def _verdict(reproduction: Any) -> None:
    colour, icon, word = VERDICTS[reproduction["verdict"]]
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.badge(word, color=colour, icon=icon)
        st.markdown(literal(typeset(reproduction["sentence"])), width="stretch")
    if reproduction["frames"]:
        rows = pd.DataFrame([dict(frame=frame["name"], then=short(frame["then"]), now=short(frame["now"]), same="yes" if frame["same"] else "no") for frame in reproduction["frames"]])
        columns = {"frame": st.column_config.TextColumn("Result", width=110), "then": st.column_config.TextColumn("Recorded", width=96), "now": st.column_config.TextColumn("This time", width=96), "same": st.column_config.TextColumn("Identical", width=66)}
        table(rows, columns, "Hashes of each result as recorded and as reproduced", row_height=26)
