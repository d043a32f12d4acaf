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
    """The user or program that acts. Without sign-in there is one user, with all rights. ``person``: whose program it is; ``session``: the id of the browser's sign-in.

    >>> Actor("ana"), Actor("bob", "viewer").role
    (Actor(name='ana', role='admin', person='', session=''), 'viewer')
    >>> Actor("eve", "root")
    Traceback (most recent call last):
    ...
    domain.errors.UnknownName: no role named 'root'; there are admin, analyst, auditor, trader, viewer
    """

    name: str
    role: str = "admin"
    person: str = ""
    session: str = ""

    def __post_init__(self) -> None:
        if self.role not in ROLES:
            raise unknown("role", self.role, ROLES)

    def may(self, right: str) -> bool:
        """Whether the role has a right.

        >>> Actor("bob", "trader").may("trade"), Actor("eve", "auditor").may("research")
        (True, False)
        """
        return right in RIGHTS[self.role]

    @property
    def behind(self) -> str:
        """The person who acts, or whose program does.

        >>> Actor("robot (ab2)", "trader", "ana").behind, Actor("ana").behind
        ('ana', 'ana')
        """
        return self.person or self.name


def covers(role: str, other: str) -> bool:
    """Whether a role has every right of another.

    >>> covers("admin", "auditor"), covers("trader", "analyst"), covers("trader", "auditor")
    (True, True, False)
    """
    return RIGHTS[other] <= RIGHTS[role]


def least(role: str, owner: str) -> str:
    """The role of a program whose owner has another: never more than the owner's.

    >>> least("trader", "admin"), least("admin", "analyst"), least("auditor", "trader")
    ('trader', 'analyst', 'viewer')
    """
    return role if covers(owner, role) else owner if covers(role, owner) else "viewer"
