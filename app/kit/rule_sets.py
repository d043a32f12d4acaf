"""How pickers name a rule set."""

from __future__ import annotations

from typing import Any


def phased(row: Any, phase: str) -> str:
    """A rule set and its phase."""
    own = f" v{row.version}" if row.own else ""
    return f"{row.title}{own}" + (f" · {phase}" if len(row.phases) > 1 else "")
