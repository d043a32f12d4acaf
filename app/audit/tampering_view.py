"""What verification would catch: the nine kinds of tampering, and what none of it shows."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from app.kit.text import literal
from app.kit.widgets import section, table
from worker.desk import Desk


def view(desk: Desk) -> None:
    section("What this would catch", "nine kinds of tampering by someone who writes the database file itself, past every trigger")
    kinds, honest = desk.trail_days.tamperings()
    rows = [dict(title=kind.title, how=kind.how, looks=kind.looks, chain=_word(kind.chain), tree=_word(kind.tree), checkpoint=_word(kind.checkpoint)) for kind in kinds]
    config = st.column_config
    columns = {
        "title": config.TextColumn("Tampering", width=150), "how": config.TextColumn("What is done", width=260), "looks": config.TextColumn("What verification says", width=300),
        "chain": config.TextColumn("Chain", width=58, help="The hashes of the rows alone."), "tree": config.TextColumn("Tree", width=58, help="The tree stored beside the rows, as long as it is not falsified too."),
        "checkpoint": config.TextColumn("Checkpoint", width=78, help="A checkpoint that left this machine before, for the rows up to its size."),
    }  # fmt: skip
    table(pd.DataFrame(rows), columns, "The nine kinds of tampering and what catches each", row_height=28)
    st.caption("A forger who can edit rows can also compute hashes and the tree again. So only the checkpoint that left catches every kind.")
    section("What it does not show", "")
    for sentence in honest:
        st.markdown(f"- {literal(sentence)}")


def _word(caught: bool) -> str:
    return "caught" if caught else "missed"
