"""Short names for jobs, runs and datasets: six letters and digits that are not mistaken for one another."""

from __future__ import annotations

import secrets

LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"


def new_id() -> str:
    """
    >>> len(new_id()), set(new_id()) <= set(LETTERS)
    (6, True)
    """
    return "".join(secrets.choice(LETTERS) for _ in range(6))
