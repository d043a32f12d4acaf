"""Who acts: a name for the audit trail, and a role."""

from __future__ import annotations

from dataclasses import dataclass

from domain.errors import unknown

ROLES = ("viewer", "analyst", "trader", "auditor", "admin")
RIGHTS = {      # role -> what it may do beside reading
    "viewer": frozenset(), "analyst": frozenset({"research"}), "trader": frozenset({"research", "trade"}), "auditor": frozenset({"audit"}),
    "admin": frozenset({"research", "trade", "audit", "administer"}),
}  # fmt: skip


@dataclass(frozen=True)
class Actor:
    """The user or program that acts. Without sign-in there is one user, with all rights.

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

    def may(self, right: str) -> bool:
        """Whether the role has a right.

        >>> Actor("bob", "trader").may("trade"), Actor("eve", "auditor").may("research")
        (True, False)
        """
        return right in RIGHTS[self.role]
