"""What each role may do."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from app.kit.widgets import section, table
from worker.desk import Desk

RIGHTS = {
    "": "Read and download everything",
    "research": "Import, compute, backtest, train; save strategies and rule sets, promote models",
    "trade": "Start and command paper sessions; halt trading and release it",
    "audit": "Verify, replay and sign the audit trail",
    "administer": "Users, everybody's tokens, the key of the trail, the example",
}
YES = "✓"


def roles(desk: Desk) -> None:
    section("Roles", "enforced for pages, terminal and API alike; everyone manages their own password, code, sessions and tokens")
    frame = roles_frame(desk.users.roles())
    table(frame, {name: name.capitalize() for name in frame.columns}, "What each role may do", row_height=30)


def roles_frame(rights: Mapping[str, frozenset[str]]) -> pd.DataFrame:
    """
    >>> roles_frame({"viewer": frozenset(), "trader": frozenset({"trade"})}).iloc[[0, 2]].values.tolist()
    [['Read and download everything', '✓', '✓'], ['Start and command paper sessions; halt trading and release it', '', '✓']]
    """
    return pd.DataFrame([dict(right=words, **{role: YES if not right or right in has else "" for role, has in rights.items()}) for right, words in RIGHTS.items()])
