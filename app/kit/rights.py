"""What a role may not do, on a button: switched off, with the reason."""

from __future__ import annotations

from typing import Any

from worker.desk import Desk


def allowed(desk: Desk, verb: str, **otherwise: Any) -> dict[str, Any]:
    """``disabled`` and ``help`` of a button that does ``part.method``; ``otherwise``: its own, where the role may do that."""
    why = desk.why_not(verb)
    return dict(disabled=True, help=f"You have the role {desk.actor.role}. This {why}.") if why else otherwise
