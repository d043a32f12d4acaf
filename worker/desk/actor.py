"""Who acts: a name for the audit trail, and a role."""

from __future__ import annotations

from dataclasses import dataclass

from domain.errors import unknown

ROLES = ("viewer", "analyst", "trader", "auditor", "admin")


@dataclass(frozen=True)
class Actor:
    """A person or a program at the desk. Without sign-in there is one person, who may do everything.

    >>> Actor("ana"), Actor("bob", "viewer").role
    (Actor(name='ana', role='admin'), 'viewer')
    >>> Actor("eve", "root")
    Traceback (most recent call last):
    ...
    domain.errors.UnknownName: no role named 'root'; there are admin, analyst, auditor, trader, viewer
    """

    name: str
    role: str = "admin"

    def __post_init__(self) -> None:
        if self.role not in ROLES:
            raise unknown("role", self.role, ROLES)
